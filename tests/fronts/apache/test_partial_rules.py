"""Access rules for some of the scripts of an entry, said of the URLs that may lead to these."""

from __future__ import annotations

import pytest

from tests.fronts.apache.exporting import export, passed

FOLDER = "WSGIScriptAlias /s /srv/scripts"
BASE = r"http://127\\.0\\.0\\.1:8000"
LOGIN = ["AuthType Basic", "AuthName x", "AuthUserFile /srv/users"]
CHOOSING = [
    "<Directory /srv>",
    *("Deny from all", "Require all granted", "Satisfy any"),
    "</Directory>",
]


def host(*lines: str) -> str:
    return "\n".join(["<VirtualHost *:80>", *lines, "</VirtualHost>", ""])


def files(*rules: str, name: str = "a.wsgi") -> list[str]:
    return [f"<Files {name}>", *rules, "</Files>"]


def location(*rules: str) -> list[str]:
    return ["<Location /s/x>", *rules, "</Location>"]


def test_rules_hold_for_the_urls_that_may_lead_to_the_script():
    lines = passed(host(FOLDER, *files("Require ip 10", "Options None")))

    assert lines[3:7] == [
        "# <Files a.wsgi> of /c/site.conf:3:",
        f'<ProxyMatch "^{BASE}(?=(?=.*/(?:a\\\\.wsgi)(?:/|$))/s(?=/|$))">',
        "Require ip 10",
        "</ProxyMatch>",
    ]


def test_they_stand_behind_what_is_said_of_all_urls_of_the_entry():
    folder = ["<Directory /srv>", "Header set X-A 1", "</Directory>"]

    lines = passed(host(FOLDER, *files("Require ip 10"), *folder))

    assert [line for line in lines if line.startswith("# <")] == [
        "# <Directory /srv> of /c/site.conf:6:",
        "# <Files a.wsgi> of /c/site.conf:3:",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["<Directory /srv>", "Require ip 10", "</Directory>", *files("Require ip 11")],
            id="others that keep somebody out",
        ),
        pytest.param(
            [*CHOOSING, *files("Require ip 11")],
            id="others that let one choose",
        ),
        pytest.param(files("Deny from all", "Require ip 10", "Satisfy any"), id="a choice"),
        pytest.param(files("AuthMerging Or", "Require ip 10"), id="rules put together"),
        pytest.param(files("SSLRequireSSL"), id="other modules"),
        pytest.param(files("Require expr %{PATH_INFO}"), id="the file of a request"),
        pytest.param(files("<If true>", "Require all denied", "</If>"), id="a condition"),
        pytest.param(
            [*files(*LOGIN, "Require valid-user"), *location("Require user x")],
            id="a login that another place would take for its own",
        ),
    ],
)
def test_what_more_urls_would_be_opened_by_is_closed(lines):
    [refused] = export(host(FOLDER, *lines)).refused

    assert refused.note.endswith("403, as it holds for some of the scripts of this entry")


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([*LOGIN, "Require user x"], id="with its own login"),
        pytest.param(["Require ip 10"], id="for addresses"),
    ],
)
def test_a_place_with_rules_that_takes_no_login_leaves_them_as_they_are(rules):
    lines = [*files(*LOGIN, "Require valid-user"), *location(*rules)]

    assert export(host(FOLDER, *lines)).refused == []


def test_only_one_section_is_said_where_several_may_hold_for_a_url():
    found = export(host(FOLDER, *files("Require ip 10"), *files("Require ip 11", name="b*")))

    assert [each.text for each in found.refused] == ["Require ip 11"]


