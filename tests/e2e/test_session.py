"""The SMTP server from outside: each thing that a client may do wrong has its
defined reply, and what comes after it works again."""
import socket
import time

from case import TEXT, Case
from talk import Talk


class Commands(Case):
    def setUp(self):
        self.r, self.s = self.pair()

    def test_extensions(self):
        t = self.talk(self.r)
        self.assertEqual(t.banner[0], 220)
        self.assertTrue(t.banner[1].startswith('relay.example '))
        offered = {line.split()[0]: line for line in t.hello()}
        for name in ('PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'DSN',
                     'ENHANCEDSTATUSCODES', 'CHUNKING'):
            self.assertIn(name, offered)
        self.assertEqual(offered['SIZE'], 'SIZE %d' % (50 << 20))
        for name in ('BINARYMIME', 'STARTTLS', 'AUTH'):
            self.assertNotIn(name, offered)

    def test_order(self):
        t = self.talk(self.r)
        for line, code in (
                ('MAIL FROM:<a@example.org>', 503), ('NOOP', 250),
                ('EHLO client.example', 250), ('RCPT TO:<a@b.example>', 503),
                ('DATA', 503), ('MAIL FROM:<a@example.org>', 250),
                ('MAIL FROM:<a@example.org>', 503), ('DATA', 503),
                ('RSET', 250), ('RCPT TO:<a@b.example>', 503),
                ('MAIL FROM:<>', 250), ('RCPT TO:<a@b.example>', 250),
                ('EHLO client.example', 250), ('DATA', 503),
                ('VRFY a@b.example', 252), ('EXPN list', 502),
                ('HELP', 214), ('NOOP with words', 250), ('WHAT', 500),
                ('', 500), ('QUIT', 221)):
            self.assertEqual(t.say(line)[0], code, line)
        self.assertEqual(t.reply()[0], 0)

    def test_case_and_blanks(self):
        t = self.talk(self.r)
        t.say('ehlo client.example', 250)
        t.say('mail from:<a@example.org> size=10 body=8bitmime', 250)
        t.say('rcpt to:<a@example.net>', 250)
        t.say('rset', 250)
        t.say('MAIL FROM:<"odd name\\@"@example.org>', 250)
        t.say('RCPT TO:<@hop.example:user@example.net>', 250)
        t.say('RCPT TO:<user@[127.0.0.9]>', 250)
        t.say('RCPT TO:<user@[IPv6:::1]>', 250)

    def test_wrong_arguments(self):
        t = self.talk(self.r)
        t.hello()
        for line, code in (
                ('MAIL FROM:a@example.org x', 501),
                ('MAIL FROM:<a@example.org', 501),
                ('MAIL FROM:<a b@example.org>', 501),
                ('MAIL FROM:<a@exa_mple..org>', 501),
                ('MAIL FROM:<a@example.org> SIZE=x', 501),
                ('MAIL FROM:<a@example.org> FOO=bar', 555),
                ('MAIL FROM:<a@example.org> BODY=BINARYMIME', (501, 555, 554)),
                ('MAIL TO:<a@example.org>', 501)):
            code = code if isinstance(code, tuple) else (code,)
            self.assertIn(t.say(line)[0], code, line)
        t.say('RSET', 250)
        t.say('MAIL FROM:<a@example.org>', 250)
        t.say('RCPT TO:<>', 501)
        t.say('RCPT TO:<nobody>', 501)
        t.say('RCPT TO:<zo\u00eb@example.net>', 553)
        t.say('RCPT TO:<a@example.net> NOTIFY=NEVER,FAILURE', 501)
        t.say('RCPT TO:<a@example.net> FOO=bar', 555)
        t.say('RCPT TO:<a@example.net>', 250)

    def test_line_ends_in_commands(self):
        for line in (b'NOOP\n\r\n', b'NOOP\rX\r\n', b'NOOP\0\r\n',
                     b'EHLO a\nMAIL FROM:<>\r\n'):
            t = self.talk(self.r)
            t.send(line + b'QUIT\r\n')
            replies = t.closed().split(b'\r\n')
            self.assertEqual(replies[0][:3], b'500', line)
            self.assertEqual([r for r in replies[:-2] if r[:1] == b'2'], [],
                             line)

    def test_long_command(self):
        t = self.talk(self.r)
        t.hello()
        # RFC 5321 4.5.3.1.4: 512, and more with parameters.
        self.assertEqual(t.say('NOOP ' + 'x' * 500)[0], 250)
        self.assertEqual(t.say('NOOP ' + 'x' * 100000)[0], 500)
        self.assertEqual(t.say('NOOP')[0], 250)
        self.assertEqual(t.message(TEXT)[0], 250)

    def test_too_many_errors(self):
        t = self.talk(self.r)
        t.hello()
        codes = []
        while len(codes) < 1000:
            code = t.say('WHAT')[0]
            codes.append(code)
            if code != 500:
                break
        self.assertEqual(codes[-1], 421)
        self.assertLess(len(codes), 100)
        self.assertEqual(t.reply()[0], 0)

    def test_too_many_recipients(self):
        t = self.talk(self.r)
        t.hello()
        t.say('MAIL FROM:<a@example.org>', 250)
        t.send(b''.join(b'RCPT TO:<r%d@example.net>\r\n' % i
                        for i in range(1010)))
        codes = [t.reply() for _ in range(1010)]
        self.assertEqual([c for c, _ in codes], [250] * 1000 + [452] * 10)
        self.assertTrue(codes[-1][1].startswith('4.5.3'))
        t.say('DATA', 354)
        t.send(TEXT + b'.\r\n')
        self.assertEqual(t.reply()[0], 250)
        self.r.wait('delivered', count=1000)
        self.assertEqual(sum(len(m.rcpts) for m in self.s.mails), 1000)

    def test_pipelined(self):
        t = self.talk(self.r)
        t.send(b'EHLO client.example\r\nMAIL FROM:<a@example.org>\r\n'
               b'RCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>\r\n'
               b'DATA\r\n')
        self.assertEqual([t.reply()[0] for _ in range(5)],
                         [250, 250, 250, 250, 354])
        t.send(TEXT + b'.\r\nMAIL FROM:<b@example.org>\r\n'
               b'RCPT TO:<c@example.net>\r\nDATA\r\n')
        self.assertEqual([t.reply()[0] for _ in range(4)],
                         [250, 250, 250, 354])
        t.send(TEXT + b'.\r\nQUIT\r\n')
        self.assertEqual([t.reply()[0] for _ in range(2)], [250, 221])
        self.s.wait(2)

    def test_everything_in_one_segment(self):
        # Not allowed before 354, but common; nothing may be misread.
        t = self.talk(self.r)
        t.send(b'EHLO c\r\nMAIL FROM:<a@example.org>\r\n'
               b'RCPT TO:<a@example.net>\r\nDATA\r\n' + TEXT +
               b'.\r\nQUIT\r\n')
        self.assertEqual([t.reply()[0] for _ in range(6)],
                         [250, 250, 250, 354, 250, 221])
        self.assertTrue(self.s.wait()[0].data.endswith(TEXT))

    def test_pipelined_after_failed_data(self):
        t = self.talk(self.r)
        t.send(b'EHLO c\r\nMAIL FROM:<a@example.org>\r\n'
               b'RCPT TO:<bad>\r\nDATA\r\nRSET\r\n'
               b'MAIL FROM:<a@example.org>\r\nRCPT TO:<a@example.net>\r\n'
               b'DATA\r\n')
        codes = [t.reply()[0] for _ in range(8)]
        self.assertEqual(codes[:3], [250, 250, 501])
        self.assertIn(codes[3], (503, 554))
        self.assertEqual(codes[4:], [250, 250, 250, 354])
        t.send(TEXT + b'.\r\n')
        self.assertEqual(t.reply()[0], 250)

    def test_one_byte_at_a_time(self):
        t = self.talk(self.r)
        for byte in b'EHLO c\r\nMAIL FROM:<a@example.org>\r\n' \
                    b'RCPT TO:<a@example.net>\r\nDATA\r\n':
            t.send(bytes([byte]))
        self.assertEqual([t.reply()[0] for _ in range(4)],
                         [250, 250, 250, 354])
        text = TEXT + b'..dot\r\n...\r\n'
        for byte in text + b'.\r\n':
            t.send(bytes([byte]))
        self.assertEqual(t.reply()[0], 250)
        self.assertTrue(self.s.wait()[0].data.endswith(
            TEXT + b'.dot\r\n..\r\n'))


