"""Access rules that an import says as sections of WSGIMATCH_ACCESS, and those that it closes."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.test import override_settings

from django_wsgimatch.aliases.access.rules import Login
from django_wsgimatch.aliases.access.sections import AccessSection
from django_wsgimatch.aliases.alias import Alias, Denial
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.apache.writing.fragment import python_lines
from django_wsgimatch.apache.writing.settings import Settings
from django_wsgimatch.cli.imports import protected_lines
from django_wsgimatch.conf import configuration
from django_wsgimatch.entry_options.access import to_section
from tests.support.imports import import_lines, notes_of, section, settings_of, text_of, values_of

ROOT = "WSGIScriptAlias / /srv/app/wsgi.py"
FILES = "Alias /static /srv/static"
STAFF = ["AuthType Basic", 'AuthName "Staff"', "AuthUserFile /etc/users"]
OF_STAFF = 'auth=basic("Staff", users="/etc/users")'


def written(*lines: str) -> list[str]:
    """The entries of WSGIMATCH_ACCESS that lines become, each on one line, without comments."""
    text = list(python_lines(settings_of(*lines), "site.conf"))
    if "WSGIMATCH_ACCESS = [" not in text:
        return []
    start = text.index("WSGIMATCH_ACCESS = [") + 1
    found: list[str] = []
    for line in text[start : text.index("]", start)]:
        if line.startswith("     ") or line == "    ),":
            found[-1] += line.strip() + " "
        elif not line.startswith("    #"):
            found.append(line.strip())
    return [each.strip().removesuffix(",").replace("( ", "(").replace(", )", ")") for each in found]


def closed(*lines: str) -> list[str]:
    """The URLs that are closed for every host."""
    entries = settings_of(*lines).entries
    return [each.alias.location for each in entries if each.alias.directive.startswith("deny")]


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        pytest.param(["Require all denied"], 'require="all denied"', id="nobody"),
        pytest.param(["Require ip 10.1 ::1"], 'require="ip 10.1 ::1"', id="addresses"),
        pytest.param(
            ["Require local", "Require host example.org"],
            'require=["local", "host example.org"]',
            id="one of several",
        ),
        pytest.param(
            [*STAFF, "Require valid-user"], f'{OF_STAFF}, require="valid-user"', id="user"
        ),
        pytest.param(
            [*STAFF, 'Require user ann "bob b"'],
            f"""{OF_STAFF}, require='user ann "bob b"'""",
            id="a name with a blank",
        ),
        pytest.param(
            [*STAFF, "AuthGroupFile /etc/groups", "Require group a b"],
            'auth=basic("Staff", users="/etc/users", groups="/etc/groups"), require="group a b"',
            id="groups",
        ),
        pytest.param(
            [*STAFF, "AuthBasicProvider file", "AuthBasicAuthoritative On", "Require user x"],
            f'{OF_STAFF}, require="user x"',
            id="the defaults of a login",
        ),
        pytest.param(
            ["<RequireAll>", "Require all granted", "Require not ip 10", "</RequireAll>"],
            'require=all_of("all granted", "not ip 10")',
            id="a container",
        ),
        pytest.param(
            [
                *("<RequireAll>", "<RequireAny>", "Require ip 10", "Require ip 11"),
                *("</RequireAny>", "<RequireNone>", "Require ip 10.1", "</RequireNone>"),
                *("</RequireAll>", "Require method GET"),
            ],
            'require=[all_of(any_of("ip 10", "ip 11"), none_of("ip 10.1")), "method GET"]',
            id="containers in containers",
        ),
        pytest.param(
            ["Order Deny,Allow", "Deny from all", "Allow from 10 .example.org"],
            'order="deny,allow", allow=["10", ".example.org"], deny="all"',
            id="Order, Allow and Deny",
        ),
        pytest.param(
            ["Deny from none", "Order allow,deny", "Allow from 10"],
            'order="allow,deny", allow="10"',
            id="nobody is called none",
        ),
        pytest.param(
            ["Deny from all", "Satisfy Any", *STAFF, "Require valid-user"],
            f'order="deny,allow", deny="all", satisfy="any", {OF_STAFF}, require="valid-user"',
            id="Satisfy",
        ),
        pytest.param(["SSLRequireSSL"], "require_ssl=True", id="TLS"),
        pytest.param(["AllowMethods GET POST"], 'allow_methods="GET POST"', id="AllowMethods"),
        pytest.param(
            ["AllowMethods GET", "AllowMethods HEAD"],
            'allow_methods="GET HEAD"',
            id="added methods",
        ),
        pytest.param(
            ["<LimitExcept GET POST>", "Deny from all", "</LimitExcept>"],
            'order="deny,allow", deny="all", limit_except="GET POST"',
            id="Deny for all methods but some",
        ),
        pytest.param(
            [
                *("<Limit HEAD>", "Order allow,deny", "Allow from all", "</Limit>"),
                *("<LimitExcept GET>", "Order deny,allow", "Deny from all", "</LimitExcept>"),
            ],
            'order="deny,allow", deny="all", limit_except="GET"',
            id="one order for some methods, and another for the others",
        ),
        pytest.param(
            ["Require ip 10", "<Limit POST>", "Require ip 11", "Require ip 12", "</Limit>"],
            'require=["ip 10", all_of("method POST", any_of("ip 11", "ip 12"))]',
            id="more who may do so with one method",
        ),
        pytest.param(
            ["<Limit POST PUT>", *STAFF, "Require valid-user", "</Limit>"],
            f'{OF_STAFF}, require="valid-user", limit="POST PUT"',
            id="some methods",
        ),
        pytest.param(
            ["<LimitExcept OPTIONS GET>", "Order allow,deny", "Allow from 10", "</LimitExcept>"],
            'order="allow,deny", allow="10", limit_except="GET OPTIONS"',
            id="all methods but some",
        ),
        pytest.param(
            ["<Limit GET>", "Require ip 10", "</Limit>", "<Limit GET>", "Deny from 11", "</Limit>"],
            'order="deny,allow", deny="11", require="ip 10", limit="GET"',
            id="the same methods twice",
        ),
        pytest.param(
            ["AuthMerging Off", "Require ip 10"], 'require="ip 10"', id="AuthMerging as it is"
        ),
    ],
)
def test_rules_become_options(lines, options):
    lines = [ROOT, *section("Location /x", *lines)]

    assert written(*lines) == [f'access("/x", {options})']
    assert closed(*lines) == []


def test_rules_hold_for_files_that_a_rule_of_mod_rewrite_leads_to():
    lines = [
        *("RewriteEngine On", r"RewriteRule ^/\.well-known/(.*) /srv/known/$1 [L]", ROOT),
        *section("Location /", "Require ip 10"),
    ]

    settings = settings_of(*lines, files={"/srv": "directory", "/srv/known": "directory"})

    assert [each.alias.function for each in settings.entries] == ["alias_match", "script_alias"]
    assert [each.entry.location for each in settings.access] == ["/"]


def test_rules_of_folders_for_other_methods_are_two_sections():
    lines = [
        ROOT,
        *section("Directory /srv", "Order allow,deny", "Allow from 10"),
        *section("Directory /srv/app", "<Limit POST>", "Require ip 11", "</Limit>"),
    ]

    assert written(*lines) == [
        'access("/", require="ip 11", limit="POST")',
        'access("/", order="allow,deny", allow="10")',
    ]
    assert closed(*lines) == []


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Require env inside"], id="a variable"),
        pytest.param(["Require expr true"], id="an expression"),
        pytest.param(["Require ip ${NOTHING}"], id="a variable without a value"),
        pytest.param(["AuthMerging And", "Require ip 10"], id="AuthMerging"),
        pytest.param(
            ["<RequireAny>", "<Limit GET>", "Require ip 10", "</Limit>", "</RequireAny>"],
            id="some methods in a container",
        ),
        pytest.param(["<Limit GET>", "SSLRequireSSL", "</Limit>"], id="TLS for some methods"),
        pytest.param(["<Limit LIST>", "Require ip 10", "</Limit>"], id="an unknown method"),
        pytest.param(
            ["Satisfy any", "<Limit GET>", "Deny from all", "Satisfy all", "</Limit>"],
            id="Satisfy for some methods",
        ),
        pytest.param(
            ["Deny from 10", "<Limit GET>", "Deny from 11", "</Limit>"],
            id="other addresses for some methods",
        ),
        pytest.param(["Deny from env=bad"], id="Deny by a variable"),
        pytest.param(["SSLRequire false"], id="SSLRequire"),
        pytest.param(["AuthType Digest", "Require valid-user"], id="Digest"),
        pytest.param(["AuthType shibboleth", "ShibRequireSession On"], id="Shibboleth"),
        pytest.param(
            [*STAFF, "AuthBasicProvider ldap", "AuthLDAPURL ldap://x/", "Require valid-user"],
            id="LDAP",
        ),
        pytest.param(
            ["AuthType Basic", 'AuthName "%{HTTP_HOST}"', "Require valid-user"],
            id="a realm that is an expression",
        ),
        pytest.param([*STAFF, "AuthBasicFake a b", "Require valid-user"], id="another user"),
        pytest.param(
            ["AuthType Basic", "AuthUserFile users", "Require valid-user"],
            id="a relative path without a ServerRoot",
        ),
        pytest.param(["AuthUserFile /etc/users", "Require valid-user"], id="half of a login"),
        pytest.param([*STAFF, "Require user $1"], id="a name that is an expression"),
        pytest.param(
            [*STAFF, "SSLOptions +FakeBasicAuth", "Require valid-user"],
            id="certificates that stand for names",
        ),
        pytest.param(
            ["Require env x", "Deny from all", "Allow from 10", "Satisfy any"], id="Satisfy any"
        ),
    ],
)
def test_what_settings_cannot_say_is_closed(lines):
    lines = [ROOT, *section("Location /x", *lines)]

    assert written(*lines) == []
    assert closed(*lines) == ["/x"]


def test_where_a_section_meets_one_that_cannot_be_said_only_their_urls_are_closed():
    lines = [
        r"WSGIScriptAliasMatch ^/m/(\w+) /srv/m/$1.wsgi",
        *section("FilesMatch ^a", "Deny from all", "Require all granted", "Satisfy any"),
        *section("Location /m/a/x", "Require all denied"),
    ]

    assert written(*lines) == ['access("/m/a/x", require="all denied")']
    assert closed(*lines) == [r"^(?=(?=/m/a/x(?:/|$))/m/(?:\w+))(?=.*/(?:a))/m/(\w+)"]


@pytest.mark.parametrize(
    ("place", "function"),
    [
        pytest.param("Location /x", 'access("/x"', id="Location"),
        pytest.param("Location /x/", 'access("/x/"', id="with a slash"),
        pytest.param("Location /*/x?", 'access_match("^/[^/]*/x[^/]$"', id="with wildcards"),
        pytest.param('LocationMatch "^/(a|b)"', 'access_match("^/(a|b)"', id="LocationMatch"),
        pytest.param('Location ~ "/x$"', 'access_match("/x$"', id="an expression"),
        pytest.param("Directory /srv", 'access("/"', id="the folder of the script"),
        pytest.param("Directory /srv/a*", 'access("/"', id="by a wildcard"),
        pytest.param('DirectoryMatch "^/srv/app"', 'access("/"', id="by an expression"),
        pytest.param("Files wsgi.py", 'access("/"', id="the name of the script"),
        pytest.param("FilesMatch ^w", 'access("/"', id="the name by an expression"),
    ],
)
def test_a_section_is_said_of_its_urls(place, function):
    assert written(ROOT, *section(place, "Require ip 10")) == [f'{function}, require="ip 10")']


@pytest.mark.parametrize(
    ("place", "urls"),
    [
        pytest.param("Location /[ab]", r"^(?=/[ab]$)/", id="a wildcard of its own kind"),
        pytest.param('LocationMatch "^/(?{x})"', "/", id="an expression that cannot be used"),
        pytest.param("If true", "/", id="If"),
    ],
)
def test_a_section_whose_urls_cannot_be_said_is_closed(place, urls):
    lines = [ROOT, *section(place, "Require ip 10")]

    assert (written(*lines), closed(*lines)) == ([], [urls])


@pytest.mark.parametrize(
    ("lines", "sections"),
    [
        pytest.param(
            section("Directory /srv/static/private", "Require ip 10"),
            ['access("/static/private", require="ip 10")'],
            id="a folder among files",
        ),
        pytest.param(
            [
                *section("Directory /srv/static/private", "Require ip 10"),
                *section("Directory /srv/static", "Require ip 11"),
            ],
            ['access("/static", require="ip 11")', 'access("/static/private", require="ip 10")'],
            id="and the folder around it",
        ),
        pytest.param(
            [
                *section("Files *", "Require ip 10"),
                *section("Directory /srv/static/a", "Require all granted", "Deny from 11"),
            ],
            [
                *('access("/", require="ip 10")',),
                'access("/static/a", order="deny,allow", deny="11", require="ip 10")',
            ],
            id="a name of files comes after all folders",
        ),
        pytest.param(
            section("Directory /srv/app", "Require ip 10"),
            ['access("/", require="ip 10")', 'access("/static", require="all granted")'],
            id="what another entry answers is not meant",
        ),
        pytest.param(
            section("Directory /srv", "Require ip 10"),
            ['access("/", require="ip 10")'],
            id="what holds for both is said once",
        ),
        pytest.param(
            [
                *section("Directory /srv/app", *STAFF, "Require valid-user", "SSLRequireSSL"),
                *section("Directory /srv/static", "Deny from 10", "Require all granted"),
            ],
            [
                f'access("/", {OF_STAFF}, require="valid-user", require_ssl=True)',
                (
                    'access("/static", order="deny,allow", deny="10", auth="none", '
                    'require="all granted", require_ssl=False)'
                ),
            ],
            id="all that is taken back",
        ),
        pytest.param(
            [
                *section("Location /x", "Require ip 10"),
                *section("Directory /srv/app", "Require ip 11"),
                *section("Location /x/y", "Require all granted"),
            ],
            [
                *('access("/", require="ip 11")', 'access("/static", require="all granted")'),
                *('access("/x", require="ip 10")', 'access("/x/y", require="all granted")'),
            ],
            id="what compares with the URL comes last",
        ),
        pytest.param(
            [
                *section("Location /x", "Require all granted"),
                *section("Location /static", "Require ip 10"),
            ],
            ['access("/static", require="ip 10")'],
            id="what opens nothing is left out",
        ),
    ],
)
def test_sections_stand_in_the_order_in_which_the_last_one_wins(lines, sections):
    lines = [ROOT, FILES, *lines]

    assert (written(*lines), closed(*lines)) == (sections, [])


def test_the_files_of_a_folder_that_are_named_are_closed_and_the_others_said():
    lines = [
        *(FILES, *section("Directory /srv/static", "Require ip 10")),
        *section("Files *.bak", "Require all denied"),
    ]

    assert written(*lines) == ['access("/static", require="ip 10")']
    assert closed(*lines) == [r"^(?=.*/(?:[^/]*\.bak)(?:/|$))/static(?=/|$)"]


@pytest.mark.parametrize(
    ("rules", "lines_of_rules"),
    [
        pytest.param(["Require all denied"], "3", id="Require"),
        pytest.param(["Order allow,deny", "Deny from all"], "3, 4", id="Deny"),
        pytest.param(["Order allow,deny"], "3", id="nobody is allowed"),
        pytest.param(
            ["Deny from all", "Satisfy any", "Require all denied"], "3, 4, 5", id="both sides"
        ),
    ],
)
def test_names_that_nobody_may_ask_for_need_nobody(rules, lines_of_rules):
    lines = [FILES, *section("FilesMatch ^\\.ht", *rules)]

    [entry, _] = settings_of(*lines).entries
    assert entry.alias == Alias(
        *(r"^(?=.*/(?:\.ht))/static(?=/|$)", "", "match"),
        answer=Denial(f"nobody is let in: site.conf:{lines_of_rules}"),
    )
    imported = import_lines(*lines)
    assert (list(protected_lines(imported)), imported.needs_you) == ([], False)
    assert notes_of(*lines)[len(lines) - 1] == (
        r"changed: URLs that match ^(?=.*/(?:\.ht))/static(?=/|$): 403"
    )


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param(["Require ip 10"], 'require="ip 10"', id="some are let in"),
        pytest.param(
            ["Deny from all", "Satisfy any", "Require ip 10"],
            'order="deny,allow", deny="all", satisfy="any", require="ip 10"',
            id="one side lets some in",
        ),
        pytest.param(
            ["Deny from all", "Allow from 10"],
            'order="deny,allow", allow="10", deny="all"',
            id="some may come",
        ),
        pytest.param(["AllowMethods POST"], 'allow_methods="POST"', id="for some methods"),
        pytest.param(
            [*STAFF, "Require valid-user"], f'{OF_STAFF}, require="valid-user"', id="who log in"
        ),
    ],
)
def test_names_that_some_may_ask_for_are_said_where_all_else_is_open(rules, said):
    lines = [FILES, *section("Directory /", "Require all granted")]
    lines += [*section("FilesMatch ^\\.ht", *rules), *section("Files *.bak", "Require all denied")]

    assert (written(*lines), closed(*lines)) == (
        [rf'access_match(r"^(?=.*/(?:\.ht))/static(?=/|$)", {said})'],
        [r"^(?=.*/(?:[^/]*\.bak)(?:/|$))/static(?=/|$)"],
    )


def test_names_that_some_may_ask_for_are_said_before_what_is_said_of_locations():
    lines = [FILES, *section("Location /static/x", "Require ip 9")]

    found = written(*lines, *section("FilesMatch ^\\.ht", "Require ip 10"))

    assert found == [
        r'access_match(r"^(?=.*/(?:\.ht))/static(?=/|$)", require="ip 10")',
        'access("/static/x", require="ip 9")',
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            section("Location /static/x", "Deny from all", "Satisfy any"),
            id="one side is enough in a location that says the other one",
        ),
        pytest.param(
            section("Location /static/x", "AuthType Basic", "Require valid-user"),
            id="a location asks for a login that it does not say",
        ),
        pytest.param(section("Files *.css", "AllowMethods GET"), id="other names are protected"),
        pytest.param(["DirectoryIndex .ht.html"], id="an index file has the name"),
        pytest.param(section("Directory /srv", "Require ip 9"), id="all of it is protected"),
    ],
)
def test_names_that_some_may_ask_for_are_the_user_s_where_it_may_open_more(lines):
    named = section("FilesMatch ^\\.ht", *STAFF, "Require valid-user")

    imported = import_lines(FILES, *lines, *named)

    assert imported.needs_you


def test_what_a_login_of_another_kind_changes_is_closed_inside_of_what_is_said():
    lines = [
        *(ROOT, *section("Location /x", *STAFF, "Require valid-user")),
        *section("Location /x/ldap", "AuthBasicProvider ldap"),
        *section("Location /x/ldap/open", "Require all granted"),
    ]

    assert written(*lines) == [
        f'access("/x", {OF_STAFF}, require="valid-user")',
        'access("/x/ldap/open", require="all granted")',
    ]
    assert closed(*lines) == ["^(?!/x/ldap/open(?:/|$))/x/ldap(?=/|$)"]


def test_a_file_of_groups_that_no_section_can_take_back_closes_what_asks_for_groups():
    groups = [*STAFF, "AuthGroupFile /etc/groups", "Require group a"]
    lines = [ROOT, FILES, *section("Directory /srv/app", *groups)]
    of_static = [*STAFF, "Require group a"]

    assert closed(*lines, *section("Directory /srv/static", *of_static)) == ["/static"]
    assert closed(*lines, *section("Directory /srv/static", *STAFF, "Require user x")) == []


def test_where_certificates_stand_for_names_on_the_whole_host_all_is_closed():
    lines = [ROOT, *section("Location /x", *STAFF, "Require valid-user")]

    assert closed("SSLOptions +StdEnvVars", *lines) == []
    assert closed("SSLOptions +StdEnvVars +FakeBasicAuth", *lines) == ["/x"]


def test_what_a_rule_for_names_opens_stays_as_what_is_around_it_and_the_report_says_so():
    lines = [
        *(FILES, *section("Directory /srv/static", "Require ip 10")),
        *section("Files *.css", "Require all granted"),
    ]

    assert (written(*lines), closed(*lines)) == (['access("/static", require="ip 10")'], [])
    assert notes_of(*lines)[6] == (
        r"needs you: URLs that match ^(?=.*/(?:[^/]*\.css)(?:/|$))/static(?=/|$): the rules around "
        "it hold here, too. Write a section for what it should open"
    )


def test_what_is_left_of_a_login_that_is_taken_back_is_not_said_unless_it_is_asked_for():
    lines = [
        *(ROOT, *section("Directory /", *STAFF, "Require valid-user")),
        *section("Directory /srv/app", "AuthType None", "Require ip 10"),
    ]
    inner = section("Location /x", "AuthType Basic", "Require valid-user")

    assert written(*lines) == ['access("/", auth="none", require="ip 10")']
    assert closed(*lines, *inner) == ["/", "/x"]


def test_programs_among_protected_files_stay_closed():
    lines = [FILES, "AddHandler cgi-script .cgi"]

    assert closed(*lines, *section("Location /static", *STAFF, "Require valid-user")) == [
        r"^(?=.*/[^/]*?(?:\.(?i:cgi)(?:\.|(?=/|$))))/static(?=/|$)"
    ]


def test_where_a_redirect_comes_after_the_rules_all_is_closed():
    lines = section("Location /x", "Redirect /x/y http://x/", "Require ip 10")

    assert (written(ROOT, *lines), closed(ROOT, *lines)) == ([], ["/x"])


def test_paths_are_relative_to_the_server_root():
    lines = ["AuthType Basic", "AuthName x", "AuthUserFile conf/users", "Require valid-user"]

    found = written("ServerRoot /etc/apache2", ROOT, *section("Location /x", *lines))

    assert found == [
        'access("/x", auth=basic("x", users="/etc/apache2/conf/users"), require="valid-user")'
    ]


def test_where_tls_alone_is_spoken_a_rule_that_asks_for_it_says_nothing():
    rules = section("Location /x", "SSLRequireSSL", "Require ip 10")

    found = written(*section("VirtualHost *:443", "SSLEngine on", ROOT, *rules))

    assert found == ['access("/x", require="ip 10")']


def host(name: str, script: str, *lines: str, port: int = 80) -> list[str]:
    start = f"VirtualHost *:{port}"
    return section(start, f"ServerName {name}", f"WSGIScriptAlias / {script}", *lines)


def test_sections_name_the_hosts_that_they_are_for():
    lines = [
        *host("a.test", "/a.py", "ServerAlias b.test", *section("Location /", "Require ip 10")),
        *host("c.test", "/c.py", *section("Location /", "Require ip 11")),
        *host("d.test", "/d.py"),
    ]

    assert written(*lines) == [
        'access("/", require="ip 10", host=["a.test", "b.test", "*"])',
        'access("/", require="ip 11", host="c.test")',
    ]


@pytest.mark.parametrize("name", [".", '""'])
def test_a_host_without_a_name_has_the_rules_of_unknown_hosts(name):
    rules = section("Location /x", "Require ip 10")

    found = written(*host(name, "/a.py", *rules), *host("b.test", "/b.py"))

    assert found == ['access("/x", require="ip 10", host="*")']


def test_two_ports_of_a_host_with_other_rules_are_closed():
    one, other = (section("Location /x", f"Require ip {n}") for n in (10, 11))
    lines = [*host("a.test", "/a.py", *one), *host("a.test", "/a.py", *other, port=443)]

    assert (written(*lines), closed(*lines)) == ([], ["/x"])
    lines = [*host("a.test", "/a.py", *one), *host("a.test", "/a.py", *one, port=443)]
    assert (written(*lines), closed(*lines)) == (['access("/x", require="ip 10")'], [])


def test_an_index_file_that_two_ports_close_is_not_sent_for_its_folder():
    one, other = (section("Location /f/index.html", f"Require ip {n}") for n in (10, 11))
    both = ["ServerName a.test", "Alias /f /srv/f", "DirectoryIndex a.html index.html"]

    entries = settings_of(
        *section("VirtualHost *:80", *both, *one), *section("VirtualHost *:443", *both, *other)
    ).entries

    [files] = [each.alias.answer for each in entries if each.alias.target]
    assert isinstance(files, FileOptions)
    assert files.index == ("a.html",)
    assert [each.alias.location for each in entries] == ["/f/index.html", "/f"]


def test_a_host_whose_rules_alone_differ_has_a_table_of_its_own():
    lines = [
        "WSGIScriptAlias / /a.py",
        *section("VirtualHost *:80", "ServerName a.test", *section("Location /", "Require ip 10")),
        *section("VirtualHost *:80", "ServerName b.test"),
    ]

    settings = settings_of(*lines)

    assert written(*lines) == ['access("/", require="ip 10", host=["a.test", "*"])']
    assert [each.pattern for each in settings.hosts] == ["a.test", "b.test", "*"]


def test_the_whole_text_of_a_section_names_the_lines():
    text = text_of(
        *(ROOT, *section("Directory /srv/app", "Require ip 10"), FILES),
        *section("Location /x", *STAFF, "Require valid-user"),
    )

    start = text.index("WSGIMATCH_ACCESS")
    assert (
        text[start : text.index("]\n", start) + 2]
        == """\
