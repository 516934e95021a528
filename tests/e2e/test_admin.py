"""What machines that watch are told: /metrics, /healthz, /readyz."""
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from case import Case
from ports import free_port
from relay import PROGRAM

_SAMPLE = re.compile(
    r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z]+="[^"]*",?)*)\})? (-?[0-9.]+)$')


class Admin(Case):
    def watched(self, sets=None, **options):
        self.http = free_port()
        more = {'admin.listen': "['127.0.0.1:%d']" % self.http}
        more.update(sets or {})
        return self.pair(more, **options)

    def get(self, path):
        """Status and text."""
        try:
            with urllib.request.urlopen(
                    'http://127.0.0.1:%d%s' % (self.http, path),
                    timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode()

    def metrics(self):
        """Sums over the workers, by name and other labels."""
        status, text = self.get('/metrics')
        self.assertEqual(status, 200)
        sums, types, told = {}, {}, None
        for line in text.splitlines():
            if line.startswith('# '):
                _, what, name, rest = line.split(' ', 3)
                self.assertTrue(rest.strip(), line)
                if what == 'TYPE':
                    self.assertNotIn(name, types, 'twice: ' + line)
                    types[name] = rest
                    told = name
                continue
            match = _SAMPLE.match(line)
            self.assertTrue(match, line)
            name, labels, value = match.groups()
            self.assertTrue(name.startswith(told), line)
            labels = ','.join(sorted(
                x for x in (labels or '').split(',')
                if x and not x.startswith('worker=')))
            key = name + ('{%s}' % labels if labels else '')
            sums[key] = sums.get(key, 0) + float(value)
        return sums

    def until(self, name, value, seconds=15):
        """Gauges are up to a second old."""
        end = time.monotonic() + seconds
        while True:
            have = self.metrics()
            if have[name] == value:
                return have
            if time.monotonic() > end:
                self.fail('%s is %s, not %s' % (name, have[name], value))

    def test_alive_and_ready(self):
        relay, _ = self.watched({'workers': '2'})
        self.assertEqual(self.get('/healthz')[0], 200)
        self.assertEqual(self.get('/readyz'),
                         (200, 'ready: 2 of 2 workers take mail\n'))
        self.assertEqual(self.get('/elsewhere')[0], 404)
        have = self.metrics()
        self.assertEqual(have['smarthost_workers'], 2)
        self.assertEqual(have['smarthost_workers_ready'], 2)

    def test_a_worker_that_died_is_counted(self):
        relay, _ = self.watched({'workers': '1'})
        mark = relay.mark()
        os.kill(int(relay.wait('worker_started')['pid']), signal.SIGKILL)
        relay.wait('worker_ready', since=mark)
        have = self.until('smarthost_workers_ready', 1)
        self.assertEqual(have['smarthost_worker_restarts_total'], 1)

    def test_a_drain_is_not_ready(self):
        relay, _ = self.watched()
        with self.talk(relay) as talk:
            talk.hello()
            talk.say('MAIL FROM:<a@example.org>')
            talk.say('RCPT TO:<b@example.net>')
            talk.say('DATA')
            relay.process.terminate()
            relay.wait('stopping')
            status, text = self.get('/readyz')
            self.assertEqual((status, text.split(':')[0]), (503, 'stopping'))
            self.assertEqual(self.get('/healthz')[0], 200)

    def test_the_queue(self):
        relay, sink = self.watched({'relay.host': '[127.0.0.1]:9'})
        for _ in range(3):
            self.send(relay)
        have = self.until('smarthost_queue_messages', 3)
        self.assertGreater(have['smarthost_queue_bytes'], 0)
        self.assertGreater(have['smarthost_spool_quota_bytes'],
                           have['smarthost_spool_bytes'])
        self.assertGreaterEqual(have['smarthost_spool_commits_total'], 1)
        self.assertEqual(have['smarthost_spool_failing'], 0)


class Ports(Case):
    def test_a_second_relay_is_told(self):
        relay, _ = self.pair({'workers': '2'})
        done = subprocess.run(
            [PROGRAM, 'run', '--config-dir', relay.root,
             '--set', 'config.spool=%s/other' % relay.root,
             '--set', "config.listen.submission=['127.0.0.1:%d']"
             % relay.port, '--set', 'config.listen.proxy=[]'],
            capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 71, done.stdout)
        self.assertIn('listen_failed', done.stdout)
        self.assertIn('Address already in use', done.stdout)


class ServiceManager(Case):
    """What systemd hears of a Type=notify-reload service."""

    def test_ready_reload_stop(self):
        relay, _ = self.pair(start=False)
        path = os.path.join(relay.root, 'notify')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            os.chmod(path, 0o777)
            manager.settimeout(15)
            relay.env['NOTIFY_SOCKET'] = path
            relay.start()
            self.assertIn(b'READY=1\n', manager.recv(200))
            relay.process.send_signal(signal.SIGHUP)
            before = manager.recv(200).split(b'\n')
            self.assertEqual(before[0], b'RELOADING=1')
            told = int(before[1].partition(b'MONOTONIC_USEC=')[2])
            self.assertLess(abs(time.monotonic() - told / 1e6), 10)
            self.assertIn(b'READY=1\n', manager.recv(200))
            self.assertEqual(relay.stop(), 0)
            self.assertIn(b'STOPPING=1', manager.recv(200))
