"""DKIM: what the relay signs is verified by programs that nobody here wrote."""
import base64
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from case import Case
from relay import PROGRAM

MAILAUTH = '4.13.3'
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


def zone_txt(name, txt):
    """A line for the zone `lab.`, in strings of 255 bytes."""
    parts = [txt[i:i + 255] for i in range(0, len(txt), 255)]
    return '%s TXT %s\n' % (name, ' '.join('"%s"' % p for p in parts))


def mailauth():
    """The folder of its modules; it is installed when it is missing."""
    prefix = os.path.join(os.path.dirname(__file__), '..', '..', 'build', 'npm')
    modules = os.path.abspath(os.path.join(prefix, 'node_modules'))
    if not os.path.isdir(os.path.join(modules, 'mailauth')):
        os.makedirs(prefix, exist_ok=True)
        done = subprocess.run(
            ['npm', 'install', '--no-audit', '--no-fund', '--prefix', prefix,
             'mailauth@%s' % MAILAUTH], capture_output=True, text=True)
        if done.returncode != 0:
            raise unittest.SkipTest('mailauth: ' + done.stderr[-300:])
    return modules


class Signed(Case):
    records = {'rsa._domainkey.example.lab': RSA_TXT,
               'ed._domainkey.example.lab': ED_TXT}

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='smarthost-dkim-')
        self.addCleanup(shutil.rmtree, self.root)

    def file(self, name, data):
        path = os.path.join(self.root, name)
        with open(path, 'wb') as f:
            f.write(data)
        return path

    def ends_well(self, words):
        done = subprocess.run(words, capture_output=True, text=True,
                              errors='backslashreplace')
        self.assertEqual(done.returncode, 0,
                         done.stdout[-1500:] + done.stderr[-1500:])
        return done.stdout

    def by_python(self, messages, count):
        path = self.file('all', b''.join(
            b'%d\n%s' % (len(m), m) for m in messages))
        self.ends_well([PYTHON, VERIFY, path, str(count)] +
                       ['%s=%s' % i for i in self.records.items()])

    def by_mailauth(self, messages, count):
        modules = mailauth()
        dns = self.dns(''.join(zone_txt(n[:-len('.lab')], t)
                               for n, t in self.records.items()))
        files = [self.file('m%d' % i, m) for i, m in enumerate(messages)]
        self.ends_well(['node', VERIFY[:-2] + 'js', modules, str(dns.port),
                        str(count)] + files)

    def by_opendkim(self, messages, count):
        dns = self.file('txt', ''.join(
            '%s %s\n' % i for i in self.records.items()).encode())
        conf = self.file('conf', (
            'Mode v\nTestDNSData file:%s\nSyslog no\n'
            'On-BadSignature reject\nOn-NoSignature reject\n'
            'MaximumHeaders 0\nInternalHosts 192.0.2.1\n'
            % dns).encode())
        for i, m in enumerate(messages):
            text = self.ends_well(['opendkim', '-x', conf, '-vv', '-t',
                                   self.file('o%d' % i, m)])
            self.assertEqual(text.count('dkim=pass'), count, text)

    def verified(self, data, count=1):
        self.assertEqual(len(signatures(data)), count, data[:3000])
        if count > 0:
            self.by_python([data], count)

    def signing(self, yaml=None, sets=None, **options):
        more = {'log.level': 'debug'}
        more.update(sets or {})
        return self.pair(more, yaml=yaml or domains(
            example__lab=[dkim_map('rsa', RSA)]), **options)

    def deliver(self, relay, sink, data, **envelope):
        already = len(sink.mails)
        stuffed = re.sub(rb'^\.', b'..', data, flags=re.M)
        self.send(relay, stuffed, **envelope)
        return sink.wait(already + 1)[already]


class Basics(Signed):
    def test_signs_mail_of_the_domain_and_no_other(self):
        relay, sink = self.signing()
        mail = self.deliver(relay, sink, HEAD % b'example.lab' + b'\r\nhi\r\n')
        self.verified(mail.data)
        self.assertTrue(mail.data.startswith(b'DKIM-Signature: v=1; '))
        mail = self.deliver(relay, sink, HEAD % b'example.net' + b'\r\nhi\r\n')
        self.verified(mail.data, 0)
        mail = self.deliver(relay, sink, HEAD % b'x.example.lab' + b'\r\nhi\r\n')
        self.verified(mail.data, 0)
        relay.wait('signed', domain='example.lab', selector='rsa')
        self.stop(relay)

    def test_a_message_without_a_body(self):
        relay, sink = self.signing()
        for head in (HEAD % b'example.lab', b'From: me@example.lab\r\n'):
            data = self.deliver(relay, sink, head).data
            self.assertTrue(data.endswith(b'\r\n\r\n'), data)
            self.verified(data)
        self.stop(relay)

    def test_size_counts_the_signature(self):
        relay, sink = self.signing()
        mail = self.deliver(relay, sink, HEAD % b'example.lab' + b'\r\nhi\r\n')
        self.assertIn('SIZE=%d' % len(mail.data), mail.params)
        self.stop(relay)


