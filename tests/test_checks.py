from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from django_wsgimatch import inspection, read_directives, script_alias, script_alias_match
from django_wsgimatch.checks import check_files, check_settings

SOURCE = "def application(environ, start_response): ...\n"


@pytest.fixture
def site(tmp_path, settings):
    for name in ("a.wsgi", "b.wsgi", "d/c.wsgi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    settings.BASE_DIR = tmp_path
    return tmp_path


def found():
    return [(finding.id, finding.where) for finding in inspection.findings()]


@pytest.mark.parametrize(
    "aliases",
    [
        pytest.param([], id="none"),
        pytest.param([script_alias("/", "a.wsgi")], id="root"),
        pytest.param(["WSGIScriptAlias /a a.wsgi"], id="directive line"),
        pytest.param([script_alias("/a", "a.wsgi"), script_alias("/b", "d")], id="plain"),
        pytest.param([script_alias("/a/", "d/")], id="slash at both ends"),
        pytest.param([script_alias("/caf\xe9", "a.wsgi")], id="text in UTF-8"),
        pytest.param([script_alias(b"/caf\xe9", "a.wsgi")], id="bytes"),
        pytest.param([script_alias("/api", "a.wsgi/api")], id="path kept"),
        pytest.param([script_alias_match("^/(x|y)/(.*)$", "a.wsgi/$1/$2")], id="captures"),
        pytest.param([script_alias_match("^/w/([^/]+)", "d/$1.wsgi")], id="script by capture"),
        pytest.param(
            [script_alias("/a/b", "a.wsgi"), script_alias("/a", "b.wsgi")], id="special first"
        ),
        pytest.param([script_alias_match("^/$", "a.wsgi")], id="nothing can follow"),
    ],
)
def test_nothing_to_say(site, settings, aliases):
    settings.WSGIMATCH_ALIASES = aliases

    assert found() == []


def test_message_as_django_has_it(settings):
    settings.WSGIMATCH_MERGE_SLASHES = "yes"

    [message] = check_settings()

    assert str(message) == (
        "?: (wsgimatch.E001) WSGIMATCH_MERGE_SLASHES: should be True or False, not 'yes'.\n"
        "\tHINT: Mend the value, or remove it for the default. "
        "(Docs: reference/checks.html#wsgimatch-e001)"
    )


def test_manage_py_check_runs_the_quick_checks(settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a"]

    with pytest.raises(SystemCheckError, match=r"WSGIMATCH_ALIASES\[0\]"):
        call_command("check")


def test_tag(settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a"]

    assert [message.id for message in run_checks(tags=["wsgimatch"])] == ["wsgimatch.E002"]


def test_fifty_broken_entries_are_reported_at_once(site, settings):
    settings.WSGIMATCH_ALIASES = [
        *("WSGIScriptAlias /a" for _ in range(10)),
        *(script_alias_match("(", "a.wsgi") for _ in range(10)),
        *(script_alias("/a", "a.wsgi", process_group="x") for _ in range(10)),
        *range(10),
        *(script_alias("", "a.wsgi") for _ in range(10)),
    ]

    messages = [message for message in check_settings() if message.id != "wsgimatch.W006"]

    wheres = {str(message.msg).partition(":")[0] for message in messages}
    assert wheres == {f"WSGIMATCH_ALIASES[{number}]" for number in range(50)}


def test_broken_entries_are_judged_no_further(site, settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a", script_alias("/b", "a.wsgi")]

    assert check_files() == []


def test_entry_of_another_kind_is_shown(settings):
    settings.WSGIMATCH_ALIASES = [b"WSGIScriptAlias \xff"]

    [message] = check_settings()

    assert str(message.msg).endswith(r"The line is b'WSGIScriptAlias \xff'.")


def test_line_of_a_file(site, settings):
    (site / "aliases.conf").write_bytes(b"WSGIScriptAlias /caf\xe9 a.wsgi\n")
    settings.WSGIMATCH_ALIASES = read_directives(site / "aliases.conf")

    assert found() == [("W010", f"WSGIMATCH_ALIASES[0] ({site}/aliases.conf:1)")]


def test_virtual_hosts_are_judged_apart(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/a/b", "a.wsgi")]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {
        "one.example": [script_alias("/a", "a.wsgi")],
        "two.example": [script_alias("/a", "a.wsgi"), script_alias("/a/c", "b.wsgi")],
    }

    assert found() == [("W006", "WSGIMATCH_VIRTUAL_HOSTS['two.example'][1]")]


def test_slash_behind_the_script_alone(site, settings):
    """The other way round the slashes do no harm below the location, only to the location."""
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "a.wsgi/"), script_alias("/d", "d/")]

    assert found() == [("W009", "WSGIMATCH_ALIASES[0]")]


def test_examples_that_no_script_answers_are_passed_over(site, settings):
    """The location by itself is a directory, but a URL below it has a wrong PATH_INFO."""
    settings.WSGIMATCH_ALIASES = [script_alias_match(r"^/x(/|/c\.wsgi)$", "d$1/y")]

    assert found() == [("W009", "WSGIMATCH_ALIASES[0]")]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param("/a/../b", "'.' and '..' are gone from a URL by then", id="dots"),
        pytest.param("app", "every URL begins with '/', it does not", id="no slash"),
    ],
)
def test_plain_alias_that_never_matches(site, settings, pattern, reason):
    settings.WSGIMATCH_ALIASES = [script_alias(pattern, "a.wsgi")]

    [finding] = inspection.findings()

    assert finding.message == f"'{pattern}' can never match: {reason}."


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param("^//a", "slashes are merged before a pattern sees the URL", id="slashes"),
        pytest.param(
            "^",
            "a match that ends at the very start of the URL does not count, nor does text that "
            "no URL holds",
            id="empty",
        ),
    ],
)
def test_pattern_that_never_matches(site, settings, pattern, reason):
    settings.WSGIMATCH_ALIASES = [script_alias_match(pattern, "a.wsgi")]

    [finding] = inspection.findings()

    assert finding.message == f"'{pattern}' can never match: {reason}."


