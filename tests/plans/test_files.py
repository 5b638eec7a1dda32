from __future__ import annotations

import os
from pathlib import Path

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.plans import files
from tests.support.wsgi import get, write_scripts


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""
    seconds = [1000.0]
    for module in ("dispatcher.monotonic", "plans.files.monotonic", "scripts.time.monotonic"):
        monkeypatch.setattr(f"django_wsgimatch.{module}", lambda: seconds[0])

    def move(by: float) -> None:
        seconds[0] += by

    return move


def tenants(directory: Path, **options) -> Dispatcher:
    """A dispatcher whose scripts are named in the path, where one has been found and one not."""
    write_scripts(directory, "a.wsgi")
    table = AliasTable([Alias("^/([^/]+)", f"{directory}/$1.wsgi", "match")])
    dispatcher = Dispatcher(table, **options)
    assert [get(dispatcher, f"/{name}").code for name in ("a", "none", "a")] == [200, 404, 200]
    return dispatcher


@pytest.fixture
def looks(monkeypatch):
    """The names that are looked at in the file system, one by one."""
    seen: list[bytes] = []

    def lstat(name, *arguments, **options):
        seen.append(name)
        return original(name, *arguments, **options)

    original = os.lstat
    monkeypatch.setattr(os, "lstat", lstat)
    return seen


@pytest.mark.parametrize("target", ["/none", "/none/x", "/none//%20"])
def test_what_is_missing_is_remembered_for_a_moment(tmp_path, clock, looks, target):
    dispatcher = tenants(tmp_path)
    looks.clear()

    codes = [get(dispatcher, target).code for _ in range(20)]

    assert (codes, looks) == ([404] * 20, [])


@pytest.mark.parametrize(
    ("interval", "passed", "codes"),
    [
        pytest.param(1, 0, [404, 404], id="not yet"),
        pytest.param(1, 1, [200, 200], id="after the interval"),
        pytest.param(0, 0, [200, 200], id="at once, without one"),
    ],
)
@pytest.mark.parametrize("target", ["/none", "/none/x"])
def test_what_was_missing_and_has_come(tmp_path, clock, interval, passed, codes, target):
    dispatcher = tenants(tmp_path, reload_interval=interval)
    assert [get(dispatcher, target).code for _ in range(20)] == [404] * 20
    write_scripts(tmp_path, "none.wsgi")

    clock(passed)

    assert [get(dispatcher, target).code for _ in range(2)] == codes


def test_what_is_missing_for_the_first_time_is_looked_at_once(tmp_path, clock, looks):
    dispatcher = tenants(tmp_path)
    looks.clear()

    codes = [get(dispatcher, f"/none{number}").code for number in range(20)]

    assert (codes, looks) == ([404] * 20, [])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("new", 200, id="a script"),
        pytest.param("dangling", 403, id="a link that leads nowhere"),
        pytest.param("directory", 403, id="a directory"),
        pytest.param("x" * 300, 403, id="a name that is too long"),
    ],
)
def test_what_is_not_missing_behind_a_directory_that_has_been_passed(tmp_path, clock, name, code):
    dispatcher = tenants(tmp_path)
    write_scripts(tmp_path, "new.wsgi")
    (tmp_path / "dangling.wsgi").symlink_to("nowhere")
    (tmp_path / "directory.wsgi").mkdir()

    assert get(dispatcher, f"/{name}").code == code


def test_missing_files_are_remembered_up_to_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_MISSING", 10)
    dispatcher = tenants(tmp_path)

    codes = {get(dispatcher, f"/none{number}/x{number}").code for number in range(100)}

    assert codes == {404}
    assert len(dispatcher.files._missing) <= 10
    assert len(dispatcher.files._passed) <= 10


def test_a_directory_of_scripts(tmp_path, clock, looks):
    write_scripts(tmp_path, "d/a.wsgi", "d/e/b.wsgi")
    dispatcher = Dispatcher(AliasTable([Alias("/s/", f"{tmp_path}/d/")]))
    targets = ("/s/a.wsgi/x", "/s/e/b.wsgi", "/s/e/b.wsgi/y/z")
    first = [get(dispatcher, target).corridor for target in targets]
    looks.clear()

    again = [get(dispatcher, target).corridor for target in targets]

    assert (
        first
        == again
        == [
            (200, f"{tmp_path}/d/a.wsgi", "/s/a.wsgi", "/x"),
            (200, f"{tmp_path}/d/e/b.wsgi", "/s/e/b.wsgi", ""),
            (200, f"{tmp_path}/d/e/b.wsgi", "/s/e/b.wsgi", "/y/z"),
        ]
    )
    assert looks == []


@pytest.mark.parametrize(
    ("interval", "passed", "codes"),
    [
        pytest.param(1, 0, [200, 200], id="not yet"),
        pytest.param(1, 1, [403, 403], id="after the interval"),
        pytest.param(0, 0, [403, 403], id="at once, without one"),
    ],
)
@pytest.mark.parametrize("reloading", [False, True, "safe"])
@pytest.mark.parametrize("times", [2, 20])
def test_links_are_looked_at_again(tmp_path, clock, interval, passed, codes, reloading, times):
    write_scripts(tmp_path, "d/a.wsgi")
    dispatcher = Dispatcher(
        AliasTable([Alias("/s", f"{tmp_path}/d/a.wsgi")]),
        rules=Rules(follow_symlinks=False),
        reloading=reloading,
        reload_interval=interval,
    )
    assert {get(dispatcher, "/s").code for _ in range(times)} == {200}
    (tmp_path / "d").rename(tmp_path / "other")
    (tmp_path / "d").symlink_to("other")

    clock(passed)

    assert [get(dispatcher, "/s").code for _ in range(2)] == codes
