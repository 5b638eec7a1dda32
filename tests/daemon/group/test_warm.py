"""Groups that a warm parent runs: each is as one that has its arbiter to itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.daemon.group.forking import MARK
from django_wsgimatch.daemon.wire.wire import is_readable
from tests.daemon.group.lone_groups import lone_group
from tests.support.groups import ALIASES, Site, site, wait_until
from tests.support.relayed import folder
from tests.support.rooted import (
    OTHER,
    SERVER,
    TENANT,
    Process,
    needs_root,
    served,
    uid,
    write_project,
)
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

PACKAGE = "django_wsgimatch"
# A script that tells what its process has been given, and what it has by chance.
SCRIPT = """\
import gc, json, locale, os, random, resource, signal, sys, tempfile, threading, time, uuid


def application(environ, start_response):
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    masks = {name: status[name].strip() for name in ("SigBlk", "SigIgn", "SigCgt", "NoNewPrivs")}
    files = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            files[int(name)] = os.readlink(f"/proc/self/fd/{name}").partition(":")[0][-6:]
        except OSError:
            pass
    own = os.path.dirname(environ["SCRIPT_FILENAME"])
    told = {
        "masks": masks,
        "files": sorted(kind for number, kind in files.items() if number < 6),
        "variables": {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        "path": sys.path,
        "arguments": sys.argv,
        "modules": sorted(name for name in sys.modules if not name.startswith("_mod_wsgi")),
        "threads": [thread.name for thread in threading.enumerate()][:1],
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
        "cwd": os.getcwd(),
        "zone": time.tzname,
        "locale": locale.setlocale(locale.LC_ALL),
        "streams": [sys.stdout.encoding, sys.stdout.errors, sys.stdin.read()],
        "switch_interval": sys.getswitchinterval(),
        "buffering": [stream.line_buffering for stream in (sys.stdout, sys.stderr)],
        "nice": os.nice(0),
        "frozen": gc.get_freeze_count() > 0,
    }
    chance = {
        "random": random.random(),
        "other": random.Random().random(),
        "name": next(tempfile._get_candidate_names()),
        "uuid": str(uuid.uuid4()),
        "token": os.urandom(8).hex(),
        "marks": sorted(name for name in vars(sys) if name.startswith("mark_")),
    }
    setattr(sys, "mark_" + environ["mod_wsgi.process_group"], True)
    ids = [os.getpid(), os.getppid(), os.getsid(0)]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"told": told, "chance": chance, "ids": ids}).encode()]
"""


# A warm parent whose socket to the manager is the descriptor that it is told.
PARENT = """\
import os, sys
from django_wsgimatch.daemon.group.warm import CONTROL, run_parent
os.dup2(int(sys.argv[1]), CONTROL)
run_parent([])
"""


def words_of(pid: int) -> list[str]:
    """A process's command line, as lists of processes show it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [word for word in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if word]
    return []


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_warm_parent(pid: int) -> bool:
    return [word.strip() for word in words_of(pid)[-1:]] == ["(wsgi:parent)"]


def warm_parents(at: Site) -> list[int]:
    return [pid for pid in at.processes() if is_warm_parent(pid)]


def told_by(at: Site, name: str) -> dict[str, Any]:
    """What the script says in a group."""
    answer = at.get(f"/{name}")
    assert answer.status == 200, at.log
    told: dict[str, Any] = json.loads(answer.body)
    assert is_warm_parent(told["ids"][1])
    return told


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("app.wsgi", "other.wsgi"):
        (tmp_path / name).write_text(SCRIPT)
    return tmp_path


