"""Starting, reloading, stopping, looking into the queue."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from case import TEXT, Case
from ports import free_port
from relay import PROGRAM
from talk import Talk
from wait import until


def run(*words, **options):
    return subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, timeout=20, **options)


class CommandLine(Case):
    def test_help_and_version(self):
        done = run('--help')
        self.assertEqual(done.returncode, 0)
        for word in ('run', 'check', 'queue', 'spool', '--config-dir',
                     '--set', 'config.hostname'):
            self.assertIn(word, done.stdout)
        done = run('--version')
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r'^smarthost \S+')

    def test_wrong_words(self):
        for words in ((), ('frobnicate',), ('run', '--no-such'),
                      ('run', '--set'), ('queue',), ('queue', 'eat'),
                      ('spool', 'check'), ('run', 'more')):
            done = run(*words)
            self.assertEqual(done.returncode, 64, (words, done.stdout))
            self.assertTrue(done.stderr)


class Configuration(Case):
    def refused(self, relay):
        relay.start(ready=False)
        self.assertEqual(relay.process.wait(10), 78)
        relay.reader.join(5)
        self.assertEqual(relay.find('ready'), [])
        return '\n'.join(relay.text)

    def test_unknown_key(self):
        relay = self.relay(start=False, yaml='config:\n  hostname: a.example\n'
                           '  hostnme: b.example\n  workers: none\n')
        text = self.refused(relay)
        self.assertRegex(text, r'50-test\.yaml:3: .*hostnme')
        self.assertRegex(text, r'did you mean .*hostname')
        # Every problem, not only the first.
        self.assertRegex(text, r'50-test\.yaml:4: ')
        done = relay.command('check')
        self.assertEqual(done.returncode, 78)
        self.assertIn('50-test.yaml:3:', done.stdout + done.stderr)

    def test_unknown_set_and_environment(self):
        relay = self.relay({'hostnam': 'x'}, start=False)
        self.assertIn('config.hostnam', self.refused(relay))
        relay = self.relay(start=False, env={'SH_HOSTNAM': 'x'})
        self.assertIn('SH_HOSTNAM', self.refused(relay))

    def test_order_of_sources(self):
        relay = self.relay(
            {'hostname': None}, start=False, env={'SH_HOSTNAME': 'env.example'},
            yaml='config:\n  hostname: yaml.example\n'
                 '  message_size_limit: 1M\n')
        relay.write_yaml('config:\n  message_size_limit: 2M\n',
                         '60-later.yaml')
        relay.start()
        t = self.talk(relay)
        self.assertIn('env.example', t.banner[1])
        self.assertIn('SIZE %d' % (2 << 20), t.hello())
        done = relay.command('check', '--print')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r'hostname: "?env\.example"? +# .*'
                         r'SH_HOSTNAME')
        self.assertRegex(done.stdout, r'message_size_limit: .*# .*'
                         r'60-later\.yaml')

    def test_empty_directory_is_the_defaults(self):
        done = run('check', '--config-dir', '/nonexistent/smarthost')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_port_in_use(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            s.listen()
            relay = self.relay({'listen.submission': "['127.0.0.1:%d']"
                                % s.getsockname()[1]}, start=False)
            relay.start(ready=False)
            self.assertNotEqual(relay.process.wait(10), 0)
            relay.reader.join(5)
            self.assertIn(str(s.getsockname()[1]), relay.tail())


class Reload(Case):
    def yaml(self, hostname, **more):
        lines = ['config:', '  hostname: ' + hostname]
        lines += ['  %s: %s' % item for item in more.items()]
        return '\n'.join(lines) + '\n'

    def start(self, **options):
        relay, sink = self.pair({'hostname': None}, start=False,
                                yaml=self.yaml('one.example'), **options)
        return relay.start(), sink

    def reload(self, relay, yaml):
        mark = relay.mark()
        relay.write_yaml(yaml)
        relay.signal(signal.SIGHUP)
        return mark

    def banner(self, relay):
        with Talk(relay.port) as t:
            return t.banner[1]

    def test_new_sessions_see_it_and_old_ones_go_on(self):
        relay, sink = self.start()
        pids = relay.workers()
        old = self.talk(relay)
        old.hello()
        old.say('MAIL FROM:<a@example.org>', 250)
        self.reload(relay, self.yaml('two.example',
                                     message_size_limit='64K'))
        until(lambda: 'two.example' in self.banner(relay), what='reload')
        old.say('RCPT TO:<a@example.net>', 250)
        old.say('DATA', 354)
        old.send(TEXT + b'.\r\n')
        self.assertEqual(old.reply()[0], 250)
        with Talk(relay.port) as t:
            self.assertIn('SIZE 65536', t.hello())
        sink.wait()
        self.assertEqual(relay.workers(), pids)

    def test_bad_file_changes_nothing(self):
        relay, sink = self.start()
        mark = self.reload(relay, 'config:\n  hostnme: x\n')
        until(lambda: any('hostnme' in t for t in relay.text) or
              [e for e in relay.log[mark:] if 'hostnme' in str(e)],
              what='a complaint')
        self.assertIn('one.example', self.banner(relay))
        self.send(relay)
        sink.wait()
        self.reload(relay, self.yaml('three.example'))
        until(lambda: 'three.example' in self.banner(relay), what='reload')

    def test_relative_directory(self):
        # The relay works in its spool; a path means what it meant at start.
        relay, _ = self.start_relative()
        self.reload(relay, self.yaml('two.example'))
        until(lambda: 'two.example' in self.banner(relay), what='reload')

    def start_relative(self):
        relay, sink = self.pair({'hostname': None}, start=False,
                                yaml=self.yaml('one.example'))
        relay.config_dir_given = 'etc'
        return relay.start(), sink

    def test_networks(self):
        relay, _ = self.start()
        old = self.talk(relay)
        self.reload(relay, self.yaml('one.example',
                                     allowed_networks='192.0.2.0/24'))

        def refused():
            with Talk(relay.port, banner=False) as t:
                return t.reply()[0] == 554
        until(refused, what='reload')
        old.say('NOOP', 250)

    def test_while_a_server_is_slow_to_greet(self):
        # The delivery that began with the old name goes on with it.
        relay, sink = self.start()
        greet = threading.Event()
        sink.on('connect', lambda *_: greet.wait(10) and None)
        self.send(relay)
        sink.wait_sessions(1)
        for name in ('two.example', 'three.example'):
            self.reload(relay, self.yaml(name))
            until(lambda: name in self.banner(relay), what='reload')
        greet.set()
        self.assertEqual(sink.wait()[0].session.hello,
                         ('EHLO', 'one.example'))

    def test_under_load(self):
        relay, sink = self.start()
        relay_done, wrong, sent = threading.Event(), [], []

        def client():
            try:
                with Talk(relay.port) as t:
                    t.hello()
                    while not relay_done.is_set():
                        reply = t.message(TEXT)
                        if reply[0] != 250:
                            raise AssertionError(reply)
                        sent.append(1)
            except (AssertionError, OSError) as e:
                wrong.append(e)
        threads = [threading.Thread(target=client) for _ in range(8)]
        for t in threads:
            t.start()
        for i in range(10):
            name = 'n%d.example' % i
            self.reload(relay, self.yaml(name))
            until(lambda: name in self.banner(relay), what='reload')
        relay_done.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        sink.wait(len(sent), seconds=60)
        self.stop(relay)
        self.assertEqual(len(sink.mails), len(sent))


class Stop(Case):
    def test_idle_session_hears_421(self):
        relay, _ = self.pair()
        t = self.talk(relay)
        t.hello()
        relay.signal(signal.SIGTERM)
        self.assertEqual(t.reply()[0], 421)
        self.assertEqual(t.reply()[0], 0)
        self.assertEqual(relay.process.wait(10), 0)

    def test_message_under_way_is_finished(self):
        relay, sink = self.pair()
        t = self.talk(relay)
        t.hello()
        t.envelope()
        t.say('DATA', 354)
        t.send(TEXT)
        relay.signal(signal.SIGTERM)
        until(lambda: _refuses(relay.port), what='closed listeners')
        t.send(b'the end\r\n.\r\n')
        self.assertEqual(t.reply()[0], 250)
        self.assertIn(t.reply()[0], (421, 0))
        self.assertEqual(relay.process.wait(35), 0)
        relay.start()
        self.assertTrue(sink.wait()[0].data.endswith(b'the end\r\n'))

    def test_queue_survives(self):
        port = free_port()
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % port})
        ids = [self.send(relay, TEXT + b'%d\r\n' % i) for i in range(50)]
        self.stop(relay)
        sink = self.sink(port=port)
        for workers in (3, 1, 2):       # shards are adopted
            relay.sets['workers'] = workers
            relay.start()
            if workers == 3:
                sink.on('mail', '450 4.3.0 later')
            elif workers == 2:
                sink.on('mail', None)
                relay.command('queue', 'retry')
                sink.wait(50, seconds=30)
            self.stop(relay)
        self.assertEqual(len(sink.mails), 50)
        self.assertEqual(len({m.data for m in sink.mails}), 50)
        self.assertEqual({e['id'] for e in relay.find('delivered')},
                         set(ids))

    def test_nothing_is_lost_under_load(self):
        relay, sink = self.pair({'workers': 2})
        acknowledged = Load(relay.port, 8)
        sink.wait(200)
        relay.signal(signal.SIGTERM)
        self.assertEqual(relay.process.wait(40), 0)
        good = acknowledged.end()
        relay.start()
        until(lambda: good <= Load.seen(sink), 30, 'all that was acknowledged')
        self.stop(relay)
        # A clean stop records what it did: nothing comes twice.
        self.assertEqual(len(sink.mails), len(Load.seen(sink)))

    def test_second_term_and_interrupt(self):
        relay, _ = self.pair()
        t = self.talk(relay)
        t.hello()
        relay.signal(signal.SIGINT)
        self.assertEqual(relay.process.wait(40), 0)


def _refuses(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(('127.0.0.1', port)) != 0


class Load:
    """Clients that send numbered mails until the relay ends."""

    def __init__(self, port, clients):
        self.port, self.good, self.ended = port, set(), threading.Event()
        self.threads = [threading.Thread(target=self._client, args=(i,))
                        for i in range(clients)]
        for t in self.threads:
            t.start()

    def _client(self, number):
        count = 0
        try:
            with Talk(self.port) as t:
                t.hello()
                while not self.ended.is_set():
                    count += 1
                    mark = '%d-%d' % (number, count)
                    reply = t.message(b'X-Mark: %s\r\n' % mark.encode() +
                                      TEXT)
                    if reply[0] != 250:
                        return
                    self.good.add(mark)
        except (AssertionError, OSError):
            pass

    def end(self):
        self.ended.set()
        for t in self.threads:
            t.join()
        return self.good

    @staticmethod
    def seen(sink):
        return {re.search(rb'X-Mark: (\S+)', m.data)[1].decode()
                for m in list(sink.mails)}


class Workers(Case):
    def test_dead_worker_is_replaced(self):
        relay, sink = self.pair({'workers': 2})
        self.assertEqual(len(relay.find('worker_started')), 2)
        pids = relay.workers()
        os.kill(pids[0], signal.SIGKILL)
        relay.wait('worker_died', signal=9)
        relay.wait('worker_started', count=3)
        until(lambda: len(relay.workers()) == 2, what='two workers')
        for _ in range(10):
            self.send(relay)
        sink.wait(10)

    def test_workers_are_not_root(self):
        if os.getuid() != 0:
            self.skipTest('we are not root ourselves')
        relay, sink = self.pair()
        for pid in relay.workers():
            with open('/proc/%d/status' % pid) as f:
                status = dict(l.rstrip('\n').split(':\t', 1) for l in f
                              if ':\t' in l)
            self.assertNotIn('0', status['Uid'].split('\t'))
            self.assertNotIn('0', status['Gid'].split('\t'))
            self.assertEqual(int(status['CapEff'], 16), 0)
        self.send(relay)
        sink.wait()

    def test_spool_below_a_private_directory(self):
        # `make run` of root in root's own home.
        relay, sink = self.pair(start=False)
        private = os.path.join(relay.root, 'private')
        os.mkdir(private, 0o700)
        relay.sets['spool'] = private + '/build/spool'
        relay.spool = relay.sets['spool']
        os.mkdir(private + '/build')
        relay.start()
        self.send(relay)
        sink.wait()
        os.kill(relay.workers()[0], signal.SIGKILL)
        relay.wait('worker_started', count=2)
        self.send(relay)
        sink.wait(2)

    def test_two_relays_on_one_spool(self):
        relay, _ = self.pair()
        other = self.relay({'spool': relay.spool}, start=False)
        other.start(ready=False)
        self.assertNotEqual(other.process.wait(15), 0)
        self.send(relay)

    def test_supervisor_killed_alone(self):
        # Its workers must not go on without it.
        relay, _ = self.pair({'workers': 2})
        pids = relay.workers()
        relay.process.kill()
        relay.process.wait()
        until(lambda: not any(os.path.exists('/proc/%d' % p) and
                              _alive(p) for p in pids), 10, 'their end')


def _alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


class Queue(Case):
    def held(self, count=3, **sets):
        """A relay with `count` mails that wait; their ids; its sink's port."""
        port = free_port()
        more = {'relay.host': '[127.0.0.1]:%d' % port, 'retry.first': '1h',
                'workers': '2'}
        more.update(sets)
        relay = self.relay(more)
        ids = [self.send(relay, rcpts=('r%d@example.net' % i,))
               for i in range(count)]
        for id in ids:
            relay.wait('deferred', id=id)
        return relay, ids, port

    def command(self, relay, *words):
        done = relay.command('queue', *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_list(self):
        relay, ids, _ = self.held()
        text = self.command(relay, 'list')
        for i, id in enumerate(ids):
            line = [l for l in text.split('\n') if id in l]
            self.assertEqual(len(line), 1, text)
        self.assertIn('from@example.org', text)

    def test_empty_list(self):
        relay, _ = self.pair()
        self.command(relay, 'list')

    def test_show(self):
        relay, ids, _ = self.held()
        text = self.command(relay, 'show', ids[1])
        for word in (ids[1], 'r1@example.net', 'from@example.org'):
            self.assertIn(word, text)
        self.assertNotIn('r2@example.net', text)
        done = relay.command('queue', 'show', 'ZZZZZZ')
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr)

    def test_retry(self):
        relay, ids, port = self.held()
        sink = self.sink(port=port)
        self.command(relay, 'retry', ids[0])
        self.assertEqual(sink.wait()[0].rcpts, ['r0@example.net'])
        self.command(relay, 'retry')
        sink.wait(3)
        until(lambda: not any(i in self.command(relay, 'list')
                              for i in ids), what='an empty queue')

    def test_delete(self):
        relay, ids, port = self.held()
        self.command(relay, 'delete', ids[1])
        text = self.command(relay, 'list')
        self.assertNotIn(ids[1], text)
        self.assertIn(ids[0], text)
        self.stop(relay)
        sink = self.sink(port=port)
        relay.start()
        self.command(relay, 'retry')
        sink.wait(2)
        self.stop(relay)
        self.assertEqual(sorted(m.rcpts[0] for m in sink.mails),
                         ['r0@example.net', 'r2@example.net'])

    def test_long_list(self):
        relay, ids, _ = self.held(400)
        text = self.command(relay, 'list')
        for id in ids:
            self.assertIn(id, text)

    def test_nobody_runs(self):
        relay, _ = self.pair()
        self.stop(relay)
        done = relay.command('queue', 'list')
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr)

    def test_socket_is_private(self):
        relay, _ = self.pair()
        for root, _, names in os.walk(relay.root):
            for name in names:
                path = os.path.join(root, name)
                mode = os.lstat(path)
                if (mode.st_mode & 0o170000) == 0o140000:
                    self.assertEqual(mode.st_mode & 0o007, 0, path)
        self.assertEqual(os.stat(relay.spool).st_mode & 0o777, 0o700)


