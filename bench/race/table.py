"""From many runs to one table: medians with their spread, ratios first."""
from statistics import median

# key, heading, digits, whether the spread is shown
COLUMNS = [
    ('accepted_per_s', 'accepted/s', 0, False),
    ('delivered_per_s', 'delivered/s', 0, True),
    ('cpu_ms', 'CPU ms/msg', 3, True),
    ('dot_p50', 'dot p50 us', 0, False),
    ('dot_p99', 'dot p99 us', 0, False),
    ('dot_p999', 'p99.9 us', 0, False),
    ('delay_p50', 'through p50', 0, False),
    ('memory_mb', 'memory MB', 1, False),
    ('pss_mb', 'PSS MB', 0, False),
    ('processes', 'procs', 0, False),
    ('flushes', 'flushes', 2, False),
    ('kib', 'KiB written', 1, False),
    ('switches', 'switches', 1, False),
    ('harness_ms', 'harness ms', 3, False),
    ('start_s', 'start s', 2, False),
    ('disk_p50', 'disk p50 us', 0, False),
    ('disk_p99', 'disk p99 us', 0, False),
    ('others', 'others %', 0, False),
]
EXTRA = [
    ('rate', 'rate/s', 0), ('message_p99', 'due to 250 p99 us', 0),
    ('idle_sessions', 'sessions', 0),
    ('idle_kib', 'KiB a session', 2), ('idle_pss_kib', 'PSS KiB', 2),
    ('idle_cpu_ms_s', 'CPU ms a second', 2),
    ('of_alone', 'of alone', 3),
    ('cpu_of_alone', 'CPU of alone', 3), ('of_empty', 'of empty', 3),
    ('cpu_of_empty', 'CPU of empty', 3), ('queue_mb', 'queue MB', 1),
    ('filled_s', 'filled in s', 1), ('restart_s', 'restart s', 2),
    ('restart_mb', 'restart MB', 1), ('lost', 'lost', 0),
    ('duplicates', 'duplicates', 0), ('retried', 'retried', 0),
]
ALWAYS = {'accepted_per_s', 'delivered_per_s', 'cpu_ms'}
SILENT_AT_ZERO = {'lost', 'duplicates', 'retried'}


def medians(runs):
    """{key: (median, least, most)} of the runs of one peer."""
    out = {}
    for key in {k for r in runs for k in r}:
        values = [r[key] for r in runs
                  if isinstance(r.get(key), (int, float))]
        if values:
            out[key] = (median(values), min(values), max(values))
    return out


def _number(value, digits):
    return '{:,.{}f}'.format(value, digits)


def _cell(figures, key, digits, spread):
    if key not in figures:
        return ''
    mid, low, high = figures[key]
    text = _number(mid, digits)
    if spread and low != high:
        text += ' (%s-%s)' % (_number(low, digits), _number(high, digits))
    return text


def ratios(of, to):
    """What a peer needs or gives, as multiples of ours."""
    def part(key, invert=False):
        if key not in of or key not in to:
            return ''
        a, b = of[key][0], to[key][0]
        if invert:
            a, b = b, a
        return '%.1f' % (a / b) if b > 0 else ''
    return [part('cpu_ms'), part('delivered_per_s', invert=True),
            part('memory_mb')]


def _lay_out(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    keep = [i for i in range(len(widths)) if any(r[i] for r in rows[1:])]
    lines = []
    for row in rows:
        lines.append('  '.join(
            row[i].ljust(widths[i]) if i == 0 else row[i].rjust(widths[i])
            for i in keep).rstrip())
    return lines


def section(scenario, by_peer, notes):
    """Lines for one scenario.  `by_peer`: {name: [run, ...]}."""
    ours = medians(by_peer.get('smarthost', []))
    head = ['', 'x CPU', 'x speed', 'x memory'] + [c[1] for c in COLUMNS] + \
        [c[1] for c in EXTRA]
    rows = [head]
    for name, runs in by_peer.items():
        if not runs:
            continue
        f = medians(runs)
        if name in ('direct', 'smarthost'):
            times = ['', '', '']
            if name == 'direct':
                times[1] = ratios(f, ours)[1] if ours else ''
                f.pop('cpu_ms', None)
        else:
            times = ratios(f, ours) if ours else ['', '', '']
        extra = ['' if k in SILENT_AT_ZERO and f.get(k, (0,))[0] == 0
                 else _cell(f, k, d, False) for k, _, d in EXTRA]
        rows.append([name] + times + [_cell(f, k, d, s)
                                      for k, _, d, s in COLUMNS] + extra)
    lines = ['', '%s -- %s' % (scenario.name, scenario.about), '']
    if len(rows) > 1:
        lines += ['  ' + line for line in _lay_out(rows)]
    for name, why in notes.items():
        lines.append('  %s: %s' % (name, why))
    return lines


LEGEND = '''x CPU, x speed, x memory: how many times our CPU time a peer needs, how many
times faster we deliver, how many times our memory it takes; all within one run.
accepted: until the load generator has its last 250; delivered: until the sink
has the last message.  CPU: all processes of the peer, kernel included, per
message.  dot: from handing the final dot to the kernel to its 250; through:
from when a message was due to its arrival in the sink.  memory: anonymous and
shared memory at its most.  flushes, KiB, switches: of the whole machine, per
message.  disk: a durable write of 16 KiB, alone, just before the run, by itself.
harness: CPU of load generator and sink, per message.  others: what
the rest of the machine took of all CPUs; where that is much, a peer with many
processes is slower than it would be alone, and only the CPU times compare.  In
brackets the least and the most of the rounds; without brackets the median.'''
