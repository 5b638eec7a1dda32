"""The whole way of a request behind a proxy: which alias answers, and what applications see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path

from django_wsgimatch import script_alias
from django_wsgimatch.answers.proxies.wrapper import BehindProxies
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import REMEMBERED_ONE_IN, Dispatcher
from django_wsgimatch.wsgi import get_application
from tests.support.wsgi import make_environ, write_scripts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PROXY = "10.0.0.1"
PREFIX, WHOLE, HOST = "X-Forwarded-Prefix", "X-Script-Name", "X-Forwarded-Host"
# So often is a path asked for that it is remembered.
OFTEN = 2 * REMEMBERED_ONE_IN + 2


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.build_absolute_uri()} {request.META['REMOTE_ADDR']}")


urlpatterns = [path("page/", page)]


@pytest.fixture
def site(settings, tmp_path):
    """The folder of a site that trusts a proxy."""
    settings.BASE_DIR = tmp_path
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["*"]
    settings.WSGIMATCH_TRUSTED_PROXIES = [PROXY]
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = [
        *("X-Forwarded-For", "X-Forwarded-Proto", HOST, PREFIX, WHOLE)
    ]
    settings.WSGIMATCH_ALIASES = [script_alias("/app", "app.wsgi")]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"shop.example": [script_alias("/app", "shop.wsgi")]}
    write_scripts(tmp_path, "app.wsgi", "shop.wsgi")
    return tmp_path


def asked(
    application: WSGIApplication,
    target: str,
    headers: dict[str, str] | None = None,
    *,
    peer: str = PROXY,
    **more: Any,
) -> tuple[int, str, str, str]:
    """Status, script, SCRIPT_NAME and PATH_INFO; for other answers status and body."""
    status, body = answered(application, target, headers, peer=peer, **more)
    if b"SCRIPT_FILENAME" not in body:
        return status, body.decode(), "", ""
    told = json.loads(body)
    return status, Path(told["SCRIPT_FILENAME"]).name, told["SCRIPT_NAME"], told["PATH_INFO"]


def told_by(application: WSGIApplication, target: str, headers: dict[str, str]) -> dict[str, str]:
    """The environ that a script is told."""
    told: dict[str, str] = json.loads(answered(application, target, headers)[1])
    return told


def answered(
    application: WSGIApplication,
    target: str,
    headers: dict[str, str] | None = None,
    *,
    peer: str = PROXY,
    **more: Any,
) -> tuple[int, bytes]:
    """Status and body."""
    statuses: list[str] = []

    def start_response(status, headers, exc_info=None):
        statuses.append(status)
        return print

    environ = make_environ(target, headers=headers or {}, REMOTE_ADDR=peer, **more)
    response: Any = application(environ, start_response)
    body = b"".join(response)
    getattr(response, "close", lambda: None)()
    return int(statuses[0][:3]), body


@pytest.mark.parametrize(
    ("target", "headers", "expected"),
    [
        pytest.param("/app/x", {}, ("app.wsgi", "/app", "/x"), id="no prefix"),
        pytest.param("/app/x", {PREFIX: "/site"}, ("app.wsgi", "/site/app", "/x"), id="a prefix"),
        pytest.param("/app", {PREFIX: "/app"}, ("app.wsgi", "/app/app", ""), id="the alias's name"),
        pytest.param("/app/app/x", {PREFIX: "/app"}, ("app.wsgi", "/app/app", "/app/x"),
                     id="the prefix is not taken off twice"),
        pytest.param("/app/a%20b?c", {PREFIX: "/site"}, ("app.wsgi", "/site/app", "/a b"),
                     id="an escape and a query"),
        pytest.param("/app//x/../y", {PREFIX: "/site"}, ("app.wsgi", "/site/app", "/y"), id="dots"),
        pytest.param("/app/x", {PREFIX: "/a b"}, ("app.wsgi", "/a b/app", "/x"), id="a blank"),
        pytest.param("/app/x", {WHOLE: "/site"}, ("app.wsgi", "/site", "/x"), id="all of it"),
        pytest.param("/app/x", {WHOLE: "/"}, ("app.wsgi", "", "/x"), id="the root"),
        pytest.param("/app/x", {HOST: "shop.example"}, ("shop.wsgi", "/app", "/x"), id="a host"),
        pytest.param("http://inner/app/x", {HOST: "shop.example"}, ("shop.wsgi", "/app", "/x"),
                     id="a host, and another in the target"),
    ],
)  # fmt: skip
def test_alias_that_answers_and_what_its_script_is_told(site, target, headers, expected):
    application = get_application()

    answers = {asked(application, target, headers) for _ in range(OFTEN)}

    assert answers == {(200, *expected)}


@pytest.mark.parametrize(
    ("headers", "script_name"),
    [({}, "/res"), ({PREFIX: "/site"}, "/site/res"), ({WHOLE: "/site"}, "/site")],
)
def test_name_of_a_group_does_not_depend_on_the_prefix(settings, site, headers, script_name):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/res", "app.wsgi", application_group="%{RESOURCE}"),
    ]
    configured = configuration()
    assert configured.proxies is not None
    # Without places all scripts run here, whatever groups they name.
    dispatcher = Dispatcher(configured.table, rules=configured.rules)
    application = BehindProxies(dispatcher, configured.proxies)

    told = [told_by(application, "/res/x", headers) for _ in range(OFTEN)]

    assert {(each["SCRIPT_NAME"], each["mod_wsgi.application_group"]) for each in told} == {
        (script_name, "127.0.0.1|/res")
    }


@pytest.mark.parametrize("header", [PREFIX, WHOLE])
def test_what_the_server_itself_takes_off_comes_behind_the_prefix(site, header):
    application = get_application()
    told = {header: "/site"}

    answers = {asked(application, "/own/app/x", told, script_name="/own") for _ in range(OFTEN)}

    script_name = "/site/own/app" if header == PREFIX else "/site"
    assert answers == {(200, "app.wsgi", script_name, "/x")}


def test_prefixes_are_not_mixed_up(site):
    application = get_application()
    prefixes = ["", "/a", "/b", "/a/b", "/+/a", "/%"]

    found = {
        (prefix, asked(application, "/app/x", {PREFIX: prefix})[2])
        for _ in range(OFTEN * len(prefixes))
        for prefix in prefixes
    }

    assert found == {(prefix, f"{prefix}/app") for prefix in prefixes}


def test_server_that_tells_no_target(site):
    application = get_application()

    answers = {
        asked(application, "/app/x", {PREFIX: "/site"}, without=("RAW_URI",)) for _ in range(OFTEN)
    }

    assert answers == {(200, "app.wsgi", "/site/app", "/x")}


@pytest.mark.parametrize("headers", [{}, {PREFIX: "/site"}, {WHOLE: "/site"}])
def test_path_above_the_root_stays_above_it(site, headers):
    """A prefix that stood in the target would let it be climbed out of."""
    assert asked(get_application(), "/../app/x", headers)[0] == 400


@pytest.mark.parametrize("host", ["a b", "evil.example/x", "x:99999", "a..b"])
@pytest.mark.parametrize("target", ["/app/x", "/page/"])
def test_bad_forwarded_host_is_400_whoever_answers(site, host, target):
    application = get_application()

    assert {asked(application, target, {HOST: host})[0] for _ in range(OFTEN)} == {400}


def test_fallback_rebuilds_the_url_that_the_client_asked_for(site):
    told = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        HOST: "shop.example:8443",
        PREFIX: "/site",
    }

    answer = asked(get_application(), "/page/?a=b", told)

    assert answer[:2] == (200, "https://shop.example:8443/site/page/?a=b 203.0.113.9")


def test_fallback_at_the_root_has_no_script_name(site):
    application = get_application()

    answers = {asked(application, "/page/", {WHOLE: "/"})[:2] for _ in range(OFTEN)}

    assert answers == {(200, f"http://localhost/page/ {PROXY}")}


def test_client_who_lies_in_every_header_gains_nothing(site):
    lies = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
        HOST: "shop.example",
        PREFIX: "/app",
        WHOLE: "/admin",
    }
    application = get_application()

    answer = asked(application, "/page/", lies, peer="203.0.113.9")
    script = asked(application, "/app/x", lies, peer="203.0.113.9")

    assert answer[:2] == (200, "http://localhost/page/ 203.0.113.9")
    assert script == (200, "app.wsgi", "/app", "/x")


def test_access_log_of_the_server_has_the_client(site):
    seen: list[dict[str, Any]] = []

    def server(environ, start_response):
        seen.append(environ)
        return get_application()(environ, start_response)

    answered(server, "/app/x", {"X-Forwarded-For": "203.0.113.9", PREFIX: "/site"})

    names = ("REMOTE_ADDR", "wsgimatch.peer", "wsgimatch.script_name", "PATH_INFO")
    assert [seen[0][name] for name in names] == ["203.0.113.9", PROXY, "/site/app", "/app/x"]


def test_site_without_these_settings_has_no_wrapper(settings):
    before = get_application()
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For"]
    after = get_application()

    assert (type(before), type(after)) == (Dispatcher, BehindProxies)
    assert configuration().proxies is not None


def test_health_is_not_for_those_whose_headers_are_dropped(settings, site):
    settings.WSGIMATCH_HEALTH_PATH = "/-/health/"
    application = get_application()

    through = asked(application, "/-/health/live", {"X-Forwarded-For": "1.2.3.4"}, peer="10.0.0.9")
    directly = asked(application, "/-/health/live", peer="10.0.0.9")

    assert (through[0], directly[0]) == (404, 200)