class Smuggling(Case):
    """Only CRLF ends a line and only CRLF.CRLF the data."""

    ENDS = [b'\n.\n', b'\r.\r', b'\n.\r\n', b'\r\n.\n', b'\r\n.\r', b'\r.\r\n',
            b'\r\n\r.\r\n', b'\n\n.\r\n', b'x\r\r\n.\r\r\n', b'\r\n.\r\r\n',
            b'\0\r\n.\r\0\n', b'\n.\n\r\n']
    SECOND = (b'MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.net>'
              b'\r\nDATA\r\nSubject: smuggled\r\n\r\nHello\r\n')

    def test_nothing_is_smuggled(self):
        relay, sink = self.pair()
        for end in self.ENDS:
            with Talk(relay.port) as t:
                t.hello()
                t.envelope()
                t.say('DATA', 354)
                t.send(TEXT + b'end' + end + self.SECOND + b'\r\n.\r\n')
                code, text = t.reply()
                self.assertEqual((code, text[:6]), (550, '5.6.11'), end)
                t.say('NOOP', 250)
                t.say('DATA', 503)
                self.assertEqual(t.message(TEXT)[0], 250)
        mails = sink.wait(len(self.ENDS))
        self.stop(relay)
        self.assertEqual(len(sink.mails), len(self.ENDS))
        for mail in mails:
            self.assertNotIn(b'smuggled', mail.data)
            self.assertNotIn(b'evil', mail.data)

    def test_bytes_alone(self):
        relay, sink = self.pair()
        for wrong in (b'a\nb', b'a\rb', b'\n', b'\r\r', b'a\0b'):
            for data in (TEXT + wrong + b'\r\n', wrong + TEXT,
                         TEXT + wrong + b'x' * 200000 + b'\r\n'):
                with Talk(relay.port) as t:
                    t.hello()
                    code, text = t.message(data)
                    self.assertEqual(code, 550, data[-20:])
                    if b'\0' not in wrong:
                        self.assertTrue(text.startswith('5.6.11'), text)
        self.stop(relay)
        self.assertEqual(sink.mails, [])

    def test_a_bare_lf_in_bdat_is_refused_too(self):
        # Delivered by DATA it would be one, whatever BDAT allows.
        relay, sink = self.pair()
        with Talk(relay.port) as t:
            t.hello()
            t.envelope()
            t.send(b'BDAT %d LAST\r\n' % (len(TEXT) + 4) + TEXT + b'a\nb\n')
            self.assertEqual(t.reply()[0], 550)
            self.assertEqual(t.message(TEXT)[0], 250)
        sink.wait()
        self.stop(relay)
        self.assertEqual(len(sink.mails), 1)


