"""``manage.py wsgimatch compare``: a Django site under Apache and mod_wsgi, and under gunicorn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.both_servers import apache, gunicorn, needs_apache
from tests.support.small_projects import DjangoProject, SmallSite, manage, manage_here, write_site
from tests.support.trees import open_directory

PATTERNS = """\
path("", page, name="home"),
path("news/", page), path("archive/", page), path("archive/<int:year>/", year),
path("form/", form), path("login/", auth.LoginView.as_view(template_name="none.html")),
path("leave/", leave),
"""
VIEWS = """\
from django.http import HttpResponseRedirect
from django.template import RequestContext, Template
def form(request):
    text = Template("<form>{% csrf_token %}</form>").render(RequestContext(request))
    return HttpResponse(text)
def year(request, year):
    return page(request)
def leave(request):
    return HttpResponseRedirect(request.build_absolute_uri("/news/"))
"""
KEPT = (
    'script_alias_match("^/(news|archive|form|leave)", "scripts/blog.wsgi/$1", '
    'process_group="blog"),\n'
)
BELOW = 'script_alias("/blog", "scripts/blog.wsgi", process_group="blog"),\n'
TARGETS = (
    *("/news/", "/news", "/archive/", "/archive/2026/", "/archive/x/", "/form/", "/leave/"),
    *("/blog/", "/blog", "/blog/news/?a=b", "/blog/archive/2026", "/nothing", "/news/%2e%2e/form/"),
    *("//news//", "/blog/caf%C3%A9", "/newspaper", "/archive/2026/?q=%zz"),
)
LINES = """\
WSGIDaemonProcess blog threads=2 python-path={directory}:{packages}
WSGIProcessGroup blog
WSGIApplicationGroup %{{GLOBAL}}
WSGIScriptAliasMatch "^/(news|archive|form|leave)" "{directory}/scripts/blog.wsgi/$1"
WSGIScriptAlias /blog "{directory}/scripts/blog.wsgi"
"""
DISTRIBUTIONS = ("django",)


def write(directory: Path, aliases: str) -> None:
    """Write the site, with these aliases for gunicorn."""
    blog = DjangoProject(patterns=PATTERNS, views=VIEWS)
    # All are to wait for the group, which starts with the first request.
    more = "WSGIMATCH_FALLBACK = None\nWSGIMATCH_THREADS_PER_PLACE = None\n"
    site = SmallSite(aliases, {"blog": blog}, more=more)
    write_site(directory, site)
    (directory / "targets").write_text("\n".join(TARGETS) + "\n")


def compared(directory: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = manage(directory, "compare", *words, str(directory / "targets"), "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@needs_apache
@pytest.mark.thorough("test_with_one_alias_changed_exactly_its_urls_differ")
def test_the_same_site_under_apache_and_gunicorn_does_not_differ():
    with open_directory() as directory:
        write(directory, KEPT + BELOW)
        with apache(directory, LINES, DISTRIBUTIONS) as old, gunicorn(directory) as new:
            status, told = compared(directory, old, new)

    assert (status, told["different"]) == (0, [])
    assert told["requests"] == len(TARGETS)


@needs_apache
def test_with_one_alias_changed_exactly_its_urls_differ():
    changed = KEPT.replace("|archive", "")
    with open_directory() as directory:
        write(directory, changed + BELOW)
        with apache(directory, LINES, DISTRIBUTIONS) as old, gunicorn(directory) as new:
            status, told = compared(directory, old, new)

    differing = [each["target"] for each in told["different"]]
    assert (status, differing) == (1, [each for each in TARGETS if each.startswith("/archive")])


class SimpleSite(ThreadingHTTPServer):
    """A site that answers one path with its name, and keeps what it was sent."""

    def __init__(self, name: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.name = name
        self.seen: list[tuple[str, str, str]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers for a SimpleSite."""

    server: SimpleSite

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers["Host"], self.headers["Cookie"]))
        body = b"same" if self.path != "/other" else self.server.name
        asks = self.path == "/closed" and self.server.name == b"old"
        is_known = self.headers["Authorization"] or self.headers["Cookie"]
        self.send_response(401 if asks and not is_known else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def simple_site(name: bytes) -> Iterator[SimpleSite]:
    server = SimpleSite(name)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def pair(tmp_path):
    """Two sites that differ in one page, and a project to compare them with."""
    directory = write_site(tmp_path / "site", SmallSite('script_alias("/blog", "blog.wsgi"),\n'))
    with simple_site(b"old") as old, simple_site(b"new") as new:
        yield directory, old, new


def url(server: SimpleSite) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_what_differs_is_shown_below_the_alias_that_takes_it(pair):
    directory, old, new = pair
    (directory / "targets").write_text("/blog/a\n/other\n/blog/a\nwhat?\n")

    done = manage_here(directory, "compare", url(old), url(new), str(directory / "targets"))

    assert done.stdout.splitlines() == [
        "[0] WSGIScriptAlias /blog blog.wsgi: 0 of 1 differ",
        "no alias: 1 of 1 differ",
        "  GET /other",
        "    body, line 1",
        "      old: old",
        "      new: new",
        "By reason:",
        "  1 body",
        "2 requests, 1 differ; 1 line repeats another; 1 line was skipped.",
    ]
    assert done.stderr == "line 4: neither a path nor a line of an access log: what?\n"
    assert done.returncode == 1


def test_targets_go_out_as_they_are(pair):
    directory, old, new = pair
    targets = ["//a/%2F..", "/%zz", "/caf\xe9", "/a?b#c", "/x;y=1,2|3"]
    (directory / "targets").write_bytes("\n".join(targets).encode("latin-1"))
    words = ["--host", "www.example.org", "--send", "cookie: a=b", "--jobs", "1"]

    manage_here(directory, "compare", url(old), url(new), str(directory / "targets"), *words)

    # BaseHTTPRequestHandler makes one slash of those that a path begins with.
    paths = [each.replace("//a", "/a") for each in targets]
    sent = [(each, "www.example.org", cookie) for each in paths for cookie in ("a=b", None)]
    assert (old.seen, new.seen) == (sent, sent)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Authorization: Basic eDp5", id="a password"),
        pytest.param("authorization: Bearer x", id="a token"),
        pytest.param("Cookie: sessionid=x", id="a session"),
    ],
)
def test_a_page_that_no_longer_asks_who_it_is_differs_without_credentials(pair, header):
    directory, old, new = pair
    (directory / "targets").write_text("/closed\n/open\n")
    words = [url(old), url(new), str(directory / "targets"), "--send", header, "--json"]

    told = json.loads(manage_here(directory, "compare", *words).stdout)

    [different] = told["different"]
    assert different["target"] == "/closed"
    assert different["differences"] == [
        {"what": "status, without credentials", "old": "401", "new": "200"}
    ]


