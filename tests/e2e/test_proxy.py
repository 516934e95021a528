"""The PROXY protocol: by hand at every cut, and with HAProxy in front."""
import shutil
import socket
import struct
import subprocess
import tempfile

from case import TEXT, Case
from ports import free_port
from talk import Talk
from wait import until

SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'


def v1(client='203.0.113.7', port=4711, family='TCP4'):
    return ('PROXY %s %s %s %d 587\r\n' % (
        family, client, '192.0.2.1' if family == 'TCP4' else '2001:db8::1',
        port)).encode()


def v2(client='203.0.113.7', port=4711, tlvs=b'', command=1):
    if ':' in client:
        family = 0x21
        addresses = socket.inet_pton(socket.AF_INET6, client) + \
            socket.inet_pton(socket.AF_INET6, '2001:db8::1')
    else:
        family = 0x11
        addresses = socket.inet_aton(client) + socket.inet_aton('192.0.2.1')
    body = addresses + struct.pack('>HH', port, 587) + tlvs
    return SIGNATURE + bytes([0x20 | command, family]) + \
        struct.pack('>H', len(body)) + body


class ByHand(Case):
    def through(self, relay, header, cuts=()):
        t = Talk(relay.proxy_port, banner=False)
        self.addCleanup(t.socket.close)
        at = 0
        for cut in list(cuts) + [len(header)]:
            t.send(header[at:cut])
            at = cut
        return t

    def setUp(self):
        self.r, self.s = self.pair(
            {'allowed_networks': "['203.0.113.0/24', '2001:db8::/32']"})

    def test_client_of_each_version(self):
        for header, client in (
                (v1(), '203.0.113.7'), (v2(), '203.0.113.7'),
                (v1('2001:db8::7', family='TCP6'), '2001:db8::7'),
                (v2('2001:db8::7'), '2001:db8::7'),
                (v2(tlvs=b'\x01\0\x02h2' + b'\x20\x01\0' + b't' * 256),
                 '203.0.113.7')):
            mark = self.r.mark()
            t = self.through(self.r, header)
            self.assertEqual(t.reply()[0], 220, header)
            t.hello()
            self.assertEqual(t.message(TEXT)[0], 250)
            self.r.wait('connect', client=client, port='4711', since=mark)
            self.r.wait('accepted', client=client, since=mark)
            self.r.wait('delivered', since=mark)
            shown = b'[IPv6:2001:db8::7]' if ':' in client else \
                b'[203.0.113.7]'
            self.assertIn(shown, self.s.mails[-1].head())
            self.assertNotIn(b'127.0.0.1', self.s.mails[-1].head())

    def test_cut_at_every_byte(self):
        for header in (v1(), v2(tlvs=b'\x04\0\x01x'),
                       v2('2001:db8::7')):
            for cut in range(1, len(header)):
                t = self.through(self.r, header, [cut])
                self.assertEqual(t.reply()[0], 220, (header, cut))
                t.socket.close()
            t = self.through(self.r, header, range(1, len(header)))
            self.assertEqual(t.reply()[0], 220)

    def test_command_in_the_same_segment(self):
        for header in (v1(), v2()):
            t = Talk(self.r.proxy_port, banner=False)
            t.send(header + b'EHLO c\r\nMAIL FROM:<a@example.org>\r\n')
            self.assertEqual([t.reply()[0] for _ in range(3)],
                             [220, 250, 250])
            t.socket.close()

    def test_mapped_address(self):
        # What a proxy that listens on :: says of an IPv4 client.
        mapped = '::ffff:203.0.113.7'
        for header in (v1(mapped, family='TCP6'), v2(mapped)):
            mark = self.r.mark()
            t = self.through(self.r, header)
            self.assertEqual(t.reply()[0], 220)
            t.hello()
            self.assertEqual(t.message(TEXT)[0], 250)
            self.r.wait('accepted', client='203.0.113.7', since=mark)
            self.r.wait('delivered', since=mark)
            self.assertIn(b'[203.0.113.7]', self.s.mails[-1].head())

    def test_client_outside_the_networks(self):
        t = self.through(self.r, v1('198.51.100.9'))
        code, text = t.reply()
        self.assertEqual((code, text[:5]), (554, '5.7.1'))
        self.assertIn('198.51.100.9', text)
        self.assertEqual(t.reply()[0], 0)
        self.r.wait('refused', client='198.51.100.9')

    def test_what_is_no_header(self):
        for bad in (b'EHLO client.example\r\n', b'PROXY\r\n',
                    b'PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n',
                    b'PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n',
                    b'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n',
                    b'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n',
                    b'PROXY ' + b'x' * 200,
                    SIGNATURE + b'\x31\x11\0\x0c' + b'\0' * 12,
                    SIGNATURE + b'\x21\x11\0\x04' + b'\0' * 4,
                    SIGNATURE + b'\x21\x11\xff\xff' + b'\0' * 3000,
                    b'\x16\x03\x01\x02\0\x01'):
            t = self.through(self.r, bad)
            self.assertEqual(t.closed(), b'', bad)

    def test_no_header_in_time(self):
        relay, _ = self.pair({'timeout.command': '1s'})
        t = self.through(relay, b'PROXY TCP4 203')
        self.assertEqual(t.closed(), b'')

    def test_local_and_unknown(self):
        # The balancer's own health checks: the connection's own peer counts.
        relay, _ = self.pair()
        for header in (b'PROXY UNKNOWN\r\n',
                       b'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n',
                       SIGNATURE + b'\x20\0\0\0', v2(command=0)):
            mark = relay.mark()
            t = self.through(relay, header)
            self.assertEqual(t.reply()[0], 220, header)
            relay.wait('connect', client='127.0.0.1', since=mark)
        t = self.through(self.r, b'PROXY UNKNOWN\r\n')
        self.assertEqual(t.reply()[0], 554)

    def test_only_from_the_proxy_networks(self):
        relay, _ = self.pair({'proxy_networks': "['192.0.2.0/24']"})
        t = self.through(relay, b'')
        try:
            t.send(v1())
        except OSError:
            pass
        self.assertEqual(t.closed(), b'')

    def test_submission_port_wants_no_header(self):
        relay, _ = self.pair()
        t = self.talk(relay)
        self.assertEqual(t.say('PROXY TCP4 203.0.113.7 192.0.2.1 1 2')[0],
                         500)


