"""TLS and AUTH with more of others' programs."""
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import unittest

from case import TEXT
from test_auth import USERS
from test_tls_server import TlsCase

NODEMAILER = '6.9.16'


def run(words, text=b'', seconds=60, **more):
    return subprocess.run(words, input=text, timeout=seconds,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)


def nodemailer():
    """The folder of its modules; it is installed when it is missing."""
    prefix = os.path.join(os.path.dirname(__file__), '..', '..', 'build', 'npm')
    modules = os.path.abspath(os.path.join(prefix, 'node_modules'))
    if not os.path.isdir(os.path.join(modules, 'nodemailer')):
        os.makedirs(prefix, exist_ok=True)
        done = run(['npm', 'install', '--no-audit', '--no-fund', '--prefix',
                    prefix, 'nodemailer@' + NODEMAILER], seconds=120)
        if done.returncode != 0:
            raise unittest.SkipTest('nodemailer: ' + done.stdout.decode(
                errors='replace')[-300:])
    return modules


class Clients(TlsCase):
    @unittest.skipUnless(shutil.which('msmtp'), 'no msmtp')
    def test_msmtp(self):
        relay = self.tls_relay({'auth': 'true'}, yaml=USERS)
        for port, starttls in ((relay.port, 'on'), (self.tls_port, 'off')):
            for method in ('plain', 'login', 'cram-md5', 'scram-sha-256'):
                mark = relay.mark()
                done = run(['msmtp', '--host=localhost', '--port=%d' % port,
                            '--tls=on', '--tls-starttls=' + starttls,
                            '--tls-trust-file=' + self.crt, '--auth=' + method,
                            '--user=joe', '--passwordeval=echo secret',
                            '--from=a@b.example', 'c@d.example'], TEXT)
                self.assertEqual(done.returncode, 0, done.stdout)
                relay.wait('accepted', since=mark, user='joe', tls='1.3')

    @unittest.skipUnless(shutil.which('npm'), 'no npm')
    def test_nodemailer(self):
        modules = nodemailer()
        relay = self.tls_relay({'auth': 'true'}, yaml=USERS)
        script = '''
            const [ca, ...ports] = JSON.parse(process.argv[1]);
            const mailer = require('nodemailer');
            (async () => {
              for (const [port, secure, version, method] of ports) {
                const t = mailer.createTransport({host: 'localhost', port,
                  secure, requireTLS: !secure, authMethod: method,
                  auth: {user: 'joe', pass: 'secret'},
                  tls: {ca, maxVersion: version}});
                await t.sendMail({from: 'a@b.example', to: 'c@d.example',
                                  subject: 'x', text: 'x'});
                t.close();
              }
            })().catch((e) => { console.error(e); process.exit(1); });'''
        cases = [[port, secure, version, method]
                 for port, secure in ((relay.port, False),
                                      (self.tls_port, True))
                 for version in ('TLSv1.2', 'TLSv1.3')
                 for method in ('PLAIN', 'LOGIN', 'CRAM-MD5')]
        with open(self.crt) as f:
            words = json.dumps([f.read()] + cases)
        done = run(['node', '-e', script, words],
                   env=dict(os.environ, NODE_PATH=modules))
        self.assertEqual(done.returncode, 0, done.stdout)
        relay.wait('accepted', count=6, tls='1.2', user='joe')
        relay.wait('accepted', count=6, tls='1.3', user='joe')


def scram(user, password, binding, say):
    """SCRAM-SHA-256-PLUS (RFC 5802, 7677) with tls-exporter (RFC 9266);
    the last reply."""
    header = b'p=tls-exporter,,'
    first = b'n=%s,r=clientnonce' % user.encode()
    reply = say('AUTH SCRAM-SHA-256-PLUS ' + base64.b64encode(
        header + first).decode())
    server = base64.b64decode(reply[4:])
    facts = dict(f.split(b'=', 1) for f in server.split(b','))
    salted = hashlib.pbkdf2_hmac('sha256', password.encode(),
                                 base64.b64decode(facts[b's']),
                                 int(facts[b'i']))
    key = hmac.digest(salted, b'Client Key', 'sha256')
    bare = b'c=%s,r=%s' % (base64.b64encode(header + binding), facts[b'r'])
    told = first + b',' + server + b',' + bare
    proof = bytes(a ^ b for a, b in zip(key, hmac.digest(
        hashlib.sha256(key).digest(), told, 'sha256')))
    reply = say(base64.b64encode(
        bare + b',p=' + base64.b64encode(proof)).decode())
    if reply.startswith('334 '):
        want = hmac.digest(hmac.digest(salted, b'Server Key', 'sha256'),
                           told, 'sha256')
        assert base64.b64decode(reply[4:]) == b'v=' + base64.b64encode(want)
        reply = say('')
    return reply


