"""Addresses as clients and proxies have them, and the networks that are trusted."""

from __future__ import annotations

import re
import socket
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

# What a peer at the other end of a unix socket is called in a list of proxies.
UNIX = "unix"
# What servers have for REMOTE_ADDR where the peer has no address: gunicorn, granian and cheroot
# nothing, waitress "localhost", uWSGI 0.0.0.0, nginx "unix:", which uwsgi_params passes on.
WITHOUT_ADDRESS = frozenset(["", "localhost", "0.0.0.0", "unix:"])
# nginx writes this into X-Forwarded-For where its own peer has no address.
NGINX_UNIX = "unix:"

# What is longer than an address, brackets and a port is none. Clients fill what is remembered.
LONGEST_HOP = 64

# The first 96 bits of an IPv4 address that is written as an IPv6 one.
_MAPPED = bytes(10) + b"\xff\xff"
# An address in brackets, which a port may follow, or one with a port; RFC 7239 6.3 hides ports.
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[\w.-]+)?|([0-9.]+):[\w.-]+", re.ASCII)
# An address: the version of IP, and its bits as a number.
Address = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """
    The trusted networks.

    ``by_size`` are the first bits of each, by (version, number of the other bits), so that a
    network among many costs what one costs. ``has_unix`` says whether peers without an address are
    trusted.
    """

    by_size: tuple[tuple[int, int, frozenset[int]], ...]
    has_unix: bool

    @classmethod
    def of(cls, networks: Iterable[IPv4Network | IPv6Network], *, has_unix: bool) -> Networks:
        """Return networks so that they can be looked up."""
        by_size = defaultdict(set)
        for network in networks:
            shift = network.max_prefixlen - network.prefixlen
            by_size[network.version, shift].add(int(network.network_address) >> shift)
        sizes = tuple((*size, frozenset(found)) for size, found in by_size.items())
        return cls(sizes, has_unix)


def network_of(text: str) -> IPv4Network | IPv6Network:
    """
    Return an address or network as a network; bits behind its mask do not count, as in mod_wsgi.

    Raises ValueError. An IPv4 network may be written as an IPv6 one, ``::ffff:10.0.0.0/104``.
    """
    network = ip_network(text, strict=False)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network


# Optimization: to look an address up that is not remembered took 1.5 us, one that is 0.1 us.
@lru_cache(maxsize=4096)
def holds(networks: Networks, text: str) -> bool:
    """
    Whether an address lies in trusted networks; what is no address does not.

    As apr_ipsubnet_test(): ``::ffff:10.0.0.1`` lies where ``10.0.0.1`` does.
    """
    found = address_number(text)
    if found is None:
        return False
    version, number = found
    return any(
        version == each and number >> shift in first for each, shift, first in networks.by_size
    )


def is_trusted_peer(networks: Networks, peer: str) -> bool:
    """Whether who has connected to the server, as REMOTE_ADDR has it, is trusted."""
    if peer in WITHOUT_ADDRESS:
        return networks.has_unix
    return holds(networks, peer)


def is_trusted_hop(networks: Networks, hop: str) -> bool:
    """Whether an address that a proxy tells is that of a trusted proxy."""
    if hop == NGINX_UNIX:
        return networks.has_unix
    return holds(networks, bare_address(hop))


def address_number(text: str) -> Address | None:
    """
    Return an address as a number, None for what is none.

    Only the usual spelling counts: no name is looked up, and neither ``127.1`` nor ``0x7f.1`` is
    an address.
    """
    with suppress(OSError, ValueError):
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    with suppress(OSError, ValueError):
        packed = socket.inet_pton(socket.AF_INET6, text)
        if packed.startswith(_MAPPED):
            return 4, int.from_bytes(packed[12:], "big")
        return 6, int.from_bytes(packed, "big")
    return None


def bare_address(text: str) -> str:
    """
    Return the address of a hop without brackets and port, "" where it tells no address.

    Some balancers write ``192.0.2.1:4711``; RFC 7239 has ``[2001:db8::1]:4711``, and ``unknown``.
    """
    return _bare(text) if len(text) <= LONGEST_HOP else ""


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    found = _WITH_PORT.fullmatch(text)
    address = text if found is None else found[1] or found[2]
    return address if address_number(address) is not None else ""
