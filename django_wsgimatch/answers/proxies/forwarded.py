"""
Lists that each proxy adds to: X-Forwarded-For, and ``Forwarded`` (RFC 7239).

They are read from the right: what stands there was written by the proxy that speaks to the server,
and what a client has written itself stands at the left, whatever it may be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .addresses import Networks, bare_address, is_trusted_hop

# As apr_isspace().
BLANKS = " \t\n\v\f\r"

# One parameter of an element. RFC 7239 wants quotes around a colon; not every proxy writes them.
_PARAMETER = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]*))[ \t]*(?:;|\Z)"
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """
    What ``Forwarded`` tells.

    ``client`` is the address of the client, "" where the list has something else there. ``kept`` is
    the list from there on: what stands before it may be a lie. ``host`` and ``scheme`` are those
    that the client has asked for, "" where they are not told.
    """

    client: str
    kept: str
    host: str = ""
    scheme: str = ""


def forwarded_for(value: str, networks: Networks) -> tuple[str, str] | None:
    """
    Return what X-Forwarded-For tells, the client and the list from there on; None where it is
    empty.

    The client is the rightmost address that is not a trusted proxy's; where all are, the leftmost.
    As wsgi_process_forwarded_for() of mod_wsgi 6, but that no name is looked up, and what is no
    address is no client: "".
    """
    kept: list[str] = []
    for item in reversed(value.split(",")):
        if hop := item.strip(BLANKS):
            kept.append(hop)
            if not is_trusted_hop(networks, hop):
                break
    return (bare_address(kept[-1]), ", ".join(reversed(kept))) if kept else None


def forwarded(value: str, networks: Networks) -> Forwarded | None:
    """
    Return what ``Forwarded`` tells, None where it is empty.

    The client, host and scheme come from one element, the leftmost that a trusted proxy has
    written. Elements are told apart by every comma: none stands inside those of proxies, and a
    quote that a client has left open must not hide them.
    """
    kept: list[str] = []
    found: dict[str, str] = {}
    for item in reversed(value.split(",")):
        if element := item.strip(BLANKS):
            kept.append(element)
            found = parameters(element)
            if not is_trusted_hop(networks, found.get("for", "")):
                break
    if not kept:
        return None
    return Forwarded(
        bare_address(found.get("for", "")),
        ", ".join(reversed(kept)),
        found.get("host", ""),
        found.get("proto", ""),
    )


def parameters(element: str) -> dict[str, str]:
    """Return the parameters of an element of ``Forwarded``, none where it is malformed."""
    found: dict[str, str] = {}
    start = 0
    while start < len(element):
        parameter = _PARAMETER.match(element, start)
        if parameter is None:
            return {}
        name, quoted, plain = parameter.groups()
        value = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        # RFC 7239 4: no parameter occurs twice.
        if found.setdefault(name.lower(), value) != value:
            return {}
        start = parameter.end()
    return found


def last_item(value: str) -> str:
    """Return the last item of a list: what the proxy that speaks to the server has written."""
    return value.rpartition(",")[2].strip(BLANKS)
