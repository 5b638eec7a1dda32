"""
Real and random configurations: whether an import opens anything of which it has not said so.

``python -m tests.conformance.silence`` runs each beside a private Apache, imports the same text,
and asks both the same requests: hosts that the file knows and does not, the URLs of sections, of
Alias, Redirect and RewriteRule lines, and files of the DocumentRoot. Where Apache keeps people
out, nothing may be sent here; where it redirects or sends a file, no application may answer, unless
the report names the URL. What redirects and files answer here is compared in full.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.groups import Server
from django_wsgimatch.aliases.index.prefix import alias_matches
from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.aliases.resolve import Resolution, resolve
from django_wsgimatch.answers.direct import direct, is_direct, send
from django_wsgimatch.answers.plain_http import PlainHttp
from django_wsgimatch.answers.rewriter import Rewriter
from django_wsgimatch.apache.covering.alias_lines import alias_of
from django_wsgimatch.apache.covering.hosts import read_hosts
from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import ApacheConfiguration, Surroundings, split_words
from django_wsgimatch.apache.outcomes.outcome import Ledger
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.settings import Settings
from django_wsgimatch.conf import configuration as read_settings
from django_wsgimatch.conf import rewrites_by_host
from django_wsgimatch.configured import Configuration
from tests.conformance.apache_site import WITH_RULES, ApacheSite, NotLoadable, make_site
from tests.conformance.imports import choose, settings_of, targets, write_scripts
from tests.conformance.made.kinds import KINDS, random_site
from tests.conformance.sites.gates import Doorkeeper
from tests.support.oracle import (
    LOADED,
    Apache,
    ApacheFailed,
    Reply,
    Request,
    as_apache,
)
from tests.support.trees import open_directory
from tests.support.wsgi import make_environ

UNKNOWN = ("unknown.test", "10.1.2.3", "localhost")
FILES = ("/", "/index.html", "/x.txt", "/static/x.css", "/favicon.ico", "/robots.txt", "/a/b")
_MOST_ANSWERS = 1200
_URL = re.compile(r"/[\w/.~-]*")
_ESCAPE = re.compile("%..")
# An application answers here; Apache lets no application answer.
_OURS, _KEPT_OUT = 200, (401, 403, 404, 405, 410)
_GOES_ON = 418


@dataclass(frozen=True, slots=True)
class Opened:
    """A request that Apache does not let an application answer, and the import does."""

    port: int
    request: Request
    apache: Reply
    ours: Reply

    def __str__(self) -> str:
        return f"{self.request} at {self.port}\n    ours   {self.ours}\n    Apache {self.apache}"


@dataclass(slots=True)
class Silence:
    """
    What became of one configuration.

    ``said`` are the requests that an application answers here alone, and the report names;
    ``closed`` those that Apache lets everybody ask for, and are closed here. ``same`` are those
    that a redirect or a file answers, here as in Apache, and ``others`` those that one answers in
    another way.
    """

    name: str
    state: str
    requests: int = 0
    kept_out: int = 0
    said: int = 0
    closed: int = 0
    same: int = 0
    opened: list[Opened] = field(default_factory=list)
    others: list[Opened] = field(default_factory=list)

    def __str__(self) -> str:
        counts = (
            f"{self.requests} requests, {self.kept_out} kept out by Apache, {self.said} reported, "
            f"{self.closed} closed though open, {self.same} answered alike without a script"
        )
        found = [*map(str, self.opened[:6]), *map(str, self.others[:6])]
        return "\n  ".join([f"{self.name}: {self.state}, {counts}", *found])


def compare(path: Path) -> Silence:
    """Compare a real configuration."""
    with open_directory() as directory:
        read = read_file(str(path), Surroundings())
        if read.refusals:
            return Silence(path.name, "refused")
        try:
            site = make_site(path.read_text("latin-1"), directory, with_rules=True)
            return compare_site(path.name, site)
        except (NotLoadable, ApacheFailed, ConnectionError):
            # What Apache only finds out after it has begun to listen ends it at the first request.
            return Silence(path.name, "not loadable")


def compare_site(
    name: str, site: ApacheSite, more: Iterable[str] = (), *, is_open: bool = False
) -> Silence:
    """
    Compare a site that Apache takes; ``more`` are request targets to ask for.

    With ``is_open`` nothing is closed: then all that Apache keeps people out of is opened.
    """
    modules = frozenset([*LOADED, *site.modules, "wsgi", "macro"])
    surroundings = Surroundings(modules=modules)
    configuration = read_file(str(site.file), surroundings)
    write_files(configuration, site.directory)
    # Only the second time the scripts are there, as they are for Apache.
    for _ in range(2):
        imported = import_configuration(configuration, is_open=is_open)
        assert imported.settings is not None
        imported_settings: Settings = imported.settings
        write_scripts(imported_settings, site.directory)
    (site.directory / "empty").mkdir(exist_ok=True)
    asked = list(_requests(configuration, imported, more))
    questions = [(port, request) for port in _ports(configuration, site) for request in asked]
    found = Silence(name, "silent about nothing", requests=len(questions))
    if not questions:
        return found
    with ExitStack() as stack:
        apache = Apache(site.directory, site.main, next(iter(site.ports.values())), stack)
        answers = apache.replies(questions[: 4 * _MOST_ANSWERS])
        with settings_of(imported_settings), as_apache():
            configured = read_settings()
            configured.require()
            doorkeeper = Doorkeeper(configured)
            for (port, request), theirs in zip(questions, answers, strict=False):
                new = _rewritten(configured, request, port)
                inside = request if isinstance(new, Reply) else new
                ours = _resolved(configured, inside)
                refused, _ = doorkeeper.answer(inside.target, inside.host)
                reply = Reply(refused) if refused else _reply(configured, inside, port, ours)
                reply = new if isinstance(new, Reply) else reply
                reply = _plain_reply(configured, request, port) or reply
                _judge(found, imported, Opened(port, request, theirs, reply), ours)
    return found


def _ports(configuration: ApacheConfiguration, site: ApacheSite) -> list[int]:
    """The ports at which some virtual host is served, all where there are none."""
    _, hosts = read_hosts(configuration.directives, Ledger())
    served = " ".join(address for host in hosts for address in host.addresses)
    return [port for port in site.ports.values() if not served or f":{port}" in served]


def _judge(found: Silence, imported: Imported, asked: Opened, resolved: Resolution) -> None:
    theirs, ours = asked.apache, asked.ours
    found.kept_out += theirs.status in _KEPT_OUT
    is_said = resolved.uri is not None and _is_said(imported, resolved.uri)
    if theirs.is_script:
        found.closed += resolved.match is not None and resolved.match.alias.answer is not None
    elif ours.is_script or (ours.status == _OURS and theirs.status in _KEPT_OUT):
        if theirs.status not in _KEPT_OUT and not 200 <= theirs.status < 400:
            return
        if is_said:
            found.said += 1
        else:
            found.state = "opens in silence"
            found.opened.append(asked)
    elif _as_compared(ours, asked.port) == _as_compared(theirs, asked.port):
        found.same += 1
    elif _is_told(ours) and not is_said and not _is_closed(imported, resolved.uri):
        found.others.append(asked)


def _as_compared(reply: Reply, port: int) -> Reply:
    """
    A reply without what clients do not tell apart: the page of an error, the case of escapes.

    Nor with the port: the Apache that is asked has one of its own, which no Host header names.
    """
    location = (reply.location or "").replace(f":{port}/", "/", 1)
    location = _ESCAPE.sub(lambda found: found[0].upper(), location).removesuffix("?")
    body = reply.body if reply.status == _OURS else b""
    return Reply(reply.status, location, body, is_script=reply.is_script)


def _is_told(ours: Reply) -> bool:
    """Whether a redirect or a file is the answer: the import takes it to be Apache's."""
    return ours.status == _OURS or bool(ours.location)