class Chunks(Case):
    def test_chunks(self):
        relay, sink = self.pair()
        t = self.talk(relay)
        t.hello()
        t.envelope()
        for piece in (TEXT, b'.dot\r\n.', b'\r\nmore\r\n'):
            t.send(b'BDAT %d\r\n' % len(piece) + piece)
            self.assertEqual(t.reply()[0], 250)
        t.say('BDAT 0 LAST', 250)
        self.assertTrue(sink.wait()[0].data.endswith(
            TEXT + b'.dot\r\n.\r\nmore\r\n'))

    def test_pipelined_chunks_of_every_size(self):
        relay, sink = self.pair()
        body = b''.join(b'.' * (i % 4) + b'line %d\r\n' % i
                        for i in range(3000))
        text = TEXT + body
        t = self.talk(relay)
        t.hello()
        t.send(b'MAIL FROM:<a@example.org>\r\nRCPT TO:<a@example.net>\r\n')
        at, size, chunks = 0, 1, 0
        while at < len(text):
            piece = text[at:at + size]
            at, size, chunks = at + size, size * 3, chunks + 1
            last = b' LAST' if at >= len(text) else b''
            t.send(b'BDAT %d%s\r\n' % (len(piece), last) + piece)
        self.assertEqual([t.reply()[0] for _ in range(2 + chunks)],
                         [250] * (2 + chunks))
        self.assertTrue(sink.wait()[0].data.endswith(text))

    def test_last_line_without_end(self):
        relay, sink = self.pair()
        t = self.talk(relay)
        t.hello()
        t.envelope()
        t.send(b'BDAT %d LAST\r\n' % (len(TEXT) + 3) + TEXT + b'end')
        self.assertEqual(t.reply()[0], 250)
        self.assertTrue(sink.wait()[0].data.endswith(TEXT + b'end\r\n'))

    def test_chunk_without_transaction_is_eaten(self):
        relay, _ = self.pair()
        t = self.talk(relay)
        t.hello()
        # RFC 3030 2: the octets follow whatever we think of the command.
        t.send(b'BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n')
        self.assertEqual(t.reply()[0], 503)
        self.assertEqual(t.reply()[0], 250)

    def test_mixed_with_data(self):
        relay, sink = self.pair()
        t = self.talk(relay)
        t.hello()
        t.envelope()
        t.send(b'BDAT 3\r\na\r\n')
        self.assertEqual(t.reply()[0], 250)
        t.say('DATA', 503)
        t.say('RSET', 250)
        self.assertEqual(t.message(TEXT)[0], 250)
        self.assertTrue(sink.wait()[0].data.endswith(TEXT))
        self.assertEqual(len(sink.mails), 1)

    def test_wrong_numbers(self):
        relay, _ = self.pair()
        for word in ('', 'x', '-1', '1 FIRST', '99999999999999999999999'):
            with Talk(relay.port) as t:
                t.hello()
                t.envelope()
                self.assertIn(t.say('BDAT ' + word)[0], (500, 501, 552, 421))

    def test_too_big(self):
        relay, sink = self.pair({'message_size_limit': '64K'})
        t = self.talk(relay)
        t.hello()
        t.envelope()
        t.send(b'BDAT 60000\r\n' + b'x' * 60000)
        self.assertEqual(t.reply()[0], 250)
        t.send(b'BDAT 60000\r\n' + b'x' * 60000)
        self.assertEqual(t.reply()[0], 552)
        t.say('RSET', 250)
        self.assertEqual(t.message(TEXT)[0], 250)
        sink.wait()


