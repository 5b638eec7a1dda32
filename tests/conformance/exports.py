"""
Real configurations: what Apache with mod_wsgi answers, and what it does after an export.

``python -m tests.conformance.exports [FOLDER]`` runs each file of a folder in a private Apache, its
export in the same Apache before a real gunicorn with the imported settings, and asks both all that
is made of the configuration: with credentials and without. A URL that Apache protects and the
export does not is opened.
"""

from __future__ import annotations

import argparse
import functools
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from random import Random

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.lines.directive import ApacheConfiguration, Surroundings
from django_wsgimatch.apache.reading.reading import read_file, read_text
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.comparing.http_client import Response, Site
from django_wsgimatch.comparing.rules import header_values, is_own_page
from django_wsgimatch.comparing.targets import Request
from django_wsgimatch.exceptions import FrontError
from django_wsgimatch.fronts.apache.behind import import_behind_apache
from django_wsgimatch.fronts.apache.export import Exported, export_configuration
from django_wsgimatch.fronts.backend import read_backend
from django_wsgimatch.fronts.questions.questions import SiteQuestion
from tests.conformance.apache_site import WITH_RULES, ApacheSite, NotLoadable, make_site
from tests.conformance.imports import CONFIGURATIONS, write_scripts
from tests.conformance.made.kinds import COUNTED, KINDS, PASSWORD_LINE, random_site
from tests.conformance.silence import write_files
from tests.conformance.whole_sites.asking import (
    ask_all,
    asked_of,
    asked_of_apache,
    running_apache,
)
from tests.support.both_servers import gunicorn
from tests.support.oracle import (
    HOW_TO_INSTALL,
    INSTALLED,
    LOADED,
    ApacheFailed,
    free_port,
)
from tests.support.trees import PROBE, open_directory

LOADED_HERE = (
    *(*WITH_RULES, "headers", "expires", "proxy", "proxy_http", "authz_owner", "auth_digest"),
    *("socache_shmcb", "ssl", "filter", "deflate", "status", "autoindex", "negotiation"),
    *("remoteip", "substitute", "actions", "authn_anon", "reqtimeout", "slotmem_shm"),
    *("proxy_balancer", "lbmethod_byrequests", "unique_id", "userdir", "vhost_alias", "include"),
)
# What it tells of each request, beside what all probes do.
TOLD = ("REMOTE_ADDR", "REMOTE_USER", "AUTH_TYPE", "HTTP_HOST", "wsgi.url_scheme")
RUNNING_PROBE = PROBE.replace(
    '"HTTP_AUTHORIZATION")', '"HTTP_AUTHORIZATION", ' + ", ".join(f'"{n}"' for n in TOLD) + ")"
)
_PASSWORDS = re.compile(r"^(\s*AuthUserFile\s+)\S+", re.IGNORECASE | re.MULTILINE)
_TYPES = re.compile(r"^(\s*TypesConfig\s+)\S+", re.IGNORECASE | re.MULTILINE)
_CERTIFICATES = re.compile(
    r"^(\s*SSL(?:Certificate(?:Key|Chain)?|CACertificate|CARevocation)File\s+)\S+", re.I | re.M
)
SETTINGS = """\
SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
BASE_DIR = "/"
INSTALLED_APPS = ["django_wsgimatch"]
"""


@dataclass(frozen=True, slots=True)
class Differing:
    """A request that two sites answer in different ways; ``is_named`` says that a report does."""

    port: int
    request: Request
    source: str
    old: Response
    new: Response
    is_named: bool = False

    @property
    def is_opened(self) -> bool:
        """
        Whether an application answers what Apache kept people out of, or answered itself.

        Or anything at all does, as a file, what Apache kept people out of.
        """
        if self.old.status in (401, 403) and self.new.status == 200 and not self.is_named:
            return True
        is_kept = self.old.status in (401, 403, 404, 405, 410) or 300 <= self.old.status < 400
        is_open = is_kept and not is_told(self.old) and is_told(self.new)
        return is_open and not self.is_named

    @property
    def reason(self) -> str:
        """What differs, without the values."""
        if self.new.failure or self.old.failure:
            return f"no answer: {self.old.failure or self.new.failure}"
        if self.old.status != self.new.status:
            return f"status {self.old.status}, then {self.new.status}"
        return "who answered" if is_told(self.old) != is_told(self.new) else "body or header"

    def __str__(self) -> str:
        mark = "OPENED " if self.is_opened else ""
        text = f"{mark}{self.request} at {self.port} ({self.source}): {self.reason}"
        if self.reason == "body or header":
            text += f"\n      {_shown(self.old)}\n      {_shown(self.new)}"
        return text


