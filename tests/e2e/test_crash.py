"""kill -9 in the middle of 2,000 messages: every one that was acknowledged
arrives, and only those come twice whose reply had not been recorded."""
import collections
import os
import re
import signal
import threading
import time

from case import TEXT, Case
from talk import Talk
from wait import until

TOTAL, CLIENTS = 2000, 20


class Sender:
    """Hands in TOTAL numbered mails over CLIENTS sessions; a session that is
    lost is opened again and its unacknowledged mail is sent again."""

    def __init__(self, relay, total=TOTAL, body=b''):
        self.relay, self.body = relay, body
        self.lock = threading.Lock()
        self.left = list(range(total))
        self.good = set()
        self.changed = threading.Condition(self.lock)
        self.giving_up = False
        self.threads = [threading.Thread(target=self._run, daemon=True)
                        for _ in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def _take(self):
        with self.lock:
            return self.left.pop() if self.left else None

    def _run(self):
        talk, number = None, self._take()
        while number is not None and not self.giving_up:
            try:
                if talk is None:
                    talk = Talk(self.relay.port)
                    talk.hello()
                reply = talk.message(b'X-Number: %d\r\n' % number + TEXT +
                                     self.body)
                if reply[0] != 250:
                    raise AssertionError(reply)
            except (OSError, AssertionError):
                if talk:
                    talk.socket.close()
                talk = None
                time.sleep(0.02)    # nobody listens: not a busy loop
                continue
            with self.changed:
                self.good.add(number)
                self.changed.notify_all()
            number = self._take()
        if talk:
            talk.socket.close()

    def wait(self, count, seconds=60):
        end = time.monotonic() + seconds
        with self.changed:
            while len(self.good) < count:
                left = end - time.monotonic()
                if left <= 0:
                    self.giving_up = True
                    raise AssertionError('%d of %d acknowledged'
                                         % (len(self.good), count))
                self.changed.wait(left)


def numbers(sink):
    return collections.Counter(
        int(re.search(rb'X-Number: (\d+)', m.data)[1])
        for m in list(sink.mails))


class Crash(Case):
    def all_arrive(self, sender, sink, seconds=60):
        sender.wait(TOTAL, seconds)
        until(lambda: set(numbers(sink)) >= sender.good, seconds,
              'every acknowledged mail')

    def check_twice(self, sink, kills):
        """Each kill may repeat what was under way: the mails on connections
        to the sink, what was delivered in the 100 ms before, and the mails
        whose client did not hear the 250."""
        twice = sum(n - 1 for n in numbers(sink).values())
        self.assertLess(twice, kills * 400, 'too many came twice')

    def test_worker(self):
        relay, sink = self.pair({'workers': 2, 'spool_segment': '8M'})
        sender = Sender(relay)
        for at in (300, 700, 1100, 1500):
            sender.wait(at)
            os.kill(relay.workers()[at % 2], signal.SIGKILL)
            relay.wait('worker_died', count=at // 400 + (at == 300))
        self.all_arrive(sender, sink)
        self.check_twice(sink, 4)
        self.stop(relay)

    def test_everything(self):
        relay, sink = self.pair({'workers': 2, 'spool_segment': '8M'})
        sender = Sender(relay)
        for at in (300, 700, 1100, 1500):
            sender.wait(at)
            relay.kill_all()
            relay.start()
        self.all_arrive(sender, sink)
        self.check_twice(sink, 4)
        self.stop(relay)

    def test_everything_while_mail_waits(self):
        # Nothing is delivered before the last crash: the spool alone.
        relay, sink = self.pair({'workers': 2, 'retry.first': '1h'})
        sink.on('mail', '450 4.3.0 later')
        sender = Sender(relay, body=(b'w' * 98 + b'\r\n') * 100)
        for at in (500, 1000, 1500):
            sender.wait(at)
            relay.kill_all()
            relay.start()
        sender.wait(TOTAL)
        relay.kill_all()
        sink.on('mail', None)
        relay.start()
        relay.command('queue', 'retry')
        until(lambda: set(numbers(sink)) >= sender.good, 60,
              'every acknowledged mail')
        self.stop(relay)

    def test_big_mails(self):
        # Longer than a record: pieces on disk before the end is known.
        relay, sink = self.pair({'workers': 1, 'spool_segment': '8M'})
        body = (b'B' * 998 + b'\r\n') * 700
        sender = Sender(relay, total=120, body=body)
        for at in (20, 50, 80):
            sender.wait(at)
            relay.kill_all()
            relay.start()
        sender.wait(120)
        until(lambda: len(numbers(sink)) == 120, 60, 'all')
        for m in sink.mails:
            self.assertTrue(m.data.endswith(TEXT + body))
        self.stop(relay)

    def test_outcomes_are_not_repeated(self):
        # Long after the delivery a crash repeats nothing.
        relay, sink = self.pair({'workers': 2})
        ids = [self.send(relay) for _ in range(50)]
        for id in ids:
            relay.wait('delivered', id=id)
        settled = time.monotonic() + 0.5    # "100 ms later at the latest"
        until(lambda: time.monotonic() > settled, what='time')
        relay.kill_all()
        relay.start()
        self.send(relay)
        sink.wait(51)
        self.stop(relay)
        self.assertEqual(len(sink.mails), 51)

    def test_partly_delivered(self):
        # The recipients that had it do not get it again.
        relay, sink = self.pair({'retry.first': '1s'})
        sink.on('rcpt', lambda s, a: '450 4.2.1 later'
                if b'later' in a else None)
        self.send(relay, rcpts=('a@example.net', 'later@example.net'))
        sink.wait()
        relay.wait('deferred', count=2, to='later@example.net')
        relay.kill_all()
        sink.on('rcpt', None)
        relay.start()
        sink.wait(2)
        self.stop(relay)
        self.assertEqual([m.rcpts for m in sink.mails],
                         [['a@example.net'], ['later@example.net']])
