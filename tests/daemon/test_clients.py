"""What clients may do to a site, asked of a real gunicorn: what they start, hold and name."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.groups import site
from tests.support.raw_http import connect, request_bytes

TENANTS = """\
script_alias_match("^/(tenant-\\\\w+)", "app.wsgi", process_group="blog",
                   application_group="%{RESOURCE}"),
script_alias("/here", "app.wsgi"),
"""
# The groups that share a server, by the tests that they are for.
GROUPS = {
    "few": {"maximum_starts": 2},
    "table": {"maximum_application_groups": 1, "maximum_starts": 1},
    "slow": {"threads": 16},
    **{name: {} for name in ("hosts", "ports", "named", "rush", "stream")},
}
STREAM = """\
import time
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    while True:
        yield b'x' * 100000
        time.sleep(0.01)
"""
SHARED = """\
script_alias("/here", "app.wsgi"),
script_alias("/other", "other.wsgi", process_group="other"),
script_alias("/streaming", "stream.wsgi", process_group="stream"),
script_alias_match("^/(tenant-\\\\w+)", "app.wsgi", process_group="ports",
                   application_group="%{RESOURCE}"),
*(script_alias(f"/{name}", "app.wsgi", process_group=name) for name in ("slow", "rush", "stream")),
*(script_alias(f"/host-{name}", "app.wsgi", process_group=name, application_group="%{HOST}")
  for name in ("hosts", "few", "named")),
*(script_alias(f"/named-{name}", "app.wsgi", process_group=name, application_group="b.example")
  for name in ("hosts", "few", "named")),
*(script_alias(f"/table-{name}", "app.wsgi", process_group="table", application_group=name)
  for name in "abc"),
"""
BAD_HOSTS = ["x,y", "x y", "x@y", "x/../../etc", "a:65536", "a..b", "a|/b", "\xff\xfe", "1", "a:"]


def status(at, target, host):
    return at.get(target, headers={b"Host": host.encode("latin-1")}).status


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    project = tmp_path_factory.mktemp("shared")
    (project / "stream.wsgi").write_text(STREAM)
    more = f"WSGIMATCH_PROCESS_GROUPS |= {GROUPS!r}\n"
    with site(project, aliases=SHARED, more=more) as at:
        yield at


@pytest.fixture
def at(shared):
    """The shared site, with what the log says from now on."""
    shared.skip_log()
    return shared


def places_of(at, group):
    """The names of a process group's places."""
    places = [place["name"] for place in at.order(do="status")["places"]]
    return [name for name in places if name.partition("/")[0] == group]


def test_a_bad_host_is_400_whoever_answers(at):
    targets = ["/here", "/host-hosts", "/none"]
    # Asked again, the dispatcher answers by a shorter way.
    good = {status(at, "/here", "a.example") for _ in range(20)}
    asked = [(target, host) for target in targets for host in BAD_HOSTS]
    statuses = {pair: status(at, *pair) for pair in asked}

    assert good == {200}
    assert {pair for pair, got in statuses.items() if got != 400} == set()
    assert {*places_of(at, "hosts")} == {"hosts", "hosts/b.example"}


def test_ports_that_a_client_makes_up_start_nothing(at):
    hosts = [f"evil.example:{port}" for port in range(10000, 10012)]
    told = [at.get("/tenant-two", headers={b"Host": host.encode()}) for host in hosts]

    assert {answer.status for answer in told} == {200}
    assert places_of(at, "ports") == ["ports", "ports/localhost|/tenant-two"]


def test_listed_ports_count_and_others_do_not(tmp_path):
    more = "WSGIMATCH_SERVER_PORTS = [8443]\n"
    with site(tmp_path, aliases=TENANTS, more=more) as at:
        for host in ("a:8443", "a:8444", "b:8443"):
            assert status(at, "/tenant-a", host) == 200
        places = {place["name"] for place in at.order(do="status")["places"]}

    assert places == {"blog", "other", "blog/localhost:8443|/tenant-a", "blog/localhost|/tenant-a"}


def test_a_host_cannot_name_what_the_table_names(at):
    named = at.told("/named-named")
    chosen = at.get("/host-named", headers={b"Host": b"b.example"})

    assert str(named["pid"]).encode() not in chosen.body
    assert places_of(at, "named").count("named/b.example") == 2


def test_clients_start_so_many_groups_a_minute(at):
    statuses = [status(at, "/host-few", f"{name}.example") for name in "abcdef"]
    refused = at.get("/host-few", headers={b"Host": b"g.example"})
    again = [status(at, "/host-few", f"{name}.example") for name in "ab"]
    named = at.get("/named-few").status
    said = at.log.count("maximum_starts")

    assert statuses == [200, 200, 503, 503, 503, 503]
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert (again, named) == ([200, 200], 200)
    assert {*places_of(at, "few")} == {"few", "few/a.example", "few/b.example"}
    assert said == 1


