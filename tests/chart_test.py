"""What the chart promises: python3 chart_test.py HELM

The pods of every values file in chart/ci; their configuration, read by the
program; their scripts, run beside a relay."""
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(HERE, 'e2e'))
sys.dont_write_bytecode = True

try:
    import yaml
except ImportError:
    sys.exit('apt-get install python3-yaml')
from case import Case  # noqa: E402
from relay import PROGRAM  # noqa: E402

HELM = None
DIRECTORIES = {'yaml': 'yaml.d', 'postfix': 'postfix.d',
               'postfix-tls': 'postfix.tls', 'opendkim': 'opendkim',
               'opendkim-keys': 'opendkim.keys', 'users': 'users.d'}
DEFAULT_PROFILE = '/usr/share/containers/seccomp.json'
IO_URING = {'io_uring_setup', 'io_uring_enter', 'io_uring_register'}


def values_files():
    return sorted(glob.glob(os.path.join(TOP, 'chart/ci/*-values.yaml')))


def render(*options):
    """The manifests, by kind and name."""
    done = subprocess.run(
        [HELM, 'template', 'mail', os.path.join(TOP, 'chart')] + list(options),
        text=True, stdout=subprocess.PIPE, check=True)
    made = {}
    for o in yaml.safe_load_all(done.stdout):
        if o:
            made.setdefault(o['kind'], {})[o['metadata']['name']] = o
    return made


def one(made, kind):
    (only,) = made[kind].values()
    return only


def container(made):
    return one(made, 'StatefulSet')['spec']['template']['spec'][
        'containers'][0]


class Pods(unittest.TestCase):
    def each(self):
        for path in values_files():
            with self.subTest(os.path.basename(path)):
                yield render('-f', path)

    def test_no_two_pods_share_a_queue(self):
        for made in self.each():
            spec = one(made, 'StatefulSet')['spec']
            volumes = {v['name']: v
                       for v in spec['template']['spec'].get('volumes') or []}
            claims = [c['metadata']['name']
                      for c in spec.get('volumeClaimTemplates') or []]
            mounts = {m['name']: m['mountPath']
                      for m in container(made)['volumeMounts']}
            self.assertEqual(mounts['spool'], '/var/spool/smarthost')
            if 'persistentVolumeClaim' in volumes.get('spool', {}):
                self.assertEqual(spec['replicas'], 1)
            else:
                self.assertEqual('spool' in claims, 'spool' not in volumes)
            for name in mounts:
                self.assertIn(name, claims + list(volumes))

    def test_they_have_time_to_end(self):
        for made in self.each():
            pod = one(made, 'StatefulSet')['spec']['template']['spec']
            self.assertGreaterEqual(
                pod['terminationGracePeriodSeconds'], 5 + 20 + 40)

    def test_they_are_nobody(self):
        made = render()
        pod = one(made, 'StatefulSet')['spec']['template']['spec']
        self.assertTrue(pod['securityContext']['runAsNonRoot'])
        self.assertEqual(pod['securityContext']['seccompProfile'],
                         {'type': 'RuntimeDefault'})
        self.assertIn({'name': 'net.ipv4.ip_unprivileged_port_start',
                       'value': '0'}, pod['securityContext']['sysctls'])
        mine = container(made)['securityContext']
        self.assertTrue(mine['readOnlyRootFilesystem'])
        self.assertFalse(mine['allowPrivilegeEscalation'])
        self.assertEqual(mine['capabilities'], {'drop': ['ALL']})
        self.assertFalse(pod['automountServiceAccountToken'])

    def test_services_lead_to_pods(self):
        for made in self.each():
            pod = one(made, 'StatefulSet')['spec']['template']
            ports = {p['name'] for p in container(made)['ports']}
            for service in made['Service'].values():
                for key, value in service['spec']['selector'].items():
                    self.assertEqual(pod['metadata']['labels'][key], value)
                for port in service['spec']['ports']:
                    self.assertIn(port['targetPort'], ports)
            self.assertIn(one(made, 'StatefulSet')['spec']['serviceName'],
                          made['Service'])

    def test_a_changed_environment_restarts_and_a_changed_file_does_not(self):
        def of(*options):
            return one(render(*options), 'StatefulSet')['spec']['template']
        mail = ['--set', 'config.env.data.SH_VERBOSE=false',
                '--set-string', r'config.users.data.a\.conf=a b']
        self.assertNotEqual(
            of(*mail), of(*mail, '--set', 'config.env.data.SH_VERBOSE=true'))
        self.assertEqual(
            of(*mail), of(*mail, '--set-string',
                          r'config.users.data.a\.conf=a c'))


