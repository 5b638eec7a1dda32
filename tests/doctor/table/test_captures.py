from __future__ import annotations

import os
from pathlib import Path

import pytest

from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.aliases.target import split_filename
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.table import captures
from django_wsgimatch.doctor.table.captures import capture_findings
from django_wsgimatch.doctor.targets.files import survey
from django_wsgimatch.doctor.targets.listing import Listings


@pytest.fixture
def site(tmp_path, monkeypatch):
    for name in ("scripts/blog.wsgi", "scripts/tool.wsgi", "site/app.wsgi", "app.wsgi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("def application(environ, start_response): ...\n")
    (tmp_path / "site/media").mkdir()
    monkeypatch.setattr(captures, "_open_directories", lambda: ("/var/tmp", "/tmp"))
    return tmp_path


def found(site: Path, *lines: str, media: str | None = None, **rules):
    """What is said of the first of some aliases."""
    directives = [f"WSGIScriptAlias{line}" for line in lines]
    table = AliasTable.from_directives(directives)
    base = str(site)
    roots = derive_roots(table.aliases, base)
    all_rules = Rules(base_directory=base, **{"roots": roots, **rules})
    subject = Subject("entry", directives[0], table, 0)
    place = survey(subject.alias, all_rules, Listings())
    above = os.path.join(base, media) if media else None
    return list(capture_findings(subject, place, all_rules, above))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([" /blog scripts/blog.wsgi"], id="one script"),
        pytest.param([" /run scripts"], id="directory of scripts"),
        pytest.param(["Match ^/run/([^/]+) scripts/$1.wsgi"], id="script by one name"),
        pytest.param(["Match ^/run/(.+)$ scripts/$1"], id="as a directory"),
        pytest.param(["Match ^/~([^/]+) site/$1/app.wsgi"], id="one directory for each"),
        pytest.param(
            ["Match ^/app/(.*)$ scripts/blog.wsgi/$1", " /t scripts/tool.wsgi"], id="whole names"
        ),
        pytest.param(
            ["Match ^/app(/.*)?$ scripts/blog.wsgi$1", " /t scripts/tool.wsgi"],
            id="slash and the rest together",
        ),
        pytest.param(["Match ^/app/?(.*)$ scripts/blog.wsgi/$1"], id="only what the roots refuse"),
        pytest.param(["Match ^/(srv|opt)/run /$1/app.wsgi"], id="two directories of the system"),
        pytest.param(["Match ^/x$ scripts/$9/x.wsgi"], id="a group that there is not"),
        pytest.param([" /x site/$1/app.wsgi"], id="a plain alias fills nothing in"),
        pytest.param(["Match ^/x$ none/$0/x.wsgi"], id="a directory that there is not"),
    ],
)
def test_nothing_to_say(site, lines):
    assert found(site, *lines) == []


@pytest.mark.parametrize(
    ("lines", "media", "expected"),
    [
        pytest.param(
            ["Match ^/([^/]+)/run /$1/app.wsgi"],
            None,
            ("E024", "/tmp/run", "/tmp/app.wsgi"),
            id="any directory of the system",
        ),
        pytest.param(
            [" /all /"], None, ("E024", "/all/var/tmp/x", "/var/tmp/x"), id="all of the system"
        ),
        pytest.param(
            [" /run site"], "site/media", ("W015", "/run/media/x", "site/media/x"), id="plain"
        ),
        pytest.param(
            ["Match ^/run/(.+)$ site/$1"],
            "site/media",
            ("W015", "/run/media/x", "site/media/x"),
            id="uploads by a capture",
        ),
        pytest.param(
            ["Match ^/run site/"],
            "site/media",
            ("W015", "/runmedia/x", "site/media/x"),
            id="uploads by the rest of the url",
        ),
        pytest.param(
            ["Match ^/app/?(.*)$ scripts/blog.wsgi/$1", " /t scripts/tool.wsgi"],
            None,
            ("W034", "/app../x", "scripts/x"),
            id="a script beside",
        ),
        pytest.param(
            ["Match ^/app([^/]*)/run$ site/$1/app.wsgi", " /x app.wsgi"],
            None,
            ("W034", "/app../run", "app.wsgi"),
            id="the directory above",
        ),
        pytest.param(
            ["Match ^/s/(.+)/run$ site/$1/app.wsgi"],
            None,
            ("W035", "/s/x/y/run", "site/x/y/app.wsgi"),
            id="any depth",
        ),
    ],
)
def test_where_a_url_leads(site, lines, media, expected):
    check_id, uri, file = expected

    [finding] = found(site, *lines, media=media)

    path = file if file.startswith("/") else f"{site}/{file}"
    assert finding.id == check_id
    assert f"'{uri}'" in finding.message
    assert f"'{path}'" in finding.message


def test_what_an_earlier_alias_takes_does_not_count(site):
    lines = ["Match ^/s/(.+)/run$ site/$1/app.wsgi", " /s/x scripts/tool.wsgi"]

    assert [finding.id for finding in found(site, *lines)] == ["W035"]
    assert resolve_all(site, reversed(lines), "/s/x/y/run").endswith("tool.wsgi/y/run")


def resolve_all(site, lines, target, **rules):
    table = AliasTable.from_directives(f"WSGIScriptAlias{line}" for line in lines)
    resolution = resolve(table, target, rules=Rules(base_directory=str(site), **rules))
    return resolution.match.filename if resolution.match else ""


def test_the_other_script_runs_indeed(site):
    table = AliasTable.from_directives(
        ["WSGIScriptAliasMatch ^/app/?(.*)$ scripts/blog.wsgi/$1", "WSGIScriptAlias /t scripts/x"]
    )
    rules = Rules(base_directory=str(site), roots=derive_roots(table.aliases, str(site)))

    resolution = resolve(table, "/app../tool.wsgi", rules=rules)

    assert (resolution.status, resolution.script) == (200, f"{site}/scripts/tool.wsgi")


@pytest.mark.parametrize("allowed", [False, True, "NoDecode"])
@pytest.mark.parametrize("capture", ["([^/]+)", "(.*)"])
@pytest.mark.parametrize("path", ["%2e%2e%2fx", "..%2f..%2fx", "a%2f..%2f..%2fx", "%2F../x", "%2F"])
def test_encoded_slashes_lead_nowhere_else(site, allowed, capture, path):
    line = f"Match ^/run/{capture}$ scripts/$1"

    filename = resolve_all(site, [line], f"/run/{path}", allow_encoded_slashes=allowed)

    names, _ = split_filename(filename)
    assert names[:1] in ([], ["scripts"])


def test_a_capture_that_holds_the_first_slash_is_left_in_peace(site):
    lines = ["Match ^(/v3/.*?/auth)$ site/app.wsgi/$1", " / app.wsgi"]

    assert found(site, *lines) == []


def test_a_capture_that_holds_the_first_slash_and_chooses_the_script(site):
    lines = ["Match ^(/v3/x)$ site/$1", " / app.wsgi", " /other scripts"]

    assert found(site, *lines) == []
