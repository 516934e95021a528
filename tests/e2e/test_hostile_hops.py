"""Next hops that break off, answer early, lie and stall: no mail is lost, none
is sent twice but where nobody can know, and nothing leaks."""
import email
import hashlib
import os
import random
import re
import signal
import threading
import time

from case import TEXT, Case
from ports import free_port
from report import parse_report
from sink import DROP, RESET, SILENT, End, Session, Sink
from talk import Talk
from wait import until

HEAD = (b'From: <from@home.lab>\r\nSubject: %s\r\n'
        b'Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n'
        b'Message-ID: <%s@home.lab>\r\n\r\n')


class EarlySession(Session):
    """Answers in the middle of the body: after `early_after` bytes of it."""

    def data(self, arg):
        early = self.sink.early
        if early is None:
            Session.data(self, arg)
            return
        self.give('354 go on')
        while len(self.pending) < early['after']:
            more = self.socket.recv(65536)
            if not more:
                raise End
            self.pending += more
        for piece in early['pieces']:
            self.socket.sendall(piece)
            if len(early['pieces']) > 1:    # so that they come one by one
                time.sleep(0.1)
        if early['then'] == 'close':
            raise End
        while self.socket.recv(65536):
            pass
        raise End


class EarlySink(Sink):
    session_type = EarlySession
    early = None


def long_text(name, length):
    line = b'%s %%08d %s\r\n' % (name, b'x' * 60)
    lines = [HEAD % (name, name)]
    size = len(lines[0])
    while size < length:
        lines.append(line % len(lines))
        size += len(lines[-1])
    return b''.join(lines)


class Hops(Case):
    def _end(self, relay):
        died = relay.find('worker_died')
        super()._end(relay)
        self.assertEqual(died, [], relay.tail())


