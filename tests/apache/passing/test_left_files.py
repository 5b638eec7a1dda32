"""Rules that pass on what is no file: the files of DocumentRoot come first."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Rewriting
from django_wsgimatch.answers.rewriting.rewrites import is_rewriting
from django_wsgimatch.apache.covering.coverage import FileKind
from django_wsgimatch.apache.writing.fragment import values
from tests.support.imports import notes_of, section, settings_of

APP = "WSGIScriptAlias /app /srv/app.wsgi"
ROOT = ["DocumentRoot /srv/www", "RewriteEngine On"]
NO_FILE = "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f"
PASSES = "RewriteRule ^(.*)$ /app$1 [PT,L]"
FILES: dict[str, FileKind] = {"/srv": "directory", "/srv/www": "directory"}
NO_PROGRAMS = r"(?!.*?(?:\.(?:php\d?|phtml|phps|phar)(?:\.|$)))"


def written(*lines):
    """The patterns of the files that come first, and of the entries that rewrite."""
    found = values(settings_of(*ROOT, *lines, files=FILES))
    first = [(each["location"], each["options"]) for each in found.get("WSGIMATCH_FILES_FIRST", [])]
    rewriting = [e for e in found["WSGIMATCH_ALIASES"] if e["kind"] == "RewriteRule"]
    return first, [each["location"] for each in rewriting]


def test_what_aliases_have_is_no_file():
    found = written(NO_FILE, PASSES, "Alias /static /srv/static", APP)

    assert found == (
        [(rf"^{NO_PROGRAMS}(?!/static(?:/|$))(?!/app(?:/|$))(?s:/.*)", {})],
        ["^(.*)$"],
    )


def test_what_another_rule_passes_on_is_no_file():
    first, rewriting = written("RewriteRule ^/b/ /app/b [PT]", NO_FILE, PASSES, APP)

    assert [location.count("(?!/b/)") for location, _ in first] == [1]
    assert rewriting == ["^/b/", "^(.*)$"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([NO_FILE, PASSES, APP, "WSGIScriptAlias / /srv/x.wsgi"], id="an alias of all"),
        pytest.param([NO_FILE, PASSES, APP, "Redirect /x /y"], id="a redirect of the files' URLs"),
        pytest.param([NO_FILE, PASSES, "RewriteRule ^/x - [F]", APP], id="a rule behind it"),
        pytest.param(
            ["RewriteCond /srv/other%{REQUEST_URI} !-f", PASSES, APP], id="another folder"
        ),
    ],
)
def test_what_cannot_be_said_is_left(lines):
    assert written(*lines) == ([], [])


def test_the_rule_refuses_where_somebody_may_not_have_the_files():
    protected = section("Directory /srv/www", "Require ip 10.0.0.0/8")
    lines = [*ROOT, NO_FILE, PASSES, APP, *protected]

    aliases = [each.alias for each in settings_of(*lines, files=FILES).entries]
    note = notes_of(*lines, files=FILES)[4]

    assert [each.answer for each in aliases if is_rewriting(each)] == [
        Rewriting("^(.*)$", "", status=403)
    ]
    assert written(*lines[2:])[0] == []
    assert note.startswith("needs you: The URLs of the rule: 403 until you decide; ")
