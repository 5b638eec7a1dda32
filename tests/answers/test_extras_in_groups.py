"""What stands around an application that a process group runs, under a real gunicorn."""

from __future__ import annotations

import os

import pytest

from tests.support.groups import site

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

SCRIPT = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    length = len(environ["wsgi.input"].read())
    return [f"{environ.get('trac.env_path')} {length}".encode()]
"""
ALIASES = """\
script_alias(
    "/blog",
    "trac.wsgi",
    process_group="blog",
    environ={"trac.env_path": "/srv/trac"},
    headers={"X-Frame-Options": "DENY"},
    charset="utf-8",
    body_limit=10,
),
script_alias("/other", "app.wsgi", process_group="other"),
"""


def test_variables_headers_and_the_limit_of_a_body_reach_a_group(tmp_path):
    (tmp_path / "trac.wsgi").write_text(SCRIPT)
    with site(tmp_path, aliases=ALIASES) as at:
        whole, long = (
            at.get(
                "/blog",
                method=b"POST",
                headers={b"Content-Length": str(size).encode()},
                body=b"x" * size,
            )
            for size in (10, 11)
        )

    assert (whole.status, whole.body) == (200, b"/srv/trac 10")
    assert whole.headers["x-frame-options"] == "DENY"
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert long.status == 413
