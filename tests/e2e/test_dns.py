"""Delivery by MX: whom the relay asks, in which order, and when it gives up.

The hosts are on 127.0.0.x, all with the same port (config.delivery.port); NSD
serves the zone `lab.`."""
import collections

from case import TEXT, Case
from ports import free_port
from report import parse_report


class Mx(Case):
    def lab(self, zone, *hosts, **more):
        """A relay, and a sink on each of the hosts."""
        self.port = free_port()
        self.sinks = {h: self.sink(h, port=self.port)
                      for h in ('127.0.0.9',) + hosts}
        zone += '''
            home  MX 10 mx.home
            mx.home A 127.0.0.9
        '''
        self.server = self.dns(zone)
        sets = {'dns.servers': self.server.servers,
                'delivery.port': str(self.port)}
        sets.update(more)
        return self.relay(sets)

    def mail(self, relay, *rcpts):
        return self.send(relay, sender='from@home.lab', rcpts=rcpts)

    def bounce(self, to):
        """The report that came home, about this recipient."""
        mail = self.sinks['127.0.0.9'].wait(to='from@home.lab')[0]
        self.assertEqual(mail.sender, '')
        report = parse_report(self, mail)
        return report.recipient(to)

    def test_preference(self):
        relay = self.lab('''
            many MX 20 second
            many MX 10 first
            many MX 30 third
            first A 127.0.0.2
            second A 127.0.0.3
            third A 127.0.0.4
        ''', '127.0.0.2', '127.0.0.3', '127.0.0.4')
        for _ in range(5):
            self.mail(relay, 'a@many.lab')
        self.sinks['127.0.0.2'].wait(5)
        self.assertEqual(self.sinks['127.0.0.3'].accepted, 0)
        self.assertEqual(self.sinks['127.0.0.4'].accepted, 0)
        delivered = relay.wait('delivered', to='a@many.lab')
        self.assertIn('127.0.0.2', delivered['relay'])

    def test_next_host_when_the_first_refuses(self):
        relay = self.lab('''
            many MX 10 first
            many MX 20 second
            first A 127.0.0.2
            second A 127.0.0.3
        ''', '127.0.0.3')       # nobody on 127.0.0.2
        self.mail(relay, 'a@many.lab')
        self.sinks['127.0.0.3'].wait()
        relay.wait('delivered', to='a@many.lab')
        self.assertEqual(relay.find('deferred'), [])

    def test_next_address_of_the_same_host(self):
        relay = self.lab('''
            many MX 10 first
            first A 127.0.0.2
            first A 127.0.0.3
            first A 127.0.0.4
        ''', '127.0.0.4')
        self.mail(relay, 'a@many.lab')
        self.sinks['127.0.0.4'].wait()
        self.assertEqual(relay.find('deferred'), [])

    def test_next_host_when_the_first_greets_badly(self):
        relay = self.lab('''
            many MX 10 first
            many MX 20 second
            many MX 30 third
            first A 127.0.0.2
            second A 127.0.0.3
            third A 127.0.0.4
        ''', '127.0.0.2', '127.0.0.3', '127.0.0.4')
        self.sinks['127.0.0.2'].on('banner', '421 4.3.2 not now')
        from sink import RESET
        self.sinks['127.0.0.3'].on('ehlo', RESET)
        self.mail(relay, 'a@many.lab')
        self.sinks['127.0.0.4'].wait()
        self.assertEqual(relay.find('deferred'), [])

    def test_random_among_equals(self):
        relay = self.lab('''
            many MX 10 first
            many MX 10 second
            first A 127.0.0.2
            second A 127.0.0.3
        ''', '127.0.0.2', '127.0.0.3',
                         **{'delivery.messages_per_connection': '1'})
        for _ in range(40):
            self.mail(relay, 'a@many.lab')
        relay.wait('delivered', count=40)
        counts = [len(self.sinks[h].mails) for h in ('127.0.0.2',
                                                     '127.0.0.3')]
        self.assertEqual(sum(counts), 40)
        # 2^-38 or so that one of them has fewer than two by chance.
        self.assertGreater(min(counts), 1, counts)

    def test_address_when_there_is_no_mx(self):
        relay = self.lab('plain A 127.0.0.2', '127.0.0.2')
        self.mail(relay, 'a@plain.lab')
        self.sinks['127.0.0.2'].wait()

    def test_alias(self):
        relay = self.lab('''
            alias CNAME real
            real MX 10 mx.real
            mx.real CNAME host
            host A 127.0.0.2
        ''', '127.0.0.2')
        self.mail(relay, 'a@alias.lab')
        mail = self.sinks['127.0.0.2'].wait()[0]
        self.assertEqual(mail.rcpts, ['a@alias.lab'])

    def test_ipv6(self):
        relay = self.lab('''
            six MX 10 mx.six
            mx.six AAAA ::1
        ''', '::1')
        self.mail(relay, 'a@six.lab')
        self.sinks['::1'].wait()

    def test_ipv4_when_ipv6_is_dead(self):
        relay = self.lab('''
            both MX 10 mx.both
            mx.both AAAA ::1
            mx.both A 127.0.0.2
        ''', '127.0.0.2')
        self.mail(relay, 'a@both.lab')
        self.sinks['127.0.0.2'].wait()
        self.assertEqual(relay.find('deferred'), [])

    def test_address_literal(self):
        relay = self.lab('', '127.0.0.2', '::1')
        self.mail(relay, 'a@[127.0.0.2]')
        self.mail(relay, 'a@[IPv6:::1]')
        self.sinks['127.0.0.2'].wait()
        self.sinks['::1'].wait()

    def test_null_mx(self):
        relay = self.lab('never MX 0 .\nnever A 127.0.0.2', '127.0.0.2')
        self.mail(relay, 'a@never.lab')
        relay.wait('bounced', to='a@never.lab')
        self.assertEqual(self.bounce('a@never.lab')['Status'], '5.1.10')
        self.assertEqual(self.sinks['127.0.0.2'].accepted, 0)

    def test_no_such_domain(self):
        relay = self.lab('')
        self.mail(relay, 'a@nowhere.lab')
        relay.wait('bounced', to='a@nowhere.lab')
        self.assertEqual(self.bounce('a@nowhere.lab')['Status'], '5.1.2')

    def test_domain_without_any_host(self):
        relay = self.lab('empty TXT "nothing"\ngone MX 10 mx.gone')
        for name in ('empty', 'gone'):
            self.mail(relay, 'a@%s.lab' % name)
            relay.wait('bounced', to='a@%s.lab' % name)

    def test_server_that_fails_defers(self):
        relay = self.lab('')    # NSD refuses what is not below lab.
        self.mail(relay, 'a@elsewhere.example')
        relay.wait('deferred', to='a@elsewhere.example')
        self.assertEqual(relay.find('bounced'), [])

    def test_dead_server_defers_and_does_not_stop_others(self):
        sink = self.sink()
        relay = self.lab('good MX 10 mx.home')
        other = self.relay({'dns.servers': "['127.0.0.1@%d']" % free_port(),
                            'delivery.port': str(sink.port)})
        self.send(other, rcpts=['a@good.lab'])
        self.send(other, rcpts=['a@[127.0.0.1]'])
        sink.wait(seconds=5)
        other.wait('deferred', to='a@good.lab', seconds=40)
        relay.stop()

    def test_case_of_a_domain_does_not_matter(self):
        relay = self.lab('mixed MX 10 mx.home')
        self.mail(relay, 'a@mixed.lab', 'b@MIXED.lab', 'c@Mixed.LAB')
        mail = self.sinks['127.0.0.9'].wait()[0]
        self.assertEqual(mail.rcpts,
                         ['a@mixed.lab', 'b@MIXED.lab', 'c@Mixed.LAB'])

    def test_several_destinations(self):
        relay = self.lab('''
            one MX 10 mx.one
            mx.one A 127.0.0.2
            two MX 10 mx.two
            mx.two A 127.0.0.3
        ''', '127.0.0.2', '127.0.0.3')
        self.mail(relay, 'a@one.lab', 'b@two.lab', 'c@one.lab', 'd@two.lab',
                  'e@nowhere.lab')
        relay.wait('delivered', count=4)
        self.assertEqual(self.sinks['127.0.0.2'].wait()[0].rcpts,
                         ['a@one.lab', 'c@one.lab'])
        self.assertEqual(self.sinks['127.0.0.3'].wait()[0].rcpts,
                         ['b@two.lab', 'd@two.lab'])
        self.bounce('e@nowhere.lab')
        for h in ('127.0.0.2', '127.0.0.3'):
            self.assertEqual(len(self.sinks[h].mails), 1)

    def test_relay_host_by_name_uses_its_mx_unless_in_brackets(self):
        zone = '''
            hop MX 10 mx.hop
            hop A 127.0.0.3
            mx.hop A 127.0.0.2
        '''
        for text, host in (('hop.lab:%d', '127.0.0.2'),
                           ('[hop.lab]:%d', '127.0.0.3')):
            relay = self.lab(zone, '127.0.0.2', '127.0.0.3')
            self.stop(relay)
            relay.sets['relay.host'] = text % self.port
            relay.start()
            self.mail(relay, 'a@anything.example', 'b@other.example')
            self.assertEqual(len(self.sinks[host].wait()[0].rcpts), 2)
            self.stop(relay)

    def test_many_destinations_at_once(self):
        zone = '\n'.join('d%d MX 10 mx.home' % i for i in range(300))
        relay = self.lab(zone, workers='2')
        self.mail(relay, *['a@d%d.lab' % i for i in range(300)])
        relay.wait('delivered', count=300, seconds=40)
        rcpts = collections.Counter(
            r for m in self.sinks['127.0.0.9'].mails for r in m.rcpts)
        self.assertEqual(len(rcpts), 300)
        self.assertEqual(set(rcpts.values()), {1})
        self.assertIn(TEXT, self.sinks['127.0.0.9'].mails[0].data)
