from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from django_wsgimatch import read_directives, script_alias, script_alias_match
from django_wsgimatch.checks import check_settings, file_system_findings
from django_wsgimatch.cli.check import findings
from django_wsgimatch.conf import configuration
from tests.support.servers import environment

SOURCE = "def application(environ, start_response): ...\n"


@pytest.fixture
def site(tmp_path, settings):
    for name in ("a.wsgi", "b.wsgi", "d/c.wsgi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    settings.BASE_DIR = tmp_path
    return tmp_path


def found():
    return [(finding.id, finding.where) for finding in findings()]


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
        "?: (wsgimatch.E001) WSGIMATCH_MERGE_SLASHES: should be True or False, not "
        "'yes'.\n\tHINT: Fix the value, or delete the setting to use the default. (Docs: "
        "reference/checks.html#wsgimatch-e001)"
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

    assert [*file_system_findings(configuration())] == []


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
        pytest.param(
            "/a/../b", "'.' and '..' are removed from a URL before aliases are compared", id="dots"
        ),
        pytest.param("app", "URLs begin with '/', and this location does not", id="no slash"),
        pytest.param(
            "^/app", "a plain location is not a pattern, and URLs begin with '/'", id="a pattern"
        ),
        pytest.param(
            "http://example.org/a",
            "aliases are compared with the path of a URL, and this names a host",
            id="a URL",
        ),
        pytest.param(
            "www.example.org/a",
            "aliases are compared with the path of a URL, and this names a host",
            id="a host",
        ),
    ],
)
def test_plain_alias_that_never_matches(site, settings, pattern, reason):
    settings.WSGIMATCH_ALIASES = [script_alias(pattern, "a.wsgi")]

    [finding] = findings()

    assert finding.message == f"'{pattern}' can never match: {reason}."


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param("^//a", "slashes are merged before a pattern sees the URL", id="slashes"),
        pytest.param("^", "URLs begin with '/', and what it matches does not", id="empty"),
        pytest.param("^a/(.*)", "URLs begin with '/', and what it matches does not", id="no slash"),
        pytest.param(
            "^/a$/b",
            "$ stands for the end of the URL, which nothing can follow",
            id="after the end",
        ),
        pytest.param(
            r"^https?://example\.org/a",
            "aliases are compared with the path of a URL, and this names a host",
            id="a URL",
        ),
        pytest.param("^/(?!x)x", "the pattern cannot match any URL", id="a contradiction"),
    ],
)
def test_pattern_that_never_matches(site, settings, pattern, reason):
    settings.WSGIMATCH_ALIASES = [script_alias_match(pattern, "a.wsgi")]

    [finding] = findings()

    assert finding.message == f"'{pattern}' can never match: {reason}."


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        pytest.param(
            script_alias("^/app", "a.wsgi", process_group="%{GLOBAL}"),
            "Write script_alias_match('^/app', 'a.wsgi', process_group='%{GLOBAL}').",
            id="a pattern",
        ),
        pytest.param(
            script_alias_match(r"^a\.txt$", "a.wsgi"),
            r"Write script_alias_match(r'^/a\.txt$', 'a.wsgi').",
            id="a slash too few",
        ),
        pytest.param(
            "WSGIScriptAlias app a.wsgi callable-object=app",
            "Put a slash in front: WSGIScriptAlias /app a.wsgi callable-object=app.",
            id="a directive line",
        ),
        pytest.param(
            script_alias("https://example.org:8000/a", "a.wsgi"),
            "Write the entry for that host: WSGIMATCH_VIRTUAL_HOSTS = {'example.org': "
            "[script_alias('/a', 'a.wsgi')]}.",
            id="a host",
        ),
    ],
)
def test_alias_that_never_matches_has_a_line_to_paste(site, settings, entry, hint):
    settings.WSGIMATCH_ALIASES = [entry]

    [finding] = findings()

    assert finding.hint == hint


def test_two_directives_in_one_string(site, settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a a.wsgiWSGIScriptAlias /b b.wsgi"]

    [finding] = findings()

    assert finding.hint.endswith("is a comma missing?")


def test_option_that_does_not_exist(site, settings):
    settings.WSGIMATCH_PROCESS_GROUPS = {"one": {"python_pth": []}}

    [finding] = findings()

    assert finding.message.endswith("did you mean 'python_path'?")
    assert finding.hint == "Fix the name, or delete it."


def test_alias_hidden_without_proof(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias_match("^/(.*)(?<!x)$", "a.wsgi/$1"),
        script_alias_match("^/ab*$", "b.wsgi"),
    ]

    [finding] = findings()

    assert finding.message == (
        "no URL seems to reach '^/ab*$': WSGIMATCH_ALIASES[0] takes all of 200 that were tried, "
        "such as '/a'."
    )


def test_alias_hidden_by_several(site, settings):
    settings.WSGIMATCH_ALIASES = [
        *(script_alias(location, "a.wsgi") for location in ("/a", "/b", "/c")),
        script_alias_match("^/[abc](/|$)", "b.wsgi"),
    ]

    [finding] = findings()

    assert finding.message == (
        "no URL reaches '^/[abc](/|$)': WSGIMATCH_ALIASES[0], WSGIMATCH_ALIASES[1] and "
        "WSGIMATCH_ALIASES[2] take all of them, such as '/a'."
    )


def test_pattern_on_which_releases_of_pcre2_differ(settings):
    settings.WSGIMATCH_ALIASES = [script_alias_match("(?<*a)b", "a.wsgi")]

    [finding] = findings()

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

    [finding] = findings()

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


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        pytest.param("d.c", "d/c.py", id="a dotted path"),
        pytest.param("d.c.application", "d/c.py", id="as WSGI_APPLICATION has it"),
        pytest.param("d/c.py:application", "d/c.py", id="a file and a name"),
        pytest.param("d/cc.wsgi", "d/c.wsgi", id="a slip"),
    ],
)
def test_a_target_that_does_not_exist_but_another_does(site, settings, target, hint):
    (site / "d/c.py").write_text(SOURCE)
    settings.WSGIMATCH_ALIASES = [script_alias("/a", target)]

    [finding] = findings()

    assert finding.hint == f"There is another: script_alias('/a', {hint!r})."


def test_a_directive_line_with_a_module_for_a_file(site, settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a d.c:application process-group=%{GLOBAL}"]

    [finding] = findings()

    assert finding.hint == (
        "A directive line names a file, as in Apache. To name the module: "
        "script_alias('/a', 'd.c:application', process_group='%{GLOBAL}')."
    )


def test_the_app_loads_what_checks_only_where_a_check_runs():
    program = (
        "import sys, django; from django.conf import settings; "
        "settings.configure(INSTALLED_APPS=['django_wsgimatch']); django.setup(); "
        "print(*sorted(name for name in sys.modules if name.startswith('django_wsgimatch.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(None), capture_output=True, check=True
    )

    assert done.stdout.decode().split() == ["django_wsgimatch.apps"]
