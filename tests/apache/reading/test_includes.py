from __future__ import annotations

import os

import pytest

from django_wsgimatch.apache.lines import limits
from django_wsgimatch.apache.lines.directive import Refusal, Spot, Surroundings
from django_wsgimatch.apache.reading.includes import fits, has_wildcard
from django_wsgimatch.apache.reading.reading import read_file
from tests.support.apache_reading import on_lines


@pytest.fixture
def folder(tmp_path):
    """A server root: each file holds its own name."""
    for name in ("d1/b.conf", "d1/a.conf", "d1/a.bak", "d1/.h.conf", "d1/sub/c.conf", "d2/a.conf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "d3").symlink_to("d2")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone/x.conf").symlink_to("nowhere")
    return tmp_path


def read_site(folder, text: str, **options):
    (folder / "site.conf").write_text(text)
    return read_file(str(folder / "site.conf"), Surroundings(**{"environ": {}} | options))


def included(folder, line: str) -> list[str]:
    """The names of the files that a line includes."""
    configuration = read_site(folder, line)
    assert configuration.refusals == ()
    return [each.name for each in configuration.directives[1:]]


@pytest.mark.parametrize(
    ("line", "files"),
    [
        pytest.param("Include d1/a.conf", ["d1/a.conf"], id="one file"),
        pytest.param('include "d1//x/../a.conf"', ["d1/a.conf"], id="an untidy path"),
        pytest.param(
            "Include d1/*.conf", ["d1/a.conf", "d1/b.conf"], id="sorted, without dot files"
        ),
        pytest.param("Include d1/.h*", ["d1/.h.conf"], id="a dot file asked for"),
        pytest.param(
            "Include d1",
            ["d1/.h.conf", "d1/a.bak", "d1/a.conf", "d1/b.conf", "d1/sub/c.conf"],
            id="a folder with all in it and below it",
        ),
        pytest.param("Include d*/a.conf", ["d1/a.conf", "d2/a.conf"], id="folders, but no links"),
        pytest.param("Include d3/a.conf", ["d2/a.conf"], id="a link that is named"),
        pytest.param("Include d[!1]/?.conf", ["d2/a.conf"], id="classes"),
        pytest.param("IncludeOptional d1/*.conf", ["d1/a.conf", "d1/b.conf"], id="optional"),
        pytest.param("IncludeOptional nowhere.conf", [], id="optional and missing"),
        pytest.param("IncludeOptional d1/*.x", [], id="optional without a match"),
        pytest.param("IncludeOptional no/*.x", [], id="optional without the folder"),
        pytest.param("IncludeOptional no*/a.x", [], id="optional without a folder that matches"),
        pytest.param("IncludeOptional d*/no.x", [], id="optional and missing in folders"),
        pytest.param("IncludeOptional d2/a.conf/x", [], id="optional below a file"),
        pytest.param("IncludeOptional gone/*.conf", [], id="optional and a link to nowhere"),
    ],
)
def test_include(folder, line, files):
    found = included(folder, line)

    assert found == files


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(
            "Include no.conf", "{}/no.conf cannot be read: No such file or directory", id="missing"
        ),
        pytest.param("Include d1/*.x", "no file matches *.x in {}/d1", id="no match"),
        pytest.param(
            "Include no/*.x", "{}/no cannot be read: No such file or directory", id="no folder"
        ),
        pytest.param(
            "IncludeOptional d2/a.conf/*",
            "{}/d2/a.conf cannot be read: Not a directory",
            id="optional, and a file for a folder",
        ),
        pytest.param(
            "Include gone/*.conf",
            "{}/gone/x.conf cannot be read: No such file or directory",
            id="a link to nowhere",
        ),
        pytest.param("Include", "Include takes a path, not 0 arguments", id="no path"),
        pytest.param("Include a b", "Include takes a path, not 2 arguments", id="two paths"),
        pytest.param("Include /dev/zero", "/dev/zero is not a regular file", id="a device"),
        pytest.param(
            "Include \u20ac.conf".encode().decode("latin-1"),
            "{}/\u20ac.conf cannot be read: No such file or directory",
            id="a name that is not ASCII",
        ),
    ],
)
def test_bad_include(folder, line, reason):
    (folder / "site.conf").write_bytes(line.encode("latin-1"))

    configuration = read_file(str(folder / "site.conf"))

    assert configuration.directives == ()
    [refusal] = configuration.refusals
    assert (refusal.spot.line, refusal.text) == (1, line)
    assert refusal.reason == reason.format(folder)


def test_what_can_be_read_is_read_beside_what_cannot(folder):
    (folder / "d2/b.conf").symlink_to("nowhere")

    configuration = read_site(folder, "Include d2\nX")

    assert on_lines(configuration.directives) == ["1 d2/a.conf", "2 X"]
    assert len(configuration.refusals) == 1


def test_included_lines_stand_in_the_sections_around_with_their_own_spots(folder):
    configuration = read_site(folder, "<Proxy a>\nInclude d2/a.conf\nX\n</Proxy>")

    assert on_lines(configuration.directives) == [
        "2 <Proxy a> Include d2/a.conf",
        "1 <Proxy a> d2/a.conf",
        "3 <Proxy a> X",
    ]
    assert configuration.directives[1].spot == Spot(str(folder / "d2/a.conf"), 1)