class SpoolTools(Case):
    def test_check_and_dump(self):
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.first': '1h'})
        ids = [self.send(relay) for _ in range(5)]
        big = self.send(relay, TEXT + (b'b' * 98 + b'\r\n') * 3000)
        self.stop(relay)
        before = _tree(relay.spool)
        done = run('spool', 'check', relay.spool)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run('spool', 'dump', relay.spool)
        self.assertEqual(done.returncode, 0, done.stderr)
        for id in ids + [big]:
            self.assertIn(id, done.stdout)
        self.assertIn('to@example.net', done.stdout)
        self.assertEqual(_tree(relay.spool), before)

    def test_damage_is_found(self):
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.first': '1h'})
        for _ in range(20):
            self.send(relay, TEXT + b'MARKER' * 100 + b'\r\n')
        self.stop(relay)
        hit = 0
        for path in _files(relay.spool):
            with open(path, 'r+b') as f:
                data = f.read()
                at = data.find(b'MARKERMARKER')
                if at >= 0:
                    f.seek(at)
                    f.write(b'BROKEN')
                    hit += 1
        self.assertGreater(hit, 0)
        done = run('spool', 'check', relay.spool)
        self.assertEqual(done.returncode, 1, done.stdout)
        # The relay starts all the same, and says so.
        relay.start()

    def test_wrong_directory(self):
        done = run('spool', 'check', '/nonexistent')
        self.assertNotEqual(done.returncode, 0)


