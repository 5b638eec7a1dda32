from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_wsgimatch import read_directives, script_alias, script_alias_match
from django_wsgimatch.aliases import table
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.patterns.pattern import Pattern, compile_pattern
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.checks import check_settings
from django_wsgimatch.conf import configuration
from django_wsgimatch.conf_shapes import DEFAULTS
from django_wsgimatch.configured import Configuration
from django_wsgimatch.daemon.options import GroupOptions

INTERVAL = "should be a number of seconds, 0 to look at the file for each request, not {}"


def problems() -> list[str]:
    return [str(problem) for problem in configuration().problems]


def named_tables(configured: Configuration) -> list[tuple[str | None, AliasTable, tuple[str, ...]]]:
    """The tables, each with its host and the names of its own entries."""
    return [
        (each.host, each.table, tuple(name for _, name in each.own_names()))
        for each in configured.tables()
    ]


def test_without_settings(settings, tmp_path):
    settings.BASE_DIR = tmp_path

    configured = configuration()

    assert configured.table.aliases == ()
    assert configured.rules == Rules(roots=(), base_directory=str(tmp_path))
    assert configured.values == DEFAULTS
    assert named_tables(configured) == [(None, configured.table, ())]
    assert configured.problems == ()


def test_configuration_is_built_once():
    first, second = configuration(), configuration()

    assert first is second


def test_changed_settings_are_read_anew():
    before = configuration()

    with override_settings(WSGIMATCH_ALIASES=[script_alias("/a", "/x")]):
        inside = configuration()
    after = configuration()

    assert [len(each.table.aliases) for each in (before, inside, after)] == [0, 1, 0]


def test_other_settings_do_not_matter():
    before = configuration()

    with override_settings(USE_TZ=False):
        inside = configuration()

    assert inside is before


def test_sound_configuration_is_accepted():
    configured = configuration()

    configured.require()

    assert configured.problems == ()