def _reply(configured: Configuration, request: Request, port: int, found: Resolution) -> Reply:
    """What a client gets here."""
    if found.match is None or not is_direct(found.match.alias):
        return Reply(found.status or 404, is_script=found.status == _OURS)
    environ, server = _asked(request, port)
    given = direct(found.match), "", configured.rules, environ
    try:
        return _answered(partial(send, *given, server_of=lambda environ: server))
    except OSError:
        return Reply(404)


def _plain_reply(configured: Configuration, request: Request, port: int) -> Reply | None:
    """What an entry for plain HTTP answers, None where none does: TLS is spoken nowhere here."""
    if configured.plain_http is None:
        return None
    environ, server = _asked(request, port)
    table, rules = configured.plain_http.table, configured.rules
    gate = PlainHttp(_goes_on, table, rules=rules, server_of=lambda environ: server)
    reply = _answered(partial(gate, environ))
    return None if reply.status == _GOES_ON else reply


def _rewritten(configured: Configuration, request: Request, port: int) -> Request | Reply:
    """The request for the URL that an entry makes of one, or what that entry answers itself."""
    rewrites = rewrites_by_host(configured)
    if not rewrites:
        return request
    seen: dict[str, Any] = {}

    def goes_on(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        return _goes_on(environ, start_response)

    environ, server = _asked(request, port)
    rewriter = Rewriter(goes_on, rewrites, lambda environ: server, rules=configured.rules)
    reply = _answered(partial(rewriter, environ))
    return replace(request, target=seen["RAW_URI"]) if reply.status == _GOES_ON else reply


def _goes_on(environ: Any, start_response: Any) -> list[bytes]:
    """What stands behind the entries: its status is nobody else's."""
    start_response(f"{_GOES_ON} Goes on", [])
    return []


def _asked(request: Request, port: int) -> tuple[dict[str, Any], Server]:
    name = request.host.partition(":")[0]
    environ = make_environ(
        request.target,
        HTTP_HOST=request.host,
        SERVER_NAME=name,
        SERVER_PORT=str(port),
        REMOTE_ADDR="127.0.0.1",
    )
    return environ, Server(name, request.host, port=str(port))


def _answered(answer: Any) -> Reply:
    started: list[Any] = []
    body = b"".join(answer(lambda *given: started.append(given)))
    [(status, headers)] = started
    code = int(status[:3])
    return Reply(code, dict(headers).get("Location"), body if code == _OURS else b"")


def _is_said(imported: Imported, uri: str) -> bool:
    return any(takes(each.region, uri) for each in imported.taken)


def _is_closed(imported: Imported, uri: str | None) -> bool:
    """Whether a rule that refuses some requests may refuse this one before it is redirected."""
    return uri is not None and any(takes(p.closed.alias, uri) for p in imported.protected)


def takes(region: Alias, uri: str) -> bool:
    if region.kind == "plain":
        return region.location == "/" or alias_matches(uri, region.location) > 0
    return compile_pattern(region.location, allow_exponential=True).find(uri) is not None


def _resolved(configured: Configuration, request: Request) -> Resolution:
    server = Server(str(configured.values["SERVER_NAME"] or "main.test"), request.host)
    return resolve(configured.table, request.target, rules=configured.rules, server=server)


def write_files(configuration: ApacheConfiguration, directory: Path) -> None:
    """Put files where Alias and DocumentRoot lead, as far as that is ours."""
    for directive in configuration.directives:
        if directive.name.lower() in ("alias", "documentroot"):
            alias = alias_of(directive)
            target = Path(alias.target) if alias else Path("/")
            if not target.is_relative_to(directory) or target.exists():
                continue
            if target.suffix and directive.name.lower() == "alias":
                continue
            target.mkdir(parents=True)
            for name in ("index.html", "x.txt"):
                (target / name).write_text("a file")


def _requests(
    configuration: ApacheConfiguration, imported: Imported, more: Iterable[str]
) -> Iterator[Request]:
    _, hosts = read_hosts(configuration.directives, Ledger())
    names = [name.replace("*", "any").replace("?", "x") for h in hosts for name, _ in h.names]
    asked = dict.fromkeys([*_urls(configuration, imported), *more])
    known = dict.fromkeys([*names, *UNKNOWN])
    hosts_asked = [name for name in known if re.fullmatch(r"[\w.-]+", name, re.ASCII)]
    room = max(_MOST_ANSWERS // len(asked), 3)
    for host in hosts_asked[: room - 2] + [h for h in UNKNOWN[:2] if h not in hosts_asked[:room]]:
        yield from (Request(target, host) for target in asked)


def _urls(configuration: ApacheConfiguration, imported: Imported) -> Iterator[str]:
    yield from FILES
    words = {
        word
        for each in configuration.directives
        for text in (each.rest, *(s.argument for s in each.sections))
        for word in split_words(text)[:2]
    }
    for word in sorted(words):
        for url in _URL.findall(word)[:2]:
            if len(url) < 60:
                yield from (url, f"{url.rstrip('/')}/x", f"{url.rstrip('/')}/x.txt")
    assert imported.settings is not None
    found = imported.settings
    aliases = [e.alias for e in (*found.entries, *(e for h in found.hosts for e in h.entries))]
    yield from [target for target in targets(aliases[:12]) if " " not in target][::3]


def compare_random(seed: str, kind: str = "access", *, is_open: bool = False) -> Silence:
    """Compare a random configuration of a kind."""
    with open_directory() as directory:
        modules = (*WITH_RULES, "headers", "expires")
        site, more = random_site(Random(seed), kind, directory, modules, 150)
        site.write()
        return compare_site(f"random {kind}, seed {seed}", site, more, is_open=is_open)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = choose("Look for what an import opens in silence.", arguments)
    if chosen is None:
        return 2
    paths, seeds = chosen
    randomly = (compare_random(seed, kind) for kind in KINDS for seed in seeds)
    return report(chain(map(compare, paths), randomly))


def report(compared: Iterable[Silence]) -> int:
    """Print the comparisons; the exit code is 1 where something is opened in silence."""
    states: Counter[str] = Counter()
    requests = kept_out = said = closed = opened = same = others = 0
    for each in compared:
        states[each.state] += 1
        requests += each.requests
        kept_out += each.kept_out
        said += each.said
        closed += each.closed
        opened += len(each.opened)
        same += each.same
        others += len(each.others)
        print(each)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    print(
        f"{counts}; {requests} requests, {kept_out} kept out by Apache, {said} reported, {closed} "
        f"closed though open, {same} answered alike without a script, {others} by another answer, "
        f"{opened} opened in silence"
    )
    return int(bool(opened or others))


if __name__ == "__main__":
    raise SystemExit(main())
