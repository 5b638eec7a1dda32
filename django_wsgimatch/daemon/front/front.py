"""The server's workers' side of the groups: they have the manager started, and ask the places."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ...exceptions import DaemonError, ManagerError, SettingError
from ..board import Shape, has_reached, process_at
from ..definition import Definition
from ..place import NAMED_BY, Place
from ..servers.directory import directory_of
from ..servers.owner import Owner, this_server
from ..wire.control import Order
from ..wire.protocol import NO_TOKEN, TOKEN_SIZE
from . import elsewhere
from .gate import NO_LIMITS, Limits
from .link import Link
from .relay import relay
from .server_manager import ServerManager

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# So many places are remembered.
MOST_LINKS = 1024


@dataclass(eq=False, repr=False)
class Places:
    """
    The places outside the server's worker.

    ``base`` is the folder of servers' folders; ``environment`` is what the groups have for
    environment variables; ``limits`` are those of the server's worker. Unless ``is_defining``,
    somebody else gives the manager the definition.
    """

    definition: Definition
    base: str
    owner: Owner = field(default_factory=this_server)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    is_defining: bool = True
    limits: Limits = NO_LIMITS
    _links: dict[Place, Link] = field(default_factory=dict, init=False)
    _tokens: dict[Place, bytes] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.directory = directory_of(self.owner, self.base)
        self._manager = ServerManager(self.definition, self.owner, self.directory, self.environment)

    def open(self) -> None:
        """
        Have the manager started if it is not there, and give it the definition.

        Raises SettingError where the sockets have no safe place, and ManagerError.
        """
        self._manager.open()
        if self.is_defining:
            told = self.definition.to_json()
            self._manager.order({"do": "define", "definition": told})
        self._tokens = self._ask_for_tokens()

    def _ask_for_tokens(self) -> dict[Place, bytes]:
        """Learn the tokens of the process groups ahead, for when no manager answers."""
        told = self._manager.order({"do": "tokens"})["tokens"]
        return {Place(name, ""): bytes.fromhex(token) for name, token in told.items()}

    def keep_open(self) -> None:
        """Have the manager started again if it is gone or hangs. Raises as open() does."""
        self._manager.keep_open()

    def watch(self) -> None:
        """Look after the manager from a thread of this process's own."""
        self._manager.watch()

    def close(self) -> None:
        """Close the connections that wait for a request."""
        for link in self._links.values():
            link.kept.clear()

    def relay(
        self, place: Place, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Have a request answered in a place. Raises DaemonError."""
        link = self._links.get(place)
        if link is None:
            link = self._link(place, environ)
        return relay(link, environ, start_response)

    def relay_inside(
        self, place: Place, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """
        Have a request answered in a sub interpreter of the place's process group.

        That group's own processes have it, and find it by ``mod_wsgi.application_group``.
        """
        environ = environ | {NAMED_BY: place.naming}
        return self.relay(Place(place.process_group, ""), environ, start_response)

    def _link(self, place: Place, environ: WSGIEnvironment) -> Link:
        options = self.definition.options(place)
        make = partial(
            Link,
            connect_timeout=options.connect_timeout,
            socket_timeout=options.socket_timeout,
            response_socket_timeout=options.response_socket_timeout,
            gate=self.limits.gate(environ),
            body_timeout=self.limits.body_timeout,
        )
        if options.socket is not None:
            link = _link_elsewhere(place, partial(make, options.socket))
        else:
            link = make(
                self.directory.socket(place),
                partial(self._wake, place),
                partial(self._has_reached, place),
                partial(self._process_at, place),
                token=self._tokens.get(place, b""),
            )
        if len(self._links) >= MOST_LINKS:
            self._forget_links()
        # Of two threads that make one at a time, both take the first.
        return self._links.setdefault(place, link)

    def _forget_links(self) -> None:
        """Forget the links that nobody uses: a gate must know of all that are in it."""
        for place, link in self._links.copy().items():
            if link.gate is None or link.gate.is_empty:
                self._links.pop(place, None)

    def _wake(self, place: Place) -> bytes:
        """Make a place known to the manager, started again if it is gone; return its token."""
        if not self.owner.is_alive:
            raise DaemonError(503, "The server's main process has ended")
        try:
            return token_of(self._manager.order(place.to_order()))
        except (ManagerError, SettingError, OSError) as error:
            raise DaemonError(503, str(error)) from error

    def _has_reached(self, place: Place, request_id: int) -> bool:
        """A board that is gone tells nothing, and the request may have been on it."""
        boards = self.directory.boards(place)
        return not boards or any(has_reached(board, request_id) for board in boards)

    def _process_at(self, place: Place, request_id: int) -> int:
        """The process that has taken a request, as far as the boards tell."""
        options = self.definition.options(place)
        shape = Shape.of(options.processes, options.threads)
        boards = self.directory.boards(place)
        return max((process_at(board, shape, request_id) for board in boards), default=0)


def _link_elsewhere(place: Place, make: Callable[..., Link]) -> Link:
    """How a place is reached that somebody else runs. Raises DaemonError where there is none."""
    if place.application_group:
        reason = elsewhere.refusal(place.process_group, place.application_group)
        raise DaemonError(500, f"{reason}. {elsewhere.WRITE_GLOBAL}")
    return make(
        # Who runs it may be about to start it: the front tries again until connect-timeout. It has
        # no token that the manager could tell: the socket's owner and mode say who may send.
        wake=lambda: NO_TOKEN,
        # Its board is its own: a request that may have reached it is never sent again.
        has_reached=lambda request_id: True,
        cure=elsewhere.cure(place.process_group),
    )


def token_of(answer: Order) -> bytes:
    """Return the token in the manager's answer to the order "place". Raises ManagerError."""
    try:
        token = bytes.fromhex(answer["token"])
    except (KeyError, TypeError, ValueError):
        token = b""
    if len(token) != TOKEN_SIZE:
        raise ManagerError("the manager does not tell the place's token: it is of another version")
    return token
