from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias
from tests.support.imports import aliases_of, notes_of

ALIAS = "WSGIScriptAlias /app /srv/app/app.wsgi"
ROOT = "WSGIScriptAlias / /srv/app/app.wsgi"
FOLDER = "WSGIScriptAlias /wsgi /srv/scripts"
MATCH = r"WSGIScriptAliasMatch ^/wsgi/(\w+) /srv/scripts/$1.wsgi"
PART = (
    "needs you: {} applies to some URLs of {}; which ones cannot be determined. Give those URLs "
    "their own entry before it"
)


def section(*opening: str, name: str = "inside") -> list[str]:
    """A line that names an application group, in sections."""
    closing = [f"</{line[1:].split()[0].rstrip('>')}>" for line in reversed(opening)]
    return [*opening, f"WSGIApplicationGroup {name}", *closing]


def groups(*lines: str) -> list[tuple[str, str | None]]:
    """The location and the application group of each entry, None for mod_wsgi's default."""
    return [(each.location, each.application_group) for each in aliases_of(*lines)]


# A section that holds for all that an alias answers


@pytest.mark.parametrize(
    ("alias", "opening"),
    [
        pytest.param(ALIAS, ["<Directory />"], id="the root directory"),
        pytest.param(ALIAS, ["<Directory /srv/app>"], id="the script's directory"),
        pytest.param(ALIAS, ["<Directory /srv/app/>"], id="with a slash at its end"),
        pytest.param(ALIAS, ['<Directory "/srv/app">'], id="in quotes"),
        pytest.param(ALIAS, ["<directory /srv/app>"], id="in lower case"),
        pytest.param(ALIAS, ["<Directory /srv/*>"], id="a directory by wildcard"),
        pytest.param(ALIAS, ["<DirectoryMatch ^/srv/.*wsgi$>"], id="a pattern for the file's name"),
        pytest.param(ALIAS, ['<Directory ~ "/app/">'], id="a directory by pattern"),
        pytest.param(ALIAS, ["<Files app.wsgi>"], id="the script's name"),
        pytest.param(ALIAS, ["<Files *.wsgi>"], id="a name by wildcard"),
        pytest.param(ALIAS, ["<FilesMatch ^app>"], id="a name by pattern"),
        pytest.param(ALIAS, ["<Directory /srv/app>", "<Files app.wsgi>"], id="a file in it"),
        pytest.param(ALIAS, ["<Location />"], id="the root location"),
        pytest.param(ALIAS, ["<Location /app>"], id="the alias's location"),
        pytest.param(ALIAS, ["<LocationMatch ^/a>"], id="the beginning of its location"),
        pytest.param(ALIAS, ["<LocationMatch .*>"], id="a pattern for everything"),
        pytest.param(ALIAS, ["<LocationMatch ^/*>"], id="a pattern for any slashes"),
        pytest.param(FOLDER, ["<Directory /srv>"], id="above a folder of scripts"),
        pytest.param(MATCH, ["<Directory /srv/scripts>"], id="the folder in front of a capture"),
        pytest.param(MATCH, ["<Location /wsgi>"], id="the location that a pattern begins with"),
        pytest.param(
            "WSGIScriptAlias /app /srv/app/app.wsgi/tail",
            ["<Directory /srv/app>"],
            id="with PATH_INFO in the target",
        ),
    ],
)
def test_a_section_that_holds_for_all_becomes_an_option(alias, opening):
    [found] = groups(alias, *section(*opening))

    assert found[1] == "inside"


@pytest.mark.parametrize(
    ("alias", "opening"),
    [
        pytest.param(ALIAS, ["<Directory /srv/ap>"], id="another directory"),
        pytest.param(ALIAS, ["<Directory /srv/app/deeper>"], id="a directory beside the script"),
        pytest.param(ALIAS, ["<Directory /srv/?>"], id="a wildcard that does not fit"),
        pytest.param(ALIAS, ["<DirectoryMatch /app$>"], id="a pattern for the folder's end"),
        pytest.param(ALIAS, ["<Files app.py>"], id="another file"),
        pytest.param(ALIAS, ["<Location /ap>"], id="another location"),
        pytest.param(ALIAS, ["<Location /apps>"], id="a longer location"),
        pytest.param(ALIAS, ["<LocationMatch ^/b>"], id="a pattern for another beginning"),
        pytest.param(ALIAS, ["<Directory /srv/app>", "<Files x>"], id="another file in it"),
        pytest.param(MATCH, ["<Location /app>"], id="a location that a pattern cannot match"),
        pytest.param(MATCH, ["<DirectoryMatch ^/srv/app/>"], id="a pattern for another folder"),
    ],
)
def test_a_section_that_holds_for_nothing_says_nothing(alias, opening):
    lines = [alias, *section(*opening)]

    [found] = groups(*lines)

    assert found[1] is None
    assert notes_of(*lines)[2 + len(opening)] == "not needed: It applies to no alias of this file"


