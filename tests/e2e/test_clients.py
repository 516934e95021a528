"""Programs that nobody here wrote hand mail in; it arrives as it was sent."""
import email
import email.policy
import os
import re
import shutil
import smtplib
import subprocess
import tempfile
from email.message import EmailMessage

from case import TEXT, Case
from ports import free_port
from wait import until


def run(*words, seconds=60, **options):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, timeout=seconds,
                          **options)


class Swaks(Case):
    def swaks(self, relay, *words):
        done = run('swaks', '--server', '127.0.0.1', '--port',
                   str(relay.port), '--from', 'from@example.org',
                   '--helo', 'client.example', *words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_one_mail(self):
        relay, sink = self.pair()
        self.swaks(relay, '--to', 'to@example.net', '--body', 'A body\n.\n..')
        mail = sink.wait()[0]
        self.assertEqual(mail.sender, 'from@example.org')
        self.assertEqual(mail.rcpts, ['to@example.net'])
        self.assertIn(b'A body\r\n.\r\n..\r\n', mail.body())
        relay.wait('connect', client='127.0.0.1')
        accepted = relay.wait('accepted', **{'from': 'from@example.org'})
        self.assertEqual(accepted['rcpts'], '1')
        delivered = relay.wait('delivered', to='to@example.net')
        self.assertEqual(delivered['id'], accepted['id'])
        self.assertEqual(delivered['code'], '250')
        relay.wait('disconnect')
        self.stop(relay)

    def test_pipelining(self):
        relay, sink = self.pair()
        rcpts = ','.join('r%d@example.net' % i for i in range(30))
        text = self.swaks(relay, '--pipeline', '--to', rcpts)
        self.assertIn('PIPELINING', text)
        mail = sink.wait()[0]
        self.assertEqual(len(mail.rcpts), 30)

    def test_several_mails_in_a_session(self):
        relay, sink = self.pair()
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            for i in range(20):
                c.sendmail('from@example.org', ['to@example.net'],
                           TEXT + b'%d\r\n' % i)
        self.assertEqual(len(sink.wait(20)), 20)
        self.assertEqual(len({m.data for m in sink.mails}), 20)


class Curl(Case):
    def test_upload(self):
        relay, sink = self.pair()
        with tempfile.NamedTemporaryFile() as f:
            f.write(TEXT)
            f.flush()
            done = run('curl', '-sS', 'smtp://127.0.0.1:%d/client.example'
                       % relay.port, '--mail-from', 'from@example.org',
                       '--mail-rcpt', 'a@example.net', '--mail-rcpt',
                       'b@example.net', '--upload-file', f.name)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(sink.wait()[0].rcpts,
                         ['a@example.net', 'b@example.net'])
        self.assertTrue(sink.mails[0].data.endswith(TEXT))

    def test_refused_size(self):
        relay, _ = self.pair({'message_size_limit': '64K'})
        with tempfile.NamedTemporaryFile() as f:
            f.write(TEXT + b'x' * 70 + b'\r\n' + b'y' * 70000 + b'\r\n')
            f.flush()
            done = run('curl', '-sS', 'smtp://127.0.0.1:%d' % relay.port,
                       '--mail-from', 'from@example.org', '--mail-rcpt',
                       'a@example.net', '--upload-file', f.name)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('552', done.stdout)


class Smtplib(Case):
    def test_smtputf8(self):
        relay, sink = self.pair()
        m = EmailMessage(policy=email.policy.SMTPUTF8)
        m['From'], m['To'] = 'jürgen@exämple.org', 'zoë@example.net'
        m['Subject'] = 'Grüße'
        m.set_content('größer\n', cte='8bit')
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            c.send_message(m)
        mail = sink.wait()[0]
        self.assertEqual(mail.sender, 'jürgen@exämple.org')
        self.assertEqual(mail.rcpts, ['zoë@example.net'])
        self.assertIn('SMTPUTF8', mail.params)
        self.assertIn('BODY=8BITMIME', mail.params)
        self.assertIn('Subject: Grüße\r\n', mail.text)
        relay.wait('delivered', to='zoë@example.net')

    def test_eight_bits(self):
        relay, sink = self.pair()
        body = bytes(range(128, 256)) + b'\r\n'
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            c.sendmail('from@example.org', ['to@example.net'], TEXT + body,
                       mail_options=['BODY=8BITMIME'])
        mail = sink.wait()[0]
        self.assertTrue(mail.data.endswith(body))
        self.assertIn('BODY=8BITMIME', mail.params)

    def test_delivery_status_parameters_are_passed_on(self):
        relay, sink = self.pair()
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            c.sendmail('from@example.org', ['to@example.net'], TEXT,
                       mail_options=['RET=HDRS', 'ENVID=Q+2B1'],
                       rcpt_options=['NOTIFY=SUCCESS,FAILURE',
                                     'ORCPT=rfc822;old+2Bto@example.net'])
        mail = sink.wait()[0]
        self.assertIn('RET=HDRS', mail.params)
        self.assertIn('ENVID=Q+2B1', mail.params)
        params = mail.rcpt_params['to@example.net']
        self.assertIn('ORCPT=rfc822;old+2Bto@example.net', params)
        self.assertRegex(params, 'NOTIFY=(SUCCESS,FAILURE|FAILURE,SUCCESS)')

    def test_nothing_is_passed_on_that_was_not_offered(self):
        relay, sink = self.pair(extensions=['SIZE 1000000'])
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            c.sendmail('from@example.org', ['to@example.net'], TEXT,
                       mail_options=['RET=HDRS', 'BODY=8BITMIME'],
                       rcpt_options=['NOTIFY=FAILURE'])
        mail = sink.wait()[0]
        self.assertRegex(mail.params, r'^(SIZE=\d+)?$')
        self.assertEqual(mail.rcpt_params['to@example.net'], '')
        self.assertFalse(sink.sessions[0].pipelined)

    def test_dots_and_lines_arrive_unchanged(self):
        relay, sink = self.pair()
        bodies = [b'', b'\r\n', b'.', b'.\r\n', b'..\r\n.\r\n...\r\n',
                  b'.a\r\n\r\n.\r\n', b'x' * 998 + b'\r\n',
                  b'no end', b' \t \r\n\r\n\r\n',
                  b'%s\r\n' % (b'y' * 65534), b'.\r\n' * 30000]
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            for body in bodies:
                c.sendmail('from@example.org', ['to@example.net'],
                           TEXT + body)
        came = {mail.data.split(TEXT, 1)[1]
                for mail in sink.wait(len(bodies))}
        for body in bodies:
            if body and not body.endswith(b'\r\n'):
                body += b'\r\n'     # smtplib ends the last line
            self.assertIn(body, came)
        self.assertEqual(sink.wrongs, [])

    def test_no_recipients_good(self):
        relay, sink = self.pair()
        with smtplib.SMTP('127.0.0.1', relay.port) as c:
            with self.assertRaises(smtplib.SMTPRecipientsRefused):
                c.sendmail('from@example.org', ['no domain@'], TEXT)
            c.sendmail('from@example.org', ['to@example.net'], TEXT)
        sink.wait()


class Postfix(Case):
    """smtp-source -> relay -> smtp-sink."""

    def smtp_sink(self, *words):
        port = free_port()
        folder = tempfile.mkdtemp(prefix='smarthost-sink-')
        os.chmod(folder, 0o777)
        self.addCleanup(shutil.rmtree, folder, True)
        user = ['-u', 'nobody'] if os.getuid() == 0 else []
        program = shutil.which('smtp-sink') or '/usr/sbin/smtp-sink'
        sink = subprocess.Popen(
            [program, *user, *words, '-D', 'dump', '127.0.0.1:%d' % port,
             '1024'], cwd=folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(sink.wait)
        self.addCleanup(sink.kill)
        return port, folder + '/dump'

    def source(self, relay, *words):
        program = shutil.which('smtp-source') or '/usr/sbin/smtp-source'
        done = run(program, *words, '127.0.0.1:%d' % relay.port)
        self.assertEqual(done.returncode, 0, done.stdout)
        # It says what it was answered when it was not what it wanted.
        self.assertNotIn('fatal', done.stdout)

    def mails(self, dump, marker=b'X-Rcpt-Args:'):
        try:
            with open(dump, 'rb') as f:
                return f.read().count(b'\n' + marker)
        except FileNotFoundError:
            return 0

    def through(self, *words, count, rcpts=1, sink=()):
        port, dump = self.smtp_sink(*sink)
        relay = self.relay({'relay.host': '[127.0.0.1]:%d' % port})
        until(lambda: _listens(port), what='smtp-sink')
        self.source(relay, '-f', 'from@example.org', '-t', 'to@example.net',
                    *words)
        relay.wait('delivered', count=count * rcpts, seconds=60)
        until(lambda: self.mails(dump) == count * rcpts,
              what='%d recipients in the dump' % (count * rcpts))
        self.assertEqual(self.mails(dump, b'X-Mail-Args:'), count)
        self.stop(relay)

    def test_sessions_side_by_side(self):
        self.through('-s', '20', '-m', '400', '-l', '10240', count=400)

    def test_one_session(self):
        self.through('-d', '-m', '100', '-l', '100', count=100)

    def test_many_recipients(self):
        self.through('-s', '5', '-m', '20', '-r', '50', count=20, rcpts=50)

    def test_big_mails(self):
        self.through('-s', '3', '-m', '9', '-l', '3000000', count=9)

    def test_sink_without_extensions(self):
        self.through('-s', '5', '-m', '50', count=50, sink=('-e',))

    def test_sink_without_pipelining(self):
        self.through('-s', '5', '-m', '50', count=50, sink=('-p',))

    def test_sink_that_is_slow(self):
        self.through('-s', '5', '-m', '5', count=5, sink=('-w', '1'))


def _listens(port):
    import socket
    with socket.socket() as s:
        return s.connect_ex(('127.0.0.1', port)) == 0


class Headers(Case):
    """What the relay adds."""

    def test_missing_fields_are_added(self):
        relay, sink = self.pair()
        self.send(relay, b'Subject: bare\r\n\r\nbody\r\n',
                  rcpts=('a@example.net', 'b@example.net'))
        m = email.message_from_bytes(sink.wait()[0].data)
        self.assertEqual(email.utils.parseaddr(m['From'])[1],
                         'from@example.org')
        self.assertIsNotNone(email.utils.parsedate_to_datetime(m['Date']))
        self.assertRegex(m['Message-ID'], r'^<[^<>@ ]+@relay\.example>$')
        self.assertIsNotNone(m['To'])
        self.assertEqual(m['Subject'], 'bare')
        self.assertEqual(m.get_payload(), 'body\r\n')

    def test_present_fields_stay(self):
        relay, sink = self.pair()
        self.send(relay)
        m = email.message_from_bytes(sink.wait()[0].data)
        for name in ('From', 'To', 'Date', 'Message-ID', 'Subject',
                     'Received'):
            self.assertEqual(len(m.get_all(name)), 1, name)
        self.assertTrue(sink.mails[0].data.endswith(TEXT))

    def test_no_header_at_all(self):
        relay, sink = self.pair()
        for data in (b'', b'\r\n', b'just a body\r\n', b'\r\nbody\r\n'):
            self.send(relay, data)
        for mail in sink.wait(4):
            m = email.message_from_bytes(mail.data)
            self.assertTrue(m['From'] and m['Date'] and m['Message-ID'],
                            mail.data)
        self.assertEqual(1, sum(m.data.endswith(b'\r\n\r\njust a body\r\n')
                                for m in sink.mails))

    def test_received(self):
        relay, sink = self.pair()
        id = self.send(relay)
        text = sink.wait()[0].data
        self.assertTrue(text.startswith(b'Received: '), text[:60])
        m = email.message_from_bytes(text)
        received = re.sub(r'\s+', ' ', m['Received'])
        # RFC 5321 4.4: from, by, via/with/id/for, date.
        self.assertRegex(received, r'^from client\.example \(.*\[127\.0\.0\.1'
                         r'\].*\) by relay\.example .*with ESMTP id %s'
                         r'( for <to@example\.net>)?; ' % re.escape(id))
        date = received.rsplit(';', 1)[1].strip()
        self.assertIsNotNone(email.utils.parsedate_to_datetime(date))

    def test_received_names_no_recipient_when_there_are_several(self):
        relay, sink = self.pair()
        self.send(relay, rcpts=('a@example.net', 'b@example.net'))
        m = email.message_from_bytes(sink.wait()[0].data)
        self.assertNotIn('example.net', m['Received'])

    def test_received_after_helo_and_smtputf8(self):
        relay, sink = self.pair()
        with self.talk(relay) as t:
            t.say('HELO client.example', 250)
            self.assertEqual(t.message(TEXT)[0], 250)
        self.assertIn('with SMTP id', re.sub(
            r'\s+', ' ', email.message_from_bytes(
                sink.wait()[0].data)['Received']))
        with self.talk(relay) as t:
            t.hello()
            self.assertEqual(t.message(TEXT, params='SMTPUTF8')[0], 250)
        self.assertIn('with UTF8SMTP id', re.sub(
            r'\s+', ' ', email.message_from_bytes(
                sink.wait(2)[1].data)['Received']))

    def test_a_loop_is_refused(self):
        relay, sink = self.pair()
        hop = b'Received: from a.example by b.example; ' \
              b'Sun, 22 Nov 2026 10:00:00 +0000\r\n'
        with self.talk(relay) as t:
            t.hello()
            self.assertEqual(t.message(hop * 50 + TEXT)[0], 250)
            code, text = t.message(hop * 51 + TEXT)
            self.assertEqual((code, text[:5]), (554, '5.4.6'))
            self.assertEqual(t.message(TEXT)[0], 250)
        self.assertEqual(len(sink.wait(2)), 2)