def test_what_differs_for_everybody_is_told_once(pair):
    directory, old, new = pair
    (directory / "targets").write_text("/other\n")
    words = [url(old), url(new), str(directory / "targets"), "--send", "Cookie: a=b", "--json"]

    told = json.loads(manage_here(directory, "compare", *words).stdout)

    assert [each["what"] for each in told["different"][0]["differences"]] == ["body, line 1"]


def test_another_header_is_sent_once(pair):
    directory, old, new = pair
    (directory / "targets").write_text("/a\n")
    words = [url(old), url(new), str(directory / "targets"), "--send", "X-Forwarded-Proto: https"]

    manage_here(directory, "compare", *words)

    assert len(old.seen) == len(new.seen) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(
            ["http://127.0.0.1:1", "http://127.0.0.1:1", "targets"],
            "CommandError: http://127.0.0.1:1 cannot be reached: ",
            id="nobody there",
        ),
        pytest.param(
            ["http://a/", "http://b", "nowhere"],
            "CommandError: nowhere: No such file or directory.",
            id="no file",
        ),
        pytest.param(
            ["http://a/blog", "http://b", "targets"],
            "CommandError: 'http://a/blog' should end after the host",
            id="a path in a URL",
        ),
        pytest.param(
            ["http://a", "http://b", "targets", "--ignore", "("],
            "CommandError: --ignore '(' is not a regular expression",
            id="a broken pattern",
        ),
        pytest.param(
            ["http://a", "http://b", "targets", "--send", "a\nb: c"],
            "CommandError: --send 'a\\nb: c' should be 'NAME: VALUE', a header",
            id="a broken header",
        ),
    ],
)
def test_what_cannot_be_compared(tmp_path, words, complaint):
    directory = write_site(tmp_path / "site", SmallSite(""))
    (directory / "targets").write_text("/\n")

    done = manage_here(directory, "compare", *words)

    assert done.stderr.startswith(complaint)
    assert done.returncode == 1