# Which one wins


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["WSGIApplicationGroup server", *section("<Directory />")], id="directory after server"
        ),
        pytest.param(
            [*section("<Directory /srv/app>"), *section("<Directory /srv>", name="above")],
            id="the deeper directory",
        ),
        pytest.param(
            [*section("<Directory ~ ^/>"), *section("<Directory /srv/app>", name="plain")],
            id="a directory by pattern",
        ),
        pytest.param(
            [*section("<DirectoryMatch ^/srv/app/>"), *section("<DirectoryMatch srv>", name="few")],
            id="a pattern with more slashes",
        ),
        pytest.param(
            [*section("<Files *>"), *section("<Directory /srv/app>", name="directory")],
            id="files after directories",
        ),
        pytest.param(
            [
                *section("<Directory />", "<Files app.wsgi>"),
                *section("<Files app.wsgi>", name="outer"),
            ],
            id="files in a directory after those of the server",
        ),
        pytest.param(
            [*section("<Location />"), *section("<Files *>", name="files")],
            id="locations after files",
        ),
        pytest.param(
            [*section("<Location />", name="first"), *section("<Location />")],
            id="of two locations the later",
        ),
        pytest.param(
            [*section("<Location /app>", name="first"), *section("<Location />")],
            id="the later though it is wider",
        ),
    ],
)
def test_the_one_that_apache_merges_last_wins(lines):
    assert groups(ALIAS, *lines) == [("/app", "inside")]


def test_the_alias_line_wins_over_all():
    lines = [f"{ALIAS} application-group=own", *section("<Location />")]

    assert groups(*lines) == [("/app", "own")]


# A location that holds for a part


def test_a_narrower_location_becomes_an_entry_before_it_that_leads_to_the_same():
    lines = [ROOT, "<Location /api>", "WSGIProcessGroup api", "</Location>"]

    assert aliases_of(*lines) == [
        Alias("/api", "/srv/app/app.wsgi/api", process_group="api"),
        Alias("/", "/srv/app/app.wsgi"),
    ]
    assert notes_of(*lines)[1] == (
        "changed: 2 entries: a section gives a part of its URLs other options"
    )


@pytest.mark.parametrize(
    ("alias", "opening", "location", "target"),
    [
        pytest.param(ALIAS, "<Location /app/x>", "/app/x", "/srv/app/app.wsgi/x", id="deeper"),
        pytest.param(ALIAS, "<Location /app/>", "/app/", "/srv/app/app.wsgi/", id="by a slash"),
        pytest.param(
            ALIAS,
            "<LocationMatch ^/app/v[0-9]>",
            "^(?=/app/v[0-9])/app(?=/|$)",
            "/srv/app/app.wsgi",
            id="a pattern",
        ),
        pytest.param(
            ROOT,
            "<LocationMatch (x|y)$>",
            "^(?=.*?(?:(?:x|y)$))/",
            "/srv/app/app.wsgi",
            id="a pattern that begins anywhere, with a group",
        ),
        pytest.param(
            ROOT, "<Location /*/x>", "^(?=/[^/]*/x$)/", "/srv/app/app.wsgi", id="a wildcard"
        ),
        pytest.param(
            "WSGIScriptAlias /a.b /srv/$1/a.wsgi",
            "<LocationMatch b/x>",
            r"^(?=.*?(?:b/x))/a\.b(?=/|$)",
            r"/srv/\$1/a.wsgi",
            id="characters that would mean something else",
        ),
        pytest.param(
            MATCH,
            "<Location /wsgi/x>",
            r"^(?=/wsgi/x(?:/|$))/wsgi/(\w+)",
            "/srv/scripts/$1.wsgi",
            id="of a pattern",
        ),
        pytest.param(
            "WSGIScriptAliasMatch (a|b)/c /srv/app.wsgi/$1",
            "<Location /x>",
            "^(?=/x(?:/|$)).*?(?:(a|b)/c)",
            "/srv/app.wsgi/$1",
            id="of a pattern that begins anywhere",
        ),
    ],
)
def test_a_part_is_told_apart(alias, opening, location, target):
    part, _ = aliases_of(alias, *section(opening))

    assert (part.location, part.target) == (location, target)


def test_parts_stand_in_the_order_in_which_they_win():
    lines = [
        ROOT,
        *section("<Location /a/b>", name="deep"),
        *section("<Location /a>", name="wide"),
        *section("<LocationMatch ^/x>", name="early"),
        *section("<LocationMatch ^/x/y>", name="late"),
    ]

    assert groups(*lines) == [
        ("^(?=/x/y)/", "late"),
        ("^(?=/x)/", "early"),
        ("/a/b", "wide"),
        ("/a", "wide"),
        ("/", None),
    ]


def test_a_part_with_the_same_options_needs_no_entry():
    lines = ["WSGIApplicationGroup inside", ROOT, *section("<Location /a>")]

    assert groups(*lines) == [("/", "inside")]


