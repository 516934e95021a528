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
        if early is None or not self.sender[0]:     # nor a report of it
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


# 12 MB is more than the sockets' buffers take: with less the dot may be on its
# way when the loss is seen, and then it is a doubt, not another host's turn.
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
        id = self.send(relay, long_text(b'long', 12000000))
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
        self.assertTrue(mail.data.endswith(long_text(b'long', 12000000)))
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

    def test_our_name_changes_under_a_postmaster(self):
        # Mail to <postmaster> goes to the host's own name; a reload gives it
        # another while the mail waits.
        port = free_port()
        server = self.dns("""
            old MX 10 mx.old
            new MX 10 mx.new
            mx.old A 127.0.0.2
            mx.new A 127.0.0.3
        """)
        old = self.sink('127.0.0.2', port=port)
        new = self.sink('127.0.0.3', port=port)
        old.on('rcpt', '450 4.2.1 later')
        relay = self.relay({'dns.servers': server.servers, 'hostname': None,
                            'retry.first': '60s',
                            'delivery.port': str(port)},
                           yaml='config:\n  hostname: old.lab\n')
        self.send(relay, rcpts=('postmaster',))
        relay.wait('deferred')
        relay.write_yaml('config:\n  hostname: new.lab\n')
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded')
        until(lambda: relay.command('queue', 'retry') and new.mails,
              what='delivery to the new name')
        relay.wait('delivered')
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
        text = long_text(b'long', 12000000)
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


class HostileSession(Session):
    """Takes the advice of sink.fate(stage) at each step."""

    def give(self, reply):
        if isinstance(reply, str) and self.sink.chance(0.2):
            data = reply.encode() + b'\r\n'     # in two pieces
            cut = self.sink.random.randrange(1, len(data))
            self.socket.sendall(data[:cut])
            time.sleep(0.002)
            self.socket.sendall(data[cut:])
            return int(reply[:3]) if reply[:3].isdigit() else 0
        if isinstance(reply, bytes):            # garbage
            self.socket.sendall(reply)
            return 0
        return Session.give(self, reply)

    def answer(self, stage, arg, usual=None):
        return Session.answer(self, stage, arg, usual)

    def data(self, arg):
        fate = self.sink.fate('early')
        if not fate or not self.rcpts:
            Session.data(self, arg)
            return
        self.give('354 go on')
        want = self.sink.random.randrange(1, 150000)
        got = len(self.pending)
        while got < want:
            more = self.socket.recv(65536)
            if not more:
                raise End
            got += len(more)
            # What is whole by now is no early answer.
            if more.endswith(b'\r\n.\r\n'):
                raise End
        self.give(fate)
        raise End


class HostileSink(Sink):
    """Faults by chance until `calm`; knows whom it told what."""
    session_type = HostileSession
    FATES = {
        'banner': (DROP, RESET, '421 busy', '450 no', '554 no', b'garbage\n'),
        'ehlo': (DROP, RESET, '421 busy', '502 no', b'\0\xff\r\n'),
        'mail': (DROP, RESET, '421 busy', '451 4.3.0 no', '550 5.7.1 no'),
        'rcpt': ('450 4.2.1 later', '550 5.1.1 unknown', '452 4.5.3 many'),
        'data': (DROP, RESET, '421 busy', '451 4.3.0 no', '554 5.6.0 no'),
        'early': ('552 5.3.4 too big', '421 busy', DROP, RESET, SILENT),
        'body': ('doubt', 'doubt', '421 busy', '451 4.3.0 no',
                 '554 5.6.0 no', SILENT),
    }
    CHANCES = {'banner': 0.1, 'ehlo': 0.05, 'mail': 0.05, 'rcpt': 0.02,
               'data': 0.08, 'early': 0.1, 'body': 0.15}

    def __init__(self, host, port, seed):
        self.random = random.Random(seed)
        self.calm = False
        self.doubts = []        # mails that were taken without a word
        self.kind = False       # nothing is refused for good
        Sink.__init__(self, host, port)
        for stage in self.FATES:
            if stage not in ('early', 'body'):
                self.on(stage, self.step(stage))
        self.on('body', self.body)

    def chance(self, p):
        return not self.calm and self.random.random() < p

    def fate(self, stage):
        if not self.chance(self.CHANCES[stage]):
            return None
        fate = self.random.choice(self.FATES[stage])
        if self.kind and isinstance(fate, str) and fate[0] == '5':
            return None
        return fate

    def step(self, stage):
        return lambda session, arg: self.fate(stage)

    def body(self, session, data):
        fate = self.fate('body')
        if fate == 'doubt':
            self.doubts.append((data, [r for r, _ in session.rcpts]))
            return DROP
        return fate