class Breaks(Hops):
    """One fault at a time."""

    def early(self, pieces, then='close', after=70000, **sets):
        sink = EarlySink()
        self.addCleanup(sink.close)
        more = {'relay.host': sink.next_hop}
        more.update({k.replace('__', '.'): v for k, v in sets.items()})
        relay = self.relay(more)
        sink.early = {'pieces': pieces, 'then': then, 'after': after}
        id = self.send(relay, long_text(b'long', 2000000))
        return relay, sink, id

    def test_refused_in_the_middle_of_the_body(self):
        for pieces in ((b'552 5.3.4 too big\r\n',),
                       (b'55', b'2 5.3.4 t', b'oo big\r\n')):
            for then in ('close', 'wait'):
                relay, sink, id = self.early(pieces, then)
                bounced = relay.wait('bounced', id=id, seconds=10)
                self.assertEqual(bounced['code'], '552')
                sink.early = None
                sink.wait(to='from@example.org')
                self.stop(relay)

    def test_refused_while_the_server_reads_no_more(self):
        class Deaf(EarlySession):
            def data(self, arg):
                self.give('354 go on')
                self.socket.sendall(b'552 5.3.4 too big\r\n')
                self.sink.ending.wait(20)
                raise End
        sink = EarlySink()
        self.addCleanup(sink.close)
        relay = self.relay({'relay.host': sink.next_hop})
        sink.session_type = Deaf
        id = self.send(relay, long_text(b'long', 20000000))
        self.assertEqual(relay.wait('bounced', id=id, seconds=10)['code'],
                         '552')
        sink.session_type = EarlySession
        sink.wait(to='from@example.org')
        self.stop(relay)

    def test_421_in_the_middle_of_the_body(self):
        relay, sink, id = self.early((b'421 4.3.2 going down\r\n',))
        self.assertEqual(relay.wait('deferred', id=id)['code'], '421')
        sink.early = None
        mail = sink.wait()[0]
        self.assertTrue(mail.data.endswith(long_text(b'long', 2000000)))
        self.stop(relay)

    def many(self, count=250):
        return tuple('r%d@example.net' % i for i in range(count))

    def complete(self, relay, sink, id, rcpts):
        """Everybody has it once."""
        until(lambda: len(relay.find('delivered', id=id)) >= len(rcpts), 20,
              'all delivered')
        self.stop(relay)
        got = sorted(r for m in sink.mails for r in m.rcpts)
        self.assertEqual(got, sorted(rcpts))

    def test_many_recipients_and_the_session_ends_between(self):
        # 421 to the first, second or third part's MAIL, RCPT, DATA, body.
        for stage in ('mail', 'rcpt', 'data', 'body'):
            for fault in ('421 4.3.2 going down', DROP, RESET):
                for part in (1, 2):
                    with self.subTest(stage=stage, fault=fault, part=part):
                        self.one_break(stage, fault, part)

    def one_break(self, stage, fault, part):
        relay, sink = self.pair({'retry.max': '1s'})
        seen = []

        def hook(session, arg):
            if session.mails == part - (stage != 'body') and not seen:
                seen.append(1)
                return fault
            return None
        if stage == 'body':
            hook = self.before_taking(sink, part, fault)
        sink.on(stage, hook)
        rcpts = self.many()
        id = self.send(relay, rcpts=rcpts)
        self.resume(relay, id, len(rcpts))
        self.complete(relay, sink, id, rcpts)

    def before_taking(self, sink, part, fault):
        seen = []

        def hook(session, data):
            if session.mails == part and not seen:
                seen.append(1)
                return fault
            return None
        return hook

    def resume(self, relay, id, count):
        """The site may be paused for what it did."""
        for _ in range(100):
            if len(relay.find('delivered', id=id)) >= count:
                return
            relay.command('queue', 'retry')
            time.sleep(0.1)

    def test_deferred_ones_and_a_loss_are_no_hot_loop(self):
        relay, sink = self.pair({'retry.first': '60s', 'retry.max': '60s'})
        sink.on('rcpt', '450 4.2.1 later')
        sink.on('mail', lambda s, a: DROP if s.commands.count('mail') == 2
                else None)
        id = self.send(relay, rcpts=self.many(150))
        relay.wait('deferred', id=id, count=150)
        accepted = sink.accepted
        time.sleep(1)
        self.assertLessEqual(sink.accepted, accepted + 1)
        self.assertLessEqual(len(relay.find('deferred', id=id)), 150)
        self.stop(relay)

    def test_a_site_that_only_greets_is_no_hot_loop(self):
        relay, sink = self.pair()
        for fault in (DROP, RESET, '421 4.3.2 busy'):
            sink.on('ehlo', fault)
            sink.on('mail', fault)
            self.send(relay)
        time.sleep(2)
        self.assertLess(sink.accepted, 10)
        self.stop(relay)

    def test_reload_while_the_greeting_is_awaited(self):
        release = threading.Event()
        relay, sink = self.pair()
        sink.on('connect', lambda s, a: release.wait(10) and None)
        self.send(relay)
        sink.wait_sessions(1)
        for i in range(1, 4):
            relay.signal(signal.SIGHUP)
            relay.wait('reloaded', count=i)
        release.set()
        self.assertEqual(sink.wait()[0].session.hello,
                         ('EHLO', 'relay.example'))
        self.stop(relay)

    def test_stop_while_a_server_does_not_greet(self):
        relay, sink = self.pair()
        sink.on('banner', SILENT)
        self.send(relay)
        sink.wait_sessions(1)
        began = time.monotonic()
        self.stop(relay)
        self.assertLess(time.monotonic() - began, 5)

    def test_stop_does_not_cut_the_final_dot(self):
        relay, sink = self.pair()
        stopping = threading.Event()

        def body(session, data):
            stopping.wait(10)
            time.sleep(0.5)
            return None
        sink.on('body', body)
        self.send(relay)
        sink.wait_sessions(1)
        until(lambda: sink.sessions[0].mails, what='the dot')
        relay.signal(signal.SIGTERM)
        stopping.set()
        self.stop(relay)
        self.assertEqual(len(relay.find('delivered')), 1)
        self.assertEqual(len(sink.mails), 1)


class NextHost(Hops):
    """Two hosts; the first fails at different points."""

    def lab(self):
        self.port = free_port()
        server = self.dns('''
            many MX 10 first
            many MX 20 second
            first A 127.0.0.2
            second A 127.0.0.3
        ''')
        first = EarlySink('127.0.0.2', port=self.port)
        second = EarlySink('127.0.0.3', port=self.port)
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        relay = self.relay({'dns.servers': server.servers,
                            'retry.first': '60s',
                            'delivery.port': str(self.port)})
        return relay, first, second

    def test_loss_in_the_middle_of_the_body(self):
        relay, first, second = self.lab()
        first.early = {'pieces': [], 'then': 'close', 'after': 300000}
        text = long_text(b'long', 2000000)
        self.send(relay, text, rcpts=('a@many.lab',))
        mail = second.wait()[0]
        self.assertTrue(mail.data.endswith(text))
        self.assertIn(b'Received:', mail.data[:500])
        self.stop(relay)

    def test_the_end_of_a_session_before_the_body(self):
        for stage in ('banner', 'mail', 'rcpt', 'data'):
            for fault in ('421 4.3.2 going down', DROP, RESET):
                with self.subTest(stage=stage, fault=fault):
                    relay, first, second = self.lab()
                    first.on(stage, fault)
                    id = self.send(relay, rcpts=('a@many.lab', 'b@many.lab'))
                    second.wait()
                    relay.wait('delivered', id=id, count=2)
                    self.assertEqual(relay.find('deferred'), [])
                    self.assertEqual(first.mails, [])
                    self.stop(relay)
                    first.close()
                    second.close()
