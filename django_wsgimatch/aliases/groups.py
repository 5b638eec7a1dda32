"""From the words of an alias to the names of its process group and application group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .hosts.names import host_name, split_host

GLOBAL = "%{GLOBAL}"

_DEFAULT_PORTS = ("80", "443")
_ENV = "%{ENV:"


@dataclass(frozen=True, slots=True)
class Server:
    """
    What group names are made of, apart from SCRIPT_NAME.

    ``name`` is the ServerName; ``host`` the Host header or the authority of an absolute-form
    target, with its port, "" where the request has none; ``lookup`` finds the value of a
    variable for ``%{ENV:x}``, or None. ``ports`` are those that a host may name, None for any as
    in Apache; for another one stands ``port``, the listening socket's, "" where it has none.
    """

    name: str
    host: str = ""
    lookup: Callable[[str], str | None] = lambda name: None
    port: str = ""
    ports: Collection[str] | None = None

    @property
    def port_suffix(self) -> str:
        """``:port`` of the host, empty for 80, 443 and none, as ap_get_server_port() has it."""
        port = split_host(self.host)[1].lstrip("0")
        if not port or port in _DEFAULT_PORTS:
            return ""
        if self.ports is not None and port not in self.ports:
            port = self.port
        return f":{port}" if port and port not in _DEFAULT_PORTS else ""


Kind = Literal["literal", "resource", "server", "host", "variable"]


@dataclass(frozen=True, slots=True)
class GroupName:
    """
    The name of a group, and how it came about.

    Names of two kinds are two groups, though their text may be the same: nobody can name
    another's. Whether the text ``is_chosen`` by the client is no part of that.
    """

    text: str
    kind: Kind = "literal"
    is_chosen: bool = field(default=False, compare=False)


def group_name(
    value: str, server: Server, script_name: str, *, is_fixed: bool = False
) -> GroupName:
    """
    Resolve the value of ``process-group=`` or ``application-group=``.

    Mirrors wsgi_process_group() and wsgi_application_group(): ``%{GLOBAL}`` is "", and
    ``%{RESOURCE}``, ``%{SERVER}``, ``%{HOST}`` and ``%{ENV:x}`` count only as the whole value
    and in exactly this case; all else is a literal name. ``is_fixed`` says that the alias has
    only this script name.
    """
    any_port = server.ports is None
    if value == GLOBAL:
        return GroupName("")
    if value == "%{RESOURCE}":
        text = f"{server.name}{server.port_suffix}|{script_name}"
        return GroupName(text, "resource", any_port or not is_fixed)
    if value == "%{SERVER}":
        return GroupName(server.name + server.port_suffix, "server", any_port)
    if value == "%{HOST}":
        text = (host_name(server.host) or server.name) + server.port_suffix
        return GroupName(text, "host", is_chosen=True)
    if variable_in(value) is not None:
        return _from_variable(value, server, script_name, is_fixed)
    return GroupName(value)


def is_literal(value: str | None) -> bool:
    """Whether a group was given and has the same name for every request."""
    return value is not None and (value == GLOBAL or "%{" not in value)


def variable_in(value: str) -> str | None:
    """Return the variable that a group is named by, as in ``%{ENV:x}``, else None."""
    return value[len(_ENV) : -1] if value.startswith(_ENV) and value.endswith("}") else None


def variable(
    name: str, environ: Mapping[str, Any], process_environ: Mapping[str, str]
) -> str | None:
    """
    The value of a variable for ``%{ENV:name}``: the request's environment, then the process's.

    Request headers (``HTTP_...``) are not asked: as in Apache, where they are added later, a
    client cannot choose its group with a header.
    """
    value = None if name.startswith("HTTP_") else environ.get(name)
    return value if isinstance(value, str) else process_environ.get(name)


def _from_variable(value: str, server: Server, script_name: str, is_fixed: bool) -> GroupName:
    found = server.lookup(value[len(_ENV) : -1])
    if found is None:
        return GroupName(value)
    if found.startswith("%") and not found.startswith(_ENV):
        return group_name(found, server, script_name, is_fixed=is_fixed)
    return GroupName(found, "variable", is_chosen=True) if found else GroupName("")
