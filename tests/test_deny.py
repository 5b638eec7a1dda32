"""Entries that refuse what they match: the first of those that need no application."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from django_wsgimatch import deny, deny_match, script_alias
from django_wsgimatch.aliases.alias import Alias, Denial
from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.checks import check_settings, file_system_findings, to_message
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.entries import to_alias
from django_wsgimatch.exceptions import DirectiveError
from tests.support.commands import run

NOTHING: Any = None
IMPORTED = "an access rule of Apache stood here: site.conf:12"
SCRIPT = (
    "def application(environ, start_response):\n    start_response('200 OK', [])\n    return []\n"
)


def alias_of(entry):
    return to_alias(entry, process_groups=(), variables={})


def check_files():
    return [to_message(finding) for finding in file_system_findings(configuration())]


def closed(location, kind="plain", note=""):
    return Alias(location, "", kind, answer=Denial(note))


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "a.wsgi"
    path.write_text(SCRIPT)
    return str(path)


@pytest.fixture
def status_of(script):
    """The status that a dispatcher answers with, asked with a path as a server passes it on."""

    def ask(dispatcher, target):
        found = []
        environ = {
            "REQUEST_METHOD": "GET",
            "RAW_URI": target,
            "PATH_INFO": target,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "main.test",
            "HTTP_HOST": "main.test",
            "wsgi.errors": io.StringIO(),
        }
        list(dispatcher(environ, lambda status, headers, *rest: found.append(status)))
        return found[0]

    return ask


@pytest.mark.parametrize(
    ("entry", "alias"),
    [
        pytest.param(deny("/a"), closed("/a"), id="a prefix"),
        pytest.param(deny_match("^/a"), closed("^/a", "match"), id="a pattern"),
        pytest.param(deny("/\u0142"), closed("/\xc5\x82"), id="text is its UTF-8 bytes"),
        pytest.param(deny(b"/\xe9", note="why"), closed("/\xe9", note="why"), id="with a note"),
    ],
)
def test_an_entry_is_an_alias_with_an_answer(entry, alias):
    assert alias_of(entry) == alias


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(deny(""), "the location should be non-empty text, not ''", id="empty"),
        pytest.param(deny_match(NOTHING), "the pattern should be non-empty text", id="no pattern"),
        pytest.param(deny("/a", note=NOTHING), "note should be a string, not None", id="no note"),
        pytest.param(
            deny("/a", status=NOTHING), "status should be 403, 404 or 500, not None", id="no status"
        ),
    ],
)
def test_what_is_no_entry_is_told(entry, message):
    with pytest.raises(DirectiveError, match=message):
        alias_of(entry)


@pytest.mark.parametrize(
    "first", [closed("/a"), closed("^/a(/|$)", "match")], ids=["plain", "match"]
)
@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/a", 403, id="the location"),
        pytest.param("/a/b?c", 403, id="below it"),
        pytest.param("/%61/b", 403, id="escaped"),
        pytest.param("//a", 403, id="with a second slash"),
        pytest.param("/x/../a", 403, id="through a segment above"),
        pytest.param("/ab", 200, id="a longer name"),
        pytest.param("/", 200, id="above it"),
    ],
)
def test_a_closed_url_is_refused_however_it_is_written(first, target, status, script):
    table = AliasTable([first, Alias("/", script)])

    assert resolve(table, target).status == status


def test_what_is_closed_may_be_as_if_nothing_were_there(script, status_of):
    table = AliasTable([alias_of(deny("/a", status=404)), Alias("/", script)])

    assert status_of(Dispatcher(table, lambda *given: []), "/a/x") == "404 Not Found"


def test_an_earlier_entry_still_answers(script):
    table = AliasTable([Alias("/a/open", script), closed("/a")])

    assert [resolve(table, target).status for target in ("/a/open", "/a/x")] == [200, 403]


def test_slashes_that_are_not_merged_lead_round_no_closed_prefix(script):
    table = AliasTable([closed("/a/b"), Alias("/", script)])

    assert resolve(table, "/a//b/c", rules=Rules(merge_slashes=False)).status == 403


@pytest.mark.parametrize(
    ("alias", "reason"),
    [
        pytest.param(closed("/a"), "deny('/a') refuses it", id="without a note"),
        pytest.param(
            closed("^/a", "match", "see\nabove"),
            r"deny_match('^/a') refuses it: see\nabove",
            id="a note on one line",
        ),
    ],
)
def test_the_reason_names_the_entry_and_its_note(alias, reason):
    assert resolve(AliasTable([alias]), "/a").reason == reason


def test_no_directory_of_scripts_comes_from_it():
    assert derive_roots([closed("/a"), Alias("/", "/srv/a.wsgi")], "/home") == ("/srv",)


def test_it_refuses_before_and_after_other_urls_have_become_known(script, status_of):
    dispatcher = Dispatcher(AliasTable([closed("/a"), Alias("/", script)]))

    statuses = [status_of(dispatcher, target) for _ in range(20) for target in ("/a/x", "/x")]

    assert set(statuses[::2]) == {"403 Forbidden"}
    assert set(statuses[1::2]) == {"200 OK"}


def test_it_keeps_the_fallback_from_answering(status_of):
    def fallback(environ, start_response):
        start_response("200 OK", [])
        return []

    dispatcher = Dispatcher(AliasTable([closed("/a")]), fallback)

    assert [status_of(dispatcher, t) for t in ("/a", "/b")] == ["403 Forbidden", "200 OK"]


def test_the_log_has_the_reason_and_the_client_has_not(caplog, status_of):
    caplog.set_level(logging.INFO, "django_wsgimatch")
    dispatcher = Dispatcher(AliasTable([closed("/a", note="secret reason")]))

    status_of(dispatcher, "/a")

    assert caplog.messages == ["/a: deny('/a') refuses it: secret reason"]


# What the commands say


@pytest.fixture
def site(settings, script, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [
        deny("/a", note=IMPORTED),
        deny_match(r"^/b(?=/|$)", note="ours"),
        script_alias("/", script),
    ]
    return settings


def test_the_list_shows_it(site):
    found = json.loads(run("list", "--json")[0])

    assert [(row["kind"], row["location"], row["state"], row["reason"]) for row in found[:2]] == [
        ("deny", "/a", "denied", IMPORTED),
        ("deny_match", "^/b(?=/|$)", "denied", "ours"),
    ]
    assert {row[name] for row in found[:2] for name in ("target", "script", "process_group")} == {
        None
    }
    assert "denied: ours" in run("list")[0]


def test_a_preview_shows_who_refuses(site):
    [found] = json.loads(run("preview", "--json", "/a/x")[0])

    assert (found["status"], found["alias"], found["directive"]) == (403, 0, "deny /a")
    assert (found["filename"], found["script"], found["view"]) == (None, None, None)
    assert found["warnings"] == [f"403: deny('/a') refuses it: {IMPORTED}."]


def test_a_check_warns_of_what_an_import_has_closed_and_of_nothing_else(site):
    found = [*check_settings(), *check_files()]

    assert [(each.id, each.msg.partition(":")[0]) for each in found] == [
        ("wsgimatch.W065", "WSGIMATCH_ALIASES[0]")
    ]


def test_a_check_does_not_ask_to_open_what_an_import_has_closed(site, script):
    site.WSGIMATCH_ALIASES = [deny("/", note=IMPORTED), script_alias("/a", script)]

    assert [each.id for each in check_files()] == []


def test_a_check_finds_an_entry_that_refuses_nothing(site, script):
    site.WSGIMATCH_ALIASES = [script_alias("/", script), deny("/a", note=IMPORTED)]

    assert [each.id for each in check_files()] == ["wsgimatch.W006"]
