"""A configuration without mod_wsgi: what takes the place of its lines."""

from __future__ import annotations

import pytest

from django_wsgimatch.apache.importing import kind_of_file
from django_wsgimatch.exceptions import FrontError
from tests.fronts.apache.exporting import export, passed

SITE = """\
# A site.\r
<VirtualHost *:80>
    ServerName shop.test
\tAlias  /static   /srv/static
    <IfModule mod_wsgi.c>
    WSGIDaemonProcess shop \\
        threads=3
    WSGIScriptAlias / /srv/app.wsgi process-group=shop
    </IfModule>
    <Directory /srv>
        WSGIProcessGroup shop
        Require all granted
    </Directory>
</VirtualHost>"""
EXPORTED = """\
# A site.\r
<VirtualHost *:80>
    ServerName shop.test
\tAlias  /static   /srv/static
    <IfModule mod_proxy_http.c>\r
    ProxyPass /static !\r
    # WSGIScriptAlias / /srv/app.wsgi process-group=shop\r
    ProxyPass / http://127.0.0.1:8000/ nocanon retry=0\r
    <Proxy "http://127.0.0.1:8000/*">\r
        ProxyPreserveHost On\r
        ProxyAddHeaders Off\r
        RequestHeader edit* Connection "(?i)\\b(?!(?:close|keep-alive|upgrade)\\b)[^,\\s]+" ""\r
        RequestHeader unset X-Forwarded_For\r
        RequestHeader unset X_Forwarded-For\r
        RequestHeader unset X_Forwarded_For\r
        RequestHeader set X-Forwarded-For "expr=%{REMOTE_ADDR}"\r
        RequestHeader unset X-Forwarded_Proto\r
        RequestHeader unset X_Forwarded-Proto\r
        RequestHeader unset X_Forwarded_Proto\r
        RequestHeader set X-Forwarded-Proto "expr=%{REQUEST_SCHEME}"\r
        RequestHeader unset X-Forwarded-Protocol\r
        RequestHeader unset X-Forwarded-Ssl\r
        RequestHeader unset SCRIPT_NAME\r
        RequestHeader unset PATH_INFO\r
    </Proxy>\r
    </IfModule>
    <Directory /srv>
        Require all granted
    </Directory>
</VirtualHost>"""


def host(*lines: str) -> str:
    return "\n".join(["<VirtualHost *:80>", *lines, "</VirtualHost>", ""])


