"""A relay with one fault, for the race to notice: of the messages that it has
taken, the `lose`th is gone, the `repeat`th goes out twice; the `refuse`th is
answered 554.

    relay = Careless(sink.port, lose=700)
    relay.port
    relay.close()
"""
import socketserver
import threading

from talk import Talk


class Careless:
    def __init__(self, sink, lose=0, repeat=0, refuse=0):
        self.sink = sink
        self.times = {lose: 0, repeat: 2}
        self.times.pop(0, None)
        self.refuse = refuse
        self.count = 0
        self.lock = threading.Lock()
        relay = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                relay.serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 100

        self.server = Server(('127.0.0.1', 0), Session)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def serve(self, rfile, wfile):
        """One client, and a connection to the sink for all of its mail."""
        with Talk(self.sink) as out:
            out.hello()
            wfile.write(b'220 careless.example\r\n')
            envelope = []
            for line in rfile:
                verb = line[:4].upper()
                if verb in (b'MAIL', b'RCPT'):
                    envelope.append(line.rstrip())
                if verb == b'DATA':
                    wfile.write(b'354 go on\r\n')
                    wfile.write(self.take(rfile, out, envelope))
                    envelope = []
                elif verb == b'QUIT':
                    wfile.write(b'221 bye\r\n')
                    return
                else:
                    wfile.write(b'250 fine\r\n')

    def take(self, rfile, out, envelope):
        text = b''.join(iter(rfile.readline, b'.\r\n'))
        with self.lock:
            self.count += 1
            number = self.count
        if number == self.refuse:
            return b'554 no\r\n'
        for _ in range(self.times.get(number, 1)):
            for line in envelope:
                out.say(line, 250)
            out.say('DATA', 354)
            out.send(text + b'.\r\n')
            assert out.reply()[0] == 250
        return b'250 taken\r\n'
