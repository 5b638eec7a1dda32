"""A process group that is run alone: where it listens, whose requests it takes, who it is."""

from __future__ import annotations

import grp
import os
import pwd
import resource
import socket

import pytest

from django_wsgimatch.asroot.group_command import GroupWords, is_for_group, read_group_words
from django_wsgimatch.daemon.group import alone
from django_wsgimatch.daemon.group.alone import require_own_account
from django_wsgimatch.daemon.group.listening import open_listener, peers_of
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.exceptions import SettingError
from tests.support.relayed import folder

ME = os.geteuid()
DAEMON = pwd.getpwnam("daemon")
NOBODY = pwd.getpwnam("nobody")
BIN = pwd.getpwnam("bin")


@pytest.fixture
def path():
    with folder() as at:
        yield at / "blog.sock"


# The socket


def test_what_an_ended_process_has_left_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))

    with open_listener(str(path), GroupOptions(), {}) as listener:
        assert listener.getsockname() == str(path)


def test_the_path_on_the_command_line_beats_the_option(path):
    options = GroupOptions(socket="/nowhere/blog.sock")

    with open_listener(str(path), options, {}) as listener:
        assert listener.getsockname() == str(path)


def test_the_variables_that_tell_of_a_socket_are_removed(path):
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "blog", "LANG": "C"}

    # They are another process's: a path is no contradiction.
    open_listener(str(path), GroupOptions(), environ).close()

    assert environ == {"LANG": "C"}


@pytest.mark.parametrize("count", ["", "0", "-1", "x"])
def test_variables_that_tell_of_no_socket(path, count):
    environ = {"LISTEN_FDS": count, "LISTEN_PID": str(os.getpid())}

    with open_listener(None, GroupOptions(socket=str(path)), environ) as listener:
        assert listener.getsockname() == str(path)


@pytest.mark.parametrize("pid", ["1", "", "x"])
def test_a_socket_for_another_process_is_not_taken(path, pid):
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": pid}

    with pytest.raises(SettingError) as refusal:
        open_listener(None, GroupOptions(socket=str(path)), environ)

    assert str(refusal.value) == (
        f"systemd hands a socket over to process {pid or '?'}, and this is process {os.getpid()}. "
        "Let ExecStart= start Python itself, without a shell or another program in between"
    )


def leave_a_file(path):
    path.write_text("precious")


def leave_a_link(path):
    path.symlink_to("/etc/passwd")


def open_the_folder(path):
    path.parent.chmod(0o777)


def open_the_folder_as_tmp(path):
    path.parent.chmod(0o1777)


def remove_the_folder(path):
    path.parent.rmdir()


OTHERS = (
    "others than this process's user can put a socket into '{folder}' and be taken for the "
    "process group. Give it a folder of its own: RuntimeDirectory= in the unit"
)
NO_SOCKET_THERE = "'{path}' exists and is not a socket: remove it, or name another path"


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        pytest.param(leave_a_file, NO_SOCKET_THERE, id="a file"),
        pytest.param(leave_a_link, NO_SOCKET_THERE, id="a link"),
        pytest.param(open_the_folder, OTHERS, id="a folder for everybody"),
        pytest.param(open_the_folder_as_tmp, OTHERS, id="a folder as /tmp"),
        pytest.param(
            remove_the_folder,
            "'{folder}', the folder of the socket, cannot be used: No such file or directory. "
            "RuntimeDirectory= in the unit makes one",
            id="no folder",
        ),
    ],
)
def test_a_place_where_no_socket_is_made(path, prepare, complaint):
    prepare(path)
    before = os.path.lexists(path)

    with pytest.raises(SettingError) as refusal:
        open_listener(str(path), GroupOptions(), {})

    after = os.path.lexists(path)
    path.parent.mkdir(exist_ok=True)
    assert str(refusal.value) == complaint.format(path=path, folder=path.parent)
    assert after == before


def test_a_path_that_the_kernel_does_not_take():
    path = "/" + "x" * 107

    with pytest.raises(SettingError) as refusal:
        open_listener(path, GroupOptions(), {})

    assert str(refusal.value) == f"{path!r} is too long for a socket: the kernel takes 107 bytes"


# Whose requests are taken


@pytest.fixture
def owned(monkeypatch):
    """A socket that has an owner, a group and a mode."""

    def make(user: int, group: int, mode: int) -> str:
        status = os.stat_result((mode, 0, 0, 0, user, group, 0, 0, 0, 0))
        monkeypatch.setattr(os, "stat", lambda path: status)
        return "/run/blog.sock"

    return make