def _files(top):
    return sorted(os.path.join(d, n) for d, _, names in os.walk(top)
                  for n in names
                  if os.path.isfile(os.path.join(d, n)))


def _taken(relay):
    return sum(os.stat(p).st_blocks * 512 for p in _files(relay.spool))


def _tree(top):
    return [(p, os.stat(p).st_size, os.stat(p).st_mtime_ns)
            for p in _files(top)]


class Spool(Case):
    def test_without_direct_writes(self):
        relay, sink = self.pair(spool='tmpfs')
        for i in range(30):
            self.send(relay, TEXT + b'x' * (i * 500) + b'\r\n')
        sink.wait(30)
        relay.kill_all()
        relay.start()
        self.send(relay)
        sink.wait(31)

    def test_two_relays_on_one_spool(self):
        first, sink = self.pair()
        second = self.relay({'spool': first.spool}, start=False)
        second.start(ready=False)
        self.assertEqual(second.process.wait(20), 75)
        second.reader.join(5)
        self.assertIn('another relay is using this spool', second.tail())
        self.send(first)
        sink.wait(1)
        self.stop(first)
        second.sets['relay.host'] = first.sets['relay.host']
        second.start()
        self.stop(second)

    def test_quota(self):
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.first': '1h', 'spool_quota': '40M',
                            'message_size_limit': '2M'})
        body = TEXT + (b'q' * 998 + b'\r\n') * 1000
        full = None
        ids = []
        with Talk(relay.port) as t:
            t.hello()
            for _ in range(100):
                code, text = t.say('MAIL FROM:<from@example.org>')
                if code != 250:
                    full = code, text
                    break
                t.say('RCPT TO:<to@example.net>', 250)
                code, text = t.say('DATA')
                if code == 354:
                    t.send(body + b'.\r\n')
                    code, text = t.reply()
                if code != 250:
                    self.assertEqual((code, text[:5]), (452, '4.3.1'))
                else:
                    ids.append(text)
        self.assertIsNotNone(full, 'never full')
        self.assertEqual((full[0], full[1][:5]), (452, '4.3.1'))
        self.assertGreater(len(ids), 10)
        self.assertLess(_taken(relay), 44 << 20)
        # What is in it gets out, and there is room again.
        sink = self.sink(port=int(relay.sets['relay.host'].split(':')[1]))
        relay.command('queue', 'retry')
        sink.wait(len(ids), seconds=30)
        until(lambda: self.takes_again(relay), 20, 'room')

    def takes_again(self, relay):
        with Talk(relay.port) as t:
            t.hello()
            return t.say('MAIL FROM:<from@example.org>')[0] == 250

    def test_segments_are_used_again(self):
        relay, sink = self.pair()
        body = TEXT + (b'r' * 998 + b'\r\n') * 1000
        for _ in range(240):
            self.send(relay, body)
        sink.wait(240, seconds=60)
        relay.wait('delivered', count=240)
        # 240 MB went through 4 MB files, of which 16 are kept.
        until(lambda: _taken(relay) < 90 << 20, what='less than 90 MB')

    def test_one_old_mail_does_not_hold_the_disk(self):
        relay, sink = self.pair({'retry.first': '1h'})
        sink.on('rcpt', lambda s, a: '450 later' if b'later' in a else None)
        body = TEXT + (b'r' * 998 + b'\r\n') * 1000
        ids = []
        for i in range(240):
            if i % 20 == 0:
                ids.append(self.send(relay, rcpts=('later@example.net',)))
            self.send(relay, body)
        sink.wait(240, seconds=60)
        relay.wait('delivered', count=240)
        until(lambda: _taken(relay) < 90 << 20, what='less than 90 MB')
        relay.kill_all()
        sink.on('rcpt', None)
        relay.start()
        relay.command('queue', 'retry')
        for id in ids:
            relay.wait('delivered', id=id)


