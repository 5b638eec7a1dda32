from __future__ import annotations

import pytest

from tests.support.imports import CERTIFICATE, host, notes_of, settings_of
from tests.support.imports import SCRIPT_LINE as SCRIPT
from tests.support.imports import secure_host as tls


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param(
            "SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1",
            "changed: the server speaks TLS 1.2 and 1.3 without an option, too",
            id="the newer ones",
        ),
        pytest.param(
            "SSLProtocol -all +TLSv1.2 +TLSv1.3",
            "changed: the server speaks TLS 1.2 and 1.3 without an option, too",
            id="the newer ones, one by one",
        ),
        pytest.param(
            "SSLProtocol all -SSLv2",
            "changed: the server speaks TLS 1.2 and 1.3, and no longer TLS 1.0 and TLS 1.1",
            id="old ones, too",
        ),
        pytest.param(
            "SSLProtocol TLSv1.2",
            "needs you: the server speaks TLS 1.2 and 1.3, and no option takes one of them away: "
            "give gunicorn a configuration with an ssl_context function",
            id="one alone",
        ),
        pytest.param(
            "SSLProtocol all -TLSv1.3",
            "needs you: the server speaks TLS 1.2 and 1.3, and no option takes one of them away: "
            "give gunicorn a configuration with an ssl_context function",
            id="all but the newest",
        ),
        pytest.param(
            "SSLProtocol +TLSv1.3 TLSv1.2",
            "needs you: the server speaks TLS 1.2 and 1.3, and no option takes one of them away: "
            "give gunicorn a configuration with an ssl_context function",
            id="a name without a sign, which replaces the others",
        ),
        pytest.param(
            "SSLHonorCipherOrder on",
            "changed: the server chooses the cipher without an option, too",
            id="the server's order",
        ),
        pytest.param(
            "SSLHonorCipherOrder off",
            "changed: the server chooses the cipher, where clients did",
            id="the clients' order",
        ),
        pytest.param(
            "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256",
            "needs you: Python's ssl does not choose the ciphers of TLS 1.3",
            id="ciphers of TLS 1.3",
        ),
        pytest.param(
            "SSLCipherSuite NO-SUCH-CIPHER",
            "needs you: OpenSSL has none of these ciphers here: choose others",
            id="ciphers that do not exist",
        ),
        pytest.param(
            "SSLSessionCacheTimeout 300", "not needed: Python's ssl has its own", id="a cache"
        ),
        pytest.param(
            "SSLUseStapling on",
            "changed: clients ask for the state of the certificate themselves",
            id="stapling",
        ),
        pytest.param(
            "SSLCertificateKeyFile keys/a.key",
            "needs you: its path cannot be told: write it whole, and start the server with "
            "--keyfile",
            id="a path that cannot be told",
        ),
        pytest.param(
            "SSLCertificateFile /etc/ssl/b.pem",
            "changed: `--certfile` of the server at 0.0.0.0:443; its user must be able to read the "
            "key, where Apache reads it as root",
            id="the first of two certificates",
        ),
        pytest.param(
            "SSLCertificateKeyFile /etc/ssl/a.key",
            "changed: `--keyfile` of the server at 0.0.0.0:443; its user must be able to read the "
            "key, where Apache reads it as root",
            id="a key",
        ),
        pytest.param("SSLEngine off", "not needed: A later line replaces it", id="said again"),
        pytest.param(
            "SSLOpenSSLConfCmd Options x",
            "needs you: Set up TLS in the server in front, and SECURE_PROXY_SSL_HEADER in Django",
            id="what is not known",
        ),
    ],
)
def test_what_lines_of_a_server_become(line, note):
    assert notes_of(*tls(line))[2] == note


def test_of_two_certificates_the_second_needs_the_user():
    assert notes_of(*tls("SSLCertificateFile /etc/ssl/b.pem"))[4] == (
        "needs you: the server has one certificate, /etc/ssl/b.pem: leave out this one, or let a "
        "server in front speak"
    )


@pytest.mark.parametrize(
    ("line", "category"),
    [
        pytest.param("GnuTLSPriorities NORMAL", "changed", id="the usual ones"),
        pytest.param("GnuTLSPriorities PFS:-VERS-SSL3.0", "changed", id="without old ones"),
        pytest.param("GnuTLSPriorities NORMAL:-VERS-TLS1.3", "needs you", id="without TLS 1.3"),
        pytest.param("GnuTLSPriorities SECURE256", "needs you", id="others"),
    ],
)
def test_priorities_of_gnutls(line, category):
    found = notes_of(
        *host("*:443", line, "GnuTLSEnable on", "GnuTLSCertificateFile /a", "GnuTLSKeyFile /b")
    )

    assert found[2].startswith(f"{category}: ")


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        pytest.param(
            ["ServerName b.test", "SSLEngine on", "SSLCertificateFile /etc/ssl/b.pem"],
            "needs you: the server has one certificate for 0.0.0.0:443, that of a.test: use one "
            "for all names, or a server for each address",
            id="another certificate",
        ),
        pytest.param(
            ["ServerName b.test", "SSLEngine on", CERTIFICATE],
            "changed: `--certfile` of the server at 0.0.0.0:443; its user must be able to read the "
            "key, where Apache reads it as root",
            id="the same one",
        ),
        pytest.param(
            ["ServerName a.test", "SSLEngine on", "SSLCertificateFile /etc/ssl/b.pem"],
            "not needed: No request reaches its virtual host: a.test has its names at the same "
            "address",
            id="one of a host that nobody reaches",
        ),
        pytest.param(
            ["ServerName b.test", "SSLEngine on", CERTIFICATE, "SSLProtocol all"],
            "changed: `--certfile` of the server at 0.0.0.0:443; its user must be able to read the "
            "key, where Apache reads it as root",
            id="another protocol, which is told there",
        ),
    ],
)
def test_the_first_host_of_an_address_has_the_certificate(lines, note):
    first = tls("ServerName a.test", "SSLProtocol -all +TLSv1.2 +TLSv1.3")

    assert notes_of(*first, *host("*:443", *lines))[len(first) + 4] == note


