"""
Pages of errors: imported ErrorDocument lines beside Apache with mod_wsgi.

``python -m tests.conformance.around.error_pages`` makes random sites, imports them, and compares
what clients get in place of Apache's own page, and what the application of a page is told.
"""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.settings import Settings
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.server.error_pages import ErrorPages
from tests.conformance.around.command import read_seeds, with_differences
from tests.conformance.around.random_error_pages import (
    TREE,
    USERS,
    random_error_pages,
    random_error_request,
)
from tests.conformance.imports import settings_of
from tests.conformance.sites.gates import gate_before
from tests.support.both_servers import apache
from tests.support.oracle import MODULES
from tests.support.trees import open_directory
from tests.support.wsgi import get

SITES, REQUESTS = 30, 40
_MODULES = (
    *("alias", "dir", "mime", "env", "headers", "auth_basic", "authn_core", "authn_file"),
    "authz_user",
)
# Tells what it is told, with the status that its query asks for.
_TELL = """\
import json

def application(environ, start_response):
    query = environ.get("QUERY_STRING", "")
    status = query.partition("s=")[2][:3] or "200"
    start_response(f"{status} Own", [("Content-Type", "text/x-told"), ("X-Own", "1")])
    told = {name: value for name, value in environ.items() if type(value) is str}
    environ["wsgi.input"].read(100)
    return [json.dumps(told).encode()]
"""
_HEADERS = (
    *("allow", "www-authenticate", "location", "x-own", "accept-ranges"),
    *("content-range", "retry-after", "etag", "last-modified"),
)
_TOLD = (
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REDIRECT_STATUS"),
    *("REDIRECT_URL", "REDIRECT_QUERY_STRING", "REDIRECT_REQUEST_METHOD", "REMOTE_USER"),
)


@dataclass(frozen=True, slots=True)
class ErrorQuestion:
    """A request to one of the sites."""

    host: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client gets: of a server's own page that it is one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(slots=True)
class ErrorComparison:
    """What became of some sites: the requests, those that got a page, and the differences."""

    name: str
    requests: int = 0
    pages: int = 0
    differences: list[tuple[ErrorQuestion, Shown, Shown]] = field(default_factory=list)

    def __str__(self) -> str:
        counts = f"{self.name}: {self.requests} requests, {self.pages} answered by a page"
        return with_differences(counts, self.differences)


def compare_error_pages(seed: str, sites: int) -> ErrorComparison:
    """Compare what Apache and the import of random sites make of requests that end in errors."""
    rng = Random(seed)
    compared = ErrorComparison(f"{sites} random sites, seed {seed}")
    with open_directory() as directory:
        root = directory / "tree"
        _write_tree(root)
        texts = [random_error_pages(rng).replace("{ROOT}", str(root)) for _ in range(sites)]
        asked = [
            [
                ErrorQuestion(f"site{number}.test", *random_error_request(rng))
                for _ in range(REQUESTS)
            ]
            for number in range(sites)
        ]
        with apache(directory, _lines(directory, texts), ()) as address:
            theirs = [[_ask_apache(address, each) for each in site] for site in asked]
        for number, text in enumerate(texts):
            found = directory / f"site{number}.conf"
            found.write_bytes(text.encode("latin-1"))
            imported = import_configuration(read_file(str(found), Surroundings())).settings
            assert imported is not None
            _compare(compared, imported, asked[number], theirs[number])
    return compared


def _write_tree(root: Path) -> None:
    for name, text in {**TREE, "tell.wsgi": _TELL, "users": USERS}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _lines(directory: Path, texts: Sequence[str]) -> str:
    (directory / "nothing").mkdir()
    (directory / "mime.types").write_text("text/html html\ntext/plain txt\n")
    lines = "".join(f"LoadModule {n}_module {MODULES}/mod_{n}.so\n" for n in _MODULES)
    lines += f"DocumentRoot {directory}/nothing\nTypesConfig {directory}/mime.types\n"
    for number, text in enumerate(texts):
        (directory / f"host{number}.conf").write_bytes(text.encode("latin-1"))
        lines += f"<VirtualHost *>\nServerName site{number}.test\n"
        lines += f'Include "{directory}/host{number}.conf"\n</VirtualHost>\n'
    return lines


