"""Virtual hosts of Apache for the table of the settings."""

from __future__ import annotations

from django_wsgimatch.aliases.alias import Alias, Denial, Rewriting
from django_wsgimatch.fronts.apache.from_table import TableHost, table_lines
from django_wsgimatch.fronts.backend import read_backend

HEADERS = """\
    <Proxy "http://localhost/*">
        ProxyPreserveHost On
        ProxyAddHeaders Off
        RequestHeader edit* Connection "(?i)\\b(?!(?:close|keep-alive|upgrade)\\b)[^,\\s]+" ""
        RequestHeader unset X-Forwarded_For
        RequestHeader unset X_Forwarded-For
        RequestHeader unset X_Forwarded_For
        RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"
        RequestHeader unset X-Forwarded_Proto
        RequestHeader unset X_Forwarded-Proto
        RequestHeader unset X_Forwarded_Proto
        RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"
        RequestHeader unset X-Forwarded-Protocol
        RequestHeader unset X-Forwarded-Ssl
        RequestHeader unset SCRIPT_NAME
        RequestHeader unset PATH_INFO
    </Proxy>
</VirtualHost>
"""
EXPECTED = f"""\
# Written by `manage.py wsgimatch export apache`. It needs mod_proxy, mod_proxy_http and
# mod_headers: `a2enmod proxy proxy_http headers`.

<VirtualHost *:80>
    ServerName shop.test
    ServerAlias *.shop.test
    # deny /private
    ProxyPass /private unix:/run/s.sock|http://localhost/private nocanon retry=0
    # WSGIScriptAliasMatch ^/t/(.*) /srv/$1.wsgi
    ProxyPassMatch ^/t/(.*) unix:/run/s.sock|http://localhost nocanon retry=0
{HEADERS}
<VirtualHost *:80>
    ServerName main.test
    # WSGIScriptAlias /app /srv/app.wsgi
    ProxyPass /app unix:/run/s.sock|http://localhost/app nocanon retry=0
    # WSGIMATCH_FALLBACK
    ProxyPass / unix:/run/s.sock|http://localhost/ nocanon retry=0
{HEADERS}"""


def test_each_host_of_the_table_has_its_entries_in_order():
    hosts = [
        TableHost(
            ".shop.test",
            (
                Alias("/private", "", answer=Denial()),
                Alias("^/t/(.*)", "/srv/$1.wsgi", "match"),
            ),
        ),
        TableHost(None, (Alias("/app", "/srv/app.wsgi"),), answers_all=True),
    ]

    found = "\n".join(table_lines(hosts, read_backend("unix:/run/s.sock"), "main.test"))

    assert f"{found}\n" == EXPECTED


def test_what_an_entry_rewrites_is_passed_on_as_it_comes():
    rewriting = Alias("", "", answer=Rewriting("^/old/(.*)$", "/app/$1"))
    hosts = [TableHost(None, (rewriting, Alias("/app", "/srv/app.wsgi")))]

    found = list(table_lines(hosts, read_backend("http://127.0.0.1:8000"), "main.test"))

    assert [line.strip() for line in found if "/old" in line] == [
        "# RewriteRule ^/old/(.*)$",
        "ProxyPassMatch ^/old/(.*)$ http://127.0.0.1:8000 nocanon retry=0",
    ]