class Storm(Hops):
    SEED = int(os.environ.get('SEED', '1'))

    def lab(self):
        self.port = free_port()
        zone, self.sinks = [], []
        for i in range(4):
            hosts = ('127.0.1.%d' % (2 * i + 1), '127.0.1.%d' % (2 * i + 2))
            zone.append('d%d MX 10 a%d' % (i, i))
            zone.append('d%d MX 20 b%d' % (i, i))
            for name, host in zip('ab', hosts):
                zone.append('%s%d A %s' % (name, i, host))
                self.sinks.append(HostileSink(host, self.port,
                                              self.SEED * 100 + len(zone)))
        self.home = HostileSink('127.0.1.99', self.port, self.SEED * 100)
        self.home.kind = True
        zone += ['home MX 10 mx.home', 'mx.home A 127.0.1.99']
        for sink in self.sinks + [self.home]:
            self.addCleanup(sink.close)
        server = self.dns('\n'.join(zone))
        timeouts = {'timeout.' + k: '1s' for k in (
            'connect', 'greeting', 'mail', 'rcpt', 'data_init', 'data_block',
            'data_end')}
        return self.relay(dict({
            'dns.servers': server.servers, 'retry.max': '1s',
            'delivery.connections': '5', 'log.level': 'info',
            'delivery.port': str(self.port)}, **timeouts))

    def hand_in(self, relay, count):
        """Mails for 1 to 150 recipients; their texts and recipients."""
        rng = random.Random(self.SEED)
        self.sent, self.wanted = {}, set()
        talk = Talk(relay.port)
        talk.hello()
        for i in range(count):
            many = rng.choice((1, 1, 1, 2, 3, 10, 101, 150))
            rcpts = ['m%dr%d@d%d.lab' % (i, r, rng.randrange(4)
                                         if many < 100 else i % 2)
                     for r in range(many)]
            text = long_text(b'm%d' % i, rng.choice(
                (100, 100, 100, 3000, 70000, 200000)))
            reply = talk.message(text, sender='from@home.lab', rcpts=rcpts)
            self.assertEqual(reply[0], 250, reply)
            self.sent[i] = hashlib.sha256(text).digest(), len(text)
            self.wanted.update(rcpts)
        talk.socket.close()

    def reported(self):
        found = []
        for mail in list(self.home.mails):
            m = email.message_from_bytes(mail.data)
            for group in m.get_payload()[1].get_payload():
                if group['Final-Recipient']:
                    found.append(group['Final-Recipient'].split(';')[1]
                                 .strip())
        return found

    def taken(self):
        return [r for s in self.sinks for m in list(s.mails) for r in m.rcpts]

    def left(self):
        return self.wanted - set(self.taken()) - set(self.reported())

    def whole(self, data):
        number = int(re.search(rb'Subject: m(\d+)\r', data)[1])
        digest, length = self.sent[number]
        self.assertEqual(hashlib.sha256(data[-length:]).digest(), digest)

    def finish(self, relay, rage):
        """Some seconds of faults, then none."""
        end = time.monotonic() + rage
        while time.monotonic() < end:
            relay.command('queue', 'retry')
            time.sleep(0.3)
        for sink in self.sinks + [self.home]:
            sink.calm = True
        end = time.monotonic() + 20
        while True:
            left = self.left()
            if not left and not self.queued(relay):
                return
            if time.monotonic() > end:
                self.fail('%d recipients have nothing:\n%s' % (
                    len(left), '\n'.join(str(e) for e in relay.log
                                         if e.get('to') in left)))
            relay.command('queue', 'retry')
            time.sleep(0.2)

    def queued(self, relay):
        return re.search(r'to=|@', relay.command('queue').stdout)

    def judge(self):
        """Each has it, or its sender a report; twice only in doubt."""
        for sink in self.sinks:
            for mail in sink.mails:
                self.whole(mail.data)
        taken, reported = self.taken(), self.reported()
        self.assertEqual(set(taken) | set(reported), self.wanted)
        return ([r for r in set(taken) if taken.count(r) > 1],
                [r for r in reported if r in set(taken)])

    def test_faults_at_random(self):
        relay = self.lab()
        sockets = self.sockets(relay.workers()[0])
        self.hand_in(relay, 250)
        self.finish(relay, 8)
        twice, both = self.judge()
        self.assertEqual((twice, both), ([], []))
        self.assertEqual(relay.find('worker_died'), [])
        worker = relay.workers()[0]
        until(lambda: self.sockets(worker) <= sockets, 10,
              'descriptors back')
        self.all_connections(relay)
        self.stop(relay)

    def sockets(self, pid):
        folder, count = '/proc/%d/fd' % pid, 0
        for name in os.listdir(folder):
            try:
                count += os.readlink(
                    os.path.join(folder, name)).startswith('socket:')
            except OSError:
                pass        # it was the listing's own, or closed meanwhile
        return count

    def all_connections(self, relay):
        """As many as the limit says work at the same time."""
        lock, working, seen = threading.Lock(), [], []

        def body(session, data):
            with lock:
                working.append(session)
                seen.append(len(working))
            time.sleep(0.15)
            with lock:
                working.remove(session)
        self.sinks[0].on('body', body)
        talk = Talk(relay.port)
        talk.hello()
        for i in range(120):
            talk.message(TEXT, sender='', rcpts=('x%d@d0.lab' % i,))
        talk.socket.close()
        until(lambda: len([r for r in self.taken() if r[0] == 'x']) == 120,
              15, 'the last mails')
        self.assertEqual(max(seen), 5)

    def test_a_worker_is_killed_in_the_middle(self):
        relay = self.lab()
        self.hand_in(relay, 120)
        os.kill(relay.workers()[0], signal.SIGKILL)
        relay.wait('worker_died')
        relay.wait('worker_ready', count=2)
        self.finish(relay, 4)
        twice, both = self.judge()
        # What was under way, or not noted yet, is sent again.
        self.assertLess(len(twice), 1500)
        self.killed = True

    killed = False

    def _end(self, relay):
        if self.killed:
            relay.log = [e for e in relay.log if e['event'] != 'worker_died']
        super()._end(relay)
