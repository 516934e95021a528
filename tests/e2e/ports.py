"""Ports that nobody else uses.

They come from below the range that the kernel gives to outgoing connections
(10,000 idle sessions would otherwise take the one that we are about to bind),
in blocks of 128; a process owns a block by holding an abstract socket's name, so
test processes that run beside each other never meet.
"""
import os
import socket

_FIRST, _BLOCK, _BLOCKS = 11000, 128, 165
_state = {'lock': None, 'next': 0, 'base': 0}


def _own_a_block():
    start = os.getpid() % _BLOCKS
    for i in range(_BLOCKS):
        block = (start + i) % _BLOCKS
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind('\0smarthost-tests-%d' % block)
        except OSError:
            lock.close()
            continue
        _state.update(lock=lock, base=_FIRST + block * _BLOCK)
        return
    raise RuntimeError('every block of ports is taken')


def free_port():
    """A port on which nothing listens, TCP and UDP, on any address."""
    if _state['lock'] is None:
        _own_a_block()
    for _ in range(_BLOCK):
        port = _state['base'] + _state['next'] % _BLOCK
        _state['next'] += 1
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(('0.0.0.0', port))
        except OSError:
            continue
        return port
    raise RuntimeError('no free port')
