"""
The least that a hop costs: a kept connection to another process, with two calls on each side.

`benchmarks.groups` measures it beside the process groups. Nothing of an environ travels, and of
django-wsgimatch's code only the scheduling of the threads is there: what is left is what the
kernel and the interpreter take to hand a request over. ``python -m benchmarks.floor SOCKET
PROCESSES`` is the other side.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading

from django_wsgimatch.daemon.group.worker.threads import let_others_go_on

# How long the body behind it is, and how long the answer is to be.
REQUEST = struct.Struct("<II")
_own = threading.local()


def ask(path: str, body: bytes, size: int) -> bytes:
    """Have the other side take a body and return an answer of some size."""
    try:
        connection = _own.connection
    except AttributeError:
        connection = _own.connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
    connection.sendall(REQUEST.pack(len(body), size) + body)
    answer: bytes = connection.recv(size, socket.MSG_WAITALL)
    return answer


def answer_all(connection: socket.socket) -> None:
    """Answer what comes over a connection."""
    let_others_go_on()
    while packet := connection.recv(65536):
        length, size = REQUEST.unpack_from(packet)
        missing = length + REQUEST.size - len(packet)
        if missing:
            connection.recv(missing, socket.MSG_WAITALL)
        connection.sendall(bytes(size))


def serve(path: str, processes: int) -> None:
    """Answer on a socket, in so many processes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(64)
    # All end with the first.
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    for _ in range(processes - 1):
        if os.fork() == 0:
            break
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=answer_all, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
