"""Random messages as they are stored, and what python3-dkim makes of them.

A line each: the stored message, then the simple and the relaxed body hash, in
hexadecimal.  Arguments: seed, count.
"""
import hashlib
import random
import sys

from dkim.canonicalization import Relaxed, Simple

TOKENS = [b'\r\n', b'\r\n', b'\r\n\r\n', b' ', b'\t', b'  ', b' \t ', b'.',
          b'..', b'\r\n.', b'\r\n..', b' \r\n', b'\t\r\n', b'a', b'word',
          b'\xc3\xa9', b'\xff', b'\0' b'x', b'x' * 63, b'y' * 64, b'z' * 65,
          b'two words', b'<div>\r\n    <p>', b'From me', b'a:', b':', b'--']


def body(rng):
    kind = rng.random()
    if kind < 0.05:
        return b''
    if kind < 0.1:
        return b'\r\n' * rng.randint(1, 200)
    words = [rng.choice(TOKENS) for _ in range(rng.randint(1, 60))]
    if kind < 0.4:      # long plain stretches between
        words = [w + b'plain text, ' * rng.randint(0, 12) for w in words]
    return b''.join(words) + b'\r\n'


def stored(data):
    """RFC 5321, 4.5.2"""
    lines = data.split(b'\r\n')
    return b'\r\n'.join(b'.' + x if x.startswith(b'.') else x for x in lines)


def head(rng):
    fields = [b'Subject: one\r\n', b'X-Long: ' + b'v' * 100 + b'\r\n two\r\n',
              b'From : me@example.org\r\n', b'A:\r\n', b'Empty:\r\n\t\r\n']
    return b''.join(rng.choice(fields) for _ in range(rng.randint(1, 4)))


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        text = body(rng)
        print((head(rng) + b'\r\n' + stored(text)).hex(),
              hashlib.sha256(Simple.canonicalize_body(text)).hexdigest(),
              hashlib.sha256(Relaxed.canonicalize_body(text)).hexdigest())


main()
