"""What machines that watch are told: /metrics, /healthz, /readyz."""
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import tls_files
from case import TEXT, Case
from ports import free_port
from relay import PROGRAM
from sink import DROP
from test_auth import plain
from test_dkim import RSA, dkim_map, domains
from test_tls_server import trusting
from tls_sink import Certificates, TlsSink

_SAMPLE = re.compile(
    r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z]+="[^"]*",?)*)\})? (-?[0-9.]+)$')


class AdminCase(Case):
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

    def until_all(self, want, seconds=15):
        """Several at once; what is asked for by the end of a name."""
        end = time.monotonic() + seconds
        while True:
            have = self.metrics()
            wrong = {name: have.get('smarthost_' + name) for name in want
                     if have.get('smarthost_' + name) != want[name]}
            if not wrong:
                return have
            if time.monotonic() > end:
                self.fail('%s instead of %s' % (wrong, want))
            time.sleep(0.05)


class Admin(AdminCase):
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


USERS = '''
users:
  - {name: joe, password: secret, allowed_from: ["@example.org"]}
'''


class Counted(AdminCase):
    """What is counted is what happened."""

    def test_clients(self):
        tls_port = free_port()
        relay, _ = self.watched({
            'tls.level': 'may', 'sender_restrictions': 'email',
            'client_connection_limit': '1',
            'listen.submissions': "['127.0.0.1:%d']" % tls_port},
            start=False, yaml=USERS)
        crt, key = tls_files.make(relay.root)
        relay.sets.update({'tls.crt_file': crt, 'tls.key_file': key})
        relay.start()
        expires = subprocess.run(
            ['openssl', 'x509', '-in', crt, '-noout', '-enddate'],
            capture_output=True, text=True, check=True).stdout
        with self.talk(relay) as t:
            t.hello()
            with self.talk(relay, banner=False) as second:
                self.assertEqual(second.reply()[0], 421)
            t.say('STARTTLS', 220)
            t.socket = trusting().wrap_socket(t.socket)
            t.hello()
            t.say('AUTH PLAIN ' + plain('joe', 'wrong'), 535)
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)
            t.say('MAIL FROM:<a@else.example>', 553)
            reply = t.message(TEXT, rcpts=('a@b.example', 'c@b.example'))
            self.assertEqual(reply[0], 250, reply)
            for code, data in (
                    (550, TEXT.replace(b'example.org', b'else.example')),
                    (550, TEXT + b'a lonely\nend of line\r\n'),
                    (554, b'Received: x\r\n' * 200 + TEXT)):
                reply = t.message(data)
                self.assertEqual(reply[0], code, reply)
            t.envelope()
            t.say('DATA', 354)      # and goes: nothing was refused
        with self.talk(relay, port=tls_port, banner=False) as t:
            t.send(b'EHLO not.tls.example\r\n')
            t.closed()
        have = self.until_all({
            'client_connections_total': 3,
            'clients_refused_total': 1,
            'client_sessions': 0,
            'messages_accepted_total': 1,
            'recipients_accepted_total': 2,
            'messages_refused_total': 2,
            'senders_refused_total': 2,
            'tls_handshakes_total{result="good",side="server"}': 1,
            'tls_handshakes_total{result="failed",side="server"}': 1,
            'auth_total{result="good"}': 1,
            'auth_total{result="failed"}': 1})
        self.assertEqual(
            have['smarthost_message_bytes_accepted_total'], len(TEXT))
        self.assertEqual(
            have['smarthost_tls_certificate_expires_seconds'],
            ssl.cert_time_to_seconds(expires.split('=')[1].strip()))

    def test_deliveries(self):
        made = Certificates()
        self.addCleanup(made.remove)
        sink = TlsSink(made.good)
        self.addCleanup(sink.close)
        again, broken = [], []

        def rcpt(_, argument):
            if b'<bad@' in argument:
                return '550 5.1.1 no such user'
            if b'<later@' in argument and not again:
                again.append(argument)
                return '451 4.2.0 later'
            return None

        def handshake(session, _):
            if broken:
                return None
            broken.append(1)
            return DROP
        sink.on('rcpt', rcpt)
        sink.on('handshake', handshake)
        relay, _ = self.watched(
            {'relay.host': 'localhost:%d' % sink.port},
            yaml=domains(example__org=[dkim_map('rsa', RSA)]),
            env={'SSL_CERT_FILE': made.ca})
        self.send(relay, rcpts=('good@b.example', 'bad@b.example',
                                'later@b.example'))
        # Two recipients, and the report.
        have = self.until_all({
            'deliveries_total{result="delivered"}': 3,
            'deliveries_total{result="deferred"}': 1,
            'deliveries_total{result="bounced"}': 1,
            'reports_total': 1,
            'delivery_connections': 0,
            'tls_handshakes_total{result="failed",side="client"}': 1,
            'delivery_delay_seconds_count': 3,
            'delivery_delay_seconds_bucket{le="+Inf"}': 3,
            'delivery_delay_seconds_bucket{le="60"}': 3,
            'delivery_delay_seconds_bucket{le="1"}': 2}, 30)
        self.assertGreaterEqual(
            have['smarthost_delivery_connections_total{result="good"}'], 2)
        self.assertGreaterEqual(
            have['smarthost_dkim_signatures_total{result="good"}'], 1)
        self.assertEqual(
            have['smarthost_dkim_signatures_total{result="failed"}'], 0)
        self.assertGreaterEqual(
            have['smarthost_delivery_delay_seconds_sum'], 1)

    def test_a_hop_that_is_not_there(self):
        relay, _ = self.watched({'relay.host': '[127.0.0.1]:9'})
        self.send(relay)
        have = self.until_all({
            'deliveries_total{result="deferred"}': 1,
            'deliveries_total{result="delivered"}': 0})
        self.assertGreaterEqual(
            have['smarthost_delivery_connections_total{result="failed"}'], 1)
        self.assertNotIn('smarthost_tls_certificate_expires_seconds', have)


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
