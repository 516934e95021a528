"""What the machine says: CPU time and memory of a peer's processes, flushes and
bytes of the disk, context switches."""
import mmap
import os
import platform
import re
import subprocess
import time


def _read(path, default=''):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return default


# --- groups of processes

def _cgroup_root():
    for line in _read('/proc/mounts').splitlines():
        _, where, kind = line.split()[:3]
        if kind == 'cgroup2':
            return where
    return None


class Group:
    """The processes of a peer.  In a cgroup of its own where that may be made:
    then CPU time is exact, with the dead.  Else it is the sum over the
    processes, with the children that they waited for."""

    def __init__(self, name):
        self.path = None
        self.pids = lambda: []
        root = _cgroup_root()
        if root:
            path = os.path.join(root, 'bench-%d-%s' % (os.getpid(), name))
            try:
                os.mkdir(path)
                open(path + '/cgroup.procs', 'a').close()
                self.path = path
            except OSError:
                pass

    def enter(self):
        """In the child, before exec."""
        if self.path:
            with open(self.path + '/cgroup.procs', 'w') as f:
                f.write('0')

    def members(self):
        if self.path:
            return [int(p) for p in
                    _read(self.path + '/cgroup.procs').split()]
        return self.pids()

    def cpu_s(self):
        if self.path:
            m = re.search(r'usage_usec (\d+)', _read(self.path + '/cpu.stat'))
            return int(m[1]) / 1e6
        ticks = 0
        for pid in self.members():
            fields = _read('/proc/%d/stat' % pid).rpartition(')')[2].split()
            ticks += sum(int(t) for t in fields[11:15])
        return ticks / os.sysconf('SC_CLK_TCK')

    def memory_mb(self):
        """Memory that is nobody else's (anonymous and shared memory, no
        program text), and the number of processes."""
        kib = count = 0
        for pid in self.members():
            status = _read('/proc/%d/status' % pid)
            found = re.findall(r'Rss(?:Anon|Shmem):\s+(\d+)', status)
            kib += sum(int(k) for k in found)
            count += bool(found)
        return kib / 1024, count

    def pss_mb(self):
        """Memory with shared pages divided among those who share them."""
        kib = 0
        for pid in self.members():
            m = re.search(r'^Pss:\s+(\d+)',
                          _read('/proc/%d/smaps_rollup' % pid), re.M)
            kib += int(m[1]) if m else 0
        return kib / 1024

    def close(self):
        # What has ended stays in it until its parent has looked.
        for _ in range(100 if self.path else 0):
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.05)


# --- the whole machine

def _disk_of(path):
    """Name in /proc/diskstats of the disk that a directory is on."""
    number = os.stat(path).st_dev
    want = '%d:%d' % (os.major(number), os.minor(number))
    for line in _read('/proc/diskstats').splitlines():
        f = line.split()
        if '%s:%s' % (f[0], f[1]) == want:
            return f[2]
    return None


class Counters:
    """Flushes and KiB of the disk, and context switches: of everybody, so a
    run wants a machine that does nothing else."""

    def __init__(self, path):
        self.disk = _disk_of(path)

    def read(self):
        flushes = kib = 0
        for line in _read('/proc/diskstats').splitlines():
            f = line.split()
            if f[2] == self.disk:
                kib = int(f[9]) // 2
                flushes = int(f[18]) if len(f) > 18 else 0
        m = re.search(r'^ctxt (\d+)', _read('/proc/stat'), re.M)
        return {'flushes': flushes, 'kib': kib, 'switches': int(m[1])}


def disk_us(folder, count=200, length=16384):
    """What the disk takes for a durable write into space that was written
    before, nobody else asking: no mail server's 250 can come sooner."""
    path = os.path.join(folder, 'disk')
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    took = []
    try:
        block = mmap.mmap(-1, length)
        for direct in (os.O_DIRECT, 0):
            try:
                fast = os.open(path, os.O_RDWR | direct)
                break
            except OSError:
                continue
        for round_ in range(2):
            took.clear()
            for i in range(count):
                began = time.perf_counter()
                os.pwritev(fast, [block], i * length,
                           os.RWF_DSYNC if round_ else 0)
                took.append((time.perf_counter() - began) * 1e6)
            os.fsync(fast)
        os.close(fast)
    finally:
        os.close(fd)
        os.unlink(path)
    took.sort()
    return {'disk_p50': took[count // 2], 'disk_p99': took[count * 99 // 100]}


def busy_share(before, after, ours=0.0):
    """Of the machine's CPU time between two busy_read()s, how much was used
    beside `ours`, which is in seconds."""
    used, total = (b - a for a, b in zip(before, after))
    used -= ours * os.sysconf('SC_CLK_TCK')
    return max(0.0, used / total) if total else 0.0


def busy_read():
    f = [int(x) for x in _read('/proc/stat').split('\n')[0].split()[1:9]]
    return sum(f) - f[3] - f[4], sum(f)


def _command(*words):
    try:
        return subprocess.run(words, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()
    except OSError:
        return ''


def description(path):
    cpu = re.search(r'model name\s*: (.*)', _read('/proc/cpuinfo'))
    total = re.search(r'MemTotal:\s+(\d+)', _read('/proc/meminfo'))
    system = re.search(r'PRETTY_NAME="?([^"\n]*)', _read('/etc/os-release'))
    return {
        'cpus': len(os.sched_getaffinity(0)),
        'cpu': cpu[1] if cpu else platform.machine(),
        'memory_gib': round(int(total[1]) / 2**20) if total else 0,
        'kernel': platform.release(),
        'system': system[1] if system else '',
        'disk': _command('df', '--output=source,fstype', path).split('\n')[-1],
        'compiler': _command('gcc', '--version').split('\n')[0],
    }
