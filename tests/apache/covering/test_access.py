"""
What access rules become that settings cannot say: entries that refuse everybody.

Here all rules are taken for such, as those of two ports that differ are.
"""

from __future__ import annotations

import re
from functools import partial

import pytest

from django_wsgimatch.aliases.alias import ACCESS_RULE
from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.cli.imports import import_record, protected_lines
from tests.support import imports
from tests.support.imports import section

import_lines = partial(imports.import_lines, carries=False)
notes_of = partial(imports.notes_of, carries=False)
settings_of = partial(imports.settings_of, carries=False)
text_of = partial(imports.text_of, carries=False)

ALIAS = "WSGIScriptAlias / /srv/a/a.wsgi"


def closed_by(*lines: str) -> list[str]:
    """The locations and patterns that are closed for every host."""
    entries = settings_of(*lines).entries
    return [each.alias.location for each in entries if each.alias.answer is not None]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Require valid-user"], id="a user"),
        pytest.param(["Require all denied"], id="nobody"),
        pytest.param(["Require not ip 10.0.0.1", "Require ip 10"], id="some addresses"),
        pytest.param(["Order allow,deny"], id="Order without Allow"),
        pytest.param(["Order Allow,Deny", "Allow from 10"], id="Allow for some"),
        pytest.param(["Order mutual-failure"], id="Order mutual-failure"),
        pytest.param(["Order deny,allow", "Deny from all"], id="Deny from all"),
        pytest.param(["Deny from 10.0.0.1"], id="Deny from one"),
        pytest.param(["Satisfy any", "Deny from all"], id="Satisfy any without another side"),
        pytest.param(["Require all granted", "Deny from all"], id="one side of Satisfy all"),
        pytest.param(["Deny from all", "Require user x", "Satisfy any"], id="Satisfy any, no side"),
        pytest.param(section("Limit POST", "Require valid-user"), id="one method"),
        pytest.param(section("LimitExcept GET", "Deny from all"), id="all methods but one"),
        pytest.param(section("RequireNone", "Require all granted"), id="none"),
        pytest.param(
            section("RequireAll", "Require all granted", *section("RequireNone", "Require ip 10")),
            id="all but some",
        ),
        pytest.param(["SSLRequireSSL"], id="TLS"),
        pytest.param(["SSLRequire %{SSL_CIPHER} !~ m/^EXP/"], id="SSLRequire"),
        pytest.param(["SSLVerifyClient require"], id="certificates of clients"),
        pytest.param(["AllowMethods GET"], id="AllowMethods"),
        pytest.param(["WSGIAccessScript /srv/access.wsgi"], id="a script that decides"),
        pytest.param(["MellonEnable auth"], id="a module that asks by itself"),
        pytest.param(["<If \"%{HTTP_HOST} == 'x'\">", "Require all denied", "</If>"], id="an If"),
    ],
)
def test_what_keeps_somebody_out_is_closed(lines):
    assert closed_by(ALIAS, *section("Location /x", *lines)) == ["/x"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Require all granted"], id="all granted"),
        pytest.param(["require ALL Granted"], id="in other letters"),
        pytest.param(["Order allow,deny", "Allow from all"], id="Allow from all"),
        pytest.param(
            ["Order deny,allow", "Deny from 10", "Allow from all"], id="Allow is the last"
        ),
        pytest.param(["Order deny,allow"], id="Order without Deny"),
        pytest.param(["Satisfy any"], id="Satisfy alone"),
        pytest.param(["Require user x", "Allow from all", "Satisfy any"], id="an open side"),
        pytest.param(["Require all granted", "Deny from all", "Satisfy any"], id="the other side"),
        pytest.param(["AuthType Basic", "AuthName x"], id="AuthType that nothing requires"),
        pytest.param(
            section("RequireAny", "Require valid-user", "Require all granted"), id="any of two"
        ),
        pytest.param(["SSLVerifyClient optional"], id="a certificate that may be missing"),
        pytest.param(["AllowMethods reset"], id="methods that are allowed again"),
        pytest.param(['<If "-n %{HTTP_HOST}">', "Require all granted", "</If>"], id="an If"),
    ],
)
def test_what_lets_everybody_in_is_not_closed(lines):
    assert closed_by(ALIAS, *section("Location /x", *lines)) == []


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        pytest.param(
            [
                *section("Location /", "Require valid-user"),
                *section("Location /pub", "Require all granted"),
            ],
            ["^(?!/pub(?:/|$))/"],
            id="an open part of what is closed",
        ),
        pytest.param(
            [
                *section("Location /", "Require valid-user"),
                *section("Location /pub", "Require all granted"),
                *section("Location /pub/x", "Require user x"),
            ],
            ["^(?!/pub(?:/|$))/", "/pub/x"],
            id="and a closed part of that",
        ),
        pytest.param(
            [
                *section("Location /", "AuthType Basic", "Require valid-user"),
                *section("Location /hook", "Satisfy any"),
            ],
            ["^(?!/hook(?:/|$))/"],
            id="an open side in one part",
        ),
        pytest.param(
            [
                *section("Location /", "Order deny,allow", "Deny from all"),
                *section("Location /x", "Require all granted"),
            ],
            ["/"],
            id="a rule of the other kind opens nothing",
        ),
        pytest.param(
            [
                *section("Location /", "Require valid-user"),
                *section("Location /secret", "Order allow,deny"),
            ],
            ["/", "/secret"],
            id="a rule of its own in what is closed",
        ),
        pytest.param(
            section('LocationMatch "^/(manage|login)/"', "Require valid-user"),
            ["^(?=/(?:manage|login)/)/"],
            id="a pattern",
        ),
        pytest.param(
            section("Directory /srv/a", "Require ip 10"), ["/"], id="the directory of the script"
        ),
        pytest.param(
            [
                *section("Directory /", "Require all denied"),
                *section("Directory /srv/a", "Require all granted"),
            ],
            [],
            id="a directory that is open again",
        ),
        pytest.param(
            [
                *section("Directory /", "Require all denied"),
                *section("Directory /srv/a", "AuthMerging And", "Require all granted"),
            ],
            ["/"],
            id="a directory that is open only where the one around it is",
        ),
        pytest.param(
            section('DirectoryMatch "^"', "Require ip 10"), ["/"], id="the start of every directory"
        ),
        pytest.param(
            section('DirectoryMatch "^(?=/srv/a)"', "Require ip 10"),
            ["/"],
            id="a pattern of directories that takes nothing of them",
        ),
        pytest.param(
            section('DirectoryMatch "/srv/b(?=/)"', "Require ip 10"), [], id="another directory"
        ),
        pytest.param(section("Files a.wsgi", "Require ip 10"), ["/"], id="the name of the script"),
        pytest.param(
            section(
                "Directory /srv/a",
                "Require all denied",
                *section("Files a.*", "Require all granted"),
            ),
            [],
            id="the script alone of its directory",
        ),
        pytest.param(section("Files *.pyc", "Require ip 10"), [], id="other names"),
        pytest.param(section("Proxy *", "Deny from all"), [], id="who may use a proxy"),
    ],
)
def test_the_urls_that_are_closed_are_those_of_apache(lines, closed):
    assert closed_by(ALIAS, *lines) == closed


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        pytest.param(
            [
                "WSGIScriptAlias /b /srv/b/b.wsgi",
                ALIAS,
                *section("Directory /srv/a", "Require ip 10"),
            ],
            ["^(?!/b(?:/|$))/"],
            id="an open alias before a closed one",
        ),
        pytest.param(
            [
                ALIAS,
                "WSGIScriptAlias /b /srv/b/b.wsgi",
                *section("Directory /srv/b", "Require ip 10"),
            ],
            [],
            id="a closed alias that no URL reaches",
        ),
        pytest.param(
            [
                "WSGIScriptAlias /s /srv/s",
                *section("Directory /srv/s/admin", "Require ip 10"),
            ],
            ["/s/admin"],
            id="a folder below a folder of scripts",
        ),
        pytest.param(
            ["WSGIScriptAlias /s /srv/s", *section('FilesMatch "^\\.ht"', "Require all denied")],
            [r"^(?=.*/(?:\.ht))/s(?=/|$)"],
            id="names in a folder of scripts",
        ),
        pytest.param(
            [
                r"WSGIScriptAliasMatch ^/t/(\w+) /srv/t/$1.wsgi",
                *section("Files admin.wsgi", "Require ip 10"),
            ],
            [r"^(?=.*/(?:admin))/t/(\w+)"],
            id="a name of which the target has the ending",
        ),
        pytest.param(
            [
                r"WSGIScriptAliasMatch ^/t/(\w+) /srv/t/$1/admin.wsgi",
                *section("Files admin.wsgi", "Require ip 10"),
            ],
            [r"^/t/(\w+)"],
            id="all of an alias where the URLs cannot be told",
        ),
    ],
)
def test_rules_for_files_close_the_urls_that_lead_there(lines, closed):
    assert closed_by(*lines) == closed


