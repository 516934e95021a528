"""The same lines for the relay (postfix.d) and for Postfix's own postconf(1):
what the mapped parameters come to is the same."""
import os
import re
import shlex
import shutil
import subprocess
import unittest

from case import Case

POSTCONF = shutil.which('postconf') or '/usr/sbin/postconf'

LINES = '''
# names, one of another
-e myhostname="relay.mydomain.com" mydomain=mydomain.com
-e 'smtp_helo_name=helo.$mydomain'
-e "mynetworks=10.0.0.0/8, 192.168.1.0/24 [2001:db8::]/32"
-e relayhost=[next.example]:587
-e message_size_limit=20971520 smtpd_recipient_limit=77
-e smtpd_client_connection_count_limit=9

-e smtp_bind_address=127.0.0.1
-e smtp_destination_concurrency_limit=7
-e smtpd_timeout=100s
-e smtp_connect_timeout=17 smtp_helo_timeout=2m
-e smtp_mail_timeout=90s smtp_rcpt_timeout=1h
-e smtp_data_init_timeout=61s smtp_data_xfer_timeout=4m
-e smtp_data_done_timeout=7m
-e minimal_backoff_time=60 maximal_backoff_time=1h
-e maximal_queue_lifetime=2 bounce_queue_lifetime=3h
-e smtpd_tls_security_level=may smtpd_tls_auth_only=yes
-e smtp_tls_security_level=encrypt
'''

# A later line, and a later file, wins; $name is what it is in the end.
LATER = '''
-e smtp_helo_name='$myhostname' myhostname=first.example
-e myhostname=last.example message_size_limit=1048576
-e default_destination_concurrency_limit=3
-e 'smtp_destination_concurrency_limit=$default_destination_concurrency_limit'
-e mynetworks="127.0.0.0/8,10.1.0.0/16"
'''

# The relay's key, Postfix's parameter, and what kind of value it is.
PAIRS = [
    ('config.hostname', 'myhostname', 'text'),
    ('config.delivery.helo', 'smtp_helo_name', 'text'),
    ('config.allowed_networks', 'mynetworks', 'networks'),
    ('config.relay.host', 'relayhost', 'text'),
    ('config.message_size_limit', 'message_size_limit', 'size'),
    ('config.recipient_limit', 'smtpd_recipient_limit', 'number'),
    ('config.client_connection_limit', 'smtpd_client_connection_count_limit',
     'number'),
    ('config.delivery.bind', 'smtp_bind_address', 'list'),
    ('config.delivery.connections', 'smtp_destination_concurrency_limit',
     'number'),
    ('config.timeout.command', 'smtpd_timeout', 's'),
    ('config.timeout.connect', 'smtp_connect_timeout', 's'),
    ('config.timeout.greeting', 'smtp_helo_timeout', 's'),
    ('config.timeout.mail', 'smtp_mail_timeout', 's'),
    ('config.timeout.rcpt', 'smtp_rcpt_timeout', 's'),
    ('config.timeout.data_init', 'smtp_data_init_timeout', 's'),
    ('config.timeout.data_block', 'smtp_data_xfer_timeout', 's'),
    ('config.timeout.data_end', 'smtp_data_done_timeout', 's'),
    ('config.retry.first', 'minimal_backoff_time', 's'),
    ('config.retry.max', 'maximal_backoff_time', 's'),
    ('config.retry.lifetime', 'maximal_queue_lifetime', 'd'),
    ('config.retry.bounce_lifetime', 'bounce_queue_lifetime', 'd'),
    ('config.tls.level', 'smtpd_tls_security_level', 'text'),
    ('config.tls.auth_only', 'smtpd_tls_auth_only', 'yes'),
    ('config.delivery.tls', 'smtp_tls_security_level', 'text'),
]
SERVICES = '''
smtp inet n - n - - smtpd
smtp unix - - n - - smtp
'''
SECONDS = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 604800}
BYTES = {'': 1, 'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}


def read_print(text):
    """`check --print`: key -> (value, where it comes from)."""
    found, path = {}, []
    for line in text.splitlines():
        m = re.match(r'( *)([a-z0-9_]+):(?: (.*?)(?:  # (.*))?)?$', line)
        if not m:
            continue
        path[len(m[1]) // 2:] = [m[2]]
        if m[3] is not None:
            found['.'.join(path)] = m[3], m[4]
    return found


def plain(value, kind):
    """A value of either side in one form."""
    value = value.strip()
    if kind in ('list', 'networks'):
        parts = re.split(r'[,\s]+', value.strip('[]') if "'" in value
                         else value)
        words = [p.strip("'") for p in parts if p]
        return [re.sub(r'^\[(.*)\]/', r'\1/', w) for w in words]
    value = value.strip("'")
    if kind in SECONDS:
        m = re.fullmatch(r'(\d+)([smhdw]?)', value)
        return int(m[1]) * SECONDS[m[2] or kind]
    if kind == 'size':
        m = re.fullmatch(r'(\d+)([KMG]?)', value)
        return int(m[1]) * BYTES[m[2]]
    if kind == 'yes':
        return {'true': 'yes', 'false': 'no'}.get(value, value)
    return int(value) if kind == 'number' else value


@unittest.skipUnless(os.path.exists(POSTCONF), 'no Postfix here')
class Same(Case):
    def postfix(self, *texts):
        """Gives postconf the words of each line; a reader of the values."""
        dir = os.path.join(self.held.root, 'postfix')
        os.makedirs(dir, exist_ok=True)
        open(os.path.join(dir, 'main.cf'), 'w').close()
        with open(os.path.join(dir, 'master.cf'), 'w') as f:
            f.write(SERVICES)   # parameters of transports need their names
        for text in texts:
            for line in text.splitlines():
                if line.strip() and not line.startswith('#'):
                    subprocess.run([POSTCONF, '-c', dir] + shlex.split(line),
                                   check=True)

        def value(name):
            done = subprocess.run([POSTCONF, '-c', dir, '-h', '-x', name],
                                  check=True, stdout=subprocess.PIPE,
                                  text=True)
            return done.stdout.rstrip('\n')
        return value

    def compare(self, *texts):
        """Each parameter that the lines set; how many there were."""
        self.held = self.relay({'hostname': None, 'retry.first': None},
                               start=False)
        dir = os.path.join(self.held.config_dir, 'postfix.d')
        os.makedirs(dir)
        for i, text in enumerate(texts):
            with open(os.path.join(dir, '%d.conf' % i), 'w') as f:
                f.write(text)
        done = self.held.command('check', '--print')
        self.assertEqual(done.returncode, 0, done.stderr)
        ours, theirs, count = read_print(done.stdout), self.postfix(*texts), 0
        for key, name, kind in PAIRS:
            value, where = ours[key]
            if 'postfix.d/' not in where:
                continue
            count += 1
            self.assertEqual(plain(value, kind), plain(theirs(name), kind),
                             (key, name))
        return count

    def test_each_mapped_parameter(self):
        self.assertEqual(self.compare(LINES), len(PAIRS))

    def test_later_lines_and_files(self):
        self.assertEqual(self.compare(LINES, LATER), len(PAIRS))
        self.assertGreater(self.compare(LATER), 4)
