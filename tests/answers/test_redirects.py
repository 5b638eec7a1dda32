"""The answers of redirects, asked of a dispatcher as a server would ask."""

from __future__ import annotations

import logging

import pytest

from django_wsgimatch.aliases.alias import Alias, Redirection
from django_wsgimatch.aliases.groups import Server
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.server.own_urls import own_url
from tests.support.wsgi import get


def redirecting(url: str = "/new", status: int = 302, location: str = "/a") -> Dispatcher:
    return Dispatcher(AliasTable([Alias(location, "", answer=Redirection(url, status))]))


def location_of(application: Dispatcher, target: str = "/a", **environ) -> str | None:
    return dict(get(application, target, **environ).headers).get("Location")


def test_all_of_an_answer():
    answer = get(redirecting('http://x.example/"<b>', 301), "/a/c")

    assert answer.status == "301 Moved Permanently"
    assert answer.headers == [
        ("Location", 'http://x.example/"<b>/c'),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(answer.body))),
    ]
    assert b'<a href="http://x.example/&quot;&lt;b&gt;/c">' in answer.body


def test_a_head_gets_the_same_without_the_page():
    with_page = get(redirecting(), "/a")
    without = get(redirecting(), "/a", method="HEAD")

    assert (without.status, without.headers) == (with_page.status, with_page.headers)
    assert without.body == b""


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT", "TRACE"])
def test_every_method_is_redirected(method):
    assert get(redirecting(), "/a", method=method).status == "302 Found"


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        pytest.param({"HTTP_HOST": "x.example"}, "http://x.example/new", id="a name"),
        pytest.param({"HTTP_HOST": "X.Example."}, "http://x.example/new", id="as Apache keeps it"),
        pytest.param({"HTTP_HOST": "x.example:81"}, "http://x.example:81/new", id="a port"),
        pytest.param({"HTTP_HOST": "x.example:0080"}, "http://x.example/new", id="the usual port"),
        pytest.param(
            {"HTTP_HOST": "x.example:443"}, "http://x.example:443/new", id="the other's port"
        ),
        pytest.param(
            {"HTTP_HOST": "x.example:443", "wsgi.url_scheme": "https"},
            "https://x.example/new",
            id="the usual port of https",
        ),
        pytest.param({"HTTP_HOST": "[::1]:8080"}, "http://[::1]:8080/new", id="IPv6"),
        pytest.param(
            {"SERVER_PROTOCOL": "HTTP/1.0", "without": ["HTTP_HOST"]},
            "http://127.0.0.1:8000/new",
            id="no host",
        ),
        pytest.param(
            {"target": "http://y.example:82/a", "HTTP_HOST": "x.example"},
            "http://y.example:82/new",
            id="the target's host",
        ),
        pytest.param(
            {"script_name": "/m", "target": "/m/a"}, "http://localhost/m/new", id="mounted"
        ),
    ],
)
def test_a_url_without_a_host_gets_the_requests(environ, url):
    environ = {"target": "/a", **environ}

    assert location_of(redirecting(), **environ) == url


def test_a_mount_point_is_escaped_as_the_rest_is():
    assert location_of(redirecting(), "/m%3Fn%20o/a", script_name="/m?n o") == (
        "http://localhost/m%3fn%20o/new"
    )


def test_a_server_on_a_path_has_no_port():
    assert own_url("http", Server("x.example", port="")) == "http://x.example"


@pytest.mark.parametrize(
    ("target", "url", "leads_to"),
    [
        pytest.param("/a?q=%0a", "http://x/b", "http://x/b?q=%0a", id="is kept as it came"),
        pytest.param("/a/c?q", "http://x/b", "http://x/b/c?q", id="behind what follows"),
        pytest.param("/a?", "http://x/b", "http://x/b?", id="an empty one"),
        pytest.param("/a?q", "http://x/b?k", "http://x/b?k", id="the URL has one of its own"),
        pytest.param(
            "/a?q", "http://x/b#f", "http://x/b#f?q", id="behind a fragment, as in Apache"
        ),
        pytest.param("/a?q=\xe9", "http://x/b", "http://x/b?q=%e9", id="bytes are escaped"),
    ],
)
def test_the_query_of_a_request(target, url, leads_to):
    assert location_of(redirecting(url), target) == leads_to


@pytest.mark.parametrize("where", ["/?q=$1", "/#$1", "http://x/?$1"])
@pytest.mark.parametrize("tail", ["%0aX:y", "%0d%0aX:%20y", "%0b", "%7f", "%1f"])
def test_no_request_gets_a_control_character_into_a_header(where, tail):
    alias = Alias("^/a(.*)", "", "match", answer=Redirection(where))
    application = Dispatcher(AliasTable([alias]))

    answers = [get(application, f"/a{tail}") for _ in range(20)]

    assert {answer.status for answer in answers} == {"500 Internal Server Error"}
    assert all("Location" not in dict(answer.headers) for answer in answers)


def test_a_client_that_causes_an_error_does_not_cause_one_in_the_log(caplog):
    caplog.set_level(logging.INFO, "django_wsgimatch")
    alias = Alias("^/a(.*)", "", "match", answer=Redirection("$1"))

    get(Dispatcher(AliasTable([alias])), "/ab%0a")

    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("INFO", "a redirect with status 302 to 'b%0a' is answered with 500")
    ]


@pytest.mark.parametrize(
    ("status", "line", "headers"),
    [
        pytest.param(410, "410 Gone", ["Content-Type", "Content-Length"], id="gone"),
        pytest.param(404, "404 Not Found", ["Content-Type", "Content-Length"], id="not found"),
        pytest.param(451, None, ["Content-Type", "Content-Length"], id="without words of ours"),
        pytest.param(204, "204 No Content", [], id="without a body"),
        pytest.param(418, "500 Internal Server Error", None, id="unknown to Apache"),
    ],
)
def test_a_status_without_a_url(status, line, headers):
    answer = get(redirecting("", status), "/a/x?y")

    assert answer.code == (status if headers is not None else 500)
    assert line in (None, answer.status)
    assert headers in (None, [name for name, _ in answer.headers])


def test_not_modified_has_a_location_and_no_body():
    answer = get(redirecting("/new", 304), "/a")

    assert (answer.status, answer.body) == ("304 Not Modified", b"")
    assert answer.headers == [("Location", "http://localhost/new")]