def test_files_beside_scripts_are_closed_where_a_section_opens_a_part_of_both():
    closed = closed_by(
        "DocumentRoot /srv/html",
        *section("Directory /srv/html", "Require env inside"),
        *section("Files x.txt", "SetHandler wsgi-script", "Options ExecCGI"),
        *section("Location /open", "Require all granted"),
    )

    found = [pattern for pattern in closed if pattern.endswith(r"(?!/open(?:/|$))/")]
    assert [bool(re.search(pattern, uri)) for pattern in found for uri in URIS] == [True, False]


URIS = ("/x.html", "/open/x.html")


@pytest.mark.parametrize(
    ("engine", "closed"),
    [
        pytest.param("SSLEngine on", False, id="TLS alone is spoken"),
        pytest.param("SSLEngine off", True, id="TLS is not spoken"),
    ],
)
def test_a_rule_for_tls_says_nothing_where_nothing_else_is_spoken(engine, closed):
    lines = [engine, ALIAS, *section("Location /x", "SSLRequireSSL")]

    assert closed_by(*section("VirtualHost *:443", *lines)) == (["/x"] if closed else [])


def test_a_host_is_closed_by_its_own_rules_and_those_of_the_server():
    found = settings_of(
        *section("Location /both", "Require ip 10"),
        *section("VirtualHost *:80", "ServerName a", ALIAS),
        *section(
            "VirtualHost *:80",
            "ServerName b",
            "WSGIScriptAlias / /srv/b.wsgi",
            *section("Location /own", "Require ip 10"),
            *section("Location /both", "Require all granted"),
        ),
    )

    closed = {
        host.pattern: [e.alias.location for e in host.entries if e.alias.answer is not None]
        for host in found.hosts
    }
    assert closed == {"a": ["/both"], "b": ["/own"], "*": []}
    assert {host.pattern: host.same_as for host in found.hosts}["*"] == "a"