class Configuration(unittest.TestCase):
    """The Secrets, as kubelet would mount them, read by the program."""

    def check(self, made):
        words = container(made)['args']
        env = {'PATH': os.environ['PATH']}
        with tempfile.TemporaryDirectory() as top:
            for secret in made.get('Secret', {}).values():
                part = secret['metadata']['name'].split('smarthost-', 1)[1]
                if part == 'env':
                    env.update(secret['stringData'])
                    continue
                os.mkdir(os.path.join(top, DIRECTORIES[part]))
                for name, text in secret['stringData'].items():
                    with open(os.path.join(top, DIRECTORIES[part], name),
                              'w') as f:
                        f.write(text)
            self.assertEqual(words[0], 'run')
            return subprocess.run(
                [PROGRAM, 'check', '--print', '--config-dir', top] + words[1:],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env=env)

    def test_every_values_file(self):
        for path in values_files():
            with self.subTest(os.path.basename(path)):
                done = self.check(render('-f', path))
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertIn("'*:8080'", done.stdout)
                if os.path.basename(path).split('-')[0] in (
                        'environment', 'yaml', 'low'):
                    self.assertIn('relay.mydomain.com', done.stdout)

    def test_a_mistake_is_one(self):
        done = self.check(render(
            '--set', 'config.env.data.SH_TLS_LEVEL=sometimes'))
        self.assertEqual(done.returncode, 78, done.stdout)


class Scripts(Case):
    def session(self, port):
        (pod,) = render()['Pod'].values()
        command = pod['spec']['containers'][0]['command']
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=60, env={'PATH': os.environ['PATH'],
                                        'HOST': '127.0.0.1',
                                        'PORT': str(port)})

    def test_helm_test(self):
        relay, _ = self.pair()
        done = self.session(relay.port)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn('< 221', done.stdout)

    def test_helm_test_with_a_relay_that_refuses(self):
        relay, _ = self.pair({'allowed_networks': '192.0.2.1'})
        done = self.session(relay.port)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_helm_test_with_somebody_else(self):
        with socket.create_server(('127.0.0.1', 0)) as server:
            def answer():
                client = server.accept()[0]
                client.sendall(b'SSH-2.0-x\r\n')
                client.close()
            thread = threading.Thread(target=answer)
            thread.start()
            done = self.session(server.getsockname()[1])
            thread.join()
        self.assertEqual(done.returncode, 1, done.stdout)

    def drain(self, relay, seconds):
        made = render('--set', 'drain.unseenSeconds=0',
                      '--set', 'drain.queueSeconds=%d' % seconds)
        hook = container(made)['lifecycle']['preStop']['exec']['command']
        relay.write_yaml('config: {spool: %s}' % relay.spool)
        return subprocess.run(
            hook, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60, env={
                'APP_CONF': relay.config_dir,
                'PATH': os.path.dirname(PROGRAM) + ':' + os.environ['PATH']})

    def waiting(self):
        relay, sink = self.pair({'retry.first': '1h'})
        sink.on('rcpt', '450 4.2.0 later')
        relay.wait('deferred', id=self.send(relay))
        return relay, sink

    def test_before_the_end_what_waits_is_tried(self):
        relay, sink = self.waiting()
        sink.on('rcpt', lambda s, arg: None)
        self.assertEqual(self.drain(relay, 30).returncode, 0)
        self.assertEqual(len(sink.mails), 1)

    def test_what_cannot_be_delivered_holds_it_up_for_so_long(self):
        relay, _ = self.waiting()
        done = self.drain(relay, 2)
        self.assertEqual(len(relay.find('deferred')), 2, done.stdout)


class Seccomp(unittest.TestCase):
    def names(self):
        with open(os.path.join(TOP, 'chart/files/seccomp.json')) as f:
            profile = json.load(f)
        self.assertEqual(profile['defaultAction'], 'SCMP_ACT_ERRNO')
        return {n for group in profile['syscalls'] for n in group['names']
                if group['action'] == 'SCMP_ACT_ALLOW'}

    def test_it_allows_io_uring(self):
        self.assertLessEqual(IO_URING, self.names())

    @unittest.skipUnless(os.path.exists(DEFAULT_PROFILE),
                         'no default profile here')
    def test_it_adds_nothing_else_to_the_default(self):
        with open(DEFAULT_PROFILE) as f:
            groups = json.load(f)['syscalls']
        default = {n for group in groups for n in group['names']
                   if group['action'] == 'SCMP_ACT_ALLOW' and
                   not (group.get('includes') or {}).get('caps')}
        default.add('socket')       # with arguments that are not looked at
        self.assertEqual(self.names() - default, IO_URING)


if __name__ == '__main__':
    HELM = sys.argv.pop(1)
    unittest.main()
