"""The doctor at single entries: what must be found is found, and sound entries stay in peace."""

from __future__ import annotations

from typing import Any

import pytest

from django_wsgimatch import script_alias_match
from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.cli.preview import previews, site_with_views
from django_wsgimatch.conf import configuration
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.table.wholes import nested
from django_wsgimatch.entries import Entry, to_alias
from tests.doctor import tables as doctor_tables
from tests.doctor.cases import FOUND, ONE, SOUND

FILES = [ONE, "tools.wsgi", "a.wsgi", "sites/a/wsgi.py"]


def spelled(entry: Any) -> str:
    """An entry as a test is called."""
    text = f"{entry.location!s} to {entry.target!s}" if isinstance(entry, Entry) else str(entry)
    return text.encode("unicode_escape").decode()


@pytest.fixture
def site(tmp_path):
    doctor_tables.write(tmp_path, FILES)
    return tmp_path


def test_both_lists_are_long_enough_to_mean_something():
    assert min(len(FOUND), len(SOUND)) >= 40


@pytest.mark.parametrize(
    ("entry", "ids", "proof"), [pytest.param(*case, id=spelled(case[0])) for case in FOUND]
)
def test_what_is_wrong_is_found(site, settings, entry, ids, proof):
    found = doctor_tables.found(settings, site, [entry])

    assert {each.id for each in found} == set(ids.split())
    assert any(proof in each.message for each in found), found


@pytest.mark.parametrize("entry", [pytest.param(entry, id=spelled(entry)) for entry in SOUND])
def test_sound_entry_stays_in_peace(site, settings, entry):
    assert doctor_tables.found(settings, site, [entry]) == []


CURED = [case[0] for case in FOUND if "W050" in case[1] and isinstance(case[0], Entry)]


@pytest.mark.parametrize("entry", [pytest.param(entry, id=spelled(entry)) for entry in CURED])
def test_each_line_to_paste_for_a_whole_url_gives_the_application_its_path(site, settings, entry):
    [hint] = [f.hint for f in doctor_tables.found(settings, site, [entry]) if f.id == "W050"]

    lines = [part.rstrip(".") for part in hint.split(": ") if part.startswith("script_alias")]
    lines = [line.partition(". To give")[0] for line in lines]

    assert lines
    for line in lines:
        cured = eval(line, {"script_alias_match": script_alias_match})
        alias = to_alias(cured, process_groups=(), variables={})
        table = AliasTable([alias])
        ends = {
            str(resolve(table, uri, rules=Rules(base_directory=str(site))).path_info)
            for uri in ("/blog/x", "/blog/x/y", *_below(entry))
        }
        assert len(ends) > 1, line


def _below(entry: Entry) -> list[str]:
    """URLs that the pattern of an entry takes, whatever it is."""
    pattern = str(entry.location)
    heads = ["blog", "ui", "a", "shop", "news", "sites/a", "mountpoint", "manager", "ftp", "c++"]
    uris = [f"/{head}{tail}" for head in heads for tail in ("/x/y/", "/x/y", "/x/z", "/zz/1/")]
    table = AliasTable([to_alias(entry, process_groups=(), variables={})])
    more = ["/wiki/a/1", "/wiki/a/2", "/blog/0000", "/blog/0001"]
    more += ["/annex/objects/a", "/annex/objects/b"]
    found = [uri for uri in (*uris, *more) if table.match(uri)]
    assert found, pattern
    return found


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def application(e, s): return e['SCRIPT_NAME']\n", id="reads SCRIPT_NAME"),
        pytest.param("application = lambda e, s: e['REQUEST_URI']\n", id="reads REQUEST_URI"),
        pytest.param("def application(e, s): s('503 Down', []); return []\n", id="is never there"),
    ],
)
def test_script_that_knows_better_may_take_whole_urls(tmp_path, settings, source):
    doctor_tables.write(tmp_path, {ONE: source})

    assert doctor_tables.found(settings, tmp_path, [script_alias_match("^/x/.*", ONE)]) == []


def test_what_an_earlier_alias_takes_is_no_proof(site, settings):
    """Only the one URL is left for the second alias."""
    aliases = [script_alias_match("^/x/", f"{ONE}/x/"), script_alias_match("^/x(/.*)?$", ONE)]

    found = doctor_tables.found(settings, site, aliases)

    assert "W050" not in {each.id for each in found if each.where == "WSGIMATCH_ALIASES[1]"}


def test_encoded_slashes_that_are_kept_may_be_written(site, settings):
    aliases = [script_alias_match("^/a%2Fb", ONE)]

    assert doctor_tables.found(settings, site, aliases, allow_encoded_slashes="NoDecode") == []


@pytest.mark.parametrize(
    ("target", "warnings"),
    [
        pytest.param(
            "/blog/about/",
            (
                (
                    "The pattern takes the whole URL. To mount the application below its prefix: "
                    "script_alias_match('^/blog(?=/|$)', 'app.wsgi'). To give it the path: "
                    "script_alias_match('^/blog/.*', 'app.wsgi$0'). (W050)"
                ),
            ),
            id="one of many whole URLs",
        ),
        pytest.param("/robots.txt", (), id="the only URL of its alias"),
    ],
)
def test_a_preview_says_that_the_whole_url_is_taken(site, settings, target, warnings):
    settings.BASE_DIR = site
    settings.WSGIMATCH_ALIASES = [
        script_alias_match("^/blog/.*", ONE),
        script_alias_match(r"^/robots\.txt$", ONE),
    ]
    configured = configuration()

    [shown] = previews(configured, site_with_views(configured), [target])

    assert shown.warnings == warnings


@pytest.mark.parametrize("entry", [pytest.param(entry, id=spelled(entry)) for entry in CURED])
def test_the_proof_is_what_the_two_urls_get(site, entry):
    alias = to_alias(entry, process_groups=(), variables={})
    table, rules = AliasTable([alias]), Rules(base_directory=str(site))

    whole = nested(Subject("entry", entry, table, 0), rules)

    assert whole is not None
    one, other = (resolve(table, uri, rules=rules) for uri in (whole.one, whole.other))
    assert one.status == other.status == 200
    assert (one.script, one.path_info) == (other.script, other.path_info)
    assert one.script_name != other.script_name
