"""The example of the page on moving from Apache is imported, and every answer is listed."""

from __future__ import annotations

import re
import runpy

import pytest

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.outcomes.answers import ANSWERS
from django_wsgimatch.apache.outcomes.outcome import CATEGORIES
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.cli.imports import (
    import_record,
    import_summary,
    protected_lines,
    report_lines,
)
from tests.support.documentation import DOCS, blocks, read
from tests.support.imports import import_lines

EXAMPLE = {block.caption: block.text for block in blocks("howto/move-from-apache.rst")}


def test_the_example_of_moving_becomes_what_the_page_shows():
    configuration = read_text(EXAMPLE["shop.conf"], "shop.conf")

    imported = import_configuration(configuration, lambda path: "missing")

    assert imported.settings is not None
    assert "\n".join(python_lines(imported.settings, "shop.conf")) + "\n" == EXAMPLE["imported.py"]
    lines = [
        *protected_lines(imported),
        *report_lines(imported.outcomes),
        import_summary(imported.outcomes),
    ]
    assert "\n".join(lines) + "\n" == EXAMPLE["report"]


def test_every_answer_is_listed_in_its_category():
    pytest.importorskip("sphinx")
    page = runpy.run_path(str(DOCS / "apache_directives.py"))

    listed = {
        name: category
        for category in CATEGORIES
        for names, _ in page["together"](category)
        for name in names
    }

    assert listed == {name: answer.category for name, answer in ANSWERS.items()}


def test_an_answer_s_item_says_when_it_is_not_needed():
    pytest.importorskip("sphinx")
    item = runpy.run_path(str(DOCS / "apache_directives.py"))["item"]

    text = item(["AllowOverrideList"], ANSWERS["AllowOverrideList"]).astext()

    note = ANSWERS["AllowOverrideList"].note
    assert text == f"AllowOverrideList\n\n{note}.\n\nNot needed with 'none'."


def test_every_category_is_on_the_page():
    headings = re.findall(r"^(``.*``)\n-+$", read("reference/apache-directives.rst"), re.MULTILINE)

    assert re.findall("``(.*?)``", " ".join(headings)) == list(CATEGORIES)


def test_the_keys_of_json_are_on_the_commands_page():
    section = (
        read("reference/commands.rst")
        .split("The object of ``--format json``")[1]
        .partition("\n.. _")[0]
    )
    keys = re.findall("``(\\w+)``", section.partition("``serve``")[0])
    lines = ["WSGIScriptAlias / /a.wsgi", "ErrorLog ${NONE}"]
    for place, rule in (("/x", "Require env x"), ("/y", "Require ip 10")):
        lines += [f"<Location {place}>", rule, "</Location>"]
    found = import_record(import_lines(*lines))

    assert set(keys) - {"null", "false"} == {
        *found,
        *found["settings"]["WSGIMATCH_ACCESS"][0],
        *found["settings"]["WSGIMATCH_ALIASES"][0],
        *found["settings"]["WSGIMATCH_ALIASES"][1],
        *found["report"][0],
        *found["remarks"][0],
        *found["protected"][0],
        *found["server"],
        "directives",
    }
