"""The SMTP client and the scheduler against servers that misbehave."""
import time

from case import TEXT, Case
from ports import free_port
from sink import DROP, RESET, SILENT, Sink


class Outcomes(Case):
    def test_later_then_taken(self):
        relay, sink = self.pair()
        seen = []

        def rcpt(session, arg):
            seen.append(arg)
            return '450 4.7.1 greylisted' if len(seen) == 1 else None
        sink.on('rcpt', rcpt)
        id = self.send(relay)
        deferred = relay.wait('deferred', id=id)
        self.assertEqual(deferred['code'], '450')
        self.assertIn('greylisted', deferred['reply'])
        relay.wait('delivered', id=id)
        self.assertEqual(len(sink.wait()), 1)

    def test_every_stage_put_off_or_lost(self):
        stages = ('banner', 'ehlo', 'mail', 'rcpt', 'data', 'body')
        answers = {'451': '451 4.3.0 not now', '421': '421 4.3.2 closing',
                   'end': DROP, 'reset': RESET}
        # All beside each other: a site that failed is paused for 10 s.
        tries = [(stage, name, *self.one_failure(stage, answer))
                 for stage in stages for name, answer in answers.items()]
        for stage, name, relay, sink, id in tries:
            with self.subTest(stage=stage, answer=name):
                sink.wait(seconds=30)
                relay.wait('delivered', id=id)
                self.assertEqual(relay.find('bounced'), [])
                self.stop(relay)
                self.assertEqual(len(sink.mails), 1)
                self.assertEqual(sink.wrongs, [])

    def one_failure(self, stage, answer):
        relay, sink = self.pair()
        seen = []

        def hook(session, arg):
            seen.append(stage)
            return answer if len(seen) == 1 else None
        sink.on(stage, hook)
        return relay, sink, self.send(relay)

    def test_refused_ehlo_means_helo(self):
        for reply in ('500 5.5.1 what?', '502 no', '504 no'):
            relay, sink = self.pair()
            sink.on('ehlo', reply)
            self.send(relay)
            mail = sink.wait()[0]
            self.assertEqual(mail.session.hello, ('HELO', 'relay.example'))
            self.assertEqual(mail.params, '')
            self.assertFalse(mail.session.pipelined)
            self.stop(relay)

    def test_recipients_with_different_fates(self):
        relay, sink = self.pair()
        tries = []

        def rcpt(session, arg):
            if b'bad' in arg:
                return '550 5.1.1 no'
            if b'later' in arg:
                tries.append(arg)
                return '450 4.2.1 later' if len(tries) == 1 else None
            return None
        sink.on('rcpt', rcpt)
        id = self.send(relay, rcpts=('a@example.net', 'bad@example.net',
                                     'later@example.net', 'b@example.net'))
        relay.wait('delivered', id=id, to='later@example.net')
        self.assertEqual([m.rcpts for m in sink.wait(2)
                          if m.sender], [['a@example.net', 'b@example.net'],
                                         ['later@example.net']])
        self.assertEqual(len(relay.find('delivered', id=id)), 3)
        self.assertEqual(len(relay.find('bounced', id=id)), 1)

    def test_all_recipients_refused_sends_no_data(self):
        relay, sink = self.pair()
        sink.on('rcpt', lambda s, a: '550 5.1.1 no' if b'bad' in a else None)
        self.send(relay, rcpts=('bad1@example.net', 'bad2@example.net'))
        sink.wait(to='from@example.org')
        self.assertEqual(len(sink.mails), 1)

    def test_server_that_says_354_to_nobody(self):
        # RFC 2920 3.1: DATA may be answered 354 though no RCPT was good; an
        # empty message ends it.
        relay, sink = self.pair()
        sink.on('rcpt', lambda s, a: '550 5.1.1 no' if b'bad' in a else None)
        sink.on('data', '354 whatever')
        sink.on('body', lambda s, d: '554 5.5.1 no recipients'
                if not s.rcpts else None)
        self.send(relay, rcpts=('bad@example.net',))
        mails = sink.wait(to='from@example.org')
        self.assertEqual(len(mails), 1)

    def test_sizes_offered_are_respected(self):
        relay, sink = self.pair(extensions=['PIPELINING', 'SIZE 5000'])
        id = self.send(relay, TEXT + b'x' * 500 + b'\r\n' + b'y' * 9000 +
                       b'\r\n')
        bounced = relay.wait('bounced', id=id)
        self.assertTrue(bounced)
        self.assertNotIn(b'y' * 9000, b''.join(m.data for m in sink.mails))
        self.send(relay)
        mail = sink.wait(to='to@example.net')[0]
        self.assertIn('SIZE=', mail.params)

    def test_eight_bits_where_they_are_not_offered(self):
        # RFC 6152 3: convert or bounce; we do not convert.  What everybody
        # does (and Postfix by default too) is one of: send as it is, bounce.
        relay, sink = self.pair(extensions=['PIPELINING'])
        id = self.send(relay, TEXT + b'\xfc\r\n', params='BODY=8BITMIME')
        entry = relay.wait('delivered', count=1)
        self.assertTrue(entry)
        self.assertNotIn('BODY', sink.wait()[0].params)
        self.assertTrue(id)

    def test_utf8_address_where_it_is_not_offered(self):
        relay, sink = self.pair(extensions=['PIPELINING', '8BITMIME'])
        with self.talk(relay) as t:
            t.hello()
            t.say('MAIL FROM:<from@example.org> SMTPUTF8', 250)
            t.say('RCPT TO:<zo\u00eb@example.net>', 250)
            t.say('DATA', 354)
            t.send(TEXT + b'.\r\n')
            self.assertEqual(t.reply()[0], 250)
        bounced = relay.wait('bounced', to='zo\u00eb@example.net')
        self.assertIn('SMTPUTF8', bounced.get('reply', ''))
        sink.wait(to='from@example.org')

    def test_ascii_mail_that_was_declared_utf8_is_sent(self):
        relay, sink = self.pair(extensions=['PIPELINING', '8BITMIME'])
        self.send(relay, params='SMTPUTF8')
        mail = sink.wait(to='to@example.net')[0]
        self.assertNotIn('SMTPUTF8', mail.params)

    def test_multiline_and_slow_replies(self):
        relay, sink = self.pair()
        sink.on('banner', '220-sink.example\r\n220-are you human?\r\n'
                          '220 yes')
        sink.on('body', '250-2.0.0 thanks\r\n250 2.0.0 queued')
        self.send(relay)
        sink.wait()
        relay.wait('delivered')

    def test_nonsense_replies(self):
        for text in ('hello', '99 x', '25', '2500 x', '\xff' * 600,
                     '250-a\r\n550 b'):
            relay, sink = self.pair()
            seen = []

            def mail(session, arg, text=text, seen=seen):
                seen.append(1)
                if len(seen) > 1:
                    return None
                session.socket.sendall(text.encode('latin-1') + b'\r\n')
                return DROP
            sink.on('mail', mail)
            self.send(relay)
            sink.wait(seconds=30)
            self.assertEqual(relay.find('bounced'), [], text)
            self.stop(relay)


