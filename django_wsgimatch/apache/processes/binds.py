"""Where the servers of a configuration listen, and with which TLS: Listen and <VirtualHost>."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..covering.hosts import Host
from ..lines.directive import Directive
from ..lines.limits import COMPARED, Effort
from ..resolving.addresses import ANY_PART as ANY
from ..resolving.addresses import listened_at, parts_of
from .tls import Tls, TlsLines

_ALL = "0.0.0.0"
_HTTPS = "443"
_PORT = re.compile("[0-9]{1,5}")

# An address and a port, "*" for any.
Place = tuple[str, str]


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


class Addresses:
    """Who answers where: the virtual hosts of a configuration, by the addresses that they name."""

    def __init__(self, main: Host, hosts: Sequence[Host], lines: TlsLines, effort: Effort) -> None:
        self._main = main
        self._hosts = hosts
        self._lines = lines
        self._effort = effort
        self._by_place: defaultdict[Place, list[Host]] = defaultdict(list)
        self._ips: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for host in hosts:
            for ip, port in map(parts_of, host.addresses):
                self._by_place[ip, port].append(host)
                self._ips[port][ip] = None

    def read_binds(self, listens: Iterable[Directive], *, is_part: bool) -> list[Bind]:
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
                for bind in self._at(place, listen):
                    binds.setdefault(bind.address, bind)
        if is_part or not ports:
            for place in self._named():
                for bind in self._at(place, None) if place[1] not in ports else ():
                    binds.setdefault(bind.address, bind)
        return list(binds.values())

    def _named(self) -> Iterable[Place]:
        """Return the addresses of hosts; without a port those of HTTPS, where they speak it."""
        found: dict[Place, None] = {}
        for host in self._hosts:
            for ip, port in map(parts_of, host.addresses):
                if port == ANY and self._lines.is_on(host):
                    port = _HTTPS
                if _PORT.fullmatch(port):
                    found[ip, port] = None
        return found

    def _at(self, place: Place, listen: Directive | None) -> Iterator[Bind]:
        """Yield the binds for an address: of all where hosts name some, one for each of these."""
        groups = self._groups(place)
        ip, port = place
        self._spend(groups, listen)
        if ip == ANY and groups and ANY not in groups:
            # At all others the main server answers.
            for own, members in groups.items():
                yield self._bind((own, port), members, listen)
            return
        everybody = dict.fromkeys(host for each in groups.values() for host in each)
        yield self._bind(place, [*everybody] or [self._main], listen)

    def _spend(self, groups: Mapping[str, Sequence[Host]], listen: Directive | None) -> None:
        named = [each[0].section for each in groups.values()]
        spots = [listen.spot] if listen else [each.spot for each in named if each]
        steps = COMPARED * sum(map(len, groups.values()))
        if steps:
            self._effort.spend(steps, spots[0], "an address with all its virtual hosts")

    def _groups(self, place: Place) -> dict[str, list[Host]]:
        """Return the hosts for an address by the one that they name, the exact one alone."""
        ip, port = place
        ips = [ip, ANY] if ip != ANY else [*self._ips[port], *self._ips[ANY]]
        found = {
            own: [*self._by_place.get((own, port), ()), *self._by_place.get((own, ANY), ())]
            for own in dict.fromkeys(ips)
        }
        groups = [(own, members) for own, members in found.items() if members]
        return dict(groups if ip == ANY else groups[:1])

    def _said(self, host: Host) -> tuple[bool, Tls | None]:
        return self._lines.is_on(host), self._lines.tls(host)

    def _bind(self, place: Place, hosts: Sequence[Host], listen: Directive | None) -> Bind:
        ip, port = place
        is_secure, tls = self._said(hosts[0])
        address = f"{_ALL if ip == ANY else ip}:{port}"
        return Bind(address, tuple(hosts), tls if is_secure else None, is_secure, listen)


def _listened(listen: Directive) -> Place | None:
    place = listened_at((listen.words or [""])[0])
    return place if _PORT.fullmatch(place[1]) else None
