"""The users that groups run as, and those whose scripts they run."""

from __future__ import annotations

import grp
import os
import pwd
import stat

import pytest

from django_wsgimatch.asroot.accounts import account
from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.manager.starting import GroupAccount, account_of, make_board
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.script_owner import ANYBODY, ScriptOwner
from django_wsgimatch.daemon.servers.listener import listen
from django_wsgimatch.exceptions import ScriptError, SettingError
from tests.support.relayed import folder

ME = os.getuid()
DAEMON = pwd.getpwnam("daemon")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def _as_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def _as_nobody(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY.pw_uid)
    monkeypatch.setattr(os, "getegid", lambda: NOBODY.pw_gid)
    monkeypatch.setattr(os, "getgroups", list)


def environment_of(user):
    return {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}


@pytest.mark.usefixtures("_as_root")
@pytest.mark.parametrize(
    ("options", "account"),
    [
        pytest.param(GroupOptions(), None, id="the server's own"),
        pytest.param(
            GroupOptions(user="daemon"),
            (DAEMON.pw_uid, DAEMON.pw_gid, environment_of(DAEMON), True),
            id="the option's, by name",
        ),
        pytest.param(
            GroupOptions(user=f"#{DAEMON.pw_uid}", group="#7"),
            (DAEMON.pw_uid, 7, environment_of(DAEMON), True),
            id="the option's, by number",
        ),
    ],
)
def test_root_switches(options, account):
    found = account_of(options)

    told = found and (found.user, found.group, dict(found.environment), found.is_other)
    assert told == account


@pytest.mark.usefixtures("_as_nobody")
@pytest.mark.parametrize(
    ("options", "account"),
    [
        pytest.param(GroupOptions(), (NOBODY.pw_uid, NOBODY.pw_gid, False), id="the server's own"),
        pytest.param(
            GroupOptions(group="#7"),
            (NOBODY.pw_uid, 7, False),
            id="the server's user in another group",
        ),
        pytest.param(
            GroupOptions(user="daemon"), (DAEMON.pw_uid, DAEMON.pw_gid, True), id="another user"
        ),
    ],
)
def test_whom_a_server_with_a_starter_asks_for(options, account):
    found = account_of(options, may_switch=True)

    assert found is not None
    assert (found.user, found.group, found.is_other) == account


@pytest.mark.usefixtures("_as_root")
def test_supplementary_groups_stand_in_place_of_the_user_s_own():
    options = GroupOptions(user="daemon", supplementary_groups=("#8", "#9"))

    account = account_of(options)

    assert account == GroupAccount(DAEMON.pw_uid, DAEMON.pw_gid, (8, 9), environment_of(DAEMON))


@pytest.mark.usefixtures("_as_nobody")
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(GroupOptions(), id="none named"),
        pytest.param(GroupOptions(user="nobody"), id="its own"),
    ],
)
def test_a_server_without_root_stays_who_it_is(options):
    account = account_of(options)

    assert account is None


@pytest.mark.usefixtures("_as_nobody")
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param(
            GroupOptions(user="daemon"),
            "user 'daemon' and group None need a server that is started as root: `manage.py "
            "wsgimatch serve --user ... --allow-user daemon`",
            id="another user",
        ),
        pytest.param(
            GroupOptions(group="#7"),
            "user None and group '#7' need a server that is started as root: `manage.py "
            "wsgimatch serve --user ... --allow-user NAME`",
            id="another group",
        ),
        pytest.param(
            GroupOptions(user="root"),
            "user 'root' is refused: as in mod_wsgi no process group is made to run as root",
            id="root",
        ),
        pytest.param(
            GroupOptions(user="#0"),
            "user '#0' is refused: as in mod_wsgi no process group is made to run as root",
            id="root's number",
        ),
        pytest.param(GroupOptions(user="bloger"), "there is no user 'bloger'", id="no user"),
        pytest.param(
            GroupOptions(user="#99999999999"), "there is no user '#99999999999'", id="no number"
        ),
        pytest.param(GroupOptions(group="bloger"), "there is no group 'bloger'", id="no group"),
        pytest.param(
            GroupOptions(group="root"),
            "group 'root' is refused: no process group runs in root's group",
            id="root's group",
        ),
    ],
)
def test_who_a_group_cannot_run_as(options, complaint):
    with pytest.raises(SettingError) as caught:
        account_of(options)

    assert str(caught.value) == complaint