# Groups of the server that tests share which harm one group at most: each test has its own two.
NAMES = ["one", "two", "named", "ordered", "left", "killed", "spared"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    project = tmp_path_factory.mktemp("shared")
    (project / "app.wsgi").write_text(SCRIPT)
    aliases = f'*(script_alias(f"/{{n}}", "app.wsgi", process_group=n) for n in {NAMES!r}),\n'
    groups: dict[str, Any] = {name: {} for name in NAMES}
    more = f"WSGIMATCH_PROCESS_GROUPS |= {groups!r}\n"
    with site(project, aliases=aliases, more=more) as at:
        yield at


def test_a_group_is_as_one_that_is_run_alone(project):
    options = {"switch_interval": 0.01, "open_files_limit": 500, "home": str(project)}
    with folder() as at_sockets:
        path = at_sockets / "alone.sock"
        more = f"WSGIMATCH_PROCESS_GROUPS['alone'] = {options | {'socket': str(path)}!r}\n"
        aliases = f'{ALIASES}script_alias("/alone", "app.wsgi", process_group="alone"),\n'
        with (
            site(project, options, more=more, aliases=aliases) as at,
            lone_group(project, "alone"),
        ):
            wait_until(path.exists)
            alone = json.loads(at.get("/alone").body)
            by_parent = told_by(at, "blog")

    for told in (alone["told"], by_parent["told"]):
        # An arbiter that is run alone has handlers for a terminal's signals, and other files.
        told["masks"].pop("SigCgt")
        told.pop("files")
        # Theirs are those of the terminal, and of the server; the modules are looked at below.
        for name in (
            "SHLVL",
            "_",
            "PWD",
            "OLDPWD",
            "WSGIMATCH_TESTS",
            "DJANGO_SETTINGS_MODULE",
            MARK,
        ):
            told["variables"].pop(name, None)
    modules = {*by_parent["told"].pop("modules")} - {*alone["told"].pop("modules")}
    assert {name.split(".")[0] for name in modules} <= {*sys.stdlib_module_names, PACKAGE}
    assert by_parent["told"] == alone["told"]


def test_groups_of_one_parent_share_nothing_by_chance(shared):
    one, other = told_by(shared, "one"), told_by(shared, "two")

    same = [name for name, value in one["chance"].items() if other["chance"][name] == value]
    assert same == ["marks"]
    assert one["chance"]["marks"] == []


def test_a_process_has_nothing_of_another_group_in_its_memory(project):
    more = "WSGIMATCH_PROCESS_GROUPS['other'] = {'environment': {'SECRET': 'of-' + 'the-other'}}\n"
    (project / "app.wsgi").write_text(LOOKING)
    with site(project, more=more) as at:
        told_by(at, "other")
        at.order(do="restart", name="blog")
        found = [at.get(f"/blog/{word}").body for word in ("SECRET", "DJANGO")]

    assert found == [b"0", b"1"]


# Says whether a variable's name and value are anywhere in its process's memory.
LOOKING = """\
WORDS = {"SECRET": ("of-the", "-other"), "DJANGO": ("django_", "wsgimatch")}


def application(environ, start_response):
    word = "".join(WORDS[environ["PATH_INFO"].strip("/")]).encode()
    found = False
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" in line.split()[1]:
                memory.seek(begin)
                found = found or memory.read(end - begin).count(word) > word.count(b"-")
    start_response("200 OK", [])
    return [b"1" if found else b"0"]
"""


def test_a_group_s_process_is_shown_by_its_name(shared):
    told = told_by(shared, "named")
    words = words_of(told["ids"][0])

    assert (len(words), words[-1]) == (3, "(wsgi:named)")


def test_a_group_is_restarted_and_stopped_alone(shared):
    one, other = told_by(shared, "ordered"), told_by(shared, "left")
    shared.order(do="restart", name="ordered")
    shared.until(lambda: told_by(shared, "ordered")["ids"][0] != one["ids"][0])
    renewed = told_by(shared, "ordered")
    shared.order(do="stop", name="ordered")
    shared.until(lambda: not os.path.exists(f"/proc/{renewed['ids'][0]}"))
    same = told_by(shared, "left")

    assert renewed["ids"][1] == one["ids"][1]
    assert same["ids"] == other["ids"]


SLEEPER = "__import__('subprocess').Popen(['sleep', '1000'], start_new_session={})"


@pytest.mark.parametrize(
    "has_session", mostly_thorough([False, True], True), ids=["in its session", "in its own"]
)
def test_what_a_group_leaves_behind_ends_with_it(project, has_session):
    line = f"    {SLEEPER.format(has_session)}; setattr(sys"
    (project / "app.wsgi").write_text(SCRIPT.replace("    setattr(sys", line))
    with site(project) as at:
        told_by(at, "blog")
        before = sleepers(at)
        at.order(do="restart", name="blog")
        at.until(lambda: at.place("blog")["restarts"] == 1)
        after_restart = sleepers(at)
        at.order(do="stop", name="blog")
        at.until(lambda: not sleepers(at))
        told_by(at, "other")

    assert before == after_restart != []


# A daemon forks twice, so that its parent is nobody's child. The other's forks have their sessions.
DAEMON = """
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execvp("sleep", ["sleep", "1000"])
    os._exit(0)
os.wait()
"""
FAMILY = """
if not os.fork():
    for _ in range(3):
        if not os.fork():
            os.setsid()
    os.execvp("sleep", ["sleep", "1000"])
time.sleep(0.5)
"""


@pytest.mark.parametrize(
    "code",
    mostly_thorough([DAEMON, FAMILY], FAMILY),
    ids=["a daemon", "processes of many sessions"],
)
def test_what_has_left_its_group_ends_with_it_and_no_other_group_s_does(project, code):
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    for name in ("app.wsgi", "other.wsgi"):
        text = SCRIPT.replace('    setattr(sys, "mark_"', f'{lines}    setattr(sys, "mark_"')
        (project / name).write_text(text)
    with site(project) as at:
        told_by(at, "blog")
        # A daemon may be on its way to its program still.
        at.until(lambda: bool(sleepers(at)))
        of_blog = {*sleepers(at)}
        told_by(at, "other")
        at.until(lambda: {*sleepers(at)} > of_blog)
        # Whatever ends, the parent looks whose its children are.
        at.order(do="restart", name="other")
        at.until(lambda: at.place("other")["restarts"] == 1)
        of_other = {*sleepers(at)} - of_blog
        at.order(do="stop", name="blog")
        at.until(lambda: not {*sleepers(at)} & of_blog)
        left = {*sleepers(at)}

    assert left == of_other != set()


def test_a_group_that_is_killed_leaves_the_others_alone(shared):
    one, other = told_by(shared, "killed"), told_by(shared, "spared")
    os.kill(one["ids"][0], signal.SIGKILL)
    shared.until(lambda: shared.place("killed")["crashes"] == 1)
    same, renewed = told_by(shared, "spared"), told_by(shared, "killed")

    assert same["ids"] == other["ids"]
    assert renewed["ids"][1] == one["ids"][1]


def test_modules_are_loaded_before_the_groups_are_forked_that_name_them(project):
    options = {"preload": ["colorsys", "wsgimatch_has_none"]}
    more = f"WSGIMATCH_PROCESS_GROUPS['third'] = {options!r}\n"
    aliases = f'{ALIASES}script_alias("/third", "app.wsgi", process_group="third"),\n'
    with site(project, options, more=more, aliases=aliases) as at:
        told = {name: told_by(at, name) for name in ("blog", "third", "other")}

    assert {name: "colorsys" in each["told"]["modules"] for name, each in told.items()} == {
        "blog": True,
        "third": True,
        "other": False,
    }
    assert told["blog"]["ids"][1] == told["third"]["ids"][1] != told["other"]["ids"][1]
    assert (
        "[parent] preload: 'wsgimatch_has_none' cannot be imported: ModuleNotFoundError: No module "
        "named 'wsgimatch_has_none'"
    ) in at.log


def test_a_limit_above_the_parent_s_own_is_told(project):
    with site(project, {"open_files_limit": 10_000_000}) as at:
        answer = at.get("/blog")
        error = at.place("blog")["error"]

    assert answer.status == 503
    assert error.startswith("did not start: not allowed to raise maximum limit: NOFILE is ")


def sleepers(at: Site) -> list[int]:
    return [pid for pid in at.processes() if words_of(pid)[:1] == ["sleep"]]


@pytest.mark.parametrize("signum", mostly_thorough([signal.SIGKILL, signal.SIGTERM]))
def test_groups_of_a_parent_that_was_killed_are_back(project, signum):
    with site(project) as at:
        told = told_by(at, "blog")
        os.kill(told["ids"][1], signum)
        at.until(lambda: not os.path.exists(f"/proc/{told['ids'][1]}"))
        at.until(lambda: at.place("blog")["state"] == "running")
        after = told_by(at, "blog")

    assert after["ids"][1] != told["ids"][1]


def test_requests_that_are_at_work_are_answered_after_the_parent_was_killed(project):
    (project / "app.wsgi").write_text(WAITING)
    with site(project) as at, ThreadPoolExecutor() as pool:
        at.get("/other")
        answer = pool.submit(at.get, "/blog")
        at.until(lambda: len(at.busy("blog")) == 1)
        os.kill(at.place("blog")["pid"], signal.SIGKILL)
        at.until(lambda: at.place("blog")["state"] == "running")
        (project / "go").touch()
        status = answer.result(60).status

    assert status == 200


WAITING = """\
import os, time


def application(environ, start_response):
    while not os.path.exists(os.path.join(os.path.dirname(environ["SCRIPT_FILENAME"]), "go")):
        time.sleep(0.02)
    start_response("200 OK", [])
    return [b"done"]
"""


def test_groups_are_back_whose_forker_was_killed(project):
    with site(project) as at:
        told = told_by(at, "blog")
        [forker] = [pid for pid in at.processes() if words_of(pid)[-1:] == ["(wsgi:forker)"]]
        os.kill(forker, signal.SIGKILL)
        at.until(lambda: not os.path.exists(f"/proc/{told['ids'][1]}"))
        at.until(lambda: at.place("blog")["state"] == "running")
        after = told_by(at, "blog")

    assert after["ids"][1] != told["ids"][1]


def test_a_parent_that_was_stopped_keeps_nobody_waiting_for_long(project):
    with site(project) as at:
        told = told_by(at, "blog")
        os.kill(told["ids"][1], signal.SIGSTOP)
        answer = at.get("/other")
        after = at.get("/blog")

    assert (answer.status, after.status) == (200, 200)


def test_a_parent_ends_with_a_manager_that_was_killed(project):
    with site(project) as at:
        told = told_by(at, "blog")
        os.kill(at.order(do="status")["pid"], signal.SIGKILL)
        at.until(lambda: not os.path.exists(f"/proc/{told['ids'][1]}"))
        answer = at.get("/blog")

    assert answer.status == 200


def test_a_parent_is_there_before_anybody_asks_for_one_of_its_groups(shared):
    """Nor is there a second one once somebody has."""
    shared.get("/nothing")

    shared.until(lambda: len(warm_parents(shared)) == 1)


def test_the_parent_of_a_single_group_is_there_as_long_as_that_is(tmp_path):
    (tmp_path / "app.wsgi").write_text(SCRIPT)
    # A variable that Python reads at its start: the other group's parent cannot run this one.
    with site(tmp_path, {"environment": {"PYTHONALONE": "1"}}) as at:
        at.get("/here")
        before = warm_parents(at)
        told = told_by(at, "blog")
        at.order(do="stop", name="blog")
        at.until(lambda: not os.path.exists(f"/proc/{told['ids'][1]}"))

    assert before == []


@needs_root
def test_a_parent_runs_as_its_groups_user_and_has_no_rights_of_root_s(root_s_home):
    groups = {name: {"user": TENANT} for name in ("a", "b")} | {"c": {"user": OTHER}, "plain": {}}
    with served(write_project(root_s_home, "warm", groups), waits_for="plain") as site:
        site.until(lambda: any(map(is_parent, site.processes())))
        users = [site.told(name) for name in groups]
        found = [each for each in site.processes() if is_parent(each)]
        status = Path(f"/proc/{found[0].pid}/status").read_text()
        is_started_by_root = parent_of(found[0].pid) == site.starter()

    assert users == [uid(TENANT), uid(TENANT), uid(OTHER), uid(SERVER)]
    assert {each.user for each in found} == {*users}
    assert len(found) == 3
    assert is_started_by_root
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status


def is_parent(process: Process) -> bool:
    return process.words[-1].strip() == "(wsgi:parent)" if process.words else False


def test_a_parent_whose_manager_has_ended_with_something_unread_ends_in_order():
    manager, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-c", PARENT, str(control.fileno())]
    parent = subprocess.Popen(command, pass_fds=[control.fileno()], stderr=subprocess.PIPE)
    control.close()

    has_spoken = is_readable(manager, 60)
    manager.close()
    complaints = parent.communicate(timeout=60)[1]

    assert (has_spoken, parent.returncode, complaints) == (True, 0, b"")