class Sizes(Case):
    def setUp(self):
        self.r, self.s = self.pair({'message_size_limit': '64K'})

    def test_declared(self):
        t = self.talk(self.r)
        self.assertIn('SIZE 65536', t.hello())
        code, text = t.say('MAIL FROM:<a@example.org> SIZE=65537')
        self.assertEqual((code, text[:5]), (552, '5.3.4'))
        t.say('MAIL FROM:<a@example.org> SIZE=65536', 250)

    def test_undeclared(self):
        t = self.talk(self.r)
        t.hello()
        code, text = t.message(TEXT + b'x' * 65536 + b'\r\n')
        self.assertEqual((code, text[:5]), (552, '5.3.4'))
        # Much more than it: refused at its end, not kept in memory.
        code, text = t.message((b'y' * 98 + b'\r\n') * 50000)
        self.assertEqual((code, text[:5]), (552, '5.3.4'))
        self.assertEqual(t.message(TEXT)[0], 250)
        self.s.wait()
        self.stop(self.r)
        self.assertEqual(len(self.s.mails), 1)

    def test_exactly(self):
        t = self.talk(self.r)
        t.hello()
        fill = 65536 - len(TEXT)
        lines = b'.' * (fill - 2) + b'\r\n'     # stuffing does not count
        self.assertEqual(t.message(TEXT + b'.' + lines)[0], 250)
        self.assertEqual(t.message(TEXT + b'.' + b'x' + lines)[0], 552)
        self.assertTrue(self.s.wait()[0].data.endswith(lines))


