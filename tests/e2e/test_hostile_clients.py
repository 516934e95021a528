"""Clients that break off, reset, talk nonsense, never read and come in crowds:
the relay stays alive, gives everything back, and delivers exactly what it
accepted, each byte of it."""
import collections
import hashlib
import itertools
import os
import random
import re
import select
import signal
import socket
import struct
import threading
import time

from case import Case
from relay import SANITIZED
from wait import until

SEED = int(os.environ.get('SEED', '5321'))
SESSIONS = 400
TOGETHER = 80
GIVE_UP_S = 20


def _body(rng, token):
    """A message that carries its own checksum."""
    lines = []
    for _ in range(rng.choice((0, 1, 3, 30, 300, 2500))):
        lines.append(rng.choice((b'', b'.', b'..', b'.x', b'x' * 70, b'MAIL',
                                 b'\xc3\xa9' * 9, b'y' * rng.randrange(200))))
    text = b''.join(l + b'\r\n' for l in lines)
    digest = hashlib.sha1(text).hexdigest().encode()
    return b'Subject: %s\r\nX-Sum: %s\r\n\r\n' % (token, digest) + text


def _stuffed(text):
    return re.sub(rb'(?m)^\.', b'..', text)


def _transaction(rng, token):
    said = [b'MAIL FROM:<%s@example.org>\r\n' % token]
    for i in range(rng.choice((0, 1, 1, 1, 2, 20))):
        said.append(b'RCPT TO:<r%d@example.net>\r\n' % i)
    text = _body(rng, token)
    if rng.random() < 0.6:
        said += [b'DATA\r\n', _stuffed(text) + b'.\r\n']
        return said
    while True:
        piece, text = text[:rng.randrange(70000)], text
        text = text[len(piece):]
        last = b' LAST' if not text else b''
        said.append(b'BDAT %d%s\r\n' % (len(piece), last) + piece)
        if last:
            return said


def _nonsense(rng):
    return rng.choice((
        b'NOOP\r\n' * rng.choice((1, 50, 5000)), b'HELP\r\n' * 900, b'\r\n',
        b'EHLO ' + b'x' * 5000 + b'\r\n', b'\n', b'\r', b'QUIT\r\n',
        b'RCPT TO:<a@b>\r\n', b'DATA\r\n', b'BDAT 999999999999\r\n',
        b'BDAT x\r\n', b'RSET\r\n', b'VRFY a\r\n', b'MAIL FROM:<>\r\n',
        b'EHLO again\r\n', b'STARTTLS\r\n', b'GET / HTTP/1.1\r\n',
        bytes(rng.randrange(256) for _ in range(rng.randrange(3000)))))


def _proxy_header(rng):
    v2 = b'\r\n\r\n\0\r\nQUIT\n'
    return rng.choice((
        b'PROXY TCP4 127.0.0.1 127.0.0.1 5 25\r\n', b'PROXY UNKNOWN\r\n',
        b'PROXY TCP6 ::1 ::1 5 25\r\n', b'PROXY TCP4 192.0.2.1 1.2.3.4 5 6\r\n',
        v2 + b'\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\0\5\0\x19',
        v2 + b'\x20\0\0\0', v2 + b'\x21\x11\xff\xff', v2[:rng.randrange(13)],
        b'PROXY', b'EHLO x\r\n', b'PROXY TCP4 ' + b'1' * 200))


def _script(rng, name, proxied):
    """All that a client says, in one string."""
    said = [_proxy_header(rng)] if proxied else []
    said.append(rng.choice((b'EHLO c\r\n', b'EHLO c\r\n', b'HELO c\r\n')))
    for i in range(rng.randrange(5)):
        said += _transaction(rng, b'%s-%d' % (name, i))
        if rng.random() < 0.15:
            said.insert(rng.randrange(1, len(said) + 1), _nonsense(rng))
    if rng.random() < 0.5:
        said.append(b'QUIT\r\n')
    text = b''.join(said)
    if rng.random() < 0.4:
        text = text[:rng.randrange(len(text) + 1)]
    return text


class Client:
    """One of the crowd: says its script in pieces, hears or does not."""

    def __init__(self, number, port, proxied):
        self.rng = random.Random('%d %d' % (SEED, number))
        self.script = _script(self.rng, b't%d' % number, proxied)
        self.port = port
        self.heard = b''
        self.hung = False

    def run(self):
        try:
            with socket.create_connection(('127.0.0.1', self.port), 10) as s:
                self.talk(s)
        except OSError:
            pass                # it was thrown out: its own fault, or not

    def talk(self, s):
        rng = self.rng
        deaf = rng.random() < 0.2
        step = rng.choice((1000, 20000, 1 << 20))
        left = memoryview(self.script)
        s.setblocking(False)
        give_up = time.monotonic() + (0.3 if deaf else GIVE_UP_S)
        while left and time.monotonic() < give_up:
            readable, writable, _ = select.select(
                [] if deaf else [s], [s], [], 0.1)
            if readable and not self.hear(s):
                return
            if writable:
                left = left[s.send(left[:rng.randrange(1, step)]):]
        end = rng.choice(('close', 'reset', 'half', 'half', 'half', 'wait'))
        if end == 'reset':
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack('ii', 1, 0))
        if end in ('close', 'reset') or deaf:
            return
        if end == 'half':
            s.shutdown(socket.SHUT_WR)
        give_up = time.monotonic() + GIVE_UP_S
        while time.monotonic() < give_up:
            if select.select([s], [], [], 0.1)[0] and not self.hear(s):
                return
        self.hung = True

    def hear(self, s):
        data = s.recv(65536)
        self.heard += data
        return data

    def promised(self):
        """The ids of what it was told is safe."""
        return re.findall(rb'^250 2.0.0 queued as (\w+)\r$', self.heard, re.M)


