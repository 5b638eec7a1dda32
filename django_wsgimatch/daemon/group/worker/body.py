"""What an application in a daemon process reads as ``wsgi.input``."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING

from ...wire.protocol import ABORTED, CHUNK, FRAME, LARGEST_CHUNK, PULL
from ...wire.wire import FrontGone

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# So much is asked for at a time where the application reads in small pieces.
READ_AHEAD = 65536


class PulledBody(io.RawIOBase):
    """
    A request body that the front reads on only when the application does.

    So the client is told to go on (100-continue), and waits, exactly as if the application read
    from the server itself. Reading raises OSError where the client has gone away.
    """

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._left = 0
        self._ended = False
        self._is_pulling = False
        self._is_expired = False

    def readable(self) -> bool:
        """The one thing that can be done with it."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer as far as one chunk goes; 0 is the end of the body."""
        view = memoryview(buffer).cast("B")
        if not self._left and not self._ended:
            self._pull(len(view))
        if self._ended:
            return 0
        count = self._connection.recv_into(view[: self._left])
        if not count:
            raise FrontGone("The server's worker went away in the middle of the request's body.")
        self._left -= count
        return count

    def expire(self) -> bool:
        """
        Let no one read on: the response is complete, the front listens no more.

        Returns whether nothing of the body is on its way.
        """
        self._is_expired = True
        return not self._left and not self._is_pulling

    def buffered(self) -> io.BufferedReader:
        """Return the body with all the methods that PEP 3333 asks for."""
        return io.BufferedReader(self, READ_AHEAD)

    def _pull(self, size: int) -> None:
        # In this order, and expire() in the other: one of the two sees what the other has set.
        self._is_pulling = True
        if self._is_expired:
            raise OSError("The response is complete: the request's body can be read no more.")
        self._connection.sendall(FRAME.pack(PULL, min(max(size, READ_AHEAD), LARGEST_CHUNK)))
        head = self._connection.recv(CHUNK.size, socket.MSG_WAITALL)
        if len(head) < CHUNK.size:
            raise FrontGone("The server's worker went away before the request's body.")
        (length,) = CHUNK.unpack(head)
        if length == ABORTED:
            self._ended = True
            raise OSError("The client went away in the middle of the request's body.")
        self._left = length
        self._ended = not length
        self._is_pulling = False
