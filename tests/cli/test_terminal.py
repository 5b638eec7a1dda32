"""What a subcommand leaves in a terminal of 80 columns and 24 lines: its result alone."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.screens import WIPE_UP, Screen, Shown, run_in_terminal
from tests.support.servers import environment
from tests.thorough import mostly_thorough

MANAGE = [sys.executable, "-m", "django", "wsgimatch"]
SETTINGS = """\
from pathlib import Path
from django_wsgimatch import script_alias, script_alias_match
BASE_DIR = Path(__file__).parent
SECRET_KEY = "x"
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "shop_urls"
WSGIMATCH_ALIASES = [
    script_alias("/a", "a.wsgi"),
    script_alias_match("(", "a.wsgi"),
    script_alias("/a/c", "a.wsgi"),
]
"""
REPORT = """\
┏━━━━━━━━━┳━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━┓
┃ becomes ┃ line        ┃ directive                      ┃ note     ┃
┡━━━━━━━━━╇━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━┩
│ kept    │ site.conf:1 │ WSGIScriptAlias /a /srv/a.wsgi │ an entry │
└─────────┴─────────────┴────────────────────────────────┴──────────┘
1 directive: 1 kept.
"""
APPLICATION = "def application(environ, start_response): ...\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("s")
    (directory / "shop_settings.py").write_text(SETTINGS)
    (directory / "shop_urls.py").write_text("urlpatterns = []\n")
    (directory / "a.wsgi").write_text(APPLICATION)
    (directory / "site.conf").write_text("WSGIScriptAlias /a /srv/a.wsgi\n")
    (directory / "urls").write_text("".join(f"/{number}\n" for number in range(200)))
    return directory


def manage(site: Path, *words: str, errors: str = "") -> Shown:
    """What a terminal shows after a subcommand, whose standard error may go to another file."""
    environ = environment("shop_settings", PYTHONWARNINGS="ignore")
    environ["PYTHONPATH"] += f":{site}"
    command = shlex.join([*MANAGE, *words]) + (f" 2>{errors}" if errors else "")
    return run_in_terminal(["/bin/sh", "-c", command], site, environ)


@contextmanager
def listening(status: int) -> Iterator[str]:
    """A site that gives each request the same answer."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_check_leaves_its_findings(site):
    result = manage(site, "check", errors="/dev/null")

    shown = manage(site, "check")

    assert shown.text == result.text
    assert [line for line in shown.text.splitlines() if "wsgimatch." in line] == [
        "ERROR wsgimatch.E003 WSGIMATCH_ALIASES[1]: Regular expression could not be",
        "WARNING wsgimatch.W006 WSGIMATCH_ALIASES[2]: no URL reaches '/a/c':",
    ]
    assert shown.text.endswith("\n1 error, 1 warning.\n")
    assert shown.status == 1


def test_import_leaves_its_report(site):
    shown = manage(site, "import", "site.conf", "--output", "imported.py")

    assert shown.text == REPORT
    assert shown.status == 0


def test_compare_leaves_what_differs(site):
    with listening(404) as old, listening(404) as new:
        shown = manage(site, "compare", old, new, "urls")

    assert shown.text == "no alias: 0 of 200 differ\n200 requests, 0 differ.\n"
    assert shown.status == 0


@pytest.mark.parametrize(
    ("words", "progress"),
    mostly_thorough(
        [
            pytest.param(["check"], ["entries", "targets", "urls"], id="check"),
            pytest.param(["compare", "{old}", "{new}", "urls"], ["Comparing"], id="compare"),
        ]
    ),
)
def test_how_far_it_is_takes_one_line(site, words, progress):
    with listening(404) as old, listening(404) as new:
        shown = manage(site, *(word.format(old=old, new=new) for word in words))

    assert all(f"{what} " in shown.output for what in progress)
    assert WIPE_UP not in shown.output


@pytest.mark.parametrize(
    ("output", "text"),
    [
        pytest.param("a\r\nb\r\x1b[2K\x1b[1A\x1b[2Kc\r\n", "c\n", id="two lines wiped out"),
        pytest.param("a\r\n\x1b[31mb\x1b[0m", "a\nb", id="a colour"),
        pytest.param("a" * 81, f"{'a' * 80}\na", id="a line that is too long"),
        pytest.param("bar 10%\r\n\rbar 20%\r\n", "bar 10%\nbar 20%\n", id="a bar that stays"),
        pytest.param("bar\r\n\x1b[1Aa", "aar\n", id="a line that is left below"),
    ],
)
def test_the_screen_is_a_terminal_s(output, text):
    screen = Screen()

    screen.feed(output)

    assert screen.text() == text
