"""Entries that redirect or answer with files: in settings, in order, and what the commands say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from django_wsgimatch import (
    alias,
    alias_match,
    deny,
    deny_match,
    redirect,
    redirect_match,
    script_alias,
)
from django_wsgimatch.aliases.alias import Alias, Redirection
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.resolve import resolve
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable, in_order_of_apache
from django_wsgimatch.apache.writing.fragment import python_lines, values
from django_wsgimatch.apache.writing.settings import Settings, Written
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.entries import to_alias
from django_wsgimatch.exceptions import DirectiveError
from tests.support.commands import run
from tests.support.wsgi import get, write_scripts

NOTHING: Any = None


def alias_of(entry):
    return to_alias(entry, process_groups=(), variables={})


def redirecting(location, url, status=302, kind="plain"):
    return Alias(location, "", kind, answer=Redirection(url, status))


def files(location, path, kind="plain", **options):
    return Alias(location, path, kind, answer=FileOptions(**options))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(redirect("/a", "/b"), redirecting("/a", "/b"), id="a redirect"),
        pytest.param(redirect("/a", "/b", 301), redirecting("/a", "/b", 301), id="a number"),
        pytest.param(redirect("/a", "/b", "SeeOther"), redirecting("/a", "/b", 303), id="a word"),
        pytest.param(redirect("/a", status="gone"), redirecting("/a", "", 410), id="no URL"),
        pytest.param(
            redirect(b"/\xe9", b"http://x/\xe9"), redirecting("/\xe9", "http://x/\xe9"), id="bytes"
        ),
        pytest.param(
            redirect("/\u0142", "/\u0142"), redirecting("/\xc5\x82", "/\xc5\x82"), id="UTF-8"
        ),
        pytest.param(
            redirect_match("^/a(.*)", "$1", 308),
            redirecting("^/a(.*)", "$1", 308, "match"),
            id="a pattern",
        ),
        pytest.param(alias("/a", "static"), files("/a", "static"), id="files"),
        pytest.param(
            alias("/a", "static", index=["a", "b"]),
            files("/a", "static", index=("a", "b")),
            id="index files",
        ),
        pytest.param(
            alias("/a", "static", index=()), files("/a", "static", index=()), id="no index file"
        ),
        pytest.param(
            alias_match("^/a", "/srv/$1"), files("^/a", "/srv/$1", "match"), id="files of a pattern"
        ),
    ],
)
def test_an_entry_is_an_alias_with_an_answer(entry, expected):
    assert alias_of(entry) == expected


STATUS = (
    "the status should be a status of 200 or more that Apache knows, or permanent, temp, seeother, "
    "gone, not "
)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (redirect("", "/b"), "the location should be non-empty text, not ''"),
        (redirect_match("", "/b"), "the pattern should be non-empty text, not ''"),
        (redirect("/a"), "URL to redirect to is missing"),
        (redirect("/a", NOTHING), "URL to redirect to is missing"),
        (redirect("/a", "b"), "Redirect to non-URL"),
        (redirect("/a", "/b\0"), "the url '/b\\x00' contains a NUL byte"),
        (redirect("/a", "/b", 404), "Redirect URL not valid for this status"),
        (redirect("/a", "/b", "forever"), f"{STATUS}'forever'"),
        (redirect("/a", "/b", 399), f"{STATUS}399"),
        (redirect("/a", "", 100), f"{STATUS}100"),
        (redirect("/a", "", 600), f"{STATUS}600"),
        (redirect("/a", "/b", True), f"{STATUS}True"),
        (redirect("/a", "/b", NOTHING), f"{STATUS}None"),
        (alias("/a", ""), "the path should be non-empty text, not ''"),
        (alias("/a", NOTHING), "the path should be non-empty text, not None"),
        (alias("/a", "b", index=NOTHING), "index is None; it takes a name or a list of names"),
        (alias("/a", "b", index=[""]), "index holds '', which is no name in a directory"),
    ],
)
def test_what_is_no_entry_is_told(entry, message):
    with pytest.raises(DirectiveError) as refused:
        alias_of(entry)

    assert str(refused.value) == message


# In which order they are tried

SCRIPT, OTHER = Alias("/s", "/s.wsgi"), Alias("^/o", "/o.wsgi", "match")
REDIRECT, MATCH = redirecting("/r", "/x"), redirecting("^/m", "/x", kind="match")
FILES, FILE = files("/f", "/srv"), files("^/e", "/srv/e", "match")
CLOSED = alias_of(deny("/c"))


@pytest.mark.parametrize(
    ("written", "tried"),
    [
        pytest.param((SCRIPT, OTHER), (SCRIPT, OTHER), id="scripts alone"),
        pytest.param((SCRIPT, FILES), (FILES, SCRIPT), id="files before scripts"),
        pytest.param((FILES, REDIRECT), (REDIRECT, FILES), id="redirects before files"),
        pytest.param(
            (OTHER, FILE, MATCH, SCRIPT, FILES, REDIRECT),
            (MATCH, REDIRECT, FILE, FILES, OTHER, SCRIPT),
            id="each kind as it is written",
        ),
        pytest.param(
            (SCRIPT, CLOSED, REDIRECT), (SCRIPT, CLOSED, REDIRECT), id="nothing overtakes a denial"
        ),
        pytest.param(
            (SCRIPT, FILES, CLOSED, OTHER, REDIRECT),
            (FILES, SCRIPT, CLOSED, REDIRECT, OTHER),
            id="in order before it and behind it",
        ),
        pytest.param((), (), id="none"),
    ],
)
def test_the_order_is_that_of_apache(written, tried):
    table = AliasTable(written)

    assert table.aliases == tried
    assert tuple(written[place] for place in table.order) == tried


def test_a_table_of_scripts_alone_keeps_no_list_of_places():
    assert in_order_of_apache([SCRIPT, OTHER]) == range(2)


def test_entries_of_every_host_are_in_order_with_a_hosts_own(settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/", "main.wsgi"), redirect("/a", "/b")]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {
        "shop.example": [script_alias("/a", "shop.wsgi"), redirect("/a/c", "/d")],
    }

    [shop, common] = configuration().tables()

    assert [each.location for each in shop.table.aliases] == ["/a/c", "/a", "/a", "/"]
    assert [*shop.own_names()] == [
        (0, "WSGIMATCH_VIRTUAL_HOSTS['shop.example'][1]"),
        (2, "WSGIMATCH_VIRTUAL_HOSTS['shop.example'][0]"),
    ]
    assert [*map(shop.name, range(4))] == [
        "WSGIMATCH_VIRTUAL_HOSTS['shop.example'][1]",
        "WSGIMATCH_ALIASES[1]",
        "WSGIMATCH_VIRTUAL_HOSTS['shop.example'][0]",
        "WSGIMATCH_ALIASES[0]",
    ]
    assert [*common.own_names()] == [(0, "WSGIMATCH_ALIASES[1]"), (1, "WSGIMATCH_ALIASES[0]")]


def test_no_redirect_and_no_file_opens_what_is_closed(tmp_path):
    (tmp_path / "secret").write_text("secret")
    script = str(write_scripts(tmp_path, "a.wsgi"))
    table = AliasTable(
        [
            alias_of(deny_match("^(?!/open(/|$))", note="closed")),
            redirecting("/", "/open"),
            files("/files", str(tmp_path)),
            Alias("/", script),
        ]
    )
    application = Dispatcher(table)

    found = [get(application, f"/files/secret?{number}").code for number in range(20)]

    assert set(found) == {403}
    assert get(application, "/").code == 403
    assert get(application, "/open").code == 302


@pytest.mark.parametrize(
    ("location", "uri", "matches"),
    [
        pytest.param("/a/", "/a", False, id="a location that ends in a slash"),
        pytest.param("/a/", "/a/b", True, id="below it"),
        pytest.param("/a", "/ab", False, id="a longer name"),
        pytest.param("//a//b", "/a/b", True, id="runs of slashes in the location"),
        pytest.param("/", "/anything", True, id="everything"),
        pytest.param("a", "/a", False, id="no slash at the beginning"),
    ],
)
@pytest.mark.parametrize("make", [redirecting, files], ids=["redirects", "files"])
def test_locations_are_compared_as_those_of_scripts(make, location, uri, matches):
    table = AliasTable([make(location, "/x")])

    assert (table.match(uri) is not None) == matches


def test_a_match_without_any_text_counts_but_for_scripts():
    patterns = [redirecting("(?=/b)", "/x", kind="match"), Alias("(?=/)", "/x.wsgi", "match")]
    table = AliasTable(patterns)

    assert [table.match(uri) is not None for uri in ("/b", "/a")] == [True, False]


@pytest.mark.parametrize(
    ("entry", "uri", "filename"),
    [
        pytest.param(files("/f", "/srv/d"), "/f/a/b", "/srv/d/a/b", id="what follows"),
        pytest.param(files("/f/", "/srv/d"), "/f/a", "/srv/da", id="with nothing in between"),
        pytest.param(files("/", "/srv/d/"), "/a", "/srv/d/a", id="all URLs"),
        pytest.param(files("^/f/(.*)", "/srv/$1", "match"), "/f/a", "/srv/a", id="a group"),
        pytest.param(files("^/f", "/srv/x", "match"), "/f/a", "/srv/x", id="what follows is left"),
        pytest.param(files("^/f(.*)", "$1", "match"), "/f", ".", id="no text"),
        pytest.param(
            files("^/f(.*)", 20 * "$1", "match"),
            "/f" + 3_400 * "a",
            "",
            id="a name that is too long",
        ),
    ],
)
def test_which_file_an_entry_names(entry, uri, filename):
    match = AliasTable([entry]).match(uri)

    assert match is not None
    assert match.filename == filename


def test_a_name_that_is_too_long_is_an_error_as_in_apache():
    table = AliasTable([files("^/f(.*)", 20 * "$1", "match")])
    target = "/f" + 3_400 * "a"

    assert resolve(table, target).status == 500
    assert get(Dispatcher(table), target).code == 500


def test_no_directory_of_scripts_comes_from_files():
    assert derive_roots([files("/f", "/srv/d"), Alias("/", "/x/a.wsgi")], "/home") == ("/x",)


# What the commands say


@pytest.fixture
def site(settings, tmp_path):
    write_scripts(tmp_path, "a.wsgi")
    (tmp_path / "static").mkdir()
    (tmp_path / "static/a.css").write_text("a")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [
        script_alias("/", "a.wsgi"),
        alias("/static", tmp_path / "static"),
        redirect("/old", "/new", 301),
        redirect_match("^/users/(.*)", "https://people.example/?id=$1"),
        "Redirect gone /past",
    ]
    return settings


def test_the_list_shows_them_in_the_order_in_which_they_are_tried(site, tmp_path):
    rows = json.loads(run("list", "--json")[0])

    assert [
        [row[name] for name in ("where", "kind", "location", "target", "state", "reason")]
        for row in rows
    ] == [
        ["WSGIMATCH_ALIASES[2]", "Redirect", "/old", None, "redirected", "301 /new"],
        [
            "WSGIMATCH_ALIASES[3]",
            "RedirectMatch",
            "^/users/(.*)",
            None,
            "redirected",
            "302 https://people.example/?id=$1",
        ],
        ["WSGIMATCH_ALIASES[4]", "Redirect", "/past", None, "redirected", "410"],
        ["WSGIMATCH_ALIASES[1]", "Alias", "/static", f"{tmp_path}/static", "files", ""],
        ["WSGIMATCH_ALIASES[0]", "plain", "/", "a.wsgi", "script", ""],
    ]


@pytest.mark.parametrize(
    ("target", "status", "directive", "url"),
    [
        ("/old/x?y", 301, "Redirect 301 /old /new", "http://x.example:81/new/x?y"),
        (
            "/users/a%20b",
            302,
            "RedirectMatch 302 ^/users/(.*) https://people.example/?id=$1",
            "https://people.example/?id=a%20b",
        ),
        ("/past", 410, "Redirect 410 /past", None),
        ("/static/a.css", 200, "Alias /static {BASE}/static", None),
    ],
)
def test_a_preview_shows_what_they_answer(site, tmp_path, target, status, directive, url):
    [found] = json.loads(run("preview", "--host", "x.example:81", "--json", target)[0])

    assert [found[name] for name in ("status", "directive", "url")] == [
        status,
        directive.replace("{BASE}", str(tmp_path)),
        url,
    ]
    assert [found[name] for name in ("script", "view", "urlconf_status", "process_group")] == [
        None
    ] * 4
    is_file = target.startswith("/static")
    assert found["filename"] == (f"{tmp_path}/static/a.css" if is_file else None)


def test_a_preview_says_who_answers(site, tmp_path):
    out, _, _ = run("preview", "/old", "/past", "/static/a.css")

    assert [line.split(None, 1) for line in out.splitlines() if line.startswith("  answer")] == [
        ["answer", "redirects to http://localhost/new (301)"],
        ["answer", "status 410"],
        ["answer", f"the file {tmp_path}/static/a.css"],
    ]


def test_a_preview_of_a_request_from_a_proxy_shows_its_url(site):
    site.WSGIMATCH_TRUSTED_PROXIES = ["127.0.0.1"]
    site.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Proto", "X-Forwarded-Prefix"]
    headers = ["--header", "X-Forwarded-Proto: https", "--header", "X-Forwarded-Prefix: /shop"]

    out, _, _ = run("preview", "--json", "--host", "x.example", *headers, "/old")

    assert json.loads(out)[0]["url"] == "https://x.example/shop/new"


WRITTEN = [
    files("/a", "/srv/a"),
    files("^/a(.*)", "/srv$1", "match"),
    files("/b", "/srv/b", index=("a", "b"), types=(("md", "text/x"),), expires=60),
    redirecting("/a", "/b c", 301),
    redirecting("^/(\\w+)$", "/?q=$1", 302, "match"),
    redirecting("/a", "", 410),
]


def settings_with(aliases):
    return Settings(tuple(Written(each, ()) for each in aliases), (), (), ())


def test_what_an_import_writes_of_them_is_read_as_the_same():
    lines = python_lines(settings_with(WRITTEN), "site.conf")
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)

    assert [*map(alias_of, names["WSGIMATCH_ALIASES"])] == WRITTEN


def test_what_an_import_writes_of_them_as_json():
    found = values(settings_with(WRITTEN))["WSGIMATCH_ALIASES"]

    assert [{**each, "from": []} for each in found] == [
        {"kind": "Alias", "location": "/a", "target": "/srv/a", "options": {}, "from": []},
        {
            "kind": "AliasMatch",
            "location": "^/a(.*)",
            "target": "/srv$1",
            "options": {},
            "from": [],
        },
        {
            "kind": "Alias",
            "location": "/b",
            "target": "/srv/b",
            "options": {"index": ["a", "b"], "expires": 60, "types": {"md": "text/x"}},
            "from": [],
        },
        {"kind": "Redirect", "location": "/a", "url": "/b c", "status": 301, "from": []},
        {
            "kind": "RedirectMatch",
            "location": "^/(\\w+)$",
            "url": "/?q=$1",
            "status": 302,
            "from": [],
        },
        {"kind": "Redirect", "location": "/a", "url": "", "status": 410, "from": []},
    ]
