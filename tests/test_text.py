from __future__ import annotations

import json
import subprocess
import sys

import pytest

from django_wsgimatch.doctor.findings.finding import Finding
from django_wsgimatch.text import aligned, cut, last_line, quoted, readable, shown, to_json
from tests.support.servers import environment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/blog?a=b c", "/blog?a=b c", id="ASCII"),
        pytest.param("café 日本", "café 日本", id="letters of other scripts"),
        pytest.param("\x1b]0;PWNED\x07\x1b[2J", r"\x1b]0;PWNED\x07\x1b[2J", id="terminal escapes"),
        pytest.param("a\nb\rc\td\x0b\x0c", r"a\nb\rc\td\x0b\x0c", id="line ends and tabs"),
        pytest.param("\x7f\x80\x9b31m\x9f\x85", r"\x7f\x80\x9b31m\x9f\x85", id="DEL and C1"),
        pytest.param("\u202atxt\u202e\u2066\u2069", r"\u202atxt\u202e\u2066\u2069", id="bidi"),
        pytest.param("a\u200bb\u200d\ufeff", r"a\u200bb\u200d\ufeff", id="zero width"),
        pytest.param("a\u2028b\u2029", r"a\u2028b\u2029", id="line and paragraph separators"),
        pytest.param("\udc80\ud800", r"\udc80\ud800", id="lone surrogates"),
        pytest.param("\U000e0041", r"\U000e0041", id="invisible tags"),
        pytest.param("\xa0", r"\xa0", id="a blank that is none"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text, expected):
    assert shown(text) == expected
    assert shown(expected) == expected


def test_no_character_moves_the_cursor_or_stops_the_encoder():
    codes = [*range(0xFF), 0x61C, 0x200E, 0x202C, 0x2064, 0xD8FF, 0xFFFE]

    texts = {code: shown(chr(code)) for code in codes}

    assert {code: text for code, text in texts.items() if not text.isprintable()} == {}
    assert all(text.encode() for text in texts.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("/blog", "/blog", id="ASCII"),
        pytest.param("/caf\xc3\xa9", "/café", id="UTF-8"),
        pytest.param("/caf\xe9", r"/caf\xe9", id="no UTF-8"),
        pytest.param("/\x1b[31m\n", r"/\x1b[31m\n", id="what moves a terminal's cursor"),
        pytest.param("/\xe2\x80\xae", r"/\u202e", id="what reverses the text, as UTF-8"),
        pytest.param("/\u20ac", "/?", id="no byte"),
    ],
)
def test_readable(text, expected):
    assert readable(text) == expected


def test_long_text_is_cut_and_its_length_told():
    assert quoted("a" * 300) == f"'{'a' * 40}...' (300 bytes)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("12345678", "12345678", id="as long as it may be"),
        pytest.param("123456789", "12345...", id="longer"),
        pytest.param("\x1b" * 8, r"\x1b\...", id="longer by its escapes"),
        pytest.param("x" * 100_000, "xxxxx...", id="very long"),
    ],
)
def test_cut(text, expected):
    assert cut(text, 8) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param("Traceback:\n  x\nValueError: no\n\n", "ValueError: no", id="a traceback"),
        pytest.param("Error: a\u2028ERROR fake", r"Error: a\u2028ERROR fake", id="a false line"),
        pytest.param("x" * 400, "x" * 297 + "...", id="a long line"),
        pytest.param(" \n", "", id="nothing"),
    ],
)
def test_last_line(output, expected):
    assert last_line(output) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("\udc80", r"\udc80", id="a lone surrogate"),
        pytest.param("\\\udc80", r"\\udc80", id="behind a backslash"),
        pytest.param("\\\\ud800", r"\\ud800", id="what only looks like one"),
        pytest.param("\ud83dx\ude00", r"\ud83dx\ude00", id="halves that are apart"),
        pytest.param("\N{GRINNING FACE}", "\N{GRINNING FACE}", id="a whole pair"),
        pytest.param({"\udc80": 1}, {r"\udc80": 1}, id="in a name"),
        pytest.param([float("nan"), float("inf"), 1.5], [None, None, 1.5], id="no number"),
        pytest.param("\x1b\x7f\x9b\u2028", "\x1b\x7f\x9b\u2028", id="controls"),
    ],
)
def test_json_that_every_parser_takes(value, expected):
    text = to_json(value)

    assert json.loads(text, parse_constant=pytest.fail) == expected
    assert json.loads(text.encode("ascii")).__repr__().encode()
    assert text.replace("\n", "").isprintable()


def test_a_finding_is_shown_text_from_the_start():
    finding = Finding("E026", "a\u2028", "ValueError: \x1b[2J\n\udc80", "\x9b")

    assert finding == Finding("E026", r"a\u2028", r"ValueError: \x1b[2J\n\udc80", r"\x9b")


def test_text_is_shown_by_a_process_that_can_load_nothing_any_more():
    """As a worker that has become a user who may not read the Python that it runs in."""
    program = (
        "import sys; from django_wsgimatch.text import shown; sys.meta_path.clear(); "
        "print(shown('/a' + chr(11) + chr(0x80) + chr(0x202e)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(None), capture_output=True, check=True
    )

    assert done.stdout == b"/a\\x0b\\x80\\u202e\n"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        pytest.param([("name", "state"), ("b", "on")], ["name  state", "b     on"], id="two rows"),
        pytest.param([("a", ""), ("long", "")], ["a", "long"], id="nothing at the end"),
        pytest.param([], [], id="no row"),
    ],
)
def test_columns_stand_under_each_other(rows, lines):
    assert list(aligned(rows)) == lines
