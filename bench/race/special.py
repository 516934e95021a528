"""The scenarios that are more than a load: idle sessions, a full queue, a dead
destination, somebody else's load generator."""
import os
import re
import shutil
import signal
import subprocess
import time
from statistics import median

from race import machine
from race.players import (HERE, Failed, NoPeer, Peer, Sink, Skipped, TOOLS, WORK,
                          blast, free_port)

PATIENCE = 900
DEAD_TURNS = 3
# One process a session: ten thousand of them are no fair question.
FORKS = {'postfix', 'postfix-opendkim', 'exim'}


def _rate(peer, sink, scenario, first, seconds, counters):
    from race.measure import measured, load, warm_up
    used, count = warm_up_from(peer, sink, scenario, first, seconds)

    def work():
        cpu = sink.report()['cpu_s']
        sent, came = load(peer, sink, scenario, used, count)
        came['cpu_s_run'] = came['cpu_s'] - cpu
        return sent, came
    return measured(peer, counters, work), used + count


def warm_up_from(peer, sink, scenario, first, seconds):
    from race.measure import load
    count = max(10 * scenario.sessions, 200)
    began = time.monotonic()
    load(peer, sink, scenario, first, count)
    rate = count / max(time.monotonic() - began, 0.01)
    return first + count, max(200, min(int(rate * seconds), 400000))


# --- sessions that say nothing

def idle(peer, scenario):
    if isinstance(peer, NoPeer):
        raise Skipped('nothing to measure')
    count = scenario.amount
    if peer.name in FORKS:
        count = min(count, 1000)
    warm = subprocess.run(
        [TOOLS + '/blast', '--idle', '--sessions', '10', '--seconds', '1',
         '127.0.0.1:%d' % peer.port], stdout=subprocess.DEVNULL)
    if warm.returncode != 0:
        raise Failed('it takes no idle sessions')
    before, _ = peer.group.memory_mb()
    pss = peer.group.pss_mb()
    load = subprocess.Popen(
        [TOOLS + '/blast', '--idle', '--sessions', str(count), '--json',
         '127.0.0.1:%d' % peer.port], stdout=subprocess.PIPE, text=True)
    try:
        line = load.stdout.readline()
        if not line.startswith('idle '):
            raise Failed('its idle sessions end')
        held = int(line.split()[1])
        time.sleep(1)
        cpu = peer.group.cpu_s()
        time.sleep(10)
        cpu = peer.group.cpu_s() - cpu
        after, processes = peer.group.memory_mb()
        after_pss = peer.group.pss_mb()
    finally:
        load.send_signal(signal.SIGTERM)
        load.communicate()
    if held == 0:
        raise Failed('it holds no idle session')
    return {'idle_sessions': held, 'memory_mb': after, 'pss_mb': after_pss,
            'processes': processes, 'idle_cpu_ms_s': 1000 * cpu / 10,
            'idle_kib': 1024 * (after - before) / held,
            'idle_pss_kib': 1024 * (after_pss - pss) / held}


# --- a queue full of what cannot be delivered now

def queue(peer, sink, scenario, seconds, counters):
    """Its rate with an empty queue, and with `amount` deferred messages in it;
    memory; how long a restart takes."""
    if isinstance(peer, NoPeer):
        raise Skipped('no queue')
    peer.env['RETRY'] = '4h'
    peer.start(sink.port)
    try:
        empty, first = _rate(peer, sink, scenario, 0, seconds, counters)
        empty_mb, _ = peer.group.memory_mb()
        began = time.monotonic()
        blast(peer.port, ['--size', '1k', '--sessions', '50',
                          '--per-connection', '100', '--retry',
                          '--rcpt-prefix', 'defer.', '--first', '100000000',
                          '--count', str(scenario.amount)], PATIENCE)
        _wait_deferred(sink, scenario.amount)
        filled_s = time.monotonic() - began
        full, first = _rate(peer, sink, scenario, first, seconds, counters)
        again, first = _rate(peer, sink, scenario, first, seconds, counters)
        full_mb, _ = peer.group.memory_mb()
        peer.stop(keep=True)
        full['restart_s'] = peer.start(sink.port)
        full['restart_mb'], _ = peer.group.memory_mb()
        best = max((full, again), key=lambda r: r['delivered_per_s'])
        full.update(best)
        full['of_empty'] = best['delivered_per_s'] / empty['delivered_per_s']
        full['cpu_of_empty'] = best['cpu_ms'] / empty['cpu_ms']
        full['queue_mb'] = full_mb - empty_mb
        full['queue_length'] = scenario.amount
        full['filled_s'] = filled_s
        return full
    finally:
        peer.stop()


def _wait_deferred(sink, count):
    end = time.monotonic() + PATIENCE
    while sink.report()['deferred'] < count:
        if time.monotonic() > end:
            raise Failed('the queue does not fill')
        time.sleep(0.2)


# --- by MX: many destinations, a dead one

_NSD = '''server:
    ip-address: 127.0.0.1@%(port)d
    username: ""
    chroot: ""
    zonesdir: "%(dir)s"
    database: ""
    zonelistfile: "%(dir)s/zone.list"
    xfrdfile: ""
    xfrdir: "%(dir)s"
    pidfile: ""
    server-count: 1
    verbosity: 0
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: example.
    zonefile: example.zone
'''
_ZONE = '''$ORIGIN example.
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
sink MX 10 mx
*.sink MX 10 mx
mx A 127.0.0.1
dead MX 10 mx.dead
mx.dead A 127.0.0.9
'''


