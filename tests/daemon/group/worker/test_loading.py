"""A process group loads scripts only where the site lets them lie, whatever it is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from django_wsgimatch.aliases.target import find_script
from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.group.worker.loading import Confinement, Loader
from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.exceptions import ScriptError, TargetError
from tests.support.forging import asked
from tests.support.groups import ALIASES, site

APPLICATION = "def application(environ, start_response):\n    return []\n"


@pytest.fixture
def tree(tmp_path):
    """Scripts inside and outside of a folder, and links between the two."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    for path in (root / "app.wsgi", root / "sub" / "app.wsgi", tmp_path / "outside" / "app.wsgi"):
        path.write_text(APPLICATION)
    (root / "linked.wsgi").symlink_to(tmp_path / "outside" / "app.wsgi")
    (root / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "into").symlink_to(root)
    (root / "dangling.wsgi").symlink_to(tmp_path / "nowhere")
    return tmp_path


def loaded(tree: Path, script: str, follow_symlinks: bool | str = True) -> int:
    """200 where a process group loads a script, or the status of its refusal."""
    confinement = Confinement((f"{tree}/root",), follow_symlinks)  # type: ignore[arg-type]
    loader = Loader(reloading=False, settings_module=None, confinement=confinement)
    environ = {"SCRIPT_FILENAME": f"{tree}/{script}", "mod_wsgi.callable_object": "application"}
    try:
        loader.find(environ)
    except ScriptError as error:
        return error.status
    return 200


def fronts_answer(tree: Path, script: str, follow_symlinks: bool | str) -> int:
    """What the front's own rule makes of a script."""
    try:
        find_script(
            f"{tree}/{script}",
            follow_symlinks=follow_symlinks,  # type: ignore[arg-type]
            roots=(f"{tree}/root",),
        )
    except TargetError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("script", "status"),
    [
        pytest.param("root/app.wsgi", 200, id="in a root"),
        pytest.param("root/sub/app.wsgi", 200, id="in a folder of a root"),
        pytest.param("outside/app.wsgi", 403, id="outside"),
        pytest.param("root/../outside/app.wsgi", 403, id="outside, by dots"),
        pytest.param("root/folder/../app.wsgi", 403, id="by dots that a link would lead astray"),
        pytest.param("root/./app.wsgi", 403, id="by a dot, as no front asks"),
        pytest.param("root//app.wsgi", 403, id="by two slashes, as no front asks"),
        pytest.param("into/app.wsgi", 403, id="inside, by a name that is outside"),
        pytest.param("root/app.wsgi/more", 403, id="with something behind it"),
        pytest.param("root/gone.wsgi", 404, id="gone"),
        pytest.param("root", 403, id="a folder, which the root is"),
        pytest.param("root/sub", 403, id="a folder"),
        pytest.param(f"root/{'x' * 300}", 403, id="a name that no file system takes"),
        pytest.param(f"root/{'x/' * 2100}y", 404, id="a path that is too long"),
    ],
)
def test_a_script(tree, script, status):
    assert loaded(tree, script) == status


@pytest.mark.parametrize("follow_symlinks", [True, False, "owner"], ids=["any", "no", "owner's"])
@pytest.mark.parametrize(
    "script",
    [
        pytest.param("root/linked.wsgi", id="a link to a script outside"),
        pytest.param("root/folder/app.wsgi", id="a script behind a link to a folder outside"),
        pytest.param("root/dangling.wsgi", id="a link to nothing"),
        pytest.param("root/app.wsgi", id="no link"),
    ],
)
def test_links_are_followed_as_the_front_follows_them(tree, script, follow_symlinks):
    if os.geteuid() == 0:
        os.chown(tree / "outside" / "app.wsgi", 1, -1)

    assert loaded(tree, script, follow_symlinks) == fronts_answer(tree, script, follow_symlinks)


def test_a_link_that_leads_outside_is_followed_where_links_are(tree):
    """Sites that deploy by switching a link must go on."""
    assert loaded(tree, "root/linked.wsgi", follow_symlinks=True) == 200


def test_without_roots_a_script_may_lie_anywhere(tree):
    loader = Loader(reloading=False, settings_module=None)
    path = f"{tree}/outside/app.wsgi"

    loader.find({"SCRIPT_FILENAME": path, "mod_wsgi.callable_object": "application"})

    assert list(loader.scripts.loaded) == [path]


@pytest.mark.parametrize(
    ("interval", "noticed"),
    [
        pytest.param(0, 1, id="each request looks"),
        pytest.param(3600, 0, id="an interval that is not over"),
    ],
)
def test_a_file_is_looked_at_once_in_an_interval(tree, interval, noticed):
    path = tree / "root" / "app.wsgi"
    changes: list[float] = []
    loader = Loader("safe", settings_module=None, interval=interval, renew=changes.append)
    environ = {"SCRIPT_FILENAME": str(path), "mod_wsgi.callable_object": "application"}
    loader.find(environ)
    loader.find(environ)

    os.utime(path, (1, 1))
    loader.find(environ)

    assert len(changes) == noticed


