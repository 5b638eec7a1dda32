"""What the checks say of a process group, each asked in its own Python, as its own user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from django_wsgimatch.aliases.groups import GLOBAL
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.servers.directory import MARKER
from django_wsgimatch.doctor.processes import groups, pythons
from django_wsgimatch.doctor.processes.groups import group_findings
from tests.support.groups import runs_as_nobody
from tests.support.relayed import folder

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
        ("E018", f"python_home {home!r} cannot be used: Python 3.9.")
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
            (
                f"python_home {home!r} cannot be used: there is no Python at '{home}/bin/python': "
                f"{reason}."
            ),
        )
    ]


def test_a_python_of_the_last_century(tmp_path):
    """Python 2 does not know the option -I, and tells its version on standard error."""
    script = (
        """case "$1" in -V) echo Python 2.7.18 >&2;; *) echo "Try python -h" >&2; exit 2;; esac"""
    )
    home = python_that(tmp_path, script)

    assert found(GroupOptions(python_home=home)) == [
        ("E018", f"python_home {home!r} cannot be used: Python 2.7.")
    ]


@pytest.mark.parametrize(
    ("options", "check_id", "message"),
    [
        pytest.param(
            GroupOptions(locale="xx_XX.UTF-8"),
            "W053",
            "locale 'xx_XX.UTF-8' has no effect: unsupported locale setting. The group starts "
            "without it: dates, numbers and sorting follow the C locale.",
            id="a locale that the machine does not have",
        ),
        pytest.param(
            GroupOptions(stack_size=4097),
            "W053",
            "stack_size 4097 has no effect: size not valid: 4097 bytes. The group starts without "
            "it: its threads have stacks of the system's default size.",
            id="a stack too small for a thread",
        ),
        pytest.param(
            GroupOptions(log_file="/nosuch/blog.log"),
            "E030",
            "the group cannot start: log_file '/nosuch/blog.log', tried as the server's user: "
            "there is no directory '/nosuch'. All its URLs get 503.",
            id="a log in a directory that there is not",
        ),
        pytest.param(
            GroupOptions(log_file="/dev/stderr"),
            "E030",
            "the group cannot start: log_file '/dev/stderr', tried as the server's user: it is a "
            "symbolic link, which is not followed. All its URLs get 503.",
            id="a log that is a link",
        ),
        pytest.param(
            GroupOptions(log_file="/usr"),
            "E030",
            "the group cannot start: log_file '/usr', tried as the server's user: Is a directory. "
            "All its URLs get 503.",
            id="a log that is a directory",
        ),
        pytest.param(
            GroupOptions(virtual_memory_limit=1 << 20),
            "E030",
            "the group cannot start: virtual_memory_limit 1048576, tried as the server's user: "
            "MemoryError. All its URLs get 503.",
            id="too little memory for a Python",
        ),
    ],
)
def test_what_a_group_does_at_its_start_is_tried(options, check_id, message):
    assert found(options) == [(check_id, message)]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(GroupOptions(locale="C.UTF-8", lang="C.UTF-8"), id="a locale that is there"),
        pytest.param(GroupOptions(stack_size=256 * 1024), id="a stack"),
        pytest.param(GroupOptions(cpu_priority=5), id="a place behind others"),
        pytest.param(GroupOptions(home="/usr"), id="a home"),
        pytest.param(GroupOptions(virtual_memory_limit=8 << 30), id="memory enough"),
    ],
)
def test_what_works_at_a_start_is_no_matter(options):
    assert found(options) == []


@needs_nobody
def test_a_home_that_the_user_may_not_enter(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    options = GroupOptions(user="nobody", python_home="/usr", home=str(home))

    assert [each for each in found(options) if each[0] == "E030"] == [
        (
            "E030",
            (
                f"the group cannot start: home {str(home)!r}, tried as user 'nobody': Permission "
                "denied. All its URLs get 503."
            ),
        )
    ]


@needs_nobody
def test_a_priority_that_only_root_may_set():
    options = GroupOptions(user="nobody", python_home="/usr", cpu_priority=-5)

    assert [each for each in found(options) if each[0] == "W053"] == [
        (
            "W053",
            (
                "cpu_priority -5 has no effect: Permission denied. The group starts without it: "
                "it has the server's priority."
            ),
        )
    ]


@needs_nobody
def test_a_python_home_that_the_user_may_not_reach(open_folder):
    """As with an environment made by a Python that lies below somebody's home directory."""
    home = python_that(open_folder / "hidden" / "venv", "exit 1")
    (open_folder / "hidden").chmod(0o700)
    options = GroupOptions(user="nobody", python_home=home)

    assert found(options) == [
        (
            "E017",
            (
                f"user 'nobody' cannot run the Python of python_home {home!r}: that user may "
                f"not enter {str(open_folder / 'hidden')!r}, on the path to '{home}/bin/python'."
            ),
        )
    ]


def test_a_python_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(pythons, "SECONDS", 0.1)
    home = python_that(tmp_path, "exec sleep 5")

    [(check_id, message)] = found(GroupOptions(python_home=home))

    assert check_id == "E018"
    assert message.endswith("it takes more than 0.1 s.")


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
    monkeypatch.setattr(groups, "ask_python", None)

    assert found(GroupOptions(user="bloger")) == [("E017", "there is no user 'bloger'.")]


def test_a_script_user_that_does_not_exist():
    assert found(GroupOptions(script_user="bloger"))[0] == (
        "E017",
        "there is no user 'bloger'.",
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
def test_a_group_s_python_never_runs_as_root(open_folder):
    open_folder.chmod(0o777)
    home = python_that(
        open_folder / "venv", f'id -un >> {open_folder}/who; exec {SYSTEM_PYTHON} "$@"'
    )

    found(GroupOptions(user="nobody", python_home=home, settings="os"))

    assert (open_folder / "who").read_text() == "nobody\nnobody\n"


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
                    "the groups' sockets cannot be created in it: "
                    f"{reason.format(str(path / 'run'))}. Requests to groups get 503."
                ),
            )
        ]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param(
            "/proc/nosuch/sock", "cannot be made: No such file or directory", id="no such folder"
        ),
        pytest.param(
            f"/{'a' * 100}",
            "is too long for a folder of sockets: the kernel takes 64 bytes",
            id="long",
        ),
        pytest.param("/sys/sock", "cannot be made: ", id="a file system without folders"),
        pytest.param("/dev/null/sock", "cannot be made: Not a directory", id="below a file"),
    ],
)
def test_a_path_at_which_no_folder_can_be(path, reason):
    [(check_id, message)] = found(GroupOptions(), tmp_path=path)

    assert check_id == "E021"
    assert message.startswith(f"the groups' sockets cannot be created in it: {path!r} {reason}")


@pytest.mark.parametrize("size", ["16k", "32k"])
def test_a_full_disk_below_a_folder_of_sockets(size):
    with folder() as path:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(path)]
        if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here")
        try:
            told = found(GroupOptions(processes=4), tmp_path=path)
            left = [name for name in os.listdir(path) if name != MARKER]
        finally:
            subprocess.run(["umount", "-l", str(path)], check=True)

    reason = f"{str(path)!r}: No space left on device"
    message = f"the groups' sockets cannot be created in it: {reason}. Requests to groups get 503."
    assert (told, left) == ([("E021", message)], [])


def test_trying_a_folder_of_sockets_leaves_nothing():
    with folder() as path:
        assert found(GroupOptions(), tmp_path=path / "new" / "run") == []

        assert os.listdir(path) == []
