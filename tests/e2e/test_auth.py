"""AUTH, with others' clients."""
import base64
import ctypes
import shutil
import smtplib
import subprocess
import time
import unittest

from case import TEXT, Case
from test_tls_server import TlsCase, trusting

USERS = '''
users:
  - {name: joe, password: secret}
  - {name: "ann@example.org", password: "p4 ss:word"}
'''


def plain(user, password):
    return base64.b64encode(
        ('\0%s\0%s' % (user, password)).encode()).decode()


class Mechanisms(Case):
    def test_smtplib(self):
        relay = self.relay({'auth': 'true', 'relay.host': '[127.0.0.1]:9'},
                           yaml=USERS)
        for user, password in (('joe', 'secret'),
                               ('ann@example.org', 'p4 ss:word')):
            for method in ('auth_plain', 'auth_login', 'auth_cram_md5'):
                with smtplib.SMTP('127.0.0.1', relay.port, timeout=30) as s:
                    s.ehlo('client.example')
                    s.user, s.password = user, password
                    name = method[5:].upper().replace('_', '-')
                    self.assertEqual(
                        s.auth(name, getattr(s, method))[0], 235)
                    s.sendmail('a@b.example', ['c@d.example'], TEXT)
        relay.wait('accepted', count=3, user='joe')

    @unittest.skipUnless(shutil.which('gsasl'), 'no gsasl')
    def test_gsasl(self):
        relay = self.relay({'auth': 'true'}, yaml=USERS)
        for mechanism in ('PLAIN', 'LOGIN', 'CRAM-MD5', 'DIGEST-MD5',
                          'SCRAM-SHA-256'):
            done = subprocess.run(
                ['gsasl', '--smtp', '--connect', '127.0.0.1:%d' % relay.port,
                 '--no-starttls', '--no-cb', '-m', mechanism, '-a', 'joe',
                 '-p', 'secret', '--realm', 'relay.example', '--service',
                 'smtp', '--hostname', 'relay.example'],
                input=b'', timeout=30, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            relay.wait('authenticated', mechanism=mechanism, user='joe')
            self.assertNotIn(b'535', done.stdout)

    @unittest.skipUnless(shutil.which('swaks'), 'no swaks')
    def test_swaks(self):
        relay = self.relay({'auth': 'true', 'relay.host': '[127.0.0.1]:9'},
                           yaml=USERS)
        for mechanism in ('PLAIN', 'LOGIN', 'CRAM-MD5'):
            for password, status in (('secret', 0), ('wrong', 28)):
                done = subprocess.run(
                    ['swaks', '--server', '127.0.0.1:%d' % relay.port,
                     '--auth', mechanism, '--auth-user', 'joe',
                     '--auth-password', password, '-f', 'a@b.example', '-t',
                     'c@d.example'], timeout=60, stdout=subprocess.DEVNULL)
                self.assertEqual(done.returncode, status)


class Rules(Case):
    def test_nothing_without_it(self):
        relay = self.relay({'auth': 'true'}, yaml=USERS)
        with self.talk(relay) as t:
            self.assertTrue(any(o.startswith('AUTH ') for o in t.hello()))
            t.say('MAIL FROM:<a@b.example>', 530)
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 503)
            t.say('MAIL FROM:<a@b.example> AUTH=<>', 250)

    def test_exchanges_that_end_early(self):
        relay = self.relay(yaml=USERS)
        t = self.talk(relay)
        t.hello()
        t.say('AUTH PLAIN', 334)
        self.assertEqual(t.say('*'), (501, '5.7.0 cancelled'))
        t.say('AUTH PLAIN', 334)
        self.assertEqual(t.say('!')[0], 501)
        t.say('AUTH LOGIN', 334)
        self.assertEqual(t.say('A' * 12287)[0], 500)
        t.say('AUTH NOTHING', 504)
        t.say('NOOP', 250)

    def test_cut_at_every_byte(self):
        relay = self.relay(yaml=USERS)
        text = b'EHLO x\r\nAUTH PLAIN\r\n' + \
            plain('joe', 'secret').encode() + b'\r\n'
        for cut in range(len(text)):
            with self.talk(relay) as t:
                t.send(text[:cut])
                t.half_close()
                t.closed()
        for cut in range(1, len(text)):
            with self.talk(relay) as t:
                t.send(text[:cut])
                t.send(text[cut:])
                self.assertEqual([t.reply()[0] for _ in range(3)],
                                 [250, 334, 235])
        self.assertEqual(relay.find('auth_failed'), [])

    def test_failures_cost_time_and_end_the_session(self):
        relay = self.relay(yaml=USERS)
        began = time.monotonic()
        with self.talk(relay, seconds=60) as t:
            t.hello()
            codes = [t.say('AUTH PLAIN ' + plain('joe', 'bad%d' % i))[0]
                     for i in range(5)]
            self.assertEqual(codes, [535] * 4 + [421])
        # 0 + 1 + 2 + 4 + 8
        self.assertGreater(time.monotonic() - began, 14)
        # Another address does not wait.
        began = time.monotonic()
        with smtplib.SMTP('127.0.0.1', relay.port, timeout=30,
                          source_address=('127.0.0.9', 0)) as s:
            s.login('joe', 'secret')
        self.assertLess(time.monotonic() - began, 1)
        self.assertNotIn('bad0', str(relay.log))

    def test_a_password_in_clear_is_told_once(self):
        relay = self.relay(yaml=USERS)
        for _ in range(2):
            t = self.talk(relay, port=relay.proxy_port, banner=False)
            t.send(b'PROXY TCP4 10.1.2.3 10.0.0.1 1234 587\r\n')
            self.assertEqual(t.reply()[0], 220)
            t.hello()
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)
        relay.wait('authenticated', count=2)
        relay.wait('password_in_clear')
        self.assertEqual(len(relay.find('password_in_clear')), 1)


