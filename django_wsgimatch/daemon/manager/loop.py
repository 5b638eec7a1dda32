"""
What the manager waits for: what its groups print, what processes tell, and orders.

An order is read and answered without ever waiting for whoever gives it.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ...exceptions import WSGIMatchError
from ..wire.control import LONGEST_ORDER, Order
from ..wire.wire import is_readable
from .logs import GroupOutput

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


class Loop:
    """Reacts to whatever can be read; ``carry_out`` does what an order says."""

    def __init__(self, carry_out: CarryOut) -> None:
        self._carry_out = carry_out
        self._conversations: list[Conversation] = []
        # The output of groups that print too much, by its descriptor, and how it is read again.
        self._waiting: dict[int | socket.socket, tuple[GroupOutput, Callable[[], None]]] = {}
        self._selector = selectors.DefaultSelector()

    @property
    def is_pausing(self) -> bool:
        """Whether there is output that is read again before long."""
        return bool(self._waiting)

    def turn(self, patience: float) -> None:
        """Wait for what there is to do, at most so many seconds, and do it."""
        for key, _ in self._selector.select(patience):
            key.data()
        now = time.monotonic()
        for conversation in [each for each in self._conversations if now > each.deadline]:
            self._end(conversation)
        for descriptor, (output, drain) in [*self._waiting.items()]:
            if not output.must_wait:
                del self._waiting[descriptor]
                self.watch(descriptor, drain)

    def watch(self, file: int | socket.socket, react: Callable[[], Any]) -> None:
        """Call ``react`` whenever a file can be read; once is enough."""
        if file not in self._selector.get_map():
            self._selector.register(file, selectors.EVENT_READ, react)

    def unwatch(self, file: int | socket.socket) -> None:
        """Leave a file alone, which may not have been watched."""
        self._waiting.pop(file, None)
        if file in self._selector.get_map():
            self._selector.unregister(file)

    def pass_on(self, output: GroupOutput) -> None:
        """Pass on what a group prints, as it comes."""
        self.watch(output.descriptor, partial(self._drain, output))

    def take_orders(self, listener: socket.socket) -> None:
        """Take the orders that come over a socket."""
        self.watch(listener, partial(self._accept, listener))

    def leave(self, listener: socket.socket) -> None:
        """Close a socket for orders; who has connected to it may give one yet."""
        self.unwatch(listener)
        with listener:
            for _ in range(MOST):
                if not is_readable(listener):
                    break
                self._accept(listener)

    def _drain(self, output: GroupOutput) -> None:
        if not output.drain():
            self.unwatch(output.descriptor)
        elif output.must_wait:
            self.unwatch(output.descriptor)
            self._waiting[output.descriptor] = output, partial(self._drain, output)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        if len(self._conversations) >= MOST:
            self._end(self._conversations[0])
        conversation = Conversation(connection, self._carry_out)
        self._conversations.append(conversation)
        react = partial(self._converse, conversation)
        self._selector.register(connection, selectors.EVENT_READ, react)

    def _converse(self, conversation: Conversation) -> None:
        was_answering = conversation.is_answering
        conversation.go_on()
        if conversation.is_over:
            self._end(conversation)
        elif conversation.is_answering and not was_answering:
            react = partial(self._converse, conversation)
            self._selector.modify(conversation.connection, selectors.EVENT_WRITE, react)

    def _end(self, conversation: Conversation) -> None:
        if conversation in self._conversations:
            self._conversations.remove(conversation)
            self._selector.unregister(conversation.connection)
            conversation.close()
