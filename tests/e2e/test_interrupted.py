"""Exchanges and signatures that are interrupted in the middle."""
import re
import signal
import socket

from case import Case
from relay import SANITIZED
from test_auth import USERS
from test_dkim import HEAD, RSA, Signed, dkim_map, domains


class Logins(Case):
    def test_an_exchange_that_the_relay_ends_leaves_nothing(self):
        """A line that is none ends it; the next AUTH is in the same packet."""
        relay = self.relay({'connection_limit': 10}, yaml=USERS)
        workers = relay.workers()
        for _ in range(5):
            with socket.create_connection(('127.0.0.1', relay.port)) as s:
                s.settimeout(20)
                s.sendall(b'EHLO a\r\n' + b'AUTH PLAIN\r\nx\n' * 9 +
                          b'QUIT\r\n')
                said = b''.join(iter(lambda: s.recv(65536), b''))
            self.assertEqual(said.count(b'\r\n334 '), 9)
            self.assertEqual(said.count(b'\r\n500 5.5.2'), 9)
        self.assertEqual(relay.workers(), workers)
        self.stop(relay)


class Keys(Signed):
    def test_keys_that_go_while_mail_is_read_for_them(self):
        """What was not hashed when it came is read again to be signed."""
        relay, sink = self.signing('config: {verbose: true}',
                                   {'retry.first': '1h'})
        sink.on('mail', '450 4.3.0 not now')
        body = re.sub(rb'(.{70})', rb'\1\r\n', b'0123456789' * 7 *
                      (60000 if SANITIZED else 300000))
        for _ in range(3):
            i = self.send(relay, HEAD % b'example.lab' + b'\r\n' + body)
            relay.wait('deferred', id=i)
        path = relay.write_yaml(domains(
            example__lab=[dkim_map('rsa', RSA)]))
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded')
        sink.on('mail', None)
        done = relay.command('queue', 'retry')
        with open(path, 'w') as f:
            f.write('config: {verbose: true}')
        relay.signal(signal.SIGHUP)
        self.assertEqual(done.returncode, 0, done.stderr)
        relay.wait('reloaded', count=2)
        sink.wait(3, seconds=60)
        self.stop(relay)
