from __future__ import annotations

import shlex

import pytest

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.resolving.addresses import at_address
from django_wsgimatch.apache.writing.fragment import python_lines, server_record
from django_wsgimatch.exceptions import AddressError
from tests.support.imports import CERTIFICATE, host, notes_of, settings_of
from tests.support.imports import SCRIPT_LINE as SCRIPT
from tests.support.imports import secure_host as tls

SERVE = "manage.py wsgimatch serve"
KEY = "SSLCertificateKeyFile /etc/ssl/a.key"


def commands(*lines):
    return [shlex.join(each) for each in settings_of(*lines).servers.commands]


def arguments(*lines):
    """The arguments of the one server."""
    [command] = commands(*lines)
    return command.removeprefix(f"{SERVE} ")


@pytest.mark.parametrize(
    ("lines", "binds"),
    [
        pytest.param(["Listen 80", SCRIPT], "--bind 0.0.0.0:80", id="a port"),
        pytest.param(["Listen 10.0.0.1:80", SCRIPT], "--bind 10.0.0.1:80", id="an address"),
        pytest.param(["Listen [::1]:80", SCRIPT], "--bind '[::1]:80'", id="one of IPv6"),
        pytest.param(
            ["Listen 80", "Listen 8080", SCRIPT], "--bind 0.0.0.0:80 --bind 0.0.0.0:8080", id="two"
        ),
        pytest.param(
            ["Listen 80", *host("*:81")],
            "--bind 0.0.0.0:81",
            id="a port where nothing is answered, and one of a host",
        ),
        pytest.param(
            ["LoadModule a b", "Listen 80", *host("*:80"), *host("*:81")],
            "--bind 0.0.0.0:80",
            id="a whole server, where nobody listens at the other port",
        ),
        pytest.param(
            ["User shop", *host("_default_:80")], "--user shop --bind 0.0.0.0:80", id="a host's"
        ),
        pytest.param(["User shop", *host("*")], "--user shop", id="a host without a port"),
        pytest.param(
            ["Listen 80 http", "Listen wrong", *host("*:80")], "--bind 0.0.0.0:80", id="a protocol"
        ),
    ],
)
def test_servers_listen_where_apache_does(lines, binds):
    assert arguments(*lines) == binds


def test_nothing_is_said_where_only_virtual_hosts_have_ports():
    assert commands(*host("*:80")) == []


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        pytest.param(tls(), "--certfile /etc/ssl/a.pem", id="a certificate with its key"),
        pytest.param(tls(KEY), "--certfile /etc/ssl/a.pem --keyfile /etc/ssl/a.key", id="a key"),
        pytest.param(
            ["ServerRoot /etc/httpd", *host("*:443", "SSLEngine on", "SSLCertificateFile a.pem")],
            "--certfile /etc/httpd/a.pem",
            id="a relative path",
        ),
        pytest.param(
            tls("SSLCertificateChainFile /etc/ssl/chain.pem"),
            "--certfile /etc/ssl/a.pem --ca-certs /etc/ssl/chain.pem",
            id="a chain",
        ),
        pytest.param(
            tls("SSLCipherSuite HIGH:!aNULL"),
            "--certfile /etc/ssl/a.pem --ciphers 'HIGH:!aNULL:!eNULL:!EXP'",
            id="ciphers, with what mod_ssl adds",
        ),
        pytest.param(
            tls("SSLCipherSuite PROFILE=SYSTEM"), "--certfile /etc/ssl/a.pem", id="the system's"
        ),
        pytest.param(
            [KEY, *tls()],
            "--certfile /etc/ssl/a.pem --keyfile /etc/ssl/a.key",
            id="a key of the main server",
        ),
        pytest.param(host("*:443", CERTIFICATE), "--certfile /etc/ssl/a.pem", id="no engine"),
        pytest.param(
            ["Listen 443", *host("*:443", CERTIFICATE)],
            "--certfile /etc/ssl/a.pem",
            id="no engine, and a port of HTTPS",
        ),
        pytest.param(
            host("*:443", "GnuTLSEnable on", "GnuTLSCertificateFile /a", "GnuTLSKeyFile /b"),
            "--certfile /a --keyfile /b",
            id="mod_gnutls",
        ),
        pytest.param(tls(address="*"), "--certfile /etc/ssl/a.pem", id="no port"),
    ],
)
def test_tls_is_gunicorn_s(lines, options):
    assert arguments(*lines) == f"--bind 0.0.0.0:443 {options}"