class Times(Case):
    """A server that is silent at any stage costs its time-out, no more."""

    def test_silence(self):
        tries = [(stage, *self.one_silence(stage, key)) for stage, key in (
            ('banner', 'greeting'), ('ehlo', 'greeting'), ('mail', 'mail'),
            ('rcpt', 'rcpt'), ('data', 'data_init'), ('body', 'data_end'))]
        for stage, relay, sink, id in tries:
            with self.subTest(stage=stage):
                relay.wait('deferred', id=id, seconds=10)
                sink.wait(seconds=30)
                self.stop(relay)

    def one_silence(self, stage, key):
        relay, sink = self.pair({'timeout.' + key: '1s'})
        seen = []

        def hook(session, arg):
            seen.append(1)
            return SILENT if len(seen) == 1 else None
        sink.on(stage, hook)
        return relay, sink, self.send(relay)

    def test_server_that_stops_reading(self):
        relay, sink = self.pair({'timeout.data_block': '1s',
                                 'timeout.data_end': '1s'})
        seen = []

        def data(session, arg):
            seen.append(1)
            if len(seen) > 1:
                return None
            session.socket.sendall(b'354 go on\r\n')
            return SILENT
        sink.on('data', data)
        id = self.send(relay, TEXT + (b'z' * 98 + b'\r\n') * 200000)
        relay.wait('deferred', id=id, seconds=20)
        sink.wait(seconds=40)

    def test_dead_destination_beside_a_good_one(self):
        good = self.sink('127.0.0.2')
        bad = Sink('127.0.0.3', port=good.port)
        self.addCleanup(bad.close)
        bad.on('banner', SILENT)
        relay = self.relay({'delivery.port': str(good.port),
                            'delivery.connections': '5'})
        for i in range(60):
            self.send(relay, rcpts=('dead%d@[127.0.0.3]' % i,))
        began = time.monotonic()
        for i in range(60):
            self.send(relay, rcpts=('a%d@[127.0.0.2]' % i,))
        good.wait(60)
        self.assertLess(time.monotonic() - began, 5)
        self.assertLessEqual(bad.open_max, 5)


