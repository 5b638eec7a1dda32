"""The demonstration site, set up by its own commands and served by gunicorn."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPMessage
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent
from typing import Any
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.rst").read_text()
ENTRY = "django_wsgimatch.wsgi"

pytestmark = pytest.mark.skipif(
    find_spec("photologue") is None,
    reason="the site needs django-photologue: pip install django-wsgimatch[demo]",
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Site:
    port: int
    environ: dict[str, str]
    # What the command said that filled it.
    said: list[str] = field(default_factory=list)

    def get(self, target: str, headers: dict[str, str] | None = None) -> Answer:
        return self.send("GET", target, headers=headers)

    def send(
        self, method: str, target: str, body: str = "", headers: dict[str, str] | None = None
    ) -> Answer:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    var = tmp_path_factory.mktemp("var")
    environ = {**os.environ, "TESTPROJECT_VAR": str(var)}
    # The entry finds the settings by itself, as for any project with a manage.py.
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    # The listening socket exists before the server: a request waits until it is answered.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = Site(listener.getsockname()[1], environ)
        site.manage("migrate", "--verbosity", "0")
        site.said.append(site.manage("demo", "--no-elsewhere"))
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", ENTRY],
            cwd=ROOT,
            env=environ,
            pass_fds=[listener.fileno()],
        )
    try:
        yield site
    finally:
        server.terminate()
        server.wait(timeout=60)


class Page(HTMLParser):
    """The links and images of a page, and the cells of its tables, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("a", "link"):
            self.links.append(values["href"] or "")
        elif tag == "img":
            self.images.append(values["src"] or "")
        elif tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data.strip()


def explained(site: Site, target: str) -> list[str]:
    """The row of the front page that says what answers a target."""
    page = Page(site.get("/?" + urlencode({"url": target})).text)
    return next(row for row in page.rows if row and row[0] == target)


@pytest.mark.parametrize(
    ("target", "row"),
    [
        pytest.param(
            "/photologue/gallerylist/",
            ["scripts/wsgi_handler.py", '""', '"/photologue/gallerylist/"'],
            id="the handler gets the whole path",
        ),
        pytest.param(
            "/api/dusk/", ["scripts/django.wsgi", '""', '"/api/dusk/"'], id="/api stays in front"
        ),
        pytest.param(
            "/wsgi-scripts/hello/you",
            ["wsgi-scripts/hello.wsgi", '"/wsgi-scripts/hello"', '"/you"'],
            id="the capture names the script",
        ),
    ],
)
def test_front_page_says_what_answers(site, target, row):
    answer = explained(site, target)

    assert answer == [target, *row]


def test_front_page_explains_what_is_not_found(site):
    answer = site.get("/?" + urlencode({"url": "/wsgi-scripts/nobody"}))

    assert "404" in answer.text
    assert "nobody.wsgi" in answer.text


def test_a_script_sees_what_the_front_page_said(site):
    target = "/wsgi-scripts/environ/some/path"
    _, _, script_name, path_info = explained(site, target)

    environ = site.get(target).text

    assert f"SCRIPT_NAME = {script_name}\n" in environ
    assert f"PATH_INFO = {path_info}\n" in environ


@pytest.mark.parametrize("path", ["/", "/photologue/gallerylist/", "/photologue/gallery/dusk/"])
def test_no_link_of_a_page_is_broken(site, path):
    page = Page(site.get(path).text)

    statuses = {link: site.get(link).status for link in page.links if "nobody" not in link}

    assert {link: status for link, status in statuses.items() if status >= 400} == {}


def test_gallery_shows_its_pictures(site):
    page = Page(site.get("/photologue/gallery/dusk/").text)

    types = [site.get(image).headers["Content-Type"] for image in page.images]

    assert types == ["image/jpeg"] * 6


def test_api_lists_the_galleries(site):
    answer = site.get("/api/", {"Host": "example.org"})

    assert re.findall(r'"url": "([^"]*)"', answer.text) == [
        "http://example.org/api/dusk/",
        "http://example.org/api/noon/",
        "http://example.org/api/morning/",
    ]


