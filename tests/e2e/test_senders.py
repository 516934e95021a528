"""Who may send as whom."""
from case import Case
from test_auth import plain

YAML = '''
users:
  - {name: joe, password: secret, allowed_from: [joe@example.org, '@joe.example']}
  - {name: any, password: secret}
domains:
  - {name: example.org}
'''


def mail(sender):
    return (b'From: ' + sender + b'\r\nTo: <b@example.net>\r\n'
            b'Subject: x\r\n\r\nx\r\n')


class Domain(Case):
    def test_domain(self):
        relay = self.relay({'sender_restrictions': 'domain',
                            'relay.host': '[127.0.0.1]:9'}, yaml=YAML)
        t = self.talk(relay)
        t.hello()
        code, text = t.say('MAIL FROM:<a@evil.example>')
        self.assertEqual((code, text[:5]), (553, '5.7.1'))
        self.assertIn('a@evil.example', text)
        for sender in ('a@example.org', 'a@sub.EXAMPLE.org', ''):
            reply = t.message(mail(b'a@example.org'), sender=sender)
            self.assertEqual(reply[0], 250, reply)
        for bad in (b'a@evil.example', b'a@example.org, x@evil.example',
                    b'a@example.org, not an address', b'<>'):
            reply = t.message(mail(bad), sender='a@example.org')
            self.assertEqual((reply[0], reply[1][:5]), (550, '5.7.1'), bad)
        twice = b'From: a@example.org\r\n' + mail(b'a@example.org')
        self.assertEqual(t.message(twice, sender='a@example.org')[0], 550)


class Email(Case):
    def test_email(self):
        relay = self.relay({'sender_restrictions': 'email',
                            'relay.host': '[127.0.0.1]:9'}, yaml=YAML)
        with self.talk(relay) as t:
            t.hello()
            t.say('MAIL FROM:<joe@example.org>', 530)
            t.say('AUTH PLAIN ' + plain('joe', 'secret'), 235)
            t.say('MAIL FROM:<ann@example.org>', 553)
            for sender in ('joe@example.org', 'x@joe.example'):
                self.assertEqual(
                    t.message(mail(sender.encode()), sender=sender)[0], 250)
            self.assertEqual(t.message(mail(b'ann@example.org'),
                                       sender='joe@example.org')[0], 550)
        with self.talk(relay) as t:
            t.hello()
            t.say('AUTH PLAIN ' + plain('any', 'secret'), 235)
            self.assertEqual(t.message(mail(b'x@evil.example'),
                                       sender='y@evil.example')[0], 250)
