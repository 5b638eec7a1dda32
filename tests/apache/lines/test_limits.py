"""Configurations of a few lines that stand for more than any machine can hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from django_wsgimatch.apache.importing import Imported
from django_wsgimatch.apache.lines import limits
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.cli.imports import import_file

ROOT = Path(__file__).resolve().parents[3]
LINES = "and the configuration has more than 10,000 lines"
TEXT = "and the configuration has more than 1,000,000 characters"

MACRO_BOMB = "<Macro m0>\nX\n</Macro>\n" + "".join(
    f"<Macro m{n + 1}>\n" + f"Use m{n}\n" * 10 + "</Macro>\n" for n in range(8)
)
QUOTES = "<Macro m @a>\nX " + "@a" * 4000 + "\n</Macro>\n"


def doubled(name: str, times: int) -> str:
    return "".join(f"Define {name}{n + 1} ${{{name}{n}}}${{{name}{n}}}\n" for n in range(times))


def imported(path: Path, text: str) -> Imported:
    path.write_text(text)
    return import_file(str(path), Surroundings(environ={}))


def refusal(path: Path, text: str) -> tuple[str, str]:
    """Where the import gives up, and why."""
    result = imported(path, text)
    assert result.settings is None
    [outcome] = result.outcomes
    assert outcome.category == "refused"
    return str(outcome.spot), outcome.note


BOMBS = [
    pytest.param(
        f"{MACRO_BOMB}Use m8\n",
        "the lines of macro m1 are added here",
        LINES,
        id="10^8 lines of macros",
    ),
    pytest.param(QUOTES + "Use m ''\n", "values fill in the macro's lines", TEXT, id="many values"),
    pytest.param(
        f"Define a0 {'x' * 10}\n{doubled('a', 27)}",
        "variables make this line",
        TEXT,
        id="10^9 characters of Define",
    ),
    pytest.param(
        f"Define a0 {'x' * 10}\n{doubled('a', 20)}" + "X ${a20}\n" * 100,
        "variables make this line",
        TEXT,
        id="a long value again and again",
    ),
    pytest.param(
        f"Define a {'x' * 9000}\n<IfDefine No>\nX {'${a}' * 100000}\n</IfDefine>\n",
        "variables make this line",
        TEXT,
        id="a line that does not count",
    ),
    pytest.param(
        "".join(f"WSGIScriptAlias /a{n} /s\n" for n in range(10_001)),
        "site.conf has 10,002 lines",
        LINES,
        id="aliases without end",
    ),
    pytest.param("\n" * 600_000, "site.conf has 600,001 lines", LINES, id="empty lines"),
    pytest.param("x" * 2_000_000, "this file is too long", TEXT, id="one endless line"),
]


@pytest.fixture
def low_limits(monkeypatch):
    monkeypatch.setattr(limits, "MOST_LINES", 10_000)
    monkeypatch.setattr(limits, "MOST_TEXT", 1_000_000)


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize(("text", "what", "limit"), BOMBS)
def test_the_import_gives_up(tmp_path, text, what, limit):
    spot, note = refusal(tmp_path / "site.conf", text)

    assert spot.startswith(f"{tmp_path}/site.conf:")
    assert note.startswith("the import gives up: ")
    assert what in note
    assert limit in note


def test_300_000_aliases(tmp_path):
    text = "".join(f"WSGIScriptAlias /a{n} /srv/a.wsgi\n" for n in range(300_000))

    spot, note = refusal(tmp_path / "site.conf", text)

    assert spot == f"{tmp_path}/site.conf:1"
    assert note.partition(". ")[0] == (
        f"the import gives up: {tmp_path}/site.conf has 300,001 lines, and the configuration has "
        "more than 200,000 lines"
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Include site.conf\n", id="a file that includes itself"),
        pytest.param("Include site.conf\n" * 10, id="ten times"),
        pytest.param("Include *.conf\nX\n" * 2, id="by a wildcard"),
    ],
)
def test_files_that_include_each_other(tmp_path, line):
    result = imported(tmp_path / "site.conf", line)

    reasons = [each.note for each in result.outcomes if each.category == "refused"]
    assert result.settings is None
    assert all(reason.startswith("exceeded maximum include depth of 128") for reason in reasons)
    assert 1 <= len(reasons) <= 10


@pytest.mark.usefixtures("low_limits")
def test_a_large_file_that_is_included_again_and_again(tmp_path):
    (tmp_path / "large").write_text("# x\n" * 3_000)

    spot, note = refusal(tmp_path / "site.conf", "Include large\n" * 20)

    assert spot == f"{tmp_path}/site.conf:4"
    assert note.startswith(f"the import gives up: {tmp_path}/large has 3,001 lines, {LINES}")


@pytest.mark.parametrize(
    "section",
    [
        pytest.param("LocationMatch", id="locations"),
        pytest.param("DirectoryMatch", id="directories"),
        pytest.param("FilesMatch", id="files"),
    ],
)
def test_aliases_that_meet_too_many_sections(tmp_path, monkeypatch, section):
    monkeypatch.setattr(limits, "MOST_STEPS", 20_000)
    text = "".join(
        f"WSGIScriptAlias /a{n} /srv/a{n}.wsgi\n"
        f"<{section} x{n}>\nWSGIApplicationGroup g{n}\n</{section}>\n"
        for n in range(30)
    )

    spot, note = refusal(tmp_path / "site.conf", text)

    assert spot.startswith(f"{tmp_path}/site.conf:")
    assert "takes it beyond 20,000 steps" in note


def test_standard_input_without_end(tmp_path):
    source = (
        "import sys, resource\nresource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from django_wsgimatch.cli.imports import import_file\n"
        "from django_wsgimatch.apache.lines.directive import Surroundings\n"
        "from django_wsgimatch.apache.lines import limits\nlimits.MOST_TEXT = 1_000_000\n"
        "print(import_file('-', Surroundings()).outcomes[0].note)\n"
    )
    read, write = os.pipe()
    yes = subprocess.Popen(["yes"], stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)

    done = subprocess.run(
        [sys.executable, "-c", source], stdin=read, cwd=ROOT, capture_output=True, check=True
    )
    os.close(read)
    yes.wait()

    assert done.stdout.startswith(b"the import gives up: this file is too long, ")
