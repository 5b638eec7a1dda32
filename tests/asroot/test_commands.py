"""What root starts: nothing of a project runs as root, and each command says who it runs as."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.groups import wait_until
from tests.support.rooted import (
    ALLOWED,
    AS_SERVER,
    GROUPS,
    OTHER,
    SECRETS,
    SERVER,
    TENANT,
    needs_root,
    served,
    uid,
    write_project,
)
from tests.thorough import mostly_thorough

pytestmark = needs_root

NOBODY = uid(SERVER)
# More options than a command takes are an error of its own: also then root reads nothing.
COMMANDS = [
    *(["check"], ["list"], ["preview", "/a"], ["status"], ["restart", "b"], ["stop", "b"]),
    *(["import", "/dev/null"], ["compare", "--help"], ["--help"], [], ["nonsense"]),
    *(["--settings=settings", "check"], ["--settings", "settings", "status"], ["-v", "2", "list"]),
    *(["--traceback", "status"], ["check", "--json"]),
]


@pytest.fixture(scope="module")
def project(root_s_home):
    """A project that nobody serves."""
    return write_project(root_s_home, "commands")


@pytest.fixture(autouse=True)
def _nobody_has_read(request):
    if "project" in request.fixturenames:
        request.getfixturevalue("project").forget_readers()


@pytest.fixture(scope="module")
def site(root_s_home):
    with served(write_project(root_s_home, "running")) as site:
        yield site


@pytest.mark.parametrize(
    "words",
    mostly_thorough([*COMMANDS[:9], COMMANDS[11]], ["check"], ["restart", "b"], COMMANDS[11]),
    ids=" ".join,
)
def test_who_reads_the_settings_while_a_server_runs(site, words):
    site.forget_readers()

    done = site.run(*site.manage, *words)

    assert site.readers == {NOBODY}
    assert "wsgimatch: running as 'nobody', the user of the running server\n" in done.stderr
    site.until(lambda: site.answers("b"))


def test_root_is_told_how_a_restart_went(site):
    done = site.run(*site.manage, "restart", "b", "--wait")

    assert done.returncode == 0
    assert re.fullmatch(
        r"Restarting b\.\nb: process(es)? [\d, ]+ serves? the new code\.\n", done.stdout
    )


def test_status_shows_what_the_manager_knows(site):
    done = site.run(*site.manage, "status")

    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert names == ["name", *GROUPS]


@pytest.mark.parametrize(
    "words", mostly_thorough([COMMANDS[0], COMMANDS[8], COMMANDS[11]]), ids=" ".join
)
def test_who_reads_the_settings_as_user_says(project, words):
    done = project.run(*project.manage, *words, "--user", OTHER)

    assert project.readers == {uid(OTHER)}
    assert "wsgimatch: running as 'games', as --user says\n" in done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "nothing")
def test_a_project_of_root_s_that_nobody_serves(project, words):
    done = project.run(*project.manage, *words)

    assert (done.returncode, project.readers, done.stdout) == (1, set(), "")
    said = "wsgimatch: as root, this command does not know whom to run the project as: "
    assert done.stderr.startswith(said)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["manage.py", "help", "wsgimatch"], id="help"),
        pytest.param(["-m", "django", "wsgimatch", "check", "--settings=settings"], id="-m django"),
        pytest.param(["-I", "-m", "django_wsgimatch", "check"], id="-m django_wsgimatch"),
        pytest.param(["-W", "ignore", "manage.py", "wsgimatch", "list"], id="an option of Python"),
        pytest.param(["./manage", "wsgimatch", "list"], id="a script of another name"),
    ],
)
def test_other_ways_to_the_same_command(project, words):
    shutil.copy(project.project / "manage.py", project.project / "manage")

    done = project.run(project.python, *words)

    assert (done.returncode, project.readers) == (1, set())
    assert done.stderr.startswith("wsgimatch: as root, this command does not know whom to run")


@pytest.mark.parametrize(
    "words", mostly_thorough([["check"], ["status"]], ["status"]), ids=" ".join
)
def test_allow_root_is_said_each_time(project, words):
    done = project.run(*project.manage, *words, WSGIMATCH_ALLOW_ROOT="1")

    assert project.readers == {0}
    said = "wsgimatch: WSGIMATCH_ALLOW_ROOT: the project runs as root here, and whoever"
    assert done.stderr.startswith(said)


def test_a_project_that_belongs_to_somebody_is_run_as_him(root_s_home):
    project = write_project(root_s_home, "owned")
    os.chown(project.project / "manage.py", uid(TENANT), -1)

    done = project.run(*project.manage, "check")

    assert project.readers == {uid(TENANT)}
    assert "wsgimatch: running as 'www-data', to whom manage.py belongs\n" in done.stderr


NO_USER = "wsgimatch: started as root, the server has nobody to become, and nothing of a project "


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["serve"], id="no user"),
        pytest.param(["serve", "--allow-user", TENANT], id="only users of groups"),
        pytest.param(["serve", "--group", "nogroup"], id="only a group"),
    ],
)
def test_serve_without_a_user(project, words):
    done = project.run(*project.manage, *words)

    assert (done.returncode, project.readers) == (1, set())
    assert done.stderr.startswith(NO_USER)
    assert "manage.py wsgimatch serve --user www-data --group www-data" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--user", "root"], "user 'root' is root: name another one", id="root"),
        pytest.param(["--user", "0"], "user '0' is root: name another one", id="root's number"),
        pytest.param(["--user", "bloger"], "there is no user 'bloger'", id="no user"),
        pytest.param(
            ["--user", SERVER, "--group", "root"],
            "group 'root' is root's: name another one",
            id="root's group",
        ),
        pytest.param(
            ["--user", SERVER, "--allow-user", "root"],
            "user 'root' is root: name another one",
            id="root for groups",
        ),
        pytest.param(
            ["--user", SERVER, "--allow-user", f"{TENANT}:root"],
            "group 'root' is root's: name another one",
            id="root's group for groups",
        ),
        pytest.param(
            ["--user", SERVER, "--allow-user", f"{TENANT}:bloger"],
            "there is no group 'bloger'",
            id="no group",
        ),
    ],
)
def test_whom_serve_does_not_become(project, words, said):
    done = project.run(*project.manage, "serve", *words)

    assert (done.returncode, done.stderr, project.readers) == (1, f"wsgimatch: {said}\n", set())


def test_an_unknown_option_before_serve(project):
    done = project.run(*project.manage, "--setings=settings", "serve", *AS_SERVER)

    assert (done.returncode, project.readers) == (1, set())
    assert done.stderr == (
        "wsgimatch: '--setings=settings' comes before serve, and is not an option of Django\n"
    )


ENTRY = "from django_wsgimatch import wsgi"
SERVERS = {
    "gunicorn": ["{env}/bin/python", "{env}/bin/gunicorn", "django_wsgimatch.wsgi"],
    "the entry under any other server": ["{env}/bin/python", "-c", ENTRY],
}


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS)
def test_an_entry_that_root_starts(project, command):
    words = [word.format(env=project.project / "env") for word in command]

    done = project.run(*words, DJANGO_SETTINGS_MODULE="settings")

    assert project.readers == set()
    assert done.returncode != 0
    assert "Started as root, the server has nobody to become" in done.stderr


@pytest.fixture
def evil(project):
    """What a lower user who can write to the project's folder puts there: it says who runs it."""
    made = []

    def put(name):
        path = project.project / name
        path.parent.mkdir(exist_ok=True)
        mark = f"{project.project}/readers/{{os.geteuid()}}.evil"
        path.write_text(f"import os\nopen(f{mark!r}, 'w').close()\n")
        made.append(path)

    yield put
    for path in made:
        path.unlink()


