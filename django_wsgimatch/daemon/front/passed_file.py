"""A file that a group has opened and the front's server sends."""

from __future__ import annotations

import io
import os
import sys

from ...exceptions import DaemonError


class PassedFile(io.BufferedReader):
    """
    An open file of a group's, of which the server sends ``announced`` bytes, all if that is None.

    The group can still shorten the file, and move the position that its descriptor shares with
    this one. A server would then send less than Content-Length says and keep its connection, and a
    proxy would take the next response for the rest of this one. So what the server has sent is
    counted: what it reads, and where socket.sendfile() ends. close() raises DaemonError where that
    is not enough, and the server cuts its connection.
    """

    def __init__(self, descriptor: int, announced: int | None, complaint: str) -> None:
        super().__init__(io.FileIO(descriptor, "rb"))
        self._announced = announced
        self._complaint = complaint
        self._begin = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._sent = 0

    @property
    def left(self) -> int:
        """How many bytes the file has from its position on, at this moment."""
        return max(os.fstat(self.fileno()).st_size - self._begin, 0)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, none beyond what is announced."""
        if self._announced is not None:
            most = self._announced - self._sent
            size = most if size is None or size < 0 else min(size, most)
        data = super().read(size)
        self._sent += len(data)
        return data

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        """Mirror io's; socket.sendfile() tells so where it has come to."""
        if whence == os.SEEK_SET:
            self._sent = max(self._sent, position - self._begin)
        return super().seek(position, whence)

    def abandon(self) -> None:
        """Close the file, of which nothing is to be sent."""
        self._announced = None
        self.close()

    def close(self) -> None:
        """Close the file. Raises DaemonError where the server has sent less than is announced."""
        if self.closed:
            return
        left = self.left
        super().close()
        if self._announced is None or sys.exc_info()[0] is not None:
            # The client has gone away, or something else is wrong: the server knows already.
            return
        # Servers in C send by the descriptor alone.
        if (self._sent or left) < self._announced:
            raise DaemonError(500, self._complaint)
