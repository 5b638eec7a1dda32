"""What Apache reads is read, and nothing of real configurations is lost."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from django_wsgimatch.apache.lines.lines import Lines, physical_lines
from django_wsgimatch.apache.reading.reading import read_file
from tests.fuzz.apache import check_case, differences, surroundings, takes_effect
from tests.fuzz.random_apache import STRAY, random_configuration
from tests.support.apache_dump import READABLE, dump, write_files

SHARED = Path(__file__).resolve().parents[4] / "shared" / "apache-configs"
CONFIGURATIONS = sorted(SHARED.glob("*.conf"))
TEMPLATE_SUFFIX = ("jinja/go", "placeholder", "template")

needs_apache = pytest.mark.skipif(not READABLE, reason="needs Debian's apache2 with mod_wsgi")
needs_configurations = pytest.mark.skipif(not CONFIGURATIONS, reason="needs ../shared")


@needs_apache
@pytest.mark.parametrize("seed", range(40))
def test_random_configuration_is_read_as_apache_reads_it(seed, tmp_path):
    random = Random(seed)
    write_files(tmp_path, random_configuration(random, random.choice([0, 0, 0.03])))

    ours = read_file(str(tmp_path / "main.conf"), surroundings(tmp_path))

    assert differences(ours, dump(tmp_path)) == ""


@needs_apache
@pytest.mark.parametrize("line", STRAY)
def test_line_that_is_out_of_place_is_taken_or_refused_as_by_apache(line, tmp_path):
    write_files(tmp_path, {"main.conf": f"UnsetEnv a\n{line}\n"})

    ours = read_file(str(tmp_path / "main.conf"), surroundings(tmp_path))

    assert differences(ours, dump(tmp_path)) == ""


@needs_apache
def test_files_and_lines_are_those_of_apache(tmp_path):
    files = {
        "main.conf": "# c\nUnsetEnv a\n<Files x>\nInclude one.conf\nUnsetEnv b\n</Files>\n",
        "one.conf": "\n\nUnsetEnv c\n",
    }
    write_files(tmp_path, files)

    ours = read_file(str(tmp_path / "main.conf"), surroundings(tmp_path))

    found = [(e.spot.file, e.spot.line) for e in ours.directives if e.name != "Include"]
    assert found == [(each.file, each.line) for each in dump(tmp_path).directives]
    assert len(takes_effect(ours)) == 3


def test_random_files_are_read_or_refused_and_nothing_is_lost(tmp_path):
    random = Random(5)

    outcomes = {check_case(random, tmp_path) for _ in range(150)}

    assert outcomes == {"read", "refused in part"}


@needs_configurations
@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name[:30])
def test_every_directive_of_a_real_configuration_is_read_or_refused(path):
    text = path.read_bytes().decode("latin-1")
    lines = [line.text for line in Lines(physical_lines(text, ""))]

    read = read_file(str(path))

    assert all(each.spot.file == str(path) and each.reason for each in read.refusals)
    if not re.search(r"^\s*<Macro", text, re.MULTILINE):
        refused = [each for each in read.refusals if not each.text.startswith("<")]
        expected = [line for line in lines if line and line[0] not in "<#"]
        assert len(read.directives) + len(refused) == len(expected)


@needs_configurations
def test_real_templates_are_refused_by_their_placeholders():
    index = (SHARED / "INDEX.tsv").read_text("utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in index]
    kinds = {row[0]: row[10] for row in rows}

    refused = {
        path.name: any("placeholder" in each.reason for each in read_file(str(path)).refusals)
        for path in CONFIGURATIONS
    }

    missed = {name for name, kind in kinds.items() if kind in TEMPLATE_SUFFIX and not refused[name]}
    # Its only placeholder stands in a comment.
    assert {name[:3] for name in missed} == {"091"}
    plain = {name for name, kind in kinds.items() if kind == "plain" and refused[name]}
    # These are templates all the same: {APPPFAD}, {django_app}, @PYTHONDIR@, @DJANGO_ROOT@.
    assert {name[:3] for name in plain} == {"025", "060", "066", "131"}
