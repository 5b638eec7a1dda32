from __future__ import annotations

import re

import pytest

from django_wsgimatch.aliases.substitution import (
    filename_for,
    fill,
    group_numbers,
    make_filling,
    parse_template,
)


@pytest.mark.parametrize(
    ("target", "template"),
    [
        pytest.param("/x.wsgi", ("/x.wsgi",), id="plain text"),
        pytest.param("/d/$1.wsgi", ("/d/", 1, ".wsgi"), id="a group in text"),
        pytest.param("$0$9", (0, 9), id="groups side by side"),
        pytest.param("$10", (1, "0"), id="one digit only"),
        pytest.param("a$b$", ("a$b$",), id="a dollar before a non-digit is text"),
        pytest.param("${1}&%1", ("${1}&%1",), id="no other notation"),
        pytest.param(r"\$1\&\a\\", (r"$1&a" + "\\",), id="a backslash takes the next literally"),
        pytest.param("a\\", ("a\\",), id="a backslash at the end stays"),
        pytest.param("$$1", ("$", 1), id="a dollar before a group"),
        pytest.param("\\\n$1\n", ("\n", 1, "\n"), id="a newline is text"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_template(target, template):
    parsed = parse_template(target)

    assert parsed == template


def test_group_numbers_keep_their_order():
    numbers = group_numbers(("/d/", 2, "/", 1, 2))

    assert numbers == (2, 1, 2)


@pytest.mark.parametrize(
    ("pattern", "target", "filled"),
    [
        pytest.param("^/(a)/(b)", "/d/$2$1", "/d/ba", id="groups in any order"),
        pytest.param("^/(a)", "$0.wsgi", "/a.wsgi", id="the whole match"),
        pytest.param("^/(z)?(a)", "<$1>", "<>", id="a group that took no part is empty"),
        pytest.param("^/(z*)a", "<$1>", "<>", id="an empty group is empty"),
        pytest.param("^/(a)", "<$2$9>", "<>", id="a group that does not exist is empty"),
        pytest.param("^/a", "/x.wsgi", "/x.wsgi", id="no group asked for"),
    ],
)
def test_fill(pattern, target, filled):
    found = re.search(pattern, "/a/b")
    assert found is not None

    text = fill(make_filling(parse_template(target), found.re.groups), found)

    assert text == filled


@pytest.mark.parametrize(
    ("target", "location", "uri", "end", "filename"),
    [
        pytest.param("/x.wsgi", "/app", "/app/y", 4, "/x.wsgi/y", id="the rest follows"),
        pytest.param("/x.wsgi", "/app", "/app", 4, "/x.wsgi", id="no rest"),
        pytest.param("/d", "/s/", "/s/a.wsgi", 3, "/da.wsgi", id="no slash is put between"),
        pytest.param("/x.wsgi", "/", "/y", 1, "/x.wsgi/y", id="behind / follows the whole uri"),
    ],
)
def test_filename(target, location, uri, end, filename):
    found = filename_for(target, location, uri, end)

    assert found == filename
