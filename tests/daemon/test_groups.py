"""
Process groups and application groups under a real gunicorn.

Tests that change nothing but a group, or look at one, share a server; each has a group of its own.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.groups import (
    ALIASES,
    HOOKS,
    PLAIN,
    SCRIPT,
    other_pythons,
    runs_as_nobody,
    site,
    version_of,
    wait_until,
    write_project,
)
from tests.support.renewals import put
from tests.support.servers import GRANIAN, WAITRESS, environment
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

SYSTEM_PYTHON = "/usr"

# The groups that share a server, by the tests that they are for; "{project}" is the site's folder.
GROUPS = {
    "given": {
        "home": "{project}",
        "python_path": ["{project}/lib"],
        "environment": {"GIVEN": "yes"},
        "lang": "de_DE.UTF-8",
        "umask": 0o027,
    },
    "idle": {"inactivity_timeout": 1},
    "counted": {"maximum_requests": 5},
    "short-lived": {"restart_interval": 1},
    "late": {"request_timeout": 1, "threads": 4},
    "queueing": {"queue_timeout": 1, "threads": 1},
    "silent": {"socket_timeout": 2},
    "locked": {"deadlock_timeout": 2},
    "busy": {"cpu_time_limit": 1},
    "booted": {"startup_timeout": 0.5, "start": "boot"},
    "owned": {"script_user": "#12345"},
    "foreign": {"lang": "xx_XX.UTF-8", "locale": "xx_XX.UTF-8"},
    "stacked": {"stack_size": 4097},
    "logged": {"log_file": "logged.log"},
    "moved": {"log_file": "moved.log"},
    "full": {"log_file": "/dev/full"},
    "unnamed": {"log_file": "/dev/stderr", "log_prefix": False},
    "nowhere": {"python_home": "{project}/nowhere"},
    "tenants": {"maximum_application_groups": 2},
    "killed": {"processes": 2},
    "leaking": {"memory_limit": 300 << 20},
    "sleeping": {"request_timeout": 1},
    "two-threads": {"threads": 2},
    "many": {"processes": 2, "threads": 2},
    **{name: {} for name in ("plain", "deleted", "ordered", "binary", "endless", "unread")},
    **{
        name: {}
        for name in ("changed", "mended", "flooding", "ending", "printing", "spawning", "closing")
    },
}
SHARED = f"""\
{ALIASES}
script_alias("/red", "app.wsgi", application_group="red"),
script_alias("/none", "app.wsgi", process_group="none"),
script_alias("/here-without", "app.wsgi", callable_object="nothing"),
script_alias("/plain-without", "app.wsgi", process_group="plain", callable_object="nothing"),
script_alias("/here-flooding", "flooding.wsgi"),
script_alias_match("^/(tenant-\\\\w+)", "app.wsgi", process_group="tenants",
                   application_group="%{{RESOURCE}}"),
*(script_alias(f"/{{name}}", f"{{name}}.wsgi", process_group=name) for name in {[*GROUPS]!r}),
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    project = tmp_path_factory.mktemp("shared")
    (project / "lib").mkdir()
    scripts = {"endless": ENDLESS, "unread": UNREAD, "flooding": FLOOD, "two-threads": FLOOD}
    for name in GROUPS:
        (project / f"{name}.wsgi").write_text(scripts.get(name, SCRIPT))
    groups = f"{GROUPS!r}".replace("{project}", str(project))
    with site(project, aliases=SHARED, more=f"WSGIMATCH_PROCESS_GROUPS |= {groups}\n") as at:
        yield at


@pytest.fixture
def at(shared):
    """The shared site, with what the log says from now on."""
    shared.skip_log()
    return shared


def test_each_application_runs_in_the_place_that_its_alias_names(at):
    told = {path: at.told(path) for path in ("/here", "/blog", "/other", "/red")}

    groups = {p: (t["process_group"], t["application_group"]) for p, t in told.items()}
    assert groups == {
        "/here": ("", ""),
        "/blog": ("blog", ""),
        "/other": ("other", ""),
        "/red": ("", "red"),
    }
    assert len({each["pid"] for each in told.values()}) == 4


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param(HOOKS, id="gunicorn's hooks"),
            pytest.param([*PLAIN[:-1], "--preload", PLAIN[-1]], id="gunicorn that loads ahead"),
            pytest.param([*PLAIN[:-1], "--workers", "3", PLAIN[-1]], id="three workers"),
            pytest.param([*WAITRESS, "django_wsgimatch.wsgi:application"], id="waitress"),
            pytest.param(
                [*GRANIAN, "--workers", "2", "django_wsgimatch.wsgi:application"], id="granian"
            ),
        ],
        "three workers",
    ),
)
def test_every_server_starts_a_group_once(tmp_path, command):
    with site(tmp_path, command=command) as at:
        first = at.told("/blog")
        second = at.told("/blog")
        listed = at.place("blog")

    assert first["pid"] == second["pid"]
    assert [process["pid"] for process in listed["processes"]] == [first["pid"]]
    assert listed["pid"] == first["parent"]


