from __future__ import annotations

import os

import pytest

from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.targets.files import (
    TargetPlace,
    file_findings,
    script_findings,
    survey,
)
from django_wsgimatch.doctor.targets.listing import Listings
from django_wsgimatch.doctor.targets.writers import Uploads, root_findings

SOURCE = "def application(environ, start_response): ...\n"


@pytest.fixture
def site(tmp_path):
    for name in ("a.wsgi", "d/b.wsgi", "d/c.py", "d/notes.txt", "d/sub/d.wsgi", "app-x.wsgi"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loose.wsgi").symlink_to("nowhere")
    return tmp_path


def surveyed(site, directive, **rules):
    [alias] = AliasTable.from_directives([directive]).aliases
    place = survey(alias, Rules(base_directory=str(site), **rules), Listings())
    scripts = [os.path.relpath(path, site) for path in place.scripts]
    return place.state, os.path.relpath(place.path, site), scripts


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        pytest.param(
            "WSGIScriptAlias /a a.wsgi", ("script", "a.wsgi", ["a.wsgi"]), id="plain script"
        ),
        pytest.param(
            "WSGIScriptAlias /a a.wsgi/x", ("script", "a.wsgi", ["a.wsgi"]), id="text behind it"
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/(a) a.wsgi/$1",
            ("script", "a.wsgi", ["a.wsgi"]),
            id="captures behind it",
        ),
        pytest.param(
            "WSGIScriptAlias /d d",
            ("directory", "d", ["d/b.wsgi", "d/c.py", "d/notes.txt"]),
            id="directory",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/(b) d/$1.wsgi",
            ("directory", "d", ["d/b.wsgi"]),
            id="captures name the script",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/(x) app-$1.wsgi/y",
            ("directory", ".", ["app-x.wsgi"]),
            id="captures name a part of the script",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/(x) $1",
            ("directory", ".", ["a.wsgi", "app-x.wsgi"]),
            id="captures name all of it",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/app- app-",
            ("directory", ".", ["app-x.wsgi"]),
            id="the rest of the url names a part of it",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ^/zzz- zzz-",
            ("missing", "zzz-", []),
            id="nothing begins with the target",
        ),
        pytest.param("WSGIScriptAlias /a none/x", ("missing", "none", []), id="missing"),
        pytest.param(
            "WSGIScriptAliasMatch ^/(x) none/$1", ("missing", "none", []), id="missing directory"
        ),
        pytest.param(
            "WSGIScriptAlias /a loose.wsgi", ("unreadable", "loose.wsgi", []), id="loose link"
        ),
    ],
)
def test_survey(site, directive, expected):
    assert surveyed(site, directive) == expected


@pytest.mark.parametrize(
    ("directive", "roots", "state"),
    [
        pytest.param("WSGIScriptAlias /a a.wsgi", ["d"], "outside", id="script outside"),
        pytest.param("WSGIScriptAlias /a d/b.wsgi", ["d"], "script", id="script inside"),
        pytest.param("WSGIScriptAlias /d d", ["d"], "directory", id="directory inside"),
        pytest.param("WSGIScriptAlias /d d", ["d/sub"], "directory", id="directory around"),
        pytest.param("WSGIScriptAlias /d d", ["empty"], "outside", id="directory outside"),
    ],
)
def test_survey_of_roots(site, directive, roots, state):
    paths = tuple(str(site / root) for root in roots)

    assert surveyed(site, directive, roots=paths)[0] == state


def test_script_that_may_not_be_read(site, monkeypatch):
    """Root may read everything: the answer is made up, so that the test means something."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert surveyed(site, "WSGIScriptAlias /a a.wsgi") == ("unreadable", "a.wsgi", [])


def test_directory_that_may_not_be_listed(site, monkeypatch):
    def forbidden(path):
        raise PermissionError

    monkeypatch.setattr(os, "scandir", forbidden)

    assert surveyed(site, "WSGIScriptAlias /d d") == ("directory", "d", [])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(SOURCE, [], id="sound"),
        pytest.param("def\n", ["E015"], id="syntax error"),
        pytest.param("a = 1\n\0 what follows is not read", [], id="ends at a NUL"),
        pytest.param("# coding: no-such\n", ["E015"], id="unknown encoding"),
        pytest.param("import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'own'", [], id="own"),
        pytest.param(
            "import os; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')", ["E013"], id="other"
        ),
    ],
)
def test_script(tmp_path, source, expected):
    path = tmp_path / "x.wsgi"
    path.write_text(source)

    found = [finding.id for finding in script_findings("entry", str(path), "own")]

    assert found == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'x')", [], id="a default"),
        pytest.param("os.environ['DJANGO_SETTINGS_MODULE'] = 'x'", ["E013"], id="an assignment"),
    ],
)
def test_script_of_a_group_that_names_its_settings(tmp_path, source, expected):
    path = tmp_path / "x.wsgi"
    path.write_text(f"import os; {source}")

    found = script_findings("entry", str(path), "own", is_named=True)

    assert [finding.id for finding in found] == expected


def test_script_that_is_gone(tmp_path):
    [finding] = script_findings("entry", str(tmp_path / "x.wsgi"), None)

    assert finding.id == "E011"


def subject():
    return Subject("entry", None, AliasTable.from_directives(["WSGIScriptAlias /a x"]), 0)


def test_script_of_two_aliases_is_judged_once(tmp_path):
    (tmp_path / "x.wsgi").write_text("def\n")
    place = TargetPlace("script", "x", scripts=(str(tmp_path / "x.wsgi"),))

    found = list(
        file_findings([(subject(), place), (subject(), place)], lambda subject: (None, False))
    )

    assert [finding.id for finding in found] == ["E015"]


def test_in_a_directory_only_what_is_named_as_a_script_is_read(site):
    (site / "d/notes.txt").write_text("def\n")
    place = TargetPlace("directory", str(site / "d"), scripts=(str(site / "d/notes.txt"),))

    assert list(file_findings([(subject(), place)], lambda subject: (None, False))) == []


@pytest.mark.parametrize(
    ("directory", "media", "static", "expected"),
    [
        pytest.param("/s", None, None, [], id="no uploads"),
        pytest.param("/s", "/m", "/st", [], id="apart"),
        pytest.param("/m", "/m", None, ["E014"], id="the same"),
        pytest.param("/m/s", "/m", None, ["E014"], id="inside"),
        pytest.param("/mm", "/m", None, [], id="name that begins alike"),
        pytest.param("/s", "/s/m", None, [], id="uploads below"),
        pytest.param("/st/s", None, "/st", ["W014"], id="static files"),
        pytest.param("/s", "/", None, ["E014"], id="all is uploads"),
    ],
)
def test_uploads(directory, media, static, expected):
    places = [(subject(), TargetPlace("directory", directory))]

    found = [finding.id for finding in root_findings(places, [], Uploads(media, static))]

    assert found == expected


def test_configured_root_is_judged_by_its_own_name():
    missing = [(subject(), TargetPlace("missing", "/none"))]

    [finding] = root_findings(missing, [("WSGIMATCH_ROOTS[0]", "/m")], Uploads(media="/m"))

    assert (finding.where, finding.id) == ("WSGIMATCH_ROOTS[0]", "E014")
