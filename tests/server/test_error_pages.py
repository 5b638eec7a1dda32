"""Pages of the settings in place of our own: what clients get, and what their applications see."""

from __future__ import annotations

import base64
import io
import json
from contextlib import closing

import pytest
from django.core.handlers.wsgi import get_script_name

from django_wsgimatch import access, alias, basic, deny, redirect, script_alias
from django_wsgimatch import wsgi as entry
from django_wsgimatch.doctor.findings.finding import CannotStart
from django_wsgimatch.entry_options.error_pages import ErrorPage, PagesByHost
from django_wsgimatch.server.error_pages import ErrorPages
from django_wsgimatch.server.pages import error_page
from tests.support.wsgi import Answer, call, get, make_environ, write_scripts

ANN = {"Authorization": "Basic " + base64.b64encode(b"ann:secret-cy").decode()}
LOGIN = basic("Staff", users="users")
TEXT = "text/html; charset=iso-8859-1"
# Answers with the status that its query asks for, and raises if it asks for that.
OBEDIENT = """\
def application(environ, start_response):
    query = environ["QUERY_STRING"].replace("+", " ")
    if query == "raise":
        raise ValueError("as asked")
    start_response(query or "200 OK", [("Content-Type", "text/plain"), ("X-Own", "1")])
    return [b"a page of ", query.encode()]
"""


@pytest.fixture
def site(tmp_path, settings):
    """An application at /app, one that tells at /tell, one that is broken, and some files."""
    write_scripts(tmp_path, "tell.wsgi")
    (tmp_path / "app.wsgi").write_text(OBEDIENT)
    (tmp_path / "broken.wsgi").write_text("1 / 0\n")
    (tmp_path / "files").mkdir()
    (tmp_path / "files/404.html").write_text("<p>not here")
    (tmp_path / "users").write_text("ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = None
    settings.WSGIMATCH_ALIASES = [
        redirect("/away", "/app"),
        redirect("/gone", status=410),
        redirect("/shop", status=503),
        deny("/closed"),
        alias("/errors", "files"),
        script_alias("/app", "app.wsgi", headers=[("set", "X-Frame", "DENY", "always")]),
        script_alias("/tell", "tell.wsgi"),
        script_alias("/broken", "broken.wsgi"),
        script_alias("/small", "app.wsgi", body_limit=4),
    ]
    return settings


def served(site, **pages):
    site.WSGIMATCH_ERROR_PAGES = {int(status[1:]): page for status, page in pages.items()}
    return entry.get_application()


def test_a_text_is_sent_with_the_status_of_the_error(site):
    answer = get(served(site, _404="<h1>Caf\xe9</h1> \N{EURO SIGN}"), "/nothing")

    assert answer == Answer(
        "404 Not Found",
        [("Content-Type", TEXT), ("Content-Length", "21")],
        b"<h1>Caf\xe9</h1> &#8364;",
    )


def test_a_text_for_head_is_its_head(site):
    answer = get(served(site, _404="Sorry"), "/nothing", method="HEAD")

    assert answer == Answer("404 Not Found", [("Content-Type", TEXT), ("Content-Length", "5")], b"")


def test_a_url_is_where_the_client_is_sent(site):
    answer = get(served(site, _404="https://example.org/sorry?x"), "/nothing")

    assert answer.status == "302 Found"
    assert ("Location", "https://example.org/sorry?x") in answer.headers


@pytest.mark.parametrize(
    ("host", "page"),
    [
        pytest.param("a.test", b"own", id="a host with its own page"),
        pytest.param("A.test:8000", b"own", id="in another case, with a port"),
        pytest.param("b.test", None, id="a host that has the small page"),
        pytest.param("c.test", b"all", id="a host that says nothing of the status"),
        pytest.param("d.test", b"all", id="a host of no pattern"),
        pytest.param("x.v.test", b"all", id="a virtual host that comes first"),
    ],
)
def test_a_host_has_its_own_pages(site, host, page):
    site.WSGIMATCH_VIRTUAL_HOSTS = {"x.v.test": []}
    site.WSGIMATCH_ERROR_PAGES = {
        404: "all",
        "a.test": {404: "own"},
        "b.test": {404: None},
        "c.test": {503: "other"},
        ".v.test": {404: "domain"},
    }

    answer = get(entry.get_application(), "/nothing", HTTP_HOST=host)

    assert answer.status == "404 Not Found"
    assert answer.body == page or (page is None and b"<h1>Not Found</h1>" in answer.body)


def test_a_target_that_names_another_host_has_the_pages_of_that(site):
    site.WSGIMATCH_ERROR_PAGES = {"a.test": {404: "own"}}

    answer = get(
        entry.get_application(), "/nothing", HTTP_HOST="b.test", RAW_URI="http://a.test/nothing"
    )

    assert answer.body == b"own"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/nothing", "404 Not Found", id="no entry"),
        pytest.param("/closed", "403 Forbidden", id="a deny()"),
        pytest.param("/gone", "410 Gone", id="a redirect() without a URL"),
        pytest.param("/errors/nothing", "404 Not Found", id="a file that is missing"),
        pytest.param("/broken", "500 Internal Server Error", id="a script that does not load"),
    ],
)
def test_every_page_of_our_own_is_replaced(site, target, status):
    application = served(site, _403="page", _404="page", _410="page", _500="page")

    answer = get(application, target)

    assert (answer.status, answer.body) == (status, b"page")


