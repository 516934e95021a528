"""Deliveries through TLS, and AUTH to the relay host: servers good and bad."""
import signal
import ssl
import time
import unittest

from case import Case, TEXT
from sink import DROP, RESET, SILENT
from tls_sink import Certificates, TlsSink
from wait import until

_made = []
GARBAGE = b'\x16\x03\x03\xff\xff' + b'no TLS at all ' * 40


def certificates():
    if not _made:
        _made.append(Certificates())
        unittest.addModuleCleanup(_made[0].remove)
    return _made[0]


def garbage(session, _):
    session.socket.recv(5)      # not together with the 220
    session.socket.sendall(GARBAGE)
    return DROP


class TlsCase(Case):
    SETS = {}

    def tls_sink(self, certificate='good', **options):
        sink = TlsSink(getattr(certificates(), certificate), **options)
        self.addCleanup(sink.close)
        return sink

    def hop(self, sink, sets=None, trust=True, **options):
        """A relay whose relay host is the sink, by its name `localhost`."""
        more = {'relay.host': 'localhost:%d' % sink.port,
                'timeout.greeting': '2s'}
        more.update(self.SETS)
        more.update(sets or {})
        env = {'SSL_CERT_FILE': certificates().ca if trust
               else certificates().path('stranger.crt')}
        return self.relay(more, env=env, **options)

    def delivered(self, relay, **facts):
        return relay.wait('delivered', **facts)

    def in_clear(self, sink):
        """Sessions that came to an envelope without TLS."""
        return [s for s in sink.sessions
                if 'mail' in s.commands and not s.tls]


class Opportunistic(TlsCase):
    def test_tls_where_it_is_offered(self):
        sink = self.tls_sink()
        relay = self.hop(sink)
        self.send(relay)
        line = self.delivered(relay, tls='1.3', verified='yes')
        self.assertRegex(line['cipher'], 'TLS_')
        mail, = sink.wait()
        self.assertEqual(mail.session.tls, 'TLSv1.3')
        self.assertEqual(sink.asked, ['localhost'])
        # EHLO once more, and nothing said in clear but that.
        self.assertEqual(mail.session.commands[:3],
                         ['ehlo', 'starttls', 'ehlo'])
        self.assertEqual(sink.wrongs, [])

    def test_long_mails_and_many(self):
        sink = self.tls_sink()
        relay = self.hop(sink)
        long = TEXT + (b'0123456789' * 7 + b'\r\n') * 20000
        self.send(relay, long)
        for _ in range(20):
            self.send(relay)
        relay.wait('delivered', count=21, tls='1.3')
        mails = sink.wait(21)
        self.assertEqual(max(len(m.body()) for m in mails),
                         len(long) - len(TEXT) + len(b'Hello.\r\n'))

    def test_tls_1_2(self):
        sink = self.tls_sink('rsa', versions=(ssl.TLSVersion.TLSv1_2,
                                              ssl.TLSVersion.TLSv1_2))
        relay = self.hop(sink)
        self.send(relay)
        self.delivered(relay, tls='1.2', verified='yes')

    def test_whoever_it_is(self):
        for name in ('expired', 'wrong', 'unknown', 'own'):
            with self.subTest(name):
                sink = self.tls_sink(name)
                relay = self.hop(sink)
                self.send(relay)
                self.delivered(relay, tls='1.3', verified='no')
                self.stop(relay)

    def test_an_address_is_no_name(self):
        sink = self.tls_sink()
        relay = self.hop(sink, {'relay.host': sink.next_hop})
        self.send(relay)
        self.delivered(relay, tls='1.3', verified='yes')
        self.assertEqual(sink.asked, [None])

    def test_in_clear_where_it_is_not_offered(self):
        sink = self.tls_sink(starttls=False)
        relay = self.hop(sink)
        self.send(relay)
        line = self.delivered(relay, tls='none')
        self.assertNotIn('cipher', line)
        self.assertEqual(relay.find('tls_failed'), [])

    def test_a_refusal_is_no_matter(self):
        for reply in ('454 4.7.0 not now', '502 5.5.1 what?'):
            with self.subTest(reply):
                sink = self.tls_sink().on('starttls', reply)
                relay = self.hop(sink)
                self.send(relay)
                self.delivered(relay, tls='none')
                self.assertEqual(sink.accepted, 1)
                self.stop(relay)

    def test_none_is_none(self):
        sink = self.tls_sink()
        relay = self.hop(sink, {'delivery.tls': 'none'})
        self.send(relay)
        self.delivered(relay, tls='none')
        self.assertNotIn('starttls', sink.sessions[0].commands)

    def in_clear_after(self, stage, hook, **options):
        sink = self.tls_sink(**options)
        if stage:
            sink.on(stage, hook)
        relay = self.hop(sink, {'delivery.messages_per_connection': 1})
        self.send(relay)
        self.delivered(relay, tls='none', attempt=1)
        failed, = relay.find('tls_failed')
        self.assertEqual(failed['next'], 'the same host without TLS')
        self.assertEqual(sink.accepted, 2)
        # It is remembered.
        self.send(relay)
        relay.wait('delivered', count=2)
        self.assertEqual(sink.accepted, 3)
        self.assertNotIn('starttls', sink.sessions[2].commands)
        self.assertEqual(len(relay.find('tls_failed')), 1)
        self.stop(relay)
        return failed

    def test_in_clear_after_garbage(self):
        self.in_clear_after('handshake', garbage)

    def test_in_clear_after_a_lost_connection(self):
        self.in_clear_after('handshake', DROP)

    def test_in_clear_after_a_reset(self):
        self.in_clear_after('handshake', RESET)

    def test_in_clear_after_a_stall(self):
        failed = self.in_clear_after('handshake', SILENT)
        self.assertIn('timed out', failed['reply'])

    def test_in_clear_after_a_stall_before_it(self):
        self.in_clear_after('starttls', SILENT)

    def test_in_clear_after_a_loss_behind_it(self):
        self.in_clear_after(
            'ehlo', lambda s, _: DROP if s.tls else None)

    def test_in_clear_where_others_put_words_into_the_servers_mouth(self):
        self.in_clear_after('starttls', '220 go\r\n250-sink.example\r\n'
                                        '250 AUTH PLAIN')

    def test_in_clear_where_tls_is_too_old(self):
        self.in_clear_after(None, None, versions=(ssl.TLSVersion.TLSv1,
                                                  ssl.TLSVersion.TLSv1))

    def test_what_is_down_is_not_remembered(self):
        """A host that fails without TLS, too, has nothing to do with TLS."""
        sink = self.tls_sink().on('handshake', DROP)
        sink.on('banner', lambda s, _: DROP if len(sink.sessions) == 2
                else None)
        relay = self.hop(sink)
        self.send(relay)
        relay.wait('deferred')
        sink.on('handshake', None)
        relay.command('queue', 'retry')
        self.delivered(relay, tls='1.3')


