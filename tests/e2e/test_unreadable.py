"""Mail that the disk does not give back, and reports when it is full."""
import glob
import os
import subprocess

from case import Case, TEXT
from ports import free_port

MARK = b'unreadable-%d' % os.getpid()


class Unreadable(Case):
    def test_its_sender_hears_of_it(self):
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.first': '1h'})
        id = self.send(relay, TEXT + (MARK + b'\r\n') * 9000)
        # Its segment is full and sealed: no start reads what is in there.
        for _ in range(5):
            self.send(relay, TEXT + (b's' * 998 + b'\r\n') * 2000)
        self.stop(relay)
        self.damage(relay)
        sink = self.sink(port=int(relay.sets['relay.host'].split(':')[1]))
        relay.sets.update({'retry.lifetime': '1s', 'retry.first': '1s'})
        relay.start()
        relay.command('queue', 'retry')
        relay.wait('unreadable', id=id)
        line = relay.wait('bounced', id=id)
        self.assertIn('cannot be read', line['reply'])
        relay.wait('report', about=id)
        report, = sink.wait(to='from@example.org')
        self.assertEqual(report.sender, '')
        self.assertRegex(report.text,
                         'Final-Recipient: rfc822; ?to@example.net')
        self.assertIn('Action: failed', report.text)
        self.assertIn('cannot be read', report.text)
        # Nothing of it was sent as if it were the mail; the others were.
        self.assertEqual([m for m in sink.mails if MARK in m.data], [])
        self.assertEqual(len(sink.wait(5, to='to@example.net')), 5)
        self.assertEqual(sink.wrongs, [])

    def damage(self, relay):
        """Bytes in the middle of it become others."""
        hits = 0
        for path in glob.glob(os.path.join(relay.spool, '*', '*')):
            with open(path, 'r+b') as f:
                data = f.read()
                at = data.find(MARK)
                if at >= 0 and data.count(MARK) > 1000:
                    at = data.find(MARK, at + 20000)
                    f.seek(at)
                    f.write(b'X' * len(MARK))
                    hits += 1
        self.assertGreater(hits, 0)


class FullDisk(Case):
    def test_it_has_room_for_reports(self):
        """What is kept back from new mail is for these."""
        port = free_port()
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % port,
                            'retry.first': '1h', 'spool_quota': '1G'},
                           start=False)
        os.mkdir(relay.spool)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=24m',
                                  'none', relay.spool],
                                 stderr=subprocess.PIPE)
        if mounted.returncode:
            self.skipTest('mounting needs root')
        self.addCleanup(subprocess.run, ['umount', '-l', relay.spool])
        relay.start()
        refused = self.send(relay, rcpts=('bad@example.net',))
        good = self.fill(relay)
        # The others wait while this one is refused.
        sink = self.sink(port=port)
        sink.on('rcpt', lambda s, arg: '550 5.1.1 who?' if b'bad@' in arg
                else '450 4.2.1 not now' if b'to@' in arg else None)
        relay.command('queue', 'retry')
        relay.wait('bounced', id=refused)
        relay.wait('report', about=refused)
        sink.on('rcpt', lambda s, arg: '550 5.1.1 who?' if b'bad@' in arg
                else None)
        relay.command('queue', 'retry')
        sink.wait(good, seconds=30, to='to@example.net')
        relay.command('queue', 'retry')
        sink.wait(to='from@example.org')
        self.assertEqual(len(relay.find('report', about=refused)), 1)

    def fill(self, relay):
        body = TEXT + (b'q' * 998 + b'\r\n') * 1000
        good = 0
        for size in (len(body), 40000, len(TEXT)):
            while True:
                with self.talk(relay) as t:
                    t.hello()
                    reply = t.say('MAIL FROM:<from@example.org>')
                    if reply[0] == 250:
                        t.say('RCPT TO:<to@example.net>', 250)
                        reply = t.say('DATA')
                        if reply[0] == 354:
                            t.send(body[:size - 2] + b'\r\n.\r\n')
                            reply = t.reply()
                    if reply[0] != 250:
                        self.assertEqual(reply[0], 452, reply)
                        break
                    good += 1
        return good
