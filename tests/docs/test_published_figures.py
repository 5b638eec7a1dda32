"""Figures on the pages are figures of the code as it is, or the pages say that they are older."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchmarks.published import FILES, PACKAGE, code_of
from tests.support.documentation import DOCS

RESULTS = DOCS / "benchmarks"
PUBLISHED = sorted(path.stem for path in RESULTS.glob("*.json"))


@dataclass(frozen=True)
class Shown:
    """A page that shows figures, and the options that it shows them with."""

    page: str
    options: dict[str, str] = field(default_factory=dict)


def shown() -> dict[str, Shown]:
    found = {}
    for path in DOCS.rglob("*.rst"):
        text = path.read_text()
        for each in re.finditer(
            r"^\.\. measured:: (\w+)\n((?:   :.*\n(?:     .*\n)*)*)", text, re.M
        ):
            options = dict(re.findall(r"^   :(\w+): *(.*)$", each[2], re.M))
            found[each[1]] = Shown(path.relative_to(DOCS).as_posix(), options)
    return found


def figures_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def test_all_published_figures_are_on_a_page():
    assert {*shown()} >= {*PUBLISHED}
    assert {*shown()} <= {*FILES}


@pytest.mark.parametrize("name", PUBLISHED)
def test_figures_are_of_this_code_or_the_page_says_of_which_commit_they_are(name):
    of, page = figures_of(name)["of"], shown()[name]
    is_of_this_code = of["code"] == code_of(name)

    expected = {} if is_of_this_code else {"earlier": of["commit"]}
    given = {key: value for key, value in page.options.items() if key == "earlier"}

    assert given == expected, (
        f"docs/benchmarks/{name}.json is of {of['commit']}, and "
        f"{', '.join(FILES[name])} {'have not' if is_of_this_code else 'have'} changed since. "
        f"Either run `python -m benchmarks.{name} --output docs/benchmarks` on a quiet machine and "
        f"look at what docs/{page.page} says of the figures; or give the directive there these "
        f"options: {expected}"
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_missed_contracts_have_their_reason_on_the_page(name):
    is_missed = any(line.startswith("MISSED") for line in figures_of(name)["contracts"])

    assert bool(shown()[name].options.get("missed")) == is_missed


@pytest.mark.parametrize("name", FILES)
def test_benchmarks_speak_of_files_that_there_are(name):
    assert [each for each in FILES[name] if not (PACKAGE / each).exists()] == []


def test_a_comment_makes_no_figures_older(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.published.PACKAGE", tmp_path)
    monkeypatch.setitem(FILES, "x", ("x.py",))
    sources = ["a = 1\n", '"""Say."""\n\n# Why.\na = 1\n', "a = 2\n"]

    digests = []
    for source in sources:
        (tmp_path / "x.py").write_text(source)
        digests.append(code_of("x"))

    assert [digest == digests[0] for digest in digests] == [True, True, False]
