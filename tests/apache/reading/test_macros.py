from __future__ import annotations

import pytest

from django_wsgimatch.apache.lines import limits
from django_wsgimatch.apache.lines.directive import Spot
from tests.support.apache_reading import directives, on_lines, read, refusals

MACRO = "<Macro Site $name $path>\n# c\nA $name\n<Files a>\nB $path\n</Files>\n</Macro>\n"


def test_macro_takes_the_place_of_its_use():
    found = directives(MACRO + '<Proxy x>\nuse SITE x "/a b"\nZ\n</Proxy>')

    assert found == [
        '9 <Proxy x> use SITE x "/a b"',
        "3 <Proxy x> A x",
        "5 <Proxy x> <Files a> B /a b",
        "10 <Proxy x> Z",
    ]


def test_spots_are_those_of_the_definition_and_of_the_use():
    configuration = read(MACRO + "Use site a b")

    spots = [each.spot for each in configuration.directives]
    assert spots == [
        Spot("/c/site.conf", 8),
        Spot("/c/site.conf", 3, Spot("/c/site.conf", 8)),
        Spot("/c/site.conf", 5, Spot("/c/site.conf", 8)),
    ]
    assert str(spots[1]) == "/c/site.conf:3, used at /c/site.conf:8"


def test_each_use_counts():
    found = directives("<Macro m $a>\nX $a\n</Macro>\nUse m 1\nUse m 2")

    assert found == ["4 Use m 1", "2 X 1", "5 Use m 2", "2 X 2"]


def test_lines_of_a_macro_that_nobody_uses_are_kept_where_they_stand():
    text = "<Macro m $a>\n<If $a>\n<IfModule x.c>\nX $a\n</IfModule>\n</If>\nY\n</Macro>\nZ"

    configuration = read(text)

    assert on_lines(configuration.directives) == ["4 <If $a> -X $a", "7 -Y", "9 Z"]
    assert configuration.directives[0].because == "<Macro m> in /c/site.conf:1 is used nowhere"


