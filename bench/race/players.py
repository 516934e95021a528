"""The programs of a run: a peer, the sink, the load generator."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from race.machine import Group

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(HERE)
TOOLS = os.environ.get('BENCH_TOOLS', os.path.join(TOP, 'build/release/bench'))
# On the disk that is measured; not /tmp, which is memory on some systems.
WORK = os.environ.get('BENCH_DIR', '/var/tmp/bench-%d' % os.getpid())


class Failed(Exception):
    pass


class Skipped(Exception):
    """The peer says that it cannot do that."""


def free_port():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Sink:
    def __init__(self, options=(), addresses=None):
        self.port = free_port()
        where = addresses or ['127.0.0.1:%d' % self.port]
        self.process = subprocess.Popen(
            [TOOLS + '/sink', '--control'] + list(options) + where,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.come = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait('ready', 5)

    def _read(self):
        for line in self.process.stdout:
            with self.come:
                self.lines.append(line.rstrip('\n'))
                self.come.notify_all()
        with self.come:
            self.lines.append(None)
            self.come.notify_all()

    def wait(self, beginning, seconds):
        """Takes the lines up to the one that begins so."""
        end = time.monotonic() + seconds
        with self.come:
            while True:
                while self.lines:
                    line = self.lines.pop(0)
                    if line is None:
                        raise Failed('the sink has ended')
                    if line.startswith(beginning):
                        return line
                left = end - time.monotonic()
                if left <= 0:
                    raise Failed('no "%s" from the sink after %g s'
                                 % (beginning, seconds))
                self.come.wait(left)

    def say(self, line, answer):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.wait(answer, 10)

    def expect(self, first, count, rcpts):
        self.say('expect %d %d %d' % (first, count, rcpts), 'expecting')

    def report(self):
        return json.loads(self.say('report', '{'))

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


def blast(port, options, seconds):
    run = subprocess.run(
        [TOOLS + '/blast', '--json'] + options + ['127.0.0.1:%d' % port],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=seconds)
    if run.returncode != 0 or not run.stdout:
        raise Failed('blast: ' + run.stderr.strip())
    return json.loads(run.stdout)


def certificate():
    """A self-signed certificate for this run, and a key for DKIM."""
    os.makedirs(WORK, exist_ok=True)
    crt, key, dkim = (os.path.join(WORK, n) for n in
                      ('tls.crt', 'tls.key', 'dkim.key'))
    if not os.path.exists(crt):
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj',
             '/CN=localhost', '-keyout', key, '-out', crt],
            check=True, stderr=subprocess.DEVNULL)
        subprocess.run(['openssl', 'genrsa', '-out', dkim, '2048'],
                       check=True, stderr=subprocess.DEVNULL)
        for path in (key, dkim):
            os.chmod(path, 0o644)
    return {'TLS_CRT': crt, 'TLS_KEY': key, 'DKIM_KEY': dkim}


def peers():
    names = sorted(f[:-3] for f in os.listdir(HERE + '/peers')
                   if f.endswith('.sh')
                   and os.access(HERE + '/peers/' + f, os.X_OK))
    return [n for n in names if n != 'smarthost'] + ['smarthost']


def ask(name, verb):
    run = subprocess.run([HERE + '/peers/%s.sh' % name, verb],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    return run.stdout.strip().split('\n')[0] if run.returncode == 0 else ''


class Peer:
    """A mail server of the race, from start to stop."""

    def __init__(self, name, env=None):
        self.name = name
        self.script = HERE + '/peers/%s.sh' % name
        self.dir = os.path.join(WORK, name)
        self.env = dict(os.environ)
        self.env.update(certificate())
        self.env.update(env or {})
        self.group = None
        self.port = free_port()
        self.peak = 0.0
        self.processes = 0
        self.watching = None

    def _run(self, *words, enter=None, seconds=120):
        return subprocess.run(
            [self.script] + [str(w) for w in words], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=seconds,
            preexec_fn=enter)

    def start(self, sink_port):
        """The seconds that it took."""
        os.chmod(WORK, 0o755)
        os.makedirs(self.dir, exist_ok=True)
        self.group = Group(self.name)
        self.group.pids = self._pids
        began = time.monotonic()
        run = self._run('start', self.port, sink_port, self.dir,
                        enter=self.group.enter)
        took = time.monotonic() - began
        if run.returncode == 77:
            self.stop()
            raise Skipped(run.stderr.strip())
        if run.returncode != 0:
            self.stop()
            raise Failed('%s does not start: %s'
                         % (self.name, run.stderr.strip()[-500:]))
        return took

    def _pids(self):
        return [int(p) for p in self._run('pids', self.dir).stdout.split()]

    def watch(self):
        """Notes the most memory from now on, four times a second."""
        self.watching = threading.Event()
        self.peak, self.processes = self.group.memory_mb()

        def look():
            while not self.watching.wait(0.25):
                mb, count = self.group.memory_mb()
                self.peak = max(self.peak, mb)
                self.processes = max(self.processes, count)
        self.watcher = threading.Thread(target=look, daemon=True)
        self.watcher.start()

    def unwatch(self):
        self.watching.set()
        self.watcher.join()
        mb, count = self.group.memory_mb()
        self.peak = max(self.peak, mb)

    def stop(self, keep=False):
        """`keep`: its queue stays, for another start."""
        try:
            self._run('stop', self.dir)
        except subprocess.TimeoutExpired:
            pass
        if self.group:
            for _ in range(100):
                left = self.group.members() if self.group.path else []
                if not left:
                    break
                for pid in left:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                time.sleep(0.05)
            self.group.close()
            self.group = None
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)


class NoPeer:
    """What the harness itself can do: the load goes straight into the sink."""
    name = 'direct'
    group = None
    peak = 0.0
    processes = 0

    def start(self, sink_port):
        self.port = sink_port
        return 0.0

    def watch(self):
        pass

    def unwatch(self):
        pass

    def stop(self):
        pass