@pytest.mark.parametrize(
    ("user", "group", "mode", "others"),
    [
        pytest.param(DAEMON.pw_uid, 0, 0o600, {DAEMON.pw_uid}, id="its owner's"),
        pytest.param(DAEMON.pw_uid, BIN.pw_gid, 0o600, {DAEMON.pw_uid}, id="not its group's"),
        pytest.param(
            DAEMON.pw_uid, BIN.pw_gid, 0o660, {DAEMON.pw_uid, BIN.pw_uid}, id="its group's"
        ),
        pytest.param(0, 0, 0o666, set(), id="not everybody's"),
        pytest.param(0, 54321, 0o660, set(), id="a group without a name"),
    ],
)
def test_the_file_of_a_socket_says_who_may_ask(owned, user, group, mode, others):
    assert {*peers_of(owned(user, group, mode))} - {0, ME} == others - {0, ME}


def test_members_of_a_socket_s_group_may_ask(owned, monkeypatch):
    entry = grp.struct_group(("web", "x", 54321, ["daemon", "nosuchuser"]))
    monkeypatch.setattr(grp, "getgrgid", lambda group: entry)

    assert DAEMON.pw_uid in peers_of(owned(0, 54321, 0o660))


def test_a_socket_that_cannot_be_seen():
    with pytest.raises(SettingError) as refusal:
        peers_of("/nowhere/blog.sock")

    assert str(refusal.value) == (
        "the socket '/nowhere/blog.sock' cannot be looked at, so nobody knows who may send "
        "requests: No such file or directory. Its folder must be there for this process too"
    )


# Who it is


@pytest.fixture
def _as_nobody(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY.pw_uid)
    monkeypatch.setattr(os, "getegid", lambda: NOBODY.pw_gid)
    monkeypatch.setattr(os, "getgroups", list)


@pytest.mark.usefixtures("_as_nobody")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(GroupOptions(), id="no user"),
        pytest.param(GroupOptions(user="nobody"), id="its own user"),
        pytest.param(GroupOptions(user=f"#{NOBODY.pw_uid}"), id="its own user, by number"),
        pytest.param(GroupOptions(group=f"#{NOBODY.pw_gid}"), id="its own group"),
    ],
)
def test_a_process_is_who_the_options_say(options):
    require_own_account("blog", options)


@pytest.mark.usefixtures("_as_nobody")
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param(
            GroupOptions(user="daemon"),
            "process group 'blog' is to run as user 'daemon', and this process is user 'nobody': "
            "write User=daemon into its unit, or leave the option `user` out",
            id="another user",
        ),
        pytest.param(
            GroupOptions(group="daemon"),
            "process group 'blog' is to run in group 'daemon', and this process is in group "
            f"{NOBODY.pw_gid}: write Group=daemon into its unit, or leave the option `group` out",
            id="another group",
        ),
        pytest.param(
            GroupOptions(supplementary_groups=("daemon", "bin")),
            "process group 'blog' is to be in the groups daemon bin, and this process is not: "
            "write SupplementaryGroups=daemon bin into its unit, or leave the option out",
            id="further groups",
        ),
        pytest.param(GroupOptions(user="bloger"), "there is no user 'bloger'", id="nobody"),
    ],
)
def test_a_process_that_is_somebody_else(options, complaint):
    with pytest.raises(SettingError) as refusal:
        require_own_account("blog", options)

    assert str(refusal.value) == complaint


def test_a_limit_above_the_unit_s_own(monkeypatch):
    def refuse(kind, limits):
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)

    with pytest.raises(SettingError) as refusal:
        alone._set_limits({"NPROC": 400})

    assert str(refusal.value) == (
        "the limit of 400 for RLIMIT_NPROC is more than this process may have: write "
        "LimitNPROC=400 into the unit, or a lower option"
    )


# The words


@pytest.mark.parametrize(
    ("words", "read"),
    [
        pytest.param(["--process-group", "blog"], GroupWords("blog"), id="a name"),
        pytest.param(["--process-group=blog"], GroupWords("blog"), id="a name in one word"),
        pytest.param(
            ["--process-group", "blog", "-b", "unix:/run/b/b.sock"],
            GroupWords("blog", "/run/b/b.sock"),
            id="a path",
        ),
        pytest.param(
            ["--user", "shop", "--process-group", "blog", "--allow-root"],
            GroupWords("blog", None, "shop", True),
            id="for root",
        ),
    ],
)
def test_words_of_serve(words, read):
    assert (is_for_group(words), read_group_words(words)) == (True, read)


def test_gunicorn_s_group_is_no_process_group():
    assert not is_for_group(["--group", "www-data", "--workers", "4"])