def test_all_other_lines_stay_as_they_are_byte_for_byte():
    found = export(SITE)

    assert found.text == EXPORTED
    assert found.refused == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ["WSGIScriptAliasMatch ^/w/(\\d+) /srv/$1.wsgi"],
            [
                "# WSGIScriptAliasMatch ^/w/(\\d+) /srv/$1.wsgi",
                'ProxyPassMatch "^/w/(\\\\d+)" http://127.0.0.1:8000 nocanon retry=0',
            ],
            id="a pattern",
        ),
        pytest.param(
            ['WSGIScriptAlias "/my app" /srv/app.wsgi'],
            [
                '# WSGIScriptAlias "/my app" /srv/app.wsgi',
                'ProxyPassMatch "^/my app(?:/|$)" http://127.0.0.1:8000 nocanon retry=0',
            ],
            id="a location that a URL spells otherwise",
        ),
        pytest.param(
            ["WSGIScriptAlias app /srv/app.wsgi"],
            ["# WSGIScriptAlias app /srv/app.wsgi: no URL matches it"],
            id="a location that no URL matches",
        ),
        pytest.param(
            [
                *("WSGIScriptAlias /app /srv/app.wsgi", "Alias /static /srv/s"),
                *(
                    "Redirect /app/old http://x/",
                    "RedirectMatch 404 \\.php$",
                    "Alias /app/m /srv/m",
                ),
                *("<Location /app/status>", "SetHandler server-status", "</Location>"),
            ],
            [
                *("ProxyPass /app/old !", 'ProxyPassMatch "\\\\.php$" !'),
                *("ProxyPass /app/status !", "ProxyPass /app/m !"),
                "# WSGIScriptAlias /app /srv/app.wsgi",
                "ProxyPass /app http://127.0.0.1:8000/app nocanon retry=0",
                *("Alias /static /srv/s", "Redirect /app/old http://x/"),
                *("RedirectMatch 404 \\.php$", "Alias /app/m /srv/m"),
                *("<Location /app/status>", "SetHandler server-status", "</Location>"),
                "# WSGIScriptAlias /app /srv/app.wsgi: SetHandler server-status",
                r'AliasMatch "^(?=/app/status(?:/|$))/app((?:/(?s:.*))?)\\z" /srv/app.wsgi$1',
            ],
            id="what Apache answers itself, as far as an entry would take it",
        ),
        pytest.param(
            ["WSGIScriptAlias / /srv/app.wsgi", "ProxyPass /share http://share/"],
            [
                "ProxyPass /share http://share/",
                "# WSGIScriptAlias / /srv/app.wsgi",
                "ProxyPass / http://127.0.0.1:8000/ nocanon retry=0",
            ],
            id="what is passed to another server, before",
        ),
        pytest.param(
            ["RewriteEngine On", "RewriteRule ^/a /b [PT]", "WSGIScriptAlias / /srv/app.wsgi"],
            [
                *("RewriteEngine On", "RewriteRule ^/a /b [PT]"),
                "# WSGIScriptAlias / /srv/app.wsgi",
                "ProxyPass / http://127.0.0.1:8000/ retry=0",
            ],
            id="a rewritten URL goes on as it was rewritten",
        ),
        pytest.param(
            ["WSGIScriptAlias / /srv/app.wsgi", "RewriteRule ^/x /srv/x.py [H=wsgi-script]"],
            [
                "# WSGIScriptAlias / /srv/app.wsgi",
                "ProxyPass / http://127.0.0.1:8000/ nocanon retry=0",
                "RewriteRule ^/x - [F]",
            ],
            id="a rule that hands files to mod_wsgi",
        ),
    ],
)
def test_the_lines_of_a_host(lines, expected):
    found = passed(host(*lines))

    assert found == ["<VirtualHost *:80>", *expected, "</VirtualHost>"]


REFUSED = (
    "# Refused: <Directory /srv/app> of /c/site.conf:3: its handler answers, not the application."
)
UNDECIDED = (
    "# WSGIAccessScript /srv/a.py stood here: mod_wsgi enforced this rule: its URLs answer 403 "
    "until you decide."
)
PASSED = [
    "# WSGIScriptAlias / /srv/app/app.wsgi",
    "ProxyPass / http://127.0.0.1:8000/ retry=0",
]


def kept(lines: list[str]) -> list[str]:
    """Lines without those that are mod_wsgi's."""
    return [line for line in lines if not line.startswith("WSGI")]


@pytest.mark.parametrize(
    ("lines", "added"),
    [
        pytest.param(
            ["<Directory /srv/app>", "Require all granted", "</Directory>"],
            [],
            id="everybody is let in",
        ),
        pytest.param(
            [
                *("<Directory /srv>", "Options None", "<IfModule mod_authz_host.c>"),
                *("<RequireAny>", "Require ip 10", "</RequireAny>", "</IfModule>", "</Directory>"),
            ],
            [
                "# <Directory /srv> of /c/site.conf:3:",
                '<Proxy "http://127.0.0.1:8000/*">',
                *("<RequireAny>", "Require ip 10", "</RequireAny>", "</Proxy>"),
            ],
            id="few are let in",
        ),
        pytest.param(
            [
                *("<Directory /srv>", "Require valid-user", "</Directory>"),
                *("<Files app.wsgi>", "AuthType Basic", "AuthUserFile /u", "</Files>"),
            ],
            [
                "# <Directory /srv> of /c/site.conf:3:",
                '<Proxy "http://127.0.0.1:8000/*">',
                *("Require valid-user", "</Proxy>"),
                "# <Files app.wsgi> of /c/site.conf:6:",
                '<Proxy "http://127.0.0.1:8000/*">',
                *("AuthType Basic", "AuthUserFile /u", "</Proxy>"),
            ],
            id="one section asks for a user, another says how one logs in",
        ),
        pytest.param(
            ["<Files app.wsgi>", "Header set X-A 1", "WSGIProcessGroup x", "</Files>"],
            [
                "# <Files app.wsgi> of /c/site.conf:3:",
                '<Proxy "http://127.0.0.1:8000/*">',
                *("Header set X-A 1", "</Proxy>"),
            ],
            id="what is no rule holds too, without what is mod_wsgi's",
        ),
        pytest.param(
            ["<Directory /srv/other>", "Require all denied", "</Directory>"],
            [],
            id="another folder",
        ),
        pytest.param(
            ["<Files *.pyc>", "Require all denied", "</Files>"], [], id="other files of the folder"
        ),
        pytest.param(
            ["<Directory /srv/app>", "SetHandler default-handler", "</Directory>"],
            [
                REFUSED,
                '<ProxyMatch "^http://127\\\\.0\\\\.0\\\\.1:8000(?=/)">',
                *("<IfModule mod_alias.c>", "RedirectMatch 403 ^", "</IfModule>", '<If "true">'),
                *("Require all denied", "<IfModule mod_access_compat.c>", "Order allow,deny"),
                *("Deny from all", "</IfModule>", "</If>", "</ProxyMatch>"),
            ],
            id="another handler than mod_wsgi's",
        ),
    ],
)
def test_what_sections_about_files_say_is_said_of_what_is_passed_on(lines, added):
    found = passed(host("WSGIScriptAlias / /srv/app/app.wsgi", *lines))

    told = [line.replace("nocanon ", "") for line in found]
    assert told == ["<VirtualHost *:80>", *PASSED, *added, *kept(lines), "</VirtualHost>"]


