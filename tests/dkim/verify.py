"""Verifies messages with python3-dkim, as any receiver would.

    verify.py MESSAGES COUNT TXT...

MESSAGES is a file: each message (CR LF, dots not doubled) behind its length on
a line of its own.  A TXT is NAME=RECORD.  Each message must have COUNT
signatures, and all must verify.
"""
import sys

import dkim

records = dict(arg.split('=', 1) for arg in sys.argv[3:])


def txt(name, timeout=5):
    return records.get(name.decode().rstrip('.').lower(), '').encode()


def main():
    wanted, count = int(sys.argv[2]), 0
    with open(sys.argv[1], 'rb') as f:
        while True:
            line = f.readline()
            if not line:
                break
            message = f.read(int(line))
            verifier = dkim.DKIM(message, minkey=1024)
            found = sum(k.lower() == b'dkim-signature'
                        for k, _ in verifier.headers)
            if found != wanted:
                sys.exit('%d signatures: %r' % (found, message))
            for i in range(found):
                if not verifier.verify(i, dnsfunc=txt):
                    sys.exit('signature %d does not verify: %r' % (i, message))
            count += 1
    print(count)


main()
