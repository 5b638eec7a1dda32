"""Directories that script aliases lead to, and their own URLs, which end with a slash."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias, Extras, HeaderChange
from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from tests.support.wsgi import get, write_scripts

SLASHED = Rules(directory_slash=True)
# Asked again, the dispatcher answers by a shorter way.
WAYS = pytest.mark.parametrize("times", [pytest.param(n, id=f"time {n}") for n in (1, 2, 20)])


@pytest.fixture
def scripts(tmp_path):
    write_scripts(tmp_path, "scripts/a.wsgi", "scripts/sub dir/b.wsgi", "other/c.wsgi")
    return f"{tmp_path}/scripts"


def location_of(alias: Alias, target: str, rules: Rules = SLASHED, **environ) -> str | None:
    answer = get(Dispatcher(AliasTable([alias]), rules=rules), target, **environ)
    return dict(answer.headers).get("Location") if answer.code == 301 else None


@WAYS
def test_all_of_an_answer(scripts, times):
    dispatcher = Dispatcher(AliasTable([Alias("/s", scripts)]), rules=SLASHED)

    answer = [get(dispatcher, "/s/sub%20dir?a=b", HTTP_HOST="a.test:81") for _ in range(times)][-1]

    assert answer.status == "301 Moved Permanently"
    assert answer.headers == [
        ("Location", "http://a.test:81/s/sub%20dir/?a=b"),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(answer.body))),
    ]
    assert b'<a href="http://a.test:81/s/sub%20dir/?a=b">' in answer.body


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/s", 301, id="the folder of an alias"),
        pytest.param("/s//sub%20dir", 301, id="two slashes"),
        pytest.param("/s/", 403, id="its own URL"),
        pytest.param("/s/sub%20dir/", 403, id="the own URL of a folder in it"),
        pytest.param("/s/a.wsgi", 200, id="a script"),
        pytest.param("/s/none", 404, id="nothing"),
    ],
)
def test_only_the_url_of_a_directory_without_a_slash_is_redirected(scripts, target, status):
    table = AliasTable([Alias("/s", scripts)])

    assert resolve(table, target, rules=SLASHED).status == status


@WAYS
def test_scripts_of_a_folder_still_run_after_a_redirect(scripts, times):
    dispatcher = Dispatcher(AliasTable([Alias("/s", scripts)]), rules=SLASHED)
    for _ in range(times):
        get(dispatcher, "/s/sub%20dir")

    answer = get(dispatcher, "/s/sub%20dir/b.wsgi/x")

    assert answer.corridor == (200, f"{scripts}/sub dir/b.wsgi", "/s/sub dir/b.wsgi", "/x")


def test_without_the_setting_a_directory_is_refused(scripts):
    assert resolve(AliasTable([Alias("/s", scripts)]), "/s").status == 403


def test_a_pattern_redirects_the_url_as_it_was_asked(scripts):
    alias = Alias("^/n/([^/]+)", f"{scripts}/$1", "match")

    assert location_of(alias, "/n/sub%20dir") == "http://localhost/n/sub%20dir/"


def test_a_link_that_is_not_followed_is_refused(scripts, tmp_path):
    (tmp_path / "scripts" / "link").symlink_to(tmp_path / "other")
    rules = Rules(directory_slash=True, follow_symlinks=False)

    assert resolve(AliasTable([Alias("/s", scripts)]), "/s/link", rules=rules).status == 403


def test_a_directory_that_a_capture_climbs_to_is_refused(scripts):
    table = AliasTable([Alias("^/u(.*)", f"{scripts}/..$1", "match")])
    rules = Rules(directory_slash=True, roots=(scripts,))

    assert resolve(table, "/u/other", rules=rules).status == 403


@pytest.mark.parametrize(
    ("root", "status"),
    [
        pytest.param("", 301, id="in a root"),
        pytest.param("/sub dir/b.wsgi", 403, id="above a root"),
        pytest.param("-not", 403, id="beside a root"),
    ],
)
def test_the_roots_hold_for_directories(scripts, root, status):
    rules = Rules(directory_slash=True, roots=(f"{scripts}{root}",))

    assert resolve(AliasTable([Alias("/s", scripts)]), "/s/sub%20dir", rules=rules).status == status


def test_the_prefix_of_the_server_stands_in_the_url(scripts):
    location = location_of(Alias("/s", scripts), "/pre/s", script_name="/pre")

    assert location == "http://localhost/pre/s/"


def test_headers_of_every_answer_are_on_a_redirect_too(scripts):
    headers = (HeaderChange("set", "X-A", "1", True), HeaderChange("set", "X-B", "1"))
    alias = Alias("/s", scripts, extras=Extras(headers=headers))

    answer = get(Dispatcher(AliasTable([alias]), rules=SLASHED), "/s")

    assert [name for name, _ in answer.headers if name.startswith("X-")] == ["X-A"]
