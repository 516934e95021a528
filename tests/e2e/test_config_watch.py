"""Files that change are read without being asked to; what changes together
counts once."""
import os
import shutil

from case import Case
from talk import Talk
from wait import until


class Watch(Case):
    def banner(self, relay):
        with Talk(relay.port) as t:
            return t.banner[1]

    def swap(self, relay, version, hostname, more=''):
        """As Kubernetes mounts a ConfigMap: files are links into ..data, which
        is a link that is replaced."""
        folder = os.path.join(relay.config_dir, 'yaml.d')
        data = os.path.join(folder, '..v%d' % version)
        os.mkdir(data)
        for name, text in (('10.yaml', 'config:\n  hostname: %s\n' % hostname),
                           ('20.yaml', more)):
            with open(os.path.join(data, name), 'w') as f:
                f.write(text)
            link = os.path.join(folder, name)
            if not os.path.islink(link):
                os.symlink('..data/' + name, link)
        os.symlink('..v%d' % version, os.path.join(folder, '..tmp'))
        os.rename(os.path.join(folder, '..tmp'),
                  os.path.join(folder, '..data'))
        old = os.path.join(folder, '..v%d' % (version - 1))
        if os.path.isdir(old):
            shutil.rmtree(old)

    def test_kubernetes_swap(self):
        relay = self.relay({'hostname': None}, start=False)
        self.swap(relay, 1, 'one.example')
        relay.start()
        for version, name in ((2, 'two'), (3, 'three'), (4, 'four')):
            mark = relay.mark()
            self.swap(relay, version, name + '.example',
                      'config: {recipient_limit: %d}\n' % version)
            relay.wait('reloaded', since=mark)
            self.assertIn(name + '.example', self.banner(relay))
            self.assertEqual(len(relay.find('reload', since=mark)), 1)
        # Each swap was one change, however many files it touched.
        self.assertEqual(len(relay.find('reload')), 3)

    def test_a_bad_file_and_its_repair(self):
        relay = self.relay({'hostname': None}, start=False,
                           yaml='config:\n  hostname: one.example\n')
        relay.start()
        mark = relay.mark()
        relay.write_yaml('config:\n  hostnme: two.example\n')
        relay.wait('reload_refused', since=mark)
        self.assertIn('one.example', self.banner(relay))
        # A change beside it: looked at, and not said again.
        with open(os.path.join(relay.config_dir, 'yaml.d', 'README'),
                  'w') as f:
            f.write('nothing of ours\n')
        relay.write_yaml('config:\n  hostname: three.example\n')
        relay.wait('reloaded', since=mark)
        self.assertIn('three.example', self.banner(relay))
        self.assertEqual(len(relay.find('reload_refused', since=mark)), 1)

    def test_a_folder_that_comes_later(self):
        relay = self.relay({'hostname': None}, start=False)
        shutil.rmtree(os.path.join(relay.config_dir, 'yaml.d'))
        relay.start()
        mark = relay.mark()
        os.mkdir(os.path.join(relay.config_dir, 'postfix.d'))
        with open(os.path.join(relay.config_dir, 'postfix.d/a.conf'),
                  'w') as f:
            f.write('-e myhostname=late.example\n')
        relay.wait('reloaded', since=mark)
        until(lambda: 'late.example' in self.banner(relay), what='reload')
