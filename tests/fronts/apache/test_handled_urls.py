"""What an export writes for URLs of entries that another handler than mod_wsgi's answers."""

from __future__ import annotations

import pytest

from tests.fronts.apache.exporting import export

STATUS = ("<Location /status>", "SetHandler server-status", "</Location>")


def aliases_of(*lines: str, before: tuple[str, ...] = ()) -> list[str]:
    """The lines of mod_alias in the host of an export."""
    text = "\n".join([*before, "<VirtualHost *:80>", *lines, "</VirtualHost>", ""])
    host = export(text).text.partition("<VirtualHost")[2]
    return [line.strip() for line in host.splitlines() if line.strip().startswith("Alias")]


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        pytest.param(
            "WSGIScriptAlias / /srv/app.wsgi",
            r'AliasMatch "^(?=/status(?:/|$))/(?s:.*)\\z" /srv/app.wsgi$0',
            id="for all URLs",
        ),
        pytest.param(
            "WSGIScriptAlias /status/x /srv/app.wsgi",
            r'AliasMatch "^(?=/status(?:/|$))/status/x((?:/(?s:.*))?)\\z" /srv/app.wsgi$1',
            id="below the place",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/(status|x) /srv/$1.wsgi",
            "AliasMatch ^(?=/status(?:/|$))(?:^/(status|x))((?s:.*)) /srv/$1.wsgi$2",
            id="a pattern, with what is behind it",
        ),
    ],
)
def test_such_urls_lead_to_the_script(entry, written):
    found = aliases_of(entry, *STATUS)

    assert found == [written]


def test_entries_come_in_their_order_behind_all_aliases():
    found = aliases_of(
        *("WSGIScriptAlias /a /srv/app.wsgi", "WSGIScriptAlias / /srv/app/app.wsgi", *STATUS),
        *("<Location /a>", "SetHandler server-info", "</Location>", "Alias /own /srv/own"),
        before=("Alias /main /srv/main",),
    )

    assert found == [
        "Alias /own /srv/own",
        "Alias /main /srv/main",
        r'AliasMatch "^(?=/status(?:/|$))/(?s:.*)\\z" /srv/app/app.wsgi$0',
        r'AliasMatch "^(?=/a(?:/|$))/a((?:/(?s:.*))?)\\z" /srv/app.wsgi$1',
        r'AliasMatch "^(?=/a(?:/|$))/(?s:.*)\\z" /srv/app/app.wsgi$0',
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(
            rf"^/{'(s?)' * 9}tatus", id="as no group is left for what is behind the match"
        ),
        pytest.param(r"^/(s)tatus(?1)?", id="as it names a group by its number"),
    ],
)
def test_no_entry_takes_urls_of_one_before_it_that_no_line_can_say(pattern):
    found = aliases_of(
        f"WSGIScriptAliasMatch {pattern} /srv/$1.wsgi", "WSGIScriptAlias / /srv/app.wsgi", *STATUS
    )

    assert found == []


@pytest.mark.parametrize("handler", ["none", '"expr=%{HTTP:X-Handler}"'])
def test_no_source_of_a_script_is_sent_where_a_part_may_have_no_handler(handler):
    found = aliases_of(
        *("WSGIScriptAlias / /srv/app.wsgi", *STATUS),
        *("<Location /status/own>", f"SetHandler {handler}", "</Location>"),
    )

    assert found == []
