"""examples/: each is started as its compose file or its chart says, and its
README's first mail is sent."""
import glob
import os
import re
import shutil
import socket
import ssl
import subprocess
import unittest

try:
    import yaml
except ImportError:
    yaml = None
from case import Case
from relay import Relay

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
EXAMPLES = os.path.join(TOP, 'examples')
VERIFY = os.path.join(TOP, 'tests', 'dkim', 'verify.py')
# python3-dkim is Debian's, for Debian's Python.
PYTHON = '/usr/bin/python3'


def path_of(*names):
    return os.path.join(EXAMPLES, *names)


def read(*names):
    with open(path_of(*names)) as f:
        return f.read()


def shell_of(name, first):
    """The command in the README's code that begins with this word."""
    for block in re.findall(r'^```sh\n(.*?)^```', read(name, 'README.md'),
                            re.M | re.S):
        found = re.search(r'^%s .*?[^\\]\n' % first, block, re.M | re.S)
        if found:
            return found[0]
    raise AssertionError('no command %s in %s' % (first, name))


def records_of(name):
    """The DNS records that the README shows, by name."""
    return {n: ''.join(re.findall(r'"([^"]*)"', strings)) for n, strings in
            re.findall(r'^(\S+)\. IN TXT \((.*?)\)', read(name, 'README.md'),
                       re.M | re.S)}


@unittest.skipIf(yaml is None, 'apt-get install python3-yaml')
class Example(Case):
    def started(self, fill):
        """A relay whose configuration directory `fill` has filled."""
        sink = self.sink()
        relay = Relay({'relay.host': sink.next_hop, 'hostname': None})
        self.addCleanup(self._end, relay)
        shutil.rmtree(relay.config_dir)
        fill(relay.config_dir)
        relay.start()
        return relay, sink

    def composed(self, name):
        """As the compose file has it: what it mounts is there."""
        service = yaml.safe_load(read(name, 'compose.yaml'))[
            'services']['smarthost']
        self.assertTrue(os.path.exists(
            path_of(name, service['build'], 'Dockerfile')))
        for option in service['security_opt']:
            if option.startswith('seccomp:'):
                self.assertTrue(os.path.exists(path_of(name, option[8:])))

        def fill(config_dir):
            for volume in service['volumes']:
                what, where = volume.split(':')[:2]
                if not where.startswith('/etc/smarthost'):
                    self.assertEqual(where, '/var/spool/smarthost')
                    continue
                to = config_dir + where[len('/etc/smarthost'):]
                os.makedirs(os.path.dirname(to), exist_ok=True)
                copy = shutil.copytree if os.path.isdir(
                    path_of(name, what)) else shutil.copy
                copy(path_of(name, what), to)
        ports = [p.split(':') for p in service['ports']]
        self.assertIn(['8587', '587'], ports)
        return self.started(fill)

    def first_mail(self, name, relay, port, host='127.0.0.1', change=None):
        command = shell_of(name, 'printf')
        self.assertIn('smtp://%s:%d' % (host, port), command)
        command = command.replace('smtp://%s:%d' % (host, port),
                                  'smtp://127.0.0.1:%d' % relay.port)
        if change:
            self.assertIn(change[0], command)
            command = command.replace(*change)
        return subprocess.run(['sh', '-c', command], text=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def arrives(self, name, relay, sink, port, **options):
        done = self.first_mail(name, relay, port, **options)
        self.assertEqual(done.returncode, 0, done.stdout)
        relay.wait('delivered')
        return sink.mails[-1]

    def verify(self, name, mail, folder):
        records = records_of(name)
        self.assertTrue(records)
        data = re.sub(rb'(\r\n)\.\.', rb'\1.', mail.data)
        with open(os.path.join(folder, 'mail'), 'wb') as f:
            f.write(b'%d\n%s' % (len(data), data))
        done = subprocess.run(
            [PYTHON, VERIFY, f.name, '1'] + ['%s=%s' % i for i in
                                             records.items()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def certificate(self, relay):
        """What a client sees after STARTTLS, as PEM."""
        with socket.create_connection(('127.0.0.1', relay.port)) as s:
            for line in (None, b'EHLO a\r\n', b'STARTTLS\r\n'):
                if line:
                    s.sendall(line)
                s.recv(4096)
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with context.wrap_socket(s) as t:
                return ssl.DER_cert_to_PEM_cert(t.getpeercert(True))


class AllInOne(Example):
    NAME = 'yaml-all-in-one'

    def test_first_mail(self):
        relay, sink = self.composed(self.NAME)
        mail = self.arrives(self.NAME, relay, sink, 8587)
        self.verify(self.NAME, mail, relay.root)

    def test_who_may_not(self):
        relay, sink = self.composed(self.NAME)
        for change in ((':test-password', ':wrong'), ('--ssl-reqd', ''),
                       ('From: shop@', 'From: boss@')):
            done = self.first_mail(self.NAME, relay, 8587, change=change)
            self.assertNotEqual(done.returncode, 0, change)
        self.assertEqual(sink.mails, [])


class YamlAndTls(Example):
    NAME = 'yaml-and-tls'

    def test_first_mail(self):
        relay, sink = self.composed(self.NAME)
        self.arrives(self.NAME, relay, sink, 8587)
        self.assertEqual(
            self.certificate(relay),
            read(self.NAME, 'config/postfix.tls/tls.crt'))

    def test_who_may_not(self):
        relay, sink = self.composed(self.NAME)
        done = self.first_mail(self.NAME, relay, 8587,
                               change=('a@example.org', 'a@example.com'))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(sink.mails, [])


class HelmFull(Example):
    """The files that its command hands to the chart, and a certificate in
    cert-manager's place; that the chart mounts them so is tests/chart.sh's."""
    NAME = 'helm-full'
    DIRECTORIES = {'yaml': 'yaml.d', 'opendkim-keys': 'opendkim.keys'}

    def fill(self, config_dir):
        given = re.findall(r'--set-file config\.([a-z-]+)\.data\."([^"]+)"=(\S+)',
                           shell_of(self.NAME, 'helm'))
        self.assertEqual(len(given), len(glob.glob(
            path_of(self.NAME, '*.*', '*'))))
        for part, name, file in given:
            to = os.path.join(config_dir, self.DIRECTORIES[part])
            os.makedirs(to, exist_ok=True)
            shutil.copy(path_of(self.NAME, file),
                        os.path.join(to, name.replace('\\', '')))
        shutil.copytree(path_of('yaml-and-tls', 'config', 'postfix.tls'),
                        os.path.join(config_dir, 'postfix.tls'))

    def test_first_mail(self):
        relay, sink = self.started(self.fill)
        values = yaml.safe_load(read(self.NAME, 'values.yaml'))
        mail = self.arrives(self.NAME, relay, sink,
                            values['service']['nodePort'], host='192.0.2.25')
        self.verify(self.NAME, mail, relay.root)
