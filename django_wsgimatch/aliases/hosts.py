"""
Which hosts a request may name: the Host header and the authority of an absolute-form target.

Mirrors Apache 2.4 with ``HttpProtocolOptions Strict``, its default: apr_parse_addr_port(),
fix_hostname() and strict_hostname_check() of server/vhost.c.
"""

from __future__ import annotations

import re
import socket

HIGHEST_PORT = 65535

# Four numbers, or a name that is not all digits and dots: then a last label that follows a dot
# begins with a letter. One dot may stand at the end.
_NAME = (
    r"(?:(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){3}"
    r"|(?=[0-9.]*[A-Za-z_-])(?:\.?(?:[A-Za-z0-9_-]+\.)*[A-Za-z][A-Za-z0-9_-]*|[A-Za-z0-9_-]+))\.?"
)
_HEADER = re.compile(rf"(?:\[([^\]]*)\]|{_NAME})(?::([0-9]+))?")
_AUTHORITY = re.compile(
    rf"(?:\[(?:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|{_NAME}|)\]|{_NAME}|)(?::([0-9]*))?"
)
_BAD_LITERAL = re.compile(r"::.*::|:::|:\.|\.[:.]")


def is_valid_host(host: str) -> bool:
    """Whether Apache accepts a Host header, which is not empty."""
    found = _HEADER.fullmatch(host)
    if found is None or not _is_port(found[2], lowest=1):
        return False
    return found[1] is None or _is_ipv6(found[1])


def is_valid_authority(authority: str) -> bool:
    """
    Whether Apache accepts what stands between ``http://`` and the path, which may be empty.

    It has a looser reader for ports than that of the header: an empty one and 0 will do.
    """
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not _is_port(found[1] or None, lowest=0):
        return False
    return authority[:1] != "[" or _BAD_LITERAL.search(authority) is None


def _is_port(port: str | None, lowest: int) -> bool:
    # Zeros in front count for nothing; without them a longer one is too high.
    return port is None or (
        len(port.lstrip("0")) <= 5 and lowest <= int(port.lstrip("0") or 0) <= HIGHEST_PORT
    )


def _is_ipv6(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True