def _compare(
    compared: ErrorComparison,
    imported: Settings,
    asked: Sequence[ErrorQuestion],
    theirs: Sequence[Shown],
) -> None:
    with settings_of(imported):
        configured = configuration()
        configured.require()
        dispatcher = Dispatcher(configured.table, rules=configured.rules)
        application = ErrorPages(gate_before(configured, dispatcher), configured.error_pages)
        for each, answer in zip(asked, theirs, strict=True):
            ours = _ask_us(application, each)
            compared.requests += 1
            compared.pages += answer.status >= 400 and answer.body != "built-in"
            if not _is_alike(ours, answer):
                compared.differences.append((each, ours, answer))


def _is_alike(ours: Shown, theirs: Shown) -> bool:
    """Whether both answer alike, except for what the page of differences names."""
    names = [dict(each.headers) for each in (ours, theirs)]
    for headers in names:
        # Which login was asked for by the request of the page.
        if theirs.status != 401:
            headers.pop("www-authenticate", None)
    # RFC 9110 15.5.6 wants it, whatever page is sent.
    if "allow" not in names[1]:
        names[0].pop("allow", None)
    return names[0] == names[1] and (ours.status, ours.body) == (theirs.status, theirs.body)


def _ask_apache(address: str, asked: ErrorQuestion) -> Shown:
    shown = _asked_once(address, asked)
    if shown.status != 200 or ("x-own", "1") not in shown.headers:
        return shown
    # Of an application that says 200 Apache sends that; here the status of the error stays.
    whole = _asked_once(address, replace(asked, method="GET")) if asked.method == "HEAD" else shown
    status = json.loads(whole.body)["REDIRECT_STATUS"]
    return replace(shown, status=int(status)) if status else shown


def _asked_once(address: str, asked: ErrorQuestion) -> Shown:
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        headers = {"Host": asked.host, **asked.headers}
        connection.request(asked.method, asked.target, asked.body or None, headers)
        response = connection.getresponse()
        return _shown(asked, response.status, response.getheaders(), response.read())


def _ask_us(application: ErrorPages, asked: ErrorQuestion) -> Shown:
    more: dict[str, object] = {"wsgi.input": io.BytesIO(asked.body)}
    if asked.body:
        more["CONTENT_LENGTH"] = str(len(asked.body))
    found = get(
        application,
        asked.target,
        method=asked.method,
        headers={**asked.headers, "Host": asked.host},
        **more,
    )
    return _shown(asked, found.code, found.headers, found.body)


def _shown(
    asked: ErrorQuestion, status: int, headers: Sequence[tuple[str, str]], body: bytes
) -> Shown:
    given = {name.lower(): value for name, value in headers}
    kept = {name: given[name] for name in _HEADERS if name in given}
    kept |= {name: "some" for name in ("etag", "last-modified", "allow") if name in kept}
    told = body.decode("latin-1")
    if given.get("content-type", "").startswith("text/x-told"):
        said = json.loads(told) if told else {}
        # Apache has an empty query where the script has been found, and none before.
        told = json.dumps({name: said.get(name) or "" for name in _TOLD})
    elif "<!doctype html" in told.lower():
        told = "built-in"
    else:
        kept["content-type"] = given.get("content-type", "")
    if asked.method == "HEAD":
        # gunicorn sends no body of an application, either.
        kept.pop("content-type", None)
        told = ""
    return Shown(status, tuple(sorted(kept.items())), told)


def main(arguments: Sequence[str] | None = None) -> int:
    seeds = read_seeds("Compare pages of errors.", arguments, random=4)
    if seeds is None:
        return 2
    found = [compare_error_pages(seed, SITES) for seed in seeds]
    print("\n".join(map(str, found)))
    requests, pages, differences = (
        sum(each.requests for each in found),
        sum(each.pages for each in found),
        sum(len(each.differences) for each in found),
    )
    print(f"{requests} requests, {pages} answered by a page, {differences} differences")
    return int(differences > 0)


if __name__ == "__main__":
    raise SystemExit(main())