LYING_THERE = ["gunicorn.conf.py", "django_wsgimatch/__init__.py", "stringprep.py"]


@pytest.mark.parametrize(
    ("start", "name"),
    mostly_thorough(
        [
            *(("serve", name) for name in LYING_THERE),
            *(("gunicorn by hand", name) for name in [*LYING_THERE, "django_wsgimatch.py"]),
            *(("gunicorn by hand", name) for name in ["sitecustomize.py", "argparse.py"]),
        ],
        ("serve", "gunicorn.conf.py"),
        ("serve", "django_wsgimatch/__init__.py"),
        ("gunicorn by hand", "gunicorn.conf.py"),
        ("gunicorn by hand", "sitecustomize.py"),
    ),
)
def test_what_lies_in_the_project_s_folder_is_not_run_as_root(project, evil, start, name):
    evil(name)
    options = [*AS_SERVER, "--bind", "127.0.0.1:0", "--check-config"]
    own = ["-c", "python:django_wsgimatch.gunicorn", *options, "django_wsgimatch.wsgi"]
    words = [*project.manage, "serve", *options] if start == "serve" else [*project.gunicorn, *own]

    project.run(*words)

    assert 0 not in project.readers


@pytest.mark.parametrize("owner", [TENANT, SERVER], ids=["a tenant's", "the server's user's"])
def test_a_configuration_file_that_others_can_change(project, evil, owner):
    evil("own.conf.py")
    os.chown(project.project / "own.conf.py", uid(owner), -1)

    done = project.run(*project.manage, "serve", *AS_SERVER, "-c", "own.conf.py")

    assert (done.returncode, project.readers) == (1, set())
    where = f"{str(project.project / 'own.conf.py')!r} belongs to user {uid(owner)}"
    assert where in done.stderr


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        pytest.param("env/pyvenv.cfg", 0o666, id="pyvenv.cfg"),
        pytest.param("env/bin", 0o777, id="the folder of its Python"),
        pytest.param("{packages}", 0o777, id="the folder of packages"),
        pytest.param("{packages}/django_wsgimatch", 0o777, id="the package"),
        pytest.param("{packages}/django_wsgimatch/daemon/starter.py", 0o666, id="the starter"),
        pytest.param("{packages}/django_wsgimatch.pth", 0o666, id="the hook"),
        pytest.param("{packages}/other.pth", 0o602, id="another package's hook"),
    ],
)
def test_what_others_than_root_can_write_is_not_run(root_s_home, project, path, mode):
    [packages] = root_s_home.glob("env/lib/python3*/site-packages")
    (packages / "other.pth").touch()
    changed = Path(path.format(packages=packages))
    changed = changed if changed.is_absolute() else root_s_home / changed
    before = changed.stat().st_mode & 0o7777
    changed.chmod(mode)
    try:
        done = project.run(*project.manage, "serve", *AS_SERVER, "--bind", "127.0.0.1:0")
    finally:
        changed.chmod(before)

    assert (done.returncode, project.readers) == (1, set())
    assert f"others can write to {str(changed)!r} ({mode:04o})" in done.stderr.replace(
        str(project.project / "env"), str(root_s_home / "env")
    )


