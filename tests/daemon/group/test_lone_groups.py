"""Process groups that the server does not start: systemd does, or somebody at a terminal."""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.exceptions import ManagerError
from tests.daemon.group.lone_groups import lone_group, needs_socket_activation, refused
from tests.support.groups import Site, site, sockets_of, wait_until, write_project
from tests.support.raw_http import Answer
from tests.support.relayed import folder
from tests.thorough import mostly_thorough

# Tells what it has of its surroundings; at /hold it waits until it is let go.
SCRIPT = """\
import json, os, resource, time


def application(environ, start_response):
    folder = os.path.dirname(environ["SCRIPT_FILENAME"])
    if environ["PATH_INFO"] == "/hold":
        open(os.path.join(folder, "began"), "w").close()
        while not os.path.exists(os.path.join(folder, "go")):
            time.sleep(0.02)
    mask = os.umask(0o077)
    os.umask(mask)
    told = {
        "variables": sorted(os.environ),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "mask": mask,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""
ALIASES = """\
script_alias("/blog", "app.wsgi", process_group="blog"),
script_alias("/other", "app.wsgi", process_group="other"),
script_alias("/quiet", "app.wsgi", process_group="quiet"),
script_alias("/hasty", "app.wsgi", process_group="hasty"),
script_alias("/bare", "bare.wsgi", process_group="bare"),
script_alias("/named", "app.wsgi", process_group="named"),
script_alias("/mine", "app.wsgi", process_group="mine"),
"""


@dataclass(frozen=True, slots=True)
class Front:
    """A server with groups that it does not start; each has its socket in ``folder``."""

    site: Site
    folder: Path

    @property
    def project(self) -> Path:
        return self.site.project

    def socket(self, name: str) -> Path:
        return self.folder / f"{name}.sock"


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    project = tmp_path_factory.mktemp("site")
    (project / "bare.wsgi").write_text(SCRIPT)
    with folder() as at:
        groups: dict[str, dict[str, Any]] = {
            "blog": {"threads": 3},
            "quiet": {"inactivity_timeout": 0.2},
            "hasty": {"connect_timeout": 0.1},
            "bare": {"open_files_limit": 200},
            "mine": {},
        }
        away = {name: {**more, "socket": str(at / f"{name}.sock")} for name, more in groups.items()}
        away["named"] = {"address": f"unix:{at}/named.sock"}
        more = f"WSGIMATCH_PROCESS_GROUPS.update({away!r})\n"
        # All scripts may run in all groups, as far as their folders go.
        more += "WSGIMATCH_ROOTS = [BASE_DIR]\n"
        with site(project, aliases=ALIASES, more=more) as served:
            yield Front(served, at)


@pytest.fixture
def path():
    with folder() as at:
        yield at / "blog.sock"


def log_of(project: Path) -> str:
    return (project / "group.log").read_text()


def listens(path: Path) -> bool:
    """Whether a socket is there; nobody has to answer."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
    except OSError:
        return False
    return True


def asked(at: Site, target: str) -> tuple[threading.Thread, list[Answer]]:
    """Ask in a thread; the answer is in the list when it has ended."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(at.get(target)))
    thread.start()
    return thread, answers


@needs_socket_activation
def test_systemd_starts_a_group_at_the_first_request(front):
    listen = ["-l", str(front.socket("blog"))]
    with lone_group(front.project, "blog", listen=listen) as group:
        wait_until(front.socket("blog").exists)
        told = front.site.told("/blog")
        again = front.site.told("/blog")

    assert (told["process_group"], told["application_group"]) == ("blog", "")
    # The very process that systemd has started is the group's arbiter.
    assert told["parent"] == group.pid
    assert again["pid"] == told["pid"]


def test_a_group_that_ends_without_requests_is_started_by_the_next_one(front):
    kept = socket.socket(socket.AF_UNIX)
    kept.bind(str(front.socket("quiet")))
    kept.listen()
    with kept:
        with lone_group(front.project, "quiet", kept=kept) as group:
            first = front.site.told("/quiet")
            status = group.wait(60)
        thread, answers = asked(front.site, "/quiet")
        select.select([kept], [], [])
        with lone_group(front.project, "quiet", kept=kept):
            thread.join(60)

    assert status == 0
    assert [answer.status for answer in answers] == [200]
    assert json.loads(answers[0].body)["pid"] != first["pid"]
    assert "No request for 0.2 s" in log_of(front.project)


def test_a_group_that_has_an_address_listens_and_is_asked_there(front):
    with lone_group(front.project, "named"):
        wait_until(front.socket("named").exists)
        told = front.site.told("/named")

    assert told["process_group"] == "named"


def test_a_link_in_place_of_a_group_s_socket_leads_to_no_other_group(front):
    """Whoever runs a group may put there what he likes: his script would run as another's user."""
    front.socket("mine").symlink_to(front.socket("named"))
    with lone_group(front.project, "named"):
        wait_until(front.socket("named").exists)
        status = front.site.get("/mine").status

    assert status == 403
    assert (
        "A request for process group 'mine' has come to this one, 'named': the socket of the "
        "former leads here." in log_of(front.project)
    )


