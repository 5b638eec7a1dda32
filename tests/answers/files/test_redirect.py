"""The URL of a directory, as Apache builds it."""

from __future__ import annotations

import pytest

from django_wsgimatch.answers.files.redirect import absolute_url
from tests.support.wsgi import make_environ


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        pytest.param("localhost", "http://localhost", id="a name"),
        pytest.param("LocalHost:80", "http://localhost", id="capitals, and the usual port"),
        pytest.param("a.test:8080", "http://a.test:8080", id="another port"),
        pytest.param("a.test:0080", "http://a.test", id="zeros"),
        pytest.param("a.test.", "http://a.test", id="a dot at the end"),
        pytest.param("a.test:", "http://a.test", id="no port behind the colon"),
        pytest.param("[::1]:81", "http://[::1]:81", id="an address in brackets"),
        pytest.param("a\r\nX: y", "http://a%0D%0Ax:%20y", id="a host that nobody has looked at"),
        pytest.param("", "http://127.0.0.1:8000", id="no host"),
    ],
)
def test_origin(host, origin):
    url = absolute_url("/d/", make_environ("/d", HTTP_HOST=host))

    assert url == f"{origin}/d/"


@pytest.mark.parametrize(
    ("port", "origin"),
    [
        pytest.param("443", "https://a.test", id="the usual port"),
        pytest.param("80", "https://a.test:80", id="that of http"),
    ],
)
def test_origin_of_https(port, origin):
    environ = make_environ("/d", HTTP_HOST=f"a.test:{port}") | {"wsgi.url_scheme": "https"}

    url = absolute_url("/d/", environ)

    assert url == f"{origin}/d/"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        pytest.param("/a b\xe9/", "/a%20b%e9/", id="bytes are escaped in small letters"),
        pytest.param("/$-_.+!*'(),:;@&=~/", "/$-_.+!*'(),:;@&=~/", id="what stays as it is"),
        pytest.param('/%"<>?#[\\]^`{|}/', "/%25%22%3c%3e%3f%23%5b%5c%5d%5e%60%7b%7c%7d/", id="not"),
        pytest.param("/a\r\nb/", "/a%0d%0ab/", id="line ends"),
        pytest.param("/%2F/", "/%252F/", id="what looks like an escape"),
    ],
)
def test_path(uri, path):
    url = absolute_url(uri, make_environ("/"))

    assert url == f"http://localhost{path}"


@pytest.mark.parametrize(
    ("environ", "query"),
    [
        pytest.param(make_environ("/d?a=%20&b=c?d"), "?a=%20&b=c?d", id="as it came"),
        pytest.param(make_environ("/d?"), "?", id="a mark alone"),
        pytest.param(make_environ("/d"), "", id="none"),
        pytest.param(
            make_environ("/d?a=b", without=["RAW_URI"]), "?a=b", id="of a server without targets"
        ),
        pytest.param(
            make_environ("/d", without=["RAW_URI"], QUERY_STRING="a\r\nX: y"),
            "?a%0d%0aX:%20y",
            id="line ends",
        ),
    ],
)
def test_query(environ, query):
    url = absolute_url("/d/", environ)

    assert url == f"http://localhost/d/{query}"
