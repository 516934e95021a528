"""A client that says exactly the bytes it is told to."""
import re
import socket
import struct

_LINE = re.compile(rb'(\d{3})([ -])(.*)')


class Talk:
    def __init__(self, port, host='127.0.0.1', banner=True, seconds=15):
        self.socket = socket.create_connection((host, port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b''
        self.banner = self.reply() if banner else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """A line without its CRLF; None at the end."""
        while b'\n' not in self.rest:
            more = self.socket.recv(65536)
            if not more:
                return None
            self.rest += more
        line, self.rest = self.rest.split(b'\n', 1)
        assert line.endswith(b'\r'), 'bare LF in a reply: %r' % line
        return line[:-1]

    def reply(self):
        """(code, text) of a whole reply; its lines are joined by newlines.
        (0, '') when the server has closed."""
        text = []
        while True:
            try:
                line = self.line()
            except ConnectionResetError:
                line = None
            if line is None:
                assert not text, 'closed inside a reply'
                return 0, ''
            m = _LINE.fullmatch(line)
            assert m, 'not a reply: %r' % line
            text.append(m[3].decode())
            if m[2] == b' ':
                return int(m[1]), '\n'.join(text)

    def say(self, line, want=None):
        """Sends a line (CRLF added) and reads its reply."""
        if isinstance(line, str):
            line = line.encode()
        self.send(line + b'\r\n')
        reply = self.reply()
        if want is not None:
            assert reply[0] == want, '%r: %r' % (line, reply)
        return reply

    def closed(self):
        """Reads to the end; what came before it."""
        data = self.rest
        self.rest = b''
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return data
            if not more:
                return data
            data += more

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Goes away with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack('ii', 1, 0))
        self.socket.close()

    def hello(self, name='client.example'):
        code, text = self.say('EHLO ' + name, 250)
        return text.split('\n')[1:]

    def envelope(self, sender='from@example.org', rcpts=('to@example.net',),
                 params=''):
        self.say('MAIL FROM:<%s>%s' % (sender, params and ' ' + params), 250)
        for rcpt in rcpts:
            self.say('RCPT TO:<%s>' % rcpt, 250)

    def message(self, data, **envelope):
        """A whole transaction; `data` as it goes over the wire, without the
        final dot.  Returns the last reply."""
        self.envelope(**envelope)
        self.say('DATA', 354)
        self.send(data + b'.\r\n')
        return self.reply()


def queue_id(reply):
    """Of "250 2.0.0 queued as ID"."""
    m = re.search(r'queued as ([0-9A-Za-z-]+)', reply[1])
    assert m, reply
    return m[1]