def test_a_script_is_looked_at_once(tree, monkeypatch):
    looked: list[str] = []
    monkeypatch.setattr(Confinement, "require", lambda self, script: looked.append(script))
    loader = Loader(reloading="safe", settings_module=None)
    environ = {
        "SCRIPT_FILENAME": f"{tree}/root/app.wsgi",
        "mod_wsgi.callable_object": "application",
    }

    for _ in range(5):
        loader.find(environ)

    assert looked == [f"{tree}/root/app.wsgi"]


def test_scripts_loaded_ahead_are_looked_at_too(tree):
    loader = Loader(
        reloading=False, settings_module=None, confinement=Confinement((f"{tree}/root",))
    )

    [error] = loader.preload({f"{tree}/root/app.wsgi": [], f"{tree}/outside/app.wsgi": []})

    assert error.status == 403
    assert list(loader.scripts.loaded) == [f"{tree}/root/app.wsgi"]


def test_a_group_refuses_what_is_for_another(tree):
    loader = Loader(reloading=False, settings_module=None, process_group="mine")
    environ = {
        "SCRIPT_FILENAME": f"{tree}/root/app.wsgi",
        "mod_wsgi.callable_object": "application",
    }

    loader.find({**environ, "mod_wsgi.process_group": "mine"})
    with pytest.raises(ScriptError) as caught:
        loader.find({**environ, "mod_wsgi.process_group": "other"})

    assert caught.value.status == 403
    assert str(caught.value) == (
        "A request for process group 'other' has come to this one, 'mine': the socket of the "
        "former leads here."
    )


# What each group is told


def definition(**more: object) -> Definition:
    groups = {"a": GroupOptions(), "b": GroupOptions()}
    return Definition(0.0, "python", {}, (), "/", groups=groups, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "roots"),
    [
        pytest.param({}, {"a": None, "b": None}, id="no limit"),
        pytest.param({"roots": ("/srv",)}, {"a": ("/srv",), "b": ("/srv",)}, id="the same for all"),
        pytest.param(
            {"roots": ("/all",), "group_roots": {"a": ("/a",)}},
            {"a": ("/all", "/a"), "b": ("/all",)},
            id="more for one",
        ),
        pytest.param({"roots": ()}, {"a": (), "b": ()}, id="none at all"),
    ],
)
def test_roots_reach_the_groups(given, roots):
    told = Definition.from_json(definition(**given).to_json())
    specs = {name: told.spec(Place(name, ""), ()) for name in ("a", "b")}
    again = {name: GroupSpec.from_json(spec.to_json()) for name, spec in specs.items()}

    assert {name: spec.roots for name, spec in again.items()} == roots


# A real server: a frame that asks for a script of another group's


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    project = tmp_path_factory.mktemp("roots")
    for name in ("first", "second"):
        (project / name).mkdir()
        (project / name / "app.wsgi").write_text(
            "def application(environ, start_response):\n"
            "    start_response('200 OK', [])\n"
            f"    return [b'this is {name}']\n"
        )
    aliases = """\
script_alias("/blog", "first/app.wsgi", process_group="blog"),
script_alias("/other", "second/app.wsgi", process_group="other"),
"""
    with site(project, aliases=aliases) as at:
        yield at


def test_a_group_answers_with_its_own_scripts(served):
    assert served.get("/blog").body == b"this is first"
    assert asked(served, "blog", "first/app.wsgi").endswith(b"this is first")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("second/app.wsgi", id="of another group"),
        pytest.param("settings.py", id="that is no script at all"),
    ],
)
def test_a_group_refuses_a_script(served, script):
    served.get("/blog")

    assert asked(served, "blog", script)[5:8] == b"403"


def test_wsgimatch_roots_hold_for_all_groups(tmp_path):
    more = "WSGIMATCH_ROOTS = ['/nowhere', str(BASE_DIR)]\n"

    with site(tmp_path, aliases=ALIASES, more=more) as at:
        at.told("/blog")
        at.told("/other")
        said = asked(at, "blog", "other.wsgi")

    assert b"200 OK" in said


def test_a_new_alias_to_another_folder_starts_only_its_own_group_anew(tmp_path):
    project, folder = tmp_path / "project", tmp_path / "more"
    project.mkdir()
    folder.mkdir()
    (folder / "new.wsgi").write_text(
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'new']\n"
    )
    with site(project) as at:
        before = {name: at.told(f"/{name}")["pid"] for name in ("blog", "other")}
        alias = f'script_alias("/new", "{folder}/new.wsgi", process_group="blog")'
        with (project / "settings.py").open("a") as file:
            file.write(f"WSGIMATCH_ALIASES.append({alias})\n")
        at.hup()
        at.until(lambda: at.get("/new").body == b"new")
        # A process of before may answer one more request, until it has heard that it is to end.
        at.until(lambda: at.told("/blog")["pid"] != before["blog"])
        other = at.told("/other")["pid"]

    assert other == before["other"]
