"""A mail server that answers as the test wants, and remembers.

    sink = Sink()
    sink.on('rcpt', lambda s, arg: '550 5.1.1 no such user'
            if b'bad@' in arg else None)

A hook is called with the session and the command's argument (for `body`: the
message) and returns a reply, None for the usual one, or DROP, RESET or SILENT.
Stages: connect banner ehlo helo mail rcpt data body rset noop quit.
"""
import re
import socket
import struct
import threading
import time

from ports import free_port

DROP = object()     # close, as a crashing server does
RESET = object()    # close with RST
SILENT = object()   # never answer

ALL = ('PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 52428800',
       'ENHANCEDSTATUSCODES', 'DSN')
_USUAL = {
    'banner': '220 sink.example ESMTP',
    'helo': '250 sink.example',
    'mail': '250 2.1.0 sender good',
    'rcpt': '250 2.1.5 recipient good',
    'data': '354 go on',
    'body': '250 2.0.0 taken',
    'rset': '250 2.0.0 reset',
    'noop': '250 2.0.0 nothing',
    'quit': '221 2.0.0 bye',
}


class Mail:
    """A message that was answered by 250."""

    def __init__(self, session, data):
        self.sender, self.params = session.sender
        self.rcpts = [r for r, _ in session.rcpts]
        self.rcpt_params = dict(session.rcpts)
        self.data = data
        self.session = session
        self.time = time.monotonic()

    @property
    def text(self):
        return self.data.decode('utf-8', 'surrogateescape')

    def head(self):
        return self.data.split(b'\r\n\r\n', 1)[0] + b'\r\n'

    def body(self):
        parts = self.data.split(b'\r\n\r\n', 1)
        return parts[1] if len(parts) > 1 else b''


class End(Exception):
    pass


class Session:
    def __init__(self, sink, connection, peer, local):
        self.sink, self.socket = sink, connection
        self.peer, self.local = peer, local
        self.pending = b''
        self.sender, self.rcpts = None, []
        self.hello = None
        self.commands = []      # verbs, in order
        self.pipelined = False  # a command came before the last one's reply
        self.mails = 0
        self.counted = 1

    def read_line(self):
        """With its CRLF; a line that ends otherwise is a wrong."""
        while b'\n' not in self.pending:
            more = self.socket.recv(65536)
            if not more:
                raise End
            self.pending += more
        line, _, self.pending = self.pending.partition(b'\n')
        if not line.endswith(b'\r'):
            self.sink.wrongs.append('bare LF: %r' % line[-60:])
        return line + b'\n'

    def asked(self, stage, arg):
        hook = self.sink.hooks.get(stage)
        return hook(self, arg) if hook else None

    def give(self, reply):
        """Sends a reply; returns its code."""
        if reply is DROP:
            raise End
        if reply is RESET:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack('ii', 1, 0))
            raise End
        if reply is SILENT:
            self.sink.ending.wait()
            raise End
        self.socket.sendall(reply.encode() + b'\r\n')
        return int(reply[:3])

    def answer(self, stage, arg, usual=None):
        reply = self.asked(stage, arg)
        return self.give(usual or _USUAL[stage] if reply is None else reply)

    def ehlo(self, arg):
        lines = ['sink.example'] + list(self.sink.extensions)
        text = '\r\n'.join('250%s%s' % ('-' if i + 1 < len(lines) else ' ', l)
                           for i, l in enumerate(lines))
        self.hello = ('EHLO', arg.decode())
        self.answer('ehlo', arg, text)

    def helo(self, arg):
        self.hello = ('HELO', arg.decode())
        self.answer('helo', arg)

    def mail(self, arg):
        usual = '503 5.5.1 nested MAIL' if self.sender else None
        if usual:
            self.sink.wrongs.append('nested MAIL')
        if self.answer('mail', arg, usual) == 250:
            self.sender, self.rcpts = _path(arg), []

    def rcpt(self, arg):
        usual = None if self.sender else '503 5.5.1 MAIL first'
        if self.answer('rcpt', arg, usual) in (250, 251):
            self.rcpts.append(_path(arg))

    def rset(self, arg):
        self.sender, self.rcpts = None, []
        self.answer('rset', arg)

    def data(self, arg):
        usual = None if self.rcpts else '554 5.5.1 no recipients'
        if self.answer('data', arg, usual) != 354:
            return
        lines = []
        while True:
            line = self.read_line()
            if line == b'.\r\n':
                break
            lines.append(line[1:] if line.startswith(b'.') else line)
        mail = Mail(self, b''.join(lines))
        self.mails += 1
        reply = self.asked('body', mail.data)
        if reply is None:
            reply = _USUAL['body']
        self.sender, self.rcpts = None, []
        # Counted before the reply is on its way: the client may be quicker
        # than we are.
        if isinstance(reply, str) and reply[0] == '2':
            self.sink.take(mail)
        self.give(reply)

    def run(self):
        self.asked('connect', b'')
        self.answer('banner', b'')
        while True:
            verb, _, arg = self.read_line().rstrip(b'\r\n').partition(b' ')
            verb = verb.decode('ascii', 'replace').lower()
            self.commands.append(verb)
            if self.pending:
                self.pipelined = True
            if verb in ('ehlo', 'helo', 'mail', 'rcpt', 'data', 'rset'):
                getattr(self, verb)(arg)
            elif verb == 'noop':
                self.answer('noop', arg)
            elif verb == 'quit':
                self.sink.gone(self)    # before the client can open another
                self.answer('quit', arg)
                return
            else:
                self.give('500 5.5.1 what?')


