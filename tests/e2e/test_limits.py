"""What the relay must reach; run alone, since it measures."""
import os
import re
import resource
import shutil
import socket
import subprocess
import threading
import time

from case import TEXT, Case
from ports import free_port
from talk import Talk
from wait import until

MIB = 1024
DEFERRED = 200000


def say(text):
    """A figure for the log of the run."""
    print('     %s' % text, flush=True)


class Throughput(Case):
    def test_ten_thousand(self):
        port = free_port()
        user = ['-u', 'nobody'] if os.getuid() == 0 else []
        sink = subprocess.Popen(
            [shutil.which('smtp-sink') or '/usr/sbin/smtp-sink', '-c', *user,
             '127.0.0.1:%d' % port, '1024'], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.addCleanup(sink.kill)
        counted = []

        def count():
            for piece in iter(lambda: os.read(sink.stdout.fileno(), 65536),
                              b''):
                counted[:] = [int(n) for n in re.findall(
                    rb'mesg=(\d+)', piece)][-1:] or counted
        reader = threading.Thread(target=count, daemon=True)
        reader.start()
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % port,
                            'workers': None, 'spool_segment': None,
                            'log.level': 'info'})
        until(lambda: _listens(port), what='smtp-sink')
        began = time.monotonic()
        source = subprocess.run(
            [shutil.which('smtp-source') or '/usr/sbin/smtp-source', '-s',
             '20', '-l', '10240', '-m', '10000', '-f', 'from@example.org',
             '-t', 'to@example.net', '127.0.0.1:%d' % relay.port],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        accepted = time.monotonic() - began
        self.assertEqual(source.returncode, 0, source.stdout)
        until(lambda: counted == [10000], 120, '10,000 at the sink')
        took = time.monotonic() - began
        say('10,000 of 10,240 bytes: accepted in %.1f s, delivered in %.1f s'
            % (accepted, took))
        self.stop(relay)
        self.assertEqual(counted, [10000])      # none came twice
        self.assertEqual(relay.find('deferred') + relay.find('bounced'), [])
        # Each has its line, or the log says how many had no room.
        lost = sum(int(e['count'])
                   for e in relay.find('log_lines_dropped'))
        self.assertGreaterEqual(len(relay.find('delivered')) + lost, 10000)
        sink.terminate()
        reader.join(5)
        sink.stdout.close()


def _listens(port):
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


class Memory(Case):
    def test_idle_relay(self):
        relay = self.relay({'workers': '1', 'spool_segment': None})
        with Talk(relay.port) as t:
            t.hello()
        pids = [relay.process.pid] + relay.workers()
        total = relay.memory('VmRSS', pids)
        say('idle: %.1f MiB resident (worker %.1f)' % (
            total / MIB, relay.memory() / MIB))
        self.assertLess(total, 32 * MIB)

    def test_idle_sessions(self):
        want = 10000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if os.getuid() == 0 and hard < 2 * want:
            hard = 3 * want
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (min(soft, hard), hard))
        if hard < want + 1000:
            self.skipTest('only %d descriptors' % hard)
        relay = self.relay({'connection_limit': str(want + 100),
                            'client_connection_limit': '0'})
        # What is used in passing (replies on their way) is not the sessions'.
        crowd = [Talk(relay.port, banner=False) for _ in range(500)]
        for t in crowd:
            t.send(b'EHLO client.example\r\n')
        for t in crowd:
            self.assertEqual([t.reply()[0] for _ in range(2)], [220, 250])
            t.socket.close()
        relay.wait('disconnect', count=500)
        before = self.private(relay)
        talks = []
        try:
            for i in range(want):
                s = socket.create_connection(
                    ('127.0.0.1', relay.port), 30,
                    source_address=('127.0.%d.%d' % (1 + i // 5000, 2), 0))
                talks.append(s)
                s.sendall(b'EHLO client.example\r\n')
                # No more of them at once than the crowd was, or what is used
                # in passing would be counted on a busy machine.
                for late in talks[-100:] if len(talks) % 100 == 0 else []:
                    data = b''
                    while b'250 ' not in data:
                        data += late.recv(4096)
            after = self.private(relay)
            each = (after - before) * 1024 / want
            say('%d idle sessions: %.0f bytes each' % (want, each))
            self.assertLessEqual(each, 1024)
            talks[-1].sendall(b'NOOP\r\n')
            self.assertEqual(talks[-1].recv(100)[:3], b'250')
        finally:
            for s in talks:
                s.close()
        relay.wait('disconnect', count=want + 500, seconds=60)

    def private(self, relay):
        """KiB of anonymous memory: what is not the kernel's or a file's."""
        return relay.memory('RssAnon') + relay.memory('RssShmem')

    def test_hundred_megabytes(self):
        relay, sink = self.pair({'message_size_limit': '200M',
                                 'spool_segment': None},
                                extensions=['PIPELINING', 'SIZE 209715200'])
        self.send(relay)        # what any first mail touches
        sink.wait()
        relay.wait('delivered')
        sink.mails.clear()
        before = relay.memory('VmHWM')
        line = b'm' * 998 + b'\r\n'
        chunk = line * 1000
        with Talk(relay.port, seconds=120) as t:
            t.hello()
            t.envelope()
            t.say('DATA', 354)
            t.send(TEXT)
            for _ in range(100):
                t.send(chunk)
            t.send(b'.\r\n')
            self.assertEqual(t.reply()[0], 250)
        data = sink.wait(seconds=120)[0].data
        self.assertTrue(data.endswith(TEXT + chunk * 100))
        more = relay.memory('VmHWM') - before
        say('100 MB mail: %.1f MiB more (peak %.1f)' % (
            more / MIB, relay.memory('VmHWM') / MIB))
        self.assertLess(more, 8 * MIB)


class Queue(Case):
    def deferred(self, count):
        # Reserves what a relay with a big queue is configured for; nobody
        # listens where it delivers to, so all is put off.
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.first': '1h', 'retry.max': '4h',
                            'spool_segment': None, 'workers': '1',
                            'log.level': 'warn'}, start=False)
        relay.start(ready=False)
        until(lambda: _listens(relay.port), what='the listener')
        program = shutil.which('smtp-source') or '/usr/sbin/smtp-source'
        subprocess.run([program, '-d', '-s', '20', '-l', '200', '-m',
                        str(count), '-f', 'from@example.org', '-t',
                        'to@example.net', '127.0.0.1:%d' % relay.port],
                       check=True, timeout=600)
        self.stop(relay)
        empty = self.relay({'spool_segment': None, 'workers': '1'})
        base = empty.memory('RssAnon') + empty.memory('RssShmem')
        self.stop(empty)
        relay.sets['log.level'] = 'info'
        began = time.monotonic()
        relay.start(seconds=60)
        took = time.monotonic() - began
        each = (relay.memory('RssAnon') + relay.memory('RssShmem') - base) \
            * 1024 / count
        say('%d mails in the queue: ready after %.2f s, %.0f bytes each'
            % (count, took, each))
        text = relay.command('queue', 'list', seconds=60).stdout
        self.assertGreaterEqual(len(text.split('\n')), count)
        self.assertLess(each, 300)
        return took

    def test_restart(self):
        self.assertLess(self.deferred(DEFERRED), 2)