def test_demo_changes_nothing_the_second_time(site):
    galleries = site.get("/api/dusk/").text

    said_again = site.manage("demo", "--no-elsewhere")

    assert [said_again] == site.said
    assert site.get("/api/dusk/").text == galleries


def test_the_printed_password_opens_the_admin(site):
    [password] = re.findall(r"user admin, password (\S+)", *site.said)
    form = site.get("/admin/login/")
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    cookie = form.headers["Set-Cookie"].partition(";")[0]

    answer = site.send(
        "POST",
        "/admin/login/?next=/admin/",
        urlencode({"username": "admin", "password": password, "csrfmiddlewaretoken": token}),
        {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
    )

    assert (answer.status, answer.headers["Location"]) == (302, "/admin/")


def test_secrets_are_their_owners_only(site):
    var = Path(site.environ["TESTPROJECT_VAR"])

    modes = {path.name: path.stat().st_mode & 0o777 for path in var.glob("*-*")}

    assert modes == {
        "admin-password": 0o600,
        "guestbook-secret": 0o600,
        "secret-key": 0o600,
    }


def test_readme_shows_the_table_of_the_site():
    settings = (ROOT / "testproject" / "settings.py").read_text()
    table = settings[settings.index("WSGIMATCH_ALIASES") :].partition("\n\n")[0] + "\n"

    assert indent(table, "    ") in README


def test_readme_shows_what_preview_says(site):
    said = site.manage("wsgimatch", "preview", "/wsgi-scripts/hello/you")

    assert indent(said.replace(str(ROOT), "/home/me/django-wsgimatch"), "    ") in README


def test_no_link_of_the_readme_is_broken():
    links = re.findall(r"`[^`<]+ <([^>]+)>`_", README)

    assert [link for link in links if not (ROOT / link).is_file()] == []


# The neighbours


def place(site: Site, prefix: str) -> dict[str, Any]:
    """Who answers below a prefix, by its own account."""
    answer = site.get(f"{prefix}/place")
    assert answer.status == 200, answer.text
    told: dict[str, Any] = json.loads(answer.body)
    return told


@pytest.mark.parametrize(
    ("prefix", "groups"),
    [
        pytest.param("/guestbook", ("guestbook", ""), id="another project"),
        pytest.param("/elsewhere", ("elsewhere", ""), id="another virtual environment"),
        pytest.param("/red", ("", "red"), id="an application group"),
        pytest.param("/blue", ("", "blue"), id="another application group"),
    ],
)
def test_neighbour_answers_from_its_place(site, prefix, groups):
    told = place(site, prefix)

    assert (told["process_group"], told["application_group"]) == groups


def test_neighbours_share_no_process(site):
    prefixes = ("/guestbook", "/elsewhere", "/red", "/blue", "/tenant-amber", "/tenant-birch")

    pids = {place(site, prefix)["pid"] for prefix in prefixes}

    assert len(pids) == len(prefixes)


def test_neighbour_has_settings_of_its_own(site):
    assert place(site, "/guestbook")["settings"] == "guestbook.settings"
    assert place(site, "/red")["settings"] is None


def test_guestbook_keeps_what_is_written_below_its_prefix(site):
    page = site.get("/guestbook/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = urlencode({"csrfmiddlewaretoken": token[1], "name": "Ann", "text": "was here"})
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}

    written = site.send("POST", "/guestbook/", form, headers)

    assert (written.status, written.headers["Location"]) == (302, "/guestbook/")
    assert "<b>Ann</b>: was here" in site.get("/guestbook/").text


def test_front_page_asks_every_neighbour(site):
    asked = re.findall(r'data-place="([^"]+)"', site.get("/").text)

    statuses = {url: site.get(url).status for url in asked}

    assert statuses == dict.fromkeys(asked, 200)
    assert len(asked) == 6
