"""A worker that is killed leaves no client waiting for its successor."""
import os
import signal

from case import Case

TRIALS = 20
CLIENTS = 20


class Killed(Case):
    def test_everybody_is_greeted(self):
        for _ in range(TRIALS):
            relay = self.relay({'workers': '2'})
            for _ in range(CLIENTS):
                self.talk(relay).socket.close()
            mark = relay.mark()
            os.kill(relay.workers()[0], signal.SIGKILL)
            relay.wait('worker_ready', since=mark, seconds=60)
            for _ in range(CLIENTS):
                # The first look comes after 0.1 s, the last after 4 s.
                self.talk(relay, seconds=3).socket.close()
            self.stop(relay)
