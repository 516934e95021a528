"""The image, started as Docker starts it: python3 image_test.py ROOT INSPECT

ROOT is the image's file system, INSPECT what buildah says of it.  Run by
image.sh, in a network of its own whose low ports anybody may use, as Docker
has it.  crun starts each container: read-only root, Docker's capabilities and
a list of system calls without io_uring's."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, 'e2e'))
sys.dont_write_bytecode = True

import run as e2e_run  # noqa: E402
from relay import Relay  # noqa: E402
from sink import Sink  # noqa: E402

ROOT, IMAGE = None, None
PORTS_FREE = '/proc/sys/net/ipv4/ip_unprivileged_port_start'
PROFILE = os.path.join(HERE, '..', 'chart', 'files', 'seccomp.json')
DEFAULT_PROFILE = '/usr/share/containers/seccomp.json'
CAPABILITIES = ['CAP_' + name for name in (
    'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP '
    'SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE').split()]
USER = 587


def without_io_uring():
    """What a runtime's default profile allows to those without privileges."""
    with open(DEFAULT_PROFILE) as f:
        groups = json.load(f)['syscalls']
    names = {'socket', 'arch_prctl', 'personality'}
    for group in groups:
        if group['action'] == 'SCMP_ACT_ALLOW' and not (
                group.get('includes') or group.get('args')):
            names.update(group['names'])
    assert 'read' in names and 'io_uring_setup' not in names
    return {'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 1,
            'architectures': ['SCMP_ARCH_X86_64'],
            'syscalls': [{'names': sorted(names),
                          'action': 'SCMP_ACT_ALLOW'}]}


def with_io_uring():
    with open(PROFILE) as f:
        return json.load(f)