def test_every_rule(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALLOW_ENCODED_SLASHES = "NoDecode"
    settings.WSGIMATCH_MERGE_SLASHES = False
    settings.WSGIMATCH_FOLLOW_SYMLINKS = "owner"
    settings.WSGIMATCH_ROOTS = ["/srv"]
    settings.WSGIMATCH_PROCESS_GROUPS = {"blue": {}}
    settings.WSGIMATCH_PASS_AUTHORIZATION = False
    settings.WSGIMATCH_DIRECTORY_SLASH = True

    rules = configuration().rules

    assert rules == Rules(
        allow_encoded_slashes="NoDecode",
        merge_slashes=False,
        follow_symlinks="owner",
        roots=("/srv",),
        base_directory=str(tmp_path),
        process_groups=("blue",),
        pass_authorization=False,
        directory_slash=True,
    )


def test_entries_of_every_form(settings, tmp_path):
    file = tmp_path / "aliases.conf"
    file.write_bytes(b"Define SHOP /srv/shop\nWSGIScriptAlias /shop ${SHOP}.wsgi\n")
    settings.WSGIMATCH_ALIASES = [
        script_alias("/caf\xe9", Path("/srv/caf\xe9.wsgi"), callable_object="handler"),
        script_alias_match(b"^/(\xe9)", b"/srv/$1.wsgi"),
        "WSGIScriptAlias /a /srv/a.wsgi pass-authorization=Off",
        *read_directives(file),
    ]

    configured = configuration()

    assert configured.problems == ()
    assert configured.table.aliases == (
        Alias("/caf\xc3\xa9", "/srv/caf\xc3\xa9.wsgi", callable_object="handler"),
        Alias("^/(\xe9)", "/srv/$1.wsgi", "match"),
        Alias("/a", "/srv/a.wsgi", pass_authorization=False),
        Alias("/shop", "/srv/shop.wsgi"),
    )
    [(_, _, names)] = named_tables(configured)
    assert names == (
        "WSGIMATCH_ALIASES[0]",
        "WSGIMATCH_ALIASES[1]",
        "WSGIMATCH_ALIASES[2]",
        f"WSGIMATCH_ALIASES[3] ({file}:2)",
    )


def test_variables_of_a_directive_line_are_those_of_the_process(settings, monkeypatch):
    monkeypatch.setenv("WSGIMATCH_TEST_ROOT", "/srv/\u0142")
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a ${WSGIMATCH_TEST_ROOT}/x.wsgi"]

    aliases = configuration().table.aliases

    assert aliases == (Alias("/a", "/srv/\xc5\x82/x.wsgi"),)


def test_virtual_hosts_come_before_the_main_table(settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/", "/main")]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"shop.example": [script_alias("/shop", "/shop")]}

    configured = configuration()

    assert configured.problems == ()
    assert configured.table.aliases == (Alias("/", "/main"),)
    shop = configured.table.for_host("shop.example")
    assert shop.aliases == (Alias("/shop", "/shop"), Alias("/", "/main"))
    assert named_tables(configured) == [
        ("shop.example", shop, ("WSGIMATCH_VIRTUAL_HOSTS['shop.example'][0]",)),
        (None, configured.table, ("WSGIMATCH_ALIASES[0]",)),
    ]


TWO_ARGUMENTS = (
    "WSGIScriptAlias requires at least two arguments, Map location to target WSGI script file."
)
LISTS = "should be a list of entries, not"
HOSTS = "should be a dict of host patterns to lists of entries, not"
BACKENDS = "should be 'process', 'interpreter' or 'interpreter-own-gil', not"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        pytest.param("ALIASES", "/a /x", f"{LISTS} '/a /x'", id="aliases, one line"),
        pytest.param("ALIASES", None, f"{LISTS} None", id="aliases, None"),
        pytest.param("VIRTUAL_HOSTS", [], f"{HOSTS} []", id="hosts, a list"),
        pytest.param("VIRTUAL_HOSTS", {1: []}, f"{HOSTS} {{1: []}}", id="hosts, no name"),
        pytest.param("VIRTUAL_HOSTS", {"a": ""}, f"{HOSTS} {{'a': ''}}", id="hosts, no list"),
        pytest.param("PROCESS_GROUPS", ["a"], "should be a dict of names to options, not ['a']"),
        pytest.param("PROCESS_GROUP", "", "should be a non-empty name, not ''"),
        pytest.param("PROCESS_GROUP", None, "should be a non-empty name, not None"),
        pytest.param("APPLICATION_GROUP", "", "should be a non-empty name, not ''"),
        pytest.param("APPLICATION_GROUP_BACKEND", "thread", f"{BACKENDS} 'thread'"),
        pytest.param("APPLICATION_GROUP_BACKEND", [], f"{BACKENDS} []"),
        pytest.param("FALLBACK", print, f"should be a dotted path or None, not {print!r}"),
        pytest.param("ROOTS", "/srv", "should be a list of directories or None, not '/srv'"),
        pytest.param("ROOTS", [1], "should be a list of directories or None, not [1]"),
        pytest.param("SERVER_NAME", 1, "should be a host name or None, not 1"),
        pytest.param(
            "ALLOW_ENCODED_SLASHES", "On", "should be True, False or 'NoDecode', not 'On'"
        ),
        pytest.param("MERGE_SLASHES", 1, "should be True or False, not 1"),
        pytest.param("DIRECTORY_SLASH", "On", "should be True or False, not 'On'"),
        pytest.param("FOLLOW_SYMLINKS", None, "should be True, False or 'owner', not None"),
        pytest.param("SCRIPT_RELOADING", "On", "should be 'safe', True or False, not 'On'"),
        pytest.param("SCRIPT_RELOAD_INTERVAL", -1, INTERVAL.format(-1)),
        pytest.param("SCRIPT_RELOAD_INTERVAL", True, INTERVAL.format(True)),
        pytest.param("SCRIPT_RELOAD_INTERVAL", "1s", INTERVAL.format("'1s'")),
        pytest.param("PASS_AUTHORIZATION", "On", "should be True or False, not 'On'"),
        pytest.param("CHUNKED_REQUEST", "Off", "should be True or False, not 'Off'"),
        pytest.param("ALLOW_EXPONENTIAL_PATTERNS", 0, "should be True or False, not 0"),
    ],
)
def test_wrong_value(name, value, complaint):
    with override_settings(**{f"WSGIMATCH_{name}": value}):
        found = problems()
        taken = configuration().values[name]

    assert found == [f"WSGIMATCH_{name}: {complaint}"]
    assert taken == DEFAULTS[name]


def test_wrong_values_are_told_for_every_setting():
    wrong = {f"WSGIMATCH_{name}": object() for name in DEFAULTS}

    with override_settings(**wrong):
        named = [problem.where for problem in configuration().problems]

    assert named == list(wrong)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="sub interpreters run Django")
def test_interpreters_need_a_newer_python(settings):
    settings.WSGIMATCH_APPLICATION_GROUP_BACKEND = "interpreter"

    assert problems() == [
        (
            "WSGIMATCH_APPLICATION_GROUP_BACKEND: 'interpreter' needs Python 3.13 or newer, and "
            f"this is {platform.python_version()}: before that, Django does not work in a sub "
            "interpreter"
        )
    ]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="sub interpreters run Django")