# What cannot be told


@pytest.mark.parametrize(
    ("alias", "opening", "name"),
    [
        pytest.param(
            FOLDER, "<Directory /srv/scripts/x>", "WSGIScriptAlias /wsgi", id="a folder below"
        ),
        pytest.param(FOLDER, "<Files x.wsgi>", "WSGIScriptAlias /wsgi", id="one of the scripts"),
        pytest.param(
            FOLDER, "<Directory /srv/scripts>", "WSGIScriptAlias /wsgi", id="a folder or a script"
        ),
        pytest.param(
            ALIAS,
            "<Directory /srv/app/app.wsgi>",
            "WSGIScriptAlias /app",
            id="a directory of the script's name",
        ),
        pytest.param(
            ROOT, r"<LocationMatch (a)\1>", "WSGIScriptAlias /", id="a pattern that refers back"
        ),
        pytest.param(ALIAS, '<If "true">', "WSGIScriptAlias /app", id="a condition"),
    ],
)
def test_what_cannot_be_told_needs_the_user(alias, opening, name):
    notes = notes_of(alias, *section(opening))

    assert notes[3] == PART.format(opening, name)


def test_two_patterns_that_meet_and_give_different_things_need_the_user():
    lines = [
        ROOT,
        *section("<LocationMatch x>"),
        "<LocationMatch y>",
        "WSGICallableObject other",
        "</LocationMatch>",
    ]

    assert notes_of(*lines)[6] == PART.format("<LocationMatch y>", "WSGIScriptAlias /")


def test_the_file_system_tells_a_folder_from_a_script():
    lines = [FOLDER, *section("<Directory /srv/scripts>")]

    assert notes_of(*lines, files={"/srv/scripts": "directory"})[3].startswith("kept")
    assert notes_of(*lines, files={"/srv/scripts": "file"})[3].startswith("needs you")


# What is said twice


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param(["<Directory /srv/app>"], id="a directory"),
        pytest.param(["<LocationMatch ^/app>"], id="a pattern"),
        pytest.param(["<Directory /srv>", "<Files app.wsgi>"], id="a file in a directory"),
        pytest.param([], id="the server"),
    ],
)
def test_of_sections_that_say_the_same_the_last_one_counts(opening):
    first = section(*opening, name="first")
    lines = [*first, *section("<Location /elsewhere>"), *section(*opening, name="last"), ALIAS]
    last_one = len(first) + 3 + len(opening) + 1

    assert groups(*lines) == [("/app", "last")]
    assert notes_of(*lines)[len(opening) + 1] == f"not needed: site.conf:{last_one} replaces it"


def test_an_option_that_a_later_section_does_not_give_still_holds():
    first = ["<Location />", "WSGICallableObject app", "WSGIApplicationGroup one", "</Location>"]

    [alias] = aliases_of(ALIAS, *first, *section("<Location />", name="two"))

    assert (alias.callable_object, alias.application_group) == ("app", "two")


def test_options_without_a_sign_take_the_place_of_those_before():
    lines = [
        ALIAS,
        "<Directory /srv/app>",
        "Options None",
        "</Directory>",
        "<Directory /srv/app>",
        "Options FollowSymLinks",
        "</Directory>",
    ]

    assert notes_of(*lines)[3] == "not needed: site.conf:6 replaces it"


def test_an_alias_for_the_same_urls_is_the_first_one_s():
    lines = [ALIAS, "WSGIScriptAlias /app /srv/other/other.wsgi", "WSGIScriptAlias /a /srv/a.wsgi"]

    assert [each.target for each in aliases_of(*lines)] == ["/srv/app/app.wsgi", "/srv/a.wsgi"]
    assert notes_of(*lines)[2] == "not needed: site.conf:1 comes first and answers all its URLs"


def test_a_plain_alias_and_a_pattern_of_the_same_text_are_two():
    lines = [ALIAS, "WSGIScriptAliasMatch /app /srv/app/app.wsgi"]

    assert [each.kind for each in aliases_of(*lines)] == ["plain", "match"]


# What Apache refuses


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        pytest.param(
            ["<Location />", ALIAS, "</Location>"],
            "WSGIScriptAlias not allowed in <Location> context",
            id="an alias in a section",
        ),
        pytest.param(
            ["", "WSGIPassAuthorization maybe"],
            "WSGIPassAuthorization must be one of: Off | On",
            id="a flag that is none",
        ),
        pytest.param(
            ["", "WSGIProcessGroup a b"], "WSGIProcessGroup takes one argument", id="two words"
        ),
        pytest.param(
            ["", "WSGIScriptAlias / /a.wsgi group=x"],
            "Invalid option to WSGI script alias definition.",
            id="an option that does not exist",
        ),
    ],
)
def test_what_apache_refuses_needs_the_user(lines, note):
    assert notes_of(*lines)[2] == f"needs you: Apache refuses it: {note}"