class Container(Relay):
    """A Relay whose process is a container."""
    count = 0

    def __init__(self, words=(), env=None, volumes=None, user=None,
                 capabilities=CAPABILITIES, seccomp=None, privileges=True):
        Container.count += 1
        self.id = 'smarthost-%d-%d' % (os.getpid(), Container.count)
        self.root = tempfile.mkdtemp(prefix='smarthost-image-', dir='/var/tmp')
        self.words, self.env = list(words), dict(env or {})
        self.volumes = dict(volumes or {})
        self.user = USER if user is None else user
        self.capabilities, self.privileges = capabilities, privileges
        self.seccomp = seccomp or without_io_uring()
        self.process, self.log, self.text = None, [], []
        self.changed = threading.Condition()
        self.stalled = threading.Event()
        for path in IMAGE['Volumes']:
            if path not in self.volumes:    # an anonymous one
                self.volumes[path] = volume(self.root, USER, 0o700)

    def crun(self, *words):
        return ['crun', '--root', os.path.join(self.root, 'crun'),
                '--cgroup-manager=disabled'] + list(words)

    def mounts(self):
        system = [
            ('/proc', 'proc', 'proc', []),
            ('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'mode=755', 'size=64k']),
            ('/dev/pts', 'devpts', 'devpts', ['newinstance', 'ptmxmode=0666']),
            ('/dev/shm', 'tmpfs', 'shm', ['nosuid', 'nodev', 'mode=1777'])]
        return [{'destination': a, 'type': b, 'source': c, 'options': d}
                for a, b, c, d in system] + [
            {'destination': where, 'type': 'bind', 'source': what,
             'options': ['rbind', 'rw']}
            for where, what in self.volumes.items()]

    def bundle(self):
        env = list(IMAGE['Env']) + ['%s=%s' % i for i in self.env.items()]
        mine = self.capabilities if self.user == 0 else []
        config = {
            'ociVersion': '1.0.2', 'hostname': 'container',
            'process': {
                'user': {'uid': self.user, 'gid': self.user},
                'args': IMAGE['Entrypoint'] + (self.words or IMAGE['Cmd']),
                'env': env, 'cwd': IMAGE['WorkingDir'] or '/',
                'noNewPrivileges': not self.privileges,
                'capabilities': {'bounding': self.capabilities,
                                 'effective': mine, 'permitted': mine}},
            'root': {'path': ROOT, 'readonly': True},
            'mounts': self.mounts(),
            'linux': {'namespaces': [{'type': t} for t in
                                     ('pid', 'mount', 'ipc', 'uts')],
                      'seccomp': self.seccomp}}
        with open(os.path.join(self.root, 'config.json'), 'w') as f:
            json.dump(config, f)

    def start(self, ready=True, seconds=30):
        mark = len(self.log)
        self.bundle()
        self.process = subprocess.Popen(
            self.crun('run', '-b', self.root, self.id),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        self.reader = threading.Thread(
            target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        if ready:
            self.wait('ready', seconds=seconds, since=mark)
        return self

    def end(self):
        """What came out of it, when it ends by itself, and its status."""
        self.start(ready=False)
        self.process.wait(30)
        self.reader.join(5)
        return '\n'.join(self.text + [str(e) for e in self.log]), \
            self.process.returncode

    def inside(self, *words):
        return subprocess.run(self.crun(
            'exec', '--user', '%d:%d' % (self.user, self.user), self.id, *words),
                              stdin=subprocess.DEVNULL, timeout=30, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def stop(self, seconds=45):
        subprocess.run(self.crun('kill', self.id, IMAGE['StopSignal'][3:]
                                 if IMAGE['StopSignal'].startswith('SIG')
                                 else IMAGE['StopSignal']), check=True)
        self.process.wait(seconds)
        self.reader.join(5)
        return self.process.returncode

    def clean_up(self):
        if self.process and self.process.poll() is None:
            subprocess.run(self.crun('delete', '--force', self.id))
            self.process.wait(10)
        if self.process:
            self.process.stdout.close()
        shutil.rmtree(self.root, ignore_errors=True)


def volume(below, owner, mode=0o755):
    path = tempfile.mkdtemp(prefix='volume-', dir=below)
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    return path


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='smarthost-image-',
                                       dir='/var/tmp')
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.sink = Sink('127.0.0.1')
        self.addCleanup(self.sink.close)

    def container(self, *words, **options):
        env = {'SH_RELAY_HOST': self.sink.next_hop}
        env.update(options.pop('env', {}))
        made = Container(words, env=env, **options)
        self.addCleanup(made.clean_up)
        return made

    def directory(self, files, mode=0o644):
        """A configuration directory to mount."""
        top = tempfile.mkdtemp(prefix='etc-', dir=self.folder)
        os.chmod(top, 0o755)
        for name, text in files.items():
            path = os.path.join(top, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as f:
                f.write(text)
            os.chmod(path, mode)
        return top

    def swaks(self, *words, port=587):
        done = subprocess.run(
            ['swaks', '--server', '127.0.0.1:%d' % port, '--from',
             'me@mydomain.com', '--to', 'you@example.net', '--helo', 'client',
             '--timeout', '20'] + list(words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=40)
        return done.returncode, done.stdout

    def send(self, *words, **options):
        status, text = self.swaks(*words, **options)
        self.assertEqual(status, 0, text)
        return text

    def arrived(self, relay, count=1):
        relay.wait('delivered', count=count, seconds=30)
        self.assertEqual(len(self.sink.mails), count)
        return self.sink.mails[-1]


class Image(Case):
    def test_what_it_declares(self):
        self.assertEqual(IMAGE['User'], '%d:%d' % (USER, USER))
        self.assertEqual(set(IMAGE['ExposedPorts']),
                         {'587/tcp', '586/tcp', '465/tcp'})
        self.assertEqual(set(IMAGE['Volumes']), {'/var/spool/smarthost'})
        self.assertEqual(IMAGE['StopSignal'], 'SIGTERM')
        self.assertEqual(IMAGE['Healthcheck']['Test'],
                         ['CMD', 'smarthost', 'health'])

    def test_it_has_nothing_to_build_with(self):
        for name in ('gcc', 'make', 'git', 'setcap', 'curl', 'python3'):
            self.assertIsNone(shutil.which(name, path=os.path.join(
                ROOT, 'usr/bin') + ':' + os.path.join(ROOT, 'usr/sbin')),
                name)
        self.assertEqual(os.listdir(os.path.join(ROOT, 'var/lib/apt/lists')),
                         [])


class Docker(Case):
    """As `docker run IMAGE` does."""

    def test_a_mail(self):
        relay = self.container().start()
        self.assertEqual(relay.find('ready')[0]['hostname'],
                         'localhost.localdomain')
        self.send()
        self.assertIn('mydomain.com', self.arrived(relay).sender)
        told = relay.find('slower')
        self.assertEqual(len(told), 1, told)
        self.assertIn('seccomp', told[0]['what'])
        ids = set(re.findall(r'^(?:Uid|Cap(?:Prm|Eff)):\s*(.*)$', relay.inside(
            'sh', '-c', 'cat /proc/[0-9]*/status').stdout, re.M))
        self.assertEqual({i.split()[0] for i in ids if '\t' in i}, {'587'})
        self.assertIn('a worker takes mail', relay.inside(
            *IMAGE['Healthcheck']['Test'][1:]).stdout)
        self.assertEqual(relay.stop(), 0, relay.tail())

    def test_behind_a_proxy(self):
        relay = self.container().start()
        status, text = self.swaks('--proxy-version', '1', '--proxy-family',
                                  'TCP4', '--proxy-source', '10.1.2.3',
                                  '--proxy-source-port', '4000',
                                  '--proxy-dest', '10.9.9.9', '--proxy-dest-port',
                                  '587', port=586)
        self.assertEqual(status, 0, text)
        self.assertIn(b'10.1.2.3', self.arrived(relay).data)

    def test_with_the_profile_that_allows_io_uring(self):
        relay = self.container(seccomp=with_io_uring()).start()
        self.assertEqual(relay.find('slower'), [])
        self.assertEqual(relay.wait('worker_ready')['loop'], 'io_uring')
        self.send()
        self.arrived(relay)
        self.assertEqual(relay.stop(), 0, relay.tail())

    def test_low_ports_by_the_file(self):
        """An engine that leaves low ports privileged (Podman)."""
        with open(PORTS_FREE, 'w') as f:
            f.write('1024')
        try:
            relay = self.container().start()
            self.send()
            self.arrived(relay)
            out, status = self.container(capabilities=[]).end()
        finally:
            with open(PORTS_FREE, 'w') as f:
                f.write('0')
        self.assertEqual(status, 71, out)
        self.assertIn('listen_failed', out)

    def test_root_gives_itself_up(self):
        spool = volume(self.folder, 0)
        relay = self.container(
            user=0, volumes={'/var/spool/smarthost': spool}).start()
        self.send()
        self.arrived(relay)
        self.assertEqual(os.stat(spool + '/0').st_uid, USER)


class Kubernetes(Case):
    """As the kubelet starts the chart's pods: no capability, no new privileges,
    low ports by the sysctl; volumes with fsGroup; Secrets behind symlinks."""

    def secret(self, top, number, files):
        """The n-th state of a mounted Secret: the swap of a symlink."""
        data = os.path.join(top, '..%d' % number)
        os.mkdir(data)
        for name, text in files.items():
            path = os.path.join(data, name)
            with open(path, 'w') as f:
                f.write(text)
            os.chown(path, 0, USER)
            os.chmod(path, 0o440)
            if not os.path.lexists(os.path.join(top, name)):
                os.symlink('..data/' + name, os.path.join(top, name))
        os.symlink('..%d' % number, os.path.join(top, '..new'))
        os.rename(os.path.join(top, '..new'), os.path.join(top, '..data'))

    def test_a_pod(self):
        spool = volume(self.folder, 0)
        os.chown(spool, 0, USER)
        os.chmod(spool, 0o2775)
        etc = self.directory({})
        os.mkdir(etc + '/yaml.d')
        text = 'config: {hostname: %s.mydomain.com}\n'
        self.secret(etc + '/yaml.d', 1, {'a.yaml': text % 'first'})
        relay = self.container(
            'run', '--set', "config.admin.listen=['*:8080']",
            capabilities=[], privileges=False,
            volumes={'/var/spool/smarthost': spool,
                     '/etc/smarthost': etc}).start()
        self.assertIn('220 first.', self.send())
        self.arrived(relay)
        with urllib.request.urlopen('http://127.0.0.1:8080/readyz') as answer:
            self.assertEqual(answer.status, 200)
        mark = relay.mark()
        self.secret(etc + '/yaml.d', 2, {'a.yaml': text % 'second'})
        relay.wait('reload', since=mark)
        self.assertIn('220 second.', self.send())
        self.assertEqual(relay.stop(), 0, relay.tail())

    def test_what_the_charts_scripts_run(self):
        for name in ('bash', 'sh', 'sleep', 'date', 'grep', 'hostname'):
            self.assertTrue(os.path.exists(os.path.join(
                ROOT, 'usr/bin', name)), name)


class Volumes(Case):
    def kept(self, where, spool):
        """A mail that waits is delivered by the next container."""
        options = {'volumes': {where: spool},
                   'env': {'SH_HOSTNAME': 'relay.mydomain.com'}}
        self.sink.on('banner', lambda s, arg: '421 4.3.2 not now')
        relay = self.container(**options).start()
        self.send()
        relay.wait('deferred')
        self.assertEqual(relay.stop(), 0, relay.tail())
        self.sink.on('banner', lambda s, arg: None)
        again = self.container('run', '--set', 'config.retry.first=1s',
                               **options).start()
        again.inside('smarthost', 'queue', 'retry')
        self.arrived(again)
        return again

    def test_kept_over_a_restart(self):
        spool = volume(self.folder, USER, 0o700)
        self.kept('/var/spool/smarthost', spool)
        self.assertTrue(os.path.isdir(spool + '/0'))

    def test_the_mount_point_of_old(self):
        """As Postfix leaves it: its directories in it, of another user."""
        spool = volume(self.folder, USER)
        os.mkdir(spool + '/deferred', 0o700)
        relay = self.kept('/var/spool/postfix', spool)
        self.assertEqual(relay.find('spool_in_old_volume')[0]['path'],
                         '/var/spool/postfix/smarthost')
        self.assertTrue(os.path.isdir(spool + '/smarthost/0'))

    def test_the_mount_point_of_old_as_root_has_it(self):
        spool = volume(self.folder, 0)
        os.mkdir(spool + '/deferred', 0o700)
        os.chown(spool + '/deferred', 100, 101)
        out, status = self.container(
            volumes={'/var/spool/postfix': spool}).end()
        self.assertEqual(status, 73, out)
        self.assertIn('--user 0', out)
        relay = self.container(
            user=0, volumes={'/var/spool/postfix': spool}).start()
        self.send()
        self.arrived(relay)
        self.assertEqual(os.stat(spool + '/smarthost').st_uid, USER)
        self.assertEqual(os.stat(spool + '/deferred').st_uid, 100)


class Entrypoint(Case):
    def test_hooks(self):
        """The programs among them, in order; without the bit: said, not run."""
        etc = self.directory({
            'docker-entrypoint.d/20-b.sh': '#!/bin/sh\necho second\n',
            'docker-entrypoint.d/10-a.sh':
                '#!/bin/sh\necho first ran as $(id -u) for $APP_CONF\n',
            'docker-entrypoint.d/30-not.txt': '#!/bin/sh\nexit 1\n',
            'docker-entrypoint.d/40-not.sh': '#!/bin/sh\nexit 1\n'}, 0o755)
        os.chmod(etc + '/docker-entrypoint.d/40-not.sh', 0o644)
        relay = self.container(volumes={'/etc/smarthost': etc}).start()
        said = [t for t in relay.text if not t.startswith('running')]
        self.assertEqual(said[:2], ['first ran as 587 for /etc/smarthost',
                                    'second'])
        self.assertIn('40-not.sh, which is not executable', said[2])

    def test_a_hook_that_fails(self):
        etc = self.directory({'docker-entrypoint.d/a.sh':
                              '#!/bin/sh\nexit 1\n'}, 0o755)
        out, status = self.container(volumes={'/etc/smarthost': etc}).end()
        self.assertEqual(status, 1, out)
        self.assertNotIn('ready', out)

    def test_commands(self):
        out, status = self.container('check', '--print').end()
        self.assertEqual(status, 0, out)
        self.assertIn('127.0.0.1', out)
        out, status = self.container('sh', '-c', 'echo $((20 + 3)) times').end()
        self.assertEqual((out, status), ('23 times', 0))
        out, status = self.container('nonsense').end()
        self.assertEqual(status, 64, out)

    def test_a_wrong_configuration(self):
        out, status = self.container(env={'SH_TLS_LEVEL': 'sometimes'}).end()
        self.assertEqual(status, 78, out)
        self.assertIn('SH_TLS_LEVEL', out)

    def test_the_test(self):
        """Its own relay, a mail, its end: with the words of the old image."""
        out, status = self.container('test', 'you@example.net', '--from',
                                     'me@mydomain.com').end()
        self.assertEqual(status, 0, out)
        self.assertEqual(len(self.sink.mails), 1, out)
        self.assertIn('EHLO', out)

    def test_the_test_beside_a_relay(self):
        relay = self.container().start()
        done = relay.inside(*IMAGE['Entrypoint'], 'test', 'you@example.net',
                            '--from', 'me@mydomain.com')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.arrived(relay)
        self.assertEqual(relay.stop(), 0, relay.tail())


class OldManual(Case):
    """What those who come from the old image have in their files."""

    def test_environment(self):
        relay = self.container(env={
            'SH_HOSTNAME': 'relay.mydomain.com',
            'SH_ALLOWED_NETWORKS': '0.0.0.0/0', 'SH_AUTH': 'user:password',
            'SH_TLS_LEVEL': 'encrypt', 'SH_VERBOSE': 'true'}).start()
        status, text = self.swaks()
        self.assertNotEqual(status, 0)
        self.assertIn('530 5.7.0', text)
        text = self.send('--tls', '--auth', 'LOGIN', '--auth-user', 'user',
                         '--auth-password', 'password')
        self.assertIn('relay.mydomain.com', text)
        self.arrived(relay)

    def test_yaml(self):
        etc = self.directory({'yaml.d/smarthost.yaml': '''
config:
  hostname: 'relay.mydomain.com'
  auth: true
  sender_restrictions: 'domain'
  tls:
    level: 'may'

users:
  - name: 'user1'
    password: 'password1'
  - name: 'user2'
    password: 'password2'

domains:
  - name: 'mydomain.com'
  - name: 'mydomain.io'
'''})
        relay = self.container(volumes={'/etc/smarthost': etc}).start()
        login = ['--auth', 'PLAIN', '--auth-user', 'user2',
                 '--auth-password', 'password2']
        status, text = self.swaks(*login, '--from', 'me@elsewhere.com')
        self.assertNotEqual(status, 0)
        self.assertIn('553 5.7.1', text)
        self.send('--tls', *login)
        self.arrived(relay)

    def test_low_level_files(self):
        key = subprocess.run(['openssl', 'genrsa', '2048'], text=True,
                             capture_output=True, check=True).stdout
        etc = self.directory({
            'postfix.d/10.conf': '''# Verbose
-M -e submission/inet="submission inet n - n - - smtpd -v"

# Hostname
-e myhostname="relay.mydomain.com"
-e smtp_helo_name="relay.mydomain.com"
''',
            'opendkim/signingtable':
                'mydomain.com myrelay._domainkey.mydomain.com\n',
            'opendkim/keytable':
                'myrelay._domainkey.mydomain.com mydomain.com:myrelay:'
                '/etc/smarthost/opendkim.keys/mydomain.key\n',
            'opendkim.keys/mydomain.key': key,
            'users.d/users.conf': '# [username] [password]\n'
                                  'user1       password1\n'
                                  'username2   password2\n'})
        relay = self.container(volumes={'/etc/smarthost': etc}).start()
        self.assertEqual(relay.find('ready')[0]['hostname'],
                         'relay.mydomain.com')
        self.send()
        mail = self.arrived(relay)
        self.assertIn(b'd=mydomain.com', mail.head())
        self.assertIn(b's=myrelay', mail.head())


if __name__ == '__main__':
    ROOT = sys.argv[1]
    with open(sys.argv[2]) as f:
        IMAGE = json.load(f)['Docker']['config']
    names = sys.argv[3:] or None
    load = unittest.TestLoader()
    suite = load.loadTestsFromNames(names, sys.modules['__main__']) \
        if names else load.loadTestsFromModule(sys.modules['__main__'])
    result = unittest.TextTestRunner(
        sys.stdout, verbosity=0, resultclass=e2e_run.Result).run(suite)
    bad = len(result.failures) + len(result.errors)
    print('%d passed, %d failed' % (result.testsRun - bad, bad))
    sys.exit(bad != 0)