@dataclass(slots=True)
class Verified:
    """What became of one configuration."""

    name: str
    state: str
    requests: int = 0
    refused: int = 0
    differing: list[Differing] = field(default_factory=list)

    @property
    def opened(self) -> int:
        return sum(each.is_opened for each in self.differing)

    def __str__(self) -> str:
        text = f"{self.name}: {self.state}, {self.requests} requests, {len(self.differing)} differ"
        text += f", {self.opened} opened, {self.refused} lines refused"
        ordered = sorted(self.differing, key=lambda each: not each.is_opened)
        return "\n    ".join([text, *map(str, ordered[:8])])


# Compares a site, by its name, with what is made of it; asks every host for some targets more.
Verifier = Callable[[str, ApacheSite, Sequence[str]], Verified]


def is_told(response: Response) -> bool:
    """Whether the probe answers."""
    return response.status == 200 and response.body.startswith(b'{"SCRIPT_NAME"')


def _shown(response: Response) -> str:
    return response.body[:400].decode("latin-1").replace("\n", "\\n")


def verify(path: Path, verifier: Verifier | None = None) -> Verified:
    """Compare a real configuration with its export, or with what a verifier makes of it."""
    verifier = verifier or verify_site
    with open_directory() as directory:
        text = stubbed(path.read_text("latin-1"), directory)
        if read_text(text, path.name, Surroundings()).refusals:
            return Verified(path.name, "unreadable")
        try:
            site = make_site(text, directory, with_rules=True, modules=LOADED_HERE)
            return verifier(path.name, site, ())
        except (NotLoadable, ApacheFailed) as error:
            return Verified(path.name, f"not loadable: {str(error)[-300:]}")
        except FrontError as error:
            return Verified(path.name, f"not exported: {error}")


def stubbed(text: str, directory: Path) -> str:
    """Put files of ours in the place of password files, keys, certificates and types."""
    (directory / "passwords").write_text(PASSWORD_LINE)
    (directory / "certificate.pem").write_text(_certificate())
    text = _PASSWORDS.sub(rf"\g<1>{directory}/passwords", text)
    text = _TYPES.sub(rf"\g<1>{directory}/mime.types", text)
    return _CERTIFICATES.sub(rf"\g<1>{directory}/certificate.pem", text)


def verify_random(seed: str, kind: str, verifier: Verifier | None = None) -> Verified:
    """Compare a random configuration with its export, or with what a verifier makes of it."""
    verifier = verifier or verify_site
    with open_directory() as directory:
        site, more = random_site(Random(seed), kind, directory, LOADED_HERE, 60)
        try:
            return verifier(f"random {kind}, seed {seed}", site, more)
        except FrontError as error:
            return Verified(f"random {kind}, seed {seed}", f"not exported: {error}")


def verify_site(
    name: str, site: ApacheSite, more: Sequence[str] = (), *, by_socket: bool = False
) -> Verified:
    """
    Compare a site that Apache takes with its export; ``more`` are targets to ask every host.

    ``by_socket`` has Apache and gunicorn talk over a unix socket.
    """
    configuration = prepare(site)
    found = Verified(name, "compared")
    asked = asked_of(site, configuration, more)
    original = site.text
    old = asked_of_apache(site, asked)
    with ExitStack() as stack:
        exported = stack.enter_context(_backend(site, configuration, by_socket))
        found.refused = len(exported.refused)
        stack.enter_context(running_apache(site, exported.text, has_wsgi=False))
        new = ask_all(asked)
    site.text = original
    judge(found, asked, old, new)
    return found


@contextmanager
def _backend(
    site: ApacheSite, configuration: ApacheConfiguration, by_socket: bool
) -> Iterator[Exported]:
    """Serve what a site imports as with gunicorn; the export that passes requests to it."""
    port, socket = free_port(), site.directory / "gunicorn.sock"
    to = f"unix:{socket}" if by_socket else f"http://127.0.0.1:{port}"
    exported = exported_text(site, to)
    imported = import_behind_apache(configuration, read_backend(to))
    assert imported.settings is not None
    lines = [SETTINGS, *python_lines(imported.settings, "site.conf"), ""]
    (site.directory / "own").mkdir(exist_ok=True)
    (site.directory / "own" / "settings.py").write_text("\n".join(lines))
    with gunicorn(site.directory, port=port, socket=socket if by_socket else None):
        yield exported


