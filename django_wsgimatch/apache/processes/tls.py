"""
What lines of mod_ssl and mod_gnutls say of the TLS of a server, as gunicorn's options say it.

Only what stands in no section is read here: with a section TLS is the same, and what is asked of
clients is not.
"""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..covering.hosts import Host, scope_sections
from ..lines.directive import Directive, Section
from ..outcomes.outcome import Category
from ..resolving.addresses import ANY_PART, listened_at, parts_of

Role = Literal[
    "engine",
    "certificate",
    "key",
    "chain",
    "protocol",
    "ciphers",
    "priorities",
    "order",
    "clients",
    "environ",
    "stapling",
    "own",
]
# What one line says and a later one replaces; certificates add up.
SINGLE: tuple[Role, ...] = ("engine", "chain", "protocol", "ciphers", "priorities", "order")

_NAMES: Mapping[Role, str] = {
    "engine": "sslengine gnutlsenable",
    "certificate": "sslcertificatefile gnutlscertificatefile gnutlsx509certificatefile",
    "key": "sslcertificatekeyfile gnutlskeyfile gnutlsx509keyfile",
    "chain": "sslcertificatechainfile",
    "protocol": "sslprotocol",
    "ciphers": "sslciphersuite",
    "priorities": "gnutlspriorities",
    "order": "sslhonorcipherorder",
    "clients": "sslverifyclient sslverifydepth sslcacertificatefile sslcacertificatepath "
    "sslcarevocationfile sslcarevocationpath sslcarevocationcheck sslcadnrequestfile "
    "sslcadnrequestpath gnutlsclientverify gnutlsclientcafile",
    "environ": "ssloptions gnutlsexportcertificates",
    "stapling": "sslusestapling sslstaplingcache sslstaplingrespondertimeout "
    "sslstaplingreturnrespondererrors sslstaplingforceurl sslstaplingfaketrylater "
    "sslstaplingstandardcachetimeout sslstaplingerrorcachetimeout sslstaplingresponsemaxage "
    "sslstaplingresponsetimeskew gnutlsocspstapling",
    "own": "sslsessioncache sslsessioncachetimeout sslsessiontickets sslrandomseed sslmutex "
    "sslcryptodevice gnutlscache gnutlscachetimeout gnutlssessiontickets gnutlsdhfile",
}
ROLES: Mapping[str, Role] = {name: role for role, names in _NAMES.items() for name in names.split()}

_VERSIONS = ("tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3")
_SPOKEN = frozenset(_VERSIONS[2:])
_OLD = {"sslv3": "SSL 3", "tlsv1": "TLS 1.0", "tlsv1.1": "TLS 1.1"}
# Mod_ssl puts them to every list of its own.
_NEVER = ("!aNULL", "!eNULL", "!EXP")
# What a distribution has set up, for Python as for Apache.
_OF_SYSTEM = ("PROFILE=SYSTEM", "DEFAULT", "@SYSTEM")
_HTTPS = "443"

Verdict = tuple[Category, str]


@dataclass(frozen=True, slots=True)
class Tls:
    """
    What a server speaks TLS with. Without a ``key`` that stands in the file of the certificate.

    ``chain`` is a file of further certificates that are sent, too; ``ciphers`` is a list as OpenSSL
    reads it, "" for Python's own.
    """

    certificate: str
    key: str = ""
    chain: str = ""
    ciphers: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """What gunicorn is given."""
        # Python sends what completes the chain and is trusted: nobody asks clients for one.
        given = {
            "--certfile": self.certificate,
            "--keyfile": self.key,
            "--ca-certs": self.chain,
            "--ciphers": self.ciphers,
        }
        return tuple(word for name, value in given.items() if value for word in (name, value))


