from __future__ import annotations

import pytest

from django_wsgimatch.aliases.directives import get_word
from django_wsgimatch.apache.lines.directive import Spot, split_words
from django_wsgimatch.apache.lines.lines import Line, Lines, physical_lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("a\nb\n", [(1, "a"), (2, "b")], id="one after the other"),
        pytest.param("a", [(1, "a")], id="the last needs no line feed"),
        pytest.param("", [], id="an empty file has none"),
        pytest.param(" \ta \v\f\r\n", [(1, "a")], id="trimmed"),
        pytest.param("a\\\nb\nc", [(1, "ab"), (3, "c")], id="a backslash joins"),
        pytest.param("a\\\r\nb", [(1, "ab")], id="also before a carriage return"),
        pytest.param("a\\ \nb", [(1, "a\\"), (2, "b")], id="a blank behind a backslash hides it"),
        pytest.param("a\\\\\nb", [(1, "a\\b")], id="two backslashes join and leave one"),
        pytest.param("a\\\\\n\nb", [(1, "ab")], id="an empty line behind two goes on too"),
        pytest.param("a\\\\\n\r\nb", [(1, "ab")], id="also one that ends in a carriage return"),
        pytest.param("# a\\\nb", [(1, "# ab")], id="a comment goes on too"),
        pytest.param("a\\\n", [(1, "a")], id="a backslash before the end"),
        pytest.param("a\\", [(1, "a\\")], id="a backslash at the very end stays"),
        pytest.param("\\\n", [(1, "")], id="nothing but a backslash"),
        pytest.param("a\rb\x85c", [(1, "a\rb\x85c")], id="only a line feed ends a line"),
    ],
)
def test_logical_lines(text, lines):
    found = [(line.spot.line, line.text) for line in Lines(physical_lines(text, "f"))]

    assert found == lines


def test_many_continuations_are_joined_in_linear_time():
    text = "a\\\n" * 200_000

    [line] = Lines(physical_lines(text, "f"))

    assert len(line.text) == 200_000


def test_lines_of_a_macro_come_next_and_join_what_is_behind_them():
    lines = Lines(physical_lines("use\nb\n", "f"))
    use = next(lines)

    lines.insert("m", [Line(Spot("m", 1), "x\n"), Line(Spot("m", 2), "y\\\n")])

    assert use.text == "use"
    assert [line.text for line in lines] == ["x", "yb"]


@pytest.mark.parametrize(
    ("line", "name", "rest"),
    [
        pytest.param("Alias /a  b", "Alias", "/a  b", id="a name"),
        pytest.param("Alias\t\v/a", "Alias", "/a", id="every blank of the C locale"),
        pytest.param("Alias\xa0/a", "Alias\xa0/a", "", id="a no-break space is no blank"),
        pytest.param('"Al ias" /a', "Al ias", "/a", id="a name in quotes"),
        pytest.param(r"a\\b\c d", r"a\b\c", "d", id="a doubled backslash"),
        pytest.param('a"b c', 'a"b', "c", id="a quote inside"),
    ],
)
def test_split_name(line, name, rest):
    found = get_word(line)

    assert found == (name, rest)


def test_split_words():
    words = split_words(""" a "b c" '' "d """)

    assert words == ["a", "b c", "", "d "]