class Mandatory(TlsCase):
    def refused(self, sink, sets, status, reply, code=None):
        relay = self.hop(sink, sets)
        self.send(relay)
        line = relay.wait('deferred', status=status)
        self.assertRegex(line['reply'], reply)
        if code:
            self.assertEqual(line['code'], str(code))
        self.assertEqual(relay.find('tls_failed'), [])
        self.assertEqual(sink.mails, [])
        self.assertEqual(self.in_clear(sink), [])
        self.stop(relay)

    MUST = ({'delivery.tls': 'encrypt'}, {'delivery.tls': 'verify'},
            {'relay.tls': 'true'})

    def test_not_offered(self):
        for sets in self.MUST:
            self.refused(self.tls_sink(starttls=False), sets, '4.7.4',
                         'TLS is required')

    def test_refused(self):
        for sets in self.MUST:
            self.refused(self.tls_sink().on('starttls', '454 4.7.0 later'),
                         sets, '4.7.0', 'later', 454)

    def test_a_broken_handshake(self):
        for sets in self.MUST:
            self.refused(self.tls_sink().on('handshake', garbage), sets,
                         '4.7.5', 'TLS handshake with localhost')

    def test_a_stalled_handshake(self):
        self.refused(self.tls_sink().on('handshake', SILENT),
                     {'relay.tls': 'true'}, '4.7.5', 'timed out')

    def test_words_in_the_servers_mouth(self):
        self.refused(self.tls_sink().on('starttls', '220 go\r\n250 x'),
                     {'relay.tls': 'true'}, '4.5.0', 'behind STARTTLS')

    def test_encrypt_takes_whoever_it_is(self):
        for sets in ({'delivery.tls': 'encrypt'}, {'relay.tls': 'true'}):
            with self.subTest(sets):
                relay = self.hop(self.tls_sink('own'), sets)
                self.send(relay)
                self.delivered(relay, tls='1.3', verified='no')
                self.stop(relay)

    VERIFY = ({'delivery.tls': 'verify'},
              {'relay.tls': 'true', 'relay.tls_verify': 'true'})

    def test_verify(self):
        for sets in self.VERIFY:
            relay = self.hop(self.tls_sink(), sets)
            self.send(relay)
            self.delivered(relay, tls='1.3', verified='yes')
            self.stop(relay)

    def test_verify_refuses(self):
        for name in ('expired', 'wrong', 'unknown', 'own'):
            for sets in self.VERIFY:
                with self.subTest(name=name, sets=sets):
                    self.refused(self.tls_sink(name), sets, '4.7.5',
                                 'TLS handshake with localhost')

    def test_verify_without_the_authority(self):
        relay = self.hop(self.tls_sink(), self.VERIFY[0], trust=False)
        self.send(relay)
        relay.wait('deferred', status='4.7.5')

    def test_the_next_host_may_be_better(self):
        bad = self.tls_sink('wrong', host='127.0.0.2')
        good = self.tls_sink(host='127.0.0.3', port=bad.port)
        dns = self.dns('to MX 10 bad\nto MX 20 mx\n'
                       'bad A 127.0.0.2\nmx A 127.0.0.3\n')
        relay = self.hop(good, {
            'relay.host': None, 'delivery.port': bad.port,
            'dns.servers': dns.servers,
            'delivery.tls': 'verify'})
        self.send(relay, rcpts=('a@to.lab',))
        line = self.delivered(relay, verified='yes', attempt=1)
        self.assertIn('mx.lab[127.0.0.3]', line['relay'])
        self.assertEqual(good.asked, ['mx.lab'])
        self.assertEqual(bad.asked, ['bad.lab'])
        self.assertEqual(bad.mails, [])