def test_a_group_that_is_told_a_path_answers_what_it_has_begun_and_ends(front):
    path = front.socket("bare")
    with lone_group(front.project, "bare", "--bind", f"unix:{path}") as group:
        thread, answers = asked(front.site, "/bare/hold")
        wait_until((front.project / "began").exists)
        mode = path.stat().st_mode & 0o777
        group.send_signal(signal.SIGTERM)
        (front.project / "go").touch()
        status = group.wait(60)
        thread.join(60)

    assert (mode, status) == (0o660, 0)
    assert [answer.status for answer in answers] == [200]


def test_a_front_that_is_there_first_says_what_to_start(front):
    path = front.socket("hasty")
    before = front.site.get("/hasty")
    other = front.site.get("/other")
    # Without --bind the option says where.
    with lone_group(front.project, "hasty"):
        wait_until(lambda: listens(path))
        after = front.site.get("/hasty")

    assert (before.status, other.status, after.status) == (503, 200, 200)
    assert (
        f"hasty: Unable to connect to WSGI daemon process on '{path}': [Errno 2] No such file or "
        "directory; process group 'hasty' is run elsewhere: `systemctl status` of its .socket and "
        f"its .service says whether it runs and whether user {os.geteuid()} may connect "
        "(SocketUser=). Without systemd, start `manage.py wsgimatch serve --process-group hasty`"
    ) in front.site.log


def test_a_request_waits_while_a_group_is_started(front):
    front.socket("blog").unlink(missing_ok=True)
    thread, answers = asked(front.site, "/blog")
    with lone_group(front.project, "blog"):
        thread.join(60)

    assert [answer.status for answer in answers] == [200]


def test_a_request_that_may_have_run_is_not_sent_again(front):
    with lone_group(front.project, "blog"):
        front.site.told("/blog")
        answer = front.site.get("/blog/leave")

    # Sent again and again it would end one process after another, up to connect-timeout: 503.
    assert answer.status == 500


def test_a_group_is_renewed_by_a_signal(front):
    with lone_group(front.project, "blog") as group:
        before = front.site.told("/blog")
        group.send_signal(signal.SIGUSR2)
        front.site.until(lambda: front.site.told("/blog")["pid"] != before["pid"])
        after = front.site.told("/blog")

    assert after["parent"] == before["parent"] == group.pid


def test_status_says_where_a_group_is_that_is_run_elsewhere(front):
    place = front.site.place("blog")

    assert place == {
        "name": "blog",
        "process_group": "blog",
        "application_group": "",
        "state": "elsewhere",
        "socket": str(front.socket("blog")),
        "pid": None,
        "processes": [],
        "python": None,
        "settings": None,
        "uptime": None,
        "requests": 0,
        "busy": 0,
        "threads": 3,
        "memory": None,
        "restarts": 0,
        "ended": 0,
        "crashes": 0,
        "error": "",
        "error_time": None,
    }


@pytest.mark.parametrize("do", ["restart", "stop"])
def test_a_group_that_is_run_elsewhere_takes_no_orders(front, do):
    with pytest.raises(ManagerError) as refusal:
        front.site.order(do=do, name="blog")

    assert str(refusal.value) == (
        f"process group 'blog' is run elsewhere, at '{front.socket('blog')}': ask who runs it, as "
        "`systemctl restart` of its unit"
    )