def test_what_the_table_names_is_not_counted(at):
    pids = [at.told(f"/table-{n}")["pid"] for n in "abcabc"]

    assert pids[:3] == pids[3:]


def ask_all(at, target, count, **request):
    """Ask so many times at once; return the answers as they come."""
    pool = ThreadPoolExecutor(count)
    return pool, [pool.submit(at.get, target, **request) for _ in range(count)]


def test_a_slow_place_leaves_threads_to_the_others(at):
    # A place that has not answered yet may be starting, and is given more time.
    at.told("/slow")
    at.told("/other")
    pool, asked = ask_all(at, "/slow/wait/go-on", 16)
    at.until(lambda: sum(future.done() for future in asked) >= 13)
    others = [at.get(target).status for target in ("/other", "/here")]
    held = [future for future in asked if not future.done()]
    (at.project / "go-on").touch()
    pool.shutdown()
    answers = [future.result() for future in asked]
    # All have left, so there is room for as many again.
    pool, again = ask_all(at, "/slow", 3)
    pool.shutdown()

    assert others == [200, 200]
    assert len(held) == 3
    assert sorted(answer.status for answer in answers) == [200] * 3 + [503] * 13
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "5"}
    assert [future.result().status for future in again] == [200] * 3


def test_a_rush_on_a_quick_place_is_not_refused(at):
    at.told("/rush")
    pool, asked = ask_all(at, "/rush", 16)
    pool.shutdown()

    assert {future.result().status for future in asked} == {200}


def test_clients_that_go_away_make_room(at):
    for _ in range(8):
        with connect(at.server.address) as client:
            client.sendall(request_bytes(b"/streaming", b"GET", {}))
            assert client.recv(100)
    at.until(lambda: not at.busy("stream"))

    assert [at.get("/stream").status for _ in range(8)] == [200] * 8


def begun(at, headers, body):
    """A client that sends a request's head and the beginning of its body."""
    client = connect(at.server.address)
    headers = {b"Connection": b"keep-alive", **headers}
    client.sendall(request_bytes(b"/blog", b"POST", headers) + body)
    return client


def rest(client):
    """All that comes until the server closes the connection."""
    with client:
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """A site whose script reads the whole body, and that has little patience."""
    project = tmp_path_factory.mktemp("reading")
    (project / "app.wsgi").write_text(READER)
    aliases = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'
    more = "WSGIMATCH_BODY_TIMEOUT = (0.5, 20)\n"
    with site(project, {"threads": 2}, aliases=aliases, more=more) as at:
        yield at


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({b"Content-Length": b"200000"}, b"0123456789", id="a long body"),
        pytest.param({b"Content-Length": b"200"}, b"0123456789", id="a short one"),
        pytest.param({b"Content-Length": b"200"}, b"", id="nothing of it"),
        pytest.param({b"Transfer-Encoding": b"chunked"}, b"5\r\nabc", id="a chunked one"),
    ],
)
def test_a_body_that_does_not_come_is_given_up(reading, headers, body):
    clients = [begun(reading, headers, body) for _ in range(3)]

    answers = [rest(client) for client in clients]

    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
    assert all(b"\r\nConnection: close\r\n" in answer for answer in answers)
    # The group's threads are free.
    reading.until(lambda: not reading.busy("blog"))
    assert post(reading, b"hello") == (200, b"5")


def post(at, body):
    headers = {b"Content-Length": str(len(body)).encode()}
    answer = at.get("/blog", method=b"POST", headers=headers, body=body)
    return answer.status, answer.body


def test_a_body_that_drips_is_given_up(reading):
    client = begun(reading, {b"Content-Length": b"60000"}, b"x")
    over = threading.Event()

    def drip() -> None:
        # One byte is worth 0.05 s, and takes longer.
        while not over.wait(0.1):
            try:
                client.send(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    first = client.recv(1000)
    over.set()
    dripping.join()
    client.close()

    assert first.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_comes_slowly_enough_is_waited_for(reading):
    # Each piece is worth 5 s, which the longest pause of a busy machine does not take.
    piece = b"x" * 100
    headers = {b"Content-Length": b"1200", b"Connection": b"close"}
    client = begun(reading, headers, piece)
    never = threading.Event()

    for _ in range(11):
        never.wait(0.06)
        client.sendall(piece)
    answer = rest(client)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"1200")


READER = """\
def application(environ, start_response):
    try:
        body = environ["wsgi.input"].read()
    except OSError:
        body = b"gone"
    told = str(len(body)).encode()
    start_response("200 OK", [("Content-Length", str(len(told)))])
    return [told]
"""
