"""Everything at once: clients in TLS that log in, a next hop in TLS to which we
log in, signatures, two workers; while keys and certificates change under
SIGHUP, handshakes stall and processes are killed.  No mail is lost, none goes
out unsigned, no password in clear."""
import base64
import os
import random
import re
import signal
import time

import test_crash
import tls_files
from sink import RESET, SILENT
from talk import Talk
from test_dkim import ED, RSA, dkim_map, domains, signatures
from test_tls_client import TlsCase
from test_tls_server import trusting
from wait import until

PLAIN = base64.b64encode(b'\0joe\0secret').decode()
USERS = 'users:\n  - {name: joe, password: secret}\n'
RELAY_LOGIN = '''config:
  relay: {username: me, password: at-the-hop}
'''
BODY = (b'w' * 98 + b'\r\n') * 30


class Sender(test_crash.Sender):
    """Each talk begins with STARTTLS and AUTH."""

    def __init__(self, *arguments, **options):
        self.refused = []
        super().__init__(*arguments, **options)

    def talk(self):
        talk = Talk(self.relay.port)
        try:
            talk.hello()
            talk.say('STARTTLS', 220)
            talk.socket = trusting(self.relay.crt).wrap_socket(
                talk.socket, server_hostname='relay.example')
            talk.hello()
            talk.say('AUTH PLAIN ' + PLAIN, 235)
        except BaseException:
            talk.socket.close()
            raise
        return talk

    def _run(self):
        talk, number, count = None, self._take(), 0
        while number is not None and not self.giving_up:
            try:
                if talk is None:
                    talk, count = self.talk(), 0
                text = (b'From: me@example.lab\r\nTo: <to@example.net>\r\n'
                        b'X-Number: %d\r\n\r\n.dot\r\n' % number)
                reply = talk.message(
                    text.replace(b'\r\n.', b'\r\n..') + BODY * (number % 40))
                if reply[0] != 250:
                    raise AssertionError(reply)
            except (OSError, AssertionError) as e:
                if re.search(r'\((?!421)[45]\d\d,', str(e)):
                    self.refused.append(e)
                if talk:
                    talk.socket.close()
                talk = None
                time.sleep(0.02)    # nobody listens: not a busy loop
                continue
            with self.changed:
                self.good.add(number)
                self.changed.notify_all()
            number, count = self._take(), count + 1
            if count == 7:          # handshakes, not one for all
                talk.socket.close()
                talk = None
        if talk:
            talk.socket.close()


class Storm(TlsCase):
    TOTAL = 900

    def everything(self, sets=None):
        sink = self.tls_sink()
        sink.user = (b'me', b'at-the-hop')
        sink.auth_only = True
        if not any(e.startswith('AUTH') for e in sink.extensions):
            sink.extensions = list(sink.extensions) + ['AUTH PLAIN LOGIN']
        relay = self.hop(sink, {
            'workers': 2, 'spool_segment': '8M', 'auth': 'true',
            'log.level': 'info', 'retry.max': '1s', **(sets or {})},
            yaml=USERS + RELAY_LOGIN + self.keys(0), start=False)
        crt, key = tls_files.make(relay.root)
        # All of them: whichever is shown just now is trusted.
        relay.crt = os.path.join(relay.root, 'all.crt')
        os.link(crt, relay.crt)
        relay.sets.update({'tls.level': 'encrypt', 'tls.crt_file': crt,
                           'tls.key_file': key})
        return relay.start(), sink

    def keys(self, number):
        kinds = [[dkim_map('rsa', RSA)],
                 [dkim_map('ed', ED)],
                 [dkim_map('rsa', RSA, canonicalization='relaxed/relaxed'),
                  dkim_map('ed', ED)]]
        return domains(example__lab=kinds[number % len(kinds)])

    def new_certificate(self, relay, number):
        crt, key = tls_files.make(relay.root, file='next')
        with open(relay.crt, 'ab') as trusted, open(crt, 'rb') as f:
            trusted.write(f.read())
        os.rename(key, relay.sets['tls.key_file'])
        os.rename(crt, relay.sets['tls.crt_file'])
        relay.write_yaml(USERS + RELAY_LOGIN + self.keys(number))

    def finish(self, relay, sink, sender):
        sender.wait(self.TOTAL, 120)
        relay.command('queue', 'retry')
        until(lambda: set(test_crash.numbers(sink)) >= sender.good, 90,
              'every acknowledged mail')
        for m in sink.mails:
            self.assertIn(len(signatures(m.data)), (1, 2))
            self.assertIn(b'\r\n\r\n.dot\r\n', m.data)
        for s in sink.sessions:
            self.assertEqual(s.secrets_in_clear, [])
            if 'mail' in s.commands:
                self.assertTrue(s.tls)
                self.assertEqual(s.user, 'me')
        self.assertEqual(sender.refused, [])
        self.stop(relay)

    def test_reloads(self):
        relay, sink = self.everything()
        sender = Sender(relay, total=self.TOTAL)
        number = 0
        while len(sender.good) < self.TOTAL and number < 40:
            number += 1
            if number % 5 == 0:
                self.new_certificate(relay, number)
            else:
                relay.write_yaml(USERS + RELAY_LOGIN + self.keys(number))
            relay.signal(signal.SIGHUP)
            time.sleep(0.1)
        self.finish(relay, sink, sender)
        self.assertGreater(len(relay.find('reloaded')), 3)
        self.assertEqual(relay.find('worker_died'), [])

    def test_kills(self):
        relay, sink = self.everything()
        chance = random.Random(os.environ.get('STORM_SEED', '1'))

        def handshake(session, _):
            return (SILENT if chance.random() < 0.1 else
                    RESET if chance.random() < 0.1 else None)

        sink.on('handshake', handshake)
        sender = Sender(relay, total=self.TOTAL)
        for at in (150, 300, 450, 600, 750):
            sender.wait(at, 120)
            time.sleep(chance.random() / 5)
            if at % 300:
                workers = relay.workers()
                os.kill(chance.choice(workers), signal.SIGKILL)
            else:
                relay.kill_all()
                relay.write_yaml(USERS + RELAY_LOGIN + self.keys(at // 150))
                relay.start()
            relay.signal(signal.SIGHUP)
        sink.on('handshake', None)
        self.finish(relay, sink, sender)
        twice = sum(n - 1 for n in test_crash.numbers(sink).values())
        self.assertLess(twice, 5 * 400, 'too many came twice')
