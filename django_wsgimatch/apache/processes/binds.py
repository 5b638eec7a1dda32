"""Where the servers of a configuration listen, and with which TLS: Listen and <VirtualHost>."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..covering.hosts import Host
from ..covering.tls import Tls, TlsLines
from ..lines.directive import Directive
from ..resolving.addresses import ANY_PART as ANY
from ..resolving.addresses import parts_of

_ALL = "0.0.0.0"
_HTTPS = "443"


@dataclass(frozen=True, slots=True, eq=False)
class Bind:
    """
    An address that a server listens at, and who answers there: the first host unless named.

    ``listen`` is the line that names it, None where only virtual hosts do. ``tls`` is None where
    plain HTTP is spoken, and where TLS is that no line has a certificate for.
    """

    address: str
    hosts: tuple[Host, ...]
    tls: Tls | None
    is_secure: bool
    listen: Directive | None = None

    @property
    def is_known(self) -> bool:
        """Whether a server can be told to listen there."""
        return self.tls is not None or not self.is_secure


def read_binds(
    listens: Iterable[Directive],
    main: Host,
    hosts: Sequence[Host],
    lines: TlsLines,
    *,
    is_part: bool,
) -> list[Bind]:
    """
    Return where servers listen.

    Of a part of a configuration the ports of virtual hosts count beside those of Listen lines.
    """
    binds: dict[str, Bind] = {}
    ports = set()
    for listen in listens:
        place = _listened(listen)
        if place is not None:
            ports.add(place[1])
            for bind in _at(place, main, hosts, lines, listen):
                binds.setdefault(bind.address, bind)
    if is_part or not ports:
        named = dict.fromkeys(_named(host, lines) for host in hosts)
        for place in (place for places in named for place in places if place[1] not in ports):
            for bind in _at(place, main, hosts, lines, None):
                binds.setdefault(bind.address, bind)
    return list(binds.values())


def _listened(listen: Directive) -> tuple[str, str] | None:
    word = (listen.words or [""])[0]
    ip, _, port = word.rpartition(":")
    return (ip or ANY, port) if port.isdigit() else None


def _named(host: Host, lines: TlsLines) -> tuple[tuple[str, str], ...]:
    """Return the addresses of a host; of one without a port those of HTTPS, where it speaks it."""
    found = []
    for ip, port in map(parts_of, host.addresses):
        if port == ANY and lines.is_on(host):
            port = _HTTPS
        if port.isdigit():
            found.append((ip, port))
    return tuple(found)


def _at(
    place: tuple[str, str],
    main: Host,
    hosts: Iterable[Host],
    lines: TlsLines,
    listen: Directive | None,
) -> Iterator[Bind]:
    """Yield the binds for an address: one for each of those that differ, where they name it."""
    ip, port = place
    groups: dict[str, list[Host]] = {}
    for host in hosts:
        for own, own_port in map(parts_of, host.addresses):
            if own_port in (port, ANY) and (own in (ip, ANY) or ip == ANY):
                groups.setdefault(own, []).append(host)
    exact = groups.pop(ip, None) if ip != ANY else None
    if exact is not None:
        groups = {ip: exact}
    said = {(lines.is_on(each[0]), lines.tls(each[0])) for each in groups.values()}
    if ip == ANY and ANY not in groups and len(said) > 1:
        for own, members in groups.items():
            yield _bind(own, port, members, lines, listen)
        return
    everybody = dict.fromkeys(host for each in groups.values() for host in each)
    yield _bind(ip, port, [*everybody] or [main], lines, listen)


def _bind(
    ip: str, port: str, hosts: Sequence[Host], lines: TlsLines, listen: Directive | None
) -> Bind:
    is_secure = lines.is_on(hosts[0])
    tls = lines.tls(hosts[0]) if is_secure else None
    return Bind(f"{_ALL if ip == ANY else ip}:{port}", tuple(hosts), tls, is_secure, listen)
