"""TLS, byte by byte: odd but legal clients, and what the relay says when it
ends a handshake."""
import re
import shutil
import socket
import ssl
import subprocess
import time
import unittest

import tls_files
from ports import free_port
from relay import PROGRAM
from test_tls_server import TlsCase, trusting
from tls_sink import Certificates, TlsSink, TlsSession
from wait import until


class Client:
    """A TLS client whose bytes go as `cut` has them: it is given each flight
    and yields what is sent by itself."""

    def __init__(self, port, cut, version=None):
        self.socket = socket.create_connection(('127.0.0.1', port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cut = cut
        context = trusting()
        if version:
            context.minimum_version = context.maximum_version = version
        self.to, self.from_ = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.to, self.from_,
                                    server_hostname='relay.example')

    def flush(self):
        flight = self.from_.read()
        if flight:
            for piece in self.cut(flight):
                self.socket.sendall(piece)

    def do(self, what, *words):
        while True:
            try:
                got = what(*words)
                self.flush()
                return got
            except ssl.SSLWantReadError:
                self.flush()
                more = self.socket.recv(65536)
                if not more:
                    raise EOFError from None
                self.to.write(more)


def in_records(size):
    """The first flight's message in records of `size` bytes."""
    def cut(flight):
        if flight[0] != 22 or flight[5] != 1:
            return [flight]
        body = flight[5:]
        return [b''.join(
            b'\x16\x03\x01' + len(body[i:i + size]).to_bytes(2, 'big') +
            body[i:i + size] for i in range(0, len(body), size))]
    return cut


def in_bytes(flight):
    return [flight[i:i + 1] for i in range(len(flight))]


def version():
    return subprocess.run([PROGRAM, '--version'], capture_output=True,
                          text=True, check=True).stdout


class Hellos(TlsCase):
    def test_in_pieces(self):
        self.tls_relay()
        both = in_records(50)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for cut in (in_bytes, in_records(4), in_records(100),
                        lambda f: in_bytes(b''.join(both(f)))):
                client = Client(self.tls_port, cut, version)
                client.do(client.tls.do_handshake)
                self.assertTrue(
                    client.do(client.tls.read, 100).startswith(b'220 '))
                client.socket.close()

    def test_crumbs_are_refused_with_a_word(self):
        """wolfSSL wants a message's four bytes of head in one record."""
        self.tls_relay()
        client = Client(self.tls_port, in_records(1))
        with self.assertRaisesRegex(ssl.SSLError, 'ALERT'):
            client.do(client.tls.do_handshake)
        client.socket.close()

    def test_a_key_that_is_none_is_answered(self):
        """The highest bit of an X25519 key is never set by those who mean
        it; wolfSSL refuses it without a word."""
        relay = self.tls_relay()

        def spoilt(flight):
            at = flight.index(b'\x00\x1d\x00\x20') + 4
            return [flight[:at + 31] + b'\xff' + flight[at + 32:]]
        client = Client(self.tls_port, spoilt, ssl.TLSVersion.TLSv1_3)
        with self.assertRaisesRegex(ssl.SSLError, 'ALERT'):
            client.do(client.tls.do_handshake)
        client.socket.close()
        relay.wait('tls_failed')

    @unittest.skipUnless(shutil.which('sslscan'), 'no sslscan')
    def test_sslscan_sees_the_versions(self):
        """It offers 344 suites, and for TLS 1.3 a key of random bytes: every
        second one is none."""
        if 'built here' not in version():
            self.skipTest("the system's wolfSSL takes 150 suites at most")
        self.tls_relay()
        seen = set()
        for _ in range(12):
            text = subprocess.run(
                ['sslscan', '--no-colour', '--no-ciphersuites', '--no-groups',
                 '--no-heartbleed', '127.0.0.1:%d' % self.tls_port],
                timeout=120, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT).stdout.decode(errors='replace')
            seen.update(re.findall(r'(TLSv1\.[23]) +enabled', text))
            if len(seen) == 2:
                break
            time.sleep(1)       # its random bytes are those of the second
        self.assertEqual(seen, {'TLSv1.2', 'TLSv1.3'})


class Refused(TlsCase):
    def test_renegotiation(self):
        self.tls_relay()
        process = subprocess.Popen(
            ['openssl', 's_client', '-connect',
             '127.0.0.1:%d' % self.tls_port, '-tls1_2', '-crlf'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        text = b''
        while b'\n220 ' not in text and not text.startswith(b'220 '):
            line = process.stdout.readline()
            self.assertTrue(line, text)
            text += line
        self.assertIn(b'Secure Renegotiation IS', text)
        process.stdin.write(b'R\n')
        process.stdin.flush()
        rest, _ = process.communicate(timeout=30)
        self.assertIn(b'RENEGOTIATING', rest)
        self.assertRegex(rest, b'no renegotiation|alert|unexpected|:error:')
        self.assertNotIn(b'250 ', rest)

    def test_a_bad_server_hears_why(self):
        made = Certificates()
        self.addCleanup(made.remove)
        for versions in ((ssl.TLSVersion.TLSv1_2,) * 2,
                         (ssl.TLSVersion.TLSv1_3,) * 2):
            heard = []

            class Listening(TlsSession):
                def starttls(self):
                    try:
                        super().starttls()
                    except ssl.SSLError as e:
                        heard.append(e.reason)
                        raise
            sink = TlsSink(made.wrong, versions=versions)
            sink.session_type = Listening
            self.addCleanup(sink.close)
            relay = self.relay(
                {'relay.host': 'localhost:%d' % sink.port,
                 'delivery.tls': 'verify'}, env={'SSL_CERT_FILE': made.ca})
            self.send(relay)
            relay.wait('deferred', reply=lambda r: 'another name' in r)
            until(lambda: heard, what='an alert')
            self.assertIn('BAD_CERTIFICATE', heard[0])
            self.stop(relay)


class Held(TlsCase):
    def test_one_client_does_not_get_all_handshakes(self):
        relay = self.tls_relay()
        slow = [self.talk(relay, port=self.tls_port, banner=False)
                for _ in range(260)]
        relay.wait('refused', count=10,
                   reply='no TLS now: too many handshakes')
        t = self.talk(relay)
        t.hello()
        self.assertEqual(t.say('STARTTLS')[0], 454)
        # Others still can.
        t = self.talk(relay, port=relay.proxy_port, banner=False)
        t.send(b'PROXY TCP4 10.1.2.3 10.0.0.1 1234 587\r\n')
        self.assertEqual(t.reply()[0], 220)
        t.hello()
        t.say('STARTTLS', 220)
        t.socket = trusting().wrap_socket(t.socket)
        t.hello()
        for s in slow:
            s.socket.close()
        relay.wait('tls_failed', count=250)
        self.secure(relay).hello()


class Chosen(TlsCase):
    def test_by_name_and_by_what_the_client_can(self):
        relay = self.relay(start=False)
        pairs = [tls_files.make(relay.root, name, kind, file=name + kind)
                 for name, kind in (('a.example', 'ec'), ('a.example', 'rsa'),
                                    ('b.example', 'ec'))]
        port = free_port()
        relay.sets.update({
            'tls.crt_file': str([crt for crt, _ in pairs]),
            'tls.key_file': str([key for _, key in pairs]),
            'tls.level': 'may', 'relay.host': '[127.0.0.1]:9',
            'listen.submissions': "['127.0.0.1:%d']" % port})
        relay.start()

        def shown(name, *words):
            text = subprocess.run(
                ['openssl', 's_client', '-connect', '127.0.0.1:%d' % port,
                 *(('-servername', name) if name else ('-noservername',)),
                 *words], input=b'', timeout=30, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT).stdout
            pem = re.search(b'-----BEGIN CERT.*?END CERTIFICATE-----\n', text,
                            re.S)
            self.assertTrue(pem, text[-500:])
            return pem[0].decode().strip()

        def file(i):
            return open(pairs[i][0]).read().strip()
        self.assertEqual(shown('a.example'), file(0))
        self.assertEqual(shown('b.example'), file(2))
        self.assertEqual(shown(None), file(0))
        self.assertEqual(shown('nobody.example'), file(0))
        for words in (('-sigalgs', 'rsa_pss_rsae_sha256'),
                      ('-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256')):
            self.assertEqual(shown('a.example', *words), file(1), words)
