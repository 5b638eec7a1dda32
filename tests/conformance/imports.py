"""
Real configurations: what Apache answers, and what their import does.

``python -m tests.conformance.imports`` takes each configuration, makes it fit for a private Apache
(`tests.conformance.apache_site`), imports the very same text, and asks both the same requests.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.test import override_settings

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.groups import Server
from django_wsgimatch.aliases.resolve import resolve
from django_wsgimatch.aliases.substitution import parse_template
from django_wsgimatch.answers.direct import is_direct
from django_wsgimatch.apache.covering.hosts import read_hosts
from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.outcomes.outcome import Ledger
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.apache.writing.settings import Settings
from django_wsgimatch.conf import configuration as read_settings
from django_wsgimatch.configured import Configuration
from django_wsgimatch.entry_options.texts import utf8
from tests.conformance.apache_site import ApacheSite, NotLoadable, make_site
from tests.conformance.configuration import told
from tests.conformance.made.random_scopes import TREE, random_host, random_server, random_target
from tests.conformance.tables import agree
from tests.support.oracle import (
    HOW_TO_INSTALL,
    INSTALLED,
    LOADED,
    Answer,
    Apache,
    ApacheFailed,
    Request,
    as_apache,
    free_port,
)
from tests.support.trees import PROBE, build_tree, open_directory

CONFIGURATIONS = Path(__file__).resolve().parents[3] / "shared" / "apache-configs"
# Virtual hosts in a configuration of random sections.
HOSTS = 40
TAILS = (
    *("", "/", "/x", "/x/y?q=1", "x", "//x", "/%41", "/x%2fy", "/../x", "/.", "/x//y/", ".z"),
    *(";a=1", "/%2e%2e/x", "/a%20b", "/x.wsgi/y", "/api/upload", "/%C3%A9", "/a+b", "/X", "/?"),
)
WORDS = ("x", "api", "admin", "static", "x.wsgi", "a/b", "")


@dataclass(frozen=True, slots=True)
class Difference:
    """One question and the two answers."""

    port: int
    request: Request
    ours: Answer
    apache: Answer

    def __str__(self) -> str:
        return f"{self.request} at {self.port}\n    ours   {self.ours}\n    Apache {self.apache}"


@dataclass(slots=True)
class Comparison:
    """What became of one configuration."""

    name: str
    state: str
    reason: str = ""
    requests: int = 0
    answered: int = 0
    what: str = "directives"
    taken_out: int = 0
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        text = f"{self.name}: {self.state}"
        if self.requests:
            text += f", {self.requests} requests, {self.answered} of them to scripts"
            text += f", {self.taken_out} {self.what} left out"
        return "\n  ".join([text, *filter(None, [self.reason]), *map(str, self.differences[:3])])


def compare(path: Path) -> Comparison:
    """Compare what Apache and the import of a configuration answer."""
    with open_directory() as directory:
        imported = import_configuration(read_file(str(path), Surroundings()))
        if imported.settings is None:
            first = imported.outcomes[0]
            return Comparison(path.name, "refused", f"{first.spot}: {first.text}: {first.note}")
        try:
            site = make_site(path.read_text("latin-1"), directory)
        except NotLoadable as error:
            return Comparison(path.name, "not loadable", str(error))
        return _compare_site(path.name, site)


def _compare_site(name: str, site: ApacheSite) -> Comparison:
    surroundings = Surroundings(modules=frozenset([*LOADED, "wsgi", "macro"]))
    # Only the second time the scripts are there, as they are for Apache.
    for _ in range(2):
        imported = import_configuration(read_file(str(site.file), surroundings))
        assert imported.settings is not None
        found = imported.settings
        write_scripts(found, site.directory)
    (site.directory / "empty").mkdir(exist_ok=True)
    port = _port(site, surroundings)
    questions = [
        (port, request) for request in dict.fromkeys(_requests(found)) if request.host.isascii()
    ]
    if not questions:
        return Comparison(name, "no aliases", taken_out=len(site.taken_out))
    compared = Comparison(name, "agrees", taken_out=len(site.taken_out))
    with ExitStack() as stack:
        try:
            apache = Apache(site.directory, site.main, port, stack)
            answers = apache.ask(questions)
        except ApacheFailed as error:
            return Comparison(name, "not loadable", str(error))
        with settings_of(found), as_apache():
            _compare_answers(compared, questions, answers)
    return compared


def _compare_answers(
    compared: Comparison, questions: Sequence[tuple[int, Request]], answers: Sequence[Answer]
) -> None:
    configured = read_settings()
    configured.require()
    compared.requests = len(questions)
    for (port, request), answer in zip(questions, answers, strict=True):
        ours = _answer(configured, request)
        answer = _without_own_port(answer, port)
        compared.answered += answer.status == 200
        if not agree(ours, answer):
            compared.state = "differs"
            compared.differences.append(Difference(port, request, ours, answer))


def _without_own_port(answer: Answer, port: int) -> Answer:
    """A virtual host without a ServerName puts its port into group names, unless it is 80."""
    group = answer.application_group
    return (
        answer
        if group is None
        else replace(answer, application_group=group.replace(f":{port}", "", 1))
    )


def write_scripts(imported: Settings, directory: Path, probe: str = PROBE) -> None:
    """Put a script where each entry leads, for some words in the place of captures."""
    entries = [*imported.entries, *(e for host in imported.hosts for e in host.entries)]
    names = {each.alias.callable_object or "application" for each in entries}
    text = probe + "".join(f"{name} = application\n" for name in names if name.isidentifier())
    for each in entries:
        for target in _targets(each.alias):
            # A folder of files ends in a slash.
            _write_script(
                Path(f"{target}index.html" if target[-1:] == "/" else target), directory, text
            )


def _write_script(target: Path, directory: Path, text: str) -> None:
    if not target.is_relative_to(directory):
        return
    for parent in (*reversed(target.parents), target):
        if parent.is_file():
            return
        if re.search(r"\.(wsgi|py|fcgi)$", parent.name) and directory in parent.parents:
            target = parent
            break
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _targets(alias: Alias) -> Iterator[str]:
    if alias.kind == "plain":
        yield alias.target
        return
    for word in WORDS:
        parts = parse_template(alias.target)
        yield "".join(part if isinstance(part, str) else word for part in parts)


def _port(site: ApacheSite, surroundings: Surroundings) -> int:
    """The port whose virtual hosts the import prefers: 443, if one is served there."""
    directives = read_file(str(site.file), surroundings).directives
    _, hosts = read_hosts(directives, Ledger())
    served = " ".join(address for host in hosts for address in host.addresses)
    ports = [port for port in site.ports if f":{site.ports[port]}" in served]
    return site.ports[443 if 443 in ports else (ports or list(site.ports))[0]]


def _requests(found: Settings) -> Iterator[Request]:
    for host in found.hosts:
        name = host.pattern.replace("*", "unknown.test")
        name = f"any{name}" if name.startswith(".") else name
        shared = next((h for h in found.hosts if h.pattern == host.same_as), host)
        aliases = [each.alias for each in (*shared.entries, *found.entries)]
        yield from (Request(target, name) for target in targets(aliases))
    if not any(host.pattern == "*" for host in found.hosts):
        named = [each.value for each in found.others if each.name == "WSGIMATCH_SERVER_NAME"]
        name = named[0] if named and named[0].isascii() else "any.test"
        aliases = [each.alias for each in found.entries]
        yield from (Request(target, name) for target in targets(aliases))


def targets(aliases: Sequence[Alias]) -> Iterator[str]:
    """Request targets that aliases may answer, and some that they do not."""
    for alias in aliases:
        for start in _starts(alias):
            yield from (start + tail for tail in TAILS if (start + tail).startswith("/"))
    if aliases:
        yield from ("/", "/unknown", "/unknown/x?y", "/robots.txt", "/static/x.css")


def _starts(alias: Alias) -> Iterator[str]:
    if alias.kind == "plain":
        yield alias.location.rstrip("/")
        return
    pattern = re.sub(r"^\^\(\?=(.*)\)/$", r"\1", alias.location).removeprefix("^")
    literal = re.split(r"[\\\[(.*+?|^$]", pattern, maxsplit=1)[0]
    yield from (f"/{literal.strip('/')}/{word}".replace("//", "/") for word in WORDS)
    for branch in re.findall(r"[\w/.-]+", pattern):
        yield f"/{branch.strip('/')}"


def settings_of(imported: Settings) -> Any:
    """The settings of an import, for the time of a ``with`` block."""
    text = "\n".join(python_lines(imported, "site.conf"))
    values: dict[str, Any] = {}
    exec(compile(text, "fragment", "exec"), values)
    return override_settings(**{n: v for n, v in values.items() if n.startswith("WSGIMATCH_")})


def _answer(configured: Configuration, request: Request) -> Answer:
    server = Server(utf8(configured.values["SERVER_NAME"] or "main.test"), request.host)
    found = resolve(configured.table, request.target, rules=configured.rules, server=server)
    # Of what no script answers Apache is not asked here, but in tests.conformance.silence.
    is_file = found.match is not None and is_direct(found.match.alias)
    return Answer(None) if is_file else told(found)


def compare_scopes(seed: str, hosts: int) -> Comparison:
    """
    Compare what Apache and the import make of the sections of random virtual hosts.

    What the import says it cannot tell is left out, and counted.
    """
    rng = Random(seed)
    compared = Comparison(f"{hosts} random virtual hosts, seed {seed}", "agrees", what="hosts")
    with open_directory() as directory, ExitStack() as stack:
        build_tree(directory / "tree", TREE)
        lines = [line.replace("{ROOT}", f"{directory}/tree") for line in random_server(rng)]
        port, first_lines = free_port(), {}
        for number in range(hosts):
            first_lines[f"host{number}.test"] = len(lines) + 1
            lines += [f"<VirtualHost *:{port}>", f"ServerName host{number}.test"]
            lines += (line.replace("{ROOT}", f"{directory}/tree") for line in random_host(rng))
            lines.append("</VirtualHost>")
        site = ApacheSite(directory, "\n".join(lines), {80: port}, [])
        site.write()
        imported = import_configuration(read_file(str(site.file), Surroundings()))
        assert imported.settings is not None
        apache = Apache(directory, site.main, port, stack)
        questions = [
            (port, Request(target, host))
            for host in _told(imported, first_lines, compared)
            for target in dict.fromkeys(random_target(rng) for _ in range(16))
        ]
        answers = apache.ask(questions)
        with settings_of(imported.settings), as_apache():
            _compare_answers(compared, questions, answers)
    return compared


def _told(imported: Imported, first_lines: dict[str, int], compared: Comparison) -> list[str]:
    """The hosts of which the import leaves nothing that is WSGI's to the user."""
    left = [each.spot.line for each in imported.outcomes if each.category == "needs you"]
    starts = [*first_lines.values(), sys.maxsize]
    told = [
        host
        for number, host in enumerate(first_lines)
        if not any(starts[number] <= line < starts[number + 1] for line in left)
    ]
    compared.taken_out = len(first_lines) - len(told)
    return told if not any(line < starts[0] for line in left) else []


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = choose("Compare imported tables with Apache.", arguments)
    if chosen is None:
        return 2
    paths, seeds = chosen
    return report([*map(compare, paths), *(compare_scopes(seed, HOSTS) for seed in seeds)])


def choose(
    description: str, arguments: Sequence[str] | None = None
) -> tuple[list[Path], list[str]] | None:
    """Return a command line's configurations and seeds; None where Apache is missing."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("paths", nargs="*", type=Path, help="configurations; all by default")
    parser.add_argument("--random", type=int, default=30, help="random configurations")
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return None
    if not settings.configured:
        settings.configure(BASE_DIR="/", SECRET_KEY="only for the tests")
    paths = options.paths or sorted(CONFIGURATIONS.glob("*.conf"))
    return paths, [f"{options.seed}-{number}" for number in range(options.random)]


def report(compared: Iterable[Comparison]) -> int:
    """Print the comparisons; the exit code is 1 where something differs."""
    states: Counter[str] = Counter()
    requests = 0
    for each in compared:
        states[each.state] += 1
        requests += each.requests
        print(each)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    print(f"{counts}; {requests} requests")
    return int(bool(states["differs"]))


if __name__ == "__main__":
    raise SystemExit(main())