def test_what_one_port_protects_is_closed_on_all():
    host = ["ServerName a", ALIAS]

    assert closed_by(
        *section("VirtualHost *:443", *host),
        *section("VirtualHost *:8443", *host, *section("Location /x", "Require ip 10")),
    ) == ["/x"]


def test_rules_that_two_ports_repeat_are_one_entry():
    host = ["ServerName a", ALIAS, *section("Location /x", "Require ip 10")]

    assert closed_by(*section("VirtualHost *:80", *host), *section("VirtualHost *:443", *host)) == [
        "/x"
    ]


def test_closed_entries_come_first_and_their_notes_say_where_the_rules_stand():
    text = text_of(ALIAS, *section("Location /x", "Require user a", "Require user b"))

    assert text.splitlines()[2:9] == [
        "from django_wsgimatch import deny, script_alias",
        "",
        "WSGIMATCH_ALIASES = [",
        "    # site.conf:3, 4",
        f'    deny("/x", note="{ACCESS_RULE}: site.conf:3, 4"),',
        "    # site.conf:1",
        '    script_alias("/", "/srv/a/a.wsgi"),',
    ]


# What is said of it


def test_the_report_begins_with_what_is_closed():
    imported = import_lines(
        ALIAS,
        *section("Location /x", "AuthType Basic", "Require valid-user", "Satisfy all"),
        *section("Location /y", '<If "1">', "Deny from 10", "</If>"),
    )

    assert list(protected_lines(imported)) == [
        (
            "Access rules: these URLs answer 403 to everybody until you decide. Delete the entry "
            "once something else enforces the rule:"
        ),
        "closed      /x: site.conf:4: Require valid-user",
        "closed      /y: site.conf:9: Deny from 10",
    ]