def test_a_link_that_leads_to_what_others_can_write(root_s_home, project):
    theirs = root_s_home / "theirs"
    shutil.copytree(root_s_home / "env", theirs, symlinks=True)
    os.chown(theirs, uid(TENANT), -1)
    (project.project / "mine").symlink_to(theirs)
    python = str(project.project / "mine/bin/python")

    done = project.run(python, "manage.py", "wsgimatch", "serve", *AS_SERVER)

    assert (done.returncode, project.readers) == (1, set())
    assert f"{str(theirs)!r} belongs to user {uid(TENANT)}" in done.stderr


BY_HAND = ("-c", "python:django_wsgimatch.gunicorn", *AS_SERVER)


@pytest.mark.parametrize("target", ["file", "new"], ids=["root's file", "root's folder"])
@pytest.mark.parametrize(
    "option", mostly_thorough(["--error-logfile", "--access-logfile", "--pid"])
)
def test_gunicorn_by_hand_writes_through_no_link(project, target, option):
    secret, logs = project.project / "root-only", project.project / "logs"
    for each in (secret, logs):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    secret.chmod(0o700)
    (secret / "file").write_text("root's\n")
    os.chown(logs, NOBODY, -1)
    (logs / "its").symlink_to(secret / target)
    words = [*project.gunicorn, *BY_HAND, "--bind", "127.0.0.1:0", option, str(logs / "its")]

    done = project.run(*words, "--workers", "0", "django_wsgimatch.wsgi")

    assert done.returncode != 0
    assert {path.name: path.read_text() for path in secret.iterdir()} == {"file": "root's\n"}
    assert 0 not in project.readers


