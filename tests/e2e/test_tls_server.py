"""TLS for clients, as others' programs see it."""
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import threading
import unittest

import tls_files
from case import TEXT, Case
from ports import free_port
from talk import Talk
from wait import until


def trusting(cafile=None):
    context = ssl.create_default_context(cafile=cafile)
    if cafile is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class TlsCase(Case):
    def tls_relay(self, sets=None, kind='ec', **options):
        relay = self.relay(start=False, **options)
        self.crt, self.key = tls_files.make(relay.root, kind=kind)
        self.tls_port = free_port()
        relay.sets.update({
            'tls.level': 'may', 'tls.crt_file': self.crt,
            'tls.key_file': self.key, 'relay.host': '[127.0.0.1]:9',
            'listen.submissions': "['127.0.0.1:%d']" % self.tls_port})
        relay.sets.update(sets or {})
        return relay.start()

    def s_client(self, port, *words, text=b'QUIT\r\n'):
        done = subprocess.run(
            ['openssl', 's_client', '-connect', '127.0.0.1:%d' % port,
             '-servername', 'relay.example', '-CAfile', self.crt, '-quiet', *words],
             input=text, timeout=30,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.decode(errors='replace')

    def secure(self, relay, port=None, **options):
        """A Talk that has gone into TLS by STARTTLS."""
        t = self.talk(relay, port=port, **options)
        t.hello()
        t.say('STARTTLS', 220)
        t.socket = trusting(self.crt).wrap_socket(
            t.socket, server_hostname='relay.example')
        self.addCleanup(t.socket.close)
        return t


class Programs(TlsCase):
    def test_openssl(self):
        for kind in ('ec', 'rsa'):
            relay = self.tls_relay(kind=kind)
            for version in ('-tls1_2', '-tls1_3'):
                for port, words in ((relay.port, ('-starttls', 'smtp')),
                                    (self.tls_port, ())):
                    text = self.s_client(port, version,
                                         '-verify_return_error', *words)
                    self.assertIn('221 2.0.0 bye', text)
            self.stop(relay)

    def test_old_versions_are_refused(self):
        relay = self.tls_relay()
        text = self.s_client(self.tls_port, '-tls1_1', '-cipher',
                             'ALL:@SECLEVEL=0')
        self.assertNotIn('220 ', text)
        self.assertTrue(relay.wait('tls_failed')['reply'])

    @unittest.skipUnless(shutil.which('gnutls-cli'), 'no gnutls-cli')
    def test_gnutls(self):
        self.tls_relay()
        done = subprocess.run(
            ['gnutls-cli', '--x509cafile', self.crt, '--sni-hostname',
             'relay.example', '--verify-hostname', 'relay.example', '-p',
             str(self.tls_port), '127.0.0.1'], input=b'QUIT\r\n', timeout=30,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertIn(b'221 2.0.0 bye', done.stdout)

    @unittest.skipUnless(shutil.which('sslscan'), 'no sslscan')
    def test_sslscan(self):
        self.tls_relay()
        done = subprocess.run(
            ['sslscan', '--no-colour', '127.0.0.1:%d' % self.tls_port],
            timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors='replace')
        for line in ('SSLv3     disabled', 'TLSv1.0   disabled',
                     'TLSv1.1   disabled'):
            self.assertIn(line, text)
        for weak in ('RC4', '3DES', 'DES-CBC3', 'NULL', 'ADH', 'EXP-',
                     'CBC'):
            self.assertNotIn(weak, text)

    def test_smtplib_both_ways(self):
        relay = self.tls_relay()
        with smtplib.SMTP('127.0.0.1', relay.port, timeout=30) as s:
            self.assertEqual(s.starttls(context=trusting())[0], 220)
            s.sendmail('a@example.org', ['b@example.net'], TEXT)
        with smtplib.SMTP_SSL('127.0.0.1', self.tls_port, timeout=30,
                              context=trusting()) as s:
            s.sendmail('a@example.org', ['b@example.net'], TEXT)
        relay.wait('accepted', count=2, tls='1.3')

    @unittest.skipUnless(shutil.which('curl'), 'no curl')
    def test_curl(self):
        relay = self.tls_relay()
        for url in ('smtp://127.0.0.1:%d' % relay.port,
                    'smtps://127.0.0.1:%d' % self.tls_port):
            subprocess.run(
                ['curl', '-sS', '--ssl-reqd', '--cacert', self.crt, url,
                 '--mail-from', 'a@example.org', '--mail-rcpt',
                 'b@example.net', '--upload-file', '-'], input=TEXT,
                check=True, timeout=30)
        relay.wait('accepted', count=2, tls='1.3')

    def test_a_session_is_resumed(self):
        relay = self.tls_relay()
        context = trusting(self.crt)
        session = None
        for turn in range(2):
            with socket.create_connection(
                    ('127.0.0.1', self.tls_port), 30) as raw:
                tls = context.wrap_socket(raw, session=session,
                                          server_hostname='relay.example')
                self.assertTrue(tls.recv(100).startswith(b'220 '))
                self.assertEqual(tls.session_reused, turn == 1)
                session = tls.session
        relay.wait('tls', resumed='yes')


class Level(TlsCase):
    def test_encrypt(self):
        relay = self.tls_relay({'tls.level': 'encrypt'})
        with Talk(relay.port) as t:
            self.assertIn('STARTTLS', t.hello())
            for line in ('MAIL FROM:<a@b.example>', 'VRFY x', 'HELP',
                         'AUTH PLAIN x'):
                self.assertEqual(t.say(line)[1][:5], '5.7.0')
            t.say('NOOP', 250)
        t = self.secure(relay)
        self.assertNotIn('STARTTLS', t.hello())
        self.assertEqual(t.message(TEXT)[0], 250)

    def test_none(self):
        relay = self.relay()
        with Talk(relay.port) as t:
            self.assertNotIn('STARTTLS', t.hello())
            t.say('STARTTLS', 502)

    def test_received(self):
        sink = self.sink()
        relay = self.tls_relay({'relay.host': sink.next_hop,
                                'delivery.tls': 'none'})
        t = self.secure(relay)
        t.hello()
        self.assertEqual(t.message(TEXT)[0], 250)
        text = sink.wait()[0].text
        self.assertIn('(using TLSv1.3 with cipher TLS_', text)
        self.assertIn(' with ESMTPS id ', text)

    def test_behind_a_proxy(self):
        relay = self.tls_relay()
        t = self.talk(relay, port=relay.proxy_port, banner=False)
        t.send(b'PROXY TCP4 10.1.2.3 10.0.0.1 1234 587\r\n')
        self.assertEqual(t.reply()[0], 220)
        t.hello()
        t.say('STARTTLS', 220)
        t.socket = trusting().wrap_socket(t.socket)
        t.hello()
        t.say('QUIT', 221)
        relay.wait('tls', client='10.1.2.3')

    def test_a_client_outside_hears_it_inside_of_tls(self):
        self.tls_relay({'allowed_networks': '10.0.0.0/8'})
        self.assertIn('554 5.7.1', self.s_client(self.tls_port))


class Attacks(TlsCase):
    def test_nothing_in_clear_is_obeyed_inside(self):
        relay = self.tls_relay()
        t = self.talk(relay)
        t.hello()
        t.send(b'STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.example>\r\n')
        self.assertEqual(t.reply()[0], 220)
        t.socket = trusting().wrap_socket(t.socket)
        # The state is new: no EHLO was said, no MAIL given.
        self.assertEqual(t.say('RCPT TO:<a@b.example>')[1],
                         '5.5.1 say EHLO or HELO first')
        relay.wait('starttls_injection')

    def test_broken_handshakes(self):
        relay = self.tls_relay()
        for junk in (b'EHLO x\r\n', b'\x16\x03\x01\xff\xff' + b'x' * 100,
                     b'\x15\x03\x01\x00\x02\x02\x28', os.urandom(500)):
            for port in (relay.port, self.tls_port):
                t = self.talk(relay, port=port, banner=port == relay.port)
                if port == relay.port:
                    t.hello()
                    t.say('STARTTLS', 220)
                t.send(junk)
                t.half_close()
                t.closed()
        relay.wait('tls_failed', count=8)
        self.send(relay)

    def test_slow_handshakes_hold_up_nobody(self):
        relay = self.tls_relay()
        slow = [self.talk(relay, port=self.tls_port, banner=False)
                for _ in range(200)]
        for t in slow:
            t.send(b'\x16\x03\x01\x02\x00\x01')
        self.send(relay)
        self.secure(relay).hello()
        for t in slow:
            t.socket.close()
        relay.wait('tls_failed', count=200)


class Certificates(TlsCase):
    def test_self_signed(self):
        port = free_port()
        relay = self.relay({
            'tls.level': 'may',
            'listen.submissions': "['127.0.0.1:%d']" % port})
        relay.wait('self_signed')

        def shown():
            with socket.create_connection(('127.0.0.1', port), 30) as raw, \
                    trusting().wrap_socket(raw) as tls:
                return tls.getpeercert(True)
        first = shown()
        path = os.path.join(relay.spool, 'state', 'self-signed.pem')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.stop(relay)
        relay.start()
        self.assertEqual(shown(), first)
        self.stop(relay)
        relay.sets['hostname'] = 'other.example'
        relay.start()
        self.assertNotEqual(shown(), first)

    def test_swapped_under_load(self):
        relay = self.tls_relay()
        stop = threading.Event()
        failures = []
        count = [0]

        def load():
            while not stop.is_set():
                try:
                    with smtplib.SMTP('127.0.0.1', relay.port,
                                      timeout=30) as s:
                        s.starttls(context=trusting())
                        s.sendmail('a@b.example', ['c@d.example'], TEXT)
                    count[0] += 1
                except (OSError, smtplib.SMTPException) as e:
                    failures.append(e)
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            before = count[0]
            until(lambda: count[0] > before + 3, what='load')
            tls_files.make(relay.root)
            mark = relay.mark()
            relay.signal(signal.SIGHUP)
            relay.wait('reloaded', since=mark)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.secure(relay).hello()      # shows the last one

    def test_a_broken_one_keeps_the_old(self):
        relay = self.tls_relay()
        old = open(self.crt).read()
        with open(self.crt, 'w') as f:
            f.write('-----BEGIN CERTIFICATE-----\nAAAA\n'
                    '-----END CERTIFICATE-----\n')
        relay.signal(signal.SIGHUP)
        relay.wait('reload_refused')
        with open(self.crt, 'w') as f:
            f.write(old)
        self.secure(relay).hello()

    def test_one_that_expires_is_told(self):
        relay = self.relay(start=False)
        crt, key = tls_files.make(relay.root, days='3')
        relay.sets.update({'tls.level': 'may', 'tls.crt_file': crt,
                           'tls.key_file': key})
        relay.start()
        self.assertIn(relay.wait('certificate_expires')['days'], ('2', '3'))
