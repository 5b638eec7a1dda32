"""What is asked of two sites, and what of their answers may differ."""

from __future__ import annotations

import re

import pytest

from django_wsgimatch.cli.common.comparison import AliasRequests, Comparison, comparison_record
from django_wsgimatch.comparing.differences import Compared, Difference, Pair, compare
from django_wsgimatch.comparing.http_client import Manner, Response, Site
from django_wsgimatch.comparing.rules import HEADERS, ComparisonRules
from django_wsgimatch.comparing.targets import (
    Request,
    RequestFile,
    Skipped,
    read_request,
    read_requests,
)
from django_wsgimatch.exceptions import CompareError
from tests.support.documentation import read

OLD, NEW = Site.of("https://old.example.org"), Site.of("http://127.0.0.1:8000")
GET = Request("GET", "/x")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b"/blog/?a=b", Request("GET", "/blog/?a=b"), id="a path"),
        pytest.param(b"/caf\xe9", Request("GET", "/caf\xe9"), id="bytes that are not ASCII"),
        pytest.param(
            b'10.0.0.1 - - [01/Feb/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 123',
            Request("GET", "/a"),
            id="the common format",
        ),
        pytest.param(
            b'10.0.0.1 - bob [01/Feb/2026:10:00:00 +0000] "HEAD /a?b HTTP/1.0" 304 - "-" "Mo [x]"',
            Request("HEAD", "/a?b"),
            id="the combined format",
        ),
        pytest.param(
            b'www.example.org:443 ::1 - - [01/Feb/2026:10:00:00 +0000] "GET /a HTTP/2.0" 200 1',
            Request("GET", "/a"),
            id="the format with virtual hosts",
        ),
        pytest.param(
            rb'1.2.3.4 - - [1/Feb/2026] "GET /caf\xc3\xa9?q=\"x\" HTTP/1.1" 200 1',
            Request("GET", '/caf\xc3\xa9?q="x"'),
            id="what the log has escaped",
        ),
        pytest.param(
            b'1.2.3.4 - - [1/Feb/2026] "POST /a HTTP/1.1" 200 1',
            "POST is not sent, as the log does not have its body",
            id="a method with a body",
        ),
        pytest.param(
            b'1.2.3.4 - - [1/Feb/2026] "-" 408 -',
            "the log has no request line for it",
            id="a connection without a request",
        ),
        pytest.param(
            b'1.2.3.4 - - [1/Feb/2026] "OPTIONS * HTTP/1.1" 200 1',
            "OPTIONS is not sent, as the log does not have its body",
            id="a request for the server",
        ),
        pytest.param(
            b"/a b",
            "the target contains a blank or a control character, which a request line cannot hold",
            id="a blank",
        ),
        pytest.param(b"hello", "neither a path nor a line of an access log", id="something else"),
    ],
)
def test_request_of_a_line(line, expected):
    assert read_request(line) == expected


def test_requests_of_a_file():
    lines = [b"# the start page\n", b"/\r\n", b"\n", b"/\n", b"what?\n", b"/a\n", b"/b\n"]

    reading = read_requests(lines, most=2)

    assert reading.requests == (Request("GET", "/"), Request("GET", "/a"))
    assert reading.repeated == 1
    assert reading.skipped == (Skipped(5, "what?", "neither a path nor a line of an access log"),)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        pytest.param("example.org", "should be http://HOST", id="no scheme"),
        pytest.param("ftp://example.org", "should be http://HOST", id="another scheme"),
        pytest.param("http://example.org/blog", "should end after the host", id="a path"),
        pytest.param("http://example.org:x", "is not a URL", id="a port that is none"),
    ],
)
def test_url_of_no_site(url, complaint):
    with pytest.raises(CompareError, match=complaint):
        Site.of(url)


def answer(body: bytes = b"", status: int = 200, **headers: str) -> Response:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, named, body)


def differences(old: Response, new: Response, *ignored: bytes) -> tuple[Difference, ...]:
    rules = ComparisonRules(ignored=tuple(map(re.compile, ignored)))
    return compare(GET, old, new, Pair(OLD, NEW, Manner(), rules)).differences


