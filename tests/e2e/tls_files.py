"""Certificates for a test, made by openssl."""
import os
import subprocess


def make(directory, name='relay.example', kind='ec', days='30', file=None):
    """A self-signed pair; (crt, key), readable for everybody."""
    base = os.path.join(directory, file or name)
    how = {'ec': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
           'rsa': ['rsa:2048']}[kind]
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', *how, '-nodes', '-days', days,
         '-keyout', base + '.key.new', '-out', base + '.crt.new',
         '-subj', '/CN=' + name, '-addext',
         'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1' % name],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for end in ('.crt', '.key'):
        os.chmod(base + end + '.new', 0o644)
        os.rename(base + end + '.new', base + end)
    return base + '.crt', base + '.key'