def test_alias_hidden_without_proof(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias_match("^/(.*)(?<!x)$", "a.wsgi"),
        script_alias_match("^/ab*$", "b.wsgi"),
    ]

    [finding] = inspection.findings()

    assert finding.message == (
        "no URL seems to reach '^/ab*$': WSGIMATCH_ALIASES[0] takes all of 200 that were tried, "
        "'/a' for one."
    )


def test_alias_hidden_by_several(site, settings):
    settings.WSGIMATCH_ALIASES = [
        *(script_alias(location, "a.wsgi") for location in ("/a", "/b", "/c")),
        script_alias_match("^/[abc](/|$)", "b.wsgi"),
    ]

    [finding] = inspection.findings()

    assert finding.message == (
        "no URL reaches '^/[abc](/|$)': WSGIMATCH_ALIASES[0], WSGIMATCH_ALIASES[1] and "
        "WSGIMATCH_ALIASES[2] take all of them, '/a' for one."
    )


def test_pattern_on_which_releases_of_pcre2_differ(settings):
    settings.WSGIMATCH_ALIASES = [script_alias_match("(?<*a)b", "a.wsgi")]

    [finding] = inspection.findings()

    assert (finding.id, finding.hint) == (
        "E004",
        "Write the pattern without it: releases of PCRE2 do not agree on what it means.",
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("WSGIMATCH_ALIAS", "Did you mean WSGIMATCH_ALIASES?", id="misspelt"),
        pytest.param("WSGIMATCH_ZZZ", "There are: WSGIMATCH_ALIASES, WSGIMATCH_VI", id="unknown"),
    ],
)
def test_setting_that_does_not_exist(settings, name, hint):
    setattr(settings, name, 1)

    [finding] = inspection.findings()

    assert finding.hint.startswith(hint)


def test_setting_of_a_group(settings):
    settings.WSGIMATCH_PROCESS_GROUP = "blog"

    assert found() == [("E006", "WSGIMATCH_PROCESS_GROUP")]


def test_no_fallback(settings):
    settings.WSGIMATCH_FALLBACK = None

    assert found() == []


def test_silenced_ids(settings):
    settings.WSGIMATCH_ALIAS = 1
    settings.SILENCED_SYSTEM_CHECKS = ["wsgimatch.W013"]

    assert found() == []
