"""Waiting for a fact, with a limit."""
import time


def until(fact, seconds=10, what='it'):
    """Returns fact()'s first true value.  The one place where the tests poll:
    for what another process does without telling us."""
    end = time.monotonic() + seconds
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('%s did not come true within %g s'
                                 % (what, seconds))
        time.sleep(0.01)
