"""Where redirects lead, and how a URL is taken apart: the latter beside libaprutil."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from random import Random

import pytest

from django_wsgimatch.aliases.alias import Alias, Redirection
from django_wsgimatch.aliases.redirecting import (
    ANSWERED,
    header_url,
    redirect_status,
    split_url,
)
from django_wsgimatch.aliases.table import AliasTable

OMIT_QUERY = 1 << 5
PIECES = (
    *(
        "http:",
        "HTTP:",
        "https:",
        "ftp:",
        "snews:",
        "a",
        "b:",
        "/",
        "//",
        "///",
        "?",
        "#",
        "@",
        ":",
    ),
    *("[", "]", "[::1]", "80", ":80", ":443", ":80x", ":+80", ":-1", ": 80", ":065616", ":65616"),
    *(":99999999999999999999", "u:p@", "u@", "x.y", "\xe9", "\n", " ", "%41", "1", "+", "-", "."),
)


class Parsed(ctypes.Structure):
    """apr_uri_t."""

    _fields_ = [
        *(
            (name, ctypes.c_char_p)
            for name in ("scheme", "hostinfo", "user", "password", "hostname", "port_str")
        ),
        *((name, ctypes.c_char_p) for name in ("path", "query", "fragment")),
        ("hostent", ctypes.c_void_p),
        ("port", ctypes.c_uint16),
        ("bits", ctypes.c_uint),
    ]


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        pytest.param("http://x/a?b?c#d?e", ("http://x/a", "b?c", "d?e"), id="all parts"),
        pytest.param("/a#b?c", ("/a", None, "b?c"), id="a question mark in the fragment"),
        pytest.param("/a?", ("/a", "", None), id="an empty query"),
        pytest.param("http://x:80/a", ("http://x/a", None, None), id="the scheme's own port"),
        pytest.param("http://x:443/a", ("http://x:443/a", None, None), id="another port"),
        pytest.param("http://u:p@x/", ("http://u:XXXXXXXX@x/", None, None), id="a password"),
        pytest.param("http://[::1]:8080/a", ("http://[::1]:8080/a", None, None), id="IPv6"),
        pytest.param("http://[::1/a", ("http:", None, None), id="an open bracket"),
        pytest.param("http://x:80y/a?b", ("http://x", None, None), id="a port with letters"),
        pytest.param("///a", ("///a", None, None), id="three slashes are a path"),
        pytest.param("//a/b", ("//a/b", None, None), id="two slashes are a host"),
        pytest.param("a:b", ("a:b", None, None), id="a scheme and a relative path"),
        pytest.param("1:b/c", ("", None, None), id="a colon in a relative path"),
        pytest.param("/\n\t", ("/\n\t", None, None), id="control characters stay"),
        pytest.param("", ("", None, None), id="nothing"),
    ],
)
def test_a_url_is_split_as_apache_splits_it(url, parts):
    assert split_url(url) == parts


def url_of(alias: Alias, uri: str) -> str:
    match = AliasTable([alias]).match(uri)
    assert match is not None
    return match.url


@pytest.mark.parametrize(
    ("location", "url", "uri", "leads_to"),
    [
        pytest.param("/a", "http://x/b", "/a", "http://x/b", id="the location itself"),
        pytest.param(
            "/a", "http://x/b", "/a/c d", "http://x/b/c%20d", id="what follows is escaped"
        ),
        pytest.param("/a", "http://x/b", "/a/\r\nX:y", "http://x/b/%0d%0aX:y", id="line breaks"),
        pytest.param("/a", "/b", "/a/\xe9%?#", "/b/%e9%25%3f%23", id="what would end a path"),
        pytest.param("/a", "/b c\xe9", "/a/c", "/b c\xe9/c", id="the URL itself stays as it is"),
        pytest.param("/a", "/b?k=v", "/a/c", "/b?k=v/c", id="behind a query"),
        pytest.param("/a/", "http://x", "/a/c", "http://xc", id="nothing is put in between"),
        pytest.param("/a", "http://x/", "/a/c", "http://x//c", id="nothing is taken away"),
        pytest.param("/", "http://x/", "/c", "http://x/c", id="all URLs"),
    ],
)
def test_what_follows_the_location_is_put_behind_the_url(location, url, uri, leads_to):
    assert url_of(Alias(location, "", answer=Redirection(url)), uri) == leads_to


@pytest.mark.parametrize(
    ("pattern", "url", "uri", "leads_to"),
    [
        pytest.param("^/a/(.*)", "http://x/$1", "/a/b c", "http://x/b%20c", id="a group"),
        pytest.param("^/a(b)?", "/$1/$2x$0", "/a", "//x/a", id="groups that took no part"),
        pytest.param("^/a", "/b", "/a/rest", "/b", id="what follows is left out"),
        pytest.param("^/a", r"/a&b\$1", "/a", "/a&b$1", id="an ampersand and a backslash"),
        pytest.param("^/a/(.*)", "/?q=$1", "/a/b c\xe9", "/?q=b c\xe9", id="no escapes in a query"),
        pytest.param("^/a/(.*)", "/#$1", "/a/b?c", "/#b?c", id="no escapes in a fragment"),
        pytest.param("^/a/(.*)", "/$1", "/a/b?c", "/b?c", id="a question mark makes a query"),
        pytest.param("^/a/(.*)", "/$1", "/a/\t\r\nX: y", "/%09%0d%0aX:%20y", id="line breaks"),
        pytest.param("^/a(.*)", "$1", "/a//x/y", "//x/y", id="a host of the client's choice"),
        pytest.param("^(?!/b)", "http://x$0", "/a", "http://x", id="a match without any text"),
        pytest.param("^/a(.*)", "/" + 20 * "$1", "/a" + 3_400 * "b", "", id="too long"),
    ],
)
def test_groups_are_filled_into_the_url(pattern, url, uri, leads_to):
    assert url_of(Alias(pattern, "", "match", answer=Redirection(url)), uri) == leads_to


@pytest.mark.parametrize(
    ("status", "url", "answered"),
    [
        pytest.param(302, "/a", 302, id="a path"),
        pytest.param(302, "x-y.z+1:", 302, id="a scheme"),
        pytest.param(302, "/a\t\x80 b", 302, id="a tab, a blank and 8-bit bytes"),
        pytest.param(302, "a/b", 500, id="neither"),
        pytest.param(302, "", 500, id="nothing"),
        pytest.param(302, ":a", 500, id="an empty scheme"),
        pytest.param(302, "a_b:c", 500, id="no scheme"),
        pytest.param(302, "/a?\n", 500, id="a line break"),
        pytest.param(302, "/a#\x7f", 500, id="DEL"),
        pytest.param(306, "/a", 500, id="a status that Apache does not know"),
        pytest.param(410, "", 410, id="a status without a URL"),
        pytest.param(418, "", 500, id="another one that Apache does not know"),
    ],
)
def test_what_is_no_url_is_an_error(status, url, answered):
    assert redirect_status(status, url) == answered


def test_the_statuses_are_those_that_apache_has_a_line_for():
    assert sorted(ANSWERED) == [
        *(200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308),
        *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417),
        *(421, 422, 423, 424, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508),
        *(510, 511),
    ]


def test_a_header_holds_visible_ascii_alone():
    every_byte = "".join(map(chr, range(256)))

    found = header_url(every_byte)

    assert all("!" <= character <= "~" for character in found)
    assert found[: 3 * 33].lower() == "".join(f"%{code:02x}" for code in range(33))


@pytest.fixture
def split_by_apr() -> Iterator[Callable[[str], tuple[str, str | None, str | None]]]:
    names = [find_library("apr-1"), find_library("aprutil-1")]
    if None in names:
        pytest.skip("needs Debian's libaprutil1")
    apr, util = map(ctypes.CDLL, names)
    util.apr_uri_unparse.restype = ctypes.c_char_p
    util.apr_uri_unparse.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint]
    util.apr_uri_parse.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    apr.apr_pool_destroy.argtypes = [ctypes.c_void_p]
    apr.apr_initialize()
    pool = ctypes.c_void_p()
    apr.apr_pool_create_ex(ctypes.byref(pool), None, None, None)

    def text(value: bytes | None) -> str | None:
        return None if value is None else value.decode("latin-1")

    def split(url: str) -> tuple[str, str | None, str | None]:
        found = Parsed()
        util.apr_uri_parse(pool, url.encode("latin-1"), ctypes.byref(found))
        written = util.apr_uri_unparse(pool, ctypes.byref(found), OMIT_QUERY)
        return written.decode("latin-1"), text(found.query), text(found.fragment)

    yield split
    apr.apr_pool_destroy(pool)


def test_random_urls_are_split_as_libaprutil_splits_them(split_by_apr):
    rng = Random(1)
    urls = ["".join(rng.choices(PIECES, k=rng.randint(0, 7))) for _ in range(5_000)]

    assert [split_url(url) for url in urls] == [split_by_apr(url) for url in urls]