def test_systemd_is_told_when_a_group_is_there_and_the_application_tells_it_nothing(front, path):
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(str(path))
    environ = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1", "GIVEN": "by the unit"}
    before = os.umask(0o027)
    try:
        with notified, lone_group(front.project, "bare", environ=environ):
            said = notified.recv(1000)
            told = json.loads(front.site.get("/bare").body)
    finally:
        os.umask(before)

    assert said.splitlines()[0] == b"READY=1"
    looked_for = {"GIVEN", "NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "DJANGO_SETTINGS_MODULE"}
    assert looked_for & {*told["variables"]} == {"GIVEN"}
    # The option's, and the unit's own.
    assert (told["files"], told["mask"]) == (200, 0o027)


HANDED_OVER = [
    pytest.param(
        ["-l", "{folder}/a", "-l", "{folder}/b"],
        [],
        "systemd hands 2 sockets over, and a process group takes one: leave one ListenStream= "
        "in its .socket unit, and one .socket unit in Sockets=.",
        id="two sockets",
    ),
    pytest.param(
        ["-l", "{folder}/a", "--accept"],
        [],
        "systemd hands over a socket that does not listen: write Accept=no into the .socket "
        "unit, or leave Accept= out.",
        id="a connection",
    ),
    pytest.param(
        ["-l", "{folder}/a", "--seqpacket"],
        [],
        "what systemd hands over is not a unix stream socket: write "
        "ListenStream=/run/NAME.sock into the .socket unit.",
        id="another kind of socket",
    ),
    pytest.param(
        ["-l", "{folder}/a"],
        ["--bind", "unix:{folder}/c"],
        "systemd hands a socket over: leave --bind unix:{folder}/c out.",
        id="a path besides",
    ),
]


@needs_socket_activation
@pytest.mark.parametrize(
    ("listen", "more", "complaint"),
    mostly_thorough(HANDED_OVER, "a connection", "a path besides"),
)
def test_sockets_of_systemd_s_that_cannot_be_used(tmp_path, path, listen, more, complaint):
    write_project(tmp_path, {"blog": {}}, "")
    words = [word.format(folder=path.parent) for word in (*listen, *more)]
    given = words[: len(listen)]
    kind = socket.SOCK_SEQPACKET if "--seqpacket" in listen else socket.SOCK_STREAM
    with lone_group(tmp_path, "blog", *words[len(listen) :], listen=given) as group:
        with socket.socket(socket.AF_UNIX, kind) as connection:
            wait_until(lambda: connects(connection, path.parent / "a"))
            wait_until(lambda: "CommandError" in log_of(tmp_path))
        if "--accept" not in listen:
            assert group.wait(60) == 1

    said = [line for line in log_of(tmp_path).splitlines() if line.startswith("CommandError: ")]
    assert said == [f"CommandError: {complaint.format(folder=path.parent)}"]


def connects(connection: socket.socket, path) -> bool:
    return connection.connect_ex(str(path)) == 0


CANNOT_BE_RUN = [
    pytest.param(
        ["bolg"],
        "there is no process group 'bolg': WSGIMATCH_PROCESS_GROUPS has 'blog', 'wiki'",
        id="a name that is not defined",
    ),
    pytest.param(
        ["%{GLOBAL}"],
        "there is no process group '%{GLOBAL}': WSGIMATCH_PROCESS_GROUPS has 'blog', 'wiki'",
        id="the server's own process group",
    ),
    pytest.param(
        ["blog"],
        "there is no socket to listen on. Let a .socket unit hand one over (`ListenStream=`, "
        "and `systemctl start` it instead of the service), or name a path: --bind "
        "unix:/run/NAME/NAME.sock, or the option `socket` in WSGIMATCH_PROCESS_GROUPS",
        id="no socket",
    ),
    pytest.param(
        ["blog", "--bind", "127.0.0.1:8000"],
        "--bind 127.0.0.1:8000: a process group listens on a unix socket: write --bind unix:/path",
        id="a port",
    ),
    pytest.param(
        ["blog", "--workers", "4"],
        "--workers 4: `serve --process-group NAME` takes --bind, --user and --allow-root "
        "alone. How many processes it has, and all else, is among its options in "
        "WSGIMATCH_PROCESS_GROUPS; its unix group is Group= in its unit",
        id="options of gunicorn's",
    ),
    pytest.param(
        ["blog", "--user", "daemon"],
        "only root can become another user: leave --user out",
        id="a user to become, too late",
    ),
    pytest.param([], "argument --process-group: expected one argument", id="no name"),
    pytest.param(
        ["wiki", "--bind", "unix:/nowhere/at/all"],
        "process group 'wiki' is to run as user 'daemon', and this process is user {user!r}: "
        "write User=daemon into its unit, or leave the option `user` out",
        id="another user's group",
    ),
]


@pytest.mark.parametrize(
    ("words", "complaint"),
    mostly_thorough(
        CANNOT_BE_RUN, "a name that is not defined", "options of gunicorn's", "another user's group"
    ),
)
def test_a_group_that_cannot_be_run(tmp_path, words, complaint):
    write_project(tmp_path, {"blog": {}, "wiki": {"user": "daemon"}}, "")

    status, said = refused(tmp_path, "--process-group", *words)

    user = pwd.getpwuid(os.geteuid()).pw_name
    told = [line for line in said.splitlines() if not line.startswith("wsgimatch: WSGIMATCH_")]
    expected = complaint.replace("{user!r}", repr(user))
    assert (status, told) == (1, [f"CommandError: {expected}."])


def test_a_socket_that_is_taken(tmp_path, path):
    write_project(tmp_path, {"blog": {}}, "")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()

        status, said = refused(tmp_path, "--process-group", "blog", "--bind", f"unix:{path}")

        still = listens(path)
    assert (status, still) == (1, True)
    assert f"the socket '{path}' is taken: another process listens there." in said


def test_settings_that_cannot_be_used_are_told(tmp_path, path):
    write_project(tmp_path, {"blog": {"threads": 0}}, "")

    status, said = refused(tmp_path, "--process-group", "blog")

    assert status == 1
    assert "threads should be a whole number, 1 or more, not 0" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("module", ["django", "django_wsgimatch"])
def test_root_runs_no_group(tmp_path, path, module):
    if os.geteuid() != 0:
        pytest.skip("only root can be refused")
    (tmp_path / "manage.py").write_text("")
    write_project(tmp_path, {"blog": {"socket": str(path)}}, "")

    status, said = refused(
        tmp_path, "--process-group=blog", environ={"WSGIMATCH_ALLOW_ROOT": ""}, module=module
    )

    assert status == 1
    [line] = said.splitlines()
    assert line.removesuffix(".").endswith(
        "started as root, the process group has nobody to become, and nothing of a project runs "
        "as root. Name its user: User= in its unit, or --user NAME here. In a container where "
        "root is all there is: --allow-root, or WSGIMATCH_ALLOW_ROOT=1"
    )


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        pytest.param(
            {},
            "process group 'blog' has no option `socket`: a server with these settings starts it "
            "itself and sends nothing to '{path}'.",
            id="no server asks",
        ),
        pytest.param(
            {"socket": "/run/other.sock"},
            "process group 'blog' listens at '{path}', and a server with these settings looks for "
            "it at '/run/other.sock' (its option `socket`).",
            id="the server asks elsewhere",
        ),
    ],
)
def test_a_socket_at_which_no_server_asks_is_told(tmp_path, path, options, warning):
    write_project(tmp_path, {"blog": options}, "")

    with lone_group(tmp_path, "blog", "--bind", f"unix:{path}"):
        wait_until(lambda: "Booting worker" in log_of(tmp_path))

    assert f"wsgimatch: {warning.format(path=path)}" in log_of(tmp_path)


def test_nothing_of_a_group_is_left(tmp_path, path):
    write_project(tmp_path, {"blog": {"socket": str(path), "processes": 2}}, "")
    with lone_group(tmp_path, "blog") as group:
        wait_until(lambda: log_of(tmp_path).count("Booting worker") == 2)

    found = subprocess.run(
        ["pgrep", "--session", str(group.pid)], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
    assert not sockets_of(tmp_path).exists()
