"""`smarthost passwd`: from a pipe and from a terminal; what it prints is what
Python's own PBKDF2 says."""
import base64
import hashlib
import hmac
import os
import pty
import signal
import subprocess
import termios
import unittest

from relay import PROGRAM


def is_of(line, password):
    kind, rest = line[:15], line[15:]
    iterations, salt, stored, server = rest.split(',')
    salted = hashlib.pbkdf2_hmac('sha256', password.encode(),
                                 base64.b64decode(salt), int(iterations))
    client = hmac.digest(salted, b'Client Key', 'sha256')
    return (kind == '{SCRAM-SHA-256}' and int(iterations) >= 4096
            and len(base64.b64decode(salt)) >= 16
            and hashlib.sha256(client).digest() == base64.b64decode(stored)
            and hmac.digest(salted, b'Server Key', 'sha256')
            == base64.b64decode(server))


class Pipe(unittest.TestCase):
    def passwd(self, text, *words):
        return subprocess.run([PROGRAM, 'passwd', *words], input=text,
                              capture_output=True, timeout=20)

    def test_prints_a_verifier(self):
        for text, password in ((b'pencil\n', 'pencil'), (b'a b', 'a b'),
                               (b'x\r\nignored\n', 'x'),
                               ('\u00f6\u20ac\n'.encode(), '\u00f6\u20ac'),
                               (b'y' * 1024, 'y' * 1024)):
            done = self.passwd(text)
            self.assertEqual(done.returncode, 0, done.stderr)
            line = done.stdout.decode()
            self.assertEqual(line.count('\n'), 1)
            self.assertTrue(is_of(line.strip(), password), line)

    def test_prints_a_line_of_users_d(self):
        name, line = self.passwd(b'pencil\n', 'joe@x').stdout.decode().split()
        self.assertEqual(name, 'joe@x')
        self.assertTrue(is_of(line, 'pencil'))

    def test_salts_differ(self):
        self.assertNotEqual(self.passwd(b'a').stdout, self.passwd(b'a').stdout)

    def test_refuses(self):
        for text in (b'', b'\n', b'a\tb\n', b'a\0b\n', b'\xff\n',
                     b'y' * 1025, b'y' * 5000):
            done = self.passwd(text)
            self.assertEqual(done.returncode, 65, text)
            self.assertEqual(done.stdout, b'')
            self.assertNotEqual(done.stderr, b'')
        self.assertEqual(self.passwd(b'a', 'a b').returncode, 64)


class Terminal(unittest.TestCase):
    def setUp(self):
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.before = termios.tcgetattr(self.slave)
        self.program = subprocess.Popen(
            [PROGRAM, 'passwd'], stdin=self.slave, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=self.take_terminal)
        self.addCleanup(self.program.kill)

    def take_terminal(self):
        os.setsid()
        import fcntl
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def answer(self, prompt, text):
        seen = b''
        while prompt not in seen:
            byte = self.program.stderr.read(1)
            self.assertNotEqual(byte, b'', seen)
            seen += byte
        self.assertFalse(termios.tcgetattr(self.slave)[3] & termios.ECHO)
        os.write(self.master, text)

    def end(self):
        out, self.complaint = self.program.communicate(timeout=20)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)
        return out.decode().strip()

    def test_asks_twice_and_shows_nothing(self):
        self.answer(b'Password: ', b'pencil\n')
        self.answer(b'Once more: ', b'pencil\n')
        self.assertTrue(is_of(self.end(), 'pencil'))
        self.assertEqual(self.program.returncode, 0)
        shown = os.read(self.master, 4096)
        self.assertNotIn(b'pencil', shown)

    def test_two_that_differ(self):
        self.answer(b'Password: ', b'pencil\n')
        self.answer(b'Once more: ', b'pencils\n')
        self.assertEqual(self.end(), '')
        self.assertEqual(self.program.returncode, 65)

    def test_an_interrupt_leaves_the_terminal_as_it_was(self):
        self.answer(b'Password: ', b'pen\x03')
        self.assertEqual(self.end(), '')
        self.assertEqual(self.program.returncode, -signal.SIGINT)


if __name__ == '__main__':
    unittest.main()