class Bound(TlsCase):
    """openssl computes the exporter, Python the rest."""

    def attempt(self, password, spoil=False):
        process = subprocess.Popen(
            ['openssl', 's_client', '-connect', '127.0.0.1:%d' % self.tls_port,
             '-tls1_3', '-crlf', '-nocommands', '-keymatexport',
             'EXPORTER-Channel-Binding', '-keymatexportlen', '32',
             '-ign_eof'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.addCleanup(process.stdout.close)

        def reply():
            while True:
                line = process.stdout.readline()
                self.assertTrue(line)
                found = re.match(r'\s*Keying material: ([0-9A-F]{64})$', line)
                if found:
                    self.binding = bytes.fromhex(found[1])
                if re.match(r'[2-5]\d\d ', line):
                    return line.strip()

        def say(line):
            process.stdin.write(line + '\n')
            return reply()
        try:
            self.assertEqual(reply()[:3], '220')
            say('EHLO client.example')
            binding = self.binding
            if spoil:
                binding = bytes(32)
            return scram('joe', password, binding, say)
        finally:
            process.kill()
            process.stdin.close()
            process.wait()

    def test_scram_plus(self):
        relay = self.tls_relay(yaml=USERS)
        self.assertEqual(self.attempt('secret')[:3], '235')
        relay.wait('authenticated', mechanism='SCRAM-SHA-256-PLUS')
        self.assertEqual(self.attempt('wrong')[:3], '535')
        # Whoever sits in between has another connection.
        self.assertEqual(self.attempt('secret', spoil=True)[:3], '535')


class Workers(TlsCase):
    def test_resumption_across_workers(self):
        relay = self.tls_relay({'workers': '2'})
        done = run(['openssl', 's_client', '-connect',
                    '127.0.0.1:%d' % self.tls_port, '-sess_out',
                    os.path.join(relay.root, 'session'), '-quiet'],
                   b'QUIT\r\n')
        self.assertIn(b'221 ', done.stdout)
        for _ in range(24):     # the kernel spreads them
            done = run(['openssl', 's_client', '-connect',
                        '127.0.0.1:%d' % self.tls_port, '-sess_in',
                        os.path.join(relay.root, 'session'), '-quiet'],
                       b'QUIT\r\n')
            self.assertIn(b'221 ', done.stdout)
        relay.wait('tls', count=24, resumed='yes')


class Graded(TlsCase):
    @unittest.skipUnless(shutil.which('testssl'), 'no testssl')
    def test_testssl(self):
        for kind, port_of, words in (
                ('ec', lambda r: self.tls_port, ()),
                ('rsa', lambda r: r.port, ('-t', 'smtp'))):
            relay = self.tls_relay(kind=kind)
            path = os.path.join(relay.root, 'testssl.json')
            run(['testssl', '--quiet', '--color', '0', '--warnings', 'batch',
                 '--openssl-timeout', '5', '--connect-timeout', '5',
                 '--nodns', 'none', '-p', '-U', '-s',
                 '--jsonfile', path, *words,
                 'localhost:%d' % port_of(relay)], seconds=300)
            with open(path) as f:
                found = {e['id']: e for e in json.load(f)}
            for old in ('SSLv2', 'SSLv3', 'TLS1', 'TLS1_1'):
                self.assertIn('not offered', found[old]['finding'])
            for new in ('TLS1_2', 'TLS1_3'):
                self.assertEqual(found[new]['finding'][:7], 'offered')
            bad = [e for e in found.values()
                   if e['severity'] in ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')]
            self.assertEqual(bad, [])
            self.assertIn('heartbleed', found)
            self.assertIn('ROBOT', found)
            self.stop(relay)
