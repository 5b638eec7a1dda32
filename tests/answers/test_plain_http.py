"""WSGIMATCH_PLAIN_HTTP: what answers requests over plain HTTP before all else."""

from __future__ import annotations

import logging

import pytest

from django_wsgimatch import access, deny, deny_match, redirect, redirect_match, script_alias
from django_wsgimatch import wsgi as entry
from django_wsgimatch.aliases.groups import Server
from django_wsgimatch.answers.plain_http import PlainHttp, own_host_url
from django_wsgimatch.conf import configuration
from tests.support.groups import sockets_of
from tests.support.wsgi import get, make_environ

TO_HTTPS = redirect("/", "https://%{HTTP_HOST}/", status=301)
HTTPS = {"wsgi.url_scheme": "https"}


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]


def make_hello():
    return hello


@pytest.fixture
def site(tmp_path, settings):
    """Django's place is taken by an application that greets, and all of it goes to HTTPS."""
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = f"{__name__}.make_hello"
    settings.WSGIMATCH_ALIASES = [redirect("/old", "/new")]
    settings.WSGIMATCH_PLAIN_HTTP = [TO_HTTPS]
    return settings


def location_of(target: str = "/x", **environ) -> str | None:
    return dict(get(entry.get_application(), target, **environ).headers).get("Location")


def status_of(**environ) -> str:
    """The status of an answer, whatever becomes of the environ of the server."""
    statuses: list[str] = []

    def start_response(status, headers, exc_info=None):
        statuses.append(status)
        return lambda data: None

    body = entry.get_application()(make_environ("/x", **environ), start_response)
    assert [*body]
    return statuses[-1]


def test_a_request_over_plain_http_is_redirected(site):
    answer = get(entry.get_application(), "/a%20b?q=1", HTTP_HOST="shop.example")

    assert answer.status == "301 Moved Permanently"
    assert ("Location", "https://shop.example/a%20b?q=1") in answer.headers


def test_a_request_over_https_is_not(site):
    answer = get(entry.get_application(), "/x", **HTTPS)

    assert (answer.code, answer.body) == (200, b"/x")


def test_it_comes_before_the_redirects_of_the_table(site):
    site.WSGIMATCH_PLAIN_HTTP = [redirect_match("^/old(/|$)", "https://new.example/", status=308)]

    assert location_of("/old") == "https://new.example/"
    assert location_of("/old", **HTTPS) == "https://localhost/new"


def test_it_comes_before_access_rules(site):
    site.WSGIMATCH_ACCESS = [access("/", require="all denied")]

    assert location_of() == "https://localhost/x"
    assert get(entry.get_application(), "/x", **HTTPS).code == 403


def test_what_no_entry_matches_goes_on(site):
    site.WSGIMATCH_PLAIN_HTTP = [
        redirect_match(r"^((?!/\.well-known/acme-challenge/).*)$", "https://%{HTTP_HOST}$1")
    ]

    challenge = get(entry.get_application(), "/.well-known/acme-challenge/t")

    assert (challenge.code, challenge.body) == (200, b"/.well-known/acme-challenge/t")
    assert location_of("/other") == "https://localhost/other"


def test_the_first_entry_that_matches_counts(site):
    site.WSGIMATCH_PLAIN_HTTP = [
        deny("/api", note="keys must not be sent in plain text"),
        redirect("/gone", status=410),
        TO_HTTPS,
    ]

    application = entry.get_application()

    assert get(application, "/api/x").code == 403
    assert get(application, "/gone").code == 410
    assert get(application, "/apix").code == 301


def test_why_a_request_is_refused_is_logged(site, caplog):
    site.WSGIMATCH_PLAIN_HTTP = [deny_match("^/api", note="keys")]

    application = entry.get_application()

    with caplog.at_level(logging.INFO, "django_wsgimatch"):
        get(application, "/api?x")

    assert caplog.messages[-1:] == ["/api?x: deny_match('^/api') refuses it: keys"]


def test_lines_of_apache_say_the_same(site):
    site.WSGIMATCH_PLAIN_HTTP = ["RedirectMatch 307 ^/(a|b)$ https://%{SERVER_NAME}:8443/$1"]

    assert location_of("/a", HTTP_HOST="Shop.Example:8080") == "https://shop.example:8443/a"