def _sockets(pid):
    count, path = 0, '/proc/%d/fd/' % pid
    for fd in os.listdir(path):
        try:
            count += os.readlink(path + fd).startswith('socket:')
        except FileNotFoundError:
            pass                # closed meanwhile
    return count


class HostileClients(Case):
    def crowd(self, relay, first, count=SESSIONS, together=TOGETHER):
        clients = []
        for i in range(first, first + count):
            proxied = i % 4 == 0
            clients.append(Client(
                i, relay.proxy_port if proxied else relay.port, proxied))
        waiting = collections.deque(clients)

        def work():
            while True:
                try:
                    waiting.popleft().run()
                except IndexError:
                    return
        threads = [threading.Thread(target=work) for _ in range(together)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return clients

    def crowd_and(self, relay, what, first=0):
        """what() again and again while a crowd is there."""
        clients, done = [], threading.Event()

        def work():
            clients.extend(self.crowd(relay, first))
            done.set()
        thread = threading.Thread(target=work)
        thread.start()
        while not done.wait(0.02):
            what()
        thread.join()
        return clients

    def assert_gone(self, relay, sink, pid, sockets):
        def gone():
            return _sockets(pid) <= sockets + sink.open
        until(gone, 15, 'the end of all sessions')

    def assert_delivered(self, relay, sink, clients):
        """What was promised or logged as accepted has come, once and whole;
        and nothing else."""
        promised = {i.decode() for c in clients for i in c.promised()}
        accepted = [e['id'] for e in relay.find('accepted')]
        self.assertEqual(len(accepted), len(set(accepted)))
        self.assertEqual(promised - set(accepted), set())
        self.assertTrue(promised)
        sink.wait(len(accepted), seconds=60)
        came = []
        for mail in sink.mails:
            head = mail.head().decode('utf-8', 'replace')
            came.append(re.search(r'\sid (\w+)', head)[1])
            digest = re.search(r'X-Sum: (\w+)', head)
            # A script that was cut or disturbed may have sent another text.
            if digest and mail.sender.encode().split(b'@')[0] in mail.data:
                self.assertEqual(
                    hashlib.sha1(mail.body()).hexdigest(), digest[1], head)
        self.assertEqual(sorted(came), sorted(accepted))
        self.assertEqual(sink.wrongs, [])

    def test_crowds(self):
        relay, sink = self.pair({'timeout.command': '2s', 'timeout.data': '2s'})
        pid, = relay.workers()
        sockets = _sockets(pid)
        clients = self.crowd(relay, 0)
        self.assert_gone(relay, sink, pid, sockets)
        memory = relay.memory('RssAnon')
        clients += self.crowd(relay, SESSIONS)
        self.assert_gone(relay, sink, pid, sockets)
        if not SANITIZED:
            self.assertLess(relay.memory('RssAnon'), memory + 8192)
        self.assertEqual([c.script for c in clients if c.hung], [])
        self.assert_delivered(relay, sink, clients)
        self.assertEqual(relay.workers(), [pid])
        self.stop(relay)

    def test_crowd_at_a_full_relay(self):
        relay, sink = self.pair({'timeout.command': '2s', 'timeout.data': '2s',
                                 'connection_limit': 20})
        pid, = relay.workers()
        sockets = _sockets(pid)
        clients = self.crowd(relay, 0)
        self.assertTrue([c for c in clients if b'421 4.3.2' in c.heard])
        self.assert_gone(relay, sink, pid, sockets)
        self.assert_delivered(relay, sink, clients)

    def test_crowd_while_the_configuration_is_read_again(self):
        relay, sink = self.pair({'timeout.command': '2s', 'timeout.data': '2s',
                                 'hostname': None, 'workers': 2})
        names = itertools.count()

        def reload():
            relay.write_yaml('config:\n  hostname: n%d.example\n'
                             % next(names))
            relay.signal(signal.SIGHUP)
        pids = relay.workers()
        clients = self.crowd_and(relay, reload)
        self.assert_delivered(relay, sink, clients)
        self.assertEqual(relay.workers(), pids)
        self.assertEqual(relay.find('reload_refused'), [])
        self.stop(relay)

    def test_crowd_while_the_relay_stops(self):
        relay, sink = self.pair({'timeout.command': '2s', 'timeout.data': '2s',
                                 'workers': 2})
        clients = []

        def stop():
            if len(relay.find('accepted', since=mark)) > 50:
                relay.signal(signal.SIGTERM)
        for i in range(3):
            mark = relay.mark()
            clients += self.crowd_and(relay, stop, i * SESSIONS)
            relay.signal(signal.SIGTERM)
            self.assertEqual(relay.process.wait(40), 0, relay.tail())
            relay.start()
        self.assert_delivered(relay, sink, clients)
        self.assertEqual([c.script for c in clients if c.hung], [])

    def test_envelopes_that_fill_the_memory(self):
        # What has no room is refused with a reply, and later there is room.
        relay, sink = self.pair({'connection_limit': 40})
        rcpts = b''.join(
            b'RCPT TO:<%d@example.net> ORCPT=rfc822;%s\r\n' % (i, b'x' * 480)
            for i in range(1000))
        talks = [self.talk(relay) for _ in range(32)]
        refused = 0
        for t in talks:
            t.hello()
            t.say('MAIL FROM:<a@example.org>')
            t.send(rcpts)
            for _ in range(1000):
                code, text = t.reply()
                self.assertIn(code, (250, 421, 452))
                refused += code != 250 and '4.3.1' in text
                if code == 421:
                    break
        self.assertGreater(refused, 0)
        for t in talks:
            t.socket.close()
        relay.wait('disconnect', count=32)
        self.send(relay)
        sink.wait()