class Login(TlsCase):
    USER = ('user@example.org', 'p\u00e4ss word"')
    SETS = {'relay.username': USER[0], 'relay.password': USER[1]}
    TLS = {'relay.tls': 'true'}

    def login_sink(self, **options):
        return self.tls_sink(user=self.USER, **options)

    def test_behind_tls(self):
        for auth in ('AUTH PLAIN', 'AUTH LOGIN', 'AUTH=LOGIN'):
            with self.subTest(auth):
                sink = self.login_sink(auth=auth)
                relay = self.hop(sink, self.TLS)
                self.send(relay)
                self.delivered(relay, tls='1.3', verified='yes')
                mail, = sink.wait()
                self.assertEqual(mail.session.user, self.USER[0])
                self.assertEqual(mail.session.secrets_in_clear, [])
                self.assertEqual(
                    relay.find('relay_password_unprotected'), [])
                self.stop(relay)

    def test_verified_by_default(self):
        sink = self.login_sink(certificate='own')
        relay = self.hop(sink, self.TLS)
        self.send(relay)
        relay.wait('deferred', status='4.7.5')
        self.assertNotIn('auth', sink.sessions[0].commands)

    def test_wrong_password(self):
        sink = self.login_sink()
        sink.user = (b'user', b'other')
        relay = self.hop(sink, self.TLS)
        self.send(relay)
        relay.wait('deferred', code='535', status='4.7.8')
        relay.wait('site_failed', reply='wrong')
        # The mail stays, until somebody mends it.
        sink.user = tuple(w.encode() for w in self.USER)
        relay.command('queue', 'retry')
        self.delivered(relay)

    def test_not_offered(self):
        sink = self.tls_sink()
        relay = self.hop(sink, self.TLS)
        self.send(relay)
        relay.wait('deferred', status='4.7.0',
                   reply=lambda r: 'does not offer AUTH' in r)
        self.assertEqual(sink.mails, [])

    def test_no_tls_no_password(self):
        sink = self.login_sink(starttls=False, auth_only=False)
        relay = self.hop(sink, self.TLS)
        self.send(relay)
        relay.wait('deferred', status='4.7.4')
        for session in sink.sessions:
            self.assertNotIn('auth', session.commands)
        self.assertEqual(sink.mails, [])

    def test_a_broken_handshake_and_no_password(self):
        sink = self.login_sink(auth_only=False).on('handshake', garbage)
        relay = self.hop(sink, self.TLS)
        self.send(relay)
        relay.wait('deferred', status='4.7.5')
        self.assertEqual(sum((s.secrets_in_clear for s in sink.sessions), []),
                         [])

    def test_in_clear_only_with_a_warning(self):
        sink = self.login_sink(starttls=False, auth_only=False)
        relay = self.hop(sink)
        self.send(relay)
        self.delivered(relay, tls='none')
        self.assertEqual(sink.sessions[0].user, self.USER[0])
        relay.wait('relay_password_unprotected', level='warn')


