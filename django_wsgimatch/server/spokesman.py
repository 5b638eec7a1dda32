"""
Which of a server's workers says why none of them can start: the first one, for all.

The others wait for its end, and end without a word. gunicorn takes the first one's status for the
server's, and stumbles over a second worker with the same.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from ..daemon.servers.owner import Owner
from ..daemon.wire.wire import peer_user

# So long the first one stays, in seconds, for the others to find it.
STAY = 1.0


class Spokesman:
    """The first of a server's workers that cannot start, or one that comes after it."""

    def __init__(self, server: Owner) -> None:
        # A name without a file (Linux), which is gone with the process.
        self._name = f"\0wsgimatch.{server.name}"
        self._socket = socket.socket(socket.AF_UNIX)
        self.is_first = self._begin() or not self._finds_another()

    def _begin(self) -> bool:
        try:
            self._socket.bind(self._name)
            self._socket.listen()
        except (OSError, ValueError):
            return False
        return True

    def _finds_another(self) -> bool:
        """Whether there is one before it that is of this user: of any other it is not believed."""
        try:
            self._socket.connect(self._name)
            return peer_user(self._socket) == os.geteuid()
        except (OSError, ValueError):
            return False

    def stay(self) -> None:
        """Let the others find this one until it ends; or wait for the end of the one before."""
        if self.is_first:
            time.sleep(STAY)
            # What the others wait for is closed by the end of the process alone.
            self._socket.detach()
            return
        with self._socket, suppress(OSError):
            self._socket.settimeout(2 * STAY)
            self._socket.recv(1)
        # The arbiter has to learn of that end before it learns of this one.
        time.sleep(STAY / 2)

    def close(self) -> None:
        """Be no longer found."""
        self._socket.close()