@pytest.mark.parametrize("backend", ["interpreter", "interpreter-own-gil"])
def test_what_to_do_about_an_old_python_stands_in_the_hint_alone(settings, backend):
    settings.WSGIMATCH_APPLICATION_GROUP_BACKEND = backend
    [found] = [each for each in check_settings() if each.id == "wsgimatch.E006"]

    assert "Remove the setting" not in found.msg
    assert str(found.hint).startswith("Remove the setting: ")


@pytest.mark.parametrize(
    ("groups", "complaints"),
    [
        pytest.param({"blog": {}}, [], id="all as by default"),
        pytest.param({"blog": {"processes": 2, "home": "blog"}}, [], id="options"),
        pytest.param({"%{GLOBAL}": {"threads": 2}}, [], id="application groups of the server's"),
        pytest.param(
            {"blog": {"threads": 0, "chrot": "/"}, "wiki": 3},
            [
                (
                    "WSGIMATCH_PROCESS_GROUPS['blog']: threads should be a whole number, 1 or "
                    "more, not 0"
                ),
                (
                    "WSGIMATCH_PROCESS_GROUPS['blog']: 'chrot' is not an option of a process "
                    "group; did you mean 'chroot'?"
                ),
                "WSGIMATCH_PROCESS_GROUPS['wiki']: should be a dict of options, not 3",
            ],
            id="all mistakes at once",
        ),
        pytest.param(
            {"%{RESOURCE}": {}},
            [
                (
                    "WSGIMATCH_PROCESS_GROUPS['%{RESOURCE}']: a name should be text without % (but "
                    "%{GLOBAL}) or line breaks, not '%{RESOURCE}'"
                )
            ],
            id="a name that is computed",
        ),
    ],
)
def test_process_groups(settings, groups, complaints):
    settings.WSGIMATCH_PROCESS_GROUPS = groups

    assert problems() == complaints