def test_two_hosts_of_an_address_that_speak_other_protocols_need_the_user():
    first = tls("ServerName a.test", "SSLProtocol -all +TLSv1.2 +TLSv1.3")
    second = tls("ServerName b.test", "SSLProtocol all")

    assert notes_of(*first, *second)[len(first) + 3] == (
        "needs you: the server has one for 0.0.0.0:443, and a.test is answered there first"
    )


def test_tls_behind_a_host_without_it_needs_the_user():
    lines = [*host("*:443", "ServerName a.test"), *tls("ServerName b.test")]

    assert notes_of(*lines)[7] == (
        "needs you: 0.0.0.0:443 speaks plain HTTP, as a.test does: let each have an address of "
        "its own"
    )
    assert settings_of("Listen 443", *lines).servers.commands == (
        ("manage.py", "wsgimatch", "serve", "--bind", "0.0.0.0:443"),
    )


def test_no_server_is_started_in_plain_text_where_the_certificate_is_not_known():
    lines = ["Listen 443", *host("*:443", "SSLEngine on")]

    assert settings_of(*lines).servers.commands == ()
    assert notes_of(*lines)[3] == (
        "needs you: no line here names its certificate: start the server with --certfile, or let "
        "a server in front speak TLS"
    )


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        pytest.param(
            ["SSLVerifyClient optional", "SSLOptions +StdEnvVars", "SSLVerifyDepth 3"],
            "needs you: the server asks no client for a certificate; gunicorn's --cert-reqs looks "
            "at no depth and at no list of revoked ones. Let a server in front ask",
            id="a certificate is asked for",
        ),
        pytest.param(["SSLVerifyClient none"], "not needed: No client is asked", id="none is"),
        pytest.param(["SSLVerifyDepth 3"], "not needed: No client is asked", id="nor with a depth"),
        pytest.param(["SSLOptions +StdEnvVars"], "needs you: applications see no SSL_", id="shown"),
        pytest.param(["SSLOptions -StdEnvVars"], "not needed: It shows", id="no longer shown"),
        pytest.param(["SSLOptions +StrictRequire"], "not needed: It shows", id="another option"),
        pytest.param(
            ['<FilesMatch "\\.(cgi|php)$">', "SSLOptions +StdEnvVars", "</FilesMatch>"],
            "not needed: No application is in its section",
            id="shown to none of the applications",
        ),
        pytest.param(
            ["<Directory /usr/lib/cgi-bin>", "SSLVerifyClient optional", "</Directory>"],
            "not needed: No application is in its section",
            id="asked for by none of them",
        ),
    ],
)
def test_what_is_asked_of_clients_and_shown_to_applications(lines, note):
    found = notes_of(*tls(*lines))

    assert found[2 + lines[0].startswith("<")].startswith(note)


def test_what_decides_on_certificates_belongs_to_the_line_that_asks_for_them():
    lines = tls("SSLVerifyClient optional", "SSLVerifyDepth 3", "SSLCACertificateFile /ca.pem")

    found = notes_of(*lines)

    assert found[3] == found[4] == "part: It is part of the rule in site.conf:2"


def test_a_closed_section_has_its_tls_lines_with_it():
    section = ["<Location /x>", "SSLVerifyClient require", "SSLVerifyDepth 3"]

    found = notes_of(*tls(*section, "SSLOptions +StdEnvVars", "</Location>"))

    assert found[3] == "needs you: /x: 403 until you decide"
    assert found[4] == found[5] == "part: It is part of the rule in site.conf:3"


def test_a_server_that_demands_certificates_stays_closed():
    settings = settings_of(*tls("SSLVerifyClient require", "SSLCACertificateFile /ca.pem"))

    [entries] = [[*settings.entries]]
    assert [each.alias.function for each in entries] == ["deny", "script_alias"]
    assert "--cert-reqs" not in settings.servers.commands[0]


def test_lines_without_a_server_are_not_needed():
    assert (
        notes_of(CERTIFICATE, SCRIPT)[1] == "not needed: No server of this file speaks TLS with it"
    )