def test_options_reach_the_processes(at):
    told = at.told("/given/umask")

    assert (told["cwd"], told["path"][0]) == (str(at.project), str(at.project / "lib"))
    assert (told["given"], told["lang"]) == ("yes", "de_DE.UTF-8")
    assert told["application_group"] == "0o27"
    assert told["settings"] is None


@pytest.mark.skipif(
    not runs_as_nobody("/usr/bin/python3"), reason="no user but root can read what it takes"
)
@pytest.mark.parametrize(
    "command", mostly_thorough([PLAIN, HOOKS], HOOKS), ids=["a worker of root's", "the arbiter"]
)
def test_a_group_runs_as_its_user(open_folder, command):
    blog = {"user": "nobody", "python_home": SYSTEM_PYTHON}

    with site(open_folder, blog, command=command) as at:
        told = at.told("/blog")

    assert told["user"] == 65534


def test_another_python_needs_nothing_installed(tmp_path):
    python = next(iter(other_pythons()), None)
    if python is None:
        pytest.skip("there is no other Python from 3.10 on")
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)

    with site(tmp_path, {"python_home": str(tmp_path / "venv")}) as at:
        told = at.told("/blog")

    assert ".".join(map(str, told["python"])) == version_of(python)


def test_an_idle_group_ends_and_the_next_request_starts_it(at):
    first = at.told("/idle")["pid"]
    at.until(lambda: at.place("idle")["state"] == "stopped")
    at.until(lambda: not os.path.exists(f"/proc/{first}"))
    second = at.told("/idle")["pid"]

    assert second != first


def test_a_changed_script_is_loaded_by_new_processes(at):
    first = at.told("/changed")
    replace(at.project / "changed.wsgi", "VERSION = 1", "VERSION = 2")
    at.until(lambda: at.told("/changed")["version"] == 2)
    second = at.told("/changed")

    assert first["version"] == 1
    assert first["pid"] != second["pid"]


def test_a_broken_script_leaves_the_old_processes_alone(at):
    first = at.told("/mended")
    replace(at.project / "mended.wsgi", "VERSION = 1", "VERSION = ")
    at.told("/mended")
    kept = r"\[mended\] .* The processes with the scripts of before are kept."
    at.until(lambda: re.search(kept, at.log))
    log = at.log
    second = at.told("/mended")
    replace(at.project / "mended.wsgi", "VERSION = ", "VERSION = 3")
    at.until(lambda: at.told("/mended")["version"] == 3)

    assert second["pid"] == first["pid"]
    assert "[mended] SyntaxError: invalid syntax" in log


def test_reloading_as_mod_wsgi_answers_500_until_the_script_is_mended(tmp_path):
    with site(tmp_path, more="WSGIMATCH_SCRIPT_RELOADING = True\n") as at:
        first = at.told("/blog")
        replace(at.project / "app.wsgi", "VERSION = 1", "VERSION = ")
        broken = at.get("/blog").status
        replace(at.project / "app.wsgi", "VERSION = ", "VERSION = 2")
        fixed = at.told("/blog")

    assert (broken, fixed["version"]) == (500, 2)
    assert fixed["pid"] != first["pid"]


def test_without_reloading_a_script_stays(tmp_path):
    with site(tmp_path, more="WSGIMATCH_SCRIPT_RELOADING = False\n") as at:
        first = at.told("/blog")
        replace(at.project / "app.wsgi", "VERSION = 1", "VERSION = 2")
        second = at.told("/blog")

    assert (second["pid"], second["version"]) == (first["pid"], 1)


