"""
Addresses and networks as access rules name them.

Mirrors apr_ipsubnet_create() and apr_ipsubnet_test() of APR.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Literal, TypeAlias

from ...exceptions import DirectiveError

Address: TypeAlias = tuple[Literal[4, 6], int]

# An IPv4 address that is written as IPv6 counts as what it is.
_MAPPED = 0xFFFF << 32
_DIGITS = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+", re.ASCII)
# As long as an IPv4 address can be.
_LONGEST_NETWORK = len("255.255.255.255")


@dataclass(frozen=True, slots=True)
class Subnet:
    """A network, or one address: those whose bits under ``mask`` are those of ``address``."""

    family: Literal[4, 6]
    address: int
    mask: int

    def holds(self, address: Address) -> bool:
        """Whether an address lies in it."""
        family, number = address
        return family == self.family and number & self.mask == self.address


def looks_like_address(text: str) -> bool:
    """Whether Apache takes a word for an address, and not for the name of a host."""
    return bool(text) and (":" in text or not text.strip(".0123456789"))


def parse_subnet(text: str) -> Subnet:
    """
    Return the network of ``10.1``, ``10.1.0.0/16``, ``10.1.0.0/255.255.0.0`` or ``2001:db8::/32``.

    Raises DirectiveError for what Apache refuses, ``0.0.0.0/0`` among it.
    """
    name, slash, mask = text.partition("/")
    found = _subnet(name, mask if slash else None) if looks_like_address(name) else None
    if found is None:
        raise DirectiveError(f"ip address '{text}' appears to be invalid")
    return found


def _subnet(name: str, mask: str | None) -> Subnet | None:
    address = _address(name)
    if address is None:
        return _legacy_network(name) if mask is None else None
    family, number = address
    if family == 6 and number >> 32 == 0xFFFF:
        return None
    width = 32 if family == 4 else 128
    bits = (1 << width) - 1 if mask is None else _mask(mask, width)
    return None if bits is None else Subnet(family, number & bits, bits)


def _address(text: str) -> Address | None:
    families: tuple[tuple[Literal[4, 6], int], ...] = ((6, socket.AF_INET6), (4, socket.AF_INET))
    for family, kind in families:
        try:
            return family, int.from_bytes(socket.inet_pton(kind, text), "big")
        except (OSError, ValueError):
            continue
    return None


def _mask(text: str, width: int) -> int | None:
    if _DIGITS.fullmatch(text) and 0 < int(text[:9]) <= width:
        return ((1 << int(text)) - 1) << (width - int(text))
    address = _address(text) if width == 32 else None
    return address[1] if address is not None and address[0] == 4 else None


def _legacy_network(text: str) -> Subnet | None:
    """Read ``10.1`` or ``10.1.`` as 10.1.0.0/16."""
    octets = text.removesuffix(".").split(".")
    if len(text) > _LONGEST_NETWORK or len(octets) > 4 or not all(map(_is_octet, octets)):
        return None
    shift = 8 * (4 - len(octets))
    number = int.from_bytes(bytes(map(int, octets)), "big") << shift
    return Subnet(4, number, (0xFFFFFFFF >> shift) << shift)


def _is_octet(text: str) -> bool:
    return text.isdecimal() and int(text) <= 255


@lru_cache(maxsize=1024)
def parse_address(text: str) -> Address | None:
    """Return the address that a server tells of a client, None for none: a unix socket has ""."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    number = int(address)
    if not isinstance(address, IPv6Address):
        return 4, number
    return (4, number & 0xFFFFFFFF) if number & ~0xFFFFFFFF == _MAPPED else (6, number)
