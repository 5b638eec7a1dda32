"""The .htaccess files on the way to scripts: read as sections, closed where they cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from django_wsgimatch.aliases.alias import Denial
from django_wsgimatch.apache.access import access_files
from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import Unreadable
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.cli.imports import protected_lines
from tests.conformance.silence import compare_random
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough


@pytest.fixture
def site(tmp_path):
    """A folder for a script and another one for many."""
    for path in ("app/app.wsgi", "tools/a.wsgi", "tools/sub/b.wsgi"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


def imported(site: Path, *lines: str) -> Imported:
    text = "\n".join([*lines, ""]).replace("{ROOT}", str(site))
    # All rules are taken for such as no settings can say.
    return import_configuration(read_text(text, "site.conf"), carries=False)


def allowed(what: str, folder: str = "{ROOT}", *more: str) -> list[str]:
    return [f"<Directory {folder}>", f"AllowOverride {what}", *more, "</Directory>"]


def closed(found: Imported) -> list[str]:
    """The locations that are closed, for every host or for one."""
    settings = found.settings
    assert settings is not None
    written = [*settings.entries, *(e for host in settings.hosts for e in host.entries)]
    return [each.alias.location for each in written if each.alias.answer is not None]


def statuses(found: Imported) -> list[int]:
    """The statuses with which URLs are closed for every host."""
    assert found.settings is not None
    answers = [each.alias.answer for each in found.settings.entries]
    return [each.status for each in answers if isinstance(each, Denial)]


def note(found: Imported, site: Path, line: int = 2) -> str:
    [outcome] = [e for e in found.outcomes if e.spot.file == "site.conf" and e.spot.line == line]
    return f"{outcome.category}: {outcome.note}".replace(str(site), "{ROOT}")


APP = "WSGIScriptAlias /app {ROOT}/app/app.wsgi"
TOOLS = "WSGIScriptAlias /tools {ROOT}/tools"


@pytest.mark.parametrize(
    ("file", "text", "lines", "expected"),
    [
        pytest.param("app", "Require valid-user", [APP], ["/app"], id="beside the script"),
        pytest.param("", "Require valid-user", [APP, TOOLS], ["/app", "/tools"], id="above it"),
        pytest.param("app", "Deny from all", [APP, TOOLS], ["/app"], id="a rule of the other kind"),
        pytest.param("tools/sub", "Require user x", [TOOLS], ["/tools/sub"], id="below a folder"),
        pytest.param(
            "app",
            "RewriteEngine On\nRewriteRule .* - [F]",
            [APP],
            ["/app"],
            id="a rule that refuses",
        ),
        pytest.param(
            "app", "<Files app.wsgi>\nRequire user x\n</Files>", [APP], ["/app"], id="its name"
        ),
        pytest.param(
            "app",
            "<IfModule mod_authz_core.c>\nRequire user x\n</IfModule>",
            [APP],
            ["/app"],
            id="in an IfModule",
        ),
        pytest.param("app", "Require all granted", [APP], [], id="everybody gets in"),
        pytest.param("app", "DirectoryIndex x", [APP], [], id="something else"),
        pytest.param("app", "Require valid-user", [TOOLS], [], id="beside another script"),
    ],
)
def test_what_a_file_protects_is_closed(site, file, text, lines, expected):
    (site / file / ".htaccess").write_text(text)

    assert closed(imported(site, *allowed("All"), *lines)) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(allowed("All"), ["/app"], id="allowed"),
        pytest.param(allowed("AuthConfig"), ["/app"], id="some of them"),
        pytest.param(allowed("All", "/"), ["/app"], id="from the root on"),
        pytest.param(allowed("All", "{ROOT}/*"), ["/app"], id="by a wildcard"),
        pytest.param(
            ["<Directory {ROOT}>", "AllowOverrideList Require", "</Directory>"],
            ["/app"],
            id="a list",
        ),
        pytest.param(
            [
                "<Directory {ROOT}>",
                *("AllowOverrideList Require", "AllowOverride None", "</Directory>"),
            ],
            ["/app"],
            id="a list beside none",
        ),
        pytest.param([], [], id="nobody allows it"),
        pytest.param(allowed("None"), [], id="forbidden"),
        pytest.param([*allowed("None", "{ROOT}/app"), *allowed("All")], [], id="the last forbids"),
        pytest.param(allowed("All", "{ROOT}/tools"), [], id="elsewhere"),
        pytest.param([*allowed("All"), "AccessFileName .acl"], [], id="another name"),
    ],
)
def test_a_file_counts_where_it_is_allowed(site, lines, expected):
    (site / "app" / ".htaccess").write_text("Require valid-user")

    assert closed(imported(site, *lines, APP)) == expected


@pytest.mark.parametrize(
    ("what", "text", "reason"),
    [
        pytest.param("FileInfo", "Require all granted", "Require", id="Require"),
        pytest.param("Limit", "AuthType Basic", "AuthType", id="a login"),
        pytest.param("Limit FileInfo", "Satisfy any", "Satisfy", id="Satisfy"),
        pytest.param("AuthConfig", "Order deny,allow", "Order", id="Order"),
        pytest.param("Options", "SSLRequireSSL", "SSLRequireSSL", id="TLS"),
    ],
)
def test_a_rule_that_may_not_stand_in_a_file_closes_the_folder(site, what, text, reason):
    """As observed: Apache answers 500 then."""
    (site / "app" / ".htaccess").write_text(text)

    found = imported(site, *allowed(what), APP)

    assert closed(found) == ["/app"]
    assert statuses(found) == [500]
    assert note(found, site) == (
        f"needs you: {{ROOT}}/app/.htaccess: AllowOverride does not allow {reason}; "
        "/app: 500 until you decide"
    )


def test_a_file_that_apache_refuses_closes_with_500_and_one_that_cannot_be_opened_with_403(site):
    (site / "app" / ".htaccess").write_text("<Files>")
    (site / "tools" / ".htaccess").write_text("")
    missing = {str(site / "tools" / ".htaccess")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_files, "read_text_of", lambda path, most: _read(path, missing))
        found = [statuses(imported(site, *allowed("All"), alias)) for alias in (APP, TOOLS)]

    assert found == [[500], [403]]


def _read(path, missing):
    if path in missing:
        raise Unreadable("it cannot be read", "let it be read")
    return Path(path).read_text()


def test_a_rule_of_a_folder_below_keeps_its_status(site):
    (site / ".htaccess").write_text("Require valid-user")
    (site / "app" / ".htaccess").write_text("<Files>")

    assert statuses(imported(site, *allowed("All"), APP, TOOLS)) == [500, 403]


def test_allow_methods_may_stand_in_no_file(site):
    (site / "app" / ".htaccess").write_text("AllowMethods reset")

    found = imported(site, *allowed("All"), APP)

    assert closed(found) == ["/app"]


def test_rules_of_a_file_are_said_as_those_of_a_section(site):
    (site / "app" / ".htaccess").write_text("Require ip 10")
    text = "\n".join([*allowed("AuthConfig"), APP, ""]).replace("{ROOT}", str(site))

    found = import_configuration(read_text(text, "site.conf"))

    assert closed(found) == []
    assert found.settings is not None
    [section] = found.settings.access
    assert (section.entry.location, section.entry.options) == ("/app", {"require": "ip 10"})
    assert [str(each) for each in section.spots] == [f"{site}/app/.htaccess:1"]


def test_a_file_of_another_name_counts_where_it_is_named(site):
    (site / "app" / ".acl").write_text("Require valid-user")

    assert closed(imported(site, "AccessFileName .no .acl", *allowed("All"), APP)) == ["/app"]


def test_a_file_comes_after_the_sections_for_its_folder(site):
    (site / "app" / ".htaccess").write_text("Require valid-user")
    granted = ["<Directory {ROOT}/app>", "Require all granted", "</Directory>"]
    lines = [*allowed("All"), "<VirtualHost *:80>", *granted, APP, "</VirtualHost>"]

    assert closed(imported(site, *lines)) == ["/app"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([*allowed("All"), APP], id="of its own"),
        pytest.param(allowed("All"), id="of the main server"),
        pytest.param([*allowed("None", "{ROOT}/tools"), *allowed("All")], id="among others"),
    ],
)
def test_a_virtual_host_may_allow_files_itself(site, lines):
    (site / "app" / ".htaccess").write_text("Require valid-user")
    host = ["<VirtualHost *:80>", *lines, "</VirtualHost>"]

    assert closed(imported(site, APP, *host)) == ["/app"]


@pytest.mark.parametrize("rule", ["Satisfy all", "Order deny,allow", "Allow from all"])
def test_a_file_that_a_virtual_host_does_not_allow_opens_nothing_there(site, rule):
    (site / ".htaccess").write_text("Order allow,deny")
    (site / "app" / ".htaccess").write_text(rule)
    host = ["<VirtualHost *:80>", *allowed("None", "{ROOT}/app"), APP, "</VirtualHost>"]

    assert closed(imported(site, *allowed("All"), *host)) == ["/app"]


def test_an_option_in_a_file_is_one_of_the_entry(site):
    (site / "app" / ".htaccess").write_text("WSGICallableObject app")

    settings = imported(site, *allowed("All"), APP).settings

    assert settings is not None
    assert [each.alias.callable_object for each in settings.entries] == ["app"]


def test_the_report_names_the_file(site):
    (site / "app" / ".htaccess").write_text("AuthType Basic\nRequire valid-user")

    found = imported(site, *allowed("All"), APP)

    assert note(found, site) == "changed: {ROOT}/app/.htaccess is read"
    assert [f"{each.spot}".replace(str(site), "") for each in found.outcomes[-2:]] == [
        "/app/.htaccess:1",
        "/app/.htaccess:2",
    ]
    [_, line] = protected_lines(found)
    assert re.sub(" +", " ", line).replace(str(site), "") == (
        "closed /app: /app/.htaccess:2: Require valid-user"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("<Files x>", "<Files> was not closed", id="an open section"),
        pytest.param(
            "Require\0", "a NUL byte, behind which Apache does not read the line", id="NUL"
        ),
        pytest.param("\xef\xbb\xbf# x", "a byte order mark", id="a byte order mark"),
        pytest.param(
            "<VirtualHost *:80>\nWSGIScriptAlias / /tmp/a.wsgi\n</VirtualHost>",
            "<VirtualHost> is not allowed in such a file",
            id="a host",
        ),
        pytest.param(
            "<Directory />\nRequire all granted\n</Directory>",
            "<Directory> is not allowed in such a file",
            id="another folder",
        ),
        pytest.param(
            "WSGIScriptAlias / /tmp/a.wsgi", "WSGIScriptAlias is not allowed", id="an alias"
        ),
        pytest.param(
            "Alias / /tmp/a.wsgi\nSetHandler wsgi-script\nOptions +ExecCGI",
            "Alias is not allowed",
            id="an alias by a handler",
        ),
        pytest.param("WSGIDaemonProcess x", "WSGIDaemonProcess is not allowed", id="a group"),
        pytest.param("User root", "User is not allowed", id="a user"),
        pytest.param("AllowOverride None", "AllowOverride is not allowed", id="no more such files"),
        pytest.param("Include /etc/hostname", "Include is not allowed", id="another file"),
    ],
)
def test_a_file_that_cannot_be_read_closes_its_folder_and_is_named(site, text, reason):
    (site / "app" / ".htaccess").write_bytes(text.encode("latin-1"))

    found = imported(site, *allowed("All"), APP, TOOLS)

    assert closed(found) == ["/app"]
    assert note(found, site).startswith(f"needs you: {{ROOT}}/app/.htaccess: {reason}")
    assert found.needs_you


def test_where_no_file_lies_nothing_is_needed(site):
    assert note(imported(site, *allowed("All"), APP), site) == (
        "not needed: There is no such file on the path to a script"
    )


def test_a_folder_that_is_not_there_needs_the_user(site):
    found = imported(site, *allowed("All"), "WSGIScriptAlias / {ROOT}/gone/a.wsgi")

    assert note(found, site) == (
        "needs you: {ROOT}/gone is not on this machine: look there for .htaccess files, as their "
        "rules are missing here"
    )


@pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)
@pytest.mark.parametrize("seed", mostly_thorough(["f-3", "f-8", "f-17"]))
def test_random_files_are_opened_nowhere_in_silence(seed):
    found = compare_random(seed, "overrides")

    assert found.opened == [], str(found)
