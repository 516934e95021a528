"""`smarthost doctor` in a small world of its own: zones, ports, certificates."""
import json
import os
import re
import socket
import subprocess

from case import Case
from relay import PROGRAM
from sink import dead_port
from tls_sink import Certificates

# 192.88.99.0/24 is nobody's any more, and is looked up like anybody's.
REVERSE = {'99.88.192.in-addr.arpa': '''
    1 PTR relay.lab.
    2 PTR other.lab.
    3 PTR liar.lab.
'''}
ZONE = '''
    relay   A 192.88.99.1
    relay   TXT "v=spf1 a -all"
    other   A 192.88.99.2
    liar    A 192.88.99.9
    good    TXT "v=spf1 a:relay.lab -all"
    _dmarc.good TXT "v=DMARC1; p=reject; adkim=s"
    incl    TXT "v=spf1 include:good.lab ~all"
    _dmarc.incl TXT "v=DMARC1; p=sometimes"
    uncovered TXT "v=spf1 ip4:198.51.100.1 -all"
    broken  TXT "v=spf1 ipv4:198.51.100.1 -all"
    bare    A 192.88.99.1
    mx      MX 10 host.mx
    host.mx A 127.0.0.1
'''


class Doctor(Case):
    def setUp(self):
        self.extra = ''
        self.held = self.relay({'hostname': 'relay.lab'}, start=False)

    def serve(self):
        server = self.dns(ZONE + self.extra, REVERSE)
        self.held.sets['dns.servers'] = server.servers

    def ask(self, *words, status=None):
        """What was said: [(verdict, what, text)]."""
        done = self.held.command('doctor', *words)
        self.assertEqual(done.stderr, '')
        said = [re.fullmatch(r'(ok|warn|fail) +([^:]+): (.*)', line).groups()
                for line in done.stdout.splitlines()]
        verdicts = {v for v, _, _ in said}
        self.assertEqual(done.returncode, 2 if 'fail' in verdicts else
                         1 if 'warn' in verdicts else 0, done.stdout)
        return said

    def domains(self, *names, more=''):
        self.held.write_yaml('domains:\n' + ''.join(
            '- name: %s\n%s' % (n, more) for n in names))

    def verdict(self, said, what, *parts):
        """The one verdict on the thing whose text has these parts."""
        found = [v for v, w, t in said
                 if w == what and all(p in t for p in parts)]
        self.assertEqual(len(found), 1, (what, parts, said))
        return found[0]

    def test_names(self):
        self.serve()
        for address, verdict, part in (
                ('192.88.99.1', 'ok', 'is relay.lab'),
                ('192.88.99.2', 'warn', 'is other.lab'),
                ('192.88.99.3', 'fail', 'is liar.lab'),
                ('192.88.99.4', 'fail', 'has no name')):
            said = self.ask('--address', address)
            self.assertEqual(self.verdict(said, 'hostname'), 'ok')
            self.assertEqual(
                self.verdict(said, 'outgoing address', address), 'ok')
            self.assertEqual(
                self.verdict(said, 'reverse DNS', part), verdict)
        self.held.sets['hostname'] = 'nowhere.lab'
        self.assertEqual(self.verdict(self.ask(), 'hostname',
                                      'publish an A record'), 'fail')
        self.held.sets['hostname'] = 'localhost.localdomain'
        self.assertEqual(self.verdict(self.ask(), 'hostname',
                                      'set config.hostname'), 'fail')

    def test_spf_and_dmarc(self):
        self.serve()
        self.domains('good.lab', 'incl.lab', 'uncovered.lab', 'broken.lab',
                     'bare.lab')
        said = self.ask('--address', '192.88.99.1')
        for domain, spf, dmarc in (
                ('good.lab', 'ok', 'warn'), ('incl.lab', 'ok', 'fail'),
                ('uncovered.lab', 'fail', 'warn'),
                ('broken.lab', 'fail', 'warn'), ('bare.lab', 'warn', 'warn')):
            self.assertEqual(self.verdict(said, 'SPF', domain + (
                ' ' if domain == 'bare.lab' else ':')), spf)
            self.assertEqual(
                [v for v, w, t in said
                 if w == 'DMARC' and t.startswith(domain)], [dmarc], domain)
        said = self.ask('--address', '192.88.99.7')
        self.assertEqual(self.verdict(said, 'SPF', 'good.lab: 192.88.99.7 is '
                                      'not covered: fail', 'a:relay.lab'),
                         'fail')
        self.assertEqual(self.verdict(said, 'SPF', 'incl.lab: ', 'softfail'),
                         'fail')

    def keygen(self):
        done = subprocess.run(
            [PROGRAM, 'dkim', 'keygen', '-d',
             'good.lab', '-s', 'sel', '-o',
             os.path.join(self.held.config_dir, 'key.pem')],
            stdout=subprocess.PIPE, text=True, check=True)
        self.domains('good.lab',
                     more='  dkim: {selector: sel, key_file: key.pem}\n')
        # Only the strings: the names of the zone are relative.
        return ' '.join(re.findall(r'"[^"]*"', done.stdout))

    def test_dkim(self):
        record = self.keygen()
        self.serve()
        self.assertEqual(self.verdict(self.ask(), 'DKIM', 'sel._domainkey.'
                                      'good.lab: missing'), 'fail')
        self.extra = '\nsel._domainkey.good TXT %s\n' % record
        self.serve()
        said = self.ask()
        self.assertEqual(self.verdict(said, 'DKIM', 'good'), 'ok')
        self.assertEqual(self.verdict(said, 'DMARC', 'aligned'), 'ok')

    def test_the_way_out(self):
        self.serve()
        sink = self.sink()
        self.held.sets['delivery.port'] = str(sink.port)
        said = self.ask('--probe', 'mx.lab', '--probe', 'a@nothing.lab')
        self.assertEqual(self.verdict(said, 'way out', 'host.mx.lab (127.'),
                         'ok')
        self.assertEqual(self.verdict(said, 'way out', 'nothing.lab'), 'warn')
        self.held.sets['delivery.port'] = str(dead_port())
        self.assertEqual(self.verdict(self.ask('--probe', 'mx.lab'),
                                      'way out', 'refused'), 'fail')
        self.assertEqual(self.verdict(self.ask(), 'way out', 'not tried'),
                         'warn')
        self.held.sets['relay.host'] = sink.next_hop
        said = self.ask()
        self.assertEqual(self.verdict(said, 'way out', 'greets'), 'ok')
        self.assertEqual(self.verdict(said, 'SPF', 'whose addresses'), 'ok')

    def test_certificates(self):
        self.serve()
        made = Certificates()
        self.addCleanup(made.remove)
        for name, hostname, verdicts in (
                ('good', 'mx.lab', ['ok', 'warn']),     # nine days
                ('good', 'relay.lab', ['warn', 'warn']),
                ('expired', 'mx.lab', ['ok', 'fail'])):
            self.held.sets.update({
                'hostname': hostname, 'tls.level': 'may',
                'tls.crt_file': getattr(made, name) + '.crt',
                'tls.key_file': getattr(made, name) + '.key'})
            self.assertEqual([v for v, w, _ in self.ask()
                              if w == 'certificate'], verdicts, name)

    def test_ports_and_the_relay_that_runs(self):
        self.serve()
        with socket.create_server(('127.0.0.1', self.held.port)):
            said = self.ask()
        self.assertEqual(self.verdict(said, 'port', 'another program'), 'fail')
        self.assertEqual(self.verdict(said, 'port', 'free'), 'ok')
        self.held.start()
        said = self.ask()
        self.assertEqual([v for v, w, t in said if w == 'port' and
                          'the relay runs' in t], ['ok', 'ok'])
        self.assertEqual(self.verdict(said, 'spool', 'durable write'), 'ok')
        self.assertEqual(self.verdict(said, 'spool', 'MiB are free'), 'ok')

    def test_a_bad_configuration(self):
        self.held.sets['hostnam'] = 'x'
        (verdict, what, text), = self.ask()
        self.assertEqual((verdict, what), ('fail', 'configuration'))
        self.assertIn('did you mean', text)

    def test_json(self):
        self.serve()
        self.domains('good.lab')
        done = self.held.command('doctor', '--json')
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertGreater(len(lines), 10)
        self.assertEqual({tuple(sorted(line)) for line in lines},
                         {('text', 'verdict', 'what')})
