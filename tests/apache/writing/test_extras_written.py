from __future__ import annotations

from typing import Any

import pytest

from django_wsgimatch.aliases.alias import Extras, HeaderChange
from django_wsgimatch.aliases.lines.expiry import SinceChange
from django_wsgimatch.apache.writing.extras_written import extras_as_options
from django_wsgimatch.entries import to_alias
from tests.support.imports import settings_of, text_of

ALIAS = "WSGIScriptAlias / /srv/a.wsgi"
LINES = [
    "SetEnv A 'caf\xc3\xa9 \xff \"x\"'",
    "SetEnv B 'c:\\\\x'",
    "Header always append X-A %%",
    "Header unset X-B",
    'Header set X-C ""',
    "AddDefaultCharset utf-8",
    "ExpiresActive On",
    "ExpiresDefault A0",
    "ExpiresByType text/css A5",
    "ExpiresByType image/* M60",
    "LimitRequestBody 10",
    "Alias /static /srv/static",
]


@pytest.mark.parametrize(
    ("extras", "options"),
    [
        pytest.param(None, {}, id="nothing"),
        pytest.param(Extras(expires=0, body_limit=0), {"expires": 0, "body_limit": 0}, id="zeros"),
        pytest.param(
            Extras(headers=(HeaderChange("set", "A", "1"), HeaderChange("set", "B", "2"))),
            {"headers": {"A": "1", "B": "2"}},
            id="headers that are set",
        ),
        pytest.param(
            Extras(headers=(HeaderChange("set", "A", "1"), HeaderChange("set", "A", "2"))),
            {"headers": [("set", "A", "1"), ("set", "A", "2")]},
            id="one that is set twice",
        ),
        pytest.param(
            Extras(headers=(HeaderChange("unset", "A", always=True),)),
            {"headers": [("unset", "A", "always")]},
            id="one that is taken away",
        ),
    ],
)
def test_extras_are_options(extras, options):
    assert extras_as_options(extras) == options


def test_what_is_written_reads_back_the_same():
    names: dict[str, Any] = {}
    exec(compile(text_of(*LINES, ALIAS), "fragment", "exec"), names)

    found = [to_alias(each, process_groups=(), variables={}) for each in names["WSGIMATCH_ALIASES"]]

    written = [each.alias for each in settings_of(*LINES, ALIAS).entries]
    assert [(each.answer, each.extras) for each in found] == [
        (each.answer, each.extras) for each in written
    ]
    assert found[1].extras == Extras(
        (("A", 'caf\xc3\xa9 \xff "x"'), ("B", "c:\\x")),
        (
            HeaderChange("append", "X-A", "%", always=True),
            HeaderChange("unset", "X-B"),
            HeaderChange("set", "X-C", ""),
        ),
        "utf-8",
        0,
        10,
        (("text/css", 5), ("image/*", SinceChange(60))),
    )


def test_long_options_take_a_line_for_each_part():
    lines = [
        "SetEnv trac.env_path /srv/trac/with/a/rather/long/path/to/the/environment",
        "Header set Content-Security-Policy \"default-src 'self'; script-src 'self' cdn.test; x\"",
        'Header always append Strict-Transport-Security "max-age=63072000; includeSubDomains; p"',
    ]

    text = text_of(*lines, ALIAS)

    assert text.partition("[\n")[2].partition("\n]")[0] == (
        """\
    # site.conf:4, 1, 2, 3
    script_alias(
        "/",
        "/srv/a.wsgi",
        environ={
            "trac.env_path": "/srv/trac/with/a/rather/long/path/to/the/environment",
        },
        headers=[
            (
                "set",
                "Content-Security-Policy",
                "default-src 'self'; script-src 'self' cdn.test; x",
            ),
            (
                "append",
                "Strict-Transport-Security",
                "max-age=63072000; includeSubDomains; p",
                "always",
            ),
        ],
    ),"""
    )


def test_long_options_of_many_entries_have_a_name():
    lines = [
        "SetEnv A b",
        "Header always set Strict-Transport-Security max-age=63072000",
        *(f"WSGIScriptAlias /{name} /srv/{name}.wsgi" for name in "abc"),
    ]

    text = text_of(*lines)

    assert text.partition("script_alias\n\n")[2].partition("\n]")[0] == (
        """\
_HEADERS = [("set", "Strict-Transport-Security", "max-age=63072000", "always")]
WSGIMATCH_ALIASES = [
    # site.conf:3, 1, 2
    script_alias("/a", "/srv/a.wsgi", environ={"A": "b"}, headers=_HEADERS),
    # site.conf:4, 1, 2
    script_alias("/b", "/srv/b.wsgi", environ={"A": "b"}, headers=_HEADERS),
    # site.conf:5, 1, 2
    script_alias("/c", "/srv/c.wsgi", environ={"A": "b"}, headers=_HEADERS),"""
    )


@pytest.mark.parametrize(
    ("environment", "extras"),
    [
        pytest.param({"A": "\u0142"}, Extras((("A", "\xc5\x82"),)), id="set"),
        pytest.param({}, Extras(), id="not set"),
    ],
)
def test_a_passed_variable_is_that_of_the_environment_where_it_is_set(
    monkeypatch, environment, extras
):
    monkeypatch.setattr("os.environ", environment)
    names: dict[str, Any] = {}

    exec(compile(text_of("PassEnv A B", ALIAS), "fragment", "exec"), names)

    [entry] = names["WSGIMATCH_ALIASES"]
    assert to_alias(entry, process_groups=(), variables={}).extras == extras


def test_passed_variables_are_written_once():
    lines = ["PassEnv B A", "SetEnv C d", ALIAS]

    text = text_of(*lines)

    assert text.partition("import os\n")[2].partition("\n]")[0] == (
        """
from django_wsgimatch import script_alias

# PassEnv: what the server is started with, where it is set.
_PASSED_NAMES = ["A", "B"]
_PASSED = {
    name: {name: os.environ[name]} if name in os.environ else {}
    for name in _PASSED_NAMES
}
WSGIMATCH_ALIASES = [
    # site.conf:3, 1, 2
    script_alias(
        "/",
        "/srv/a.wsgi",
        environ={**_PASSED["B"], **_PASSED["A"], "C": "d"},
    ),"""
    )
