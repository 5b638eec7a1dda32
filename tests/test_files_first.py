"""WSGIMATCH_FILES_FIRST in settings, and what the commands say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from django_wsgimatch import (
    access,
    alias,
    alias_match,
    basic,
    document_root,
    redirect,
    rules,
    script_alias,
)
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.apache.writing.fragment import python_lines, values
from django_wsgimatch.apache.writing.settings import Settings, Written
from django_wsgimatch.conf import configuration
from django_wsgimatch.entries import to_first_alias
from django_wsgimatch.exceptions import DirectiveError
from tests.cli.answering import site as answering_site
from tests.doctor import tables
from tests.support.commands import run


def root(path, **options):
    return Alias("/", path, answer=FileOptions(**{"index": ()} | options, is_root=True))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("public", root("public/"), id="text"),
        pytest.param(Path("/srv/my site"), root("/srv/my site/"), id="a path"),
        pytest.param(b"/srv/\xe9", root("/srv/\xe9/"), id="bytes"),
        pytest.param(
            document_root("/srv/public", expires=60), root("/srv/public/", expires=60), id="a root"
        ),
        pytest.param(
            document_root("/srv/public", index="index.html"),
            root("/srv/public/", index=("index.html",)),
            id="an index that is said",
        ),
        pytest.param(
            alias("/docs", "html"), Alias("/docs", "html", answer=FileOptions(())), id="an alias"
        ),
        pytest.param(
            alias_match("^/a(.*)", "/srv$1"),
            Alias("^/a(.*)", "/srv$1", "match", answer=FileOptions(())),
            id="a pattern",
        ),
    ],
)
def test_an_entry_has_no_index_unless_it_says_one(entry, expected):
    assert to_first_alias(entry, str) == expected


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            script_alias("/a", "x.wsgi"),
            "should be a folder, document_root(...), alias(...) or alias_match(...)",
            id="a script",
        ),
        pytest.param(
            redirect("/a", "/b"),
            "redirect('/a', ...) should be a folder, document_root(",
            id="a redirect",
        ),
        pytest.param(7, "7 should be a folder, document_root(", id="a number"),
        pytest.param(
            "Alias /a /srv/a", "is a directive line: text is a folder here", id="a directive line"
        ),
        pytest.param("", "the path should be non-empty text", id="nothing"),
        pytest.param(
            document_root("x", colour="red"),  # type: ignore[call-arg]
            "files have no option 'colour'",
            id="an unknown option",
        ),
    ],
)
def test_what_is_no_folder_is_refused(entry, message):
    with pytest.raises(DirectiveError) as refused:
        to_first_alias(entry, str)

    assert message in str(refused.value)


def test_mistakes_are_told_with_the_name_of_the_entry(settings, tmp_path):
    found = tables.found(
        settings,
        tmp_path,
        [],
        files_first=[script_alias("/a", "x.wsgi"), document_root("x", access=rules())],
    )

    assert [(each.id, each.where) for each in found] == [
        ("E002", "WSGIMATCH_FILES_FIRST[0]"),
        ("E002", "WSGIMATCH_FILES_FIRST[1]"),
    ]
    assert [each.hint.partition(",")[0] for each in found] == [
        "Write a folder",
        "Write access=rules(require='ip 10.0.0.0/8')",
    ]


def test_the_setting_is_a_list(settings, tmp_path):
    [found] = tables.found(settings, tmp_path, [], files_first="public")

    assert (found.id, found.message) == (
        "E001",
        "should be a list of folders, document_root(), alias() and alias_match(), not 'public'.",
    )


def test_a_folder_that_is_not_there_is_found(settings, tmp_path):
    [found] = tables.found(settings, tmp_path, [], files_first=["public"])

    assert (found.id, found.where) == ("E050", "WSGIMATCH_FILES_FIRST[0]")
    assert found.message == (
        f"the path 'public/' does not exist: there is no '{tmp_path}/public'. No file answers "
        "first."
    )


def test_source_in_the_folder_is_found_even_below_a_folder_that_is_hidden(settings, tmp_path):
    tables.write(tmp_path, {"public/app.py": "", "public/.git/config": "", "public/a.css": ""})

    [found] = tables.found(settings, tmp_path, [], files_first=[tmp_path / "public"])

    assert (found.id, found.where) == ("W092", "WSGIMATCH_FILES_FIRST[0]")
    assert f"'{tmp_path}/public/.git' and '{tmp_path}/public/app.py'" in found.message
    assert "or close the rest in WSGIMATCH_ALIASES: deny_match(" in found.hint


def test_a_script_of_the_table_in_the_folder_is_found(settings, tmp_path):
    tables.write(tmp_path, ["site/blog.wsgi"])

    found = tables.found(
        settings, tmp_path, [script_alias("/blog", "site/blog.wsgi")], files_first=["site"]
    )

    assert [(each.id, each.where) for each in found] == [("W092", "WSGIMATCH_FILES_FIRST[0]")]


def test_a_file_of_users_in_the_folder_is_found(settings, tmp_path):
    tables.write(tmp_path, {"public/users": "ann:{SHA}u8SS5DZYKLP0EektQ/jDoNAZVNI=\n"})
    (tmp_path / "public/users").chmod(0o600)
    section = access("/a", auth=basic("A", users="public/users"), require="valid-user")

    found = tables.found(settings, tmp_path, [], files_first=["public"], access=[section])

    assert "E041" in {each.id for each in found}


def test_uploads_that_come_first_are_found_unless_they_have_a_url_of_their_own(settings, tmp_path):
    (tmp_path / "uploads").mkdir()
    settings.MEDIA_ROOT = tmp_path / "uploads"
    first = [tmp_path / "uploads", alias("/media", "uploads")]

    [found] = tables.found(settings, tmp_path, [], files_first=first)

    assert (found.id, found.where) == ("W100", "WSGIMATCH_FILES_FIRST[0]")


@pytest.fixture
def site(settings, tmp_path):
    tables.write(tmp_path, {"public/favicon.ico": "x", "more/robots.txt": "x", "a.wsgi": ""})
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = None
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "a.wsgi"), redirect("/old", "/a")]
    settings.WSGIMATCH_FILES_FIRST = [
        tmp_path / "public",
        document_root("more", access=rules(require="local")),
    ]
    return tmp_path


def test_preview_says_which_file_comes_first(site):
    text = run("preview", "/robots.txt")[0]

    assert text.replace(str(site), "/srv").splitlines() == [
        "/robots.txt",
        "  uri               /robots.txt",
        "  access            DocumentRoot /: Require local",
        "  file first        no /srv/public/robots.txt now: WSGIMATCH_FILES_FIRST[0]",
        "  file first        /srv/more/robots.txt by WSGIMATCH_FILES_FIRST[1]",
        "  filename          /srv/more/robots.txt",
        "  QUERY_STRING",
        "  answer            the file /srv/more/robots.txt",
    ]


def test_preview_says_that_there_is_no_such_file_now(site):
    text = run("preview", "/old/x")[0]
    other = run("preview", "/a/x")[0]

    assert "file first" not in text
    assert [line for line in other.replace(str(site), "/srv").splitlines() if "first" in line] == [
        "  file first        no /srv/public/a/x now: WSGIMATCH_FILES_FIRST[0]",
        "  file first        no /srv/more/a/x now: WSGIMATCH_FILES_FIRST[1]",
    ]


def test_preview_has_the_file_as_json(site):
    [found] = json.loads(run("preview", "--json", "/robots.txt")[0])

    keys = ("status", "alias", "filename", "file_first", "missing_files", "demands")
    assert [found[key] for key in keys] == [
        200,
        None,
        f"{site}/more/robots.txt",
        "WSGIMATCH_FILES_FIRST[1]",
        [{"where": "WSGIMATCH_FILES_FIRST[0]", "filename": f"{site}/public/robots.txt"}],
        ["Require local"],
    ]


def test_list_names_the_files_that_come_first(site):
    found = json.loads(run("list", "--json")[0])

    told = [(each["where"], each["kind"], each["state"]) for each in found]
    assert told[:2] == [
        ("WSGIMATCH_FILES_FIRST[0]", "DocumentRoot", "files first"),
        ("WSGIMATCH_FILES_FIRST[1]", "DocumentRoot", "files first"),
    ]
    assert len(told) == 4


def test_list_names_a_broken_one(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FILES_FIRST = ["public", 7]

    found = json.loads(run("list", "--json")[0])

    assert [(each["where"], each["state"]) for each in found[:2]] == [
        ("WSGIMATCH_FILES_FIRST[0]", "files first"),
        ("WSGIMATCH_FILES_FIRST[1]", "broken"),
    ]


def test_export_passes_on_what_a_file_may_answer(site):
    text = run("export", "apache", "--to", "http://127.0.0.1:8000")[0]

    assert "ProxyPass / http://127.0.0.1:8000/ nocanon retry=0" in text


def test_a_comparison_counts_what_a_file_answers_by_its_entry(site, tmp_path):
    (tmp_path / "urls").write_text(
        '/robots.txt\n/a/x\n/none\n::1 - - [1] "POST /robots.txt HTTP/1.1" 200 1\n'
    )

    with answering_site(page) as old, answering_site(page) as new:
        out = run("compare", old, new, str(tmp_path / "urls"), "--method", "POST")[0]

    assert [line for line in out.splitlines() if line.endswith(" differ")] == [
        "[1] WSGIScriptAlias /a a.wsgi: 0 of 1 differ",
        "WSGIMATCH_FILES_FIRST[1]: 0 of 1 differ",
        "no alias: 0 of 2 differ",
    ]


def page(head):
    return 200, b"page"


def test_an_import_writes_them_with_the_index_that_they_have():
    written = [
        Written(root("/srv/public/"), ()),
        Written(Alias("/docs", "/srv/docs", answer=FileOptions()), ()),
    ]
    settings = Settings((), (), (), (), first=tuple(written))

    lines = [*python_lines(settings, "x.conf")]

    assert lines[2:] == [
        "from django_wsgimatch import alias, document_root",
        "",
        "WSGIMATCH_FILES_FIRST = [",
        '    document_root("/srv/public/"),',
        '    alias("/docs", "/srv/docs", index=["index.html"]),',
        "]",
        "WSGIMATCH_ALIASES = []",
    ]
    assert [each["options"] for each in values(settings)["WSGIMATCH_FILES_FIRST"]] == [
        {},
        {"index": ["index.html"]},
    ]


def test_what_is_read_is_known_by_name(site):
    configured = configuration()

    assert [each.where for each in configured.files_first] == [
        "WSGIMATCH_FILES_FIRST[0]",
        "WSGIMATCH_FILES_FIRST[1]",
    ]