def test_what_an_included_file_defines_holds_behind_it(folder):
    (folder / "vars").write_text("Define a b\nDefine f d2/a.conf")

    configuration = read_site(
        folder, "Include vars\nX ${a}\nInclude ${f}\n<IfDefine a>\nY\n</IfDefine>"
    )

    assert on_lines(configuration.directives)[3:] == [
        "2 X b",
        "3 Include d2/a.conf",
        "1 d2/a.conf",
        "5 Y",
    ]


def test_a_section_ends_in_the_file_it_begins_in(folder):
    (folder / "open").write_text("<Files a>\nX")

    configuration = read_site(folder, "Include open\n</Files>")

    assert [(each.spot, each.reason) for each in configuration.refusals] == [
        (Spot(str(folder / "open"), 1), "<Files> was not closed"),
        (Spot(str(folder / "site.conf"), 2), "</Files> without matching <Files> section"),
    ]


def test_server_root_line_moves_relative_paths(folder):
    found = included(folder, f'ServerRoot "{folder}/d1"\nInclude a.conf')

    assert found == ["Include", "d1/a.conf"]


def test_server_root_of_the_surroundings(folder):
    configuration = read_site(folder, "Include a.conf", server_root=str(folder / "d2"))

    assert on_lines(configuration.directives) == ["1 Include a.conf", "1 d2/a.conf"]


def test_a_file_that_includes_itself_is_left_and_reading_goes_on(folder):
    (folder / "loop").write_text("X\nInclude loop\nInclude loop\n")

    configuration = read_site(folder, "Include loop\nY")

    assert configuration.directives[-1].name == "Y"
    assert configuration.refusals == (
        Refusal(
            Spot(str(folder / "loop"), 2),
            "Include loop",
            "exceeded maximum include depth of 128: files include each other without end, and are "
            "not read further",
            "do not include a file from within itself",
        ),
    )


def test_files_behind_one_that_includes_itself_are_read(folder):
    (folder / "d2/b.conf").write_text("Include d2/b.conf")
    (folder / "d2/c.conf").write_text("X")

    configuration = read_site(folder, "Include d2/*.conf")

    assert configuration.directives[-1].name == "X"


def test_a_file_may_include_itself_if_that_ends(folder):
    (folder / "guard").write_text("<IfDefine !A>\nDefine A\nInclude guard\n</IfDefine>")

    configuration = read_site(folder, "Include guard")

    assert configuration.refusals == ()


def test_files_that_multiply_beyond_all_bounds(folder, monkeypatch):
    monkeypatch.setattr(limits, "MOST_LINES", 400)
    for level in range(20):
        (folder / f"f{level}").write_text(f"Include f{level + 1}\n" * 2)
    (folder / "f20").touch()

    configuration = read_site(folder, "Include f0\nY")

    [refusal] = configuration.refusals
    assert str(refusal.spot) == f"{folder}/f17:1"
    assert refusal.reason == (
        f"the import gives up: {folder}/f18 has 3 lines, and the configuration has more than 400 "
        "lines"
    )
    assert configuration.directives == ()


def test_a_folder_that_holds_itself(folder):
    (folder / "d2/self").symlink_to(".")
    (folder / "d2/self2").symlink_to(".")

    [refusal] = read_site(folder, "Include d2").refusals

    assert "exceeds the maximum include directory nesting level of 20" in refusal.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="no file is shut to root")
def test_a_file_that_may_not_be_read(folder):
    (folder / "d2/a.conf").chmod(0)

    [refusal] = read_site(folder, "IncludeOptional d2/a.conf").refusals

    assert refusal.reason == f"{folder}/d2/a.conf cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param("*.conf", "a.conf", True, id="a star"),
        pytest.param("*.conf", ".conf", False, id="no star for a leading dot"),
        pytest.param("[.]a", ".a", False, id="nor a class"),
        pytest.param("?a", "ba", True, id="a question mark"),
        pytest.param("a[b-d]", "ac", True, id="a range"),
        pytest.param("a[d-b]", "ac", False, id="an empty range"),
        pytest.param("a[^b]", "ac", True, id="not in a class"),
        pytest.param("a[!b]", "ab", False, id="not in a class, the other mark"),
        pytest.param("a[]", "a", False, id="an empty class"),
        pytest.param(r"a[\]]", "a]", True, id="a bracket in a class"),
        pytest.param(r"\*", "*", True, id="a backslash"),
        pytest.param("a[b", "a[b", True, id="an open class is text"),
        pytest.param("a.b", "acb", False, id="a dot is a dot"),
        pytest.param("*" * 50 + "b", "a" * 50, False, id="many stars"),
        pytest.param("a\\", "a\\", True, id="a backslash at the end"),
    ],
)
def test_fits(pattern, name, expected):
    found = fits(pattern, name)

    assert found is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a*", True, id="a star"),
        pytest.param("a?", True, id="a question mark"),
        pytest.param("a[b]", True, id="a class"),
        pytest.param("a[b", False, id="half a class"),
        pytest.param(r"a\*", False, id="behind a backslash"),
    ],
)
def test_has_wildcard(text, expected):
    found = has_wildcard(text)

    assert found is expected