def corpus():
    """Bodies and headers at which signers and verifiers have stumbled."""
    head = HEAD % b'example.lab'
    from_only = b'From: me@example.lab\r\n'
    yield 'plain', head + b'\r\nhello\r\n'
    yield 'no body', head + b'\r\n'
    yield 'no empty line', head
    yield 'only empty lines', head + b'\r\n' * 20
    yield 'blank lines at the end', head + b'\r\na\r\n\r\n\r\n'
    yield 'blanks', head + b'\r\na  \r\n\tb\t \r\n \r\n  c\r\n \r\n'
    yield 'dots', head + b'\r\n.\r\n..\r\n.a\r\n...\r\nb.\r\n'
    yield 'long line', head + b'\r\n' + b'x' * 990 + b'\r\n'
    yield '8-bit', head + b'\r\n' + bytes(range(128, 256)) * 9 + b'\r\n'
    yield 'folded', (b'From: Me\r\n\t<me@example.lab>\r\nSubject: a\r\n'
                     b'  b\r\n\tc  \r\nTo:  a@b.lab ,\r\n b@b.lab\r\n'
                     b'\r\nx\r\n')
    yield 'UTF-8', (b'From: "M\xc3\xbcller" <me@example.lab>\r\n'
                    b'Subject: \xe2\x82\xac\r\n\r\n\xc3\xa4\r\n')
    yield 'duplicates', (head + b'Subject: second\r\nSubject: third\r\n'
                         b'To: a@b.lab\r\nCc: c@b.lab\r\nCc: d@b.lab\r\n'
                         b'\r\nx\r\n')
    yield 'empty fields', (from_only + b'Subject:\r\nTo: \r\nCc:\t\r\n'
                           b'References:\r\n\r\nx\r\n')
    yield 'case', (b'FROM: me@example.lab\r\nsUBJECT: X\r\nTO:a@b.lab\r\n'
                   b'\r\nx\r\n')
    yield 'nearly nothing', from_only + b'\r\n'
    yield 'long header', (from_only + b'References:' +
                          b'\r\n <%s@example.lab>' % (b'r' * 60) * 400 +
                          b'\r\n\r\nx\r\n')
    yield 'very long header', (from_only + b''.join(
        b'X-Field-%d: %s\r\n' % (i, b'v' * 900) for i in range(150)) +
        b'Subject: behind them\r\n\r\nx\r\n')
    yield 'signed already', (b'DKIM-Signature: v=1; a=rsa-sha256; d=x.lab;\r\n'
                             b' s=x; h=from; bh=AAAA; b=AAAA\r\n' + head +
                             b'\r\nx\r\n')
    yield 'line that is no field', head + b'no field\r\nA: b\r\n'
    yield '10 MB', head + b'\r\n' + (b'0123456789abcde \r\n' * 580000)


class Corpus(Signed):
    """Each with each pair of canonical forms, or the default alone."""

    def messages(self, yaml, only=None):
        relay, sink = self.signing(yaml)
        out = []
        for name, data in corpus():
            if only is None or name in only:
                out.append((name, self.deliver(relay, sink, data).data))
        self.stop(relay)
        return out

    def check(self, messages, count, programs):
        plain = [m for n, m in messages if n != 'signed already']
        for _, m in messages:
            self.assertTrue(m.startswith(b'DKIM-Signature: v=1; a='))
        for program in programs:
            program(plain, count)

    def test_default_forms(self):
        self.check(self.messages(None), 1, [
            self.by_python, self.by_mailauth, self.by_opendkim])

    def test_relaxed_body_and_two_keys(self):
        yaml = domains(example__lab=[
            dkim_map('rsa', RSA, canonicalization='relaxed/relaxed'),
            dkim_map('ed', ED, canonicalization='simple/simple')])
        self.check(self.messages(yaml), 2, [self.by_python, self.by_mailauth])

    def test_simple_header(self):
        yaml = domains(example__lab=[
            dkim_map('rsa', RSA, canonicalization='simple/relaxed')])
        messages = self.messages(yaml)
        self.check(messages, 1, [self.by_python, self.by_mailauth])
        # OpenDKIM's test mode does not keep the blanks behind a colon.
        self.by_opendkim([m for n, m in messages if n not in (
            'folded', 'empty fields', 'case', 'long header',
            'signed already')], 1)