@pytest.fixture(scope="module")
def by_hand(root_s_home):
    project = write_project(root_s_home, "by-hand")
    command = [*project.gunicorn, *BY_HAND, "django_wsgimatch.wsgi"]
    with served(project, command, waits_for="plain") as site:
        yield site


def test_gunicorn_by_hand_serves_with_exactly_one_process_of_root_s(by_hand):
    assert by_hand.stay_root() == [True]
    assert by_hand.readers == {NOBODY}
    assert by_hand.told("here") == NOBODY


def test_gunicorn_by_hand_allows_nobody_else(by_hand):
    by_hand.until(lambda: by_hand.place("a")["error"] != "")

    assert "user 33 is not allowed" in by_hand.place("a")["error"]


def test_a_port_below_1024_and_a_socket_in_root_s_folder(root_s_home):
    """Bound by root, served by the server's user."""
    project = write_project(root_s_home, "bound")
    folder = project.project / "run"
    folder.mkdir(mode=0o755)
    port = next(number for number in range(1023, 600, -1) if _is_free(number))
    own = f"{project.project}/http/own"
    binds = [f"unix:{folder}/http", f"127.0.0.1:{port}", f"unix:{own}"]
    with served(project, binds=binds) as site:
        answers = [
            _asks(socket.create_connection(("127.0.0.1", port))),
            _asks(_connected(f"{folder}/http")),
            _asks(_connected(own)),
        ]
        owners = [os.stat(path).st_uid for path in (f"{folder}/http", own)]
        root = site.stay_root()

    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 3
    assert owners == [NOBODY] * 2
    assert root == [True]