class Resumption(TlsCase):
    def resumed(self, sets, **options):
        sink = self.tls_sink(**options)
        relay = self.hop(sink, dict(
            sets, **{'delivery.messages_per_connection': 1}))
        for i in range(3):
            self.send(relay)
            relay.wait('delivered', count=i + 1, verified='yes')
        self.assertEqual([s.resumed for s in sink.sessions],
                         [False, True, True])
        # A reload looks at everybody again.
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded')
        self.send(relay)
        relay.wait('delivered', count=4, verified='yes')
        self.assertFalse(sink.sessions[3].resumed)
        self.stop(relay)

    def test_a_session_that_fails_costs_no_more_than_a_try(self):
        sink = self.tls_sink()
        relay = self.hop(sink, {'delivery.messages_per_connection': 1,
                                'delivery.tls': 'verify'})
        self.send(relay)
        relay.wait('delivered')
        sink.on('handshake', lambda s, _: DROP if len(sink.sessions) == 2
                else None)
        self.send(relay)
        relay.wait('delivered', count=2, verified='yes', attempt=1)
        self.assertEqual(sink.accepted, 3)
        self.assertFalse(sink.sessions[2].resumed)

    def test_tls_1_3(self):
        self.resumed({})

    def test_tls_1_3_verified(self):
        self.resumed({'delivery.tls': 'verify'})

    def test_tls_1_2(self):
        self.resumed({}, versions=(ssl.TLSVersion.TLSv1_2,
                                   ssl.TLSVersion.TLSv1_2))


class Ends(TlsCase):
    """A stop, wherever the connection is."""

    def stopped(self, stage, **options):
        sink = self.tls_sink(**options).on(stage, SILENT)
        relay = self.hop(sink, {'timeout.greeting': '60s'})
        self.send(relay)
        until(lambda: sink.sessions and stage.split('+')[0]
              in sink.sessions[0].commands, what=stage)
        self.stop(relay)

    def test_in_the_handshake(self):
        sink = self.tls_sink()
        reached = []
        sink.on('handshake', lambda s, _: reached.append(1) or SILENT)
        relay = self.hop(sink, {'timeout.greeting': '60s'})
        self.send(relay)
        until(lambda: reached)
        begun = time.monotonic()
        self.stop(relay)
        self.assertLess(time.monotonic() - begun, 10)
        # And the mail is still there.
        sink.on('handshake', None)
        relay.start()
        self.delivered(relay, tls='1.3')

    def test_at_starttls(self):
        self.stopped('starttls')

    def test_idle_inside_of_tls(self):
        sink = self.tls_sink()
        relay = self.hop(sink)
        self.send(relay)
        self.delivered(relay)
        self.stop(relay)


class Trickle(TlsCase):
    """A reply as a whole has its time, however it trickles."""

    def trickled(self, stage, tls):
        sink = self.tls_sink(starttls=tls)

        def trickle(session, _):
            for byte in b'250-' + b'x' * 400:
                session.socket.sendall(bytes([byte]))
                if sink.ending.wait(0.05):
                    break
            return DROP

        sink.on(stage, lambda s, a: trickle(s, a)
                if bool(s.tls) == tls else None)
        relay = self.hop(sink, {'timeout.greeting': '1s',
                                'timeout.mail': '1s', 'relay.tls': tls})
        begun = time.monotonic()
        self.send(relay)
        relay.wait('deferred', reply=lambda r: 'timed out' in r)
        self.assertLess(time.monotonic() - begun, 8)

    def test_a_hello(self):
        self.trickled('ehlo', False)

    def test_a_hello_inside_of_tls(self):
        self.trickled('ehlo', True)

    def test_mail(self):
        self.trickled('mail', False)
