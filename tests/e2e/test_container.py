"""What a container needs: the old image's volume, health, privileges that come
with the file."""
import ctypes
import os
import shutil
import re
import subprocess
import tempfile
import unittest

from case import Case
from relay import PROGRAM

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000


def _mount(what, where, kind, flags=0):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(what, where, kind, flags, None):
        raise OSError(ctypes.get_errno(), where)


def old_volume():
    """For this process: an empty /var/spool, a volume on /var/spool/postfix
    (owned by root, as Postfix has it), no Postfix of the machine's own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), 'unshare')
    _mount(b'none', b'/', None, MS_REC | MS_PRIVATE)
    _mount(b'none', b'/var/spool', b'tmpfs')
    if os.path.isdir('/etc/postfix'):
        _mount(b'none', b'/etc/postfix', b'tmpfs')
    os.mkdir('/var/spool/postfix')
    _mount(b'none', b'/var/spool/postfix', b'tmpfs')


@unittest.skipUnless(os.geteuid() == 0, 'only root can mount')
class OldVolume(Case):
    def inside(self, relay, *words):
        """A program in the relay's own world of mounts."""
        return subprocess.run(
            ['nsenter', '-m', '-t', str(relay.process.pid)] + list(words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=20)

    def test_the_queue_is_kept_there(self):
        relay = self.relay({'spool': None, 'relay.host': '[127.0.0.1]:9'},
                           start=False)
        relay.before = old_volume
        relay.start()
        told = relay.wait('spool_in_old_volume')
        self.assertEqual(told['path'], '/var/spool/postfix/smarthost')
        relay.wait('deferred', id=self.send(relay))
        command = [PROGRAM, 'queue', 'list', '--config-dir', relay.config_dir]
        listed = self.inside(relay, *command)
        self.assertIn('from@example.org', listed.stdout)
        self.assertEqual(self.inside(
            relay, 'ls', '-A', '/var/spool').stdout, 'postfix\n')

    def test_another_place_that_is_configured_is_obeyed(self):
        relay = self.relay(start=False)
        relay.before = old_volume
        relay.start()
        self.assertEqual(relay.find('spool_in_old_volume'), [])
        self.assertTrue(os.path.isdir(relay.spool + '/0'))
        self.assertEqual(self.inside(
            relay, 'ls', '-A', '/var/spool/postfix').stdout, '')


class Health(Case):
    def test_good(self):
        relay = self.relay({'workers': '2'})
        done = relay.command('health')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, 'a worker takes mail\n' * 2)

    def test_nobody_there(self):
        relay = self.relay()
        self.stop(relay)
        done = relay.command('health')
        self.assertEqual(done.returncode, 69)
        self.assertIn('no relay is running', done.stderr)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which('setcap'),
                     'needs root and setcap')
class FileCapability(Case):
    """A low port for a user that is nobody, by the program's file."""

    def program(self):
        folder = tempfile.mkdtemp(prefix='smarthost-e2e-', dir='/var/tmp')
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        copy = shutil.copy(PROGRAM, folder)
        subprocess.run(['setcap', 'cap_net_bind_service=p', copy], check=True)
        return copy

    def run_as_nobody(self, bounding):
        """Its output; it cannot make its spool, after it has its port."""
        # A network of its own, whose low ports are privileged ones.
        script = 'ip link set lo up; sysctl -qw ' \
            'net.ipv4.ip_unprivileged_port_start=1024; exec setpriv ' \
            '--reuid=65534 --regid=65534 --clear-groups ' \
            '--bounding-set=%s "$@"' % bounding
        done = subprocess.run(
            ['unshare', '-n', 'sh', '-c', script, 'sh', self.program(), 'run',
             '--config-dir', '/nonexistent', '--set',
             "config.listen.submission=['127.0.0.1:587']", '--set',
             'config.listen.proxy=[]', '--set',
             'config.spool=/proc/nowhere', '--set', 'config.workers=1'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=30)
        return done

    def test_it_is_used(self):
        done = self.run_as_nobody('+all')
        self.assertEqual(done.returncode, 73, done.stdout)

    def test_where_it_is_forbidden_the_program_starts(self):
        done = self.run_as_nobody('-all')
        self.assertEqual(done.returncode, 71, done.stdout)
        self.assertIn('listen_failed', done.stdout)


class Dockerfile(Case):
    """What can be said of it without building it; tests/image.sh does that."""

    def text(self, name):
        with open(os.path.join(TOP, name)) as f:
            return f.read().replace('\\\n', '')

    def context(self):
        """What .dockerignore lets through, in a folder."""
        keep = re.findall(r'^!(.+)$', self.text('.dockerignore'), re.M)
        folder = tempfile.mkdtemp(prefix='smarthost-e2e-')
        self.addCleanup(shutil.rmtree, folder)
        tar = subprocess.run(
            'tar -c %s | tar -x -C %s' % (' '.join(keep), folder), shell=True,
            cwd=TOP, stderr=subprocess.PIPE, text=True)
        self.assertEqual(tar.stderr, '')
        return folder

    def test_its_context_has_all_that_is_built(self):
        folder = self.context()
        steps = self.text('Dockerfile')
        for what in re.findall(r'^COPY (?!--from)(.*) \S+$', steps, re.M):
            for word in what.split():
                if not word.startswith('--'):
                    self.assertTrue(os.path.exists(
                        os.path.join(folder, word)), word)
        (build,) = re.findall(r'^RUN (make .*)$', steps, re.M)
        made = subprocess.run(
            ['sh', '-c', re.sub(r'\bmake\b', 'make -n', build).split(
                '&& strip')[0]], cwd=folder, text=True, errors='replace',
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(made.returncode, 0, made.stdout[-2000:])
        self.assertIn('core/main.o', made.stdout)

    def test_its_scripts_are_shell(self):
        for name in ('docker-entrypoint.sh', 'tests/image.sh',
                     'tests/chart.sh'):
            done = subprocess.run(['sh', '-n', os.path.join(TOP, name)])
            self.assertEqual(done.returncode, 0, name)


class Entrypoint(Case):
    def run_it(self, *words, **env):
        environment = dict(os.environ, **env)
        environment['PATH'] = os.path.dirname(PROGRAM) + ':' + \
            environment['PATH']
        environment.setdefault('APP_CONF', '/nonexistent')
        return subprocess.run(
            [os.path.join(TOP, 'docker-entrypoint.sh')] + list(words),
            env=environment, text=True, timeout=30,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_commands(self):
        done = self.run_it('check', '--print', SH_HOSTNAME='a.example')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('a.example', done.stdout)
        self.assertEqual(self.run_it('echo', 'x y').stdout, 'x y\n')
        self.assertEqual(self.run_it('nonsense').returncode, 64)
        for words in ((), ('run',), ('postfix',), ('--set', 'config.x=1')):
            done = self.run_it(*words, SH_TLS_LEVEL='wrong')
            self.assertEqual(done.returncode, 78, done.stdout)

    def test_a_hook_that_fails(self):
        with tempfile.TemporaryDirectory() as etc:
            os.mkdir(etc + '/docker-entrypoint.d')
            path = etc + '/docker-entrypoint.d/a.sh'
            with open(path, 'w') as f:
                f.write('#!/bin/sh\necho hook\nexit 5\n')
            os.chmod(path, 0o755)
            done = self.run_it('run', APP_CONF=etc, SH_TLS_LEVEL='wrong')
        self.assertEqual(done.returncode, 5, done.stdout)
        self.assertIn('hook', done.stdout)
