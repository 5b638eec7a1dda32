from __future__ import annotations

import pytest

from tests.support.imports import entry_lines, import_lines, notes_of, settings_of

SCRIPT = "WSGIScriptAlias / /srv/a.wsgi"
PAGE = ["<Location /server-status>", "SetHandler server-status", "Require local", "</Location>"]


def functions(*lines):
    """The functions of the entries of the first host that has some, else of all hosts."""
    settings = settings_of(*lines)
    entries = settings.hosts[0].entries if settings.hosts else settings.entries
    return [each.alias.function for each in entries]


def test_a_page_of_apache_s_own_is_denied_to_everybody():
    assert entry_lines(*PAGE, SCRIPT) == [
        (
            'deny("/server-status", note="a page of Apache\'s own stood here, server-status: '
            'site.conf:2")'
        ),
        'script_alias("/", "/srv/a.wsgi")',
    ]


def test_its_access_rules_are_no_longer_needed():
    notes = notes_of(*PAGE, SCRIPT)

    assert notes[2] == "changed: /server-status: 403; `manage.py wsgimatch status` shows the groups"
    assert notes[3] == "not needed: Nobody gets the page of site.conf:2"
    assert import_lines(*PAGE, SCRIPT).protected == ()


def test_it_is_denied_in_virtual_hosts_too():
    host = ["<VirtualHost *:80>", SCRIPT, "</VirtualHost>"]

    assert functions(*PAGE, *host) == ["deny", "script_alias"]


def test_it_stays_denied_where_the_rules_of_others_are_open():
    lines = ["<Location />", "Require all granted", "</Location>", *PAGE, SCRIPT]

    assert functions(*lines) == ["deny", "script_alias"]


def test_what_closes_all_urls_goes_on_closing_them():
    rule = ["<Location />", "AuthType Digest", "Require valid-user", "</Location>"]

    assert functions(*rule, *PAGE, SCRIPT) == ["deny", "deny", "script_alias"]


@pytest.mark.parametrize(
    "section",
    [
        pytest.param("LocationMatch ^/server-status", id="a pattern"),
        pytest.param("Location /server-*", id="a wildcard"),
        pytest.param("Location /", id="everything"),
        pytest.param("Directory /srv", id="a folder"),
    ],
)
def test_a_page_in_another_section_needs_the_user_as_before(section):
    lines = [f"<{section}>", "SetHandler server-status", f"</{section.split()[0]}>", SCRIPT]

    assert notes_of(*lines)[2].startswith("needs you: ")