@pytest.mark.parametrize(
    ("section", "notes"),
    [
        pytest.param(files("Require user  X"), 0, id="the same users"),
        pytest.param(files("Require user y"), 1, id="others"),
        pytest.param(files(*LOGIN, "Require user x"), 0, id="with the same login"),
        pytest.param(files(*LOGIN), 0, id="the same login alone"),
        pytest.param(files("AuthUserFile /b"), 1, id="another login alone"),
        pytest.param(files("AuthUserFile /b", "Require user x"), 1, id="with another login"),
        pytest.param(files("AuthBasicAuthoritative off"), 1, id="another word on logins"),
        pytest.param(files("Require user x", "Deny from all"), 1, id="and addresses"),
    ],
)
def test_a_section_that_repeats_what_holds_anyway_closes_nothing(section, notes):
    folder = ["<Directory /srv>", *LOGIN, "Require user x", "</Directory>"]

    assert len(export(host(FOLDER, *folder, *section)).refused) == notes


def test_what_holds_last_is_what_counts_as_repeated():
    first = ["<Directory /srv>", "Require user x", "</Directory>"]
    second = ["<Directory /srv/>", "AuthMerging And", "Require user y", "</Directory>"]

    found = export(host(FOLDER, *first, *second, *files("Require user x")))

    assert [each.text for each in found.refused] == ["Require user x"]


def test_users_are_asked_for_only_where_a_login_is_said():
    [refused] = export(host(FOLDER, *files("Require valid-user"))).refused

    assert refused.text == "Require valid-user"


def test_an_address_that_is_kept_out_needs_no_login():
    rules = ["<RequireAll>", "Require all granted", "Require not ip 10", "</RequireAll>"]

    assert export(host(FOLDER, *files(*rules))).refused == []


def test_rules_for_a_login_above_come_with_it():
    folder = ["<Directory /srv>", *LOGIN, "</Directory>"]

    lines = passed(host(FOLDER, *folder, *files("Require valid-user")))

    assert [each for each in lines if each.startswith(("# <", "Auth"))][:5] == [
        "# <Directory /srv> of /c/site.conf:3:",
        *LOGIN,
        "# <Files a.wsgi> of /c/site.conf:8:",
    ]


def test_files_in_a_folder_are_closed_below_that_folder_s_urls_alone():
    inner = ["<Directory /srv/scripts/sub>", *files("Require ip 10", "Satisfy all"), "</Directory>"]

    [refused] = export(
        host(FOLDER, "<Directory /srv/scripts>", "Deny from all", "</Directory>", *inner)
    ).refused

    assert refused.note.startswith(
        "URLs that match ^(?=/s/sub(?:/|$))(?=.*/(?:a\\.wsgi)(?:/|$))/s(?=/|$): 403"
    )


@pytest.mark.parametrize(("rules", "count"), [(["Require valid-user"], 1), ([], 0)])
def test_a_rule_that_a_requirement_makes_up_for_counts_where_a_place_replaces_that(rules, count):
    choosing = ["Allow from all", "Require all granted", "Satisfy any"]
    folder = ["<Directory /srv>", *LOGIN, *choosing, "</Directory>"]

    lines = host(FOLDER, *folder, *files("AllowMethods POST"), *location(*rules))

    assert len(export(lines).refused) == count


def test_a_rule_that_a_choice_makes_up_for_counts_where_a_place_takes_the_choice_away():
    section = files("AllowMethods POST", "Deny from all", "Satisfy any")
    folder = ["<Directory /srv>", "Require all granted", "</Directory>"]

    alone = export(host(FOLDER, *folder, *section))
    beside = export(host(FOLDER, *folder, *section, *location("Order deny,allow")))

    assert (len(alone.refused), len(beside.refused)) == (0, 1)


@pytest.mark.parametrize(
    ("login", "count"),
    [pytest.param(LOGIN, 0, id="its own"), pytest.param([], 1, id="that of the script")],
)
def test_a_login_for_some_scripts_counts_where_a_place_asks_for_users_by(login, count):
    lines = [*files(*LOGIN), *location(*login, "Require valid-user")]

    assert len(export(host(FOLDER, *lines)).refused) == count