def test_options_of_a_process_group_begin_in_base_dir(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_PROCESS_GROUPS = {"blog": {"home": "blog", "python_path": ["lib", "/x"]}}

    options = configuration().groups["blog"]

    assert options == GroupOptions(
        home=str(tmp_path / "blog"), python_path=(str(tmp_path / "lib"), "/x")
    )


def test_main_groups_may_be_named(settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/a", "/x", process_group="%{GLOBAL}", application_group="%{GLOBAL}")
    ]

    assert problems() == []


def test_50_broken_entries_are_reported_at_once(settings):
    broken = [
        "WSGIScriptAlias /a",
        "Listen 80",
        script_alias("", "/x"),
        script_alias_match("(", "/x"),
        None,
    ]
    settings.WSGIMATCH_ALIASES = [script_alias("/good", "/x"), *broken * 10]

    with pytest.raises(ImproperlyConfigured) as caught:
        configuration().require()

    *lines, last = str(caught.value).split("\n")
    assert last == "50 errors, 0 warnings."
    errors = [line for line in lines if line.startswith("ERROR")]
    assert [line.split()[2] for line in errors] == [
        f"WSGIMATCH_ALIASES[{number}]:" for number in range(1, 51)
    ]
    assert all(line.startswith("    hint: ") for line in lines if line not in errors)
    assert (
        "\n".join(errors[:5])
        == """\
ERROR wsgimatch.E002 WSGIMATCH_ALIASES[1]: WSGIScriptAlias requires at least two arguments, \
Map location to target WSGI script file. The line is 'WSGIScriptAlias /a'.
ERROR wsgimatch.E002 WSGIMATCH_ALIASES[2]: Invalid command 'Listen', perhaps misspelled or defined \
by a module not included in the server configuration. The line is 'Listen 80'.
ERROR wsgimatch.E002 WSGIMATCH_ALIASES[3]: the location should be non-empty text, not ''.
ERROR wsgimatch.E003 WSGIMATCH_ALIASES[4]: Regular expression could not be compiled. In the \
pattern '(': missing closing parenthesis.
ERROR wsgimatch.E002 WSGIMATCH_ALIASES[5]: None should be script_alias(...), alias(...), \
redirect(...), deny(...), one of them with _match, rewrite(...), or a directive line."""
    )


def test_one_problem_is_one_problem(settings):
    settings.WSGIMATCH_MERGE_SLASHES = None

    with pytest.raises(ImproperlyConfigured, match=r"\n1 error, 0 warnings\.$"):
        configuration().require()


def test_usable_entries_keep_their_places_beside_broken_ones(settings):
    settings.WSGIMATCH_ALIASES = ["broken", script_alias("/a", "/x")]

    table = configuration().table

    match = table.match("/a")
    assert match is not None
    assert match.position == 1
    assert table.match("/broken") is None


def test_broken_line_of_a_file_is_found_by_its_number(settings, tmp_path):
    file = tmp_path / "aliases.conf"
    file.write_text("# The shop\n\nWSGIScriptAlias /shop\n")
    settings.WSGIMATCH_ALIASES = read_directives(file)

    assert problems() == [
        f"WSGIMATCH_ALIASES[0] ({file}:3): {TWO_ARGUMENTS}",
    ]


def test_file_of_directives_that_is_missing(settings, tmp_path):
    settings.WSGIMATCH_ALIASES = read_directives(tmp_path / "none.conf")

    assert problems() == [
        f"WSGIMATCH_ALIASES[0]: {tmp_path}/none.conf cannot be read: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("allow", "engine"),
    [
        pytest.param(False, "pcre2", id="runs where its time is limited"),
        pytest.param(True, "re", id="runs where it is told to"),
    ],
)
def test_exponential_pattern(settings, allow, engine):
    settings.WSGIMATCH_ALLOW_EXPONENTIAL_PATTERNS = allow
    settings.WSGIMATCH_ALIASES = [script_alias_match("^/(a+)+$", "/x")]

    [location] = configuration().table.locations

    assert isinstance(location, Pattern)
    assert location.engine == engine


@pytest.mark.parametrize(
    ("base", "base_directory"),
    [
        pytest.param("/srv/site", "/srv/site", id="text"),
        pytest.param(Path("/srv/site"), "/srv/site", id="Path"),
        pytest.param("/srv/site/../other/", "/srv/other", id="not normalised"),
        pytest.param("/srv/\u0142", "/srv/\xc5\x82", id="not ASCII"),
        pytest.param("/", "/", id="the root directory"),
    ],
)
def test_base_directory(settings, base, base_directory):
    settings.BASE_DIR = base

    assert configuration().rules.base_directory == base_directory


def test_base_directory_that_is_relative(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings.BASE_DIR = "."

    assert configuration().rules.base_directory == os.path.realpath(tmp_path)


def test_without_base_directory_it_is_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configuration.cache_clear()

    assert configuration().rules.base_directory == os.path.realpath(tmp_path)


@pytest.mark.parametrize(
    ("roots", "expected"),
    [
        pytest.param(["/srv/scripts"], ("/srv/scripts",), id="a directory"),
        pytest.param((Path("/srv"), "/w/"), ("/srv", "/w"), id="a Path, a slash at the end"),
        pytest.param(["scripts"], ("/srv/site/scripts",), id="relative to BASE_DIR"),
        pytest.param(["."], ("/srv/site",), id="BASE_DIR itself"),
        pytest.param(["../scripts/./x"], ("/srv/scripts/x",), id="beside BASE_DIR"),
        pytest.param(["/"], ("",), id="the root directory"),
        pytest.param(["//srv"], ("/srv",), id="two slashes"),
        pytest.param(["/\u0142"], ("/\xc5\x82",), id="not ASCII"),
        pytest.param([], (), id="none"),
    ],
)
def test_roots(settings, roots, expected):
    settings.BASE_DIR = "/srv/site"
    settings.WSGIMATCH_ROOTS = roots

    assert configuration().rules.roots == expected


def test_roots_are_derived_from_all_targets(settings):
    settings.BASE_DIR = "/srv/site"
    settings.WSGIMATCH_ALIASES = [
        script_alias("/a", "a.wsgi"),
        script_alias_match("^/(.*)", "/srv/scripts/$1.wsgi"),
    ]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"shop.example": [script_alias("/", "/shop/x.wsgi")]}

    assert configuration().rules.roots == ("/srv/site", "/srv/scripts", "/shop")


def test_virtual_hosts_with_the_same_entries_share_a_table(settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "a.wsgi")]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {
        "one.example": [script_alias("/", "x.wsgi")],
        "two.example": [script_alias("/", "x.wsgi")],
        "three.example": [script_alias("/", "y.wsgi")],
    }

    one, two, three = configuration().table.virtual_hosts.values()

    assert one is two
    assert [alias.target for alias in three.aliases] == ["y.wsgi", "a.wsgi"]


def test_each_pattern_is_compiled_once_whatever_the_number_of_virtual_hosts(settings, monkeypatch):
    sources: list[str] = []

    def counted(source: str, **options: Any) -> Pattern:
        sources.append(source)
        return compile_pattern(source, **options)

    monkeypatch.setattr(table, "compile_pattern", counted)
    hosts = [f"{name}.example" for name in ("blog", "shop", "wiki")]
    settings.WSGIMATCH_ALIASES = [script_alias_match("^/api/(.*)", "/srv/api.wsgi")]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {
        host: [script_alias_match(f"^/({host})", "/srv/$1.wsgi")] for host in hosts
    }

    found = configuration().table.for_host("shop.example").match("/api/x")

    assert found is not None
    assert sources == ["^/api/(.*)", *(f"^/({host})" for host in hosts)]
