"""Files that come first under real servers, before an application in a group."""

from __future__ import annotations

import base64
import os

import pytest

from tests.support.groups import PLAIN, site
from tests.support.servers import GRANIAN, WAITRESS
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

TELL = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).decode()
    return [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {body}".strip().encode()]
"""
SETTINGS = """\
from django_wsgimatch import access, basic, document_root

WSGIMATCH_FILES_FIRST = [document_root("public", index="index.html", cache_control="no-cache")]
WSGIMATCH_ACCESS = [access("/inside", auth=basic("Inside", users="users"), require="valid-user")]
"""
ALIASES = 'script_alias("/", "tell.wsgi", process_group="other"),\n'
ANN = {b"Authorization": b"Basic " + base64.b64encode(b"ann:secret-cy")}


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param(PLAIN, id="gunicorn"),
            pytest.param([*PLAIN[:-1], "--preload", PLAIN[-1]], id="gunicorn that loads ahead"),
            pytest.param([*WAITRESS, "django_wsgimatch.wsgi:application"], id="waitress"),
            pytest.param([*GRANIAN, "django_wsgimatch.wsgi:application"], id="granian"),
        ],
        "gunicorn",
    ),
)
def test_a_file_answers_and_else_the_application_of_a_group(tmp_path, command):
    for name in ("favicon.txt", "docs/index.html", "inside/x.txt"):
        (tmp_path / "public" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "public" / name).write_text(f"the file {name}")
    large = b"0123456789" * 100_000
    (tmp_path / "public/large.txt").write_bytes(large)
    (tmp_path / "users").write_text("ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n")
    (tmp_path / "tell.wsgi").write_text(TELL)

    with site(tmp_path, aliases=ALIASES, more=SETTINGS, command=command) as at:
        file = at.get("/favicon.txt")
        others = [at.get(each).body for each in ("/docs/", "/none", "/docs/none", "/")]
        sent = at.get("/large.txt").body
        closed, opened = at.get("/inside/x.txt"), at.get("/inside/x.txt", headers=ANN)
        (tmp_path / "public/favicon.txt").unlink()
        gone = at.get("/favicon.txt").body

    assert (file.body, file.headers["cache-control"]) == (b"the file favicon.txt", "no-cache")
    assert others == [b"the file docs/index.html", b"GET /none", b"GET /docs/none", b"GET /"]
    assert sent == large
    assert (closed.status, opened.body) == (401, b"the file inside/x.txt")
    assert gone == b"GET /favicon.txt"
