"""A mail server with STARTTLS and AUTH, good and bad ones.

    sink = TlsSink(certificates.good)
    sink.on('starttls', '454 4.7.0 not now')
    sink.on('handshake', lambda s, _: DROP)     # instead of TLS

The certificates are made by openssl(1), once a process, by an authority of
their own (`certificates.ca`)."""
import base64
import os
import shutil
import ssl
import subprocess
import tempfile

from sink import ALL, End, RESET, SILENT, Session, Sink


class Certificates:
    """PEM files of a chain and its key: good, expired, wrong (another name),
    own (self-signed), unknown (by another authority)."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='smarthost-tls-')
        os.chmod(self.dir, 0o755)   # workers are not root
        self.ca = self._authority('ca')
        self._authority('stranger')
        names = 'DNS:localhost,DNS:mx.lab,IP:127.0.0.1'
        self.good = self._leaf('good', 'ca', names)
        self.rsa = self._leaf('rsa', 'ca', names, kind='rsa:2048')
        self.expired = self._leaf('expired', 'ca', names, days='-1')
        self.wrong = self._leaf('wrong', 'ca', 'DNS:other.example')
        self.unknown = self._leaf('unknown', 'stranger', names)
        self.own = self._own('own', names)

    def path(self, name):
        return os.path.join(self.dir, name)

    def _openssl(self, *words):
        subprocess.run(('openssl',) + words, check=True, cwd=self.dir,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    _EC = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes')

    def _authority(self, name):
        self._openssl('req', '-x509', *self._EC, '-keyout', name + '.key',
                      '-out', name + '.crt', '-subj', '/CN=' + name,
                      '-days', '9', '-addext', 'basicConstraints=critical,'
                      'CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign')
        return self.path(name + '.crt')

    def _own(self, name, names):
        self._openssl('req', '-x509', *self._EC, '-keyout', name + '.key',
                      '-out', name + '.crt', '-subj', '/CN=' + name,
                      '-days', '9', '-addext', 'subjectAltName=' + names)
        return self.path(name)

    def _leaf(self, name, by, names, days='9', kind=None):
        key = ('-newkey', kind, '-nodes') if kind else self._EC
        self._openssl('req', '-new', *key, '-keyout', name + '.key',
                      '-out', name + '.csr', '-subj', '/CN=' + name)
        with open(self.path(name + '.ext'), 'w') as f:
            f.write('subjectAltName=%s\n' % names)
        self._openssl('x509', '-req', '-in', name + '.csr', '-CA',
                      by + '.crt', '-CAkey', by + '.key', '-CAcreateserial',
                      '-days', days, '-extfile', name + '.ext',
                      '-out', name + '.crt')
        return self.path(name)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class TlsSession(Session):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.tls = None         # "TLSv1.3" ...
        self.resumed = False
        self.user = None
        self.secrets_in_clear = []
        self.in_data = False

    def data(self, arg):
        self.in_data = True
        super().data(arg)
        self.in_data = False

    def read_line(self):
        """STARTTLS and AUTH are done here: the others need not know."""
        while True:
            line = super().read_line()
            verb = line.split()[0].upper() if line.split() else b''
            if self.in_data or verb not in (b'STARTTLS', b'AUTH'):
                return line
            self.commands.append(verb.decode().lower())
            if verb == b'STARTTLS':
                self.starttls()
            else:
                self.auth(line.split()[1:])

    def starttls(self):
        if self.tls or self.sink.context is None:
            self.give('503 5.5.1 no TLS here')
            return
        if self.answer('starttls', b'', '220 2.0.0 go') != 220:
            return
        if self.pending:
            self.sink.wrongs.append('bytes behind STARTTLS')
        reply = self.asked('handshake', b'')
        if reply is SILENT or reply is RESET:
            self.give(reply)
        if reply is not None:
            raise End
        self.socket = self.sink.context.wrap_socket(
            self.socket, server_side=True)
        self.tls = self.socket.version()
        self.resumed = self.socket.session_reused
        self.hello = None

    def auth(self, words):
        """PLAIN and LOGIN; others are Postfix's to test."""
        if not self.tls:
            self.secrets_in_clear.append(words)
        if words[0] == b'PLAIN' and len(words) == 2:
            _, user, password = base64.b64decode(words[1]).split(b'\0')
        elif words[0] == b'LOGIN':
            self.give('334 VXNlcm5hbWU6')
            user = base64.b64decode(super().read_line())
            self.give('334 UGFzc3dvcmQ6')
            password = base64.b64decode(super().read_line())
        else:
            self.give('504 5.5.4 no such mechanism')
            return
        if self.answer('auth', user, '235 2.7.0 hello'
                       if (user, password) == self.sink.user
                       else '535 5.7.8 wrong') == 235:
            self.user = user.decode()

    def ehlo(self, arg):
        """What is offered depends on TLS."""
        kept = self.sink.extensions
        offered = [e for e in kept if not (
            self.tls and e == 'STARTTLS' or
            not self.tls and e.startswith('AUTH') and self.sink.auth_only)]
        lines = ['sink.example'] + offered
        text = '\r\n'.join(
            '250%s%s' % ('-' if i + 1 < len(lines) else ' ', l)
            for i, l in enumerate(lines))
        self.hello = ('EHLO', arg.decode())
        self.answer('ehlo', arg, text)


class TlsSink(Sink):
    session_type = TlsSession

    def __init__(self, certificate, user=None, auth='AUTH PLAIN LOGIN',
                 auth_only=True, starttls=True, versions=None, **options):
        self.asked = []         # names that clients asked for
        self.user = tuple(w.encode() for w in user) if user else None
        self.auth_only = auth_only
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate + '.crt',
                                     certificate + '.key')
        self.context.sni_callback = self._asked
        if versions:
            self.context.minimum_version, self.context.maximum_version = \
                versions
            self.context.set_ciphers('ALL:@SECLEVEL=0')
        extensions = list(ALL) + (['STARTTLS'] if starttls else []) + \
            ([auth] if user else [])
        super().__init__(extensions=extensions, **options)

    def _asked(self, connection, name, _):
        self.asked.append(name)
