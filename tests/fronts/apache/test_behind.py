"""The settings of a site that Apache stays in front of, and what its lines become."""

from __future__ import annotations

import pytest

from django_wsgimatch.apache.importing import Imported
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.writing.settings import Settings
from django_wsgimatch.fronts.apache.behind import import_behind_apache
from django_wsgimatch.fronts.backend import read_backend
from tests.fronts.apache.exporting import BASE, FILES, export

SITE = """\
Alias /static /srv/static
Redirect /old https://shop.test/new
RewriteEngine On
RewriteRule ^/x$ /y [R]
ErrorDocument 404 /missing.html
Header set X-Frame-Options DENY
Frobnicate On
WSGIScriptAlias / /srv/app.wsgi
<Directory /srv>
    Require ip 192.0.2.1
</Directory>
<Location /private>
    AuthType Basic
    Require valid-user
</Location>
"""


def behind(text: str, to: str = BASE) -> Imported:
    """Import a text as behind Apache, with a few files there."""
    configuration = read_text(text, "/c/site.conf", Surroundings(environ={}))
    return import_behind_apache(
        configuration, read_backend(to), lambda path: FILES.get(path, "missing")
    )


def settings_behind(text: str, to: str = BASE) -> Settings:
    settings = behind(text, to).settings
    assert settings is not None
    return settings


def others_behind(text: str, to: str = BASE) -> dict[str, object]:
    return {each.name: each.value for each in settings_behind(text, to).others}


def left_behind(text: str) -> dict[str, str]:
    """What does not stay in Apache and is no entry: by the line, what becomes of it."""
    return {
        each.text: f"{each.category}: {each.note}"
        for each in behind(text).outcomes
        if each.category != "kept"
    }


def test_only_what_runs_scripts_becomes_entries():
    [entry] = settings_behind(SITE).entries

    assert (entry.alias.location, entry.alias.target) == ("/", "/srv/app.wsgi")


def test_what_apache_answers_and_enforces_stays_there():
    found = behind(SITE)

    assert {each.category for each in found.outcomes} == {"kept"}
    assert found.protected == ()
    assert found.taken == ()


def test_a_folder_of_apache_whose_files_are_scripts_becomes_an_entry():
    text = """\
Alias /app /srv/app.wsgi
<Files app.wsgi>
    Options ExecCGI
    SetHandler wsgi-script
</Files>
WSGIScriptAlias / /srv/two/two.wsgi
"""

    found = settings_behind(text)

    assert [each.alias.location for each in found.entries] == ["/app", "/"]


def test_two_hosts_that_differ_in_access_rules_alone_have_the_same_entries():
    hosts = [
        f"<VirtualHost *:80>\nServerName {name}.test\nWSGIApplicationGroup %{{GLOBAL}}\n"
        "WSGIScriptAlias / /srv/app.wsgi\n"
        f"<Location /x>\nRequire ip {address}\n</Location>\n</VirtualHost>\n"
        for name, address in (("a", "192.0.2.1"), ("b", "192.0.2.2"))
    ]

    assert settings_behind("".join(hosts)).hosts == ()


@pytest.mark.parametrize(
    ("to", "peers"),
    [
        pytest.param(BASE, ["127.0.0.1"], id="a port of this machine"),
        pytest.param("unix:/run/s.sock", ["unix"], id="a socket"),
        pytest.param("http://10.0.0.5:8000", [], id="another machine"),
    ],
)
def test_the_server_trusts_apache_where_it_sees_it(to, peers):
    assert others_behind(SITE, to)["WSGIMATCH_TRUSTED_PROXIES"] == peers


def test_the_server_believes_what_the_export_has_apache_send():
    text = (
        "SSLEngine on\nSSLOptions +StdEnvVars\nSSLVerifyClient optional\n"
        "AuthType Basic\nWSGIScriptAlias / /srv/app.wsgi\n"
    )
    sent = [
        line.split()[2] for line in export(text).text.splitlines() if "RequestHeader set" in line
    ]

    found = others_behind(text)
    headers, variables = (
        found[f"WSGIMATCH_TRUSTED_PROXY_{name}"] for name in ("HEADERS", "VARIABLES")
    )

    assert isinstance(headers, list)
    assert isinstance(variables, dict)
    assert [*headers, *variables.values()] == sent