def test_pages_of_health_are_left_alone(site, tmp_path):
    site.WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"
    site.WSGIMATCH_SOCKET_DIRECTORY = sockets_of(tmp_path)

    application = entry.get_application()

    assert get(application, "/-/wsgimatch/live").code == 200
    assert get(application, "/-/wsgimatch/other").code == 301


def test_what_proxies_tell_counts(site):
    site.WSGIMATCH_TRUSTED_PROXIES = ["10.0.0.1"]
    site.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Proto"]

    assert status_of(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_PROTO="https") == "200 OK"
    assert status_of(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_PROTO="http")[:3] == "301"
    assert status_of(REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_PROTO="https")[:3] == "301"


def test_without_the_setting_nothing_stands_there(site):
    site.WSGIMATCH_PLAIN_HTTP = []

    assert not isinstance(entry.get_application(), PlainHttp)


@pytest.mark.parametrize(
    ("target", "environ"),
    [
        pytest.param("/%zz", {}, id="a target that is none"),
        pytest.param("/x", {"HTTP_HOST": "a/b"}, id="a host that is none"),
    ],
)
def test_what_the_corridor_refuses_is_refused(site, target, environ):
    assert get(entry.get_application(), target, **environ).code == 400


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        pytest.param({"HTTP_HOST": "Shop.example:81"}, "https://Shop.example:81/x", id="as sent"),
        pytest.param(
            {"target": "http://y.example/x", "HTTP_HOST": "x.example"},
            "https://y.example/x",
            id="the target's",
        ),
        pytest.param(
            {"SERVER_PROTOCOL": "HTTP/1.0", "without": ["HTTP_HOST"], "SERVER_NAME": "s.example"},
            "https://s.example/x",
            id="none",
        ),
        pytest.param(
            {"script_name": "/m", "target": "/m/x"}, "https://localhost/m/x", id="mounted"
        ),
    ],
)
def test_the_host_that_a_request_names(site, environ, url):
    assert location_of(**{"target": "/x", **environ}) == url


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param("[2001:db8::1]:80", "https://[2001:db8::1]/", id="IPv6"),
        pytest.param("a.example:8080", "https://a.example/", id="a port"),
    ],
)
def test_a_name_has_no_port(host, url):
    assert own_host_url("https://%{SERVER_NAME}/", Server("s", host)) == url


@pytest.mark.parametrize("url", ["https://%{HTTP_HOST}$1", "https://%{SERVER_NAME}$1"])
def test_no_request_chooses_how_the_host_goes_on(site, url):
    site.WSGIMATCH_PLAIN_HTTP = [redirect_match("^/(.*)$", url)]

    answer = get(entry.get_application(), "/.evil.example/")

    assert (answer.code, dict(answer.headers).get("Location")) == (500, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            script_alias("/a", "x.wsgi"),
            "only redirect(), redirect_match(), deny() and deny_match(), and lines of Redirect and "
            "RedirectMatch, answer requests over plain HTTP, not script_alias('/a', ...)",
            id="a script",
        ),
        pytest.param(
            "Alias /a /srv",
            "only redirect(), redirect_match(), deny() and deny_match(), and lines of Redirect and "
            "RedirectMatch, answer requests over plain HTTP, not alias('/a', ...)",
            id="files",
        ),
        pytest.param(
            redirect("/", "https://%{HTTP_HOST}%{REQUEST_URI}"),
            "the URL 'https://%{HTTP_HOST}%{REQUEST_URI}' has %{, which stands for nothing here "
            "but as its host: https://%{HTTP_HOST}/ or https://%{SERVER_NAME}/",
            id="another variable",
        ),
        pytest.param(
            7,
            "7 should be script_alias(...), alias(...), redirect(...), deny(...), one of them with "
            "_match, rewrite(...), or a directive line",
            id="no entry",
        ),
    ],
)
def test_an_entry_that_cannot_be(site, given, message):
    site.WSGIMATCH_PLAIN_HTTP = [TO_HTTPS, given]

    problems = [str(problem) for problem in configuration().problems]

    assert problems == [f"WSGIMATCH_PLAIN_HTTP[1]: {message}"]


def test_the_setting_is_a_list(site):
    site.WSGIMATCH_PLAIN_HTTP = True

    [problem] = configuration().problems

    assert str(problem) == (
        "WSGIMATCH_PLAIN_HTTP: should be a list of redirect(), redirect_match(), deny() and "
        "deny_match(), not True"
    )
