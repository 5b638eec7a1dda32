"""Redirects from plain HTTP to HTTPS: what Apache answers, and the imported settings do."""

from __future__ import annotations

import pytest

from tests.conformance.apache_site import make_site
from tests.conformance.exports import LOADED_HERE, stubbed
from tests.conformance.whole_sites.own import verify_alone
from tests.support.both_servers import needs_apache
from tests.support.trees import open_directory
from tests.thorough import mostly_thorough

pytestmark = needs_apache

ON = "RewriteEngine On"
OFF = "RewriteCond %{HTTPS} off"
ALL = "RewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI}"
SCRIPTS = "WSGIScriptAlias /app /srv/app/app.wsgi"
TLS = "SSLEngine on\nSSLCertificateFile /etc/ssl/a.pem"
TARGETS = ("/", "/app", "/app/x?q=1", "/app/a%20b", "/app//c/../d", "/other", "/old/x?y", "/no")


def lines_of(*lines: str) -> str:
    return "\n".join([*lines, ""])


def verified(text):
    with open_directory() as directory:
        site = make_site(stubbed(text, directory), directory, with_rules=True, modules=LOADED_HERE)
        return verify_alone("plain HTTP", site, TARGETS)


SITES = [
    pytest.param(lines_of(ON, OFF, ALL, SCRIPTS), id="all"),
    pytest.param(
        lines_of(ON, OFF, "RewriteCond %{REQUEST_URI} ^/app", ALL, SCRIPTS), id="some URLs"
    ),
    pytest.param(
        lines_of(ON, "RewriteRule ^/?(.*) https://%{SERVER_NAME}/$1 [R=301,L]", SCRIPTS),
        id="by the server's name",
    ),
    pytest.param(
        lines_of(
            *(ON, "RewriteRule ^/old(.*) http://new.example$1 [R,L]", "RewriteRule ^/no - [F]"),
            *("RewriteRule ^/app/x - [L]", "RewriteCond %{SERVER_PORT} !=443", f"{ALL} [R,L]"),
            *("Redirect /other http://new.example/", SCRIPTS),
        ),
        id="behind other rules",
    ),
    pytest.param(
        lines_of(
            *("<VirtualHost *:80>", "ServerName x.example"),
            *("Redirect permanent / https://x.example/", "</VirtualHost>"),
            *("<VirtualHost *:443>", "ServerName x.example", SCRIPTS, TLS, "</VirtualHost>"),
        ),
        id="a port that only redirects",
    ),
    pytest.param(
        lines_of(
            *(ON, OFF, ALL, SCRIPTS, "<VirtualHost _default_:8443>", TLS, "</VirtualHost>"),
        ),
        id="the main server beside a host with TLS",
    ),
]


# What is said of each kind of line is shown by tests/apache/ too.
@pytest.mark.parametrize(
    "text", mostly_thorough(SITES, "all", "behind other rules", "a port that only redirects")
)
def test_a_site_on_its_own_redirects_as_apache_does(text):
    found = verified(text)

    assert found.requests > 20
    assert found.differing == [], str(found)
