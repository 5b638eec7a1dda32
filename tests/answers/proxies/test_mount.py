"""The SCRIPT_NAME that a proxy tells."""

from __future__ import annotations

import pytest

from django_wsgimatch.answers.proxies.mount import (
    MOUNT,
    clean_prefix,
    own_mount_point,
    put_before,
    put_in_place,
    replaces_script_name,
    script_name_below,
)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        pytest.param("/shop", "/shop", id="a prefix"),
        pytest.param("/a/b", "/a/b", id="two segments"),
        pytest.param("/shop/", "/shop", id="a slash at the end"),
        pytest.param("/", "", id="the root"),
        pytest.param("", "", id="nothing"),
        pytest.param("/caf\xc3\xa9", "/caf\xc3\xa9", id="bytes"),
        pytest.param("/.well-known", "/.well-known", id="a name with a dot"),
        pytest.param("shop", None, id="no slash at the start"),
        pytest.param("//evil.example", None, id="another site"),
        pytest.param("/\\evil.example", None, id="another site for browsers"),
        pytest.param("/a//b", None, id="an empty segment"),
        pytest.param("/a/../b", None, id="dots"),
        pytest.param("/..", None, id="dots alone"),
        pytest.param("/a?b", None, id="a query"),
        pytest.param("/a\r\nb", None, id="a line break"),
        pytest.param("https://evil.example", None, id="a URL"),
    ],
)
def test_what_may_be_a_prefix(text, prefix):
    assert clean_prefix(text) == prefix


def test_prefix_stands_before_the_server_s_own_and_the_alias_s():
    environ = {"SCRIPT_NAME": "/own"}

    put_before(environ, "/shop")

    assert environ == {"SCRIPT_NAME": "/shop/own", MOUNT: "+/own"}
    assert own_mount_point(environ) == "/own"
    assert script_name_below(environ, "/alias") == "/shop/own/alias"


def test_script_name_stands_in_place_of_both():
    environ = {"SCRIPT_NAME": "/own"}

    put_in_place(environ, "/shop")

    assert own_mount_point(environ) == "/own"
    assert replaces_script_name(environ)
    assert script_name_below(environ, "/alias") == "/shop"


def test_the_root_takes_the_place_of_a_script_name():
    environ = {"SCRIPT_NAME": ""}

    put_in_place(environ, "")

    assert script_name_below(environ, "/alias") == ""


def test_the_last_of_two_headers_counts():
    environ = {"SCRIPT_NAME": "/own"}

    put_in_place(environ, "/shop")
    put_before(environ, "/site")

    assert environ == {"SCRIPT_NAME": "/site/own", MOUNT: "+/own"}


def test_empty_prefix_changes_nothing():
    environ = {"SCRIPT_NAME": "/own"}

    put_before(environ, "")

    assert environ == {"SCRIPT_NAME": "/own"}