class Waiting(Case):
    """Every wait has a limit."""

    def test_silent_client(self):
        relay, _ = self.pair({'timeout.command': '1s'})
        began = time.monotonic()
        t = self.talk(relay)
        code, text = t.reply()
        self.assertEqual((code, text[:5]), (421, '4.4.2'))
        self.assertEqual(t.reply()[0], 0)
        self.assertLess(time.monotonic() - began, 5)

    def test_slow_loris(self):
        # A byte now and then does not make a command.
        relay, _ = self.pair({'timeout.command': '1s'})
        t = self.talk(relay)
        t.socket.settimeout(0.2)
        began = time.monotonic()
        code = None
        while code is None and time.monotonic() - began < 10:
            try:
                t.send(b'x')
                code = t.reply()[0]
            except socket.timeout:
                pass
            except OSError:
                code = 421
        self.assertEqual(code, 421)
        self.assertLess(time.monotonic() - began, 5)

    def test_silence_inside_data(self):
        relay, sink = self.pair({'timeout.data': '1s'})
        t = self.talk(relay)
        t.hello()
        t.envelope()
        t.say('DATA', 354)
        t.send(TEXT)
        self.assertEqual(t.reply()[0], 421)
        self.assertEqual(t.reply()[0], 0)
        self.stop(relay)
        self.assertEqual(sink.mails, [])

    def test_trickle_inside_data(self):
        # A byte now and then is no message either; a slow one is.
        relay, sink = self.pair({'timeout.data': '1s'})
        t = self.talk(relay)
        t.hello()
        t.envelope()
        t.say('DATA', 354)
        for _ in range(25):
            t.send(b'x' * 400)
            time.sleep(0.1)
        t.socket.settimeout(0.2)
        began = time.monotonic()
        code = None
        while code is None and time.monotonic() - began < 10:
            try:
                t.send(b'x')
                code = t.reply()[0]
            except socket.timeout:
                pass
        self.assertEqual(code, 421)
        self.assertLess(time.monotonic() - began, 5)
        self.stop(relay)
        self.assertEqual(sink.mails, [])

    def test_half_close_after_quit(self):
        relay, sink = self.pair()
        t = self.talk(relay)
        t.send(b'EHLO c\r\nMAIL FROM:<a@example.org>\r\n'
               b'RCPT TO:<a@example.net>\r\nDATA\r\n' + TEXT + b'.\r\nQUIT\r\n')
        t.half_close()
        self.assertEqual([t.reply()[0] for _ in range(6)],
                         [250, 250, 250, 354, 250, 221])
        sink.wait()

    def test_half_close_without_quit(self):
        relay, sink = self.pair()
        t = self.talk(relay)
        t.send(b'EHLO c\r\nMAIL FROM:<a@example.org>\r\n'
               b'RCPT TO:<a@example.net>\r\nDATA\r\n' + TEXT + b'.\r\n')
        t.half_close()
        self.assertEqual([t.reply()[0] for _ in range(5)],
                         [250, 250, 250, 354, 250])
        sink.wait()

    def test_end_inside_data(self):
        relay, sink = self.pair()
        for end in (Talk.half_close, Talk.reset, lambda t: t.socket.close()):
            for much in (b'', b'z' * 300000):
                t = self.talk(relay)
                t.hello()
                t.envelope()
                t.say('DATA', 354)
                t.send(TEXT + much)
                end(t)
        relay.wait('disconnect', count=6)
        self.send(relay)
        sink.wait()
        self.stop(relay)
        self.assertEqual(len(sink.mails), 1)

    def test_client_that_never_reads(self):
        # Its replies fill what there is room for; then it is not read from.
        relay, sink = self.pair({'timeout.command': '2s'})
        t = Talk(relay.port)
        t.socket.setblocking(False)
        sent = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            try:
                sent += t.socket.send(b'HELP\r\n' * 1000)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
        self.assertLess(sent, 200 << 20)
        began = time.monotonic()
        self.send(relay)        # others are served
        self.assertLess(time.monotonic() - began, 2)
        sink.wait()
        relay.wait('disconnect', seconds=20)
        t.socket.close()


