"""
Requests made of a configuration: for each line that says something about URLs, some that meet it.

They are what two sites are asked that should answer alike: the same spelt oddly, with something
behind it, and for every name of a host.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...apache.access.access_files import with_access_files
from ...apache.covering.alias_lines import alias_of
from ...apache.covering.coverage import LOCATIONS, FileKinds
from ...apache.covering.hosts import Host, read_hosts
from ...apache.lines.directive import ApacheConfiguration, Directive, Section
from ...apache.outcomes.outcome import Ledger
from ...apache.resolving.mounts import mount_as_aliases
from ...apache.resolving.resolving import Resolver
from ...doctor.uris.search import until_too_complex, words_of
from ...exceptions import PatternError
from ..apache.exempted import section_region, taken_region

# So many URLs of a pattern, files of a folder, and names of a host are asked for.
_MOST_WORDS, _MOST_FILES, _MOST_NAMES = 5, 3, 3
_MOST_LINES = 400
_TAILS = ("", "/", "/x", "/x/y.txt?q=1", "x", ".x")
_HOST = re.compile(r"[\w.-]+", re.ASCII)
_SAFE = "/~!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class SiteQuestion:
    """A request for a path, made of a line; ``host`` is "" where the line names none."""

    target: str
    host: str
    source: str


def questions_of(configuration: ApacheConfiguration, kind_of: FileKinds) -> list[SiteQuestion]:
    """Return what to ask two sites that should do as a configuration says, each once."""
    ledger = Ledger()
    configuration, _ = with_access_files(configuration, kind_of, ledger)
    active = [each for each in configuration.directives if not each.is_off]
    main, hosts = read_hosts(active, ledger)
    mount_as_aliases(Resolver(main, ledger, kind_of), hosts)
    found: dict[tuple[str, str], SiteQuestion] = {}
    for host in (main, *hosts):
        own = [d for d in active if d.host in (None, host.section)]
        uris = [*islice(_uris(host, main, own), _MOST_LINES)]
        for name in _names(host):
            for uri, source in uris:
                for target in _targets(uri):
                    found.setdefault((name, target), SiteQuestion(target, name, source))
    return [*found.values()]


def _names(host: Host) -> list[str]:
    """Return names that a request for a host bears: those it has, or none."""
    names = (name.replace("*", "any").replace("?", "x") for name, _ in host.names)
    found = dict.fromkeys(name for name in names if _HOST.fullmatch(name))
    return [*islice(found, _MOST_NAMES)] or ["unknown.test"]


def _uris(host: Host, main: Host, directives: Iterable[Directive]) -> Iterator[tuple[str, str]]:
    """Yield uris, each with the line that it is made of."""
    yield "/", "every host"
    yield "/unknown-to-all", "every host"
    for alias, directive in dict.fromkeys((*host.aliases, *main.aliases)):
        yield from ((uri, _text(directive)) for uri in _of_region(alias))
    seen: set[Section] = set()
    for directive in directives:
        for section in directive.sections:
            if section.key in LOCATIONS and section not in seen:
                seen.add(section)
                region = section_region(section)
                title = f"<{section.name} {section.argument}>"
                yield from ((uri, title) for uri in _of_region(region))
        yield from ((uri, _text(directive)) for uri in _of_directive(directive))


def _of_directive(directive: Directive) -> Iterator[str]:
    name, words = directive.key, directive.words
    if name in ("alias", "aliasmatch", "scriptalias", "scriptaliasmatch") or name[:8] == "redirect":
        region = taken_region(directive)
        yield from _of_region(region)
        if name == "alias" and region is not None and len(words) > 1:
            yield from _below(region.location, words[1])
    elif name in ("proxypass", "proxypassmatch") and words[:1] and words[0][:1] in "/^":
        yield from _of_region(Alias(words[0], "", "match" if name[9:] else "plain"))
    elif name == "rewriterule" and words and not words[0].startswith("!"):
        yield from _of_region(Alias(words[0], "", "match"))
    elif name == "errordocument" and len(words) > 1 and words[1].startswith("/"):
        yield words[1]
    elif name == "documentroot" and (root := alias_of(directive)) is not None:
        yield from _below("", root.target)


def _of_region(region: Alias | None) -> Iterator[str]:
    if region is None:
        return
    if region.kind == "plain":
        if region.location.startswith("/"):
            yield region.location.rstrip("/") or "/"
        return
    try:
        pattern = compile_pattern(region.location)
        yield from islice(until_too_complex(words_of(pattern, True)), _MOST_WORDS)
    except PatternError:
        return


def _below(location: str, folder: str) -> Iterator[str]:
    """Yield the URLs of some files in a folder, and of one that is not there."""
    location = location.rstrip("/")
    try:
        names = sorted(os.listdir(folder.encode("latin-1")))
    except OSError:
        names = []
    for name in names[:_MOST_FILES]:
        yield posixpath.join(location or "/", name.decode("latin-1"))
    yield f"{location}/no-such-file.txt"


def _targets(uri: str) -> Iterator[str]:
    """Yield request targets for a uri: as it is, with something behind it, spelt oddly."""
    path = quote(uri.encode("latin-1"), safe=_SAFE)
    start = path.rstrip("/")
    for tail in _TAILS:
        if (start + tail).startswith("/"):
            yield start + tail
    if len(path) < 2:
        yield from ("//", "/.", "/%2e", "/x/../")
        return
    yield f"/{path}"
    yield f"/.{path}"
    yield f"/%2e{path}/x"
    yield f"/x/..{path}"
    yield f"{start}/../{path[1:]}"
    yield f"/%{ord(path[1]):02X}{path[2:]}" if path[1] != "%" else path
    yield path.upper() if "%" not in path else path


def _text(directive: Directive) -> str:
    return f"{directive.name} {' '.join(directive.rest.split())}"