@pytest.mark.parametrize(
    ("listen", "address", "is_secure"),
    [
        pytest.param("127.0.0.5:443", "*:443", False, id="an address that the host does not name"),
        pytest.param("127.0.0.5:8447 https", "127.0.0.5:8447", True, id="a protocol"),
        pytest.param("8447 https", "_default_:8447", True, id="a protocol of all addresses"),
        pytest.param("127.0.0.5:8447 https", "*:8447", False, id="a protocol of another one"),
        pytest.param("443 http", "*:443", False, id="plain HTTP there"),
    ],
)
def test_a_certificate_without_an_engine_counts_where_apache_says_so(listen, address, is_secure):
    """As observed in Apache 2.4.71."""
    found = arguments(f"Listen {listen}", *host(address, CERTIFICATE))

    assert ("--certfile" in found) == is_secure


def test_each_tls_has_a_server_and_each_port_without_it():
    lines = [*host("*:80"), *tls(), *tls(address="*:8443")]

    assert commands(*lines) == [
        f"{SERVE} --bind 0.0.0.0:80",
        f"{SERVE} --bind 0.0.0.0:443 --bind 0.0.0.0:8443 --certfile /etc/ssl/a.pem",
    ]


def test_where_apache_only_redirects_elsewhere_these_settings_answer_nothing():
    redirecting = ["<VirtualHost *:80>", "Redirect / http://b.test/", "</VirtualHost>"]
    lines = ["Listen 80", *redirecting, *tls()]

    written = list(python_lines(settings_of(*lines), "site.conf"))

    assert written[1:5] == [
        "#",
        "# Start its server so:",
        f"#     {SERVE} --bind 0.0.0.0:443 --certfile /etc/ssl/a.pem",
        "# Apache answers otherwise at 0.0.0.0:80: `import --address 0.0.0.0:80` has its settings.",
    ]
    assert server_record(settings_of(*lines))["other_addresses"] == ["0.0.0.0:80"]
    assert notes_of(*lines)[1] == (
        "changed: Apache answers otherwise there: `import --address 0.0.0.0:80`"
    )


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["<VirtualHost *:80>", "DocumentRoot /srv/www", "</VirtualHost>"], id="files"),
        pytest.param(["<VirtualHost *:80>", "ServerName a.test", "</VirtualHost>"], id="nothing"),
        pytest.param([*host("*:80")[:1], "WSGIScriptAlias / /b", "</VirtualHost>"], id="another"),
    ],
)
def test_a_port_with_other_answers_has_no_server_with_these_settings(lines):
    assert commands(*lines, *tls()) == [
        f"{SERVE} --bind 0.0.0.0:443 --certfile /etc/ssl/a.pem",
    ]


def test_no_port_is_served_in_plain_text_with_entries_of_another():
    public = ["<VirtualHost *:80>", "WSGIScriptAlias /a /srv/a.wsgi", "</VirtualHost>"]
    both = [*public[1:2], "WSGIScriptAlias /admin /srv/b.wsgi"]
    secure = ["<VirtualHost *:443>", "SSLEngine on", CERTIFICATE, *both, "</VirtualHost>"]

    servers = settings_of(*public, *secure).servers

    assert [each[4] for each in servers.commands] == ["0.0.0.0:443"]
    assert servers.others == ("0.0.0.0:80",)


def test_ports_that_all_differ_have_settings_of_their_own():
    lines = [*host("*:80"), "<VirtualHost *:81>", "WSGIScriptAlias / /srv/b.wsgi", "</VirtualHost>"]

    servers = settings_of("Listen 80", "Listen 81", *lines).servers

    assert servers.commands == ((*SERVE.split(), "--bind", "0.0.0.0:80"),)
    assert servers.others == ("0.0.0.0:81",)


