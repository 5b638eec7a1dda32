"""How a URL is taken apart, compared with what libaprutil makes of it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from random import Random

import pytest

from django_wsgimatch.aliases.redirecting import split_url

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
