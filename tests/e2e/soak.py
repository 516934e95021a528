"""What takes minutes; `make soak`."""
from test_limits import Queue as Limited


class Queue(Limited):
    def test_restart(self):
        self.assertLess(self.deferred(200000), 2)


del Limited
