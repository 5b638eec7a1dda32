"""
What stands around applications and files: imported sites beside Apache with mod_wsgi.

``python -m tests.conformance.around.extras`` makes random virtual hosts with SetEnv, Header,
Expires, AddDefaultCharset and LimitRequestBody in sections of all kinds, imports them, and compares
what applications are told, the headers of responses, and how long a request's body may be. What the
import says it cannot tell is left out, and counted.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from tests.answers.scripts import OBEDIENT
from tests.conformance.around.command import read_seeds, with_differences
from tests.conformance.around.random_extras import (
    CHANGED,
    TREE,
    VARIABLES,
    random_extras,
    random_extras_target,
    random_server_extras,
)
from tests.conformance.imports import settings_of
from tests.support.both_servers import apache
from tests.support.oracle import MODULES, as_apache
from tests.support.trees import open_directory
from tests.support.wsgi import Answer, get

HOSTS, TARGETS = 40, 12
# When all files were changed: sixty years later is still to come.
CHANGED_AT = 1_000_000_000
_MODULES = ("env", "headers", "expires", "alias", "mime", "dir")
_NAMES = {"expires", *(name.lower() for name in CHANGED)}
_GROUP = "mod_wsgi.application_group"
# What the application of a request sends, and the body that it reads.
_OWN = (
    "",
    "X-A=own;Vary=Cookie;Set-Cookie=a=1;Cache-Control=private",
    "X-B=1;X-B=2;ETag=own",
    "Expires=0",
)
_TYPES = ("text/html", "text/html; charset=x", "text/css")
_STATUSES = ("200 OK", "200 OK", "404 Not Found", "302 Found")


@dataclass(frozen=True, slots=True)
class ExtrasQuestion:
    """A request, and what its application is to answer."""

    host: str
    target: str
    own: str = ""
    type: str = "text/html"
    status: str = "200 OK"
    body: bytes = b""
    known: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        told = {"X-Send": self.own, "X-Type": self.type, "X-Status": self.status}
        told["If-None-Match"] = self.known
        return {name: value for name, value in told.items() if value}


# A status, the headers in question, and what the application was told.
Told = tuple[int, list[tuple[str, str]], dict[str, str | None] | None]


@dataclass(slots=True)
class ExtrasComparison:
    """What became of some virtual hosts: the requests, those to scripts, and the differences."""

    name: str
    requests: int = 0
    to_scripts: int = 0
    left_out: int = 0
    differences: list[tuple[ExtrasQuestion, Told, Told]] = field(default_factory=list)

    def __str__(self) -> str:
        counts = (
            f"{self.name}: {self.requests} requests, "
            f"{self.to_scripts} of them to scripts, {self.left_out} hosts left out"
        )
        return with_differences(counts, self.differences)


def compare_extras(seed: str, hosts: int) -> ExtrasComparison:
    """Compare what Apache and the import make of random virtual hosts."""
    rng = Random(seed)
    compared = ExtrasComparison(f"{hosts} random virtual hosts, seed {seed}")
    with open_directory() as directory:
        root = directory / "tree"
        for name in TREE:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(OBEDIENT if name.endswith(".wsgi") else "a file")
            os.utime(root / name, (CHANGED_AT, CHANGED_AT))
        lines, starts = [*random_server_extras(rng)], {}
        for number in range(hosts):
            starts[f"host{number}.test"] = len(lines) + 1
            lines += ["<VirtualHost *>", f"ServerName host{number}.test"]
            lines += [*random_extras(rng), "</VirtualHost>"]
        text = "\n".join(lines).replace("{ROOT}", str(root))
        (directory / "site.conf").write_bytes(text.encode("latin-1"))
        imported = import_configuration(read_file(str(directory / "site.conf"), Surroundings()))
        told = hosts_told(imported, starts)
        compared.left_out = hosts - len(told)
        asked = [_question(rng, host) for host in told for _ in range(TARGETS)]
        _ask_both(compared, directory, imported, asked)
    return compared


def hosts_told(imported: Imported, starts: dict[str, int]) -> list[str]:
    """The hosts of which the import leaves nothing to the user."""
    left = [each.spot.line for each in imported.outcomes if each.category == "needs you"]
    ends = [*starts.values(), sys.maxsize]
    if any(line < ends[0] for line in left):
        return []
    return [
        host
        for number, host in enumerate(starts)
        if not any(ends[number] <= line < ends[number + 1] for line in left)
    ]


def _question(rng: Random, host: str) -> ExtrasQuestion:
    target = random_extras_target(rng)
    body = b"x" * rng.choice((0, 0, 0, 4, 6, 101))
    given = (rng.choice(_OWN), rng.choice(_TYPES), rng.choice(_STATUSES))
    known = rng.choice(("", "", "*")) if not body else ""
    return ExtrasQuestion(host, target, *given, body, known)


def _ask_both(
    compared: ExtrasComparison,
    directory: Path,
    imported: Imported,
    asked: Sequence[ExtrasQuestion],
) -> None:
    assert imported.settings is not None
    (directory / "nothing").mkdir()
    (directory / "mime.types").write_text("text/html html\ntext/plain txt\ntext/css css\n")
    modules = "".join(f"LoadModule {n}_module {MODULES}/mod_{n}.so\n" for n in _MODULES)
    # Debian's Apache has a folder of files where nobody names one.
    modules += f"DocumentRoot {directory}/nothing\nTypesConfig {directory}/mime.types\n"
    lines = f'{modules}Include "{directory}/site.conf"\n'
    with apache(directory, lines, ()) as address:
        theirs = [_ask_apache(address, each) for each in asked]
    with settings_of(imported.settings), as_apache():
        configured = configuration()
        configured.require()
        values = configured.values
        application = Dispatcher(
            configured.table, rules=configured.rules, server_name=values["SERVER_NAME"]
        )
        for each, answer in zip(asked, theirs, strict=True):
            ours = _ask_us(application, each)
            compared.requests += 1
            compared.to_scripts += answer[2] is not None
            # Files have no limit here: nobody reads what is sent to them.
            is_limited = answer[0] == 413 and ours[2] is None
            # What no entry answers has no headers here.
            is_nobody_s = answer[0] == ours[0] == 404 and answer[2] is None
            if ours != answer and not is_limited and not is_nobody_s:
                compared.differences.append((each, ours, answer))


def _ask_apache(address: str, asked: ExtrasQuestion) -> Told:
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        method = "POST" if asked.body else "GET"
        headers = {"Host": asked.host, **asked.headers}
        connection.request(method, asked.target, asked.body or None, headers)
        response = connection.getresponse()
        return _told(response.status, response.getheaders(), response.read())


def _ask_us(application: Dispatcher, asked: ExtrasQuestion) -> Told:
    body: dict[str, object] = {"wsgi.input": io.BytesIO(asked.body)}
    if asked.body:
        body |= {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(asked.body))}
    found: Answer = get(
        application, asked.target, HTTP_HOST=asked.host, headers=asked.headers, **body
    )
    return _told(found.code, found.headers, found.body)


def _told(status: int, headers: Sequence[tuple[str, str]], body: bytes) -> Told:
    """What is compared: when a response expires depends on the clock, an ETag on the file."""
    shown = sorted(
        (name.lower(), _shown(name.lower(), value))
        for name, value in headers
        if name.lower() in _NAMES
    )
    # Apache puts what Vary names into one header, each name once.
    vary = {word.strip() for name, value in shown if name == "vary" for word in value.split(",")}
    shown = [each for each in shown if each[0] != "vary"] + [
        ("vary", word) for word in sorted(vary)
    ]
    # The page of an error is the server's own.
    is_page = status >= 300 and not body.startswith(b"{")
    shown = [each for each in shown if not (is_page and each[0] == "content-type")]
    return status, shown, _variables(body)


def _shown(name: str, value: str) -> str:
    if name == "expires" and value.endswith("GMT"):
        return "soon"
    if name == "cache-control":
        # What counts from the change of a file on is another number in the next second.
        return re.sub(r"max-age=\d{8,}", "max-age=long", value)
    return "a tag" if name == "etag" and '"' in value else value


def _variables(body: bytes) -> dict[str, str | None] | None:
    if not body.startswith(b"{"):
        return None
    told = json.loads(body)
    names = (*(name for name in VARIABLES if name != "DOCUMENT_ROOT"), "wsgi.url_scheme", _GROUP)
    return {name: told.get(name) for name in (*names, "SCRIPT_NAME", "PATH_INFO", "body")}


def main(arguments: Sequence[str] | None = None) -> int:
    seeds = read_seeds("Compare what stands around applications.", arguments, random=20)
    if seeds is None:
        return 2
    found = [compare_extras(seed, HOSTS) for seed in seeds]
    print("\n".join(map(str, found)))
    requests, differences = (
        sum(each.requests for each in found),
        sum(len(each.differences) for each in found),
    )
    print(f"{requests} requests, {differences} differences")
    return int(differences > 0)


if __name__ == "__main__":
    raise SystemExit(main())
