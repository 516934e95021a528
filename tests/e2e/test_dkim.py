"""DKIM: what the relay signs is verified by programs that nobody here wrote."""
import base64
import os
import re
import shutil
import signal
import subprocess
import tempfile

from case import Case
from talk import Talk

# python3-dkim is Debian's, for Debian's Python.
PYTHON = '/usr/bin/python3'
VERIFY = os.path.join(os.path.dirname(__file__), '..', 'dkim', 'verify.py')

HEAD = (b'From: Me <me@%s>\r\nTo: you@example.net\r\nSubject: test\r\n'
        b'Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x>\r\n')


def make_key(kind='rsa', bits=2048):
    """A private key and the TXT record that goes with it, by openssl."""
    words = ['-algorithm', kind]
    if kind == 'rsa':
        words += ['-pkeyopt', 'rsa_keygen_bits:%d' % bits]
    key = subprocess.run(['openssl', 'genpkey'] + words, check=True,
                         capture_output=True, text=True).stdout
    public = subprocess.run(['openssl', 'pkey', '-pubout', '-outform', 'DER'],
                            input=key.encode(), check=True,
                            capture_output=True).stdout
    if kind == 'ed25519':
        public = public[-32:]
    return key, 'v=DKIM1; k=%s; p=%s' % (
        kind, base64.b64encode(public).decode())


RSA, RSA_TXT = make_key()
ED, ED_TXT = make_key('ed25519')


def indented(text, by):
    return ''.join(' ' * by + line + '\n' for line in text.splitlines())


def dkim_map(selector, key, **more):
    return 'selector: %s\n%skey: |\n%s' % (
        selector, ''.join('%s: %s\n' % i for i in more.items()),
        indented(key, 2))


def domains(**signers):
    """YAML: each domain (its dots as __) with its list of dkim maps."""
    text = 'domains:\n'
    for name, maps in signers.items():
        text += '  - name: %s\n    dkim:\n' % name.replace('__', '.')
        for m in maps:
            lines = indented(m, 8)
            text += '      - ' + lines[8:]
    return text


def signatures(data):
    head = data.split(b'\r\n\r\n', 1)[0] + b'\r\n'
    return re.findall(rb'^dkim-signature:((?:.*\r\n)(?:[ \t].*\r\n)*)', head,
                      re.I | re.M)


class Signed(Case):
    records = {'rsa._domainkey.example.com': RSA_TXT,
               'ed._domainkey.example.com': ED_TXT,
               'rsa._domainkey.example.org': RSA_TXT}

    def verified(self, data, count=1):
        """All signatures are good, by python3-dkim."""
        self.assertEqual(len(signatures(data)), count, data[:3000])
        if count == 0:
            return
        path = os.path.join(self.root, 'message')
        with open(path, 'wb') as f:
            f.write(b'%d\n%s' % (len(data), data))
        done = subprocess.run(
            [PYTHON, VERIFY, path, str(count)] +
            ['%s=%s' % i for i in self.records.items()],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='smarthost-dkim-')
        self.addCleanup(shutil.rmtree, self.root)

    def signing(self, yaml=None, sets=None, **options):
        more = {'log.level': 'debug'}
        more.update(sets or {})
        return self.pair(more, yaml=yaml or domains(
            example__com=[dkim_map('rsa', RSA)]), **options)

    def deliver(self, relay, sink, data, **envelope):
        already = len(sink.mails)
        self.send(relay, data, **envelope)
        return sink.wait(already + 1)[already]


class Basics(Signed):
    def test_signs_mail_of_the_domain_and_no_other(self):
        relay, sink = self.signing()
        mail = self.deliver(relay, sink, HEAD % b'example.com' + b'\r\nhi\r\n')
        self.verified(mail.data)
        self.assertTrue(mail.data.startswith(b'DKIM-Signature: v=1; '))
        mail = self.deliver(relay, sink, HEAD % b'example.net' + b'\r\nhi\r\n')
        self.verified(mail.data, 0)
        mail = self.deliver(relay, sink, HEAD % b'x.example.com' + b'\r\nhi\r\n')
        self.verified(mail.data, 0)
        relay.wait('signed', domain='example.com', selector='rsa')
        self.stop(relay)

    def test_size_counts_the_signature(self):
        relay, sink = self.signing()
        mail = self.deliver(relay, sink, HEAD % b'example.com' + b'\r\nhi\r\n')
        self.assertIn('SIZE=%d' % len(mail.data), mail.params)
        self.stop(relay)
