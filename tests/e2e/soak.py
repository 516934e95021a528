"""What takes minutes; `make soak`."""
import test_crash
import test_limits


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
