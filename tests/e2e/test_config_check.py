"""Keys, certificates and passwords that cannot be used: said by file and line,
before the relay starts and at a reload."""
import os
import signal
import subprocess

from case import Case
from talk import Talk


def openssl(*words):
    subprocess.run(['openssl', *words], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Check(Case):
    def setUp(self):
        self.held = self.relay({'hostname': None}, start=False)
        self.dir = self.held.config_dir
        os.makedirs(self.path('keys'))

    def path(self, name):
        return os.path.join(self.dir, name)

    def certificate(self, name, *kind):
        openssl('req', '-x509', '-newkey', *kind, '-nodes', '-days', '9',
                '-subj', '/CN=relay.example', '-keyout',
                self.path('keys/%s.key' % name), '-out',
                self.path('keys/%s.crt' % name))

    def ec(self, name):
        self.certificate(name, 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')

    def check(self, yaml, *words):
        """The lines that are said; none when the configuration is good."""
        self.held.write_yaml(yaml)
        done = self.held.command('check', *words)
        self.assertEqual(done.returncode, 78 if done.stderr and not all(
            ': warning: ' in line for line in done.stderr.splitlines())
            else 0, done.stderr)
        return done.stderr.replace(self.dir + '/', '').splitlines()

    def tls(self, crt, key):
        return ('config:\n  tls:\n    level: may\n    crt_file: keys/%s\n'
                '    key_file: keys/%s\n' % (crt, key))

    def dkim(self, key):
        return ('domains:\n- name: a.example\n'
                '  dkim: {selector: s, key_file: keys/%s}\n' % key)

    def test_certificate_and_key(self):
        self.ec('a')
        self.ec('b')
        self.certificate('r', 'rsa:2048')
        self.assertEqual(self.check(self.tls('a.crt', 'a.key')), [])
        self.assertEqual(self.check(self.tls('r.crt', 'r.key')), [])
        for crt, key in (('a', 'b'), ('a', 'r'), ('r', 'a')):
            said = self.check(self.tls(crt + '.crt', key + '.key'))
            self.assertEqual(len(said), 1, said)
            self.assertRegex(said[0], r'^keys/%s\.crt: .*private key does not '
                             'belong to the certificate' % crt)
        with open(self.path('keys/cut.key'), 'w') as f:
            f.write(open(self.path('keys/a.key')).read()[:80])
        self.assertRegex(self.check(self.tls('a.crt', 'cut.key'))[0],
                         r'^keys/a\.crt: ')

    def test_dkim_keys(self):
        for name, words in {
                'good': ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
                'short': ['RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
                'tiny': ['RSA', '-pkeyopt', 'rsa_keygen_bits:512'],
                'ed': ['ed25519'],
                'ec': ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']}.items():
            openssl('genpkey', '-algorithm', *words, '-out',
                    self.path('keys/%s.key' % name))
        self.assertEqual(self.check(self.dkim('good.key')), [])
        self.assertEqual(self.check(self.dkim('ed.key')), [])
        said = self.check(self.dkim('short.key'))
        self.assertRegex(said[0], r'^keys/short\.key: warning: ')
        for name in ('tiny', 'ec'):
            said = self.check(self.dkim(name + '.key'))
            self.assertRegex(said[0], r'^keys/%s\.key: key '
                             r's\._domainkey\.a\.example: ' % name)
        said = self.check(self.dkim('absent.key'))
        self.assertRegex(said[0], r'^yaml\.d/50-test\.yaml:3: keys/absent\.key'
                         ': cannot be read: No such file')

    def test_passwords(self):
        said = self.check("users:\n- {name: a, password: good}\n"
                          "- {name: b, password: '{SCRAM-SHA-256}secret'}\n")
        self.assertEqual(len(said), 1, said)
        self.assertRegex(said[0], r'^yaml\.d/50-test\.yaml:3: user b: ')
        self.assertNotIn('secret', said[0])

    def test_all_at_once_and_no_start(self):
        self.ec('a')
        self.ec('b')
        yaml = self.tls('a.crt', 'b.key') + \
            "users: [{name: b, password: '{SCRAM-SHA-256}x'}]\n" + \
            self.dkim('a.key')
        self.assertEqual(len(self.check(yaml)), 3)
        self.held.start(ready=False)
        self.assertEqual(self.held.process.wait(10), 78)

    def test_a_reload_that_is_refused(self):
        self.ec('a')
        self.ec('b')
        self.held.write_yaml(self.tls('a.crt', 'a.key') +
                             '  hostname: one.example\n')
        relay = self.held.start()
        mark = relay.mark()
        relay.write_yaml(self.tls('a.crt', 'b.key') +
                         '  hostname: two.example\n')
        relay.signal(signal.SIGHUP)
        refused = relay.wait('reload_refused', since=mark)
        self.assertIn('does not belong to the certificate', refused['reply'])
        with Talk(relay.port) as t:
            self.assertIn('one.example', t.banner[1])
        relay.write_yaml(self.tls('b.crt', 'b.key') +
                         '  hostname: two.example\n')
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded', since=mark)
        with Talk(relay.port) as t:
            self.assertIn('two.example', t.banner[1])

    def test_what_is_printed_has_sources_and_no_secrets(self):
        os.makedirs(self.path('users.d'))
        with open(self.path('users.d/a.conf'), 'w') as f:
            f.write('anna hidden1\n')
        self.held.env['SH_AUTH'] = 'berta:hidden2'
        self.held.write_yaml('config:\n  relay: {host: smtp.example.net, '
                             'username: carl, password: hidden3}\n')
        done = self.held.command('check', '--print')
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.replace(self.dir + '/', '')
        self.assertNotIn('hidden', text)
        self.assertRegex(text, r'- name: anna  # users\.d/a\.conf:1\n')
        self.assertRegex(text, r'- name: berta  # SH_AUTH\n')
        self.assertRegex(text, r'username: carl  # yaml\.d/50-test\.yaml:2\n')
        self.assertRegex(text, r'auth: true  # SH_AUTH\n')
