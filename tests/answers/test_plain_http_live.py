"""WSGIMATCH_PLAIN_HTTP under real servers: plain, behind a trusted proxy, and asked for health."""

from __future__ import annotations

import os

import pytest

from tests.support.groups import PLAIN, site
from tests.support.health import HEALTH, LIVE
from tests.support.servers import GRANIAN, WAITRESS
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

SETTINGS = f"""\
from django_wsgimatch import redirect

WSGIMATCH_PLAIN_HTTP = [redirect("/", "https://%{{HTTP_HOST}}/", status=301)]
WSGIMATCH_TRUSTED_PROXIES = ["unix"]
WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Proto"]
{HEALTH}"""


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param(PLAIN, id="gunicorn"),
            pytest.param([*PLAIN[:-1], "--preload", PLAIN[-1]], id="gunicorn that loads ahead"),
            pytest.param(
                [
                    *(*WAITRESS, "--no-clear-untrusted-proxy-headers"),
                    "django_wsgimatch.wsgi:application",
                ],
                id="waitress",
            ),
            pytest.param([*GRANIAN, "django_wsgimatch.wsgi:application"], id="granian"),
        ],
        "gunicorn that loads ahead",
    ),
)
def test_what_comes_over_plain_http_is_redirected_and_what_comes_over_https_is_not(
    tmp_path, command
):
    with site(tmp_path, more=SETTINGS, command=command) as at:
        plain = at.get("/blog?q=1", headers={b"Host": b"shop.example"})
        told = at.get("/blog", headers={b"X-Forwarded-Proto": b"http"})
        secure = at.get("/blog", headers={b"X-Forwarded-Proto": b"https"})
        live = at.get(LIVE)

    assert (plain.status, plain.headers["location"]) == (301, "https://shop.example/blog?q=1")
    assert told.status == 301
    assert secure.status == 200
    assert live.status == 200
