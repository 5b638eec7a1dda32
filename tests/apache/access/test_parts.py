from __future__ import annotations

import pytest

from django_wsgimatch.cli.imports import import_summary, report_lines
from tests.support.imports import import_lines, notes_of

SCRIPT = "WSGIScriptAlias / /srv/a.wsgi"
RULE = "part: It is part of the rule in site.conf:4"


def section(*lines, rule="Require valid-user"):
    return ["<Location /x>", *lines, rule, "</Location>", SCRIPT]


def test_what_belongs_to_a_closed_rule_is_decided_with_it():
    notes = notes_of(*section("AuthType GSSAPI", "GssapiCredStore keytab:/k"))

    assert notes[2] == notes[3] == RULE
    assert notes[4] == (
        "needs you: /x: 403 until you decide; AuthType GSSAPI is not a login that can be asked for "
        "here"
    )


def test_a_page_for_those_whom_a_closed_rule_keeps_out_is_a_part_of_it():
    lines = section("AuthType GSSAPI", "ErrorDocument 401 /login/failed")

    assert notes_of(*lines)[3] == RULE


def test_a_virtual_host_s_paths_are_relative_to_the_server_s_root():
    login = ["AuthUserFile users", "AuthType Digest"]

    notes = notes_of(
        *("ServerRoot /etc/apache2", "<VirtualHost *:80>", *section(*login), "</VirtualHost>")
    )

    assert notes[6] == (
        "needs you: /x: 403 until you decide; AuthType Digest is not a login that can be asked for "
        "here"
    )


def test_the_summary_counts_what_belongs_to_rules():
    imported = import_lines(*section("AuthType GSSAPI", "Session On"))

    assert import_summary(imported.outcomes) == (
        "4 directives: 1 kept, 1 needs you, 2 part of what needs you."
    )
    assert imported.needs_you


def test_the_report_has_one_row_for_the_lines_of_a_rule():
    lines = section("AuthType GSSAPI", "Session On", "GssapiCredStore a", "GssapiCredStore b")

    assert next(iter(report_lines(import_lines(*lines).outcomes))) == (
        "part        site.conf:2, 3, 4, 5: AuthType, Session, GssapiCredStore: It is part of the "
        "rule in site.conf:6"
    )


def test_lines_of_a_section_that_closes_nothing_still_need_the_user():
    notes = notes_of(*section("GssapiUseSessions On", "Session On", rule="Require all granted"))

    assert [notes[line].partition(":")[0] for line in (2, 3)] == ["needs you", "needs you"]


@pytest.mark.parametrize(
    ("line", "category"),
    [
        pytest.param("GridSiteGSIProxyLimit 16", "part", id="of the module that closes"),
        pytest.param("Session On", "needs you", id="of another one"),
    ],
)
def test_lines_for_a_whole_server_belong_to_the_rule_of_their_module(line, category):
    notes = notes_of(line, *section(rule="GridSiteAuth on"))

    assert notes[1].partition(":")[0] == category


def test_a_condition_belongs_to_its_rule():
    notes = notes_of(
        "RewriteEngine On",
        "RewriteCond %{HTTP_USER_AGENT} robot",
        "RewriteRule ^/x /y [P]",
        SCRIPT,
    )

    assert notes[2] == "part: It is part of the rule in site.conf:3"
    assert notes[3].startswith("needs you: ")