def test_the_report_has_nothing_where_everybody_gets_in():
    assert list(protected_lines(import_lines(ALIAS))) == []


def test_every_line_of_a_rule_is_told():
    notes = notes_of(
        ALIAS,
        *section("Location /x", "Order deny,allow", "Deny from all", "Allow from 10"),
        *section("Location /y", "Order allow,deny", "Allow from all"),
        *section("Location /static", "Require ip 10"),
    )

    assert notes[3] == "part: It is part of the rule in site.conf:4"
    assert notes[4] == "needs you: /x: 403 until you decide"
    assert notes[5] == "part: It is part of the rule in site.conf:4"
    assert notes[8] == (
        "not needed: No effect: where an alias answers, access is open to everybody or "
        "another rule applies"
    )
    assert notes[12] == "needs you: /static: 403 until you decide"


def test_a_rule_where_no_alias_answers_is_not_needed():
    notes = notes_of(
        "WSGIScriptAlias /app /srv/a.wsgi", *section("Location /status", "Require ip 10")
    )

    assert notes[3] == "not needed: It applies to no URL that an alias of this file answers"


def test_a_rule_that_apache_refuses_outside_of_sections_is_told():
    assert notes_of("Require ip 10", ALIAS)[1] == (
        "needs you: Apache refuses it: Require not allowed here"
    )


def test_a_section_for_the_same_place_replaces_the_rules_of_an_earlier_one():
    lines = [
        ALIAS,
        *section("Location /x", "Require user a", "Deny from 10"),
        *section("Location /x", "Require user b"),
    ]

    assert notes_of(*lines)[3] == "not needed: site.conf:7 replaces it"
    assert closed_by(*lines) == ["/x"]
    assert closed_by(*lines, *section("Location /x", "Require all granted")) == ["/x"]
    assert closed_by(*lines, *section("Location /x", "Satisfy any", "Require all granted")) == []


def test_open_is_open_and_says_so():
    lines = [ALIAS, *section("Location /x", "Require valid-user"), ""]
    configuration = read_text("\n".join(lines), "site.conf")

    imported = import_configuration(configuration, lambda path: "missing", is_open=True)

    assert imported.settings is not None
    assert [each.alias.location for each in imported.settings.entries] == ["/"]
    assert list(protected_lines(imported)) == [
        (
            "Access rules: Apache refuses some requests for these URLs, and here they are open to "
            "everybody:"
        ),
        "open        /x: site.conf:3: Require valid-user",
    ]
    assert imported.outcomes[1].note == "/x: open to everybody"
    assert imported.needs_you


def test_a_part_of_what_the_same_rule_closes_has_no_entry_of_its_own():
    lines = [r"WSGIScriptAliasMatch ^/x/(\w+) /srv/$1.wsgi", ALIAS]

    assert closed_by(*lines, *section("Location /x", "Require valid-user")) == ["/x"]


def test_json_has_what_is_closed():
    imported = import_lines(ALIAS, *section("Location /x", "Require valid-user"))

    found = import_record(imported)

    rule = {"file": "site.conf", "line": 3, "directive": "Require valid-user"}
    assert found["protected"] == [
        {
            "host": None,
            "kind": "deny",
            "location": "/x",
            "is_open": False,
            "is_whole": True,
            "rules": [rule],
        }
    ]
    assert found["settings"]["WSGIMATCH_ALIASES"][0] == {
        "kind": "deny",
        "location": "/x",
        "note": f"{ACCESS_RULE}: site.conf:3",
        "status": 403,
        "from": ["site.conf:3"],
    }


GRANTED = section("FilesMatch ^a", "Require all granted")
SOME = section("Directory /srv/a", "Require ip 10.0.0.1")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["AuthMerging And"], id="alone"),
        pytest.param(["AuthMerging And", "Require all granted"], id="with a rule"),
        pytest.param(["Require all granted", "AuthMerging And"], id="behind it"),
    ],
)
def test_what_two_sections_of_files_say_together_is_merged_with_their_folder(lines):
    """As observed: sections of one kind are merged first, and as the last of them says."""
    assert closed_by(*SOME, *GRANTED, ALIAS) == []
    assert closed_by(*SOME, *GRANTED, *section("Files a.wsgi", *lines), ALIAS) == ["/"]