def _is_free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _connected(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def _asks(connection):
    with connection:
        connection.sendall(b"GET /here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return connection.recv(4096)


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_root_removes_nothing_but_a_socket(project, kind):
    folder = project.project / f"bind-{kind}"
    folder.mkdir(mode=0o755)
    path = folder / "http"
    {
        "file": lambda: path.write_text("precious"),
        "folder": path.mkdir,
        "link": lambda: path.symlink_to("/etc/hostname"),
    }[kind]()

    done = project.run(*project.manage, "serve", *AS_SERVER, "--bind", f"unix:{path}")

    assert done.stderr == (
        f"wsgimatch: --bind unix:{path}: something else than a socket lies there\n"
    )
    assert os.path.lexists(path)


def test_a_group_that_is_allowed_by_name(root_s_home):
    groups = {
        "named": {"user": TENANT, "supplementary_groups": ["games"], "threads": 2},
        "denied": {"user": TENANT, "supplementary_groups": ["games", "shadow"]},
        "alone": {"user": TENANT, "group": "games", "threads": 2},
    }
    project = write_project(root_s_home, "by-name", groups)
    command = [*project.manage, "serve", *AS_SERVER, "--allow-user", f"{TENANT}:games"]
    with served(project, command, waits_for="named") as site:
        told = site.told("named", "import os; told = [os.getgid(), os.getgroups()]")
        alone = site.told("alone", "import os; told = [os.getgid(), os.getgroups()]")
        error = site.place("denied")["error"]

    assert told == [33, [60]]
    assert alone[0] == 60
    assert "'www-data' is not allowed group 42: `--allow-user www-data:GROUP`" in error


def test_a_group_that_ended_for_want_of_requests_is_started_again_as_its_user(root_s_home):
    groups = {"a": {"user": TENANT, "threads": 2, "inactivity_timeout": 1}, "plain": {}}
    red = 'script_alias("/red", "app.wsgi", application_group="red")'
    project = write_project(root_s_home, "idle", groups, f"WSGIMATCH_ALIASES.append({red})\n")
    command = [*project.manage, "serve", *AS_SERVER, *ALLOWED]
    with served(project, command, waits_for="plain") as site:
        users = [site.told(name) for name in ("a", "plain", "here", "red")]
        site.until(lambda: site.place("a")["state"] == "stopped")
        again = site.told("a")

    assert users == [uid(TENANT), NOBODY, NOBODY, NOBODY]
    assert again == uid(TENANT)


def test_a_configuration_file_of_root_s_names_all(root_s_home):
    project = write_project(root_s_home, "configured")
    text = "from django_wsgimatch.gunicorn import on_reload, when_ready\n"
    text += f"user = {SERVER!r}\ngroup = 'nogroup'\nwsgimatch_allow_users = [{TENANT!r}]\n"
    (project.project / "own.conf.py").write_text(text)
    with served(project, [*project.manage, "serve", "-c", "own.conf.py"]) as site:
        told = site.told("a")
        error = site.place("b")["error"]

    assert told == uid(TENANT)
    assert "user 5 is not allowed" in error


def test_without_the_starter_the_server_ends(root_s_home):
    with served(write_project(root_s_home, "no-starter")) as site:
        os.kill(site.starter(), signal.SIGKILL)
        status = site.process.wait(60)
        wait_until(lambda: not site.processes())
        log = site.log

    assert status == 70
    assert "has ended, and only root can start it again" in log


@pytest.mark.parametrize(
    "signum", mostly_thorough([signal.SIGTERM, signal.SIGKILL, signal.SIGINT], signal.SIGKILL)
)
def test_nothing_is_left_of_a_server_that_ends(root_s_home, signum):
    with served(write_project(root_s_home, f"ends-{signum}")) as site:
        site.told("a", STRAY.format(site.python))
        site.process.send_signal(signum)
        site.process.wait(60)

        wait_until(lambda: not site.processes(), 10, lambda: str(site.processes()))


# In chains: whoever leaves its session starts another that does.
STRAY = """
import subprocess
code = '''
import os, time
for depth in range(4):
    if os.fork():
        time.sleep(1000)
    os.setsid()
time.sleep(1000)
'''
subprocess.Popen([{0!r}, "-c", code], start_new_session=True)
"""


def test_allow_root_in_a_container(root_s_home):
    project = write_project(root_s_home, "container", {"plain": {"threads": 2}})
    # Root's sockets lie in a folder of root's.
    os.chown(project.project / "sockets", 0, 0)
    with served(project, [*project.manage, "serve", "--allow-root"], waits_for="plain") as site:
        told = [site.told("plain"), site.told("here")]
        log = site.log

    assert told == [0, 0]
    assert log.startswith("wsgimatch: WSGIMATCH_ALLOW_ROOT: the project runs as root here")


needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
OWN_FILES = r'"/proc/self/task/{pid}/children"'


@needs_strace
def test_the_starter_opens_no_file_but_its_own(site, tmp_path):
    """While groups are started, signalled, killed, and a manager comes anew."""
    assert site.answers("b")
    trace, pid = tmp_path / "trace", site.starter()
    words = ["strace", "-qq", "-e", "trace=%file,%network", "-o", str(trace), "-p", str(pid)]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: f"TracerPid:\t{tracer.pid}" in Path(f"/proc/{pid}/status").read_text())
        site.restarted("a")
        os.kill(site.place("b")["pid"], signal.SIGKILL)
        site.until(lambda: site.answers("b"))
        site.ask("denied")
        before = site.manager()
        os.kill(before, signal.SIGKILL)
        site.until(lambda: site.answers("a") and before not in {p.pid for p in site.processes()})
    finally:
        tracer.terminate()
        tracer.communicate()

    lines = [line for line in trace.read_text().splitlines() if "(" in line]
    calls = {line.partition("(")[0] for line in lines}
    opened = {line.partition('"')[2].partition('"')[0] for line in lines if line.startswith("open")}
    assert opened == {f"/proc/self/task/{pid}/children"}
    sockets = {"recvfrom", "recvmsg", "sendto", "socketpair", "getsockopt", "getsockname"}
    assert calls <= sockets | {"openat", "newfstatat", "getpeername"}


def test_the_starter_s_whole_life_is_the_standard_library_and_proc(root_s_home, tmp_path):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    [file] = root_s_home.glob("env/lib/python3*/site-packages/django_wsgimatch/daemon/starter.py")
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = os.dup2(its.fileno(), 64)
    trace = tmp_path / "trace"
    words = [str(root_s_home / "env/bin/python"), "-I", "-S", str(file), "64", "/", "games=5:60:"]
    tracer = ["strace", "-qq", "-e", "trace=open,openat", "-o", str(trace), *words]
    with subprocess.Popen(tracer, pass_fds=[number], env={"PATH": os.defpath}) as process:
        os.close(number)
        its.close()
        mine.close()
        status = process.wait(60)

    opened = {
        line.partition('"')[2].partition('"')[0]
        for line in trace.read_text().splitlines()
        if "ENOENT" not in line and "O_DIRECTORY" not in line
    }
    system = ["/usr/lib", "/lib", "/etc/ld.so.cache", "/proc/", "/usr/local/lib", "/sys/", "/dev/"]
    system += ["/usr/share/locale"]
    own = {str(file), str(root_s_home / "env/pyvenv.cfg")}
    assert status == 0
    assert {path for path in opened if not path.startswith(tuple(system))} <= own | {
        "/etc/localtime"
    }


@pytest.fixture
def small_disk(root_s_home):
    """A file system of 64 KiB for a project's sockets."""
    project = write_project(root_s_home, "small")
    sockets = project.project / "sockets"
    options = f"size=512k,uid={NOBODY},mode=755"
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(sockets)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield project
    finally:
        subprocess.run(["umount", "-l", str(sockets)], check=True)


def test_a_full_disk_is_its_group_s_error_and_over_with_it(small_disk):
    with served(small_disk) as site:
        # These run before there is no room.
        assert [site.answers(name) for name in ("b", "plain")] == [True] * 2
        full = site.base / "full"
        file = os.open(full, os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while os.write(file, bytes(4096)):
                pass
        os.close(file)
        site.order(do="stop", name="a")
        site.until(lambda: not site.answers("a"))
        others = [site.answers(name) for name in ("b", "plain", "here")]
        error = site.place("a")["error"]
        full.unlink()

        site.until(lambda: site.answers("a"))

    assert others == [True] * 3
    assert "No space left on device" in error


@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
def test_root_needs_no_more_rights_than_these(root_s_home):
    """Not to pass over the modes of files, among others: containers take that from root."""
    project = write_project(root_s_home, "few-rights")
    rights = ["setpriv", "--bounding-set", "-all,+setuid,+setgid,+chown,+kill"]
    with served(project, [*rights, *project.manage, "serve", *AS_SERVER, *ALLOWED]) as site:
        told = [site.told(name) for name in ("a", "b", "plain", "here")]
        status = Path(f"/proc/{site.starter()}/status").read_text()
        site.told("a", STRAY.format(site.python))

    assert told == [uid(TENANT), uid(OTHER), NOBODY, NOBODY]
    assert f"CapBnd:\t{1 << 0 | 1 << 5 | 1 << 6 | 1 << 7:016x}\n" in status


def test_a_log_that_becomes_a_link_leads_to_no_file_of_root_s(root_s_home):
    """The server's user owns its folder, and changes it before each time that it is opened."""
    project = write_project(root_s_home, "log")
    logs, precious = project.project / "logs", project.project / "precious"
    logs.mkdir()
    os.chown(logs, NOBODY, -1)
    precious.write_text("root's\n")
    command = [*project.manage, "serve", *AS_SERVER, *ALLOWED, "--error-logfile", f"{logs}/error"]
    with served(project, command) as site:
        (logs / "error").rename(logs / "before")
        (logs / "error").symlink_to(precious)
        site.order(do="restart", name="b")
        site.restarted("b")
        # gunicorn itself opens its log then, as the server's user: it may fail, and end.
        site.process.send_signal(signal.SIGUSR1)
        root = site.stay_root()

    assert precious.read_text() == "root's\n"
    assert root == [True]


def test_a_clock_that_steps_back_changes_nothing_for_a_hup(root_s_home):
    """The settings read their time themselves: an hour ago, from the second time on."""
    more = (
        "import time\n"
        "if os.path.exists(str(BASE_DIR / 'later')):\n"
        "    _time = time.time\n"
        "    time.time = lambda: _time() - 3600\n"
        "    WSGIMATCH_PROCESS_GROUPS['b']['threads'] = 3\n"
    )
    with served(write_project(root_s_home, "clock", GROUPS, more)) as site:
        (site.project / "later").touch()
        site.process.send_signal(signal.SIGHUP)

        site.until(lambda: site.place("b")["threads"] == 3)
        site.until(lambda: site.answers("b"))


def test_a_name_of_a_program_of_root_s_is_not_taken_for_the_starter(project):
    """Whoever can run a setuid program chooses its words, not its executable."""
    forged = ["sleep", "-I", "-S", "/x/django_wsgimatch/daemon/starter.py", "64"]
    forged += [str(project.project), f"{OTHER}=5:60:"]
    process = subprocess.Popen(forged, executable=shutil.which("cat"), stdin=subprocess.PIPE)
    script = "import sys, time; sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", script, *forged[1:]], stdin=subprocess.PIPE)
    try:
        done = project.run(*project.manage, "check")
    finally:
        for each in (process, other):
            each.communicate()

    assert done.stderr.startswith("wsgimatch: as root, this command does not know whom to run")
    assert project.readers == set()


