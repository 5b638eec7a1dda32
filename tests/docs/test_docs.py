"""The documentation says what the code does: its examples, tables and outputs are tried."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

import django_wsgimatch
from django_wsgimatch import modules, scripts
from django_wsgimatch.aliases import resolve, target
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.access import judging
from django_wsgimatch.cli.check import finding_record
from django_wsgimatch.cli.listing import Row
from django_wsgimatch.conf import configuration
from django_wsgimatch.conf_shapes import DEFAULTS
from django_wsgimatch.daemon.option_values import ANSWERS
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.doctor.findings.finding import Finding
from django_wsgimatch.entries import OPTIONS, to_alias
from django_wsgimatch.exceptions import InvalidPattern, PatternError
from django_wsgimatch.management.commands.wsgimatch import Command
from django_wsgimatch.previews.values import Preview
from tests.support.documentation import DOCS, blocks, commands, read, rows

KEEP_THE_PATH = "howto/keep-the-path.rst"
TUTORIAL = "tutorial.rst"
CHECKS = "reference/checks.rst"


def examples(language: str) -> list[Any]:
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.rst")}
    # The tutorial is tried by following it, the examples of test_checks are wrong on purpose.
    found = [block for page in sorted(pages - {TUTORIAL, CHECKS}) for block in blocks(page)]
    return [
        pytest.param(block, id=f"{block.page}:{block.line}")
        for block in found
        if block.language == language
    ]


# Settings and Python


@pytest.mark.parametrize("block", examples("python"))
def test_python_examples_run_and_their_settings_are_accepted(block, monkeypatch):
    monkeypatch.setattr(django_wsgimatch, "read_directives", lambda path: [])
    names: dict[str, Any] = {"BASE_DIR": DOCS.parent, "INSTALLED_APPS": [], "MIDDLEWARE": [0]}
    # A script that begins to serve is tried where servers are.
    if "django_wsgimatch.wsgi import" not in block.text:
        exec(compile(block.text, f"{block.page}:{block.line}", "exec"), names)
    given = {name: value for name, value in names.items() if name.startswith("WSGIMATCH_")}

    with override_settings(BASE_DIR=DOCS.parent, **given):
        problems = configuration().problems

    assert problems == ()


def test_every_setting_has_its_section_and_its_default():
    section = (
        r"^\.\. setting:: WSGIMATCH_(\w+)\n\n``WSGIMATCH_\1``\n~+\n\n"
        r":Type: .*\n:Default: ``(.*)``$"
    )
    described = dict(re.findall(section, read("reference/settings.rst"), re.MULTILINE))

    assert {name: ast.literal_eval(text) for name, text in described.items()} == DEFAULTS


def test_every_option_of_process_groups_has_an_example():
    names: dict[str, Any] = {}
    for block in blocks("reference/process-groups.rst"):
        if block.language == "python":
            exec(block.text, names)
    given = {name for options in names["WSGIMATCH_PROCESS_GROUPS"].values() for name in options}

    assert given == {name for name, answer in ANSWERS.items() if answer.kind != "refused"}


def test_every_option_of_process_groups_is_listed_with_its_answer_and_default():
    pytest.importorskip("sphinx")
    item = runpy.run_path(str(DOCS / "daemon_options.py"))["item"]
    defaults = {each.name: each.default for each in fields(GroupOptions)}

    listed = {name: item(name, answer, defaults.get(name)) for name, answer in ANSWERS.items()}

    for name, answer in ANSWERS.items():
        text = listed[name].astext()
        assert text.startswith(f"{name} (")
        assert answer.note[1:] in text
        assert (f"Default: {defaults.get(name)!r}." in text) == (answer.kind != "refused")


def test_every_option_has_its_section():
    described = re.findall(r"^\.\. entry-option:: (.+)$", read("reference/options.rst"), re.M)

    assert [name.replace("-", "_") for name in described] == list(OPTIONS)


def test_every_public_name_is_on_the_api_page():
    page = read("reference/api.rst")
    described = re.findall(r"autofunction:: django_wsgimatch\.(\w+)$", page, re.M)

    assert sorted(described) == django_wsgimatch.__all__


def test_version_is_the_package_s(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())

    assert runpy.run_path(str(DOCS / "conf.py"))["release"] == django_wsgimatch.__version__


# What the application sees


def test_environ_page_names_every_key_that_is_set(tmp_path):
    (tmp_path / "x.wsgi").write_text("def application(environ, show): show(environ); return []")
    table = AliasTable.from_directives(["WSGIScriptAlias /x x.wsgi pass-authorization=Off"])
    seen: dict[str, object] = {}
    environ = {"RAW_URI": "/x/y", "SERVER_NAME": "localhost", "HTTP_AUTHORIZATION": "Basic"}

    dispatcher: Any = Dispatcher(table, rules=Rules(base_directory=str(tmp_path)))
    dispatcher(environ, seen.update)

    changed = {key for key in environ.keys() | seen.keys() if environ.get(key) != seen.get(key)}
    described = re.findall(r"^   \* - ``(.+)``$", read("reference/environ.rst"), re.MULTILINE)
    assert changed == set(described)


@pytest.mark.parametrize(
    ("location", "goal", "uri", "script_name", "path_info"),
    [
        pytest.param(*row[0].split(" to "), *row[1:], id=" ".join(row))
        for table in rows(read("explanation/corridor.rst"))
        for row in table
    ],
)
def test_corridor_page_s_table(tmp_path, location, goal, uri, script_name, path_info):
    alias = Alias(location, goal, "match" if location.startswith("^") else "plain")

    assert split(tmp_path, [alias], uri) == (script_name, path_info)


@pytest.mark.parametrize(
    ("block", "uri", "script_name", "path_info"),
    [
        pytest.param(block, *row, id=f"{block.line} {row[0]}")
        for block, table in zip(blocks(KEEP_THE_PATH), rows(read(KEEP_THE_PATH)), strict=False)
        for row in table
    ],
)
def test_keep_the_path_page_s_tables(tmp_path, block, uri, script_name, path_info):
    names: dict[str, Any] = {}
    exec(block.text, names)
    entries = names["WSGIMATCH_ALIASES"]
    aliases = [to_alias(entry, process_groups=(), variables={}) for entry in entries]

    assert split(tmp_path, aliases, uri) == (script_name, path_info)


def split(folder: Path, aliases: list[Alias], uri: str) -> tuple[str | None, str | None]:
    """SCRIPT_NAME and PATH_INFO, with every script that the aliases name in its place."""
    for alias in aliases:
        [script] = map(folder.joinpath, re.findall(r"^.*\.(?:wsgi|py)(?=/|$)", alias.target))
        script.parent.mkdir(exist_ok=True)
        script.touch()
    found = resolve.resolve(AliasTable(aliases), uri, rules=Rules(base_directory=str(folder)))
    return found.script_name, found.path_info


# Commands


def test_preview_s_keys_are_on_the_commands_page():
    page = read("reference/commands.rst").partition("What the objects hold:")[2]
    page = page.partition(".. _import:")[0]

    described = re.findall(r"^   \* - ``(.+)``$", page, re.MULTILINE)

    assert described == [field.name for field in fields(Preview)]


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        pytest.param("list", [field.name for field in fields(Row)], id="list"),
        pytest.param("check", list(finding_record(Finding("E001", "", "", ""))), id="check"),
    ],
)
def test_keys_of_json_are_on_the_commands_page(command, keys):
    section = re.split(f"\n``{command}``\n", read("reference/commands.rst"))[1]
    [sentence] = re.findall(r"The objects hold [^.]*", section.partition("\n.. _")[0])[:1]

    assert [name for name in re.findall(r"``(\w+)``", sentence) if name != "null"] == keys


@pytest.mark.parametrize("block", examples("console"))
def test_commands_of_manage_py_can_be_typed(block):
    parser = Command().create_parser("manage.py", "wsgimatch")

    for command, _ in commands(block.text):
        words = shlex.split(command, comments=True)
        if words[:3] == ["python", "manage.py", "wsgimatch"] and words[3:] != ["COMMAND"]:
            end = words.index("&&") if "&&" in words else None
            assert parser.parse_args(words[3:end]).subcommand


# Patterns


def patterns(caption: str) -> list[str]:
    [block] = [b for b in blocks("reference/patterns.rst") if b.caption == caption]
    return [re.split(" {2,}", line)[0] for line in block.text.splitlines()]


@pytest.mark.parametrize("pattern", patterns("exact"))
def test_patterns_said_to_be_exact_run_on_re(pattern):
    if ("(?>" in pattern or "++" in pattern) and sys.version_info < (3, 11):
        pytest.skip("Python 3.10 has no atomic groups or possessive quantifiers")

    assert compile_pattern(pattern, engine="re").engine == "re"


@pytest.mark.parametrize("pattern", patterns("needs pcre2"))
def test_patterns_said_to_need_pcre2_do(pattern):
    pytest.importorskip("pcre2")
    with pytest.raises(PatternError) as refusal:
        compile_pattern(pattern, engine="re")

    assert not isinstance(refusal.value, InvalidPattern)
    assert compile_pattern(pattern).engine == "pcre2"


@pytest.mark.parametrize("pattern", patterns("refused"))
def test_patterns_said_to_be_refused_are(pattern):
    with pytest.raises(InvalidPattern):
        compile_pattern(pattern)


# Errors


MESSAGES = [
    value
    for module in (scripts, modules, target, resolve, judging)
    for name, value in vars(module).items()
    if name.isupper() and isinstance(value, str) and " " in value and name != "NO_MATCH"
]


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_is_on_the_errors_page(message):
    headings = re.sub("'?\\.\\.\\.'?", "", read("reference/errors.rst"))
    beginning = re.sub(r"'?\{(?:!r)?\}'?", "", message).partition(":")[0].rstrip()

    assert f"``{beginning}" in headings


PICTURES = sorted(path for path in DOCS.rglob("*.svg") if "_build" not in path.parts)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_pictures_are_well_formed(path):
    assert ElementTree.parse(path).getroot().tag
