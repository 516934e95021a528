"""Where wolfSSL comes from when there is no network."""
import os
import subprocess
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
DEAD = 'http://127.0.0.1:9'


class Build(unittest.TestCase):
    def test_without_network_it_is_the_systems(self):
        with tempfile.TemporaryDirectory() as root:
            out = os.path.join(root, 'wolfssl')
            done = subprocess.run(
                ['sh', 'tests/wolfssl.sh'], cwd=ROOT, timeout=120,
                env=dict(os.environ, WOLFSSL_DIR=out, http_proxy=DEAD,
                         https_proxy=DEAD), capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("wolfssl: using the system's package", done.stdout)
            self.assertFalse(os.path.exists(out))
