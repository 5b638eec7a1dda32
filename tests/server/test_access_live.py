"""Access rules under real servers: the application in a group sees who has logged in."""

from __future__ import annotations

import base64
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
    told = {name: environ.get(name) for name in ("REMOTE_USER", "AUTH_TYPE", "HTTP_AUTHORIZATION")}
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
"""
SETTINGS = """\
from django_wsgimatch import access, basic, rules

WSGIMATCH_ALIASES += [
    script_alias(
        "/blog",
        "tell.wsgi",
        process_group="blog",
        pass_authorization=False,
        access=rules(auth=basic("Blog", users="users"), require="valid-user"),
    ),
]
WSGIMATCH_ACCESS = [access("/closed", require="all denied")]
"""
ALIASES = 'script_alias("/closed", "tell.wsgi", process_group="other"),\n'


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param(PLAIN, id="gunicorn"),
            pytest.param([*PLAIN[:-1], "--preload", PLAIN[-1]], id="gunicorn that loads ahead"),
            pytest.param([*WAITRESS, "django_wsgimatch.wsgi:application"], id="waitress"),
            pytest.param([*GRANIAN, "django_wsgimatch.wsgi:application"], id="granian"),
        ]
    ),
)
def test_a_login_reaches_the_application_of_a_group(tmp_path, command):
    (tmp_path / "users").write_text("ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n")
    (tmp_path / "tell.wsgi").write_text(TELL)
    given = {b"Authorization": b"Basic " + base64.b64encode(b"ann:secret-cy")}

    with site(tmp_path, aliases=ALIASES, more=SETTINGS, command=command) as at:
        asked = at.get("/blog/x")
        told = json.loads(at.get("/blog/x", headers=given).body)
        closed = at.get("/closed", headers=given).status

    assert (asked.status, asked.headers["www-authenticate"]) == (401, 'Basic realm="Blog"')
    assert told == {"REMOTE_USER": "ann", "AUTH_TYPE": "Basic", "HTTP_AUTHORIZATION": None}
    assert closed == 403