class Limits(Case):
    def test_sessions_of_a_worker(self):
        relay, _ = self.pair({'connection_limit': '10'})
        talks = [self.talk(relay) for _ in range(10)]
        t = Talk(relay.port, banner=False)
        code, text = t.reply()
        self.assertEqual((code, text[:5]), (421, '4.3.2'))
        self.assertEqual(t.reply()[0], 0)
        talks.pop().say('QUIT', 221)
        relay.wait('disconnect')
        self.talk(relay).hello()

    def test_sessions_of_a_client(self):
        relay, _ = self.pair({'client_connection_limit': '3'})
        talks = [self.talk(relay) for _ in range(3)]
        t = Talk(relay.port, banner=False)
        self.assertEqual(t.reply()[0], 421)
        talks.pop().say('QUIT', 221)
        relay.wait('disconnect')
        self.talk(relay).hello()

    def test_recipients(self):
        relay, _ = self.pair({'recipient_limit': '2'})
        t = self.talk(relay)
        t.hello()
        t.envelope(rcpts=('a@example.net', 'b@example.net'))
        code, text = t.say('RCPT TO:<c@example.net>')
        self.assertEqual((code, text[:5]), (452, '4.5.3'))

    def test_client_outside_the_networks(self):
        relay, _ = self.pair({'allowed_networks': "['192.0.2.0/24']"})
        t = Talk(relay.port, banner=False)
        code, text = t.reply()
        self.assertEqual((code, text[:5]), (554, '5.7.1'))
        self.assertIn('127.0.0.1', text)
        self.assertEqual(t.reply()[0], 0)
        relay.wait('refused', client='127.0.0.1')

    def test_ipv6_client(self):
        relay, sink = self.pair(start=False)
        relay.sets['listen.submission'] = "['[::1]:%d']" % relay.port
        relay.start()
        with Talk(relay.port, host='::1') as t:
            t.hello()
            self.assertEqual(t.message(TEXT)[0], 250)
        self.assertIn(b'[IPv6:::1]', sink.wait()[0].data)
        relay.wait('connect', client='::1')

    def test_star_listens_on_both(self):
        relay, _ = self.pair(start=False)
        relay.sets['listen.submission'] = "['*:%d']" % relay.port
        relay.start()
        for host in ('127.0.0.1', '::1'):
            with Talk(relay.port, host=host) as t:
                self.assertTrue(t.hello())

    def test_ids_are_unique_and_logged(self):
        relay, sink = self.pair({'workers': 2})
        ids = [self.send(relay) for _ in range(20)]
        self.assertEqual(len(set(ids)), 20)
        for id in ids:
            relay.wait('accepted', id=id)
            relay.wait('delivered', id=id)
        sink.wait(20)
