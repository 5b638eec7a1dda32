from __future__ import annotations

import io
import re

import pytest
from django.core.management import call_command

from django_wsgimatch import script_alias
from tests.support.commands import Terminal, asked, drawn, run, site_of_scripts


@pytest.fixture
def site(tmp_path, settings):
    return site_of_scripts(tmp_path, settings)


def test_check_of_a_sound_table(site):
    assert run("check") == ("0 errors, 0 warnings.\n", "", 0)


def test_check_of_a_broken_table(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "none.wsgi"), script_alias("b", "api.wsgi")]

    out, err, status = run("check")

    assert out.replace(str(site), "/srv") == (
        "ERROR wsgimatch.E010 WSGIMATCH_ALIASES[0]: the target 'none.wsgi' does not exist: there "
        "is no '/srv/none.wsgi'. Every request gets 404.\n"
        "    hint: Fix the path. A relative path starts at settings.BASE_DIR.\n"
        "WARNING wsgimatch.W007 WSGIMATCH_ALIASES[1]: 'b' can never match: URLs begin with '/', "
        "and this location does not.\n"
        "    hint: Put a slash in front: script_alias('/b', 'api.wsgi').\n"
        "1 error, 1 warning.\n"
    )
    assert (err, status) == ("", 1)


@pytest.mark.parametrize(
    ("arguments", "named"), [pytest.param([], 0, id="no"), pytest.param(["-v", "2"], 1, id="-v 2")]
)
def test_check_names_the_entries_without_a_plan_when_asked(site, settings, arguments, named):
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "scripts/../api.wsgi")]

    out = run("check", *arguments)[0]

    said = "WSGIMATCH_ALIASES[0] has no plan, so each request walks through the file system: "
    assert out.count(said) == named


def test_check_shows_how_far_it_is_where_somebody_may_wait(site):
    terminal = Terminal()

    call_command("wsgimatch", "check", stdout=io.StringIO(), stderr=terminal)

    frames = re.split(r"\r(?:\x1b\[2K)?", terminal.getvalue())
    done = [frame.split()[0] for frame in frames if "100%" in frame]
    assert list(dict.fromkeys(done))[:3] == ["entries", "targets", "urls"]


@pytest.mark.parametrize(
    ("stderr", "arguments"),
    [
        pytest.param(io.StringIO(), [], id="no terminal"),
        pytest.param(Terminal(), ["--json"], id="a program reads"),
    ],
)
def test_check_shows_no_bars_where_nobody_watches(site, stderr, arguments):
    call_command("wsgimatch", "check", *arguments, stdout=io.StringIO(), stderr=stderr)

    assert stderr.getvalue() == ""


def test_check_for_programs(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("b", "api.wsgi")]

    assert asked("check") == [
        {
            "id": "wsgimatch.W007",
            "level": "WARNING",
            "where": "WSGIMATCH_ALIASES[0]",
            "message": "'b' can never match: URLs begin with '/', and this location does not.",
            "hint": "Put a slash in front: script_alias('/b', 'api.wsgi').",
        }
    ]


@pytest.mark.parametrize(
    ("fail_level", "status"), [("ERROR", 0), ("CRITICAL", 0), ("WARNING", 1), ("INFO", 1)]
)
def test_fail_level(site, settings, fail_level, status):
    settings.WSGIMATCH_ALIASES = [script_alias("b", "api.wsgi")]

    assert run("check", "--fail-level", fail_level)[2] == status


def test_findings_are_sorted_by_entry(site, settings):
    settings.WSGIMATCH_NONE = 1
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"a.example": [script_alias("x", "none.wsgi")]}
    settings.WSGIMATCH_ALIASES = [
        *[script_alias(f"/{number}", "api.wsgi") for number in range(9)],
        script_alias("y", "api.wsgi"),
        script_alias("z", "none.wsgi"),
    ]

    found = [(each["where"], each["id"][-4:]) for each in asked("check")]

    assert found == [
        ("WSGIMATCH_NONE", "W013"),
        ("WSGIMATCH_VIRTUAL_HOSTS['a.example'][0]", "E010"),
        ("WSGIMATCH_VIRTUAL_HOSTS['a.example'][0]", "W007"),
        ("WSGIMATCH_ALIASES[9]", "W007"),
        ("WSGIMATCH_ALIASES[10]", "E010"),
        ("WSGIMATCH_ALIASES[10]", "W007"),
    ]


def test_terminal_shows_the_findings(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("b", "api.wsgi")]

    assert "wsgimatch.W007" in drawn("check")
