"""A DNS server (NSD) with the zone `lab.`, written by each test.

    dns = NameServer('''
        good    MX 10 mx.good
        mx.good A  127.0.0.2
    ''')
"""
import os
import shutil
import socket
import struct
import subprocess
import tempfile

from ports import free_port
from wait import until

_CONF = '''server:
    ip-address: 127.0.0.1@%(port)d
    username: ""
    chroot: ""
    zonesdir: "%(dir)s"
    database: ""
    zonelistfile: "%(dir)s/zone.list"
    xfrdfile: ""
    xfrdir: "%(dir)s"
    pidfile: "%(dir)s/nsd.pid"
    server-count: 1
    verbosity: 0
    hide-version: yes
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: lab.
    zonefile: lab.zone
'''
_HEAD = '''$ORIGIN lab.
$TTL 1
@ SOA ns hostmaster 1 3600 600 86400 1
@ NS ns
ns A 127.0.0.1
'''


def records(text):
    """The indentation of a test's text goes, blank owners are not used."""
    return _HEAD + '\n'.join(l.strip() for l in text.split('\n')) + '\n'


def _question(name, kind=6):
    labels = b''.join(bytes([len(l)]) + l.encode() for l in name.split('.'))
    return struct.pack('>6H', 7, 0, 1, 0, 0, 0) + labels + b'\0' + \
        struct.pack('>2H', kind, 1)


class NameServer:
    def __init__(self, text, zones=()):
        """`zones`: names of others, with their text, below their own head."""
        self.dir = tempfile.mkdtemp(prefix='smarthost-dns-')
        self.port = free_port()
        with open(self.dir + '/nsd.conf', 'w') as f:
            f.write(_CONF % {'port': self.port, 'dir': self.dir})
            for name in dict(zones):
                f.write('zone:\n    name: %s\n    zonefile: %s\n'
                        % (name, name))
        for name, lines in dict(zones).items():
            with open(os.path.join(self.dir, name), 'w') as f:
                f.write(records(lines).replace('lab.', name + '.', 1)
                        .replace('ns hostmaster', 'ns.lab. hostmaster.lab.')
                        .replace('NS ns\nns A 127.0.0.1', 'NS ns.lab.'))
        with open(self.dir + '/lab.zone', 'w') as f:
            f.write(records(text))
        self.log = open(self.dir + '/log', 'w+')
        program = shutil.which('nsd') or '/usr/sbin/nsd'
        self.process = subprocess.Popen(
            [program, '-d', '-c', self.dir + '/nsd.conf'], stdout=self.log,
            stderr=subprocess.STDOUT, start_new_session=True)
        until(self.answers, what='an answer of NSD')

    def answers(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError('nsd: ' + self.log.read())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.sendto(_question('lab'), ('127.0.0.1', self.port))
                reply = s.recv(512)
            except OSError:
                return False
        return len(reply) > 12 and reply[3] & 15 == 0 and reply[7] == 1

    @property
    def servers(self):
        return "['127.0.0.1@%d']" % self.port

    def close(self):
        try:
            os.killpg(self.process.pid, 15)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