class Log(Case):
    def test_json(self):
        relay, sink = self.pair({'log.format': 'json'})
        self.send(relay)
        sink.wait()
        entry = relay.wait('delivered', to='to@example.net')
        self.assertEqual(entry['level'], 'info')
        self.assertIn('time', entry)
        self.assertEqual(relay.text, [])
        self.assertIsInstance(json.dumps(entry), str)

    def test_nobody_reads_it(self):
        # The pipe is full; mail goes on, and a later line counts the lost.
        relay, sink = self.pair(start=False)
        relay.start()
        relay.stalled.set()
        with Talk(relay.port) as t:
            t.hello()
            for i in range(3000):
                self.assertEqual(t.message(TEXT)[0], 250)
        sink.wait(3000, seconds=60)
        relay.stalled.clear()
        self.send(relay)
        sink.wait(3001)
        self.stop(relay)

    def test_closed_standard_descriptors(self):
        relay, sink = self.pair(start=False)
        process = subprocess.Popen(
            ['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', PROGRAM, 'run'] +
            relay.options(), env=relay.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        until(lambda: not _refuses(relay.port), what='the listener')
        self.send(relay)
        sink.wait()
        for fd in range(3):
            self.assertEqual(os.readlink('/proc/%d/fd/%d' % (process.pid, fd)),
                             '/dev/null')

    def test_stop_while_nobody_reads_it(self):
        relay, sink = self.pair()
        relay.stalled.set()
        with Talk(relay.port) as t:
            t.hello()
            for i in range(2000):
                self.assertEqual(t.message(TEXT)[0], 250)
        relay.signal(signal.SIGTERM)
        self.assertEqual(relay.process.wait(20), 0)
        relay.stalled.clear()
        relay.reader.join(5)

    def test_strange_bytes(self):
        relay, sink = self.pair({'log.level': 'debug'})
        sink.on('body', '250 2.0.0 ok "quoted" \\back a=b\x7f')
        self.send(relay, sender='"a \\" b=c"@example.org')
        sink.wait()
        entry = relay.wait('delivered')
        self.assertIn('"quoted" \\back a=b', entry['reply'])
        self.assertEqual(relay.wait('accepted')['from'],
                         '"a \\" b=c"@example.org')

    def test_levels(self):
        relay, sink = self.pair({'log.level': 'error'}, start=False)
        relay.start(ready=False)
        until(lambda: not _refuses(relay.port), what='the listener')
        self.send(relay)
        sink.wait()
        self.stop(relay)
        self.assertEqual(relay.log, [])


class FullDisk(Case):
    """A file system that is full, or breaks: nothing is acknowledged."""

    def test_full_tmpfs(self):
        if os.getuid() != 0:
            self.skipTest('mounting needs root')
        relay, sink = self.pair({'relay.host': '[127.0.0.1]:%d' % free_port(),
                                 'retry.first': '1h',
                                 'spool_quota': '1G'}, start=False)
        os.mkdir(relay.spool)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=24m',
                                  'none', relay.spool],
                                 stderr=subprocess.PIPE)
        if mounted.returncode:
            self.skipTest('mount is forbidden here')
        self.addCleanup(subprocess.run, ['umount', '-l', relay.spool])
        relay.start()
        body = TEXT + (b'q' * 998 + b'\r\n') * 1000
        good, codes = 0, set()
        for _ in range(40):
            try:
                with Talk(relay.port) as t:
                    t.hello()
                    reply = t.say('MAIL FROM:<from@example.org>')
                    if reply[0] == 250:
                        t.say('RCPT TO:<to@example.net>', 250)
                        reply = t.say('DATA')
                        if reply[0] == 354:
                            t.send(body + b'.\r\n')
                            reply = t.reply()
            except OSError:
                continue
            codes.add(reply[0])
            good += reply[0] == 250
        self.assertGreater(good, 3)
        self.assertLessEqual(codes, {250, 452, 451, 421}, codes)
        self.assertIn(452, codes)
        relay.kill_all()
        sink = self.sink(port=int(relay.sets['relay.host'].split(':')[1]))
        relay.start()
        relay.command('queue', 'retry')
        sink.wait(good, seconds=30)


class Place(Case):
    def test_moved_spool(self):
        # A spool is a directory: it may be copied while nobody runs.
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.first': '1h'})
        self.send(relay)
        self.stop(relay)
        sink = self.sink(port=int(relay.sets['relay.host'].split(':')[1]))
        other = os.path.join(relay.root, 'other')
        subprocess.run(['cp', '-a', relay.spool, other], check=True)
        shutil.rmtree(relay.spool)
        relay.sets['spool'] = other
        relay.start()
        relay.command('queue', 'retry')
        began = time.monotonic()
        sink.wait()
        self.assertLess(time.monotonic() - began, 10)


class Readme(Case):
    def test_its_table_has_every_key(self):
        with open(os.path.join(os.path.dirname(__file__),
                               '../../README.md')) as f:
            rows = set(re.findall(r'^\| `(config\.[a-z_.]+)` \|', f.read(),
                                  re.M))
        done = run('--help')
        known = set(re.findall(r'config\.[a-z_.]+[a-z]', done.stdout))
        self.assertEqual(rows - known, set())
        self.assertEqual(known - rows, set())