class TlsLines:
    """
    The TLS lines of a configuration that stand in no section, by the server that they stand in.

    ``secure`` are addresses and ports where a virtual host with a certificate speaks TLS without
    being told to: those of Listen lines for https, in the same words.
    """

    def __init__(self, directives: Iterable[Directive], main: Host, hosts: Sequence[Host]) -> None:
        self.hosts = {host.section: host for host in (main, *hosts)}
        self.all: list[Directive] = []
        self.in_sections: list[Directive] = []
        self.secure: set[tuple[str, str]] = set()
        ports = set()
        self._root = main.server_root
        self._own: defaultdict[Section | None, defaultdict[Role, list[Directive]]]
        self._own = defaultdict(lambda: defaultdict(list))
        for directive in directives:
            role = ROLES.get(directive.key)
            if directive.key == "listen" and directive.words:
                address, *protocol = directive.words
                place = listened_at(address)
                ports.add(place[1])
                if protocol == ["https"] or (not protocol and place[1] == _HTTPS):
                    self.secure.add(place)
            if role is None:
                continue
            if scope_sections(directive):
                self.in_sections.append(directive)
            else:
                self.all.append(directive)
                self._own[directive.host][role].append(directive)
        if _HTTPS not in ports:
            # Of a part of a configuration another file says so.
            self.secure.add((ANY_PART, _HTTPS))

    def role(self, directive: Directive) -> Role:
        """Return what a line is about."""
        return ROLES[directive.key]

    def all_of(self, host: Host) -> Iterator[Directive]:
        """Yield all lines of a server itself."""
        for lines in self._own[host.section].values():
            yield from lines

    def own(self, host: Host, role: Role) -> Sequence[Directive]:
        """Return the lines of a server itself that are about something."""
        return self._own[host.section][role]

    def of(self, host: Host, role: Role) -> Sequence[Directive]:
        """Return the lines that count for a server: its own, else those of the main server."""
        found = self._own[host.section][role] or self._own[None][role]
        return found[-1:] if role in SINGLE else found

    def is_on(self, host: Host) -> bool:
        """Whether a server speaks TLS."""
        engines = self.of(host, "engine")
        if engines:
            return engines[-1].rest.strip().lower() == "on"
        places = {*map(parts_of, host.addresses)}
        return bool(self.of(host, "certificate") and places & self.secure)

    def tls(self, host: Host) -> Tls | None:
        """Return what a server speaks TLS with, None where no usable line names a certificate."""
        certificate = self._path(host, "certificate")
        key, chain = self._path(host, "key"), self._path(host, "chain")
        if not certificate or key is None or chain is None:
            return None
        ciphers = [self.ciphers(each)[0] for each in self.of(host, "ciphers")]
        return Tls(certificate, key, chain, "".join(ciphers))

    def path(self, directive: Directive) -> str | None:
        """Return the path that a line names, None where that cannot be told."""
        path = (directive.words or [""])[0]
        if "${" in path or ":" in path:
            return None
        if path.startswith("/"):
            return path
        root = self._root.rstrip("/")
        return f"{root}/{path}" if path and root.startswith("/") else None

    def ciphers(self, directive: Directive) -> tuple[str, Verdict]:
        """Return the list of ciphers that a line names, "" for Python's own; and what is lost."""
        words = directive.words
        if len(words) == 2 and words[0].lower() == "ssl":
            words = words[1:]
        if len(words) != 1:
            return "", ("needs you", "Python's ssl does not choose the ciphers of TLS 1.3")
        if words[0].upper() in _OF_SYSTEM:
            return "", ("changed", "the server has the system's choice without an option, too")
        missing = [each for each in _NEVER if each not in words[0].split(":")]
        ciphers = ":".join([words[0].rstrip(":"), *missing])
        if not _is_usable(ciphers):
            return "", ("needs you", "OpenSSL has none of these ciphers here: choose others")
        return ciphers, ("changed", "`--ciphers` of the server, for TLS 1.2; TLS 1.3 has its own")

    def _path(self, host: Host, role: Role) -> str | None:
        lines = self.of(host, role)
        return self.path(lines[0]) if lines else ""


@lru_cache(maxsize=256)
def _is_usable(ciphers: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(ciphers)
    except (ssl.SSLError, ValueError):
        return False
    return True


def protocol_verdict(words: Iterable[str]) -> Verdict:
    """Return what becomes of an SSLProtocol line: Python speaks TLS 1.2 and 1.3."""
    found: set[str] = set()
    for word in words:
        sign = word[:1] if word[:1] in "+-" else ""
        name = word.removeprefix(sign).lower()
        named = set(_VERSIONS) if name == "all" else {name} & {"sslv3", *_VERSIONS}
        if sign == "-":
            found -= named
        else:
            # A name without a sign takes the place of all before it.
            found = found | named if sign else named
    if not found >= _SPOKEN:
        return "needs you", (
            "the server speaks TLS 1.2 and 1.3, and no option takes one of them away: give "
            "gunicorn a configuration with an ssl_context function"
        )
    older = [text for name, text in _OLD.items() if name in found]
    if older:
        return "changed", f"the server speaks TLS 1.2 and 1.3, and no longer {' and '.join(older)}"
    return "changed", "the server speaks TLS 1.2 and 1.3 without an option, too"


def priorities_verdict(words: Sequence[str]) -> Verdict:
    """Return what becomes of a GnuTLSPriorities line: OpenSSL has no such lists."""
    names = ":".join(words).upper().split(":")
    if names[:1] not in (["NORMAL"], ["PFS"]) or {"-VERS-TLS1.3", "-VERS-TLS1.2"} & {*names}:
        return "needs you", "OpenSSL has other names: choose its ciphers, as `--ciphers`"
    return "changed", (
        "the server has Python's choice: TLS 1.2 and 1.3, and ciphers with forward secrecy"
    )
