"""Entries that Apache has at two addresses, with other headers and variables at each."""

from __future__ import annotations

import pytest

from tests.support.imports import entry_lines, notes_of

ALIAS = "WSGIScriptAlias / /srv/a.wsgi application-group=%{GLOBAL}"
HSTS = "Header always set Strict-Transport-Security max-age=1"


def site(plain: str, secure: str) -> list[str]:
    """The same host at two ports, with a line more at each."""
    return [
        *("<VirtualHost *:80>", "ServerName a.test", plain, ALIAS, "</VirtualHost>"),
        *("<VirtualHost *:443>", "ServerName a.test", secure, ALIAS, "</VirtualHost>"),
    ]


@pytest.mark.parametrize(
    ("plain", "secure", "options", "notes"),
    [
        pytest.param(
            "",
            HSTS,
            '[("set", "Strict-Transport-Security", "max-age=1", "always")]',
            {8: "changed: a table cannot tell addresses apart: it holds on *:80, too"},
            id="of the secure one",
        ),
        pytest.param(
            "Header set X-A b",
            "Header set X-A c",
            '{"X-A": "c"}',
            {
                3: "needs you: a table cannot tell addresses apart: it is left out, as it holds on "
                "*:80 and not on *:443",
                8: "changed: a table cannot tell addresses apart: it holds on *:80, too",
            },
            id="of both",
        ),
        pytest.param(
            "Header set X-A c",
            "Header set X-A c",
            '{"X-A": "c"}',
            {3: "not needed: site.conf:8 says the same", 8: "kept: headers of /"},
            id="that are equal",
        ),
    ],
)
def test_the_secure_address_decides(plain, secure, options, notes):
    lines = site(plain, secure)

    assert entry_lines(*lines) == [
        f'script_alias("/", "/srv/a.wsgi", application_group="%{{GLOBAL}}", headers={options})'
    ]
    assert {line: note for line, note in notes_of(*lines).items() if line in (3, 8)} == notes