class Names:
    """A name server: *.sink.example is the sink's, dead.example nobody's."""

    def __init__(self):
        program = shutil.which('nsd') or '/usr/sbin/nsd'
        if not os.path.exists(program):
            raise Skipped('needs nsd')
        self.dir = os.path.join(WORK, 'nsd')
        self.port = free_port()
        os.makedirs(self.dir, exist_ok=True)
        with open(self.dir + '/nsd.conf', 'w') as f:
            f.write(_NSD % {'port': self.port, 'dir': self.dir})
        with open(self.dir + '/example.zone', 'w') as f:
            f.write(_ZONE)
        self.process = subprocess.Popen(
            [program, '-d', '-c', self.dir + '/nsd.conf'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)

    def close(self):
        self.process.terminate()
        self.process.wait()


def by_dns(peer, scenario, seconds, counters):
    if peer.name != 'smarthost':
        raise Skipped('the peers are given a relay host')
    port = free_port()
    names = Names()
    sink = Sink(addresses=['127.0.0.1:%d' % port])
    dead = Sink(['--silent'], addresses=['127.0.0.9:%d' % port])
    try:
        peer.env['EXTRA'] = (
            "--set config.relay.host= --set config.delivery.port=%d "
            "--set config.dns.servers=['127.0.0.1@%d'] "
            "--set config.dns.dnssec=false" % (port, names.port))
        peer.start(port)
        result, first = _rate(peer, sink, scenario, 0, seconds, counters)
        if scenario.kind == 'mx':
            return result
        return beside_dead(peer, sink, scenario, first, seconds, counters,
                           result)
    finally:
        peer.stop()
        for server in (sink, dead, names):
            server.close()


def beside_dead(peer, sink, scenario, first, seconds, counters, alone):
    """The good destination's rate while there is mail for a dead one, too
    (200 messages before, and 20 more each second), and without the further
    ones, in turn: the machine changes its speed."""
    blast(peer.port, ['--size', '10k', '--sessions', '20', '--count', '200',
                      '--first', '100000000', '--rcpt-domain',
                      'dead.example'], PATIENCE)
    without, beside = [alone], []
    for turn in range(DEAD_TURNS):
        more = subprocess.Popen(
            [TOOLS + '/blast', '--size', '10k', '--rate', '20', '--sessions',
             '2', '--count', '0', '--seconds', '600', '--first',
             str(200000000 + turn * 1000000), '--rcpt-domain', 'dead.example',
             '127.0.0.1:%d' % peer.port], stdout=subprocess.DEVNULL)
        try:
            r, first = _rate(peer, sink, scenario, first, seconds, counters)
        finally:
            more.terminate()
            more.wait()
        beside.append(r)
        r, first = _rate(peer, sink, scenario, first, seconds, counters)
        without.append(r)
    beside.sort(key=lambda r: r['delivered_per_s'])
    result = beside[len(beside) // 2]
    for key, name in (('delivered_per_s', 'of_alone'),
                      ('cpu_ms', 'cpu_of_alone')):
        result[name] = median(r[key] for r in beside) / \
            median(r[key] for r in without)
    return result


# --- smtp-source and smtp-sink

def _count(path):
    with open(path, 'rb') as f:
        f.seek(max(0, os.path.getsize(path) - 64))
        numbers = re.findall(rb'\d+', f.read())
    return int(numbers[-1]) if numbers else 0


def source(peer, sink, port, path, scenario, seconds, counters, options):
    program = shutil.which('smtp-source') or '/usr/sbin/smtp-source'
    if not os.path.exists(program):
        raise Skipped('needs smtp-source (postfix)')
    took = peer.start(port)
    try:
        came = 0

        def send(count):
            nonlocal came
            began = time.monotonic()
            subprocess.run([program, '-m', str(count)] + options +
                           ['127.0.0.1:%d' % peer.port], check=True,
                           timeout=PATIENCE)
            sent_s = time.monotonic() - began
            came += count
            while _count(path) < came:
                if time.monotonic() - began > PATIENCE:
                    raise Failed('not all messages come')
                time.sleep(0.01)
            return sent_s, time.monotonic() - began
        _, s = send(200)
        count = max(200, min(int(200 / s * seconds), 100000))
        peer.watch()
        cpu = peer.group.cpu_s() if peer.group else 0.0
        before = counters.read()
        sent_s, all_s = send(count)
        time.sleep(0.3)
        after = counters.read()
        cpu = peer.group.cpu_s() - cpu if peer.group else 0.0
        peer.unwatch()
        return {'messages': count, 'accepted_per_s': count / sent_s,
                'delivered_per_s': count / all_s,
                'cpu_ms': 1000 * cpu / count, 'memory_mb': peer.peak,
                'processes': peer.processes,
                'flushes': (after['flushes'] - before['flushes']) / count,
                'kib': (after['kib'] - before['kib']) / count,
                'start_s': took}
    finally:
        peer.stop()
