"""Where io_uring is forbidden (as by Docker's default seccomp profile) the
relay says so and works all the same, on epoll."""
import ctypes
import struct
import subprocess
import tempfile

from case import Case
from ports import free_port
from relay import PROGRAM

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
IO_URING_SETUP = 425    # the same number on every architecture
EPERM = 1


def forbid_io_uring():
    """A seccomp filter for this process: io_uring_setup gives EPERM."""
    code = b''.join(struct.pack('HBBI', *op) for op in (
        (0x20, 0, 0, 0),                    # load the call's number
        (0x15, 0, 1, IO_URING_SETUP),       # is it io_uring_setup?
        (0x06, 0, 0, 0x00050000 | EPERM),   # yes: this errno
        (0x06, 0, 0, 0x7fff0000)))          # no: allowed
    code = ctypes.create_string_buffer(code, len(code))
    program = struct.pack('HxxxxxxP', 4, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        raise OSError(ctypes.get_errno(), 'seccomp')


class Forbidden(Case):
    def test_mail_goes_out_all_the_same(self):
        relay, sink = self.pair({'loop': 'auto'}, start=False)
        relay.before = forbid_io_uring
        relay.start()
        told = relay.wait('slower')
        self.assertIn('io_uring is forbidden here', told['what'])
        self.assertIn('seccomp', told['what'])
        self.assertEqual(len(relay.find('slower')), 1)
        self.assertEqual(relay.wait('worker_ready')['loop'], 'epoll')
        relay.wait('delivered', id=self.send(relay))
        self.assertEqual(len(sink.mails), 1)
        self.assertEqual(relay.stop(), 0)

    def test_who_insists_gets_a_sentence_and_exit_69(self):
        with tempfile.TemporaryDirectory() as spool:
            done = subprocess.run(
                [PROGRAM, 'run', '--config-dir', spool,
                 '--set', 'config.spool=%s/spool' % spool,
                 '--set', 'config.loop=io_uring',
                 '--set', "config.listen.submission=['127.0.0.1:%d']"
                 % free_port(), '--set', 'config.listen.proxy=[]'],
                preexec_fn=forbid_io_uring, capture_output=True, text=True,
                timeout=30)
        self.assertEqual(done.returncode, 69, done.stdout + done.stderr)
        self.assertIn('io_uring is forbidden here', done.stdout)
        self.assertIn('seccomp', done.stdout)

    def test_the_default_is_io_uring(self):
        relay = self.relay({'loop': 'auto'})
        self.assertEqual(relay.wait('worker_ready')['loop'], 'io_uring')
        self.assertEqual(relay.find('slower'), [])