class HaProxy(Case):
    def start(self, version):
        # Clients reach HAProxy from 127.0.0.5; HAProxy itself comes from
        # 127.0.0.1, which is not allowed.
        relay, sink = self.pair({'allowed_networks': "['127.0.0.5/32']"})
        port = free_port()
        folder = tempfile.mkdtemp(prefix='smarthost-haproxy-')
        self.addCleanup(shutil.rmtree, folder, True)
        with open(folder + '/haproxy.cfg', 'w') as f:
            f.write('''defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen smtp
    bind 127.0.0.1:%d
    unique-id-format %%ci-%%Ts
    server relay 127.0.0.1:%d %s check inter 100ms
''' % (port, relay.proxy_port, version))
        process = subprocess.Popen(
            [shutil.which('haproxy') or '/usr/sbin/haproxy', '-db', '-f',
             folder + '/haproxy.cfg'], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def listens():
            with socket.socket() as s:
                return s.connect_ex(('127.0.0.1', port)) == 0
        until(listens, what='HAProxy')
        return relay, sink, port

    def connect(self, port, source):
        t = Talk.__new__(Talk)
        t.socket = socket.create_connection(('127.0.0.1', port), 15,
                                            source_address=(source, 0))
        t.rest = b''
        self.addCleanup(t.socket.close)
        return t

    def check(self, version):
        relay, sink, port = self.start(version)
        t = self.connect(port, '127.0.0.5')
        self.assertEqual(t.reply()[0], 220)
        t.hello()
        self.assertEqual(t.message(TEXT)[0], 250)
        t.say('QUIT', 221)
        self.assertIn(b'[127.0.0.5]', sink.wait()[0].head())
        relay.wait('accepted', client='127.0.0.5')
        t = self.connect(port, '127.0.0.6')
        self.assertEqual(t.reply()[0], 554)
        relay.wait('refused', client='127.0.0.6')

    def test_version_1(self):
        self.check('send-proxy')

    def test_version_2(self):
        self.check('send-proxy-v2')

    def test_version_2_with_tlvs(self):
        self.check('send-proxy-v2 proxy-v2-options crc32c,unique-id')
