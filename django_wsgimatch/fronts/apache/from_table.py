"""From the table alone to virtual hosts of Apache that pass its entries on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...aliases.alias import Alias, Rewriting
from ..backend import Backend
from ..carried import Carried
from .lines.quoting import comment, word
from .passing import header_lines, pass_line

_ADDRESS = "*:80"
_ANY = "*"


@dataclass(frozen=True, slots=True)
class TableHost:
    """
    A virtual host of the table: a pattern as in ALLOWED_HOSTS, None for every other name.

    ``answers_all`` says that a fallback answers what no entry takes.
    """

    pattern: str | None
    aliases: tuple[Alias, ...]
    answers_all: bool = False


def table_lines(
    hosts: Sequence[TableHost], backend: Backend, server_name: str | None
) -> Iterator[str]:
    """Yield the lines of a configuration: a virtual host for each of the table's, in its order."""
    yield "# Written by `manage.py wsgimatch export apache`. It needs mod_proxy, mod_proxy_http and"
    yield "# mod_headers: `a2enmod proxy proxy_http headers`."
    for host in hosts:
        yield ""
        yield f"<VirtualHost {_ADDRESS}>"
        yield from (f"    {line}" for line in _host_lines(host, backend, server_name))
        yield "</VirtualHost>"


def _host_lines(host: TableHost, backend: Backend, server_name: str | None) -> Iterator[str]:
    yield from _names(host.pattern, server_name)
    for alias in map(_taking, host.aliases):
        line = pass_line(alias, backend, is_raw=True)
        words = (alias.directive, word(alias.location), word(alias.target) if alias.target else "")
        text = " ".join(filter(None, words))
        yield comment(text) + ("" if line else ": no URL matches it")
        if line:
            yield line
    if host.answers_all:
        yield "# WSGIMATCH_FALLBACK"
        yield pass_line(Alias("/", ""), backend, is_raw=True)
    yield from header_lines(backend, Carried())


def _taking(alias: Alias) -> Alias:
    """Return an alias for the URLs as they come, of an entry that rewrites those of a pattern."""
    answer = alias.answer
    return Alias(answer.pattern, "", "match", answer=answer) if type(answer) is Rewriting else alias


def _names(pattern: str | None, server_name: str | None) -> Iterator[str]:
    if pattern is None:
        yield f"ServerName {word(server_name)}" if server_name else "ServerAlias *"
    elif pattern == _ANY:
        yield "ServerAlias *"
    elif pattern.startswith("."):
        yield f"ServerName {word(pattern[1:])}"
        yield f"ServerAlias {word(f'*{pattern}')}"
    else:
        yield f"ServerName {word(pattern)}"