class Rules(Signed):
    def test_subdomains_and_identity(self):
        relay, sink = self.signing(domains(example__lab=[
            dkim_map('rsa', RSA, subdomains='true')]))
        mail = self.deliver(relay, sink,
                            HEAD % b'News.example.lab' + b'\r\nhi\r\n')
        self.verified(mail.data)
        self.assertIn(b'i=@news.example.lab;', mail.data)
        mail = self.deliver(relay, sink, HEAD % b'example.lab' + b'\r\nhi\r\n')
        self.verified(mail.data)
        self.assertNotIn(b'i=@', signatures(mail.data)[0])
        mail = self.deliver(relay, sink, HEAD % b'xexample.lab' + b'\r\nhi\r\n')
        self.verified(mail.data, 0)
        self.stop(relay)

    def test_the_first_from_address_decides(self):
        relay, sink = self.signing()
        for line, count in (
                (b'From: a@example.lab, b@other.lab', 1),
                (b'From: b@other.lab, a@example.lab', 0),
                (b'From: group: <a@example.lab>;', 1),
                (b'From: "x@other.lab" <a@EXAMPLE.lab> (c@other.lab)', 1),
                (b'From: a@example.lab\r\nFrom: b@other.lab', 1)):
            mail = self.deliver(relay, sink,
                                line + b'\r\nSubject: x\r\n\r\nhi\r\n')
            self.assertEqual(len(signatures(mail.data)), count, line)
            self.verified(mail.data, count)
        self.stop(relay)

    def test_what_cannot_be_read_is_refused(self):
        relay, sink = self.signing()
        with self.talk(relay) as t:
            t.hello()
            for line in (b'From: a@example.lab b@other.lab', b'From: <>',
                         b'From: me', b'From: a@example.lab (unended',
                         b'From: me@M\xc3\x9cNCHEN.' + b'\xc3\xbc' * 60):
                code, text = t.message(line + b'\r\n\r\nhi\r\n')
                self.assertEqual(code, 550, line)
                self.assertIn('5.6.0 the From field cannot be read', text)
            # Without From it would be made of the envelope's sender.
            code, text = t.message(b'Subject: x\r\n\r\nhi\r\n',
                                   sender='=?utf-8?q?me?=@example.lab')
            self.assertEqual(code, 550, text)
            code, text = t.message(b'Subject: x\r\n\r\nhi\r\n', sender='')
            self.assertEqual(code, 250, text)
        self.stop(relay)

    def test_opendkims_tables(self):
        relay, sink = self.pair(start=False)
        folder = os.path.join(relay.config_dir, 'opendkim')
        os.makedirs(folder)
        with open(folder + '/key.pem', 'w') as f:
            f.write(RSA)
        with open(folder + '/keytable', 'w') as f:
            f.write('k1 %%:rsa:%s/key.pem\n' % folder)
        with open(folder + '/signingtable', 'w') as f:
            f.write('*@example.lab k1\nboss@*.example.lab k1\n')
        relay.start()
        self.records = dict(self.records)
        self.records['rsa._domainkey.x.example.lab'] = RSA_TXT
        for who, count in ((b'me@example.lab', 1), (b'me@x.example.lab', 0),
                           (b'boss@x.example.lab', 1)):
            mail = self.deliver(relay, sink,
                                b'From: %s\r\n\r\nhi\r\n' % who)
            self.verified(mail.data, count)
        self.stop(relay)


