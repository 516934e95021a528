"""One run of one peer in one scenario: what it took."""
import os
import subprocess
import time

from race import machine, special
from race.players import (NoPeer, Peer, Sink, Skipped, WORK, Failed, blast,
                          certificate, free_port)

SETTLE = 0.3            # what a peer still does behind the last message
PATIENCE = 300


def sink_options(scenario):
    if not scenario.tls:
        return []
    files = certificate()
    return ['--starttls', '--crt', files['TLS_CRT'], '--key',
            files['TLS_KEY']]


def load(peer, sink, scenario, first, count, extra=()):
    """Sends `count` messages and waits until all have come."""
    sink.expect(first, count, scenario.rcpts)
    sent = blast(peer.port, scenario.blast() + [
        '--count', str(count), '--first', str(first)] + list(extra), PATIENCE)
    missing = sent['refused'] + sent['broken'] + sent['unknown'] + \
        sent['refused_rcpts']
    if missing:
        raise Failed('%s of %d were not accepted' % (missing, count))
    sink.wait('complete', PATIENCE)
    return sent, sink.report()


def warm_up(peer, sink, scenario, seconds):
    """A few messages first; the number that takes about `seconds`, and the
    number of the next message."""
    count = max(2 * scenario.sessions, 50)
    used = 0
    for _ in range(3):
        began = time.monotonic()
        load(peer, sink, scenario, used, count)
        took = time.monotonic() - began
        used += count
        if took > 0.5:
            break
        count = min(int(count * min(8, 1.0 / max(took, 0.01))), 20000)
        count = max(count, 2 * scenario.sessions)
    count = int(count * seconds / max(took, 0.01)) if took > 0.3 else count * 4
    return used, max(4 * scenario.sessions, 50, min(count, 400000))


def measured(peer, counters, work):
    """Runs work() and adds what the peer used for it."""
    group = peer.group
    disk = machine.disk_us(WORK) if group else {}
    peer.watch()
    busy = machine.busy_read()
    before = counters.read()
    cpu = group.cpu_s() if group else 0.0
    try:
        sent, came = work()
    except BaseException:
        peer.unwatch()
        raise
    pss = group.pss_mb() if group else 0.0
    time.sleep(SETTLE)
    cpu = group.cpu_s() - cpu if group else 0.0
    after = counters.read()
    ours = cpu + sent['cpu_s'] + came['cpu_s_run']
    others = machine.busy_share(busy, machine.busy_read(), ours)
    peer.unwatch()
    count = sent['accepted']
    wall = (came['last_ns'] - sent['begun_ns']) / 1e9
    return {
        'messages': count,
        'accepted_per_s': count / max(sent['seconds'], 1e-9),
        'delivered_per_s': count / max(wall, 1e-9),
        'cpu_ms': 1000 * cpu / count,
        'harness_ms': 1000 * (sent['cpu_s'] + came['cpu_s_run']) / count,
        'dot_p50': sent['us']['dot']['p50'],
        'dot_p99': sent['us']['dot']['p99'],
        'dot_p999': sent['us']['dot']['p999'],
        'message_p99': sent['us']['message']['p99'],
        'delay_p50': came['delay_us']['p50'],
        'delay_p99': came['delay_us']['p99'],
        'memory_mb': peer.peak,
        'pss_mb': pss,
        'processes': peer.processes,
        'flushes': (after['flushes'] - before['flushes']) / count,
        'kib': (after['kib'] - before['kib']) / count,
        'switches': (after['switches'] - before['switches']) / count,
        'duplicates': came['duplicates'],
        'lost': sent['accepted_rcpts'] - came['unique'] - came['foreign'],
        'retried': sent['retried'],
        **disk,
        'others': 100 * others,
    }


def run_rate(peer, sink, scenario, seconds, counters):
    first, count = warm_up(peer, sink, scenario, seconds)

    def work():
        cpu = sink.report()['cpu_s']
        sent, came = load(peer, sink, scenario, first, count)
        came['cpu_s_run'] = came['cpu_s'] - cpu
        return sent, came
    return measured(peer, counters, work), first + count


def run_half(peer, sink, scenario, seconds, counters):
    """As fast as it goes; then at half of that, on a clock."""
    most, first = run_rate(peer, sink, scenario, seconds, counters)
    rate = max(1, int(most['delivered_per_s'] / 2))
    count = max(50, int(rate * seconds))

    def work():
        cpu = sink.report()['cpu_s']
        sent, came = load(peer, sink, scenario, first, count,
                          ['--rate', str(rate)])
        came['cpu_s_run'] = came['cpu_s'] - cpu
        return sent, came
    result = measured(peer, counters, work)
    result['rate'] = rate
    return result, first + count


def source_options(scenario):
    words = ['-s', str(scenario.sessions), '-l',
             str(int(scenario.size.rstrip('k')) * 1024), '-f',
             'sender@bench.example', '-t', 'r0.0@sink.example', '-C', '100']
    return words


def run_source(peer, scenario, seconds, counters):
    """smtp-source into the peer into smtp-sink, which shows its count."""
    port = free_port()
    program = '/usr/sbin/smtp-sink'
    if not os.path.exists(program):
        program = 'smtp-sink'
    path = os.path.join(WORK, 'smtp-sink.count')
    with open(path, 'w') as out:
        sink = subprocess.Popen(
            [program, '-c'] +
            (['-u', 'nobody'] if os.geteuid() == 0 else []) +
            ['127.0.0.1:%d' % port, '1000'], stdout=out,
            stderr=subprocess.DEVNULL)
    try:
        return special.source(peer, sink, port, path, scenario, seconds,
                              counters, source_options(scenario))
    finally:
        sink.terminate()
        sink.wait()


def run(name, scenario, seconds):
    """A dict of figures.  Raises Skipped or Failed."""
    os.makedirs(WORK, exist_ok=True)
    counters = machine.Counters(WORK)
    peer = NoPeer() if name == 'direct' else Peer(name, scenario.peer_env())
    if scenario.only_us and name not in ('direct', 'smarthost'):
        raise Skipped('has no such choice')
    if name == 'postfix-opendkim' and not scenario.dkim:
        raise Skipped('takes part where mail is signed')
    if scenario.generator == 'smtp-source':
        return run_source(peer, scenario, seconds, counters)
    if scenario.kind in ('dead', 'mx'):
        return special.by_dns(peer, scenario, seconds, counters)
    sink = Sink(sink_options(scenario) + (
        ['--defer-prefix', 'defer.'] if scenario.kind == 'queue' else []))
    try:
        if scenario.kind == 'queue':
            return special.queue(peer, sink, scenario, seconds, counters)
        took = peer.start(sink.port)
        try:
            if scenario.kind == 'idle':
                return special.idle(peer, scenario)
            way = run_half if scenario.kind == 'half' else run_rate
            result, _ = way(peer, sink, scenario, seconds, counters)
            result['start_s'] = took
            return result
        finally:
            peer.stop()
    finally:
        sink.close()