WSGIMATCH_ACCESS = [
    # site.conf:3
    access("/", require="ip 10"),
    # What is said above does not hold for these URLs.
    access("/static", require="all granted"),
    # site.conf:7, 8, 9, 10
    access("/x", auth=basic("Staff", users="/etc/users"), require="valid-user"),
]
"""
    )


def test_json_has_the_sections():
    lines = ["<RequireAll>", "Require valid-user", "Require not ip 10", "</RequireAll>"]

    found = values_of(ROOT, *section("Location /x", *STAFF, *lines))

    assert found["WSGIMATCH_ACCESS"] == [
        {
            "kind": "access",
            "location": "/x",
            "options": {
                "auth": {"realm": "Staff", "users": "/etc/users"},
                "require": {"all_of": ["valid-user", "not ip 10"]},
            },
            "from": ["site.conf:3", "site.conf:4", "site.conf:5", "site.conf:7", "site.conf:8"],
        }
    ]


def test_the_report_tells_what_has_come_over_and_what_is_closed():
    lines = [
        *(ROOT, *section("Location /x", *STAFF, "Require valid-user")),
        *section("Location /y", "AuthType Digest", "Require valid-user"),
    ]

    notes = notes_of(*lines)

    assert list(protected_lines(import_lines(*lines))) == [
        "Access rules in WSGIMATCH_ACCESS, for these URLs as in Apache:",
        "kept        /x: site.conf:6: Require valid-user",
        (
            "Access rules: these URLs answer 403 to everybody until you decide. Delete the entry "
            "once something else enforces the rule:"
        ),
        "closed      /y: site.conf:10: Require valid-user",
    ]
    assert notes[3] == notes[6] == "kept: WSGIMATCH_ACCESS: /x"
    assert notes[9] == "part: It is part of the rule in site.conf:10"
    assert notes[10] == (
        "needs you: /y: 403 until you decide; AuthType Digest is not a login that can be asked for "
        "here"
    )


def test_a_login_that_no_rule_asks_for_is_not_needed():
    notes = notes_of(ROOT, *section("Location /x", *STAFF, "Require all granted"))

    assert notes[3] == "not needed: No rule asks for a login where an alias answers"
    assert notes[6].startswith("not needed: No effect")


def read_back(settings: Settings) -> tuple[AccessSection, ...]:
    """The sections that the written text stands for, as the package reads them."""
    text = "\n".join(python_lines(settings, "site.conf"))
    values: dict[str, Any] = {}
    exec(compile(text, "fragment", "exec"), values)
    named = {name: value for name, value in values.items() if name.startswith("WSGIMATCH_")}
    with override_settings(BASE_DIR="/", **named):
        return configuration().access


def test_what_is_written_is_read_as_it_was_meant():
    odd = ["AuthType Basic", 'AuthName "R\xc3\xa4u\'m"', 'AuthUserFile "/u/\xc3\xa4 \xe4"']
    lines = [
        *(ROOT, FILES, *section("Directory /srv/app", "Order allow,deny", "Allow from 10 a.b")),
        *section('LocationMatch "^/\\w+\\.c$"', "Require ip 10", "Require local"),
        *section('Location "/\xc3\xa4 x"', *odd, "Require valid-user"),
        *section("Location /x", *STAFF, 'Require user "a\'b c"', "Satisfy any", "Deny from all"),
    ]
    settings = settings_of(*lines)

    sections = [to_section(each.entry, as_latin_1) for each in settings.access]

    assert [each.location for each in sections] == [
        *("/", "/static", r"^/\w+\.c$", "/\xc3\xa4 x", "/x")
    ]
    assert sections[3].rules.login == Login("Basic", "R\xc3\xa4u'm", "/u/\xc3\xa4 \xe4")
    assert list(read_back(settings)) == sections


def as_latin_1(path: Any) -> str:
    return os.fsencode(path).decode("latin-1")