class Late(Signed):
    """Signatures are made when mail leaves."""

    def test_a_new_key_applies_to_queued_mail(self):
        relay, sink = self.signing('config: {verbose: true}')
        sink.on('mail', '450 4.3.0 not now')
        bodies = [b'small', b'0123456789' * 20 * 2000]
        ids = [self.send(relay, HEAD % b'example.lab' + b'\r\n' +
                         re.sub(rb'(.{70})', rb'\1\r\n', b) + b'\r\n')
               for b in bodies]
        for i in ids:
            relay.wait('deferred', id=i)
        relay.write_yaml(domains(example__lab=[
            dkim_map('rsa', RSA, canonicalization='relaxed/relaxed')]))
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded', count=len(relay.workers()))
        sink.on('mail', None)
        done = relay.command('queue', 'retry')
        self.assertEqual(done.returncode, 0, done.stderr)
        mails = sink.wait(2)
        for mail in mails:
            self.verified(mail.data)
        self.stop(relay)

    def test_reports_of_ours_are_signed(self):
        relay, sink = self.signing(sets={'hostname': 'example.lab'})
        sink.on('rcpt', lambda s, arg: '550 5.1.1 no such user'
                if b'nobody' in arg else None)
        self.send(relay, HEAD % b'other.lab' + b'\r\nhi\r\n',
                  rcpts=('nobody@example.net',))
        mail = sink.wait(1)[0]
        self.assertIn(b'MAILER-DAEMON@example.lab', mail.data)
        self.verified(mail.data)
        self.stop(relay)

    def test_one_signature_for_many_destinations(self):
        dns = self.dns(''.join('d%d A 127.0.0.%d\n' % (i, i)
                               for i in range(2, 8)))
        sinks = [self.sink('127.0.0.2')]
        sinks += [self.sink('127.0.0.%d' % i, port=sinks[0].port)
                  for i in range(3, 8)]
        relay = self.relay(
            {'dns.servers': dns.servers, 'delivery.port': sinks[0].port,
             'log.level': 'debug', 'delivery.tls': 'none'},
            yaml=domains(example__lab=[dkim_map('rsa', RSA)]))
        self.send(relay, HEAD % b'example.lab' + b'\r\nhi\r\n',
                  rcpts=['x@d%d.lab' % i for i in range(2, 8)])
        mails = [s.wait(1)[0] for s in sinks]
        self.assertEqual(len(set(m.data for m in mails)), 1)
        self.verified(mails[0].data)
        self.assertEqual(len(relay.find('signed')), 1)
        self.stop(relay)

    def test_a_header_that_is_too_long_stays(self):
        relay, sink = self.signing()
        data = (b'From: me@example.lab\r\n' + b''.join(
            b'X-Field: %s\r\n' % (b'v' * 900) for i in range(300)) +
            b'\r\nx\r\n')
        i = self.send(relay, data)
        relay.wait('dkim_failed', id=i,
                   reply='the header section is too long')
        e = relay.wait('deferred', id=i)
        self.assertIn('cannot be signed (DKIM)', e['reply'])
        self.assertEqual(sink.mails, [])
        self.stop(relay)


class Tool(Signed):
    def test_keygen_and_check(self):
        relay, _ = self.pair(start=False)
        names = []
        zone = ''
        yaml = 'domains:\n'
        for i, words in enumerate((['-t', 'rsa'], ['-t', 'ed25519'],
                                   ['-b', '1024'], ['-b', '3072'], [], [])):
            path = os.path.join(self.root, 'key%d' % i)
            done = relay_free(['dkim', 'keygen', '-d', 'k%d.lab' % i, '-s',
                               's', '-o', path] + words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            for string in re.findall(r'"([^"]*)"', done.stdout):
                self.assertLessEqual(len(string), 255)
            if i == 4:      # another's key is published
                done.stdout = zone_txt('s._domainkey.k4.lab.', RSA_TXT)
            if i != 5:
                zone += done.stdout.replace('\n\t', ' ')
            yaml += '  - {name: k%d.lab, dkim: {selector: s, key_file: %s}}\n' \
                % (i, path)
            names.append('s._domainkey.k%d.lab' % i)
        dns = self.dns(zone)
        relay.write_yaml(yaml)
        relay.sets['dns.servers'] = dns.servers
        done = relay.command('dkim', 'check')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        said = dict(reversed(line.split(':')[0].split())
                    for line in done.stdout.splitlines())
        self.assertEqual(said, dict(zip(names, (
            'good', 'good', 'good', 'good', 'different', 'missing'))))

    def test_keygen_never_writes_over_a_key(self):
        path = self.file('key', b'precious')
        done = relay_free(['dkim', 'keygen', '-d', 'a.lab', '-s', 's', '-o',
                           path])
        self.assertNotEqual(done.returncode, 0)
        with open(path) as f:
            self.assertEqual(f.read(), 'precious')
        for words in (['-d', 'a.lab'], ['-d', 'a.lab', '-s', 's', '-b', '512'],
                      ['-d', 'a.lab', '-s', 's', '-t', 'dsa'],
                      ['-d', 'a.lab', '-s', 's', '-t', 'ed25519', '-b', '9']):
            done = relay_free(['dkim', 'keygen', '-o', path + 'x'] + words)
            self.assertEqual(done.returncode, 64, done.stdout)


def relay_free(words):
    """The program without any configuration."""
    return subprocess.run([PROGRAM] + words, capture_output=True, text=True)
