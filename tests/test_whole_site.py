"""Redirects, files, access rules, proxies and scripts of one site, as its settings name them."""

from __future__ import annotations

import pytest

from django_wsgimatch import access, alias, redirect, script_alias
from django_wsgimatch.conf import configuration
from django_wsgimatch.wsgi import make_application
from tests.support.wsgi import get, write_scripts


@pytest.fixture
def ask(settings, tmp_path):
    """Ask the application of a site from an address, with some headers."""
    script = write_scripts(tmp_path, "app.wsgi")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.html").write_text("secret")
    (tmp_path / "docs/a.txt").write_text("open")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = None
    settings.WSGIMATCH_ALIASES = [
        script_alias("/app", script, environ={"GIVEN": "yes"}, headers={"X-Frame-Options": "DENY"}),
        alias("/docs", "docs", headers={"X-Content-Type-Options": "nosniff"}),
        redirect("/app/old", "/app/new", "permanent"),
    ]
    settings.WSGIMATCH_ACCESS = [
        access("/app", require="ip 10.0.0.1"),
        access("/docs/index.html", require="all denied"),
    ]
    settings.WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Prefix"]
    made = make_application(configuration())

    def application(environ, start_response):
        # The server's own environ gains what proxies tell: its access log has the client.
        return made(dict(environ), start_response)

    def ask(target, peer="127.0.0.1", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return get(application, target, headers=named, REMOTE_ADDR=peer)

    return ask


@pytest.mark.parametrize(
    ("target", "asked", "code"),
    [
        pytest.param("/app/x", {"X_Forwarded_For": "10.0.0.1"}, 200, id="who may come"),
        pytest.param("/app/x", {"X_Forwarded_For": "10.0.0.2"}, 403, id="who may not"),
        pytest.param("/app/x", {"peer": "10.0.0.1"}, 200, id="without a proxy"),
        pytest.param(
            "/app/x", {"peer": "10.0.0.2", "X_Forwarded_For": "10.0.0.1"}, 403, id="who lies"
        ),
        pytest.param("/app/old/x", {"peer": "10.0.0.2"}, 301, id="a redirect comes first"),
        pytest.param("/docs/a.txt", {}, 200, id="a file"),
        pytest.param("/docs/", {}, 403, id="a folder's index has rules of its own"),
        pytest.param("/docs/index.html", {}, 403, id="a file that nobody may see"),
        pytest.param("/docs//./index%2ehtml", {}, 403, id="written oddly"),
        pytest.param("/other", {}, 404, id="nothing"),
    ],
)
def test_who_gets_what(ask, target, asked, code):
    assert [ask(target, **asked).code for _ in range(20)] == [code] * 20


@pytest.mark.parametrize("prefix", ["/pre", "/app", "/app/x"])
def test_the_prefix_that_a_proxy_has_taken_off_changes_no_rule(ask, prefix):
    may = {"X_Forwarded_For": "10.0.0.1", "X_Forwarded_Prefix": prefix}
    may_not = {"X_Forwarded_For": "10.0.0.2", "X_Forwarded_Prefix": prefix}

    allowed = [ask(target, **may) for target in ("/app/x", "/app/app/x")]
    refused = [ask(target, **may_not).code for target in ("/app/x", "/app/app/x")]

    told = [(each.told["SCRIPT_NAME"], each.told["PATH_INFO"]) for each in allowed]
    assert told == [(f"{prefix}/app", "/x"), (f"{prefix}/app", "/app/x")]
    assert refused == [403, 403]


def test_headers_of_files_are_not_those_of_errors(ask):
    answers = [ask(target) for target in ("/docs/a.txt", "/docs/none")]

    told = [dict(each.headers).get("X-Content-Type-Options") for each in answers]
    assert ([each.code for each in answers], told) == ([200, 404], ["nosniff", None])


def test_what_the_script_gets_and_sends(ask):
    answer = ask("/app/x", X_Forwarded_For="10.0.0.1")

    assert (answer.told["GIVEN"], answer.told["REMOTE_ADDR"]) == ("yes", "10.0.0.1")
    assert ("X-Frame-Options", "DENY") in answer.headers