def replace(path, old, new):
    """Change a file, and its time, which may else be the same on a coarse clock."""
    text = path.read_text().replace(old, new, 1)
    status = path.stat()
    put(path, text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


@pytest.mark.thorough("test_hup_starts_a_changed_group_anew_and_no_other")
def test_hup_leaves_an_unchanged_group_alone(tmp_path):
    with site(tmp_path) as at:
        here, blog = at.told("/here")["pid"], at.told("/blog")["pid"]
        at.hup()
        at.until(lambda: at.told("/here")["pid"] != here)

        assert at.told("/blog")["pid"] == blog


def test_hup_starts_a_changed_group_anew_and_no_other(tmp_path):
    with site(tmp_path) as at:
        blog, other = at.told("/blog")["pid"], at.told("/other")["pid"]
        groups = {"blog": {"environment": {"GIVEN": "now"}}, "other": {}}
        write_project(at.project, groups, ALIASES)
        at.hup()
        at.until(lambda: at.told("/blog")["given"] == "now")
        at.until(lambda: not os.path.exists(f"/proc/{blog}"))

        assert at.told("/blog")["given"] == "now"
        assert at.told("/other")["pid"] == other


def test_groups_that_are_renewed_keep_no_client_from_starting_another(tmp_path):
    options = {"maximum_application_groups": 4, "graceful_timeout": 20}
    tenants = [f"/tenant-{number}" for number in range(4)]
    with site(tmp_path, options, aliases=TENANTS) as at, ThreadPoolExecutor(4) as pool:
        for tenant in tenants:
            at.told(tenant)
        slow = [pool.submit(at.get, f"{tenant}/sleep/5") for tenant in tenants]
        at.until(lambda: sum(each["busy"] for each in places_of(at)) == len(tenants))
        groups = {"blog": {**options, "environment": {"GIVEN": "now"}}, "other": {}}
        write_project(at.project, groups, TENANTS)
        at.hup()
        at.until(lambda: {at.told(tenant)["given"] for tenant in tenants} == {"now"})
        another = at.get("/tenant-4").status
        statuses = [each.result().status for each in slow]

    assert (another, statuses) == (200, [200] * 4)


TENANTS = """\
script_alias_match(r"^/(tenant-\\w+)", "app.wsgi", process_group="blog",
                   application_group="%{RESOURCE}"),
"""


def places_of(at):
    return at.order(do="status")["places"]


def test_hup_renews_a_group_whose_modules_have_changed(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/part.py").write_text("VERSION = 1\n")
    blog = {"python_path": [str(tmp_path / "lib")]}
    (tmp_path / "app.wsgi").write_text(
        "import os, json, part\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [json.dumps({'version': part.VERSION}).encode()]\n"
    )

    with site(tmp_path, blog) as at:
        first = at.told("/blog")["version"]
        put(tmp_path / "lib/part.py", "VERSION = 2\n")
        at.hup()
        at.until(lambda: at.told("/blog")["version"] == 2)

    assert first == 1


def test_hup_with_broken_settings_changes_nothing_under_the_hooks(tmp_path):
    with site(tmp_path, command=HOOKS) as at:
        pids = [at.told(path)["pid"] for path in ("/here", "/blog")]
        settings = (at.project / "settings.py").read_text()
        (at.project / "settings.py").write_text(settings + "WSGIMATCH_ALIASES = 3\n")
        at.hup()
        log = at.server.wait_for_log("HUP is ignored")

        assert [at.told(path)["pid"] for path in ("/here", "/blog")] == pids
    assert "WSGIMATCH_ALIASES: should be a list of entries, not 3" in log


def test_a_process_is_replaced_after_maximum_requests(at):
    pids = [at.told("/counted")["pid"] for _ in range(5)]
    at.until(lambda: at.told("/counted")["pid"] != pids[0])

    assert pids == [pids[0]] * 5


def test_a_process_is_replaced_after_restart_interval(at):
    first = at.told("/short-lived")["pid"]
    at.until(lambda: at.told("/short-lived")["pid"] != first)


def test_a_request_that_takes_too_long_gets_504_and_no_other_does(at):
    with ThreadPoolExecutor() as pool:
        late = pool.submit(at.get, "/late/sleep/20")
        statuses = [at.get("/late").status for _ in range(20)]
        answer = late.result()
    at.until(lambda: "time.sleep(float(seconds))" in at.log)

    assert answer.status == 504
    assert set(statuses) == {200}


def test_a_request_that_waits_too_long_for_a_thread_gets_504(at):
    # While the group starts, requests wait too long.
    at.until(lambda: at.get("/queueing").status == 200)
    with ThreadPoolExecutor() as pool:
        # On a busy machine the first waits, too, and the second comes late.
        first = pool.submit(at.get, "/queueing/sleep/3")
        at.until(lambda: at.place("queueing")["busy"] == 1)
        second = pool.submit(at.get, "/queueing")
        statuses = [first.result().status, second.result().status]

    assert statuses == [200, 504]


def test_a_response_that_does_not_come_is_given_up_after_socket_timeout(at):
    statuses = [at.get("/silent/sleep/6").status, at.get("/silent").status]

    assert statuses == [504, 200]


def test_a_process_that_holds_the_interpreter_lock_is_killed(at):
    first = at.told("/locked")["pid"]
    status = at.get("/locked/hold/30").status
    second = at.told("/locked")["pid"]

    assert status == 500
    assert second != first


def test_a_process_that_has_used_up_its_cpu_time_is_replaced(at):
    first = at.told("/busy")["pid"]
    status = at.get("/busy/spin/1.5").status
    at.until(lambda: at.told("/busy")["pid"] != first)

    assert status == 200


def test_a_process_that_loads_nothing_within_startup_timeout_is_replaced(at):
    at.until(lambda: bool(at.place("booted")["processes"]))
    pid = at.place("booted")["processes"][0]["pid"]
    script = (at.project / "booted.wsgi").read_text()
    put(at.project / "booted.wsgi", f"{script}\nassert os.getpid() != {pid}\n")
    first = at.get("/booted").status
    at.until(lambda: at.get("/booted").status == 200)
    log = at.log

    assert first == 500
    assert "is to be replaced: no script was loaded within startup-timeout, 0.5 s" in log


def test_a_script_of_another_user_is_refused(at):
    status = at.get("/owned").status
    refusal = f"WSGI script file has owner {os.getuid()}, not the script-user 12345"
    at.until(lambda: refusal in at.log)

    assert status == 403


def test_a_group_goes_without_a_locale_that_the_machine_does_not_have(at):
    told = at.told("/foreign")

    assert told["lang"] == "xx_XX.UTF-8"
    at.until(
        lambda: (
            "Unsupported locale setting 'xx_XX.UTF-8' of process group 'foreign'. Consider using "
            "'C.UTF-8'." in at.log
        )
    )


def test_a_group_goes_without_a_stack_that_no_thread_can_have(at):
    assert at.told("/stacked")["process_group"] == "stacked"

    at.until(lambda: "Couldn't set stack size 4097 of process group 'stacked'" in at.log)


def test_a_log_file_takes_a_group_s_output(at):
    at.get("/logged/nosuch")
    at.until(lambda: "KeyError: 'nosuch'" in (at.project / "logged.log").read_text())
    log = at.log

    assert "KeyError: 'nosuch'" not in log


def test_a_log_file_that_was_moved_away_is_made_anew(at):
    at.get("/moved/nosuch")
    at.until(lambda: "KeyError: 'nosuch'" in (at.project / "moved.log").read_text())
    (at.project / "moved.log").rename(at.project / "moved.log.1")
    at.get("/moved/later")
    at.until((at.project / "moved.log").exists)
    at.until(lambda: "KeyError: 'later'" in (at.project / "moved.log").read_text())
    old = (at.project / "moved.log.1").read_text()

    assert "later" not in old


def test_a_full_disk_below_a_log_file_is_no_error_in_the_application(at):
    statuses = [at.get("/full/binary").status for _ in range(3)]

    assert statuses == [200] * 3


def test_standard_error_may_be_the_log_file_without_the_group_s_name(at):
    at.get("/unnamed/nosuch")
    at.until(lambda: "\nKeyError: 'nosuch'" in at.log)

    assert "[unnamed] " not in at.log


def test_a_group_that_cannot_start_is_refused_at_once_and_says_why(at):
    statuses = [at.get(path).status for path in ("/nowhere", "/other", "/here")]
    listed = at.place("nowhere")
    log = at.log

    assert statuses == [503, 200, 200]
    # Not the front's patience: the manager has refused it.
    assert "no process takes the request" not in log
    assert listed["state"] == "failed"
    assert "No such file or directory" in listed["error"]


def test_an_undefined_group_is_500(at):
    assert at.get("/none").status == 500


def test_a_missing_callable_is_500_in_a_group(at):
    statuses = [at.get(path).status for path in ("/here-without", "/plain-without")]

    assert statuses == [404, 500]


def test_a_deleted_script_is_404(at):
    at.told("/deleted")
    (at.project / "deleted.wsgi").unlink()

    assert [at.get("/deleted").status for _ in range(3)] == [404] * 3


def test_the_least_recently_used_application_group_ends_for_a_new_one(at):
    pids = [told_and_done(at, f"/tenant-{name}") for name in "abac"]
    at.until(lambda: states(at) == {"a": "running", "b": "stopped", "c": "running"})
    again = at.told("/tenant-a")["pid"]

    assert pids[0] == pids[2] == again
    assert len({*pids}) == 3


def told_and_done(at, target):
    """Ask, and wait until the process has put down that it is done: that is when it was used."""
    pid = at.told(target)["pid"]
    at.until(lambda: not any(place["busy"] for place in at.order(do="status")["places"]))
    return pid


def states(at):
    places = at.order(do="status")["places"]
    return {p["name"][-1]: p["state"] for p in places if "tenant-" in p["name"]}


def test_restart_and_stop(at):
    first = at.told("/ordered")["pid"]
    at.order(do="restart", name="ordered")
    at.until(lambda: not os.path.exists(f"/proc/{first}"))
    second = at.told("/ordered")["pid"]
    at.order(do="stop", name="ordered")
    at.until(lambda: not os.path.exists(f"/proc/{second}"))
    at.until(lambda: at.place("ordered")["state"] == "stopped")
    third = at.told("/ordered")["pid"]

    assert len({first, second, third}) == 3


def test_a_killed_arbiter_is_back_before_anybody_asks(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        killed = at.place("blog")["pid"]
        os.kill(killed, signal.SIGKILL)
        # The manager sees it at its next look.
        at.until(lambda: at.place("blog")["pid"] not in (killed, None))
        at.until(lambda: at.place("blog")["state"] == "running")
        status = at.get("/blog").status

    assert status == 200


def test_a_killed_process_costs_its_own_request_only(at):
    pid = at.told("/killed")["pid"]
    # A process is done with a request a moment after its client.
    at.until(lambda: not at.busy("killed"))
    with ThreadPoolExecutor() as pool:
        at_work = pool.submit(at.get, "/killed/sleep/10")
        at.until(lambda: bool(at.busy("killed")))
        # The request sleeps on: whoever was busy still is.
        os.kill(at.busy("killed")[0], signal.SIGKILL)
        statuses = [at.get("/killed").status for _ in range(20)]
        lost = at_work.result().status

    assert (lost, set(statuses)) == (500, {200})
    assert pid


@pytest.mark.parametrize(
    "command", mostly_thorough([PLAIN, HOOKS], HOOKS), ids=["plain", "the arbiter's hooks"]
)
def test_a_killed_manager_is_started_again(tmp_path, command):
    with site(tmp_path, command=command) as at:
        first = at.told("/blog")["pid"]
        os.kill(at.order(do="status")["pid"], signal.SIGKILL)
        at.until(lambda: at.get("/blog").status == 200 and at.told("/blog")["pid"] != first)


def test_nothing_is_left_of_a_killed_server(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        os.kill(at.server.process.pid, signal.SIGKILL)
        at.server.process.wait()
        wait_until(lambda: not at.processes())


def test_two_servers_of_one_project_have_groups_of_their_own(tmp_path):
    with site(tmp_path / "a") as one, site(tmp_path / "b") as two:
        pids = {at.told("/blog")["parent"] for at in (one, two)}

    assert len(pids) == 2


def test_a_client_that_goes_away_ends_the_response(at):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(at.server.address))
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(4096)
    at.until((at.project / "closed").exists)


ENDLESS = """\
from pathlib import Path


class Body:
    def __iter__(self):
        while True:
            yield b"x" * 65536

    def close(self):
        Path(__file__).with_name("closed").touch()


def application(environ, start_response):
    start_response("200 OK", [])
    return Body()
"""


# Bad neighbours


@pytest.mark.parametrize(
    ("target", "statuses"),
    [
        pytest.param("/ending/leave", {500}, id="ends its process"),
        pytest.param("/leaking/leak/200000000", {200, 500}, id="leaks"),
        pytest.param("/sleeping/sleep/60", {504}, id="sleeps"),
        pytest.param("/printing/binary", {200}, id="prints bytes that are no text"),
        pytest.param("/spawning/spawn", {200}, id="starts children"),
        pytest.param("/closing/close", {500, 200}, id="closes descriptors"),
    ],
)
def test_a_bad_neighbour_harms_only_its_own_group(at, target, statuses):
    before = [at.told(path)["pid"] for path in ("/here", "/other")]
    bad = {at.get(target).status for _ in range(3)}
    after = [at.told(path)["pid"] for path in ("/here", "/other")]
    at.until(lambda: at.get("/" + target.split("/")[1]).status == 200)

    assert bad <= statuses
    assert before == after


def test_a_body_that_nobody_reads_harms_nobody(at):
    answer = at.get(
        "/unread",
        method=b"POST",
        headers={b"Content-Length": b"150000"},
        body=b"x" * 150_000,
    )
    again = at.get("/unread")

    assert (answer.body, again.body) == (b"ok", b"ok")


UNREAD = """\
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


FLOOD = """\
import os
def application(environ, start_response):
    if environ["PATH_INFO"] == "/headers":
        start_response("200 OK", [("X-Long", "x" * 5_000_000)])
        return [b""]
    if environ["PATH_INFO"] == "/pid":
        start_response("200 OK", [("Content-Length", str(len(str(os.getpid()))))])
        return [str(os.getpid()).encode()]
    start_response("200 OK", [])
    return flood()
def flood():
    while True:
        yield b"x" * 1_000_000
"""


def test_a_response_without_an_end_costs_the_server_no_memory(at):
    worker = int(at.get("/here-flooding/pid").body)
    at.get("/flooding/pid")
    before = resident(worker)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(at.server.address))
        connection.sendall(b"GET /flooding/flood HTTP/1.1\r\nHost: x\r\n\r\n")
        received = 0
        while received < 300_000_000:
            received += len(connection.recv(1 << 20))
        grown = resident(worker) - before
    status = at.get("/flooding/pid").status

    assert grown < 20 << 20
    assert status == 200


def test_headers_without_an_end_are_a_500_for_their_request(at):
    statuses = [at.get("/flooding" + path).status for path in ("/pid", "/headers", "/pid")]

    assert statuses == [200, 500, 200]


def test_a_client_that_reads_slowly_holds_one_thread_of_its_group(at):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(at.server.address))
        connection.sendall(b"GET /two-threads/flood HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096)
        paths = ["/two-threads/pid", "/here-flooding/pid", "/other"]
        statuses = {at.get(path).status for path in paths * 10}

    assert statuses == {200}


def resident(pid: int) -> int:
    """The memory that a process has, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_binary_output_is_shown_escaped(at):
    at.told("/binary/binary")
    at.until(lambda: re.search(r"^\[binary\] .*\\x1b", at.log, re.MULTILINE))

    assert not re.search(r"[\x00-\x08\x0b-\x1f]", at.log)


def test_many_requests_at_once(at):
    at.told("/many")
    lock, statuses = threading.Lock(), []

    def ask():
        for _ in range(50):
            status = at.get("/many").status
            with lock:
                statuses.append(status)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 400


def test_environment_of_the_server_s_own_stays_there(at):
    assert "PYTHONPATH" in environment()

    told = at.told("/plain")

    assert not [path for path in told["path"] if path == environment()["PYTHONPATH"]]


LEAVE_BEHIND = """\
import os, time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fork" and not os.fork():
        if os.fork():
            os._exit(3)
        os.setsid()
        os.execvp("sleep", ["sleep", "1000"])
    start_response("200 OK", [])
    return [str(os.getppid()).encode()]
"""


@pytest.mark.parametrize("end", mostly_thorough(["stopped", "killed"], "killed"))
def test_what_an_application_leaves_behind_ends_with_its_group(tmp_path, end):
    (tmp_path / "other.wsgi").write_text(LEAVE_BEHIND)

    with site(tmp_path) as at:
        group = int(at.get("/other").body)
        at.get("/other/fork")
        at.until(lambda: sleepers(at))
        [left] = sleepers(at)
        alive = at.place("other")["pid"] == group
        at.order(do="stop", name="other") if end == "stopped" else os.kill(group, signal.SIGKILL)
        at.until(lambda: not sleepers(at))
        others = at.get("/blog").status

    assert (left != group, alive, others) == (True, True, 200)


def sleepers(at):
    """The processes of a site that sleep, as the test's application has left them behind."""
    return [pid for pid in at.processes() if command_of(pid).startswith(b"sleep\0")]


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
