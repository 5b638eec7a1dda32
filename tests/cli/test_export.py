"""``wsgimatch export``: an Apache in front, from a configuration or from the table."""

from __future__ import annotations

import pytest
from django.core.management import CommandError

from tests.support.commands import run, site_of_scripts

SITE = """\
<VirtualHost *:80>
    ServerName shop.test
    WSGIScriptAlias / /srv/app.wsgi
    LimitRequestBody 1000
</VirtualHost>
"""
ADDED = """\
    # WSGIScriptAlias / /srv/app.wsgi
    ProxyPass / http://127.0.0.1:9/ nocanon retry=0
    <Proxy "http://127.0.0.1:9/*">
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
"""
WITHOUT = SITE.replace("    WSGIScriptAlias / /srv/app.wsgi\n", ADDED)
DIFF = """\
--- {path}
+++ site.conf (exported)
@@ -1,5 +1,23 @@
 <VirtualHost *:80>
     ServerName shop.test
-    WSGIScriptAlias / /srv/app.wsgi
{added}\
     LimitRequestBody 1000
 </VirtualHost>
"""
SAID = """\
exact    {path}:3: WSGIScriptAlias / /srv/app.wsgi: passed on
exact    {path}:4: LimitRequestBody 1000: body_limit of the entries says it: Apache does not apply \
it to what it passes on
Apache needs: a2enmod proxy proxy_http headers
The project's settings need:
    WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]
    WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]
"""
TO = ("--to", "http://127.0.0.1:9")


@pytest.fixture
def site(tmp_path):
    path = tmp_path / "site.conf"
    path.write_text(SITE)
    return path


def test_the_configuration_is_written_and_what_became_of_its_lines_is_told(site):
    out, err, status = run("export", "apache", "--from", str(site), *TO)

    assert (out, err, status) == (WITHOUT, SAID.format(path=site), 0)


def test_a_diff_shows_what_changes(site):
    out, _, _ = run("export", "apache", "--from", str(site), "--diff", *TO)

    added = "".join(f"+{line}\n" for line in ADDED.splitlines())
    assert out == DIFF.format(path=site, added=added)


def test_a_file_is_written_byte_for_byte(site, tmp_path):
    site.write_bytes(b"# caf\xe9\n" + SITE.encode())

    out, _, _ = run("export", "apache", "--from", str(site), "--output", str(tmp_path / "new"), *TO)

    assert out == ""
    assert (tmp_path / "new").read_bytes() == b"# caf\xe9\n" + WITHOUT.encode()


def test_what_a_file_is_included_in_counts_too(site, tmp_path):
    (tmp_path / "apache2.conf").write_text(
        f"<Directory />\nRequire all denied\n</Directory>\nInclude {site}\n"
    )

    out, _, _ = run(
        *("export", "apache", "--from", str(site)),
        *("--within", str(tmp_path / "apache2.conf"), *TO),
    )

    assert "Require all denied" in out


def test_what_is_refused_makes_the_command_fail(site):
    site.write_text(f"{SITE}<Location /x>\nWSGIAccessScript /srv/a.py\n</Location>\n")

    _, err, status = run("export", "apache", "--from", str(site), *TO)

    assert status == 1
    assert err.splitlines()[2] == (
        f"refused  {site}:7: WSGIAccessScript /srv/a.py: mod_wsgi enforced this rule: its URLs "
        "answer 403 until you decide"
    )


def test_the_table_alone_becomes_a_virtual_host(tmp_path, settings):
    site_of_scripts(tmp_path, settings)
    settings.WSGIMATCH_FALLBACK = None

    out, _, status = run("export", "apache", *TO)

    assert status == 0
    assert [line.strip() for line in out.splitlines() if "ProxyPass" in line] == [
        "ProxyPass /api http://127.0.0.1:9/api nocanon retry=0",
        'ProxyPassMatch "^/wsgi/([^/]+)" http://127.0.0.1:9 nocanon retry=0',
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["--to", "nowhere"],
            "'nowhere' is no address of a server: write http://HOST:PORT, or unix:/PATH for a "
            "socket.",
            id="no address",
        ),
        pytest.param(
            ["--diff"],
            "--diff and --within need a configuration: name it with --from.",
            id="a diff of nothing",
        ),
        pytest.param(
            ["--from", "/nowhere/x.conf"],
            "/nowhere/x.conf cannot be read: No such file or directory.",
            id="no file",
        ),
    ],
)
def test_what_cannot_be_done_is_told(arguments, message):
    with pytest.raises(CommandError) as caught:
        run("export", "apache", *arguments)

    assert str(caught.value) == message
