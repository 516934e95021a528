"""What the sender is told (RFC 3464, 3461)."""
import re
import smtplib

from case import TEXT, Case
from ports import free_port
from report import parse_report
from sink import Sink
from wait import until


class Reports(Case):
    def refusing(self, sets=None, **options):
        """A relay and a sink that refuses every address with `bad` in it and
        puts off those with `later`."""
        relay, sink = self.pair(sets, **options)
        sink.on('rcpt', lambda s, arg:
                '550 5.1.1 <who> is unknown; sorry' if b'bad' in arg else
                '450 4.2.1 come again' if b'later' in arg else None)
        return relay, sink

    def report(self, sink, count=1):
        mails = sink.wait(count, to='from@example.org')
        for mail in mails:
            self.assertEqual(mail.sender, '')
        return parse_report(self, mails[-1])

    def test_partly_refused(self):
        relay, sink = self.refusing()
        id = self.send(relay, rcpts=(
            'a@example.net', 'bad1@example.net', 'b@example.net',
            'bad2@example.net'))
        self.assertEqual(sink.wait()[0].rcpts,
                         ['a@example.net', 'b@example.net'])
        report = self.report(sink)
        self.assertEqual(report.addresses(),
                         ['bad1@example.net', 'bad2@example.net'])
        for r in report.recipients:
            self.assertEqual(r['Action'], 'failed')
            self.assertEqual(r['Status'], '5.1.1')
            self.assertRegex(r['Diagnostic-Code'],
                             r'^smtp; ?550 5\.1\.1 <who> is unknown; sorry')
            self.assertTrue(r['Remote-MTA'].startswith('dns;'))
        self.assertEqual(report.fields['Reporting-MTA'].split(';')[1].strip(),
                         'relay.example')
        self.assertEqual(report.message['To'].strip('<>'),
                         'from@example.org')
        self.assertIn('bad1@example.net',
                      report.message.get_payload()[0].get_payload())
        # Without RET the original's header goes back (RFC 3461, 4.3 lets
        # us choose).
        self.assertIn('Subject: test', report.original.as_string())
        bounced = relay.wait('bounced', count=2, id=id)
        self.assertEqual(bounced['code'], '550')
        self.assertEqual(len(relay.find('delivered', id=id)), 2)
        relay.wait('delivered', to='from@example.org')
        self.stop(relay)
        self.assertEqual(len(sink.mails), 2)

    def test_refused_after_the_data(self):
        relay, sink = self.pair()
        sink.on('body', lambda s, data: '554 5.6.0 not this'
                if b'Subject: test' in data.split(b'\r\n\r\n')[0] else None)
        self.send(relay, rcpts=('a@example.net', 'b@example.net'))
        report = self.report(sink)
        self.assertEqual(len(report.recipients), 2)
        self.assertEqual(report.recipients[0]['Status'], '5.6.0')

    def test_refused_sender(self):
        relay, sink = self.pair()
        sink.on('mail', lambda s, arg: '550 no thanks'
                if b'from@' in arg else None)
        self.send(relay)
        self.assertEqual(self.report(sink).recipients[0]['Status'], '5.0.0')

    def test_return_of_the_whole_or_of_the_header(self):
        for ret, whole in (('FULL', True), ('HDRS', False)):
            relay, sink = self.refusing()
            text = TEXT + b'.dots\r\nsecret body\r\n'
            with smtplib.SMTP('127.0.0.1', relay.port) as c:
                c.sendmail('from@example.org', ['bad@example.net'], text,
                           mail_options=['RET=' + ret, 'ENVID=x+2Dy'])
            report = self.report(sink)
            self.assertEqual(report.original.get_content_type(),
                             'message/rfc822' if whole else
                             'text/rfc822-headers')
            text = report.original.as_string()
            self.assertEqual('secret body' in text, whole)
            self.assertEqual('\n.dots' in text, whole)
            self.assertIn('Subject: test', text)
            self.assertEqual(report.fields['Original-Envelope-Id'], 'x-y')

    def notify(self, relay, *rcpts):
        """rcpts: (address, parameters)."""
        with self.talk(relay) as t:
            t.hello()
            t.say('MAIL FROM:<from@example.org>', 250)
            for address, params in rcpts:
                t.say('RCPT TO:<%s> %s' % (address, params), 250)
            t.say('DATA', 354)
            t.send(TEXT + b'.\r\n')
            self.assertEqual(t.reply()[0], 250)

    def test_delay(self):
        # The next attempt will find the mail more than 4 h old.
        relay, sink = self.refusing({'retry.first': '5h', 'retry.max': '5h'})
        self.notify(relay, ('later1@example.net', 'NOTIFY=DELAY,FAILURE'),
                    ('later2@example.net', 'NOTIFY=FAILURE'),
                    ('later3@example.net', ''),
                    ('bad@example.net', 'NOTIFY=NEVER'),
                    ('later4@example.net', 'NOTIFY=DELAY'))
        report = self.report(sink)
        self.assertEqual(report.addresses(), ['later1@example.net',
                                              'later4@example.net'])
        for r in report.recipients:
            self.assertEqual(r['Action'], 'delayed')
            self.assertEqual(r['Status'], '4.2.1')
            self.assertTrue(r['Will-Retry-Until'])
            self.assertTrue(r['Last-Attempt-Date'])
        # Nobody is told twice, nor after a restart.
        relay.command('queue', 'retry')
        relay.wait('deferred', count=8)
        self.stop(relay)
        relay.start()
        relay.command('queue', 'retry')
        relay.wait('deferred', count=12)
        sink.hooks.clear()
        relay.command('queue', 'retry')
        sink.wait(to='later1@example.net')
        relay.wait('delivered', to='later4@example.net')
        self.stop(relay)
        self.assertEqual(len(relay.find('report')), 1)

    def test_no_delay_yet(self):
        relay, sink = self.refusing({'retry.first': '3h', 'retry.max': '3h'})
        self.notify(relay, ('later@example.net', 'NOTIFY=DELAY'))
        relay.wait('deferred')
        relay.command('queue', 'retry')
        relay.wait('deferred', count=2)
        self.stop(relay)
        self.assertEqual(relay.find('report'), [])

    def test_never(self):
        relay, sink = self.refusing()
        self.notify(relay, ('bad@example.net', 'NOTIFY=NEVER'),
                    ('bad2@example.net', 'NOTIFY=SUCCESS'),
                    ('bad3@example.net', 'NOTIFY=FAILURE'))
        relay.wait('bounced', count=3)
        report = self.report(sink)
        self.assertEqual(report.addresses(), ['bad3@example.net'])
        self.stop(relay)
        self.assertEqual(len(sink.mails), 1)

    def test_success_where_the_next_hop_does_not_report(self):
        relay, sink = self.refusing(
            extensions=['PIPELINING', 'ENHANCEDSTATUSCODES'])
        self.notify(relay,
                    ('a@example.net', 'NOTIFY=SUCCESS '
                     'ORCPT=rfc822;old+2Ba@example.net'),
                    ('b@example.net', 'NOTIFY=FAILURE'))
        report = self.report(sink)
        self.assertEqual(report.addresses(), ['a@example.net'])
        # RFC 3461 5.2.2 (b): relayed to a system that reports no more.
        self.assertEqual(report.recipients[0]['Action'], 'relayed')
        self.assertEqual(report.recipients[0]['Status'][0], '2')
        self.assertEqual(report.recipients[0]['Original-Recipient'],
                         'rfc822;old+a@example.net')

    def test_success_is_the_next_hops_where_it_reports(self):
        relay, sink = self.refusing()
        self.notify(relay, ('a@example.net', 'NOTIFY=SUCCESS'))
        relay.wait('delivered')
        self.stop(relay)
        self.assertEqual(len(sink.mails), 1)

    def test_null_sender_is_dropped(self):
        relay, sink = self.refusing()
        self.send(relay, sender='', rcpts=('bad@example.net',))
        bounced = relay.wait('bounced', to='bad@example.net')
        self.stop(relay)
        self.assertEqual(sink.mails, [])
        self.assertTrue([e for e in relay.log if e['id' if 'id' in e else
                         'event'] == bounced['id'] and e['event'] not in
                        ('bounced', 'accepted')] or bounced.get('report'),
                        'no line says that the mail was dropped')

    def test_report_that_bounces_ends(self):
        relay, sink = self.pair()
        sink.on('rcpt', '550 5.1.1 nobody here')
        self.send(relay)
        relay.wait('bounced', to='from@example.org')
        self.stop(relay)
        self.assertEqual(len(relay.find('bounced')), 2)
        self.assertEqual(sink.mails, [])

    def test_lifetime(self):
        relay, sink = self.refusing({'retry.first': '1s', 'retry.max': '1s',
                                     'retry.lifetime': '3s'})
        self.send(relay, rcpts=('later@example.net', 'a@example.net'))
        relay.wait('deferred', to='later@example.net')
        report = self.report(sink)
        self.assertEqual(report.addresses(), ['later@example.net'])
        r = report.recipients[0]
        self.assertEqual(r['Action'], 'failed')
        # RFC 3463: the last status, or 4.4.7 (delivery time expired).
        self.assertIn(r['Status'], ('4.4.7', '5.4.7', '4.2.1'))
        self.assertIn('come again', r['Diagnostic-Code'])
        self.assertGreater(len(relay.find('deferred')), 1)
        self.assertEqual(len(sink.wait(to='a@example.net')), 1)

    def test_lifetime_of_what_cannot_be_reached(self):
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % free_port(),
                            'retry.max': '1s', 'retry.lifetime': '3s',
                            'retry.bounce_lifetime': '60s'})
        id = self.send(relay)
        relay.wait('deferred', id=id)
        relay.wait('bounced', id=id, seconds=20)
        port = int(relay.sets['relay.host'].split(':')[1])
        sink = Sink(port=port)      # comes back: the report gets out
        self.addCleanup(sink.close)
        report = parse_report(self, sink.wait(seconds=40)[0])
        self.assertEqual(report.addresses(), ['to@example.net'])

    def test_report_with_utf8(self):
        relay, sink = self.refusing()
        with self.talk(relay) as t:
            t.hello()
            t.say('MAIL FROM:<from@example.org> SMTPUTF8', 250)
            t.say('RCPT TO:<bad\u00eb@example.net>', 250)
            t.say('DATA', 354)
            t.send(TEXT + b'.\r\n')
            self.assertEqual(t.reply()[0], 250)
        mail = sink.wait(to='from@example.org')[0]
        report = parse_report(self, mail)
        self.assertTrue(report.recipients[0]['Final-Recipient'].startswith(
            ('utf-8', 'rfc822')))
        # RFC 6533: bytes over 127 in its own header need SMTPUTF8, in its
        # parts 8BITMIME.
        self.assertEqual(not mail.head().isascii(),
                         'SMTPUTF8' in mail.params)
        if not mail.data.isascii():
            self.assertIn('BODY=8BITMIME', mail.params)

    def test_many_refused(self):
        relay, sink = self.refusing()
        rcpts = ['bad%d@example.net' % i for i in range(500)]
        self.send(relay, rcpts=rcpts)
        # As many reports as there were transactions; nobody is left out.
        def told():
            return sorted(a for m in list(sink.mails)
                          for a in parse_report(self, m).addresses())
        until(lambda: len(told()) >= len(rcpts), what='all to be told')
        self.stop(relay)
        self.assertEqual(told(), sorted(rcpts))

    def test_long_and_strange_replies(self):
        relay, sink = self.pair()
        replies = ['550-5.7.1 line one\r\n550-5.7.1 line two\r\n550 5.7.1 end',
                   '550 5.1.1 ' + 'x' * 480, '550', '550 \x01\x1b[31m\t"q"',
                   '550 5.1.1 caf\u00e9']
        sink.on('rcpt', lambda s, arg: replies[int(
            re.search(rb'bad(\d)', arg)[1])] if b'bad' in arg else None)
        for i in range(len(replies)):
            self.send(relay, rcpts=('bad%d@example.net' % i,))
        for mail in sink.wait(len(replies), to='from@example.org'):
            report = parse_report(self, mail)
            self.assertTrue(report.recipients[0]['Diagnostic-Code'])
            self.assertIsNone(re.search(rb'[\0-\x08\x0b\x0c\x0e-\x1f]',
                                        mail.data))
            for line in mail.data.split(b'\r\n'):
                self.assertLessEqual(len(line), 998)
