"""The examples of the pages on leaving uWSGI and Unit are imported."""

from __future__ import annotations

import re

import pytest

from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.cli.imports import import_summary, report_lines
from django_wsgimatch.unit.importing import import_unit
from django_wsgimatch.uwsgi.importing import import_uwsgi
from tests.support.documentation import blocks, read


def shown(imported, name, noun):
    """The settings and the report, as the pages show them."""
    assert imported.settings is not None
    report = [*report_lines(imported.outcomes), import_summary(imported.outcomes, noun)]
    return "\n".join(python_lines(imported.settings, name)) + "\n", "\n".join(report) + "\n"


def example_of(page):
    """The blocks of a page by their captions."""
    return {block.caption: block.text for block in blocks(page) if block.caption}


def test_the_example_of_leaving_uwsgi_becomes_what_the_page_shows(tmp_path, monkeypatch):
    example = example_of("howto/leave-uwsgi.rst")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.ini").write_text(example["shop.ini"])

    found = shown(import_uwsgi(["shop.ini"], {}), "shop.ini", "option")

    assert found == (example["imported.py"], example["report"])


def test_the_example_of_leaving_unit_becomes_what_the_page_shows():
    example = example_of("howto/leave-unit.rst")

    found = shown(import_unit("conf.json", example["conf.json"]), "conf.json", "value")

    assert found == (example["imported.py"], example["report"])


@pytest.mark.parametrize("name", ["uwsgi", "unit"])
def test_what_is_carried_of_a_format_stands_on_the_commands_page(name):
    assert re.search(rf"``--format {name}``", read("reference/commands.rst"))