def test_what_an_application_answers_stays(site):
    answer = get(served(site, _404="page"), "/app?404+Not+Found")

    assert (answer.status, answer.body) == ("404 Not Found", b"a page of 404 Not Found")


def test_an_error_without_a_page_has_the_small_one(site):
    answer = get(served(site, _404="page"), "/closed")

    assert (answer.status, b"You do not have permission" in answer.body) == ("403 Forbidden", True)


def test_a_login_is_still_asked_for(site):
    site.WSGIMATCH_ACCESS = [access("/app", auth=LOGIN, require="valid-user")]

    answer = get(served(site, _401="page"), "/app")

    assert (answer.status, answer.body) == ("401 Unauthorized", b"page")
    assert ("WWW-Authenticate", 'Basic realm="Staff"') in answer.headers


def test_a_503_still_says_when_to_ask_again():
    pages = PagesByHost({503: ErrorPage("text", "Back soon")})
    application = ErrorPages(lambda *request: error_page(503, *request), pages)

    answer = call(application, make_environ())

    assert answer == Answer(
        "503 Service Unavailable",
        [("Content-Type", TEXT), ("Content-Length", "9"), ("Retry-After", "5")],
        b"Back soon",
    )


def test_an_entry_can_close_a_part_of_the_site_for_a_while(site):
    answer = get(served(site, _503="Back soon"), "/shop/cart")

    assert (answer.status, answer.body) == ("503 Service Unavailable", b"Back soon")
    assert ("Retry-After", "5") in answer.headers


def test_a_url_path_is_asked_for_in_the_same_table(site):
    answer = get(served(site, _404="/tell/404?a=1"), "/x%20y/z?q=%41", method="POST")

    told = {name: answer.told.get(name) for name in REDIRECTED}
    assert answer.status == "404 Not Found"
    assert told == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/tell",
        "PATH_INFO": "/404",
        "QUERY_STRING": "a=1",
        "CONTENT_LENGTH": None,
        "REDIRECT_STATUS": "404",
        "REDIRECT_URL": "/x y/z",
        "REDIRECT_QUERY_STRING": "q=%41",
        "REDIRECT_REQUEST_METHOD": "POST",
        "SCRIPT_URL": "/tell/404",
    }


REDIRECTED = (
    *("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH"),
    *("REDIRECT_STATUS", "REDIRECT_URL", "REDIRECT_QUERY_STRING", "REDIRECT_REQUEST_METHOD"),
    "SCRIPT_URL",
)


@pytest.mark.parametrize(
    ("mount", "script_name"),
    [pytest.param("", "/tell", id="at the root"), pytest.param("/site", "/site/tell", id="below")],
)
def test_django_finds_the_page_s_own_script_name(site, mount, script_name):
    """It takes REDIRECT_URL for the URL of the request, where there is no SCRIPT_URL."""
    answer = get(served(site, _404="/tell/404"), f"{mount}/x/y", script_name=mount)

    assert get_script_name(answer.told) == answer.told["SCRIPT_NAME"] == script_name
    assert answer.told["REDIRECT_URL"] == f"{mount}/x/y"


@pytest.mark.parametrize(
    ("header", "script_name"),
    [
        pytest.param("X-Forwarded-Prefix", "/here/tell", id="a prefix"),
        pytest.param("X-Script-Name", "/here", id="the whole SCRIPT_NAME"),
    ],
)
def test_what_proxies_tell_is_known_for_the_page(site, header, script_name):
    site.WSGIMATCH_TRUSTED_PROXIES = ["10.0.0.1"]
    site.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", header]
    headers = {"X-Forwarded-For": "192.0.2.7", header: "/here"}
    environ = make_environ("/x", headers=headers, REMOTE_ADDR="10.0.0.1")

    with closing(served(site, _404="/tell/404")(environ, lambda *started: print)) as body:
        told = json.loads(b"".join(body))

    assert told["REMOTE_ADDR"] == "192.0.2.7"
    assert get_script_name(told) == told["SCRIPT_NAME"] == script_name
    assert told["PATH_INFO"] == "/404"


def test_the_page_s_application_does_not_read_the_body_again(site):
    application = served(site, _404="/app?200+OK")
    body = io.BytesIO(b"once")

    get(application, "/nothing", method="POST", CONTENT_LENGTH="4", **{"wsgi.input": body})

    assert body.read() == b"once"


