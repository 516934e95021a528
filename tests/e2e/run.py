#!/usr/bin/env python3
"""Runs the end-to-end tests, a line each:

    SMARTHOST=build/release/smarthost python3 tests/e2e/run.py LABEL [WHAT...]

WHAT is test_dns, test_dns.Mx or test_dns.Mx.test_name; --no-limits leaves out
what measures, --soak runs only what takes minutes.  The cases run beside each
other (most of their time is waiting), those that measure alone, at the end.
"""
import glob
import os
import subprocess
import sys
import time
import unittest
from concurrent import futures

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
TOGETHER = 4


class Result(unittest.TextTestResult):
    """A line for each test; what failed is shown at once."""

    def startTest(self, test):
        super(unittest.TextTestResult, self).startTest(test)
        self.began = time.monotonic()

    def _say(self, test, word, text=''):
        name = test.id() if hasattr(test, 'id') else str(test)
        self.stream.write('%-4s %s (%.1f s)%s\n' % (
            word, name, time.monotonic() - self.began, text and '\n' + text))
        self.stream.flush()

    def addSuccess(self, test):
        super(unittest.TextTestResult, self).addSuccess(test)
        self.good = getattr(self, 'good', 0) + 1
        self._say(test, 'ok')

    def addFailure(self, test, err):
        super(unittest.TextTestResult, self).addFailure(test, err)
        self._say(test, 'FAIL', self.failures[-1][1])

    def addError(self, test, err):
        self.began = getattr(self, 'began', time.monotonic())
        super(unittest.TextTestResult, self).addError(test, err)
        self._say(test, 'FAIL', self.errors[-1][1])

    def addSkip(self, test, reason):
        self.began = getattr(self, 'began', time.monotonic())
        super(unittest.TextTestResult, self).addSkip(test, reason)
        self._say(test, 'skip', '     ' + reason)

    def addSubTest(self, test, subtest, err):
        super(unittest.TextTestResult, self).addSubTest(test, subtest, err)
        if err is not None:
            self._say(subtest, 'FAIL', (self.errors + self.failures)[-1][1])

    def printErrors(self):
        pass


def run_here(names):
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    runner = unittest.TextTestRunner(sys.stdout, resultclass=Result,
                                     verbosity=0)
    result = runner.run(suite)
    bad = len(set(str(t) for t, _ in result.failures + result.errors))
    good = getattr(result, 'good', 0)
    print('%d passed, %d failed, %d skipped'
          % (good, bad, len(result.skipped)))
    return 1 if bad else 0


def classes(name):
    """The test cases of a file, as names."""
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    found = []
    for group in suite:
        for test in group:
            full = '%s.%s' % (type(test).__module__, type(test).__name__)
            if full not in found:
                found.append(full)
            break
    return found


def run_apart(name):
    """In a process of its own: its output and its three numbers."""
    done = subprocess.run(
        [sys.executable, '-B', __file__, '-', name], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors='replace')
    lines = done.stdout.rstrip('\n').split('\n')
    words = lines[-1].replace(',', '').split()
    if len(words) == 6 and words[1] == 'passed':
        return lines[:-1], [int(n) for n in words[::2]]
    return lines + ['FAIL %s ended without a result' % name], [0, 1, 0]


def run_together(names, together):
    totals = [0, 0, 0]
    with futures.ThreadPoolExecutor(together) as pool:
        for lines, numbers in pool.map(run_apart, names):
            print('\n'.join(l for l in lines if l and not l.startswith(
                ('-----', 'Ran ', 'OK', 'FAILED ('))), flush=True)
            totals = [a + b for a, b in zip(totals, numbers)]
    return totals


def main():
    arguments = [a for a in sys.argv[2:] if not a.startswith('--')]
    flags = [a for a in sys.argv[2:] if a.startswith('--')]
    if sys.argv[1] == '-' or arguments:
        return run_here(arguments)
    files = sorted(os.path.basename(f)[:-3]
                   for f in glob.glob(os.path.join(HERE, 'test_*.py')))
    if '--soak' in flags:
        return run_here(['soak'])
    files.remove('test_limits')
    totals = run_together([c for f in files for c in classes(f)], TOGETHER)
    if '--no-limits' not in flags:
        limits = run_together(classes('test_limits'), 1)
        totals = [a + b for a, b in zip(totals, limits)]
    print('%d passed, %d failed, %d skipped' % tuple(totals))
    return 1 if totals[1] or not totals[0] else 0


if __name__ == '__main__':
    sys.exit(main())
