from __future__ import annotations

import re

import pytest

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.outcomes.answers import ANSWERS, answer_for
from django_wsgimatch.apache.outcomes.outcome import CATEGORIES
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.cli.imports import import_summary, remark_lines, report_lines
from tests.support.imports import CONFIGURATIONS, import_lines, notes_of
from tests.thorough import mostly_thorough

WITH_CONFIGURATIONS = sorted(CONFIGURATIONS.glob("*.conf"))
SOME_ALWAYS = mostly_thorough(WITH_CONFIGURATIONS, *WITH_CONFIGURATIONS[::8])
needs_configurations = pytest.mark.skipif(
    not WITH_CONFIGURATIONS, reason="needs the folder of real configurations"
)
ALIAS = "WSGIScriptAlias / /srv/a.wsgi"


@pytest.mark.parametrize(
    ("line", "category"),
    [
        pytest.param("Alias /static /srv/static", "kept", id="static files"),
        pytest.param("alias /static /srv/static", "kept", id="in lower case"),
        pytest.param("Alias /static static", "needs you", id="a path that no line completes"),
        pytest.param("RewriteRule ^/x /y", "needs you", id="a rule"),
        pytest.param("RewriteEngine Off", "not needed", id="rules that are off"),
        pytest.param("Require ip 10.0.0.0/8", "needs you", id="an access rule"),
        pytest.param("SSLCertificateFile /x", "not needed", id="a certificate of no server"),
        pytest.param("AddDefaultCharset UTF-8", "kept", id="a charset"),
        pytest.param("AddDefaultCharset Off", "not needed", id="no such header"),
        pytest.param("ExpiresDefault A3600", "not needed", id="a header that is off"),
        pytest.param("ServerPath /x", "not needed", id="for old browsers"),
        pytest.param("SetEnv TZ UTC", "kept", id="a variable"),
        pytest.param("PassEnv TZ", "changed", id="a variable of Apache's environment"),
        pytest.param("SetEnv no-gzip 1", "not needed", id="a variable of Apache's own"),
        pytest.param("SetEnvIf Request_URI x dontlog", "not needed", id="for logs"),
        pytest.param("SetEnvIfExpr true dontlog", "not needed", id="for logs, by an expression"),
        pytest.param("SetEnvIf Request_URI x dontlog a", "needs you", id="and for applications"),
        pytest.param(
            "BrowserMatch x nokeepalive ssl-unclean-shutdown",
            "not needed",
            id="for old browsers, too",
        ),
        pytest.param("AddOutputFilter deflate;x css", "needs you", id="another filter, too"),
        pytest.param("AllowOverride None", "not needed", id="no files in directories"),
        pytest.param("AllowOverride All", "needs you", id="files in directories"),
        pytest.param("Listen 80", "changed", id="a port"),
        pytest.param("SetOutputFilter DEFLATE", "changed", id="a filter that compresses"),
        pytest.param("AddOutputFilterByType DEFLATE text/css", "changed", id="of some types"),
        pytest.param("SetOutputFilter INCLUDES", "needs you", id="a filter that changes bodies"),
        pytest.param("LimitRequestFields 50", "changed", id="a limit of gunicorn's"),
        pytest.param("ErrorDocument 401 no", "not needed", id="a page that nobody gets"),
        pytest.param("ErrorDocument 404 no", "kept", id="a page that some get"),
        pytest.param("ErrorDocument 404 /%{x}", "needs you", id="a page by an expression"),
        pytest.param("ErrorDocument 502 no", "not needed", id="a page of a proxy"),
        pytest.param("MellonEnable auth", "needs you", id="a module's, by its beginning"),
        pytest.param("Frobnicate On", "unknown", id="a name nobody knows"),
        pytest.param("Options Indexes FollowSymLinks", "not needed", id="links are followed"),
        pytest.param("Options None", "kept", id="links are not followed"),
        pytest.param("AcceptPathInfo On", "not needed", id="as it is here"),
        pytest.param("AllowEncodedSlashes NoDecode", "kept", id="a setting"),
        pytest.param("WSGISocketPrefix run/wsgi", "not needed", id="where sockets lie"),
    ],
)
def test_every_directive_has_an_answer(line, category):
    assert notes_of(line, ALIAS)[1].startswith(f"{category}: ")


def test_what_is_switched_off_is_reported():
    lines = ["<IfVersion < 2.4>", "Order deny,allow", "</IfVersion>"]

    assert notes_of(*lines)[2].startswith("off: ")


def test_a_refused_line_leaves_no_settings():
    imported = import_lines(ALIAS, "WSGIScriptAlias /x {{ target }}")

    assert imported.settings is None
    assert imported.needs_you
    assert [each.category for each in imported.outcomes] == ["refused", "not needed"]


def test_links_that_are_followed_from_the_root_on_are_a_setting():
    notes = notes_of("<Directory />", "Options SymLinksIfOwnerMatch", "</Directory>", ALIAS)

    assert notes[2] == "kept: WSGIMATCH_FOLLOW_SYMLINKS"