def test_a_file_is_sent_whole_whatever_the_request_s_conditions(site):
    headers = {"Range": "bytes=0-1", "If-None-Match": "*"}

    answer = get(served(site, _404="/errors/404.html"), "/nothing", headers=headers)

    assert (answer.status, answer.body) == ("404 Not Found", b"<p>not here")


def test_a_head_gets_the_head_of_the_page(site):
    answer = get(served(site, _404="/app"), "/nothing", method="HEAD")

    assert (answer.status, answer.body) == ("404 Not Found", b"")
    assert ("X-Own", "1") in answer.headers


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("/nowhere", id="no entry"),
        pytest.param("/closed", id="a refusal"),
        pytest.param("/away", id="a redirect"),
        pytest.param("/errors", id="a folder without its slash"),
        pytest.param("/broken", id="a script that does not load"),
        pytest.param("/app?raise", id="an application that raises"),
    ],
)
def test_a_page_that_is_an_error_itself_is_the_small_page_of_the_first(site, page):
    answer = get(served(site, _404=page, _403=page, _500=page), "/nothing")

    assert answer.status == "404 Not Found"
    assert b"The requested URL was not found on this server." in answer.body


def test_the_log_says_so_once_in_a_while(site, caplog):
    application = served(site, _404="/nowhere")
    caplog.clear()

    for _ in range(3):
        get(application, "/nothing")

    [record] = caplog.records
    assert record.getMessage() == (
        "WSGIMATCH_ERROR_PAGES[404]: '/nowhere' answers 404 Not Found itself: clients get the "
        "small page"
    )


def test_access_rules_hold_for_the_page_too(site):
    site.WSGIMATCH_ACCESS = [access("/app", auth=LOGIN, require="valid-user")]
    application = served(site, _404="/app")

    answers = [get(application, "/nothing", headers=each) for each in ({}, ANN)]

    assert [each.status for each in answers] == ["404 Not Found"] * 2
    assert [each.body == b"a page of " for each in answers] == [False, True]


def test_a_body_of_unknown_length_that_is_too_long_has_its_page(site, tmp_path):
    (tmp_path / "app.wsgi").write_text(READING)
    body = io.BytesIO(b"too long")

    answer = get(served(site, _413="page"), "/small", method="POST", **{"wsgi.input": body})

    assert (answer.status, answer.body) == ("413 Request Entity Too Large", b"page")


# Begins its response before it reads the body.
READING = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()]
"""


@pytest.mark.parametrize(
    ("target", "without", "host"),
    [
        pytest.param("/x", ["RAW_URI"], "localhost", id="a server that tells no target"),
        pytest.param("http://other.test/x", [], "other.test", id="a target with a host"),
    ],
)
def test_the_page_is_found_however_the_target_is_told(site, target, without, host):
    answer = get(served(site, _404="/tell/404"), target, without=without)

    assert (answer.told["PATH_INFO"], answer.told["HTTP_HOST"]) == ("/404", host)


def test_a_body_that_is_too_long_has_its_page(site):
    body = io.BytesIO(b"too long")

    answer = get(
        served(site, _413="page"),
        "/small",
        method="POST",
        CONTENT_LENGTH="8",
        **{"wsgi.input": body},
    )

    assert (answer.status, answer.body) == ("413 Request Entity Too Large", b"page")


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        pytest.param([], "WSGIMATCH_ERROR_PAGES: should be a dict", id="no dict"),
        pytest.param({"404": "x"}, "the status should be a number", id="a status as text"),
        pytest.param({"a.test": "x"}, "should be a dict of statuses", id="a host's text"),
        pytest.param(
            {"a.test": {404: ""}}, "WSGIMATCH_ERROR_PAGES['a.test'][404]", id="a host's page"
        ),
        pytest.param({302: "/x"}, "from 400 to 599, not 302", id="a status that is no error"),
        pytest.param({404: ""}, "should be a text, a URL-path", id="nothing"),
        pytest.param({404: b"x"}, "should be a text, a URL-path", id="bytes"),
        pytest.param({404: "//example.org/x"}, "begins with two slashes", id="without a scheme"),
        pytest.param({404: "/a/../../x"}, "nobody can ask for the URL-path", id="above the root"),
        pytest.param({404: "/a#b"}, "nobody can ask for the URL-path", id="with a fragment"),
        pytest.param({401: "https://example.org/"}, "a page for 401 cannot be a URL", id="401"),
        pytest.param({404: "https://example.org/\n"}, "a control character", id="a line break"),
    ],
)
def test_what_can_be_no_page_keeps_the_server_from_starting(site, pages, message):
    site.WSGIMATCH_ERROR_PAGES = pages

    with pytest.raises(CannotStart, match="WSGIMATCH_ERROR_PAGES") as caught:
        entry.get_application()

    assert message in str(caught.value)


def test_without_pages_nothing_stands_before_the_table(site):
    assert not isinstance(served(site), ErrorPages)
