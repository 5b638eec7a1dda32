"""
Real configurations: what Apache with mod_wsgi answers, and what it does after an export.

``python -m tests.conformance.exports [FOLDER]`` runs each file of a folder in a private Apache, its
export in the same Apache before a real gunicorn with the imported settings, and asks both all that
is made of the configuration: with credentials and without. A URL that Apache protects and the
export does not is opened.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django_wsgimatch.apache.importing import import_configuration, kind_of_file
from django_wsgimatch.apache.lines.directive import ApacheConfiguration, Surroundings
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.comparing.http_client import KeptConnections, Manner, Response, Site, ask
from django_wsgimatch.comparing.rules import is_own_page
from django_wsgimatch.comparing.targets import Request
from django_wsgimatch.exceptions import FrontError
from django_wsgimatch.fronts.apache.export import Exported, export_configuration
from django_wsgimatch.fronts.backend import read_backend
from django_wsgimatch.fronts.questions.questions import Question, questions_of
from tests.conformance.apache_site import WITH_RULES, ApacheSite, NotLoadable, make_site
from tests.conformance.imports import CONFIGURATIONS, write_scripts
from tests.conformance.silence import write_files
from tests.support.both_servers import gunicorn
from tests.support.oracle import (
    APACHE,
    HOW_TO_INSTALL,
    INSTALLED,
    LOADED,
    ApacheFailed,
    answers,
    end_session,
)
from tests.support.trees import PROBE, open_directory

LOADED_HERE = (*WITH_RULES, "headers", "expires", "proxy", "proxy_http", "authz_owner")
# What it tells of each request, beside what all probes do.
TOLD = ("REMOTE_ADDR", "REMOTE_USER", "AUTH_TYPE", "HTTP_HOST", "wsgi.url_scheme")
RUNNING_PROBE = PROBE.replace(
    '"HTTP_AUTHORIZATION")', '"HTTP_AUTHORIZATION", ' + ", ".join(f'"{n}"' for n in TOLD) + ")"
)
USER, PASSWORD = "somebody", "secret"
# openssl passwd -apr1 -salt saltsalt secret
PASSWORD_LINE = f"{USER}:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n"
CREDENTIALS = ("Authorization", "Basic c29tZWJvZHk6c2VjcmV0")
_PASSWORDS = re.compile(r"^(\s*AuthUserFile\s+)\S+", re.IGNORECASE | re.MULTILINE)
_MOST = 900
SETTINGS = """\
SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
BASE_DIR = "/"
INSTALLED_APPS = ["django_wsgimatch"]
"""


@dataclass(frozen=True, slots=True)
class Differing:
    """A request that the two sites answer in different ways."""

    port: int
    request: Request
    source: str
    old: Response
    new: Response

    @property
    def is_opened(self) -> bool:
        """Whether an application answers what Apache kept people out of, or answered itself."""
        is_kept = self.old.status in (401, 403, 404, 405, 410) or 300 <= self.old.status < 400
        return is_kept and not is_told(self.old) and is_told(self.new)

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


def is_told(response: Response) -> bool:
    """Whether the probe answers."""
    return response.status == 200 and response.body.startswith(b'{"SCRIPT_NAME"')


def _shown(response: Response) -> str:
    return response.body[:400].decode("latin-1").replace("\n", "\\n")


def verify(path: Path) -> Verified:
    """Compare a real configuration with its export."""
    with open_directory() as directory:
        text = _PASSWORDS.sub(rf"\g<1>{directory}/passwords", path.read_text("latin-1"))
        if read_text(text, path.name, Surroundings()).refusals:
            return Verified(path.name, "unreadable")
        try:
            site = make_site(text, directory, with_rules=True, modules=LOADED_HERE)
            return verify_site(path.name, site)
        except (NotLoadable, ApacheFailed) as error:
            return Verified(path.name, f"not loadable: {str(error)[-300:]}")
        except FrontError as error:
            return Verified(path.name, f"not exported: {error}")


def verify_site(name: str, site: ApacheSite, to: str = "") -> Verified:
    """Compare a site that Apache takes with its export; ``to`` is a socket, a port by default."""
    _write_passwords(site.directory)
    configuration = _prepare(site)
    found = Verified(name, "compared")
    asked = [
        (port, each)
        for port in site.ports.values()
        for each in questions_of(configuration, kind_of_file)
    ]
    asked = asked[:: len(asked) // _MOST + 1]
    original = site.text
    with _apache(site, site.text):
        old = _ask_all(asked)
    imported = import_configuration(configuration, is_open=True)
    assert imported.settings is not None
    own = site.directory / "own"
    own.mkdir(exist_ok=True)
    fragment = "\n".join(python_lines(imported.settings, "site.conf"))
    with ExitStack() as stack:
        (own / "settings.py").write_text(f"{SETTINGS}{fragment}\n")
        with_backend = exported_text(site, configuration, "http://127.0.0.1:1")
        (own / "settings.py").write_text(
            "\n".join([SETTINGS, fragment, *with_backend.settings]) + "\n"
        )
        url = stack.enter_context(gunicorn(site.directory))
        exported = exported_text(site, configuration, url)
        found.refused = len(exported.refused) + exported.text.count("# Refused: ")
        stack.enter_context(_apache(site, exported.text))
        new = _ask_all(asked)
    site.text = original
    _judge(found, asked, old, new)
    return found


def exported_text(site: ApacheSite, configuration: ApacheConfiguration, to: str) -> Exported:
    """Return the export of a site to a server."""
    return export_configuration(configuration, site.text, str(site.file), read_backend(to))


def _write_passwords(directory: Path) -> None:
    (directory / "passwords").write_text(PASSWORD_LINE)


def _prepare(site: ApacheSite) -> ApacheConfiguration:
    """Write what the configuration leads to, and return it as it is read."""
    modules = frozenset([*LOADED, *site.modules, "wsgi", "macro"])
    configuration = read_text(site.text, str(site.file), Surroundings(modules=modules))
    write_files(configuration, site.directory)
    # Only the second time the scripts are there, as they are for Apache.
    for _ in range(2):
        imported = import_configuration(configuration, is_open=True)
        assert imported.settings is not None
        write_scripts(imported.settings, site.directory, RUNNING_PROBE)
    (site.directory / "empty").mkdir(exist_ok=True)
    return configuration


@contextmanager
def _apache(site: ApacheSite, text: str) -> Iterator[None]:
    """Run an Apache with a text in the place of the site's."""
    site.text = text
    site.write()
    main = site.main.read_text().replace("WSGIRestrictEmbedded On", "WSGIRestrictEmbedded Off")
    if not re.search(r"^\s*WSGI", text, re.MULTILINE):
        main = re.sub(r"^(WSGI.*|LoadModule wsgi.*)\n", "", main, flags=re.MULTILINE)
    site.main.write_text(main)
    log = site.directory / "error.log"
    log.touch()
    process = subprocess.Popen(
        [str(APACHE), "-D", "FOREGROUND", "-f", str(site.main)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(site.directory / "start.log").open("wb"),
        start_new_session=True,
    )
    try:
        while not all(map(answers, site.ports.values())):
            if process.poll() is not None:
                said = (site.directory / "start.log").read_text() + log.read_text("latin-1")
                raise ApacheFailed(said)
        yield
    finally:
        end_session(process)


def _ask_all(asked: Sequence[tuple[int, Question]]) -> list[tuple[Response, Response]]:
    """Ask everything twice: as nobody, and as somebody with a password."""
    kept = KeptConnections()
    found = []
    for port, question in asked:
        site = Site("http", "127.0.0.1", port)
        request = Request("GET", question.target, question.host)
        nobody = ask(site, request, Manner(), kept)
        found.append((nobody, ask(site, request, Manner(headers=(CREDENTIALS,)), kept)))
    return found


def _judge(
    found: Verified,
    asked: Sequence[tuple[int, Question]],
    old: Sequence[tuple[Response, Response]],
    new: Sequence[tuple[Response, Response]],
) -> None:
    for (port, question), before, after in zip(asked, old, new, strict=True):
        for who, first, second in zip(("", " as somebody"), before, after, strict=True):
            found.requests += 1
            if _said(first) != _said(second):
                request = Request("GET", question.target, f"{question.host}{who}")
                source = " ".join(question.source.split())[:80]
                found.differing.append(Differing(port, request, source, first, second))


def _said(response: Response) -> tuple[object, ...]:
    """What counts of a response: its status, two headers, and what stands in it."""
    headers = {name.lower(): value for name, value in response.headers}
    is_own = is_own_page(response) or 300 <= response.status < 400
    body = b"" if is_own else response.body
    told = map(headers.get, ("location", "www-authenticate"))
    return (response.failure, response.status, *told, body)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare configurations with their exports.")
    parser.add_argument("folder", nargs="*", type=Path, default=[CONFIGURATIONS])
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    paths = [p for f in options.folder for p in ([f] if f.is_file() else sorted(f.glob("*.conf")))]
    return report(map(verify, paths))


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
        reasons.update(other.reason for other in each.differing)
        print(each, flush=True)
    share = 100 * (requests - differing) / requests if requests else 0
    print(", ".join(f"{count} {state}" for state, count in sorted(states.items())))
    print(f"{requests} requests, {share:.2f} % identical, {opened} opened, {refused} refused")
    for reason, count in reasons.most_common(20):
        print(f"  {count} {reason}")
    return int(bool(opened))


if __name__ == "__main__":
    raise SystemExit(main())
