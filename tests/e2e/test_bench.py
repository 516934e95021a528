"""The race's own honesty: mail that a peer loses or sends twice is noticed, and
the CPU time of processes that have ended is counted."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'bench'))
TOOLS = os.path.join(os.path.dirname(os.path.abspath(
    os.environ.get('SMARTHOST', 'build/smarthost'))), 'bench')
os.environ.setdefault('BENCH_TOOLS', TOOLS)
from race import machine, measure, players, scenarios  # noqa: E402

from careless import Careless  # noqa: E402

COUNT = 1000


def tearDownModule():
    shutil.rmtree(players.WORK, ignore_errors=True)


@unittest.skipUnless(os.path.exists(players.TOOLS + '/blast'),
                     'needs "make bench-tools"')
class Honesty(unittest.TestCase):
    def setUp(self):
        self.patience = measure.PATIENCE
        measure.PATIENCE = 2
        self.sink = players.Sink()
        self.addCleanup(self.sink.close)
        self.addCleanup(setattr, measure, 'PATIENCE', self.patience)

    def load(self, **faults):
        relay = Careless(self.sink.port, **faults)
        self.addCleanup(relay.close)
        scenario = scenarios.Scenario('test', '', '1k', sessions=4,
                                      per_connection=100)
        return measure.load(relay, self.sink, scenario, 0, COUNT)

    def test_all_is_well(self):
        sent, came = self.load()
        self.assertEqual((sent['accepted'], came['unique'],
                          came['duplicates']), (COUNT, COUNT, 0))

    def test_one_in_a_thousand_is_lost(self):
        with self.assertRaises(players.Failed):
            self.load(lose=700)
        self.assertEqual(self.sink.report()['unique'], COUNT - 1)

    def test_one_in_a_thousand_comes_twice(self):
        _, came = self.load(repeat=700)
        self.assertEqual((came['unique'], came['duplicates']), (COUNT, 1))

    def test_one_in_a_thousand_is_refused(self):
        with self.assertRaisesRegex(players.Failed, '^1 of 1000'):
            self.load(refuse=700)


class Accounts(unittest.TestCase):
    def setUp(self):
        self.group = machine.Group('test')
        self.addCleanup(self.group.close)
        if not self.group.path:
            self.skipTest('no control group can be made here')

    def test_the_time_of_the_dead_counts(self):
        # Three processes in turn, each gone when the next begins.
        burn = ('import time\nwhile time.process_time() < 0.2: pass')
        subprocess.run(
            ['sh', '-c', 'for i in 1 2 3; do "$0" -c "$1"; done',
             sys.executable, burn], check=True, preexec_fn=self.group.enter)
        self.assertEqual(self.group.members(), [])
        self.assertGreaterEqual(self.group.cpu_s(), 0.6)
        self.assertLess(self.group.cpu_s(), 3)


@unittest.skipUnless(os.path.exists(players.TOOLS + '/blast'),
                     'needs "make bench-tools"')
class Peers(unittest.TestCase):
    def race(self, name):
        scenario = scenarios.Scenario('test', '', '10k', sessions=4)
        os.makedirs(players.WORK, exist_ok=True)
        os.chmod(players.WORK, 0o755)
        before = set(self.strangers())
        try:
            run = measure.run(name, scenario, 0.2)
        except players.Skipped as why:
            self.skipTest(str(why))
        self.assertEqual((run['lost'], run['duplicates']), (0, 0))
        self.assertGreater(run['cpu_ms'], 0)
        self.assertGreater(run['processes'], 0)
        self.assertFalse(os.path.exists(os.path.join(players.WORK, name)))
        self.assertEqual(set(self.strangers()) - before, set())

    @staticmethod
    def strangers():
        """Processes with something open or named in the bench's directory."""
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open('/proc/%s/cmdline' % pid, 'rb') as f:
                    if players.WORK.encode() in f.read():
                        yield pid
            except OSError:
                pass

    def test_smarthost(self):
        self.race('smarthost')

    def test_postfix(self):
        if not os.path.exists(players.TOP + '/build/peers/postfix'):
            self.skipTest('needs "bench/peers/postfix.sh install"')
        self.race('postfix')