def test_who_only_looks_like_the_server_learns_nothing_of_root_s_environment(root_s_home):
    told = "pathlib.Path({readers!r}, '1.environ').write_text(' '.join(os.environ))\n"
    project = write_project(root_s_home, "looks-like")
    with (project.project / "settings.py").open("a") as settings:
        settings.write(told.format(readers=str(project.project / "readers")))
    words = ["/usr/bin/python3", "-c", "import sys; sys.stdin.read()", "django_wsgimatch.wsgi"]
    folder = project.project
    process = subprocess.Popen(
        words, cwd=folder, user=OTHER, extra_groups=[], stdin=subprocess.PIPE
    )
    try:
        done = project.run(*project.manage, "check")
    finally:
        process.communicate()

    said = "wsgimatch: running as 'games', the user of what looks like the running server\n"
    names = (folder / "readers" / "1.environ").read_text().split()
    assert done.stderr.startswith(said)
    assert [name for name in names if name in SECRETS] == []


def test_a_user_without_a_home_has_his_folder_in_run(root_s_home):
    project = write_project(root_s_home, "in-run")
    settings = project.project / "settings.py"
    text = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(line for line in text if "SOCKET_DIRECTORY" not in line))
    command = [*project.manage, "serve", *AS_SERVER, *ALLOWED]
    with served(project, command) as site:
        told = site.told("a")
        status = os.stat(f"/run/wsgimatch-{NOBODY}")

    assert told == uid(TENANT)
    assert (status.st_uid, status.st_mode & 0o777) == (NOBODY, 0o700)
    assert pwd.getpwuid(NOBODY).pw_name == SERVER
