"""What the test cases share: things are made through the case, which cleans
them up and looks at the relay's health at the end."""
import unittest

from nameserver import NameServer
from relay import Relay
from sink import Sink
from talk import Talk, queue_id

TEXT = (b'From: <from@example.org>\r\nTo: <to@example.net>\r\n'
        b'Subject: test\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n'
        b'Message-ID: <1@example.org>\r\n\r\nHello.\r\n')


class Case(unittest.TestCase):
    maxDiff = 2000

    def relay(self, sets=None, start=True, **options):
        relay = Relay(sets, **options)
        self.addCleanup(self._end, relay)
        if start:
            relay.start()
        return relay

    def _end(self, relay):
        relay.clean_up()
        complaints = relay.complaints()
        if complaints:
            self.fail('the relay complained:\n%s' % '\n'.join(
                complaints + relay.text))

    def sink(self, host='127.0.0.1', **options):
        sink = Sink(host, **options)
        self.addCleanup(sink.close)
        return sink

    def dns(self, text, zones=()):
        dns = NameServer(text, zones)
        self.addCleanup(dns.close)
        return dns

    def talk(self, relay, port=None, **options):
        talk = Talk(port or relay.port, **options)
        self.addCleanup(talk.socket.close)
        return talk

    def pair(self, sets=None, extensions=None, **options):
        """A relay whose relay host is a sink."""
        sink = self.sink(**({'extensions': extensions}
                            if extensions is not None else {}))
        more = {'relay.host': sink.next_hop}
        more.update(sets or {})
        return self.relay(more, **options), sink

    def send(self, relay, data=TEXT, port=None, **envelope):
        """Hands in one mail; its id."""
        with Talk(port or relay.port) as t:
            t.hello()
            reply = t.message(data, **envelope)
            self.assertEqual(reply[0], 250, reply)
            t.say('QUIT', 221)
            return queue_id(reply)

    def stop(self, relay):
        self.assertEqual(relay.stop(), 0, relay.tail())