class InsideTls(TlsCase):
    def test_hidden_before_tls(self):
        relay = self.tls_relay({'tls.auth_only': 'true'}, yaml=USERS)
        with self.talk(relay) as t:
            self.assertFalse(any(o.startswith('AUTH') for o in t.hello()))
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 538)
        with smtplib.SMTP('127.0.0.1', relay.port, timeout=30) as s:
            s.starttls(context=trusting())
            self.assertEqual(s.login('joe', 'secret')[0], 235)

    def test_received_says_so(self):
        sink = self.sink()
        relay = self.tls_relay({'relay.host': sink.next_hop,
                                'delivery.tls': 'none'}, yaml=USERS)
        with smtplib.SMTP('127.0.0.1', relay.port, timeout=30) as s:
            s.starttls(context=trusting())
            s.login('joe', 'secret')
            s.sendmail('a@b.example', ['c@d.example'], TEXT)
        self.assertIn(' with ESMTPSA id ', sink.wait()[0].text)


def crypted():
    """`secret`, hashed by yescrypt."""
    crypt = ctypes.CDLL('libcrypt.so.1').crypt
    crypt.restype = ctypes.c_char_p
    return crypt(b'secret', b'$y$j9T$saltsaltsalt$').decode()


class Slow(Case):
    """crypt(3) takes 50 ms a time: a flood of it stops nobody else."""
    def setUp(self):
        self.relay_ = self.relay(
            {'relay.host': '[127.0.0.1]:9'},
            yaml='users:\n  - {name: joe, password: "%s"}\n' % crypted())

    def flood(self, count):
        """From as many addresses: each asks once."""
        all_ = []
        for i in range(count):
            t = self.talk(self.relay_, port=self.relay_.proxy_port,
                          banner=False)
            t.send(b'PROXY TCP4 10.1.%d.1 10.0.0.1 1234 587\r\n' % i)
            self.assertEqual(t.reply()[0], 220)
            t.hello()
            all_.append(t)
        for t in all_:
            t.send(b'AUTH PLAIN %s\r\n' % plain('joe', 'wrong').encode())
        return all_

    def test_others_go_on(self):
        with self.talk(self.relay_) as one:
            one.hello()
            one.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)
        flood = self.flood(30)
        other = self.talk(self.relay_)
        other.hello()
        waits = []
        for _ in range(40):
            begun = time.monotonic()
            other.say('NOOP', 250)
            waits.append(time.monotonic() - begun)
        # Three quarters of the time are the others'.
        self.assertLess(sorted(waits)[len(waits) // 2], 0.03)
        self.assertEqual({t.reply()[0] for t in flood}, {535})
        self.relay_.wait('auth_failed', count=30)

    def test_the_line_has_an_end(self):
        flood = self.flood(80)
        codes = [t.reply()[0] for t in flood]
        self.assertGreaterEqual(codes.count(454), 10)
        self.assertGreaterEqual(codes.count(535), 64)
        with self.talk(self.relay_) as t:
            t.hello()
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)

    def test_one_that_goes_leaves_the_line(self):
        for t in self.flood(20):
            t.reset()
        with self.talk(self.relay_) as t:
            t.hello()
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)
        self.relay_.wait('disconnect', count=20, client=lambda c: c[:5] == '10.1.')