def test_nobody_is_trusted_where_nothing_is_passed_on():
    text = "Alias /static /srv/static\n"

    assert others_behind(text) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(
            "WSGIAccessScript /srv/access.py",
            "needs you: mod_wsgi enforced this rule: its URLs answer 403 until you decide",
            id="a rule of mod_wsgi",
        ),
        pytest.param(
            "WSGITrustedProxies 10.0.0.1",
            "needs you: It says what mod_wsgi believes of those who connect to Apache: say it to "
            "mod_remoteip, with RemoteIPHeader and RemoteIPInternalProxy",
            id="proxies that mod_wsgi trusts",
        ),
        pytest.param(
            "RewriteRule ^/run /srv/run.wsgi [H=wsgi-script]",
            "needs you: it handed a file to mod_wsgi: 403",
            id="a rule that runs a script",
        ),
        pytest.param(
            "WSGIErrorOverride On", "changed: mod_proxy does it", id="what mod_proxy does"
        ),
        pytest.param(
            "<Directory /srv/run>\nSetHandler wsgi-script\n</Directory>",
            "changed: a script that no entry runs answers 503; its source is not sent",
            id="scripts that no entry runs",
        ),
        pytest.param(
            "LoadModule wsgi_module modules/mod_wsgi.so",
            "not needed: It goes with mod_wsgi: `export apache` takes it out",
            id="mod_wsgi itself",
        ),
    ],
)
def test_what_goes_with_mod_wsgi_is_told_as_the_export_tells_it(line, said):
    [outcome] = left_behind(f"WSGIScriptAlias / /srv/app.wsgi\n{line}\n").values()

    assert outcome == said


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("SetEnv TRAC_ENV /srv/trac", id="a variable for the application"),
        pytest.param("SetEnvIf Host ^a KIND=a", id="a variable by request"),
        pytest.param('SetEnvIfExpr "true" KIND=a', id="a variable by an expression"),
        pytest.param("BrowserMatch ^a no-gzip KIND=a", id="two variables, one of them Apache's"),
        pytest.param("LimitRequestBody 1000", id="a limit of bodies"),
        pytest.param("UseCanonicalName On", id="the name of the server"),
    ],
)
def test_what_apache_does_for_mod_wsgi_alone_does_not_stay(line):
    found = behind(f"WSGIScriptAlias / /srv/app.wsgi\n{line}\n").outcomes[-1]

    assert found.note != "It stays in Apache"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("SetEnv no-gzip 1", id="a variable that Apache reads"),
        pytest.param(
            "SetEnvIf User-Agent evil Bad_Bot\n<Location /x>\nDeny from env=bad_bot\n</Location>",
            id="one that an old rule reads",
        ),
        pytest.param(
            "BrowserMatch evil bad\n<Location /x>\nRequire env bad\n</Location>",
            id="one that a rule of a section reads",
        ),
        pytest.param(
            "RewriteRule ^/x - [E=quiet:1,NE]\nCustomLog /var/log/x.log common env=!quiet",
            id="one that a log reads",
        ),
        pytest.param(
            'SetEnvIf Host ^a tag=$0\nHeader set X-Tag "%{tag}e"', id="one that a header has"
        ),
        pytest.param(
            "RewriteRule ^/x - [env=seen:1]\nRewriteCond %{ENV:SEEN} 1\nRewriteRule ^/y /z [R]",
            id="one that a condition reads",
        ),
        pytest.param("RewriteRule ^/x - [E=dontlog:1]", id="one that Apache itself reads"),
        pytest.param("UseCanonicalName Off", id="the name of the server as it is without it"),
        pytest.param("Listen 80", id="a port"),
        pytest.param(
            "RemoteIPHeader X-Real-IP\nRemoteIPInternalProxy 10.0.0.1", id="another proxy"
        ),
        pytest.param("LoadModule ssl_module modules/mod_ssl.so", id="another module"),
        pytest.param("ProxyPass /x !\nProxyPass /y http://y.test/", id="what is passed elsewhere"),
    ],
)
def test_all_other_lines_stay(line):
    assert left_behind(f"WSGIScriptAlias / /srv/app.wsgi\n{line}\n") == {}


@pytest.mark.parametrize("flags", ["E=HTTP_AUTHORIZATION:%{HTTP:Authorization}", "L,env=kind:1"])
def test_a_rule_that_sets_a_variable_for_the_application_needs_the_user(flags):
    [said] = left_behind(f"WSGIScriptAlias / /srv/app.wsgi\nRewriteRule .* - [{flags}]\n").values()

    assert said == (
        "needs you: It stays in Apache, but the application no longer sees the variables that it "
        "sets: set them in a middleware"
    )


def test_patterns_that_meet_what_is_left_out_are_told():
    text = (
        "ProxyPass /x !\nProxyPass / http://y.test/\nWSGIScriptAliasMatch ^/x(.*) /srv/app.wsgi\n"
    )

    assert left_behind(text) == {
        "ProxyPass /x !": "needs you: patterns that meet it are not passed on there"
    }


def test_a_macro_with_scripts_has_to_be_written_out():
    text = "<Macro App $n>\nWSGIScriptAlias /$n /srv/app.wsgi\n</Macro>\nUse App a\n"

    [said] = left_behind(text).values()

    assert said == (
        "needs you: it stands in a macro: write out the lines that use it, and export the file then"
    )


def test_a_line_of_an_included_file_counts_as_one_of_the_file(tmp_path):
    included = tmp_path / "included.conf"
    included.write_text("WSGIScriptAlias / /srv/app.wsgi\nWSGIAccessScript /srv/a.py\n")

    found = left_behind(f"Include {included}\n")

    assert {text: said.partition(":")[0] for text, said in found.items()} == {
        "WSGIAccessScript /srv/a.py": "needs you"
    }


def test_what_cannot_be_read_is_refused_as_ever():
    assert behind("<VirtualHost *:80>\n").settings is None
