"""What takes minutes; `make soak`."""
import signal
import socket
import time

import test_crash
import test_limits
from case import TEXT, Case
from sink import SILENT
from wait import until


class Queue(test_limits.Queue):
    def test_restart(self):
        """A million mails; five times what must be reached."""
        self.assertLess(self.deferred(1000000), 10)


class Crash(test_crash.Crash):
    def test_again_and_again(self):
        for round in range(10):
            with self.subTest(round=round):
                self.test_everything()
                self.doCleanups()
                self.test_worker()
                self.doCleanups()


class Stop(Case):
    def test_time_is_up(self):
        # A client that never ends its message and a server that never answers
        # are cut off after 30 s: 421, and the mail is kept.  Two shards, so
        # that one is closed while the other one still turns the loop.
        relay, sink = self.pair({'workers': 2})
        self.stop(relay)
        relay.sets['workers'] = 1
        relay.start()
        sink.on('body', SILENT)
        self.send(relay)
        until(lambda: any('data' in s.commands for s in sink.sessions))
        client = self.talk(relay)
        client.hello()
        client.envelope()
        client.say('DATA', 354)
        client.socket.settimeout(0.5)
        relay.signal(signal.SIGTERM)
        end, reply = time.monotonic() + 45, None
        while reply is None and time.monotonic() < end:
            client.send(TEXT)
            try:
                reply = client.reply()
            except socket.timeout:
                pass
        self.assertEqual((reply[0], reply[1][:5]), (421, '4.3.2'))
        self.assertEqual(relay.process.wait(10), 0)
        stopped = relay.wait('worker_stopped', sessions_cut=1)
        self.assertEqual(stopped['deliveries_cut'], '1')
        sink.on('body', None)
        relay.start()
        relay.command('queue', 'retry')
        sink.wait(1)
        self.stop(relay)
