"""Advice about the machine's limits, in the log of a start."""
from case import Case


class Advice(Case):
    def advice(self, relay):
        return [e['what'] + '; ' + e['do'] for e in relay.find('advice')]

    def test_once_each_before_ready(self):
        relay = self.relay(root='/dev/shm')
        said = self.advice(relay)
        self.assertEqual(len([s for s in said if 'tmpfs' in s]), 1, said)
        ready = relay.log.index(relay.find('ready')[0])
        for line in relay.find('advice'):
            self.assertEqual(line['level'], 'warn')
            self.assertLess(relay.log.index(line), ready)

    def test_none_where_all_is_well(self):
        relay = self.relay({'connection_limit': '100'})
        self.assertFalse([s for s in self.advice(relay)
                          if 'files' in s or 'RLIMIT' in s],
                         self.advice(relay))