APACHE_PAGE = b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>404'
APACHE_2_4_71_PAGE = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n'
    b"<html><head>\n<title>404 Not Found</title>"
)
NGINX_PAGE = b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<hr><center>nginx"
GUNICORN_PAGE = b"""<html>
  <head>
    <title>Bad Request</title>
  </head>
  <body>
    <h1><p>Bad Request</p></h1>
"""
OUR_PAGE = b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>404 '
DJANGO_PAGE = b'<!doctype html>\n<html lang="en">\n<head>\n  <title>Not Found</title>'
FORM = b"<input type='hidden' name='csrfmiddlewaretoken' value='%s'>"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            answer(b"x", Date="1", Server="Apache"), answer(b"x", Date="2"), id="Date, Server"
        ),
        pytest.param(
            answer(Location="https://old.example.org/a"),
            answer(Location="http://127.0.0.1:8000/a"),
            id="a redirect to the site itself",
        ),
        pytest.param(
            answer(Location="https://old.example.org/a"), answer(Location="/a"), id="a relative one"
        ),
        pytest.param(
            answer(Set_Cookie="s=1; Path=/; expires=Thu"),
            answer(Set_Cookie="s=2; Path=/; expires=Fri"),
            id="a cookie's value and end",
        ),
        pytest.param(answer(FORM % b"abc"), answer(FORM % b"xyz"), id="a CSRF token in a form"),
        pytest.param(
            answer(b"var csrfToken = '%s'" % (b"a" * 64)),
            answer(b"var csrfToken = '%s'" % (b"b" * 64)),
            id="a CSRF token in a script",
        ),
        pytest.param(
            answer(b"<script nonce='aGVsbG8='>"), answer(b"<script nonce='d29ybGQ='>"), id="a nonce"
        ),
        pytest.param(
            answer(b"see https://old.example.org/a"),
            answer(b"see http://127.0.0.1:8000/a"),
            id="the site's own address in a body",
        ),
        pytest.param(
            answer(Vary="Cookie, Accept"), answer(Vary="accept,cookie"), id="Vary in order"
        ),
        pytest.param(
            answer(Content_Type="text/html; charset=utf-8"),
            answer(Content_Type="text/html;charset=UTF-8"),
            id="blanks in Content-Type",
        ),
        pytest.param(
            answer(APACHE_PAGE, 404, Content_Type="text/html; charset=iso-8859-1"),
            answer(OUR_PAGE, 404, Content_Type="text/html; charset=utf-8"),
            id="the page of Apache's own for an error",
        ),
        pytest.param(
            answer(APACHE_2_4_71_PAGE, 404), answer(OUR_PAGE, 404), id="the page of a newer Apache"
        ),
        pytest.param(answer(NGINX_PAGE, 404), answer(OUR_PAGE, 404), id="the page of nginx's own"),
        pytest.param(
            answer(APACHE_PAGE, 400), answer(GUNICORN_PAGE, 400), id="the page of gunicorn's own"
        ),
        pytest.param(
            answer(
                APACHE_PAGE, 401, WWW_Authenticate='Digest realm="a", nonce="x=1,2", qop="auth"'
            ),
            answer(APACHE_PAGE, 401, WWW_Authenticate='Digest realm="a", nonce="y", qop="auth"'),
            id="the nonce of a challenge",
        ),
        pytest.param(
            answer(b"", 404, Content_Type="text/html; charset=iso-8859-1"),
            answer(b"", 404, Content_Type="text/html; charset=utf-8"),
            id="errors that show nothing",
        ),
    ],
)
def test_what_may_differ(old, new):
    assert differences(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            answer(b"x"),
            answer(b"y", status=404),
            [Difference("status", "200", "404")],
            id="status",
        ),
        pytest.param(
            answer(Location="https://old.example.org/a"),
            answer(Location="http://elsewhere/a"),
            [Difference("Location", "/a", "http://elsewhere/a")],
            id="a redirect elsewhere",
        ),
        pytest.param(
            answer(Set_Cookie="s=1; Path=/blog"),
            answer(Set_Cookie="s=1; Path=/"),
            [Difference("Set-Cookie", "s=...; Path=/blog", "s=...; Path=/")],
            id="a cookie's path",
        ),
        pytest.param(
            answer(Set_Cookie='s=""; Max-Age=0'),
            answer(),
            [Difference("Set-Cookie", "s=; Max-Age=0", "(none)")],
            id="a cookie that is deleted in one",
        ),
        pytest.param(
            answer(b"a\nb\nc"),
            answer(b"a\nB\nc"),
            [Difference("body, line 2", "b", "B")],
            id="a line of the body",
        ),
        pytest.param(
            answer(b"a\nb"),
            answer(b"a"),
            [Difference("body, line 2", "b", "(the body has ended)")],
            id="a body that ends early",
        ),
        pytest.param(
            answer(DJANGO_PAGE, 404),
            answer(OUR_PAGE, 404),
            [Difference("error page", "an application's", "the server's own")],
            id="an error page of an application's",
        ),
        pytest.param(
            answer(APACHE_PAGE, 404),
            answer(OUR_PAGE, 500),
            [Difference("status", "404", "500")],
            id="pages of the servers' own for different errors",
        ),
        pytest.param(
            answer(APACHE_PAGE, 401, WWW_Authenticate='Basic realm="a"'),
            answer(OUR_PAGE, 401, WWW_Authenticate='Basic realm="b"'),
            [Difference("WWW-Authenticate", 'Basic realm="a"', 'Basic realm="b"')],
            id="who asks for a password on pages of the servers' own",
        ),
        pytest.param(
            answer(b"x"),
            Response(failure="TimeoutError: timed out"),
            [Difference("answer", "status 200", "TimeoutError: timed out")],
            id="no answer",
        ),
    ],
)
def test_what_may_not_differ(old, new, expected):
    assert list(differences(old, new)) == expected


def test_what_is_ignored_may_differ():
    assert differences(answer(b"made at 10:00"), answer(b"made at 10:01"), rb"at \d+:\d+") == ()


def test_what_may_differ_and_what_is_compared_is_on_the_page():
    page = read("howto/compare-two-sites.rst").partition("What may differ\n")[2]
    [compared] = re.findall(r"all headers but (.*?);", page, re.DOTALL)

    assert tuple(re.findall("``(.+?)``", compared)) == HEADERS


def test_keys_of_json_are_on_the_page():
    page = read("reference/commands.rst").split("With ``--json`` it writes an object with")[1]
    told = set(re.findall(r"``(\w+)``", page.partition("\n\n")[0]))

    reading = RequestFile((GET,), (Skipped(1, "x", "y"),), 0)
    group = AliasRequests(None, None, 1, (Compared(GET, (Difference("status", "1", "2"),)),))
    shown = comparison_record(Comparison(reading, (group,)))

    assert keys(shown) <= told


def keys(shown: object) -> set[str]:
    """All keys of an object and of what is in it."""
    if isinstance(shown, list):
        return set().union(*map(keys, shown))
    if isinstance(shown, dict):
        return set(shown).union(*map(keys, shown.values()))
    return set()
