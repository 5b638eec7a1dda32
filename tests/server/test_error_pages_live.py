"""Pages of the settings under a real gunicorn: those of its own process, and those of groups."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.groups import PLAIN, site
from tests.support.servers import GRANIAN, WAITRESS
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

TELL = """\
import json

def application(environ, start_response):
    if environ["PATH_INFO"] == "/raise":
        raise ValueError("as asked")
    told = {name: value for name, value in environ.items() if type(value) is str}
    told["body"] = environ["wsgi.input"].read().decode()
    body = json.dumps(told).encode()
    length = ("Content-Length", str(len(body)))
    start_response("200 OK", [("Content-Type", "application/json"), length])
    return [body]
"""
ALIASES = """\
script_alias("/tell", "tell.wsgi", process_group="blog"),
script_alias("/broken", "broken.wsgi", process_group="blog"),
script_alias("/small", "tell.wsgi", process_group="blog", body_limit=4),
"""
SETTINGS = """\
from django_wsgimatch import alias

WSGIMATCH_ALIASES += [alias("/errors", "errors")]
WSGIMATCH_ERROR_PAGES = {
    403: "/tell/403?page=1",
    404: "/errors/404.html",
    413: "Too long",
    500: "<h1>Broken</h1>",
}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tell.wsgi").write_text(TELL)
    (tmp_path / "broken.wsgi").write_text("1 / 0\n")
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors/404.html").write_text("<p>Nothing here")
    (tmp_path / "errors/closed").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param(PLAIN, id="gunicorn"),
            pytest.param([*WAITRESS, "django_wsgimatch.wsgi:application"], id="waitress"),
            pytest.param([*GRANIAN, "django_wsgimatch.wsgi:application"], id="granian"),
        ],
        "waitress",
    ),
)
def test_errors_of_the_table_and_of_groups_have_their_pages(folder, command):
    body = {"method": b"POST", "headers": {b"Content-Length": b"8"}, "body": b"too long"}

    with site(folder, aliases=ALIASES, more=SETTINGS, command=command) as at:
        missing = at.get("/nothing?q")
        broken = at.get("/broken")
        raised = at.get("/tell/raise")
        long = at.get("/small", **body)
        refused = at.get("/errors/closed/", method=b"POST", headers={b"Content-Length": b"0"})
        closed = json.loads(at.get("/errors/closed/?q").body)

    assert (missing.status, missing.body) == (404, b"<p>Nothing here")
    assert (broken.status, broken.body) == (500, b"<h1>Broken</h1>")
    assert (raised.status, raised.body) == (500, b"<h1>Broken</h1>")
    assert (long.status, long.body) == (413, b"Too long")
    assert (refused.status, refused.body) == (404, b"<p>Nothing here")
    assert {name: closed.get(name) for name in TOLD} == TOLD


TOLD = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "/tell",
    "PATH_INFO": "/403",
    "QUERY_STRING": "page=1",
    "REDIRECT_STATUS": "403",
    "REDIRECT_URL": "/errors/closed/",
    "REDIRECT_QUERY_STRING": "q",
    "REDIRECT_REQUEST_METHOD": "GET",
    "mod_wsgi.process_group": "blog",
    "body": "",
}


def test_a_connection_goes_on_after_a_page(folder):
    with site(folder, aliases=ALIASES, more=SETTINGS) as at:
        answers = [at.get(target) for target in ("/nothing", "/errors/closed/", "/tell")]

    assert [each.status for each in answers] == [404, 403, 200]
