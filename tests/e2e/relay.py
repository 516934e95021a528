"""The relay under test: started, watched by its log, stopped, killed.

    relay = Relay(sets={'relay.host': '[127.0.0.1]:2525'})
    relay.start()                       # returns when it has logged "ready"
    relay.wait('delivered', to='a@b.example')
    relay.stop()                        # SIGTERM; the exit status
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from ports import free_port

PROGRAM = os.path.abspath(os.environ.get('SMARTHOST', 'build/smarthost'))
LOOP = os.environ.get('SMARTHOST_LOOP')  # config.loop of every relay
SANITIZED = '/asan/' in PROGRAM
_FACT = re.compile(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|.)')
_ESCAPES = {'n': '\n', 'r': '\r', 't': '\t'}


def _unquote(value):
    if not value.startswith('"'):
        return value
    return _ESCAPE.sub(
        lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 3
        else _ESCAPES.get(m[1], m[1]), value[1:-1])


def parse_line(line):
    """A log line as a dict: time, level, event, and its facts; None when it is
    something else (a sanitizer's report)."""
    if line.startswith('{'):
        try:
            return json.loads(line)
        except ValueError:
            return None
    parts = line.split(' ', 3)
    if len(parts) < 3 or not re.match(r'\d{4}-\d\d-\d\dT[\d:.]+Z$', parts[0]):
        return None
    facts = {'time': parts[0], 'level': parts[1], 'event': parts[2]}
    for key, value in _FACT.findall(parts[3] if len(parts) > 3 else ''):
        facts[key] = _unquote(value)
    return facts


def _matches(entry, event, facts):
    if entry.get('event') != event:
        return False
    for key, want in facts.items():
        have = str(entry.get(key, '')).strip('<>')
        if callable(want):
            if not want(have):
                return False
        elif have != str(want):
            return False
    return True


class Relay:
    # What every test starts from: small segments, so that a start is quick;
    # nothing but what the test set up is ever asked or connected to.
    DEFAULTS = {
        'workers': 1,
        'spool_segment': '4M',
        'hostname': 'relay.example',
        'dns.dnssec': 'false',
        'retry.first': '1s',
        'log.level': 'debug',
    }

    def __init__(self, sets=None, yaml=None, env=None, root=None, spool=None):
        base = root or ('/dev/shm' if spool == 'tmpfs' else None)
        self.root = tempfile.mkdtemp(prefix='smarthost-e2e-', dir=base)
        os.chmod(self.root, 0o755)  # workers are not root
        self.config_dir = os.path.join(self.root, 'etc')
        self.config_dir_given = self.config_dir
        os.makedirs(os.path.join(self.config_dir, 'yaml.d'))
        if yaml is not None:
            self.write_yaml(yaml)
        self.spool = os.path.join(self.root, 'spool')
        self.port = free_port()
        self.proxy_port = free_port()
        self.sets = dict(self.DEFAULTS)
        self.sets['listen.submission'] = "['127.0.0.1:%d']" % self.port
        self.sets['listen.proxy'] = "['127.0.0.1:%d']" % self.proxy_port
        self.sets['spool'] = self.spool
        self.sets['dns.servers'] = "['127.0.0.1@9']"  # nobody
        if LOOP:
            self.sets['loop'] = LOOP
        self.sets.update(sets or {})
        self.sets = {k: v for k, v in self.sets.items() if v is not None}
        self.env = env or {}
        self.before = None      # runs in the relay's process, before it
        self.process = None
        self.log = []
        self.text = []          # lines that are no log lines
        self.changed = threading.Condition()
        self.starts = 0
        self.stalled = threading.Event()

    def write_yaml(self, text, name='50-test.yaml'):
        path = os.path.join(self.config_dir, 'yaml.d', name)
        with open(path + '.new', 'w') as f:
            f.write(text)
        os.rename(path + '.new', path)
        return path

    def options(self):
        words = ['--config-dir', self.config_dir_given]
        for key, value in self.sets.items():
            words += ['--set', 'config.%s=%s' % (key, value)]
        return words

    def environment(self):
        env = dict(os.environ)
        env.setdefault('ASAN_OPTIONS', 'detect_leaks=1:abort_on_error=1')
        env.setdefault('UBSAN_OPTIONS', 'print_stacktrace=1')
        env.update(self.env)
        return env

    def start(self, ready=True, seconds=30):
        self.starts += 1
        mark = len(self.log)
        self.process = subprocess.Popen(
            [PROGRAM, 'run'] + self.options(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.environment(), cwd=self.root, start_new_session=True,
            preexec_fn=self.before)
        self.reader = threading.Thread(
            target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        if ready:
            self.wait('ready', seconds=seconds, since=mark)
        return self

    def _read(self, process):
        for raw in process.stdout:
            line = raw.decode('utf-8', 'backslashreplace').rstrip('\n')
            entry = parse_line(line)
            with self.changed:
                if entry:
                    self.log.append(entry)
                else:
                    self.text.append(line)
                self.changed.notify_all()
            while self.stalled.is_set():
                time.sleep(0.05)

    # --- the log

    def find(self, event, since=0, **facts):
        with self.changed:
            return [e for e in self.log[since:] if _matches(e, event, facts)]

    def mark(self):
        with self.changed:
            return len(self.log)

    def wait(self, event, seconds=15, count=1, since=0, **facts):
        """Waits for `count` such events; returns the last of them."""
        end = time.monotonic() + seconds
        with self.changed:
            at, found = since, []
            while True:
                for e in self.log[at:]:
                    if _matches(e, event, facts):
                        found.append(e)
                at = len(self.log)
                if len(found) >= count:
                    return found[count - 1]
                left = end - time.monotonic()
                gone = self.process.poll() is not None and \
                    not self.reader.is_alive()
                if left <= 0 or gone:
                    raise AssertionError(
                        '%d of %d: %s %s %s\n%s' % (
                            len(found), count, event, facts,
                            'and the relay has ended with %s'
                            % self.process.returncode if gone else
                            'after %g s' % seconds, self.tail()))
                self.changed.wait(min(left, 0.2))

    def tail(self, lines=40):
        shown = ['    %s' % ' '.join('%s=%s' % i for i in e.items())
                 for e in self.log[-lines:]] + self.text[-lines:]
        return '\n'.join(shown)

    # --- processes

    def workers(self):
        """Pids of the workers: the supervisor's children."""
        pid = self.process.pid
        path = '/proc/%d/task/%d/children' % (pid, pid)
        with open(path) as f:
            return [int(p) for p in f.read().split()]

    def signal(self, number):
        self.process.send_signal(number)

    def kill_all(self):
        """Power loss as far as a process can tell."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.reader.join(5)

    def stop(self, seconds=45):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                tail = self.tail()
                self.kill_all()
                raise AssertionError('no end %d s after SIGTERM\n%s'
                                     % (seconds, tail))
        self.reader.join(5)
        return self.process.returncode

    def clean_up(self):
        if self.process and self.process.poll() is None:
            self.kill_all()
        if self.process:
            self.process.stdout.close()
            # A worker may outlive a supervisor that was killed alone.
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        shutil.rmtree(self.root, ignore_errors=True)

    def complaints(self):
        """Sanitizers' reports, failed beliefs, and workers that died of
        something else than a test's SIGKILL."""
        return [t for t in self.text if 'Sanitizer' in t
                or 'runtime error' in t or 'smarthost: bug at' in t] + \
            [str(e) for e in self.find('worker_died')
             if str(e.get('signal', 9)) != '9']

    def memory(self, what='VmRSS', pids=None):
        """KiB of the workers (VmRSS, VmHWM, RssAnon)."""
        total = 0
        for pid in pids or self.workers():
            with open('/proc/%d/status' % pid) as f:
                for line in f:
                    if line.startswith(what + ':'):
                        total += int(line.split()[1])
        return total

    # --- the command line

    def command(self, *words, seconds=20):
        """`smarthost WORDS...` with this relay's configuration."""
        return subprocess.run(
            [PROGRAM] + list(words) + self.options(), timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors='backslashreplace', env=self.environment(), cwd=self.root)