def _path(arg):
    m = re.match(rb'(?:FROM|TO): ?<((?:"(?:[^"\\]|\\.)*"|[^>"])*)>(.*)',
                 arg, re.I)
    if not m:
        return arg.decode('utf-8', 'replace'), ''
    return m[1].decode('utf-8', 'replace'), m[2].decode().strip()


class Sink:
    session_type = Session

    def __init__(self, host='127.0.0.1', port=None, extensions=ALL,
                 backlog=512):
        self.host = host
        self.port = port or free_port()
        self.extensions = list(extensions)
        self.hooks = {}
        self.mails = []
        self.sessions = []
        self.open, self.open_max, self.accepted = 0, 0, 0
        self.wrongs = []        # what no client should do
        self.changed = threading.Condition()
        self.ending = threading.Event()
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, self.port))
        self.socket.listen(backlog)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def next_hop(self):
        return '[%s]:%d' % (self.host, self.port)

    def on(self, stage, hook):
        """A hook, or a fixed reply."""
        if hook is None:
            self.hooks.pop(stage, None)
        elif callable(hook):
            self.hooks[stage] = hook
        else:
            self.hooks[stage] = lambda *_: hook
        return self

    def _accept(self):
        while True:
            try:
                connection, peer = self.socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = self.session_type(self, connection, peer,
                                        connection.getsockname())
            with self.changed:
                self.sessions.append(session)
                self.accepted += 1
                self.open += 1
                self.open_max = max(self.open_max, self.open)
                self.changed.notify_all()
            threading.Thread(target=self._run, args=(session,),
                             daemon=True).start()

    def _run(self, session):
        try:
            session.run()
        except (End, OSError, ValueError):
            pass
        finally:
            self.gone(session)
            try:
                session.socket.close()
            except OSError:
                pass

    def gone(self, session):
        """Counts it down, before the peer sees its end and opens another."""
        with self.changed:
            self.open -= session.counted
            session.counted = 0
            self.changed.notify_all()

    def take(self, mail):
        with self.changed:
            self.mails.append(mail)
            self.changed.notify_all()

    def wait(self, count=1, seconds=15, to=None):
        """Waits for `count` mails (to a recipient); returns them."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = [m for m in self.mails if to is None or to in m.rcpts]
                if len(found) >= count:
                    return found
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError('%d of %d mails after %g s'
                                         % (len(found), count, seconds))
                self.changed.wait(left)

    def wait_sessions(self, count, seconds=15):
        end = time.monotonic() + seconds
        with self.changed:
            while self.accepted < count:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError('%d of %d sessions' % (
                        self.accepted, count))
                self.changed.wait(left)

    def close(self):
        self.ending.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        for session in self.sessions:
            try:
                session.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def dead_port():
    """A port that refuses connections."""
    return free_port()