def exported_text(site: ApacheSite, to: str) -> Exported:
    """Return the export of a site to a server."""
    whole = read_file(str(site.main), _surroundings(site))
    return export_configuration(whole, site.text, str(site.file), read_backend(to))


@functools.cache
def _certificate() -> str:
    """Return a key and a certificate for it, as nobody checks it."""
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=main.test"),
            *("-days", "30", "-keyout", "-", "-out", "-"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def prepare(site: ApacheSite) -> ApacheConfiguration:
    """Write what the configuration leads to, and return it as it is read."""
    configuration = read_text(site.text, str(site.file), _surroundings(site))
    write_files(configuration, site.directory)
    for path in site.directory.glob("tree/**/*"):
        if path.is_file() and path.read_bytes() == PROBE.encode():
            path.write_text(RUNNING_PROBE)
    # Only the second time the scripts are there, as they are for Apache.
    for _ in range(2):
        imported = import_configuration(configuration, is_open=True)
        assert imported.settings is not None
        write_scripts(imported.settings, site.directory, RUNNING_PROBE)
    (site.directory / "empty").mkdir(exist_ok=True)
    return configuration


def _surroundings(site: ApacheSite) -> Surroundings:
    return Surroundings(modules=frozenset([*LOADED, *site.modules, "wsgi", "macro"]))


def judge(
    found: Verified,
    asked: Sequence[tuple[Site, SiteQuestion]],
    old: Sequence[tuple[Response, Response]],
    new: Sequence[tuple[Response, Response]],
    said: Callable[[Response], object] | None = None,
) -> None:
    """Count what differs; ``said`` is what counts of a response."""
    said = said or _said
    for (site, question), before, after in zip(asked, old, new, strict=True):
        for who, first, second in zip(("", " as somebody"), before, after, strict=True):
            found.requests += 1
            is_same = said(_without_port(first, site)) == said(_without_port(second, site))
            if not is_same or first.failure:
                request = Request("GET", question.target, f"{question.host}{who}")
                source = " ".join(question.source.split())[:80]
                found.differing.append(Differing(site.port or 0, request, source, first, second))


def _without_port(response: Response, site: Site) -> Response:
    """Leave the port out of a Location: a private Apache has another one than a public one."""
    headers = (
        (n, v.replace(f":{site.port}", "", 1) if n.lower() == "location" else v)
        for n, v in response.headers
    )
    return replace(response, headers=tuple(headers))


def _said(response: Response) -> tuple[object, ...]:
    """What counts of a response: its status, two headers, and what stands in it."""
    told = (header_values(response, name, ()) for name in ("Location", "WWW-Authenticate"))
    # A page of mod_status is another one each time.
    is_own = is_own_page(response) or 300 <= response.status < 400
    is_own = is_own or b"<title>Apache Status</title>" in response.body
    body = b"" if is_own else response.body
    return (response.failure, response.status, *told, body)


def main(
    arguments: Sequence[str] | None = None,
    verifier: Verifier | None = None,
    description: str = "Compare configurations with their exports.",
) -> int:
    """Compare what a command line names; ``verifier`` does so with another thing than exports."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", nargs="*", type=Path, default=[CONFIGURATIONS])
    parser.add_argument("--random", type=int, default=0, help="random configurations of each kind")
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    parser.add_argument("--kind", action="append", choices=KINDS, help="of these kinds alone")
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    paths = [p for f in options.folder for p in ([f] if f.is_file() else sorted(f.glob("*.conf")))]
    seeds = [f"{options.seed}-{number}" for number in range(options.random)]
    randomly = (
        verify_random(seed, kind, verifier) for kind in options.kind or COUNTED for seed in seeds
    )
    real = (verify(path, verifier) for path in paths)
    return report(chain(() if seeds else real, randomly))


def report(verified: Iterable[Verified]) -> int:
    """Print what was compared; the exit code is 1 where something is opened."""
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    requests = differing = opened = refused = 0
    for each in verified:
        states[each.state.partition(":")[0]] += 1
        requests += each.requests
        differing += len(each.differing)
        opened += each.opened
        refused += each.refused
        reasons.update(f"{e.reason} ({e.source.split()[0]})" for e in each.differing)
        print(each, flush=True)
    share = 100 * (requests - differing) / requests if requests else 0
    print(", ".join(f"{count} {state}" for state, count in sorted(states.items())))
    print(f"{requests} requests, {share:.2f} % identical, {opened} opened, {refused} refused")
    for reason, count in reasons.most_common(20):
        print(f"  {count} {reason}")
    return int(bool(opened))


if __name__ == "__main__":
    raise SystemExit(main())