def test_entries_with_rules_of_their_own_are_told_apart_by_what_is_no_longer_encoded():
    found = passed(
        host(
            *("WSGIScriptAlias /two /srv/two/two.wsgi", "WSGIScriptAlias / /srv/app/app.wsgi"),
            *("<Directory /srv/app>", "Require ip 10", "</Directory>"),
        )
    )

    assert found[1:9] == [
        "# WSGIScriptAlias /two /srv/two/two.wsgi",
        "ProxyPass /two http://127.0.0.1:8000/two retry=0",
        "# WSGIScriptAlias / /srv/app/app.wsgi",
        "ProxyPass / http://127.0.0.1:8000/ retry=0",
        "# <Directory /srv/app> of /c/site.conf:4:",
        '<ProxyMatch "^http://127\\\\.0\\\\.0\\\\.1:8000(?!/two(?:/|$))(?=/)">',
        "Require ip 10",
        "</ProxyMatch>",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            "SetHandler wsgi-script",
            [
                '<If "-e %{REQUEST_FILENAME}">',
                'SetHandler "proxy:unix:/dev/null|http://mod-wsgi"',
                "</If>",
            ],
            id="a handler for all",
        ),
        pytest.param(
            "AddHandler wsgi-script .wsgi .py",
            [
                '<If "-e %{REQUEST_FILENAME}">',
                'AddHandler "proxy:unix:/dev/null|http://mod-wsgi" .wsgi .py',
                "</If>",
            ],
            id="a handler by name",
        ),
        pytest.param("WSGIErrorOverride On", ["ProxyErrorOverride On"], id="pages of Apache's own"),
        pytest.param(
            "WSGIAccessScript /srv/a.py",
            [
                UNDECIDED,
                *('<If "true">', "Require all denied", "<IfModule mod_access_compat.c>"),
                *("Order allow,deny", "Deny from all", "</IfModule>", "</If>"),
            ],
            id="a rule that mod_wsgi enforced",
        ),
    ],
)
def test_no_source_of_a_script_is_sent_and_no_rule_is_lost(line, expected):
    found = export(host("<Directory /srv/x>", line, "</Directory>"))

    lines = [each.strip() for each in found.text.splitlines()]
    assert lines[2:-2] == expected


def test_a_handler_stays_where_another_may_take_its_place():
    lines = ["<Directory /srv/x>", "SetHandler wsgi-script", "</Directory>"]
    others = ["<Location /x/y>", "SetHandler none", "</Location>"]

    found = export(host(*lines, *others))

    assert 'SetHandler "proxy:unix:/dev/null|http://mod-wsgi"' in found.text.splitlines()
    assert "<If" not in found.text


def test_a_handler_takes_the_place_of_one_that_comes_before_it():
    lines = ["<Location /x>", "SetHandler none", "SetHandler wsgi-script", "</Location>"]

    found = export(host("<Directory /srv>", "SetHandler x", "</Directory>", *lines))

    assert '<If "-e %{REQUEST_FILENAME}">' in found.text


