"""What a server that is started as root makes of a systemd unit's folder and capabilities."""

from __future__ import annotations

import errno
import json
import os
import pwd
import socket
import sys

import pytest

from django_wsgimatch.asroot import commands, launch
from django_wsgimatch.asroot.accounts import Account, become
from django_wsgimatch.daemon.manager.processes import StartedByRoot
from django_wsgimatch.daemon.servers import directory
from django_wsgimatch.daemon.servers.directory import default_base
from django_wsgimatch.daemon.servers.owner import Owner
from django_wsgimatch.exceptions import SettingError
from tests.support.relayed import folder

HOME = {"HOME": "/"}
SERVER = Account("www-data", 33, 34, (34,), {"HOME": "/var/www"})


@pytest.fixture
def runtime(monkeypatch):
    """A RuntimeDirectory= that is root's."""
    with folder() as path:
        monkeypatch.setenv("RUNTIME_DIRECTORY", str(path))
        monkeypatch.setattr(launch, "distrust", lambda path: "")
        yield path


def test_root_makes_the_server_s_folder_in_systemd_s(runtime, monkeypatch):
    given = []
    monkeypatch.setattr(os, "chown", lambda path, *ids, **how: given.append((path, *ids)))

    launch._make_run_folder(SERVER)

    assert (runtime / "wsgimatch").stat().st_mode & 0o777 == 0o700
    assert given == [(str(runtime / "wsgimatch"), 33, 34)]


def test_a_root_that_may_not_give_files_away_leaves_no_folder_of_its_own(runtime, monkeypatch):
    def refuse(*arguments, **how):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)

    launch._make_run_folder(SERVER)

    assert list(runtime.iterdir()) == []


def test_the_server_takes_the_folder_that_root_has_made_for_it(runtime, monkeypatch):
    (runtime / "wsgimatch").mkdir()
    is_own = directory._is_usable
    monkeypatch.setattr(
        directory, "_is_usable", lambda path: path.endswith("/wsgimatch") and is_own(path)
    )

    assert default_base(Owner(os.getpid(), "")) == str(runtime / "wsgimatch")


def test_a_root_without_capabilities_says_which_it_needs(monkeypatch):
    def refuse(groups):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "setgroups", refuse)

    with pytest.raises(OSError, match="cannot become") as refusal:
        become(SERVER)

    assert refusal.value.strerror == (
        "cannot become user 'www-data': Operation not permitted. Root needs CAP_SETUID and "
        "CAP_SETGID for it: see CapabilityBoundingSet= of the unit"
    )


def test_a_signal_that_the_starter_may_not_send_does_not_end_the_manager():
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, its:
        processes = StartedByRoot(mine)
        its.send(json.dumps({"refused": "[Errno 1] Operation not permitted"}).encode())

        processes.look()

        assert not processes.is_lost


# One group, started by root


class Executed(Exception):
    """Another program takes this process's place."""


@pytest.fixture
def executed(monkeypatch):
    """Root, of whom nothing is left but what it would have become and run."""
    done: dict[str, object] = {}

    def execve(program, words, environ):
        done.update(program=program, words=words, home=environ["HOME"])
        raise Executed

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr(os, "fork", None)
    monkeypatch.setattr(commands, "become", lambda this: done.update(user=this.name))
    return done


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--process-group", "blog", "--user", "daemon"], id="two words"),
        pytest.param(["--user=daemon", "--process-group", "blog"], id="one word"),
    ],
)
def test_root_becomes_the_user_of_a_group_in_the_process_that_systemd_knows(executed, words):
    with pytest.raises(Executed):
        commands.run(["python", "manage.py", "wsgimatch", "serve", *words])

    assert executed == {
        "program": sys.executable,
        "words": [
            *(sys.executable, "manage.py", "wsgimatch", "serve"),
            *("--process-group", "blog"),
        ],
        "home": pwd.getpwnam("daemon").pw_dir,
        "user": "daemon",
    }


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param([], "started as root, the process group has nobody to become", id="nobody"),
        pytest.param(["--user", "root"], "user 'root' is root: name another one", id="root"),
        pytest.param(["--user", "bloger"], "there is no user 'bloger'", id="no user"),
        pytest.param(["--workers", "4"], "takes --bind, --user and --allow-root alone", id="words"),
    ],
)
def test_root_does_not_run_a_group_itself(executed, monkeypatch, words, complaint):
    monkeypatch.delenv("WSGIMATCH_ALLOW_ROOT", raising=False)

    with pytest.raises(SettingError, match=complaint):
        commands.run(["python", "manage.py", "wsgimatch", "serve", "--process-group=blog", *words])

    assert executed == {}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["serve", "--process-group", "b", "--user", "daemon"], id="a group"),
        pytest.param(["check", "--user", "daemon"], id="another subcommand"),
    ],
)
@pytest.mark.parametrize("options", [["--settings", "shop"], ["-v", "2", "--no-color"]], ids=str)
def test_django_s_options_stand_before_root_s_subcommand_and_after_it(
    executed, monkeypatch, words, options
):
    monkeypatch.setattr(
        commands, "_run_as", lambda this, command, environ: os.execve("", command, HOME)
    )

    with pytest.raises(Executed):
        commands.run(["python", "manage.py", "wsgimatch", *options, *words, *options])

    given = [word for word in words if word not in ("--user", "daemon")]
    assert executed["words"] == [
        *(sys.executable, "manage.py", "wsgimatch"),
        *(*options, *given, *options),
    ]


def test_root_names_the_settings_after_serve(monkeypatch):
    given = {}

    def execve(program, words, environ):
        given.update(environ)
        raise Executed

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "old")
    monkeypatch.setenv("WSGIMATCH_ALLOW_ROOT", "1")

    with pytest.raises(Executed):
        launch.serve(["--settings", "shop.settings", "--workers", "2"])

    assert given["DJANGO_SETTINGS_MODULE"] == "shop.settings"


def test_root_goes_on_where_root_is_all_there_is(executed):
    words = ["serve", "--process-group", "blog", "--allow-root"]

    commands.run(["python", "manage.py", "wsgimatch", *words])

    assert executed == {}
