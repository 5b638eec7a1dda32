"""An order to the manager, as it comes over its socket: read and answered without ever waiting."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

from ...exceptions import WSGIMatchError
from ..wire.control import LONGEST_ORDER, Order

# So long may a whole order take, and so many may be under way: whoever drips bytes stalls nobody.
SECONDS = 10.0
MOST = 128

CarryOut = Callable[[socket.socket, Order], Order]


class Conversation:
    """One order and its answer, a line of JSON each."""

    def __init__(self, connection: socket.socket, carry_out: CarryOut) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.deadline = time.monotonic() + SECONDS
        self.is_over = False
        self.is_answering = False
        self._carry_out = carry_out
        self._received: list[bytes] = []
        self._size = 0
        self._answer = memoryview(b"")

    def go_on(self) -> None:
        """Read or write what can be; see ``is_over`` then."""
        try:
            if not self.is_answering:
                self._read()
            if self.is_answering:
                self._write()
        except BlockingIOError:
            return
        except OSError:
            self.is_over = True

    def close(self) -> None:
        """End it."""
        self.is_over = True
        self.connection.close()

    def _read(self) -> None:
        data = self.connection.recv(65536)
        self._received.append(data)
        self._size += len(data)
        if not data or self._size > LONGEST_ORDER:
            self.is_over = True
        elif data.endswith(b"\n"):
            answer = self._answer_to(b"".join(self._received))
            self._answer = memoryview(json.dumps(answer).encode() + b"\n")
            self.is_answering = True

    def _answer_to(self, data: bytes) -> Order:
        try:
            return self._carry_out(self.connection, json.loads(data))
        except WSGIMatchError as error:
            return {"error": str(error)}
        except Exception as error:
            # Whatever one order does wrong is its own failure, and not the manager's.
            return {"error": f"{type(error).__name__}: {error}"}

    def _write(self) -> None:
        self._answer = self._answer[self.connection.send(self._answer) :]
        self.is_over = not self._answer