def test_handlers_of_another_virtual_host_take_no_place():
    other = host("<Location /x/y>", "SetHandler none", "</Location>")

    found = export(host("<Directory /srv/x>", "SetHandler wsgi-script", "</Directory>") + other)

    assert '<If "-e %{REQUEST_FILENAME}">' in found.text


def test_the_main_server_s_entries_come_first_so_a_host_takes_out_its_places_by_sections():
    found = passed(
        "WSGIScriptAlias /app /srv/app.wsgi\n" + host("Alias /app/static /srv/s", "ServerName a")
    )

    assert found == [
        "# WSGIScriptAlias /app /srv/app.wsgi",
        "ProxyPass /app http://127.0.0.1:8000/app nocanon retry=0",
        "<VirtualHost *:80>",
        *("Alias /app/static /srv/s", "ServerName a"),
        *("<Location /app/static>", "ProxyPass !", "</Location>"),
        "</VirtualHost>",
    ]


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        pytest.param(
            [],
            [
                'WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]',
                'WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]',
            ],
            id="clients and their scheme",
        ),
        pytest.param(
            ["<Location />", "AuthType Basic", "Require valid-user", "</Location>"],
            [
                'WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]',
                'WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]',
                "WSGIMATCH_TRUSTED_PROXY_VARIABLES = {",
                '    "REMOTE_USER": "X-Remote-User",',
                '    "AUTH_TYPE": "X-Auth-Type",',
                "}",
            ],
            id="who has logged in",
        ),
        pytest.param(
            ["SetEnvIf X-Forwarded-Proto https HTTPS=on"],
            [
                'WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]',
                "WSGIMATCH_TRUSTED_PROXY_VARIABLES = {",
                '    "REMOTE_ADDR": "X-Remote-Addr",',
                '    "wsgi.url_scheme": "X-Request-Scheme",',
                "}",
            ],
            id="another proxy before Apache, whose words the application still gets",
        ),
    ],
)
def test_the_settings_that_are_needed(lines, settings):
    found = export(host("WSGIScriptAlias / /srv/app.wsgi", *lines))

    assert list(found.settings) == settings


def test_the_client_s_own_name_of_a_user_is_removed_however_it_is_spelt():
    found = export(host("WSGIScriptAlias / /srv/app.wsgi", "AuthType Basic"))

    lines = [each.strip() for each in found.text.splitlines() if "Remote" in each]
    assert lines == [
        "RequestHeader unset X-Remote-User",
        "RequestHeader unset X-Remote_User",
        "RequestHeader unset X_Remote-User",
        "RequestHeader unset X_Remote_User",
        'RequestHeader set X-Remote-User "expr=%{REMOTE_USER}" "expr=-n %{REMOTE_USER}"',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "<VirtualHost *:80>\n",
            "/c/site.conf:1: <VirtualHost> was not closed: write </VirtualHost> behind its last "
            "line",
            id="a line that Apache refuses",
        ),
        pytest.param(
            "<Macro App $name>\nWSGIScriptAlias /$name /srv/$name.wsgi\n</Macro>\nUse App a\n",
            "/c/site.conf:2, used at /c/site.conf:4: WSGIScriptAlias stands in a macro: write out "
            "the lines that use it, and export the file then",
            id="a macro",
        ),
    ],
)
def test_what_cannot_be_exported_is_told(text, message):
    with pytest.raises(FrontError) as caught:
        export(text)

    assert str(caught.value) == message


def test_a_folder_whose_access_file_has_scripts_run_sends_none_of_them(tmp_path):
    (tmp_path / ".htaccess").write_text("SetHandler wsgi-script\n")
    text = (
        f"Alias /x {tmp_path}\nWSGIScriptAlias /app {tmp_path}/app.wsgi\n"
        f"<Directory {tmp_path}>\nAllowOverride All\n</Directory>\n"
    )
    (tmp_path / "app.wsgi").touch()

    found = export(text, kind_of=kind_of_file)

    assert found.text.splitlines()[-10:] == [
        f"# {tmp_path}/.htaccess:1 has mod_wsgi run files: their source is not sent.",
        f'<Directory "{tmp_path}">',
        "    <If \"%{HANDLER} != 'proxy-server'\">",
        "        Require all denied",
        "        <IfModule mod_access_compat.c>",
        "            Order allow,deny",
        "            Deny from all",
        "        </IfModule>",
        "    </If>",
        "</Directory>",
    ]
    assert [each.note for each in found.refused] == [
        f"delete the line from {tmp_path}/.htaccess: Apache answers 500 there"
    ]