TO_HTTPS = "RewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI}"


def test_no_port_is_served_in_plain_text_that_a_rule_sends_to_https_in_part():
    rules = ["RewriteCond %{HTTP_USER_AGENT} x", TO_HTTPS]
    lines = ["Listen 80", "Listen 443", "RewriteEngine On", *rules, SCRIPT, *tls()]

    servers = settings_of(*lines).servers

    assert [each[4] for each in servers.commands] == ["0.0.0.0:443"]
    assert servers.others == ("0.0.0.0:80",)


def test_a_port_is_served_whose_redirects_to_https_are_in_the_settings():
    lines = ["Listen 80", "Listen 443", "RewriteEngine On", TO_HTTPS, SCRIPT, *tls()]

    servers = settings_of(*lines).servers

    assert [each[4] for each in servers.commands] == ["0.0.0.0:80", "0.0.0.0:443"]
    assert servers.others == ()


def test_hosts_of_some_addresses_are_not_served_at_all_of_them():
    lines = ["Listen 80", *host("10.0.0.1:80"), *host("10.0.0.2:80")]

    assert arguments(*lines) == "--bind 10.0.0.1:80 --bind 10.0.0.2:80"


def at(address, *lines):
    """What is imported of one address."""
    read = read_text("\n".join([*lines, ""]), "site.conf")
    return import_configuration(at_address(read, address), lambda path: "missing")


@pytest.mark.parametrize(
    ("address", "command"),
    [
        pytest.param("*:443", "--bind 0.0.0.0:443 --certfile /etc/ssl/a.pem", id="of a host"),
        pytest.param("0.0.0.0:80", "--bind 0.0.0.0:80", id="of the main server"),
        pytest.param("10.0.0.1:80", "--bind 0.0.0.0:80", id="one of its addresses"),
    ],
)
def test_one_address_has_no_server_at_the_others(address, command):
    imported = at(address, "Listen 80", "Listen 443", SCRIPT, *tls())

    assert imported.settings is not None
    assert imported.settings.servers.others == ()
    assert [*map(shlex.join, imported.settings.servers.commands)] == [f"{SERVE} {command}"]


def test_a_port_that_nobody_listens_at_is_an_error():
    with pytest.raises(AddressError, match=r"^no virtual host is at \*:81: their addresses are"):
        at("*:81", "Listen 80", "Listen 443", SCRIPT, *tls())


def test_a_path_cannot_leave_the_comment():
    written = "\n".join(python_lines(settings_of('User "a\x85b\x0bc"', SCRIPT), "site.conf"))

    assert not {"\x85", "\x0b"} & {*written}
    assert r"--user 'a\udc85b\x0bc'" in written


def test_scripts_in_the_server_have_its_python_and_its_path():
    lines = ["WSGIPythonHome /venv/", "WSGIPythonPath /a:/b", SCRIPT]

    assert commands(*lines) == [f"/venv/bin/python {SERVE} --pythonpath /b,/a"]


@pytest.mark.parametrize(
    ("lines", "options", "note"),
    [
        pytest.param(
            ["LimitRequestLine 4000"],
            ["--limit-request-line", "4000"],
            "changed: `--limit-request-line 4000` of the server",
            id="a line",
        ),
        pytest.param(
            ["LimitRequestFieldSize 4000"],
            ["--limit-request-field_size", "4000"],
            "changed: `--limit-request-field_size 4000` of the server",
            id="a field",
        ),
        pytest.param(
            ["LimitRequestLine 10240"],
            [],
            "changed: gunicorn takes no more than 8190",
            id="more than gunicorn takes",
        ),
        pytest.param(
            ["LimitRequestFields 5", "LimitRequestFields 6"],
            [],
            "needs you: the server has one for all hosts: `--limit-request-fields`",
            id="two that differ",
        ),
    ],
)
def test_limits_of_a_head_are_gunicorn_s(lines, options, note):
    found = settings_of(*lines, "User shop", SCRIPT).servers.commands

    assert found == ((*SERVE.split(), "--user", "shop", *options),)
    assert notes_of(*lines, SCRIPT)[1] == note
