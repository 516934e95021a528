"""Debian's Postfix as a next hop, with a configuration and a queue of its own,
beside whatever Postfix the machine may have.  Needs root.

    hop = PostfixHop(certificate, mechanisms='SCRAM-SHA-256', user=(U, P))
    hop.wait('TLS connection established')     # in its log
    hop.close()

Mail is taken, queued and thrown away.  Users are Cyrus SASL's (sasldb)."""
import os
import re
import shutil
import subprocess
import tempfile

from ports import free_port
from wait import until

_MASTER = '''
127.0.0.1:%(port)d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
tlsmgr unix - - n 1000? 1 tlsmgr
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
postlog unix-dgram n - n - 1 postlogd
'''
_MAIN = '''
compatibility_level = 3.6
queue_directory = %(dir)s/queue
data_directory = %(dir)s/data
maillog_file = %(dir)s/log
maillog_file_prefixes = %(dir)s
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = discard:
relay_transport = discard:
smtpd_relay_restrictions = %(restrictions)s
smtpd_tls_security_level = %(level)s
smtpd_tls_chain_files = %(certificate)s.key, %(certificate)s.crt
smtpd_tls_loglevel = 1
smtpd_tls_auth_only = %(auth_only)s
smtpd_sasl_auth_enable = %(sasl)s
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = example.org
smtpd_error_sleep_time = 0
smtpd_peername_lookup = no
%(more)s
'''
_SASL = '''pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: %(dir)s/sasldb2
mech_list: %(mechanisms)s
'''


class PostfixHop:
    def __init__(self, certificate, mechanisms=None, user=None, level='may',
                 auth_only='yes', more=''):
        self.dir = tempfile.mkdtemp(prefix='smarthost-postfix-')
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        facts = {
            'dir': self.dir, 'port': self.port, 'level': level,
            'certificate': certificate, 'auth_only': auth_only,
            'mechanisms': mechanisms, 'more': more,
            'sasl': 'yes' if user else 'no',
            'restrictions': 'permit_sasl_authenticated, reject'
            if user else 'permit_mynetworks, reject'}
        for name in ('etc', 'etc/sasl', 'queue', 'data'):
            os.mkdir(self._path(name))
        shutil.chown(self._path('data'), 'postfix')
        for name, text in (('etc/main.cf', _MAIN), ('etc/master.cf', _MASTER),
                           ('etc/sasl/smtpd.conf', _SASL)):
            with open(self._path(name), 'w') as f:
                f.write(text % facts)
        if user:
            name, _, realm = user[0].partition('@')
            subprocess.run(
                ['saslpasswd2', '-p', '-c', '-f', self._path('sasldb2'),
                 '-u', realm, name], input=user[1].encode(), check=True)
            shutil.chown(self._path('sasldb2'), 'postfix')
        self._postfix('start')
        until(self._listens, what='Postfix')

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _postfix(self, verb):
        done = subprocess.run(
            ['postfix', '-c', self._path('etc'), verb], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout + self.log()

    def _listens(self):
        return 'daemon started' in self.log()

    def log(self):
        try:
            with open(self._path('log')) as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def wait(self, pattern):
        """A line of its log; the match."""
        return until(lambda: re.search(pattern, self.log()),
                     what='%s in\n%s' % (pattern, self.log()))

    @property
    def host(self):
        return 'localhost:%d' % self.port

    def close(self):
        self._postfix('abort')
        shutil.rmtree(self.dir, ignore_errors=True)