def test_no_link_is_followed_where_a_board_is_made(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "board").symlink_to(tmp_path / "precious")
    spec = GroupSpec(Place("blog", ""), GroupOptions())

    os.close(make_board(spec, str(tmp_path / "board")))

    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "board").is_symlink()


def test_a_socket_is_there_for_the_server_s_user_alone():
    with folder() as path:
        at = str(path / "socket")
        listener = listen(at)
        mode = stat.S_IMODE(os.stat(at).st_mode)
        listener.close()

    assert mode == 0o600


@pytest.fixture
def script(tmp_path):
    tmp_path.chmod(0o755)
    path = tmp_path / "app.wsgi"
    path.touch()
    path.chmod(0o644)
    return path


OWNED = {
    "anybody": ANYBODY,
    "a user": ScriptOwner.of(f"#{ME}", None),
    "a user's name": ScriptOwner.of(pwd.getpwuid(ME).pw_name, None),
    "a group": ScriptOwner.of(None, f"#{os.getgid()}"),
    "a group's name": ScriptOwner.of(None, grp.getgrgid(os.getgid()).gr_name),
}


@pytest.mark.parametrize("owner", OWNED.values(), ids=OWNED)
def test_an_owner_s_script_is_accepted(script, owner):
    owner.require(str(script))


@pytest.mark.parametrize("owner", OWNED.values(), ids=OWNED)
def test_a_script_that_is_gone_is_left_to_others(script, owner):
    script.unlink()

    owner.require(str(script))


@pytest.mark.parametrize(
    ("owner", "mode", "folder", "complaint"),
    [
        pytest.param(
            ScriptOwner.of("#12345", None),
            0o644,
            0o755,
            f"WSGI script file has owner {ME}, not the script-user 12345",
            id="another user's",
        ),
        pytest.param(
            ScriptOwner.of(None, "#12345"),
            0o644,
            0o755,
            f"WSGI script file has group {os.getgid()}, not the script-group 12345",
            id="another group's",
        ),
        pytest.param(
            OWNED["a user"], 0o664, 0o755, "WSGI script file is writable to group", id="g+w"
        ),
        pytest.param(
            OWNED["a group"], 0o646, 0o755, "WSGI script file is writable to world", id="o+w"
        ),
        pytest.param(
            OWNED["a user"],
            0o644,
            0o775,
            "Parent directory of WSGI script file is writable to group",
            id="a folder with g+w",
        ),
        pytest.param(
            OWNED["a group"],
            0o664,
            0o777,
            "Parent directory of WSGI script file is writable to world",
            id="a folder with o+w",
        ),
    ],
)
def test_a_script_that_others_could_change_is_refused(script, owner, mode, folder, complaint):
    script.chmod(mode)
    script.parent.chmod(folder)

    with pytest.raises(ScriptError) as caught:
        owner.require(str(script))

    assert (caught.value.status, str(caught.value)) == (403, f"{complaint}: {str(script)!r}.")


def test_an_owner_that_does_not_exist():
    with pytest.raises(SettingError) as caught:
        ScriptOwner.of("bloger", None)

    assert str(caught.value) == "there is no user 'bloger'"


def user_of_group(name: str) -> int:
    found = account_of(GroupOptions(user=name), may_switch=True)
    assert found is not None
    return found.user


LOOK_UPS = {
    "the server's user": lambda name: account(name).user,
    "a group's user": user_of_group,
    "a script's owner": lambda name: ScriptOwner.of(name, None).user,
}


@pytest.mark.parametrize("look_up", LOOK_UPS.values(), ids=LOOK_UPS)
@pytest.mark.parametrize("name", ["daemon", "1", "#1"])
def test_a_user_is_a_name_or_a_number_wherever_one_is_named(look_up, name):
    assert look_up(name) == 1


@pytest.mark.parametrize("look_up", LOOK_UPS.values(), ids=LOOK_UPS)
@pytest.mark.parametrize("name", ["##1", "#", "\u00b9", "#-1", "#4294967295"])
def test_what_names_no_user_names_none_anywhere(look_up, name):
    with pytest.raises(SettingError) as caught:
        look_up(name)

    assert str(caught.value) == f"there is no user {name!r}"