class Connections(Case):
    def test_reuse(self):
        relay, sink = self.pair({'delivery.messages_per_connection': '10',
                                 'delivery.connections': '1'})
        for _ in range(35):
            self.send(relay)
        sink.wait(35)
        self.stop(relay)
        self.assertTrue(all(s.mails <= 10 for s in sink.sessions),
                        [s.mails for s in sink.sessions])
        # A connection may have been idle and closed in between, but they are
        # not one a message.
        self.assertLess(sink.accepted, 20)
        self.assertEqual(sink.wrongs, [])
        for s in sink.sessions:
            self.assertEqual(s.commands[-1], 'quit')

    def test_limit_over_all_workers(self):
        relay, sink = self.pair({'delivery.connections': '3', 'workers': 2,
                                 'delivery.messages_per_connection': '2'})
        sink.on('body', lambda s, d: time.sleep(0.02))
        talks = [self.talk(relay) for _ in range(10)]
        for t in talks:
            t.hello()
        for _ in range(15):
            for t in talks:
                self.assertEqual(t.message(TEXT)[0], 250)
        sink.wait(150, seconds=60)
        relay.wait('delivered', count=150)
        self.assertLessEqual(sink.open_max, 3)
        self.assertGreater(sink.open_max, 1)

    def test_two_workers_with_much_to_send(self):
        # Busy workers must still hear of connections that became free.
        relay, sink = self.pair({'workers': 2})
        sink.on('body', lambda s, d: time.sleep(0.04))
        talks = [self.talk(relay) for _ in range(8)]
        for t in talks:
            t.hello()
        for _ in range(500):
            for t in talks:
                t.send(b'MAIL FROM:<a@example.org>\r\n'
                       b'RCPT TO:<b@example.net>\r\nDATA\r\n')
            for t in talks:
                self.assertEqual([t.reply()[0] for _ in range(3)],
                                 [250, 250, 354])
                t.send(TEXT + b'.\r\n')
            for t in talks:
                self.assertEqual(t.reply()[0], 250)
        # 4,000 mails of 40 ms over 20 connections: 8 s, when all are used.
        sink.wait(4000, seconds=35)

    def test_each_worker_gets_its_turn(self):
        # One connection for two workers: neither starves.
        relay, sink = self.pair({'delivery.connections': '1', 'workers': 2})
        for _ in range(60):
            self.send(relay)
        sink.wait(60, seconds=60)
        self.assertEqual(sink.open_max, 1)

    def test_server_that_closes_idle_connections(self):
        relay, sink = self.pair()
        seen = []

        def mail(session, arg):
            seen.append(1)
            return DROP if session.mails == 1 else None
        sink.on('mail', mail)
        for _ in range(5):
            self.send(relay)
        sink.wait(5, seconds=40)
        self.stop(relay)
        self.assertEqual(len(sink.mails), 5)
        self.assertEqual(relay.find('bounced'), [])

    def test_server_that_takes_one_mail_a_connection(self):
        relay, sink = self.pair()
        sink.on('mail', lambda s, a: '421 4.7.0 enough'
                if s.mails else None)
        for _ in range(5):
            self.send(relay)
        sink.wait(5, seconds=40)
        self.assertEqual(relay.find('bounced'), [])

    def test_source_address(self):
        sink = self.sink()
        relay = self.relay({'relay.host': sink.next_hop,
                            'delivery.bind': "['127.0.0.77']"})
        self.send(relay)
        self.assertEqual(sink.wait()[0].session.peer[0], '127.0.0.77')

    def test_name_in_ehlo(self):
        relay, sink = self.pair({'delivery.helo': 'out.example'})
        self.send(relay)
        self.assertEqual(sink.wait()[0].session.hello,
                         ('EHLO', 'out.example'))


class Retries(Case):
    def test_doubling(self):
        relay, sink = self.pair({'retry.first': '1s', 'retry.max': '4s'})
        times = []

        def rcpt(session, arg):
            times.append(time.monotonic())
            return '450 4.2.1 later' if len(times) < 4 else None
        sink.on('rcpt', rcpt)
        self.send(relay)
        sink.wait(seconds=30)
        gaps = [b - a for a, b in zip(times, times[1:])]
        for gap, want in zip(gaps, (1, 2, 4)):
            self.assertGreater(gap, want * 0.5, gaps)
            self.assertLess(gap, want * 1.1 + 2, gaps)

    def test_destination_that_comes_back(self):
        port = free_port()
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % port,
                            'retry.max': '2s'})
        ids = [self.send(relay) for _ in range(20)]
        for id in ids:
            relay.wait('deferred', id=id)
        sink = self.sink(port=port)
        sink.wait(20, seconds=40)
        self.assertEqual(relay.find('bounced'), [])
