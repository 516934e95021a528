"""`smarthost --version` says what does the cryptography."""
import subprocess
import unittest

from relay import PROGRAM


class Version(unittest.TestCase):
    def test_what_is_used_of_the_cpu(self):
        text = subprocess.run([PROGRAM, '--version'], check=True,
                              capture_output=True, text=True).stdout
        with open('/proc/cpuinfo') as f:
            flags = f.read().split()
        self.assertRegex(text, r'(?m)^wolfSSL [0-9.]+ \(.*AES instructions '
                         r'(used|not used|not in this CPU), SHA')
        if 'avx512ifma' in flags:
            self.assertRegex(text, r'(?m)^DKIM with RSA: our own, .*IFMA')
        else:
            self.assertRegex(text, r"(?m)^DKIM with RSA: wolfSSL's \(.+\)$")