@pytest.mark.parametrize(
    ("parameters", "line", "values", "found"),
    [
        pytest.param("$a $ab", "X $a $ab $abc", "1 2", "X 1 2 2c", id="the longer one wins"),
        pytest.param("%a a", "X %a a", "1 2", "X 1 2", id="any name"),
        pytest.param("@a", "X @a", "'b\"c\\d'", r'X "b\"c\\d"', id="one with @ comes in quotes"),
        pytest.param("@a", "X @a", "@a", "X @a", id="but not its own name"),
        pytest.param("@a", "X @a", '""', 'X ""', id="an empty value in quotes"),
        pytest.param("$a", "X$a y", '""', "X y", id="an empty value"),
        pytest.param("$a $b", "X $a", "$b 1", "X $b", id="values are not filled in"),
        pytest.param("@a $b", "X @a", "'\"\"$b' 1", 'X "\\"\\"1"', id="but where quotes are added"),
        pytest.param("/IgnoreEmptyArgs /Other $a", "X $a", "1", "X 1", id="flags"),
        pytest.param("$a", "X ${v}$a", "1", "X w1", id="variables afterwards"),
    ],
)
def test_values(parameters, line, values, found):
    text = f"Define v w\n<Macro m {parameters}>\n{line}\n</Macro>\nUse m {values}"

    [*_, last] = directives(text)

    assert last == f"3 {found}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "<Macro a>\nUse b\nX\n</Macro>\n<Macro b>\nY\n</Macro>\nUse a",
            ["8 Use a", "2 Use b", "6 Y", "3 X"],
            id="a macro uses another",
        ),
        pytest.param(
            "<Macro a>\n<Macro b $c>\nX $c\n</Macro>\n</Macro>\nUse a\nUse b 1",
            ["6 Use a", "7 Use b 1", "3 X 1"],
            id="a macro defines another",
        ),
        pytest.param(
            "<Macro a>\n<Files x>\n</Macro>\nUse a\nX\n</Files>",
            ["4 Use a", "5 <Files x> X"],
            id="a section opened in a macro ends behind it",
        ),
        pytest.param(
            '<Macro a $b>\nX $b\n</Macro>\nUse a "y\\\\"\nZ',
            ['4 Use a "y\\\\"', "2 X yZ"],
            id="a value that ends in a backslash joins the line behind",
        ),
        pytest.param(
            "<Macro a>\nX\n</Macro>\nUndefMacro A",
            ["2 -X", "4 UndefMacro A"],
            id="a macro is forgotten",
        ),
        pytest.param(
            "<Macro a>\nX\n</Macro>\n<Macro a>\nY\n</Macro>\nUse a",
            ["2 -X", "7 Use a", "5 Y"],
            id="the later definition counts",
        ),
        pytest.param(
            "<IfDefine A>\n<Macro a>\nX\n</Macro>\n</IfDefine>",
            ["3 <Macro a> -X"],
            id="a definition that is off",
        ),
    ],
)
def test_macro(text, found):
    read_directives = directives(text)

    assert read_directives == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("Use a", "macro a is not defined in front of this line", id="undefined"),
        pytest.param("Use", "macro  is not defined in front of this line", id="without a name"),
        pytest.param(
            "UndefMacro a", "macro a is not defined in front of this line", id="forgotten"
        ),
        pytest.param("<Macro a>\nUse a\n</Macro>\nUse a", "macro a uses itself", id="in itself"),
        pytest.param(
            "<Macro a $b>\n</Macro>\nUse a",
            "macro a takes 1 arguments, not 0: /c/site.conf:1",
            id="too few values",
        ),
        pytest.param(
            "<Macro a>\nX", "<Macro> is not closed: the file ends before </Macro>", id="left open"
        ),
        pytest.param("<Macro >\n</Macro>", "<Macro> has no name", id="no name"),
        pytest.param(
            "<Macro a\n</Macro>", "<Macro> directive missing closing '>'", id="no bracket"
        ),
        pytest.param("<Macro a $b $b>\n</Macro>", "macro a has the parameter $b twice", id="twice"),
        pytest.param(
            '<Macro a "">\n</Macro>', "macro a has a parameter without a name", id="empty"
        ),
        pytest.param(
            "<Macro a>\nX " + "b" * 8190 + "\n</Macro>",
            "a line in the macro is longer than the 8190 bytes that mod_macro takes",
            id="a long line",
        ),
        pytest.param(
            "<Macro a @b>\n@b\n</Macro>\nUse a '\\\\\\\\\\\\@b'",
            "a line of the macro gets longer than 8190 bytes by @b",
            id="a value that grows without end",
        ),
    ],
)
def test_bad_macro(text, reason):
    found = refusals(text)

    assert [each for _, _, each in found] == [reason]


def test_lines_of_a_broken_macro_are_kept():
    configuration = read("<Macro a $b $b>\nX\n</Macro>")

    assert on_lines(configuration.directives) == ["2 -X"]
    assert configuration.directives[0].because == "<Macro a> in /c/site.conf:1 cannot be used"


def test_macros_that_multiply_beyond_all_bounds(monkeypatch):
    monkeypatch.setattr(limits, "MOST_LINES", 1_000)
    text = "<Macro m0>\nX\n</Macro>\n"
    text += "".join(f"<Macro m{n + 1}>\nUse m{n}\nUse m{n}\n</Macro>\n" for n in range(30))

    configuration = read(f"{text}Use m30\nY")

    [refusal] = configuration.refusals
    assert refusal.spot.file == "/c/site.conf"
    assert refusal.reason.startswith("the import gives up: the lines of macro m")
    assert refusal.reason.endswith("added here, and the configuration has more than 1,000 lines")
    assert configuration.directives == ()
