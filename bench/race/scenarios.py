"""What is raced: a name for each, the load, and what the peer is told."""
from dataclasses import dataclass, field


@dataclass
class Scenario:
    name: str
    about: str
    size: str = '10k'
    sessions: int = 20
    per_connection: int = 1
    rcpts: int = 1
    pipelining: bool = False
    tls: bool = False
    dkim: bool = False
    kind: str = 'rate'          # rate, half, idle, queue, dead, restart
    generator: str = 'blast'    # or smtp-source, into smtp-sink
    amount: int = 0             # kind queue: messages in it; idle: sessions
    rcpt_domains: int = 1
    only_us: bool = False       # the peers have no such thing
    env: dict = field(default_factory=dict)

    def blast(self):
        words = ['--size', self.size, '--sessions', str(self.sessions),
                 '--per-connection', str(self.per_connection),
                 '--rcpts', str(self.rcpts), '--retry',
                 '--rcpt-domains', str(self.rcpt_domains)]
        if self.pipelining:
            words.append('--pipelining')
        if self.tls:
            words.append('--starttls')
        return words

    def peer_env(self):
        env = {'SESSIONS': str(max(self.sessions, self.amount
                                   if self.kind == 'idle' else 0)),
               'SIZE': str(largest(self.size))}
        if self.tls:
            env['TLS'] = 'both'
        if self.dkim:
            env['DKIM'] = 'rsa2048'
        env.update(self.env)
        return env


def largest(sizes):
    most = 0
    for word in sizes.split(','):
        n = word.split(':')[0].lower()
        unit = {'k': 1024, 'm': 1048576}.get(n[-1], 1)
        most = max(most, int(n.rstrip('km')) * unit)
    return most


def _all():
    S = Scenario
    yield S('2k', '2 KiB, a connection each', '2k')
    yield S('10k', '10 KiB, a connection each', '10k')
    yield S('100k', '100 KiB, a connection each', '100k')
    yield S('5m', '5 MiB, a connection each', '5M')
    yield S('2k-keep', '2 KiB, kept connections', '2k', per_connection=100)
    yield S('10k-keep', '10 KiB, kept connections', per_connection=100)
    yield S('100k-keep', '100 KiB, kept connections', '100k',
            per_connection=100)
    yield S('10k-pipe', '10 KiB, kept connections, pipelining',
            per_connection=100, pipelining=True)
    for n in (1, 200, 2000):
        yield S('10k-%d' % n, '10 KiB, a connection each, %d session%s'
                % (n, '' if n == 1 else 's'), sessions=n)
    yield S('10k-rcpt10', '10 KiB, 10 recipients', rcpts=10)
    yield S('mixed', '2 KiB to 1 MiB, kept connections',
            '2k:50,10k:30,50k:15,200k:4,1M:1', per_connection=10)
    yield S('10k-half', '10 KiB at half of its own maximum', kind='half',
            per_connection=100)
    yield S('10k-tls', '10 KiB, STARTTLS on both sides', tls=True)
    yield S('10k-tls-keep', '10 KiB, STARTTLS on both sides, kept',
            tls=True, per_connection=100)
    yield S('2k-dkim', '2 KiB, DKIM RSA-2048', '2k', dkim=True)
    yield S('10k-dkim', '10 KiB, DKIM RSA-2048', dkim=True)
    yield S('10k-dkim-keep', '10 KiB, DKIM RSA-2048, kept', dkim=True,
            per_connection=100)
    yield S('10k-all', '10 KiB, STARTTLS on both sides and DKIM', tls=True,
            dkim=True)
    for n in (1, 2):
        yield S('10k-workers%d' % n, '10 KiB, kept connections, %d worker%s'
                % (n, '' if n == 1 else 's'), per_connection=100,
                env={'WORKERS': str(n)})
    for name, keep in (('10k-epoll', 1), ('10k-epoll-keep', 100)):
        yield S(name, '10 KiB, epoll in place of io_uring%s'
                % (', kept' if keep > 1 else ''), per_connection=keep,
                only_us=True, env={'EXTRA': '--set config.loop=epoll'})
    yield S('10k-source', "10 KiB, Postfix's smtp-source and smtp-sink",
            generator='smtp-source')
    yield S('idle', '10,000 idle sessions (1,000 where each is a process)',
            kind='idle', amount=10000)
    yield S('dead', 'a dead destination beside a good one', kind='dead',
            per_connection=100)
    yield S('queue-20k', '20,000 deferred messages in the queue',
            kind='queue', amount=20000, per_connection=100)
    yield S('queue-1m', '1,000,000 deferred messages in the queue',
            kind='queue', amount=1000000, per_connection=100)


SCENARIOS = {s.name: s for s in _all()}
DEFAULT = '2k 10k 10k-keep 10k-half'.split()
PUBLISHED = [n for n in SCENARIOS if n not in ('queue-20k', 'queue-1m')]

# Cost curves: the points of each, and what is on its x axis.
CURVES = {
    'size': ('message size, KiB', [
        Scenario('size-%s' % s, '%s, kept connections' % s, s,
                 per_connection=100)
        for s in '1k 2k 5k 10k 20k 50k 100k 200k 500k 1M 2M 5M'.split()]),
    'sessions': ('sessions', [
        Scenario('sessions-%d' % n, '%d sessions, a connection each' % n,
                 sessions=n)
        for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)]),
    'rcpts': ('recipients a message', [
        Scenario('rcpts-%d' % n, '%d recipients' % n, rcpts=n,
                 per_connection=100)
        for n in (1, 2, 5, 10, 20, 50)]),
    'queue': ('deferred messages in the queue', [
        Scenario('queue-%d' % n, '%d in the queue' % n, kind='queue',
                 amount=n, per_connection=100)
        for n in (1000, 10000, 100000, 300000)]),
    'destinations': ('destinations', [
        Scenario('destinations-%d' % n, '%d destinations by MX' % n,
                 kind='mx', rcpt_domains=n, per_connection=100)
        for n in (1, 10, 100, 1000)]),
}
