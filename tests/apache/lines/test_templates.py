from __future__ import annotations

import pytest

from django_wsgimatch.apache.lines.directive import Refusal, Spot
from django_wsgimatch.apache.lines.templates import placeholder
from tests.support.apache_reading import on_lines, read


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("ServerName {{ name }}", "{{ name }}", id="Jinja's value"),
        pytest.param("Listen {{#port}}", "{{#port}}", id="Mustache"),
        pytest.param("A {{ x \\", "{{ x \\", id="one that goes on"),
        pytest.param("{% if a %}", "{% if a %}", id="Jinja's block"),
        pytest.param("{%- endif -%}", "{%- endif -%}", id="Jinja's block without blanks"),
        pytest.param("A {# note #}", "{# note #}", id="Jinja's comment"),
        pytest.param("A <%= @ip %>", "<%= @ip %>", id="ERB's value"),
        pytest.param("<% if a -%>", "<% if a -%>", id="ERB's block"),
        pytest.param("<%def name='x()'>", "<%def name='x()'>", id="Mako's block"),
        pytest.param("% endif", "% endif", id="Mako's line"),
        pytest.param("A <?php echo $x ?>", "<?php echo $x ?>", id="PHP"),
        pytest.param("Alias /a @PYTHONDIR@/a", "@PYTHONDIR@", id="autoconf"),
        pytest.param("Alias /a /usr/lib@SUFFIX@/a", "@SUFFIX@", id="autoconf in a word"),
        pytest.param("Alias /a @@webroot@@/a", "@@webroot@@", id="doubled signs"),
        pytest.param("A %%PREFIX%%/a", "%%PREFIX%%", id="FreeBSD's ports"),
        pytest.param("A #{name}", "#{name}", id="Ruby"),
        pytest.param("A __FINALPATH__/x", "__FINALPATH__", id="YunoHost"),
        pytest.param("ServerName %domain%", "%domain%", id="percent signs"),
        pytest.param("<VirtualHost %ip%:%port%>", "%ip%", id="percent signs in a section"),
        pytest.param("WSGIScriptAlias / {APP}/a.wsgi", "{APP}", id="Python's format"),
        pytest.param("Define X_{thread}", "{thread}", id="Python's format in a word"),
        pytest.param('Alias /crl "$CRL_PATH"', "$CRL_PATH", id="string.Template"),
        pytest.param("WSGIScriptAlias %(WEB)s /a", "%(WEB)s", id="Python's percent signs"),
        pytest.param("Alias /a <code.path>/a", "<code.path>", id="a name in angle brackets"),
        pytest.param("ServerName !RAIS_HOST!", "!RAIS_HOST!", id="exclamation marks"),
    ],
)
def test_placeholder(line, found):
    first = placeholder(line)

    assert first == found


@pytest.mark.parametrize(
    "line",
    [
        "RewriteCond %{REQUEST_URI} !^/a{2,3}$ [NC]",
        "RewriteRule ^/(.*)$ https://%{HTTP_HOST}/$1?x=%1 [L,R=301]",
        "RewriteRule ^(.+) ${lowercase:%{SERVER_NAME}}$1 [C]",
        "WSGIProcessGroup %{GLOBAL}",
        "WSGIApplicationGroup %{ENV:APPLICATION_GROUP}",
        "WSGIDaemonProcess a display-name=%{GROUP} user=${APACHE_RUN_USER}",
        r'LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" %{x}C" combined',
        'LogFormat "%h%l%u%t%>s%!200,304{X}i %host%" odd',
        'LogFormat "<%h> {%h} {\\"a\\":{\\"b\\":\\"%u\\"}}" json',
        'ErrorLog "|/usr/bin/rotatelogs /var/log/error.%Y_%m_%d-%H_%M_%S 86400"',
        "CustomLog /var/log/%Yyear%Mmonth.log combined",
        "ServerAdmin web.master@example.org",
        "KrbServiceName HTTP/a@EXAMPLE.ORG",
        "AuthLDAPBindPassword a$Bc@d@e",
        "WSGIScriptAliasMatch ^/([0-9]{4})/(?<name>[a-z]{2,})$ /srv/$1.wsgi",
        r"WSGIScriptAliasMatch ^/\p{Lu}\x{41}\g{name}/ /srv/a.wsgi",
        "Alias /%C3%A9/a%20b%20c /srv/e",
        "<Location /a%2Fb%E2%82%AC%20>",
        '<FilesMatch "\\.(php|PHP)$">',
        '<Files ~ "^\\.ht">',
        "WSGIPythonPath /srv/__init__/__pycache__",
        '<Directory ~ "^/srv/[a-z]+/$">',
        "ErrorDocument 404 '{error}'",
        "Header set Content-Security-Policy \"default-src 'self' {$X}\"",
        "Require expr %{REMOTE_USER} == 'a@b.c'",
        "Use Site $NAME @x@ {y}",
        "SetEnvIf Host ^(.*)$ HOST=$1",
        "AliasMatch ^/u/(.*)@(.*)$ /srv/$1",
        "Options +Indexes -{}",
        "A 100% b%",
    ],
)
def test_no_placeholder(line):
    found = placeholder(line)

    assert found is None


def test_line_with_a_placeholder_is_refused():
    configuration = read("A {{ b }}\nC")

    assert on_lines(configuration.directives) == ["2 C"]
    assert configuration.refusals == (
        Refusal(
            Spot("/c/site.conf", 1),
            "A {{ b }}",
            "{{ b }} is a placeholder that a template left",
            "render the template first, and import what comes out of it",
        ),
    )


@pytest.mark.parametrize(
    ("text", "found", "refused"),
    [
        pytest.param("<Files {{ a }}>\nX\n</Files>", ["2 <Files {{ a }}> X"], [1], id="a section"),
        pytest.param("<IfDefine {{ a }}>\nX\n</IfDefine>", ["2 X"], [1], id="a condition"),
        pytest.param("<% if a %>\nX\n<% end %>", ["2 X"], [1, 3], id="a block like a section"),
        pytest.param(
            "<Files a>\nX\n</Files>{{ b }}\nY", ["2 <Files a> X", "4 Y"], [3], id="an end"
        ),
        pytest.param(
            "<IfDefine A>\n<IfDefine {{ a }}>\nX\n</IfDefine>\n</IfDefine>\nY",
            ["3 -X", "6 Y"],
            [2],
            id="a condition within what is off",
        ),
        pytest.param("# {{ a }}\nX", ["2 X"], [], id="not in a comment"),
        pytest.param(
            "<Macro a @b@>\nX @b@\n</Macro>\nUse a c",
            ["4 Use a c", '2 X "c"'],
            [],
            id="not a parameter",
        ),
        pytest.param("<Macro a>\nX {{ b }}\n</Macro>\nUse a", ["4 Use a"], [2], id="in a macro"),
        pytest.param(
            "Define A b\nX ${A}{2}", ["1 Define A b", "2 X b{2}"], [], id="not a variable"
        ),
    ],
)
def test_lines_behind_a_placeholder(text, found, refused):
    configuration = read(text)

    assert on_lines(configuration.directives) == found
    assert [each.spot.line for each in configuration.refusals] == refused
