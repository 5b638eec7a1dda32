"""
Which hosts a request may name: the Host header and the authority of an absolute-form target.

Mirrors Apache 2.4 with ``HttpProtocolOptions Strict``, its default: apr_parse_addr_port(),
fix_hostname() and strict_hostname_check() of server/vhost.c.
"""

from __future__ import annotations

import re
import socket

HIGHEST_PORT = 65535

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_NUMBERS = re.compile(r"[0-9.]+")
_ADDRESS = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){3}")
_LITERAL = re.compile(r"[0-9A-Fa-f:.]+")
_BAD_IN_LITERAL = re.compile(r":::|:\.|\.[:.]")
_PORT = re.compile(r":[0-9]*")


def is_valid_host(host: str) -> bool:
    """Whether Apache accepts a Host header, which is not empty."""
    name, is_literal, port = _split(host)
    if port and not (_PORT.fullmatch(port) and 1 <= _number(port) <= HIGHEST_PORT):
        return False
    return _is_ipv6(name) if is_literal else _is_name(name)


def is_valid_authority(authority: str) -> bool:
    """
    Whether Apache accepts what stands between ``http://`` and the path, which may be empty.

    It reads it more loosely than the header: an empty port, 0 and an empty name will do.
    """
    name, is_literal, port = _split(authority)
    if port and not (_PORT.fullmatch(port) and _number(port) <= HIGHEST_PORT):
        return False
    if is_literal and ":" in name:
        is_well = _LITERAL.fullmatch(name) and not _BAD_IN_LITERAL.search(name)
        return bool(is_well) and name.count("::") <= 1
    return not name or _is_name(name)


def _split(host: str) -> tuple[str, bool, str]:
    """The name, whether it stood in brackets, and the port with what stands before it."""
    if host[:1] == "[":
        name, bracket, port = host[1:].partition("]")
        # Without the closing one it is no name either.
        return (name, True, port) if bracket else (host, False, "")
    name, colon, port = host.partition(":")
    return name, False, colon + port


def _number(port: str) -> int:
    digits = port[1:].lstrip("0")
    # A longer one is too high, and int() is slow with thousands of digits.
    return int(digits[:6] or 0)


def _is_name(name: str) -> bool:
    if ".." in name or not _NAME.fullmatch(name):
        return False
    name = name.removesuffix(".")
    if not name or _NUMBERS.fullmatch(name):
        return _ADDRESS.fullmatch(name) is not None
    # A top-level domain begins with a letter (RFC 1123 2.1).
    _, dot, last = name.rpartition(".")
    return not dot or last[:1].isalpha()


def _is_ipv6(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True
