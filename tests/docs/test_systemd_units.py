"""The units on the page about systemd are accepted by systemd's own tools, and explained."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from django_wsgimatch.asroot.group_command import GroupWords, read_group_words
from django_wsgimatch.asroot.words import read_words
from tests.support.documentation import Block, blocks, read, rows

PAGE = "howto/systemd.rst"
ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
# What a unit's [Service] has besides, which the page takes for known.
KNOWN = {"Type", "WorkingDirectory", "ExecStart"}


def section_of(block: Block) -> str:
    """The heading that a block stands under."""
    lines = read(PAGE).splitlines()[: block.line]
    marks = [n for n, line in enumerate(lines) if n and re.fullmatch("[-=]{5,}", line)]
    return lines[marks[-1] - 1]


UNITS = [block for block in blocks(PAGE) if block.language == "ini"]
SERVICES = [unit for unit in UNITS if unit.caption.endswith(".service")]
SECTIONS = list(dict.fromkeys(map(section_of, UNITS)))


def name_of(unit: Block) -> str:
    return Path(unit.caption).name


def write_unit(unit: Block, folder: Path) -> Path:
    """Write a unit; its Python is one that is there."""
    path = folder / name_of(unit)
    path.write_text(unit.text.replace("/srv/mysite/venv/bin/python", sys.executable))
    return path


def keys(unit: Block) -> dict[str, str]:
    service = unit.text.partition("[Service]")[2].partition("[Install]")[0]
    return dict(re.findall(r"^(\w+)=(.*)$", service, re.MULTILINE))


def words(unit: Block) -> list[str]:
    """What a service's command gives ``serve``."""
    joined = unit.text.replace("\\\n", " ")
    [command] = re.findall(r"^ExecStart=(.*)$", joined, re.MULTILINE)
    _, script, *rest = shlex.split(command)
    assert (script, rest[:2]) == ("manage.py", ["wsgimatch", "serve"])
    return rest[2:]


def test_the_page_shows_three_ways():
    shown = [(section_of(unit), name_of(unit)) for unit in UNITS]

    assert shown == [
        ("One user for everything", "mysite.service"),
        ("Each process group is a unit", "mysite-blog.socket"),
        ("Each process group is a unit", "mysite-blog.service"),
        ("Each process group is a unit", "mysite.socket"),
        ("Each process group is a unit", "mysite.service"),
        ("The server starts the groups as other users", "mysite.service"),
    ]


@needs_analyze
@pytest.mark.parametrize("section", SECTIONS)
def test_units_are_verified(section, tmp_path):
    paths = [write_unit(unit, tmp_path) for unit in UNITS if section_of(unit) == section]

    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", "--recursive-errors=no", *map(str, paths)],
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_analyze
def test_exposure_is_what_the_page_says(tmp_path):
    version = subprocess.run(
        [str(ANALYZE), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    if f"systemd {version} says" not in read(PAGE):
        pytest.skip(f"the page has the figures of another version than {version}")
    bare = Block(PAGE, 0, "ini", "bare.service", "[Service]\nExecStart=/bin/true\n")

    found = [exposure(write_unit(unit, tmp_path)) for unit in (bare, *SERVICES)]

    [table] = rows(read(PAGE))
    assert found == [figure for _, figure in table]


def exposure(path: Path) -> str:
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    [figure] = re.findall(r"Overall exposure level for \S+: (\S+)", done.stdout)
    return str(figure)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: f"{name_of(unit)}, {unit.line}")
def test_every_line_of_a_service_is_explained(unit):
    explained = {
        name
        for term in re.findall(r"^``\S.*``\S*.*$", read(PAGE), re.MULTILINE)
        for name in re.findall(r"``(\w+)=", term)
    }

    assert {*keys(unit)} - KNOWN - explained == set()


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: f"{name_of(unit)}, {unit.line}")
def test_every_service_is_confined(unit):
    wanted = {
        "NoNewPrivileges": "yes",
        "PrivateTmp": "yes",
        "ProtectSystem": "strict",
        "KillMode": "mixed",
        "Restart": "on-failure",
    }
    given = keys(unit)

    assert {name: given.get(name) for name in wanted} == wanted
    assert {"CapabilityBoundingSet", "TasksMax", "MemoryMax"} <= {*given}
    assert given.get("User", "root") != "root" or "--user www-data" in unit.text


def test_a_group_s_service_runs_the_group():
    [unit] = [unit for unit in SERVICES if name_of(unit) == "mysite-blog.service"]

    assert read_group_words(words(unit)) == GroupWords("blog")


def test_the_service_that_starts_as_root_says_who_runs_what():
    read_as_root = read_words(words(SERVICES[-1]))

    assert (read_as_root.user, read_as_root.group, read_as_root.allowed, read_as_root.binds) == (
        "www-data",
        "www-data",
        ("shop",),
        ("unix:/run/mysite/mysite.sock",),
    )
