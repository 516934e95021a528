"""DKIM: mail of a domain with a key never leaves without its signatures."""
import base64
import os
import signal
import subprocess

from test_dkim import HEAD, RSA, RSA_TXT, Signed, dkim_map, domains


def broken(pem, back):
    """The RSA key, well-formed, one of its numbers another: that which lies
    `back` bytes before the end."""
    der = bytearray(subprocess.run(
        ['openssl', 'rsa', '-traditional', '-outform', 'DER'],
        input=pem.encode(), check=True, capture_output=True).stdout)
    der[-back] ^= 2
    return '-----BEGIN RSA PRIVATE KEY-----\n%s-----END RSA PRIVATE KEY-----\n' \
        % base64.encodebytes(bytes(der)).decode()


class Deferred(Signed):
    def keys_at(self, relay, pem):
        """A key in a file of its own."""
        path = os.path.join(relay.config_dir, 'dkim.pem')
        with open(path, 'w') as f:
            f.write(pem)
        relay.write_yaml('domains: [{name: example.lab, '
                         'dkim: {selector: rsa, key_file: %s}}]\n' % path)
        return path

    def reload(self, relay):
        relay.signal(signal.SIGHUP)
        relay.wait('reloaded', count=len(relay.workers()))

    def test_a_key_whose_numbers_do_not_fit_is_refused(self):
        # qinv, dq, dp, q, p; and one bad key beside a good one
        yamls = [domains(example__lab=[dkim_map('rsa', broken(RSA, back))])
                 for back in (20, 150, 290, 420, 550)]
        yamls.append(domains(example__lab=[
            dkim_map('rsa', RSA), dkim_map('bad', broken(RSA, 20))]))
        for yaml in yamls:
            relay, _ = self.pair(start=False, yaml=yaml)
            done = relay.command('check')
            self.assertEqual(done.returncode, 78, done.stdout)
            self.assertIn("the key's signatures are wrong",
                          done.stdout + done.stderr)

    def test_a_reload_with_a_bad_key_changes_nothing(self):
        relay, sink = self.pair({'log.level': 'debug'}, start=False)
        path = self.keys_at(relay, RSA)
        relay.start()
        for text in (None, 'no key', broken(RSA, 20)):
            if text is None:
                os.rename(path, path + '.gone')
            else:
                self.keys_at(relay, text)
            mark = len(relay.find('reload_refused'))
            relay.signal(signal.SIGHUP)
            relay.wait('reload_refused', count=mark + 1)
            mail = self.deliver(relay, sink,
                                HEAD % b'example.lab' + b'\r\nhi\r\n')
            self.verified(mail.data)
        self.stop(relay)

    def test_from_that_cannot_be_read_when_a_key_comes(self):
        relay, sink = self.signing('config: {verbose: true}')
        sink.on('mail', '450 4.3.0 not now')
        ids = [self.send(relay, line + b'Subject: x\r\n\r\nhi\r\n')
               for line in (b'From: me\r\n', b'From: a@example.lab b@c.lab\r\n',
                            b'From: <>\r\n')]
        for i in ids:
            relay.wait('deferred', id=i)
        relay.write_yaml(domains(example__lab=[dkim_map('rsa', RSA)]))
        self.reload(relay)
        sink.on('mail', None)
        self.assertEqual(relay.command('queue', 'retry').returncode, 0)
        for i in ids:
            relay.wait('dkim_failed', id=i)
            entry = relay.wait('deferred', id=i, count=2)
            self.assertIn('it cannot be signed (DKIM): ', entry['reply'])
        self.assertEqual(sink.mails, [])
        self.stop(relay)


class All(Signed):
    def test_the_domain_of_the_address(self):
        relay, sink = self.pair(start=False)
        folder = os.path.join(relay.config_dir, 'opendkim')
        os.makedirs(folder)
        for name, text in (('key.pem', RSA),
                           ('keytable', 'k %%:rsa:%s/key.pem\n' % folder),
                           ('signingtable', '*@* k\n')):
            with open(os.path.join(folder, name), 'w') as f:
                f.write(text)
        relay.start()
        self.records = {}
        for name in ('one.lab', 'deep.two.lab'):
            self.records['rsa._domainkey.' + name] = RSA_TXT
            mail = self.deliver(relay, sink, HEAD % name.upper().encode() +
                                b'\r\nhi\r\n')
            self.assertIn(b' d=%s;' % name.encode(), mail.data)
            self.verified(mail.data)
        self.stop(relay)

    def test_eight_keys_sign_and_nine_are_refused(self):
        maps = [dkim_map('s%d' % i, RSA) for i in range(9)]
        self.records = {'s%d._domainkey.example.lab' % i: RSA_TXT
                        for i in range(9)}
        relay, sink = self.signing(domains(example__lab=maps[:8]))
        mail = self.deliver(relay, sink, HEAD % b'example.lab' + b'\r\nhi\r\n')
        self.verified(mail.data, 8)
        self.stop(relay)
        relay, sink = self.pair(start=False, yaml=domains(example__lab=maps))
        done = relay.command('check')
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('more than 8 keys sign for example.lab', done.stdout + done.stderr)
