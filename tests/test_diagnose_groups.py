"""What the checks say of a process group, each asked in its own Python, as its own user."""

from __future__ import annotations

import os
import sys

import pytest

from django_wsgimatch.aliases.groups import GLOBAL
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.diagnose import groups, pythons
from django_wsgimatch.diagnose.groups import group_findings
from tests.relayed import folder
from tests.test_groups import runs_as_nobody

SYSTEM_PYTHON = "/usr/bin/python3"
needs_nobody = pytest.mark.skipif(
    not runs_as_nobody(SYSTEM_PYTHON), reason="no user but root can read what it takes"
)


def found(options, name="blog", tmp_path="/nowhere", **more):
    findings = group_findings(
        {name: options}, needs_places=True, socket_directory=str(tmp_path), **more
    )
    return [(finding.id, finding.message) for finding in findings]


def python_that(home, script):
    """A ``python_home`` whose Python is a shell script."""
    python = home / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return str(home)


def test_a_group_in_order():
    assert found(GroupOptions()) == []


def test_an_old_python(tmp_path):
    home = python_that(tmp_path, "echo 3 9")

    assert found(GroupOptions(python_home=home)) == [
        ("E018", f"python_home {home!r} does not serve: Python 3.9.")
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param("echo hello you", "it says 'hello you'", id="another program"),
        pytest.param("exit 3", "it ended with status 3", id="a program that fails"),
        pytest.param("echo no luck >&2; exit 3", "no luck", id="a program that says why"),
    ],
)
def test_what_is_no_python(tmp_path, script, reason):
    home = python_that(tmp_path, script)

    assert found(GroupOptions(python_home=home)) == [
        (
            "E018",
            f"python_home {home!r} does not serve: '{home}/bin/python' is no Python: {reason}.",
        )
    ]


def test_a_python_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(pythons, "SECONDS", 0.1)
    home = python_that(tmp_path, "exec sleep 5")

    [(check_id, message)] = found(GroupOptions(python_home=home))

    assert check_id == "E018"
    assert message.endswith("timed out after 0.1 seconds.")


def test_sub_interpreters_in_an_old_python(tmp_path):
    home = python_that(tmp_path, "echo 3 12")

    assert found(GroupOptions(python_home=home), nesting={"blog"}) == [
        (
            "E006",
            (
                "application groups as sub interpreters need Python 3.13, and the group's is "
                "3.12: leave WSGIMATCH_APPLICATION_GROUP_BACKEND out, or give the group a newer "
                "python_home."
            ),
        )
    ]


def test_missing_directories():
    options = GroupOptions(home="/nosuch", python_path=("/usr", "/not/there"))

    assert found(options) == [
        ("E019", "home '/nosuch' is not a directory."),
        ("E019", "python_path '/not/there' is not a directory."),
    ]


@pytest.fixture
def library(tmp_path):
    """Settings that only a .pth file leads to, and that need a variable."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "blog.pth").write_text("../inner\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "conf.py").write_text("import os\nos.environ['KEY']\n")
    return str(tmp_path / "lib")


def test_settings_are_imported_as_the_group_would(library):
    options = GroupOptions(settings="conf", python_path=(library,), environment=(("KEY", "value"),))

    assert found(options) == []


def test_settings_without_their_variable(library):
    options = GroupOptions(settings="conf", python_path=(library,))

    assert found(options) == [
        ("E020", "the settings module 'conf' does not import there: KeyError: 'KEY'.")
    ]


def test_settings_in_the_home_directory_are_not_found_by_chance(tmp_path):
    (tmp_path / "blog_conf.py").touch()

    assert found(GroupOptions(settings="blog_conf", home=str(tmp_path))) == [
        (
            "E020",
            (
                "the settings module 'blog_conf' does not import there: ModuleNotFoundError: No "
                "module named 'blog_conf'."
            ),
        )
    ]


@pytest.mark.parametrize(
    ("name", "complaints"),
    [
        pytest.param(GLOBAL, 0, id="of the server's own"),
        pytest.param("blog", 1, id="of a group of its own"),
    ],
)
def test_the_server_s_path_is_there_for_its_application_groups(
    tmp_path, monkeypatch, name, complaints
):
    (tmp_path / "blog_conf.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    assert len(found(GroupOptions(settings="blog_conf"), name)) == complaints


def test_a_user_that_does_not_exist_is_asked_nothing(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(groups, "ask", None)

    assert found(GroupOptions(user="bloger")) == [("E017", "there is no user 'bloger'.")]


def test_a_script_user_that_does_not_exist():
    assert found(GroupOptions(script_user="bloger"))[0] == (
        "E017",
        "there is no user or group 'bloger'.",
    )


@needs_nobody
def test_what_the_user_cannot_read(tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir(mode=0o700)
    options = GroupOptions(user="nobody", python_home="/usr", python_path=(str(secret),))

    findings = found(options)

    assert ("E017", f"user 'nobody' cannot read {str(secret)!r}.") in findings


@needs_nobody
def test_a_python_that_the_user_cannot_run(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))

    assert found(GroupOptions(user="nobody")) == [
        (
            "E017",
            (
                f"user 'nobody' cannot run the server's own Python, {str(python)!r}: [Errno 13] "
                f"Permission denied: {str(python)!r}."
            ),
        )
    ]


@needs_nobody
def test_a_group_s_python_never_runs_as_root(tmp_path):
    for path in [tmp_path, *tmp_path.parents[:3]]:
        path.chmod(0o755)
    tmp_path.chmod(0o777)
    home = python_that(tmp_path / "venv", f'id -un >> {tmp_path}/who; exec {SYSTEM_PYTHON} "$@"')

    found(GroupOptions(user="nobody", python_home=home, settings="os"))

    assert (tmp_path / "who").read_text() == "nobody\nnobody\n"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(
            lambda path: (path / "other").mkdir(parents=True),
            "{!r} holds other files than a server's: it has no .wsgimatch",
            id="a folder of other things",
        ),
        pytest.param(
            lambda path: (path.mkdir(), path.chmod(0o777)),
            "others can write to {!r}: its mode is 0777",
            id="a folder that everybody can write to",
        ),
        pytest.param(
            lambda path: path.touch(),
            "{!r} cannot be made: File exists",
            id="a file",
        ),
    ],
)
def test_a_folder_that_sockets_cannot_lie_in(make, reason):
    with folder() as path:
        make(path / "run")

        assert found(GroupOptions(), tmp_path=path / "run") == [
            (
                "E021",
                (
                    f"the sockets of groups cannot lie in it: {reason.format(str(path / 'run'))}. "
                    "Requests to groups get 503."
                ),
            )
        ]


def test_trying_a_folder_of_sockets_leaves_nothing():
    with folder() as path:
        assert found(GroupOptions(), tmp_path=path / "new" / "run") == []

        assert os.listdir(path) == []
