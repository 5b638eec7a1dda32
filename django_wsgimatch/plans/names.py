"""The names of an alias's groups where a request decides about them: ``%{RESOURCE}`` and others."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from ..aliases.alias import Alias
from ..aliases.groups import Server, is_literal, variable, variable_in
from ..aliases.resolve import Rules, named_groups, refused_group
from ..daemon.place import Place
from ..text import readable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# So many names of groups are remembered, for all aliases together.
MOST_NAMES = 4096

# Keys of an application's environ: the groups that it runs in, as mod_wsgi tells them.
IN_GROUP, IN_APPLICATION_GROUP = "mod_wsgi.process_group", "mod_wsgi.application_group"

# Keys that a server's own environ gains, for its access log.
ALIAS, PROCESS_GROUP = "wsgimatch.alias", "wsgimatch.process_group"
SCRIPT_NAME = "wsgimatch.script_name"

# The process group, the application group, what an access log is told of the process group, and
# where the script runs: None for here.
Named = tuple[str, str, str, Place | None]


def listens_on_a_path(environ: WSGIEnvironment) -> bool:
    """Whether the server is gunicorn and listens on a unix socket."""
    return getattr(environ.get("gunicorn.socket"), "family", None) == socket.AF_UNIX


def named(
    alias: Alias, rules: Rules, server: Server, script_name: str, *, has_places: bool
) -> Named | None:
    """Return what the names of the groups make of a request, None where it is refused."""
    process_group, group = named_groups(alias, rules, server, script_name)
    if refused_group(process_group, rules):
        return None
    place = Place(process_group, group.text, group.kind, group.is_chosen)
    elsewhere = place if has_places and not place.is_here else None
    return process_group, group.text, readable(process_group), elsewhere


def names_fixed_groups(alias: Alias, rules: Rules) -> bool:
    """Whether all requests of an alias belong to the same groups."""
    process_group = alias.process_group or rules.process_group
    application_group = alias.application_group or rules.application_group
    return is_literal(process_group) and is_literal(application_group)


class GroupNames:
    """
    Fills in the names of one alias's groups, as the corridor does.

    Names that came about are remembered by all they are made of: ``memory`` is for all aliases.
    """

    __slots__ = (
        "_alias",
        "_has_places",
        "_memory",
        "_number",
        "_rules",
        "_server_of",
        "_variables",
    )

    def __init__(
        self,
        alias: Alias,
        rules: Rules,
        server_of: Callable[[WSGIEnvironment], Server],
        memory: dict[tuple[Any, ...], Named],
        *,
        has_places: bool,
    ) -> None:
        self._alias = alias
        self._rules = rules
        self._server_of = server_of
        self._memory = memory
        self._has_places = has_places
        self._number = next(_NUMBERS)
        given = (
            alias.process_group or rules.process_group,
            alias.application_group or rules.application_group,
        )
        self._variables = tuple(name for name in map(variable_in, given) if name is not None)

    def of(self, environ: WSGIEnvironment, script_name: str) -> Named | None:
        """Return what a request's groups make of it, None where the corridor refuses it."""
        key = (
            self._number,
            script_name,
            environ.get("HTTP_HOST"),
            environ.get("SERVER_NAME"),
            environ.get("SERVER_PORT"),
            listens_on_a_path(environ),
            *[variable(name, environ, os.environ) for name in self._variables],
        )
        found = self._memory.get(key)
        if found is None:
            found = named(
                self._alias,
                self._rules,
                self._server_of(environ),
                script_name,
                has_places=self._has_places,
            )
            if found is not None:
                if len(self._memory) >= MOST_NAMES:
                    self._memory.clear()
                self._memory[key] = found
        return found


_NUMBERS = count()