def test_a_comment_ends_with_its_line():
    found = passed(host("WSGIScriptAlias / /srv/app.wsgi\\ "))

    assert found[1:3] == [
        "# WSGIScriptAlias / /srv/app.wsgi",
        "ProxyPass / http://127.0.0.1:8000/ nocanon retry=0",
    ]


def test_aliases_and_sections_beyond_every_measure_are_given_up():
    lines = [f"WSGIScriptAlias /{n} /srv/app.wsgi" for n in range(1200)]
    lines += [f"<Directory /d{n}>\nHeader set X 1\n</Directory>" for n in range(1200)]

    with pytest.raises(FrontError) as caught:
        export("\n".join(lines) + "\n")

    assert "the import gives up" in str(caught.value)


def test_what_is_refused_is_told_with_the_line_that_cannot_be_carried():
    found = export(
        host(
            "WSGIScriptAliasMatch ^/t/([^/]+) /srv/t/$1.wsgi",
            *("<Files b.wsgi>", "Require all denied", "Satisfy all", "</Files>"),
        )
    )

    [told] = found.refused
    assert (str(told.spot), told.text, told.note) == (
        "/c/site.conf:4",
        "Require all denied",
        (
            "URLs that match ^(?=.*/(?:b))/t/([^/]+): 403, as it holds for some of the scripts "
            "of this entry"
        ),
    )


def test_a_pattern_that_cannot_be_told_from_others_closes_the_host():
    found = export(
        host(
            "WSGIScriptAliasMatch ^/a|^/b /srv/app/app.wsgi",
            "WSGIScriptAlias /two /srv/two/two.wsgi",
            *("<Directory /srv/app>", "Require ip 10", "</Directory>"),
        )
    )

    lines = [line.strip() for line in found.text.splitlines()]
    start = lines.index("# Refused: no pattern tells the URLs of ^/a|^/b from others.")
    assert lines[start + 1 : start + 5] == [
        '<Proxy "http://127.0.0.1:8000/*">',
        *("<IfModule mod_alias.c>", "RedirectMatch 403 ^", "</IfModule>"),
    ]
    assert [each.note for each in found.refused] == [
        "all URLs of this host: 403, as no pattern tells the URLs of ^/a|^/b from others"
    ]


def test_a_virtual_host_whose_lines_stand_in_another_file_passes_them_on_at_its_end(tmp_path):
    (tmp_path / "common.conf").write_text("WSGIScriptAlias /app /srv/app.wsgi\n")

    found = export(host(f"Include {tmp_path}/common.conf"))

    lines = [line.strip() for line in found.text.splitlines()]
    assert lines[:4] == [
        *("<VirtualHost *:80>", f"Include {tmp_path}/common.conf"),
        "# WSGIScriptAlias /app /srv/app.wsgi",
        "ProxyPass /app http://127.0.0.1:8000/app nocanon retry=0",
    ]
    assert [each.note for each in found.refused] == [
        f"it stands in another file: export {tmp_path}/common.conf, too"
    ]


@pytest.mark.parametrize(
    ("line", "is_left"),
    [
        pytest.param("Redirect /new", True, id="a URL"),
        pytest.param("Redirect permanent http://x.test/", True, id="a status and a URL"),
        pytest.param("Redirect 308 /new", True, id="a number and a URL"),
        pytest.param("Redirect gone /old/x", False, id="an error at a path"),
        pytest.param("Redirect 410", False, id="an error"),
        pytest.param("Redirect /%{HTTP_HOST}", False, id="an expression"),
        pytest.param("RedirectMatch x /new", False, id="a pattern"),
    ],
)
def test_a_place_that_redirects_all_is_left_to_apache_before_its_access_rules(line, is_left):
    found = passed(host("WSGIScriptAlias / /srv/app.wsgi", "<Location /old>", line, "</Location>"))

    assert ("ProxyPass /old !" in found) is is_left
