"""Random settings of trusted proxies, and requests that proxies and clients who lie might send."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

# The registry of mod_wsgi 6, by purpose, as the environ's keys are made of the names.
CLIENT = ("X-Forwarded-For", "X-Client-IP", "X-Real-IP")
HOST = ("X-Forwarded-Host", "X-Host")
SERVER = ("X-Forwarded-Server",)
PORT = ("X-Forwarded-Port",)
SCRIPT_NAME = ("X-Script-Name", "X-Forwarded-Script-Name")
SCHEME = ("X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Scheme")
FLAG = ("X-Forwarded-HTTPS", "X-Forwarded-SSL", "X-HTTPS")
REGISTRY = (*CLIENT, *HOST, *SERVER, *PORT, *SCRIPT_NAME, *SCHEME, *FLAG)

PROXIES = (
    *("127.0.0.1", "127.0.0.2", "127.0.0.0/8", "127.0.1.0/24", "10.0.0.0/8", "10.1.2.3/8"),
    *("192.0.2.7", "172.16.0.0/12", "203.0.113.0/255.255.255.0", "2001:db8::/32", "fd00::/8"),
)
# Who connects: each is this machine.
PEERS = ("127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.1.9", "127.9.9.9")
ADDRESSES = (
    *("192.0.2.7", "192.0.2.8", "10.0.0.1", "10.255.255.255", "172.16.5.5", "172.32.0.1"),
    *("203.0.113.9", "198.51.100.1", "127.0.0.1", "127.0.0.2", "0.0.0.0", "255.255.255.255"),
    *("::1", "2001:db8::7", "2001:DB8:0:0::1", "::ffff:10.0.0.1", "::ffff:198.51.100.1", "fd00::1"),
)
# What is no address, and what apr_sockaddr_info_get() takes for one.
NO_ADDRESSES = ("_hidden", "a b", "<x>", "203.0.113.9:4711", "[2001:db8::7]:443", "-", "1.2.3.4.5")
ODD_ADDRESSES = ("localhost", "127.1", "0x7f000001", "2130706433", "010.0.0.1")
HOSTS = ("shop.example", "shop.example:8443", "10.0.0.1", "[::1]:80", "SHOP.example", "a-b.example")
BAD_HOSTS = ("a b", "evil.example/x", "@evil.example", "a..b", "", "shop.example, evil.example")
SERVERS = ("front.example", "front", "192.0.2.1")
BAD_SERVERS = ("front.example, other.example", "a/b", "")
PORTS = ("443", "80", "8443")
BAD_PORTS = ("0", "65536", "x", "", "80, 443", "-1")
PREFIXES = ("/shop", "/shop/", "/a/b", "/caf\xc3\xa9", "", "/", "/a b")
BAD_PREFIXES = ("//evil.example", "shop", "/a/../b", "/a\\b", "/a?b", "/a, /b")
SCHEMES = ("https", "http", "HTTPS", "Http", "ftp", "", "httpsx", "on")
FLAGS = ("on", "off", "On", "OFF", "true", "FALSE", "1", "0", "yes", "", "2")


@dataclass(frozen=True, slots=True)
class Trust:
    """What is trusted below one location: the values of the two directives."""

    location: str
    proxies: tuple[str, ...]
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what is trusted where it goes to, who connects, and its headers in order."""

    trust: Trust
    peer: str
    host: str
    headers: tuple[tuple[str, str], ...]

    def to_bytes(self) -> bytes:
        """The request as it goes over the wire."""
        lines = [f"GET {self.trust.location}/x HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def values(self, *names: str) -> list[str]:
        """The values of all headers of some names that are trusted here."""
        lower = {name.lower() for name in names} & {name.lower() for name in self.trust.headers}
        return [value for name, value in self.headers if name.lower() in lower]

    def __str__(self) -> str:
        lines = "".join(f"\n  {name}: {value}" for name, value in self.headers)
        trust = f"  proxies {' '.join(self.trust.proxies)}, headers {' '.join(self.trust.headers)}"
        return f"from {self.peer}, Host: {self.host}{lines}\n{trust}"


def random_trusts(seed: str, count: int) -> list[Trust]:
    """Return so many random settings, each below its own location."""
    dice = random.Random(seed)
    return [_random_trust(dice, f"/c{number}") for number in range(count)]


def _random_trust(dice: random.Random, location: str) -> Trust:
    proxies = dice.sample(PROXIES, dice.choice((1, 1, 2, 3, 5)))
    if dice.random() < 0.6:
        proxies.append(dice.choice(("127.0.0.1", "127.0.0.0/8")))
    headers = dice.sample(REGISTRY, dice.choice((1, 2, 3, 4, 8, len(REGISTRY))))
    spelled = [dice.choice((name, name, name.lower(), name.upper())) for name in headers]
    return Trust(location, tuple(proxies), tuple(spelled))


def random_asked(seed: str, trusts: list[Trust], count: int) -> Iterator[Asked]:
    """Yield so many random requests."""
    dice = random.Random(f"{seed} requests")
    for _ in range(count):
        trust = dice.choice(trusts)
        named = [name for name in REGISTRY if name.lower() in map(str.lower, trust.headers)]
        names = [dice.choice((REGISTRY, named)) for _ in range(dice.choice((0, 1, 2, 3, 5, 9)))]
        headers = [_random_header(dice, dice.choice(each)) for each in names]
        yield Asked(trust, dice.choice(PEERS), dice.choice(("a.test", "a.test:81")), tuple(headers))


def _random_header(dice: random.Random, name: str) -> tuple[str, str]:
    value = _random_value(dice, name)
    # What becomes the same key of the environ, if a server lets it.
    forged = (name.replace("-", "_"), name.replace("-", ".", 1), name.replace("-", "_", 1))
    spelled = (name, name, name.lower(), name.upper()) * 3
    return dice.choice((*spelled, *forged)), value


def _random_value(dice: random.Random, name: str) -> str:
    is_bad = dice.random() < 0.08
    if name == "X-Forwarded-For":
        return _random_list(dice)
    if name in CLIENT:
        return dice.choice(NO_ADDRESSES if is_bad else ADDRESSES)
    if name in SCHEME or name in FLAG:
        values = SCHEMES if name in SCHEME else FLAGS
        value = dice.choice(values)
        return f"{value}, {dice.choice(values)}" if is_bad else value
    good, bad = _VALUES[name]
    return dice.choice(bad if is_bad else good)


def _random_list(dice: random.Random) -> str:
    kinds = (ADDRESSES,) * 12 + (NO_ADDRESSES, ODD_ADDRESSES, ("", " "))
    items = [dice.choice(dice.choice(kinds)) for _ in range(dice.choice((1, 1, 2, 3, 4, 8)))]
    return dice.choice((",", ", ", " ,", "\t,  ")).join(items)


_VALUES = {
    **dict.fromkeys(HOST, (HOSTS, BAD_HOSTS)),
    **dict.fromkeys(SERVER, (SERVERS, BAD_SERVERS)),
    **dict.fromkeys(PORT, (PORTS, BAD_PORTS)),
    **dict.fromkeys(SCRIPT_NAME, (PREFIXES, BAD_PREFIXES)),
}