def test_links_that_one_folder_does_not_follow_are_told_of():
    notes = notes_of("<Directory /srv>", "Options None", "</Directory>", ALIAS)

    assert notes[2] == (
        "changed: symbolic links on the way to scripts are followed: "
        "WSGIMATCH_FOLLOW_SYMLINKS = False refuses them everywhere"
    )


def test_path_info_that_is_refused_needs_the_user():
    notes = notes_of("<Location /a>", "AcceptPathInfo Off", "</Location>", ALIAS)

    assert notes[2].startswith("needs you: <Location /a> applies to some URLs of")


def test_a_setting_that_differs_between_entries_needs_the_user():
    notes = notes_of(
        "<Directory /srv/b>",
        "WSGIScriptReloading Off",
        "</Directory>",
        "WSGIScriptAlias /a /srv/a/a.wsgi",
        "WSGIScriptAlias /b /srv/b/b.wsgi",
    )

    assert notes[2] == (
        "needs you: it applies to some entries only, but WSGIMATCH_SCRIPT_RELOADING applies to "
        "all: it is True now"
    )


def test_encoded_slashes_are_not_handed_down_to_virtual_hosts():
    notes = notes_of("AllowEncodedSlashes On", "<VirtualHost *>", ALIAS, "</VirtualHost>")

    assert notes[1] == "not needed: It applies to no alias of this file"


@pytest.mark.parametrize(
    ("line", "beginning"),
    [
        pytest.param("WSGIScriptAlias / a.wsgi", "its target is relative", id="a relative target"),
        pytest.param("WSGIScriptAlias / /${NONE}/a.wsgi", "its variable", id="no value"),
        pytest.param("WSGIScriptAliasMatch ( /a.wsgi", "Regular expression", id="no pattern"),
    ],
)
def test_an_alias_that_cannot_be_as_it_was_needs_the_user(line, beginning):
    assert notes_of(line)[1].startswith(f"needs you: {beginning}")


# The lines


def test_lines_name_what_became_of_each_directive_and_where_it_stands():
    imported = import_lines("ServerAdmin me", ALIAS, "WSGIApplicationGroup  one")

    assert list(report_lines(imported.outcomes)) == [
        "not needed  site.conf:1: ServerAdmin me: Only shown on Apache's own pages",
        "kept        site.conf:2: WSGIScriptAlias / /srv/a.wsgi: an entry",
        "kept        site.conf:3: WSGIApplicationGroup one: application_group='one' of /",
    ]
    assert import_summary(imported.outcomes) == "3 directives: 2 kept, 1 not needed."


def test_characters_that_move_a_cursor_are_escaped():
    [line] = report_lines(import_lines("ServerAdmin \x1b[2J").outcomes)

    assert "ServerAdmin \\x1b[2J" in line


def test_variables_without_a_value_are_remarked():
    [line] = remark_lines(import_lines("ErrorLog ${APACHE_LOGS}/error.log"))

    assert line.startswith("remark      site.conf:1: ${APACHE_LOGS} has no value")


# The table of answers


def test_answers_have_a_category_and_a_note_that_is_a_sentence():
    for name, answer in ANSWERS.items():
        assert answer.category in CATEGORIES, name
        assert answer.note[0].isupper() or answer.note[0] in "`_", name
        assert not answer.note.endswith("."), name


def test_a_name_is_found_by_its_beginning():
    assert answer_for("proxypassinterpolateenv") == ANSWERS["Proxy*"]


# Nothing is lost


@needs_configurations
@pytest.mark.parametrize("path", SOME_ALWAYS, ids=lambda path: path.name[:40])
def test_every_directive_of_a_real_configuration_is_reported(path):
    configuration = read_file(str(path))

    imported = import_configuration(configuration)

    lines = [*configuration.directives, *configuration.refusals]
    assert len(imported.outcomes) == len(lines)
    assert (imported.settings is None) == bool(configuration.refusals)
    assert all(each.spot.line > 0 for each in imported.outcomes)


@needs_configurations
@pytest.mark.parametrize("step", mostly_thorough([8, 1]), ids="one in {}".format)
def test_as_many_directives_are_reported_as_the_files_have(step):
    """Counted by hand, as far as that goes: macros and Includes are read more or less than once."""
    for path in WITH_CONFIGURATIONS[::step]:
        text = path.read_text("latin-1")
        if re.search(r"<Macro|^\s*Include", text, re.MULTILINE):
            continue
        configuration = read_file(str(path))
        if configuration.refusals:
            continue

        joined = re.sub(r"\\\n", "", text)
        lines = [line.strip() for line in joined.split("\n")]
        written = [line for line in lines if line and line[0] not in "#<"]

        assert len(import_configuration(configuration).outcomes) == len(written), path.name


def test_the_note_on_trusted_proxies_promises_no_address():
    note = answer_for("RemoteIPUseful").note

    assert "--forwarded-allow-ips sets only the scheme" in note
