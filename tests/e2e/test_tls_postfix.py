"""Deliveries to a Postfix with STARTTLS and AUTH, in each mode."""
import os
import shutil
import unittest

from case import Case
from postfix_hop import PostfixHop
from tls_sink import Certificates

USER = ('user@example.org', 'correct horse = battery \\ "staple"')
_made = []


def certificates():
    if not _made:
        _made.append(Certificates())
        unittest.addModuleCleanup(_made[0].remove)
    return _made[0]


@unittest.skipUnless(os.geteuid() == 0 and shutil.which('postfix'),
                     'needs root and Postfix')
class Postfix(Case):
    def hop(self, certificate='good', **options):
        hop = PostfixHop(getattr(certificates(), certificate), **options)
        self.addCleanup(hop.close)
        return hop

    def to(self, hop, sets=None):
        more = {'relay.host': hop.host, 'timeout.greeting': '5s'}
        more.update(sets or {})
        return self.relay(more, env={'SSL_CERT_FILE': certificates().ca})

    def test_opportunistic(self):
        for name in ('good', 'rsa', 'own'):
            with self.subTest(name):
                hop = self.hop(name)
                relay = self.to(hop)
                self.send(relay)
                relay.wait('delivered', tls='1.3', verified='no'
                           if name == 'own' else 'yes')
                hop.wait('TLS connection established .*TLSv1.3')
                hop.wait('status=sent')
                self.stop(relay)

    def test_tls_1_2(self):
        hop = self.hop('rsa', more='smtpd_tls_protocols = TLSv1.2')
        relay = self.to(hop, {'delivery.tls': 'verify'})
        self.send(relay)
        relay.wait('delivered', tls='1.2', verified='yes')

    def test_no_tls(self):
        hop = self.hop(level='none')
        relay = self.to(hop)
        self.send(relay)
        relay.wait('delivered', tls='none')

    def test_it_wants_tls(self):
        hop = self.hop(level='encrypt')
        for tls, event in (('none', 'bounced'), ('opportunistic',
                                                 'delivered')):
            with self.subTest(tls):
                relay = self.to(hop, {'delivery.tls': tls})
                self.send(relay)
                relay.wait(event)
                self.stop(relay)

    def test_a_resumed_session(self):
        hop = self.hop()
        relay = self.to(hop, {'delivery.messages_per_connection': 1,
                              'delivery.tls': 'verify'})
        for i in range(3):
            self.send(relay)
            relay.wait('delivered', count=i + 1, verified='yes')
        established = 'TLS connection established'
        hop.wait('(?s)%s.*%s.*%s' % ((established,) * 3))
        # A full handshake shows the server's signature and its digest.
        self.assertEqual(hop.log().count('server-digest'), 1, hop.log())
        self.assertNotIn('TLS library problem', hop.log())

    def logged_in(self, mechanism, sets, offered=None, **options):
        hop = self.hop(mechanisms=offered or mechanism, user=USER, **options)
        relay = self.to(hop, dict({'relay.username': USER[0],
                                   'relay.password': USER[1]}, **sets))
        self.send(relay)
        line = relay.wait('delivered')
        hop.wait('sasl_method=%s, sasl_username=%s' % (mechanism, USER[0]))
        hop.wait('status=sent')
        self.stop(relay)
        return line

    def test_every_mechanism(self):
        for mechanism in ('SCRAM-SHA-256', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN',
                          'LOGIN'):
            with self.subTest(mechanism):
                line = self.logged_in(mechanism, {'relay.tls': 'true'})
                self.assertEqual(line['verified'], 'yes')

    def test_the_best_of_all(self):
        """Postfix has no channel bindings: without -PLUS."""
        self.logged_in('SCRAM-SHA-256', {'relay.tls': 'true'},
                       'PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 '
                       'SCRAM-SHA-256')

    def test_in_clear(self):
        for mechanism in ('CRAM-MD5', 'PLAIN'):
            with self.subTest(mechanism):
                self.logged_in(mechanism, {}, level='none', auth_only='no')

    def test_wrong_password(self):
        for mechanism in ('SCRAM-SHA-256', 'PLAIN'):
            with self.subTest(mechanism):
                hop = self.hop(mechanisms=mechanism, user=USER)
                relay = self.to(hop, {'relay.username': USER[0],
                                      'relay.password': 'wrong',
                                      'relay.tls': 'true'})
                self.send(relay)
                relay.wait('deferred', code='535', status='4.7.8')
                hop.wait('authentication failed')
                self.stop(relay)
