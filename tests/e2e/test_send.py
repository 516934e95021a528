"""`smarthost send` and `smarthost sendmail`: mail from the command line."""
import os
import re
import shutil
import subprocess

from case import Case
from relay import PROGRAM
from sink import dead_port
from tls_sink import Certificates, TlsSink


AUTH = '''
users:
- {name: app, password: s3cret-w0rd}
'''


class Send(Case):
    def send_command(self, relay, *words, status=0):
        done = relay.command('send', *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_a_test_mail_through_the_relay(self):
        relay, sink = self.pair()
        done = self.send_command(relay, 'you@example.net')
        self.assertRegex(done.stdout, r'(?m)^< 220 .*\n> EHLO relay\.example\n'
                         r'< 250-')
        self.assertRegex(done.stdout, r'(?m)^> MAIL FROM:<postmaster@'
                         r'relay\.example>.*\n> RCPT TO:<you@example\.net>')
        self.assertRegex(done.stdout, r'(?m)^- the message, \d+ bytes$')
        self.assertRegex(done.stdout, r'(?m)^> QUIT\n< 221 ')
        name = re.search(r'(?m)^accepted: queued as (\S+)$', done.stdout)
        self.assertTrue(name, done.stdout)
        relay.wait('delivered', id=name[1])
        mail, = sink.wait(to='you@example.net')
        self.assertIn(b'Subject: A test of smarthost\r\n', mail.data)

    def test_a_file_with_dots_and_bare_line_feeds(self):
        relay, sink = self.pair()
        path = os.path.join(relay.root, 'mail')
        with open(path, 'wb') as f:
            f.write(b'Subject: dots\n\n.\n..\nend\xc3\xa9\n')
        self.send_command(relay, '--file', path, '--from', 'me@example.org',
                          '--rcpt', 'a@example.net', '--rcpt=b@example.net')
        mail, = sink.wait()
        self.assertEqual(mail.rcpts, ['a@example.net', 'b@example.net'])
        self.assertTrue(mail.data.endswith(b'\r\n\r\n.\r\n..\r\nend\xc3\xa9\r\n'),
                        mail.data)

    def test_a_long_file_while_the_server_talks(self):
        """Neither side may wait for the other for ever."""
        relay, sink = self.pair()
        path = os.path.join(relay.root, 'mail')
        with open(path, 'wb') as f:
            f.write(b'Subject: long\n\n' +
                    (b'0123456789' * 7 + b'\n') * 60000)
        self.send_command(relay, '--file', path, '--rcpt', 'a@example.net')
        mail, = sink.wait()
        self.assertGreater(len(mail.data), 60000 * 72)

    def test_refusals_and_their_status(self):
        sink = self.sink()
        relay = self.relay(start=False)
        to = ('--to', '127.0.0.1:%d' % sink.port, '--rcpt', 'a@example.net')
        sink.on('rcpt', '550 5.1.1 no such user')
        done = self.send_command(relay, *to, status=67)
        self.assertEqual(done.stderr, '<a@example.net>: the server says: 550 '
                         'no such user\n')
        sink.on('rcpt', '451 4.3.0 later')
        self.send_command(relay, *to, status=75)
        sink.on('rcpt', None).on('body', '554 5.7.1 spam')
        self.send_command(relay, *to, status=69)
        sink.on('body', None).on('banner', '554 5.3.2 closed')
        done = self.send_command(relay, *to, status=69)
        self.assertIn('554 closed', done.stderr)
        done = self.send_command(
            relay, '--to', '127.0.0.1:%d' % dead_port(), '--rcpt', 'a@b.c',
            status=75)
        self.assertRegex(done.stderr, r'^no connection to 127\.0\.0\.1, port '
                         r'\d+: Connection refused$')
        done = self.send_command(relay, '--to', '127.0.0.1:9', '--rcpt', 'a',
                                 status=64)
        self.assertIn('not an address', done.stderr)
        self.send_command(relay, status=64)
        self.send_command(relay, '--rcpt', 'a@b.c', '--file', '/none',
                          status=66)

    def test_the_relays_own_tls_and_auth(self):
        relay, sink = self.pair({'tls.level': 'encrypt', 'auth': 'true'},
                                yaml=AUTH)
        done = self.send_command(relay, '--rcpt', 'you@example.net')
        self.assertRegex(done.stdout, r'(?m)^> STARTTLS\n< 220 .*\n'
                         r'- TLS 1\.3, TLS_\S+, certificate not verified\n')
        self.assertRegex(done.stdout, r'(?m)^> AUTH SCRAM-SHA-256-PLUS \*\*\*\n'
                         r'< 334 .*\n> \*\*\*\n')
        self.assertNotIn('s3cret', done.stdout)
        sink.wait(to='you@example.net')
        path = os.path.join(relay.root, 'password')
        with open(path, 'w') as f:
            f.write('wrong\n')
        done = self.send_command(relay, '--rcpt', 'you@example.net', '--user',
                                 'app', '--password-file', path, status=77)
        self.assertIn('535', done.stderr)


class Tls(Case):
    def setUp(self):
        self.certificates = Certificates()
        self.addCleanup(self.certificates.remove)
        self.held = self.relay(start=False,
                               env={'SSL_CERT_FILE': self.certificates.ca})

    def server(self, name, **options):
        sink = TlsSink(getattr(self.certificates, name), **options)
        self.addCleanup(sink.close)
        return sink

    def send_to(self, sink, *words, status=0):
        done = self.held.command('send', '--to', 'localhost:%d' % sink.port,
                                 '--rcpt', 'a@example.net', *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_verified_or_not(self):
        done = self.send_to(self.server('good'), '--tls', 'verify')
        self.assertRegex(done.stdout, r'(?m)^- TLS 1\.3, .*certificate verified$')
        for name in ('wrong', 'expired', 'unknown'):
            done = self.send_to(self.server(name), '--tls', 'verify',
                                status=76)
            self.assertIn('TLS handshake: ', done.stderr)
            done = self.send_to(self.server(name), '--tls', 'encrypt')
            self.assertIn('certificate not verified', done.stdout)

    def test_no_tls_where_it_is_a_must(self):
        sink = self.server('good', starttls=False)
        done = self.send_to(sink, '--tls', 'encrypt', status=76)
        self.assertIn('does not offer it', done.stderr)
        self.assertNotIn('> MAIL', self.send_to(
            sink, '--tls', 'verify', status=76).stdout)
        self.send_to(sink)
        self.assertNotIn('> STARTTLS', self.send_to(
            self.server('good'), '--tls', 'none').stdout)

    def test_a_password_is_not_shown(self):
        path = self.certificates.path('password')
        with open(path, 'w') as f:
            f.write('s3cret-w0rd\n')
        for mechanism in ('PLAIN', 'LOGIN'):
            sink = self.server('good', user=('me', 's3cret-w0rd'),
                               auth='AUTH ' + mechanism)
            done = self.send_to(sink, '--user', 'me', '--password-file', path)
            self.assertIn('> AUTH ' + mechanism, done.stdout)
            self.assertIn('***', done.stdout)
            self.assertNotIn('czNjcmV0', done.stdout)       # base64 of it
            self.assertNotIn('s3cret', done.stdout + done.stderr)
            self.assertEqual(sink.mails[0].session.user, 'me')
            self.assertEqual(sink.mails[0].session.secrets_in_clear, [])


class Sendmail(Case):
    """The old command's name, its options, its exit statuses."""

    def setUp(self):
        self.relay_here, self.sink_there = self.pair()
        self.home = self.relay_here.root
        self.configure(self.relay_here.port)
        self.program = os.path.join(self.home, 'sendmail')
        os.symlink(PROGRAM, self.program)

    def configure(self, port):
        self.relay_here.write_yaml(
            'config:\n  hostname: relay.example\n  listen:\n'
            "    submission: ['127.0.0.1:%d']\n" % port)

    def sendmail(self, text, *words, status=0):
        env = self.relay_here.environment()
        env['APP_CONF'] = self.relay_here.config_dir
        done = subprocess.run([self.program, *words], input=text, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=30)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr.decode()

    def arrived(self, to):
        return self.sink_there.wait(to=to)[-1]

    def test_recipients_as_words(self):
        self.sendmail(b'Subject: hello\n\nHello.\n.\nnot sent\n',
                      '-f', 'me@example.org', 'a@example.net', 'root')
        mail = self.arrived('a@example.net')
        self.assertEqual(mail.sender, 'me@example.org')
        self.assertEqual(mail.rcpts, ['a@example.net', 'root@relay.example'])
        self.assertTrue(mail.data.endswith(b'\r\n\r\nHello.\r\n'), mail.data)

    def test_dots(self):
        for option in ('-i', '-oi', '-ti'):
            self.sendmail(b'To: a@example.net\n\n.\nsent\n', option,
                          *(() if 't' in option else ('a@example.net',)))
            self.assertTrue(self.arrived('a@example.net').data.endswith(
                b'\r\n.\r\nsent\r\n'))

    def test_recipients_of_the_header(self):
        self.sendmail(
            b'To: "Doe, A." <a@example.net>, b@example.net (B, too)\n'
            b'Cc: Us: c@example.net,\n\t<d@example.net>;, a@example.net\n'
            b'Bcc: secret@example.net\n'
            b'Subject: t\n\nTo: body@example.net\n',
            '-t', '-oi', '-f', '<>')
        mail = self.arrived('a@example.net')
        self.assertEqual(mail.sender, '')
        self.assertEqual(mail.rcpts, [
            'a@example.net', 'b@example.net', 'c@example.net',
            'd@example.net', 'secret@example.net'])
        self.assertNotIn(b'secret', mail.data)
        self.assertIn(b'Cc: Us: c@example.net,\r\n\t<d@example.net>;',
                      mail.data)
        self.assertTrue(mail.data.endswith(b'\r\n\r\nTo: body@example.net\r\n'))

    def test_names_and_options_of_dsn(self):
        self.sendmail(b'Subject: t\n\nx\n', '-F', 'Joe "J" Doe', '-fme@a.example',
                      '-N', 'failure,delay', '-Rhdrs', '-V', 'id7', '-oem',
                      '-om', '-odb', '-B8BITMIME', '-bm', '--',
                      'a@example.net')
        mail = self.arrived('a@example.net')
        self.assertIn(b'From: "Joe \\"J\\" Doe" <me@a.example>\r\n', mail.data)
        self.assertIn('NOTIFY=FAILURE,DELAY', mail.rcpt_params['a@example.net'])
        self.assertIn('RET=HDRS', mail.params)
        self.assertIn('ENVID=id7', mail.params)

    def test_the_users_own_name(self):
        self.sendmail(b'\nx\n', 'a@example.net')
        self.assertEqual(self.arrived('a@example.net').sender,
                         'root@relay.example')

    def test_what_goes_wrong(self):
        mail = b'Subject: t\n\nx\n'
        self.assertIn('no recipients', self.sendmail(mail, status=64))
        self.assertIn('no recipients', self.sendmail(mail, '-t', status=65))
        self.assertIn('not an address',
                      self.sendmail(mail, 'a b@c@', status=65))
        self.assertIn('queue list', self.sendmail(mail, '-bp', status=64))
        self.assertIn('unknown option', self.sendmail(mail, '-Z', status=64))
        self.assertIn('-N takes', self.sendmail(mail, '-N', 'x', status=64))
        self.configure(dead_port())
        self.assertIn('no connection',
                      self.sendmail(mail, 'a@example.net', status=75))

    def test_mail_of_a_local_client(self):
        """msmtp's and mail(1)'s way: what cron calls."""
        env = dict(self.relay_here.environment(),
                   APP_CONF=self.relay_here.config_dir)
        done = subprocess.run(
            [PROGRAM, 'sendmail', '-FCronDaemon', '-i', '-odi', '-oem', '-oi',
             '-t', '-f', 'root'], env=env, timeout=30,
            input=b'From: root (Cron Daemon)\nTo: admin@example.net\n'
                  b'Subject: Cron <root@host> true\n\nout\n')
        self.assertEqual(done.returncode, 0)
        self.assertIn(b'From: root (Cron Daemon)\r\n',
                      self.arrived('admin@example.net').data)
