"""What a relay that was root may still read, and that all its workers have the
same configuration."""
import os
import signal
import subprocess
import unittest

from case import Case
from talk import Talk
from wait import until

CAP_DAC_READ_SEARCH = 2


def status(pid):
    with open('/proc/%d/status' % pid) as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f
                    if ':\t' in line)


class Reload(Case):
    def secret(self, relay, name, text):
        """A file that is its owner's alone."""
        path = os.path.join(relay.config_dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + '.new', 'w') as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text)
        os.rename(path + '.new', path)

    def start(self, workers=1):
        relay = self.relay({'hostname': None, 'workers': workers},
                           start=False)
        self.secret(relay, 'yaml.d/10.yaml',
                    'config:\n  hostname: one.example\n')
        return relay.start()

    def banner(self, relay):
        with Talk(relay.port) as t:
            return t.banner[1]

    @unittest.skipUnless(os.getuid() == 0, 'needs root')
    def test_capabilities(self):
        relay = self.start()
        mine = status(relay.process.pid)
        self.assertEqual(int(mine['CapPrm'], 16), 1 << CAP_DAC_READ_SEARCH)
        self.assertEqual(int(mine['CapInh'], 16), 0)
        for who in [relay.process.pid] + relay.workers():
            facts = status(who)
            self.assertNotIn('0', facts['Uid'].split())
            self.assertNotIn('0', facts['Gid'].split())
            self.assertEqual(int(facts['CapAmb'], 16), 0)
            self.assertEqual(int(facts['CapBnd'], 16), 0)
            self.assertEqual(facts['NoNewPrivs'], '1')
        for worker in relay.workers():
            facts = status(worker)
            for name in ('CapPrm', 'CapEff', 'CapInh'):
                self.assertEqual(int(facts[name], 16), 0, name)

    def test_files_that_the_workers_may_not_read(self):
        relay = self.start(workers=2)
        mark = relay.mark()
        self.secret(relay, 'yaml.d/10.yaml',
                    'config:\n  hostname: two.example\n')
        self.secret(relay, 'users.d/a.conf', 'user secret\n')
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded', since=mark, count=2)
        for _ in range(20):
            self.assertIn('two.example', self.banner(relay))
        # Who is born later is told of the next reload as the others are.
        pids = relay.workers()
        mark = relay.mark()
        os.kill(pids[0], signal.SIGKILL)
        relay.wait('worker_ready', since=mark)
        self.assertEqual(len(relay.workers()), 2)
        mark = relay.mark()
        self.secret(relay, 'yaml.d/10.yaml',
                    'config:\n  hostname: three.example\n')
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded', since=mark, count=2)

    def test_a_bad_one_is_complained_about_once(self):
        relay = self.start(workers=2)
        mark = relay.mark()
        self.secret(relay, 'keys/a.key', 'nothing of a key')
        self.secret(
            relay, 'yaml.d/20.yaml',
            'domains:\n- name: a.example\n'
            '  dkim: {selector: s, key_file: keys/a.key}\n')
        relay.signal(signal.SIGHUP)
        refused = relay.wait('reload_refused', since=mark)
        self.assertIn('20.yaml:3: ', refused['reply'])
        self.assertIn('keys/a.key: there is no private key in it',
                      refused['reply'])
        key = subprocess.run(['openssl', 'genpkey', '-algorithm', 'ed25519'],
                             check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        self.secret(relay, 'keys/a.key', key)
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded', since=mark, count=2)
        self.assertEqual(len(relay.find('reload_refused', since=mark)), 1)
        self.assertNotIn(key.splitlines()[1], relay.tail(1000))

    def test_many_at_once_end_with_the_last(self):
        relay = self.start()
        worker = relay.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            for i in range(30):
                self.secret(relay, 'yaml.d/10.yaml',
                            'config:\n  hostname: n%d.example\n' % i)
                mark = relay.mark()
                relay.signal(signal.SIGHUP)
                relay.wait('reload', since=mark)
        finally:
            os.kill(worker, signal.SIGCONT)
        until(lambda: 'n29.example' in self.banner(relay), what='the last')
        self.assertLess(len(relay.find('reloaded')), 30)
        self.assertEqual(relay.workers(), [worker])
        # No descriptor is left over of what was skipped.
        fds = os.listdir('/proc/%d/fd' % worker)
        names = [os.readlink('/proc/%d/fd/%s' % (worker, fd)) for fd in fds]
        self.assertFalse([n for n in names if 'memfd' in n])
