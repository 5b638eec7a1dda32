from __future__ import annotations

import logging
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from time import monotonic
from typing import Any

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import MOD_WSGI, Resolution, Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import REMEMBERED_ONE_IN, Dispatcher
from django_wsgimatch.exceptions import ApplicationExit, DaemonError
from tests.support.wsgi import TELL, call, get, make_environ, write_scripts


def fallback(environ, start_response):
    start_response("299 Fallback", [("Content-Type", "text/plain")])
    return [repr(sorted(environ)).encode()]


def dispatcher_for(*aliases: Alias, **options) -> Dispatcher:
    return Dispatcher(AliasTable(aliases), fallback, **options)


# Asked again, the dispatcher answers by a shorter way: the alias's plan, then what is remembered.
WAYS = pytest.mark.parametrize("times", [pytest.param(n, id=f"time {n}") for n in (1, 2, 20)])


def ask_again(dispatcher, times, target, **environ):
    """The answer when a target is asked for so many times."""
    return [get(dispatcher, target, **environ) for _ in range(times)][-1]


@pytest.fixture
def script(tmp_path):
    return str(write_scripts(tmp_path, "x.wsgi"))


@WAYS
def test_environ_of_the_application(script, times):
    dispatcher = dispatcher_for(Alias("/app", script))
    given = {name: v for name, v in make_environ("/app/y?q=1").items() if type(v) is str}

    told = ask_again(dispatcher, times, "/app/y?q=1").told

    own = {"__file__", "__name__", "callable"}
    assert {name: value for name, value in told.items() if name not in own} == {
        **given,
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/y",
        "SCRIPT_FILENAME": script,
        "mod_wsgi.process_group": "",
        "mod_wsgi.application_group": "",
        "mod_wsgi.callable_object": "application",
    }


@WAYS
def test_other_paths_of_an_alias_have_their_own_path_info(script, times):
    dispatcher = dispatcher_for(Alias("/app", script))

    answers = [ask_again(dispatcher, times, target) for target in ("/app", "/app/", "/app/y/z")]

    assert [answer.corridor for answer in answers] == [
        (200, script, "/app", ""),
        (200, script, "/app", "/"),
        (200, script, "/app", "/y/z"),
    ]


@WAYS
def test_documented_examples(tmp_path, times):
    write_scripts(tmp_path, "wsgi_handler.py", "django.wsgi", "scripts/a.wsgi")
    dispatcher = dispatcher_for(
        Alias("^/(admin|files|photologue)", f"{tmp_path}/wsgi_handler.py/$1", "match"),
        Alias("/api", f"{tmp_path}/django.wsgi/api"),
        Alias("^/wsgi-scripts/([^/]+)", f"{tmp_path}/scripts/$1.wsgi", "match"),
    )

    targets = ("/admin/x", "/files", "/administrator", "/api/x", "/wsgi-scripts/a/b/c?q")
    answers = [ask_again(dispatcher, times, target) for target in targets]

    assert [answer.corridor for answer in answers] == [
        (200, f"{tmp_path}/wsgi_handler.py", "", "/admin/x"),
        (200, f"{tmp_path}/wsgi_handler.py", "", "/files"),
        (200, f"{tmp_path}/wsgi_handler.py", "", "/administrator"),
        (200, f"{tmp_path}/django.wsgi", "", "/api/x"),
        (200, f"{tmp_path}/scripts/a.wsgi", "/wsgi-scripts/a", "/b/c"),
    ]


@WAYS
def test_capture_that_begins_the_target(tmp_path, times):
    write_scripts(tmp_path, "a.wsgi", "base/a.wsgi")
    rules = Rules(base_directory=f"{tmp_path}/base")
    dispatcher = dispatcher_for(Alias("^/x(/?[^:]+):", "$1.wsgi", "match"), rules=rules)

    answers = [ask_again(dispatcher, times, f"/x{name}:/b") for name in ("a", f"{tmp_path}/a")]

    assert [answer.corridor for answer in answers] == [
        (200, f"{tmp_path}/base/a.wsgi", "/xa:", "/b"),
        (200, f"{tmp_path}/a.wsgi", f"/x{tmp_path}/a:", "/b"),
    ]


@WAYS
@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/x.wsgi/%", 400, id="a bad target"),
        pytest.param("/a?b#c", 400, id="a bad query"),
        pytest.param("/..", 400, id="above the root"),
        pytest.param("/dir", 403, id="a directory"),
        pytest.param("/none", 404, id="a missing script"),
        pytest.param("/x%2Fy", 404, id="an encoded slash"),
        pytest.param("/handler", 404, id="a missing callable"),
        pytest.param("/broken", 500, id="a broken script"),
        pytest.param("/group", 500, id="an unknown process group"),
        pytest.param("/elsewhere", 299, id="no alias"),
    ],
)
def test_status(tmp_path, script, target, status, times):
    write_scripts(tmp_path, "broken.wsgi", source="(")
    dispatcher = dispatcher_for(
        Alias("/x.wsgi", script),
        Alias("/dir", str(tmp_path)),
        Alias("/none", f"{tmp_path}/none.wsgi"),
        Alias("/handler", script, callable_object="handler"),
        Alias("/broken", f"{tmp_path}/broken.wsgi"),
        Alias("/group", script, process_group="blue"),
    )

    answer = ask_again(dispatcher, times, target)

    assert answer.code == status


def test_without_fallback_no_alias_is_a_404(script):
    dispatcher = Dispatcher(AliasTable([Alias("/app", script)]))

    answer = get(dispatcher, "/elsewhere")

    assert answer.status == "404 Not Found"


@WAYS
def test_fallback_is_given_what_the_server_gave(times):
    environ = make_environ("/a//b?c", script_name="/m")

    answers = [call(dispatcher_for(), environ) for _ in range(times)]

    assert answers[-1].body == repr(sorted(environ)).encode()


def test_unreadable_script(script, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "django_wsgimatch")
    # The tests may run as root, who can read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    answer = get(dispatcher_for(Alias("/a", script)), "/a")

    assert answer.status == "500 Internal Server Error"
    assert caplog.messages == [f"/a: Target WSGI script cannot be read: {script}"]


def test_refusals_are_logged_with_their_reason(caplog):
    caplog.set_level(logging.INFO, "django_wsgimatch")

    get(dispatcher_for(), "/a%00")

    assert caplog.messages == ["/a%00: the path holds %00"]


def test_errors_of_a_script_are_logged_with_their_cause(tmp_path, caplog):
    path = write_scripts(tmp_path, "x.wsgi", source="1 / 0")

    get(dispatcher_for(Alias("/a", str(path))), "/a")

    [record] = caplog.records
    assert record.message == f"Target WSGI script '{path}' cannot be loaded as Python module."
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError


@WAYS
def test_error_pages_of_head_requests_have_no_body(times):
    answer = ask_again(dispatcher_for(), times, "/a%00", method="HEAD")

    assert (answer.status, answer.body) == ("404 Not Found", b"")


@WAYS
def test_head_reaches_the_application_as_head(script, times):
    answer = ask_again(dispatcher_for(Alias("/a", script)), times, "/a", method="HEAD")

    assert answer.told["REQUEST_METHOD"] == "HEAD"


@WAYS
@pytest.mark.parametrize(
    ("rule", "given", "passed"),
    [
        pytest.param(True, None, True, id="by default"),
        pytest.param(False, None, False, id="the rule says no"),
        pytest.param(False, True, True, id="the entry says yes"),
        pytest.param(True, False, False, id="the entry says no"),
    ],
)
def test_authorization(script, rule, given, passed, times):
    alias = Alias("/a", script, pass_authorization=given)
    dispatcher = dispatcher_for(alias, rules=Rules(pass_authorization=rule))

    told = ask_again(dispatcher, times, "/a", headers={"Authorization": "Basic x"}).told

    assert ("HTTP_AUTHORIZATION" in told) is passed


@WAYS
def test_request_without_authorization_where_none_is_passed(script, times):
    dispatcher = dispatcher_for(Alias("/a", script), rules=MOD_WSGI)

    answer = ask_again(dispatcher, times, "/a")

    assert answer.code == 200


@WAYS
def test_callable_object(script, times):
    dispatcher = dispatcher_for(Alias("/a", script, callable_object="other"))

    told = ask_again(dispatcher, times, "/a").told

    assert (told["callable"], told["mod_wsgi.callable_object"]) == ("other", "other")


@WAYS
def test_two_callables_of_one_script(script, times):
    dispatcher = dispatcher_for(Alias("/a", script), Alias("/b", script, callable_object="other"))

    told = [ask_again(dispatcher, times, target).told for target in ("/a", "/b", "/a")]

    assert [one["callable"] for one in told] == ["application", "other", "application"]


@WAYS
def test_groups_in_the_environ(script, times):
    alias = Alias("/a", script, process_group="blue")
    rules = Rules(process_groups=["blue"], application_group="%{RESOURCE}")
    dispatcher = dispatcher_for(alias, rules=rules, server_name="www.example")

    hosts = ("h", "h:8000", "h:81")
    told = [ask_again(dispatcher, times, "/a/b", HTTP_HOST=host).told for host in hosts]

    assert [one["mod_wsgi.process_group"] for one in told] == ["blue"] * 3
    assert [one["mod_wsgi.application_group"] for one in told] == [
        "www.example|/a",
        "www.example:8000|/a",
        "www.example:8000|/a",
    ]


@WAYS
@pytest.mark.parametrize(
    ("target", "logged"),
    [
        pytest.param("/app/y?q=1", ("/app", "", "/app"), id="a plain alias"),
        pytest.param("/match/a/b", ("^/match/([^/]+)", "blue", "/match/a"), id="a match alias"),
        pytest.param("/caf%C3%A9/x", ("/café", "", "/caf\xc3\xa9"), id="not ASCII"),
        pytest.param("/match/%0A/b", ("^/match/([^/]+)", "blue", "/match/\\n"), id="a line end"),
        pytest.param("/none", None, id="a script that is missing"),
        pytest.param("/fallback", None, id="the fallback"),
        pytest.param("/app/%00", None, id="a bad target"),
    ],
)
def test_what_an_access_log_can_have_of_a_request(script, target, logged, times):
    dispatcher = dispatcher_for(
        Alias("/app", script),
        Alias("^/match/([^/]+)", script, "match", process_group="blue"),
        Alias("/caf\xc3\xa9", script),
        Alias("/none", f"{script}.none"),
        rules=Rules(process_groups=["blue"]),
    )
    for _ in range(times):
        environ = make_environ(target)
        answered = dispatcher(environ, lambda status, headers, exc_info=None: lambda data: None)
        with suppress(AttributeError), closing(answered):  # type: ignore[type-var]
            list(answered)

    keys = ("wsgimatch.alias", "wsgimatch.process_group", "wsgimatch.script_name")
    assert tuple(environ[key] for key in keys if key in environ) == (logged or ())


@pytest.mark.parametrize(
    ("ports", "port", "group"),
    [
        pytest.param((), "8000", "www.example:8000", id="the server's own"),
        pytest.param((), "9000", "www.example:8000", id="one that a client has made up"),
        pytest.param([9000], "9000", "www.example:9000", id="a listed one"),
        pytest.param([9000], "9001", "www.example:8000", id="one beside a listed one"),
        pytest.param(None, "9000", "www.example:9000", id="any, as in Apache"),
        pytest.param((), "443", "www.example", id="that of https"),
    ],
)
def test_ports_in_group_names(script, ports, port, group):
    rules = Rules(application_group="%{SERVER}")
    dispatcher = dispatcher_for(
        Alias("/a", script), rules=rules, server_name="www.example", server_ports=ports
    )

    resolution = dispatcher.resolve(make_environ("/a", HTTP_HOST=f"client.example:{port}"))

    assert resolution.application_group == group


@pytest.mark.parametrize(
    ("host", "group"),
    [
        pytest.param("evil.example:8080", "localhost", id="no virtual host"),
        pytest.param("shop.example:8080", "shop.example", id="a virtual host"),
        pytest.param("a.wiki.example", ".wiki.example", id="one of many of a virtual host"),
    ],
)
def test_gunicorn_on_a_unix_socket_makes_the_server_s_name_of_the_host_header(script, host, group):
    alias = Alias("/a", script, application_group="%{SERVER}")
    tables = {"shop.example": AliasTable([alias]), ".wiki.example": AliasTable([alias])}
    dispatcher = Dispatcher(AliasTable([alias], virtual_hosts=tables))
    name, _, port = host.partition(":")

    with socket.socket(socket.AF_UNIX) as connection:
        environ = make_environ("/a", HTTP_HOST=host, SERVER_NAME=name, SERVER_PORT=port or "80")
        resolution = dispatcher.resolve(environ | {"gunicorn.socket": connection})

    assert resolution.application_group == group


@WAYS
def test_alias_with_a_slash_at_its_end(script, times):
    dispatcher = dispatcher_for(Alias("/a/", script))

    answers = [ask_again(dispatcher, times, target) for target in ("/a/", "/a", "/a/b")]

    assert [answer.corridor for answer in answers] == [
        (200, script, "/a/", ""),
        (299, None, None, None),
        (404, None, None, None),
    ]


@WAYS
@pytest.mark.parametrize(
    ("kind", "location", "name"),
    [
        pytest.param("plain", "/x", "x.wsgi", id="plain"),
        pytest.param("match", "^/(x)", "$1.wsgi", id="named by a capture"),
    ],
)
def test_script_whose_path_is_nearly_too_long(tmp_path, times, kind, location, name):
    directory = "/".join(["x" * 200] * 12)
    write_scripts(tmp_path, f"{directory}/x.wsgi")
    dispatcher = dispatcher_for(Alias(location, f"{tmp_path}/{directory}/{name}", kind))

    answers = [ask_again(dispatcher, times, "/x/" + "y" * length) for length in (1, 2000)]

    assert [answer.code for answer in answers] == [200, 404]


CHUNKED = {"Transfer-Encoding": "chunked"}


@WAYS
@pytest.mark.parametrize(
    ("target", "chunked_request", "headers", "status"),
    [
        pytest.param("/a", True, CHUNKED, 200, id="allowed"),
        pytest.param("/a", False, CHUNKED, 411, id="refused"),
        pytest.param("/a", False, {}, 200, id="another request"),
        pytest.param("/none", False, CHUNKED, 404, id="after the 404 of a missing script"),
        pytest.param("/elsewhere", False, CHUNKED, 299, id="not for the fallback"),
    ],
)
def test_chunked_request(script, target, chunked_request, headers, status, times):
    aliases = [Alias("/a", script), Alias("/none", f"{script}.none")]
    dispatcher = dispatcher_for(*aliases, chunked_request=chunked_request)

    answer = ask_again(dispatcher, times, target, method="POST", headers=headers)

    assert answer.code == status


@WAYS
@pytest.mark.parametrize(
    ("target", "script_name", "path_info"),
    [
        pytest.param("/m/a/b", "/m/a", "/b", id="below the mount point"),
        pytest.param("/m/a", "/m/a", "", id="no path info"),
        pytest.param("/m//a//b", "/m/a", "/b", id="slashes to merge"),
    ],
)
def test_mount_point(script, target, script_name, path_info, times):
    dispatcher = dispatcher_for(Alias("/a", script), Alias("/m", "/wrong.wsgi"))

    answer = ask_again(dispatcher, times, target, script_name="/m")

    assert answer.corridor == (200, script, script_name, path_info)


def test_mount_point_and_none_in_turn(script):
    dispatcher = dispatcher_for(Alias("/a", script))

    found = [
        get(dispatcher, "/a/b", script_name=mount_point).corridor[2] for mount_point in ("", "/m")
    ]

    assert found == ["/a", "/m/a"]


def test_path_beside_the_mount_point(script):
    """A server that compares text, not segments, cuts /max in two where /m is mounted."""
    dispatcher = dispatcher_for(Alias("/", script))

    resolution = dispatcher.resolve(make_environ("/max", script_name="/m", PATH_INFO="ax"))

    reason = "the path lies beside the server's SCRIPT_NAME"
    assert resolution == Resolution("/max", status=404, reason=reason)


@WAYS
def test_path_info_below_a_mount_point(script, times):
    environ = make_environ("/m/a/b", script_name="/m", without=["RAW_URI"])
    dispatcher = dispatcher_for(Alias("/a", script))

    answers = [call(dispatcher, environ) for _ in range(times)]

    assert answers[-1].corridor == (200, script, "/m/a", "/b")


@WAYS
@pytest.mark.parametrize(
    ("environ", "corridor"),
    [
        pytest.param({"RAW_URI": "/a/b%20c"}, ("/a", "/b c"), id="RAW_URI, as gunicorn"),
        pytest.param({"REQUEST_URI": "/a/b%20c"}, ("/a", "/b c"), id="REQUEST_URI, as uWSGI"),
        pytest.param({"RAW_URI": ""}, ("/a", "/path info"), id="an empty RAW_URI"),
        pytest.param({}, ("/a", "/path info"), id="PATH_INFO alone"),
        pytest.param({"PATH_INFO": "/a/b?c%2f"}, ("/a", "/b?c%2f"), id="PATH_INFO with odd marks"),
        pytest.param({"PATH_INFO": "/a/b"}, ("/a", "/b"), id="a plain PATH_INFO"),
    ],
)
def test_what_servers_tell_of_the_target(script, environ, corridor, times):
    given = make_environ("/a//path info", without=["RAW_URI"], **environ)
    dispatcher = dispatcher_for(Alias("/a", script))

    answers = [call(dispatcher, given) for _ in range(times)]

    assert answers[-1].corridor == (200, script, *corridor)


@pytest.mark.parametrize(
    ("path", "mount_point"),
    [
        pytest.param("/a/b", "/m", id="below a mount point"),
        pytest.param("/a/b c", "/m", id="below a mount point, with a blank"),
        pytest.param("/a/b?c#d e%f", "", id="what a target would quote"),
        pytest.param("/a/\xd0\x94\xd0\xb0", "", id="bytes of letters"),
    ],
)
def test_servers_that_tell_no_target_are_answered_without_a_walk(
    script, monkeypatch, path, mount_point
):
    environ = make_environ(path, without=["RAW_URI"], PATH_INFO=path, script_name=mount_point)
    dispatcher = dispatcher_for(Alias("/a", script))
    call(dispatcher, environ)
    monkeypatch.setattr(Dispatcher, "walk", None)

    answers = [call(dispatcher, environ) for _ in range(20)]

    expected = (200, script, f"{mount_point}/a", path.removeprefix("/a"))
    assert [answer.corridor for answer in answers] == [expected] * 20


def test_empty_path_info_is_the_root(script):
    environ = make_environ("", without=["RAW_URI"], PATH_INFO="")

    answer = call(dispatcher_for(Alias("/", script)), environ)

    assert answer.corridor == (200, script, "", "/")


@pytest.mark.parametrize(
    ("target", "path_info"),
    [
        pytest.param("/a%42", "/aB", id="a percent sign"),
        pytest.param("/a?b", "/a", id="a question mark"),
    ],
)
def test_a_path_that_is_written_as_a_remembered_target_is_not_taken_for_it(
    script, target, path_info
):
    dispatcher = dispatcher_for(Alias("/", script))
    path = make_environ("", without=["RAW_URI"], PATH_INFO=target)

    answers = [ask_again(dispatcher, 40, target), call(dispatcher, path)]

    assert [answer.corridor for answer in answers] == [
        (200, script, "", path_info),
        (200, script, "", target),
    ]


def test_raw_target_tells_what_path_info_cannot(script):
    answer = get(dispatcher_for(Alias("/a", script)), "/a/%252F")

    assert answer.told["PATH_INFO"] == "/%2F"


@pytest.mark.parametrize(
    ("target", "host", "script_name"),
    [
        pytest.param("/x", "shop.example", "/x", id="by the Host header"),
        pytest.param("/x", "Shop.Example:8080", "/x", id="with a port, in capitals"),
        pytest.param("/x", "a.blog.example", "", id="by a wildcard"),
        pytest.param("/x", "other.example", None, id="another host"),
        pytest.param("http://shop.example/x", "other.example", "/x", id="by the absolute form"),
        pytest.param("http://other.example/x", "shop.example", None, id="which beats the header"),
        pytest.param("/both", "shop.example", "/both", id="the main table behind its own"),
    ],
)
@WAYS
def test_virtual_hosts(script, target, host, script_name, times):
    main = [Alias("/both", script)]
    hosts = {
        "shop.example": AliasTable([Alias("/x", script), *main]),
        ".blog.example": AliasTable([Alias("/", script), *main]),
    }
    dispatcher = Dispatcher(AliasTable(main, virtual_hosts=hosts), fallback)

    answers = [get(dispatcher, target, HTTP_HOST=host) for _ in range(times)]

    assert answers[-1].corridor[2] == script_name


def test_absolute_form(script):
    answer = get(dispatcher_for(Alias("/a", script)), "http://www.example/a/b?c")

    assert answer.corridor == (200, script, "/a", "/b")
    assert answer.told["QUERY_STRING"] == "c"


@pytest.mark.parametrize(
    ("server_name", "group"),
    [
        pytest.param(None, "127.0.0.1:8000", id="the server's"),
        pytest.param("www.example", "www.example:8000", id="the one given"),
    ],
)
def test_server_name_in_group_names(script, server_name, group):
    rules = Rules(application_group="%{SERVER}")
    dispatcher = dispatcher_for(Alias("/a", script), rules=rules, server_name=server_name)

    resolution = dispatcher.resolve(make_environ("/a", HTTP_HOST="client.example:8000"))

    assert resolution.application_group == group


def test_variables_in_group_names(script, monkeypatch):
    monkeypatch.setenv("WSGIMATCH_TEST_GROUP", "blue")
    dispatcher = dispatcher_for(
        Alias("/a", script, application_group="%{ENV:WSGIMATCH_TEST_GROUP}")
    )

    of_process = dispatcher.resolve(make_environ("/a"))
    of_request = dispatcher.resolve(make_environ("/a", WSGIMATCH_TEST_GROUP="green"))

    assert of_process.application_group == "blue"
    assert of_request.application_group == "green"


def test_groups_that_differ_by_request(script):
    """One request's group says nothing of the next one's."""
    alias = Alias("/a", script, process_group="%{ENV:GROUP}")
    dispatcher = dispatcher_for(alias)

    codes = [get(dispatcher, "/a", GROUP=group).code for group in ("", "", "", "blue", "")]

    assert codes == [200, 200, 200, 500, 200]


EXITS = """
import sys

def application(environ, start_response):
    sys.exit(environ["QUERY_STRING"])
"""


EXITS_IN_ITS_BODY = """
import sys

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"half"
    sys.exit(environ["QUERY_STRING"])
"""


@WAYS
@pytest.mark.parametrize(
    "source",
    [
        pytest.param(EXITS, id="when it is called"),
        pytest.param(EXITS_IN_ITS_BODY, id="in the middle of its body"),
    ],
)
def test_application_that_exits(tmp_path, times, source):
    path = write_scripts(tmp_path, "x.wsgi", source=source)
    dispatcher = dispatcher_for(Alias("/a", str(path)))

    for _ in range(times):
        with pytest.raises(ApplicationExit) as caught:
            get(dispatcher, "/a?3")

    assert str(caught.value) == f"SystemExit('3') raised by WSGI script '{path}' ignored."
    assert isinstance(caught.value.__cause__, SystemExit)


@WAYS
@pytest.mark.parametrize(
    ("source", "error"),
    [
        pytest.param("application = 1", TypeError, id="no callable"),
        pytest.param("def application(*request): 1 / 0", ZeroDivisionError, id="an exception"),
    ],
)
def test_application_that_fails_is_the_server_s_to_answer(tmp_path, source, error, times):
    path = write_scripts(tmp_path, "x.wsgi", source=source)
    dispatcher = dispatcher_for(Alias("/a", str(path)))

    for _ in range(times):
        with pytest.raises(error) as caught:
            get(dispatcher, "/a")

    assert caught.type is error


def test_application_that_is_none(tmp_path):
    path = write_scripts(tmp_path, "x.wsgi", source="application = None")
    dispatcher = dispatcher_for(Alias("/a", str(path)))

    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        get(dispatcher, "/a")


# An application that tells the version of its script.
VERSION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{}"]
"""


def write_version(path: str, source: str, seconds: int) -> None:
    """Put a version of a script in place at once, as a deployment does."""
    with open(f"{path}.new", "w") as file:
        file.write(source)
    os.utime(f"{path}.new", (seconds, seconds))
    os.replace(f"{path}.new", path)


@pytest.fixture
def versions(tmp_path):
    """Dispatchers' answers for a script that is written anew between the requests."""
    path = str(tmp_path / "v.wsgi")

    def answers(reloading, *sources):
        dispatcher = dispatcher_for(Alias("/v", path), reloading=reloading, reload_interval=0)
        said = []
        for seconds, source in enumerate(sources, 1_000_000_000):
            if source is None:
                os.unlink(path)
            else:
                write_version(path, source, seconds)
            said += [get(dispatcher, "/v") for _ in range(3)]
        return [answer.body if answer.code == 200 else answer.code for answer in said]

    return answers


@pytest.mark.parametrize(
    ("reloading", "sources", "said"),
    [
        pytest.param("safe", [VERSION.format(1), VERSION.format(2)], [b"1", b"2"], id="changed"),
        pytest.param(True, [VERSION.format(1), VERSION.format(2)], [b"1", b"2"], id="changed, on"),
        pytest.param(False, [VERSION.format(1), VERSION.format(2)], [b"1", b"1"], id="off"),
        pytest.param(
            "safe", [VERSION.format(1), "(", VERSION.format(3)], [b"1", b"1", b"3"], id="broken"
        ),
        pytest.param(
            True, [VERSION.format(1), "(", VERSION.format(3)], [b"1", 500, b"3"], id="broken, on"
        ),
        pytest.param("safe", [VERSION.format(1), ""], [b"1", b"1"], id="without callable"),
        pytest.param(True, [VERSION.format(1), ""], [b"1", 404], id="without callable, on"),
        pytest.param(
            "safe", [VERSION.format(1), None, VERSION.format(3)], [b"1", 404, b"3"], id="deleted"
        ),
        pytest.param(
            True, [VERSION.format(1), None, VERSION.format(3)], [b"1", 404, b"3"], id="deleted, on"
        ),
        pytest.param("safe", ["(", VERSION.format(2)], [500, b"2"], id="broken at first"),
    ],
)
def test_versions_of_a_script(versions, reloading, sources, said):
    found = versions(reloading, *sources)

    assert found == [answer for answer in said for _ in range(3)]


@WAYS
def test_changed_script_is_served_after_the_interval(tmp_path, monkeypatch, times):
    path = str(tmp_path / "v.wsgi")
    dispatcher = dispatcher_for(Alias("/v", path), reload_interval=10)
    write_version(path, VERSION.format(1), 1)
    ask_again(dispatcher, 2, "/v")
    write_version(path, VERSION.format(2), 2)

    within = ask_again(dispatcher, times, "/v").body
    later = monotonic() + 10
    monkeypatch.setattr("django_wsgimatch.dispatcher.monotonic", lambda: later)
    monkeypatch.setattr("django_wsgimatch.scripts.time.monotonic", lambda: later)
    after = ask_again(dispatcher, times, "/v").body

    assert (within, after) == (b"1", b"2")


def test_remembered_path_is_quick_again_after_a_reload(tmp_path, monkeypatch):
    path = str(tmp_path / "v.wsgi")
    dispatcher = dispatcher_for(Alias("/v", path), reload_interval=0)
    write_version(path, VERSION.format(1), 1)
    first = ask_again(dispatcher, 20, "/v").body
    write_version(path, VERSION.format(2), 2)
    second = ask_again(dispatcher, 20, "/v").body

    # The walk through the file system asks whether the script may be read; the short ways do not.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    third = get(dispatcher, "/v").body

    assert (first, second, third) == (b"1", b"2", b"2")


def test_reload_under_load_loses_no_request(tmp_path):
    path = str(tmp_path / "v.wsgi")
    write_version(path, VERSION.format("good"), 1)
    dispatcher = dispatcher_for(Alias("/v", path), reload_interval=0)
    get(dispatcher, "/v")
    done = threading.Event()

    def deploy():
        for seconds in count(2):
            write_version(path, "(" if seconds % 3 == 0 else VERSION.format("good"), seconds)
            if done.wait(0.001):
                break

    def ask(number):
        answer = get(dispatcher, f"/v/{number % 7}")
        return answer.code, answer.body

    with ThreadPoolExecutor(9) as threads:
        threads.submit(deploy)
        said = list(threads.map(ask, range(1000)))
        done.set()

    assert said == [(200, b"good")] * 1000


SLOW = (
    """
import time
from {test} import IMPORTS

IMPORTS.append(1)
time.sleep(0.2)
"""
    + TELL
)
IMPORTS: list[int] = []


def test_32_threads_load_a_script_once(tmp_path):
    path = write_scripts(tmp_path, "x.wsgi", source=SLOW.replace("{test}", __name__))
    dispatcher = dispatcher_for(Alias("/a", str(path)))
    IMPORTS.clear()
    start = threading.Barrier(32)

    def ask(_):
        start.wait()
        return get(dispatcher, "/a").code

    with ThreadPoolExecutor(32) as threads:
        codes = list(threads.map(ask, range(32)))

    assert codes == [200] * 32
    assert IMPORTS == [1]


def test_more_paths_than_are_remembered(script, monkeypatch):
    monkeypatch.setattr("django_wsgimatch.dispatcher.MOST_REMEMBERED", 4)
    dispatcher = dispatcher_for(Alias("/a", script))
    targets = [f"/a/{number}" for number in range(300)] * 2

    found = [get(dispatcher, target).corridor for target in targets]

    assert found == [(200, script, "/a", target[2:]) for target in targets]


def remembered(dispatcher: Dispatcher) -> list[str]:
    """All that a dispatcher remembers of targets and paths."""
    sites = dispatcher._sites.values()
    return [key for site in sites for key in site.remembered]


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param([f"/a/{number}" for number in range(500)], id="paths"),
        pytest.param([f"/a?{number}" for number in range(500)], id="queries"),
        pytest.param([f"/a/{number}?{number}" for number in range(500)], id="both"),
    ],
)
def test_what_is_remembered_is_bounded_for_all_hosts_together(script, monkeypatch, targets):
    monkeypatch.setattr("django_wsgimatch.dispatcher.MOST_REMEMBERED", 10)
    hosts = {f"h{number}": AliasTable([Alias("/a", script)]) for number in range(5)}
    dispatcher = Dispatcher(AliasTable([], virtual_hosts=hosts))

    codes = {
        get(dispatcher, target, HTTP_HOST=f"h{number % 5}").code
        for number, target in enumerate(targets * 3)
    }

    assert codes == {200}
    assert 0 < len(remembered(dispatcher)) <= 10


def test_a_target_that_comes_often_is_soon_remembered_again(script, monkeypatch):
    monkeypatch.setattr("django_wsgimatch.dispatcher.MOST_REMEMBERED", 10)
    dispatcher = dispatcher_for(Alias("/a", script))
    for number in range(2000):
        get(dispatcher, f"/a/{number}")

    for _ in range(2 * REMEMBERED_ONE_IN):
        get(dispatcher, "/a/often?q=1")

    assert "/a/often?q=1" in remembered(dispatcher)


@WAYS
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("a#b", id="a fragment"),
        pytest.param("a b", id="a blank"),
        pytest.param("a\x7f", id="a control character"),
    ],
)
def test_a_bad_query_of_a_path_that_is_remembered(script, times, query):
    dispatcher = dispatcher_for(Alias("/a", script))
    ask_again(dispatcher, 20, "/a")

    answer = ask_again(dispatcher, times, f"/a?{query}")

    assert answer.code == 400


def test_a_script_that_has_been_replaced_is_not_kept_in_memory(tmp_path):
    path = str(tmp_path / "v.wsgi")
    write_version(path, VERSION.format(1), 1)
    dispatcher = dispatcher_for(Alias("/v", path), reload_interval=0)
    targets = [f"/v/{number}" for number in range(100)]
    bodies = [get(dispatcher, target).body for target in targets]
    old = dispatcher.scripts.loaded[path]
    write_version(path, VERSION.format(2), 2)

    bodies += [get(dispatcher, target).body for target in targets]

    known = [known for site in dispatcher._sites.values() for known in site.remembered.values()]
    assert bodies == [b"1"] * 100 + [b"2"] * 100
    assert known
    assert not [each for each in known if each[0] is old]


def test_deleted_script_of_targets_with_queries(tmp_path):
    path = write_scripts(tmp_path, "x.wsgi")
    dispatcher = dispatcher_for(Alias("/a", str(path)), reload_interval=0)
    targets = [f"/a/b?{number % 3}" for number in range(100)]
    before = {get(dispatcher, target).code for target in targets}
    path.unlink()

    after = {get(dispatcher, target).code for target in targets}

    assert (before, after) == ({200}, {404})


def test_long_paths_are_answered_without_being_remembered(script):
    dispatcher = dispatcher_for(Alias("/a", script))
    target = "/a/" + "x" * 1000

    answers = [get(dispatcher, target).corridor for _ in range(3)]

    assert answers == [(200, script, "/a", target[2:])] * 3


LITERAL: dict[str, Any] = {"process_group": "%{GLOBAL}", "application_group": "%{GLOBAL}"}
COUNT = f"from {__name__} import loads\nloads.append(__file__)\n{TELL}"
loads: list[str] = []


@pytest.mark.parametrize(
    ("kind", "target", "groups", "loaded"),
    [
        pytest.param("plain", "x.wsgi", LITERAL, ["x.wsgi"], id="both groups given"),
        pytest.param("match", "x.wsgi", LITERAL, ["x.wsgi"], id="a match alias"),
        pytest.param("plain", "$1.wsgi", LITERAL, ["$1.wsgi"], id="a dollar in a plain target"),
        pytest.param("match", "$1.wsgi", LITERAL, [], id="a dollar in a match target"),
        pytest.param("plain", "x.wsgi", {}, [], id="no group"),
        pytest.param(
            "plain", "x.wsgi", {"process_group": "%{GLOBAL}"}, [], id="one group of the two"
        ),
        pytest.param(
            "plain", "x.wsgi", {**LITERAL, "application_group": "%{SERVER}"}, [], id="by request"
        ),
    ],
)
def test_preload(tmp_path, kind, target, groups, loaded):
    loads.clear()
    write_scripts(tmp_path, "x.wsgi", "$1.wsgi", source=COUNT)
    alias = Alias("/a", target, kind, **groups)

    dispatcher_for(alias, rules=Rules(base_directory=str(tmp_path))).preload()

    assert loads == [f"{tmp_path}/{name}" for name in loaded]


def test_preload_loads_a_script_once_for_all_hosts(tmp_path):
    loads.clear()
    path = str(write_scripts(tmp_path, "x.wsgi", source=COUNT))
    aliases = [Alias("/a", path, **LITERAL), Alias("/b", path, **LITERAL)]
    table = AliasTable(aliases, virtual_hosts={"shop.example": AliasTable(aliases)})
    dispatcher = Dispatcher(table)

    dispatcher.preload()
    answer = get(dispatcher, "/a")

    assert (loads, answer.code) == ([path], 200)


def test_preload_of_virtual_hosts(tmp_path):
    loads.clear()
    path = str(write_scripts(tmp_path, "x.wsgi", source=COUNT))
    hosts = {"shop.example": AliasTable([Alias("/a", path, **LITERAL)])}

    Dispatcher(AliasTable([], virtual_hosts=hosts)).preload()

    assert loads == [path]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param(
            "none.wsgi", "Target WSGI script not found or unable to stat: {}", id="missing"
        ),
        pytest.param(
            "dir", "Target WSGI script '{}' cannot be loaded as Python module.", id="a directory"
        ),
        pytest.param(
            "x.wsgi/tail", "Target WSGI script not found or unable to stat: {}", id="with a tail"
        ),
        pytest.param(
            "\0", "Target WSGI script not found or unable to stat: {}", id="no name of a file"
        ),
    ],
)
def test_preload_that_fails_is_logged(tmp_path, script, caplog, target, message):
    (tmp_path / "dir").mkdir()
    dispatcher = dispatcher_for(Alias("/a", f"{tmp_path}/{target}", **LITERAL))

    dispatcher.preload()

    assert caplog.messages == [message.format(f"{tmp_path}/{target}")]


def test_preload_keeps_to_the_roots(tmp_path, caplog):
    """What would be refused when asked for must not run unasked."""
    loads.clear()
    path = write_scripts(tmp_path, "outside/x.wsgi", source=COUNT)
    rules = Rules(roots=(f"{tmp_path}/inside",))

    dispatcher_for(Alias("/a", str(path), **LITERAL), rules=rules).preload()

    assert loads == []
    assert caplog.messages == [f"Target WSGI script is outside WSGIMATCH_ROOTS: {path}"]


@WAYS
def test_capture_that_leads_out_of_the_roots(tmp_path, times):
    write_scripts(tmp_path, "in/x.wsgi", "secret.wsgi")
    rules = Rules(roots=(f"{tmp_path}/in",))
    dispatcher = dispatcher_for(Alias("^/a([^/])?", f"{tmp_path}/in/.$1", "match"), rules=rules)

    targets = ("/a/x.wsgi", "/a./secret.wsgi", "/a./in/x.wsgi")
    answers = [ask_again(dispatcher, times, target) for target in targets]

    assert [answer.code for answer in answers] == [200, 403, 200]


@WAYS
@pytest.mark.parametrize(
    ("host", "target", "code"),
    [
        pytest.param("a.example:8000", "/a", 200, id="a good host"),
        pytest.param("x,y", "/a", 400, id="two hosts"),
        pytest.param("a.example:65536", "/a", 400, id="no port"),
        pytest.param("a|/b", "/none", 400, id="where the fallback would answer"),
        pytest.param("x,y", "/a%00", 400, id="before what is wrong with the target"),
        pytest.param("", "/a", 400, id="nothing"),
        pytest.param("x,y", "http://a.example/a", 200, id="not looked at: the target has a host"),
        pytest.param("x,y", "https://a.example/a", 400, id="another scheme's host does not count"),
        pytest.param("a.example", "http://x,y/a", 400, id="a target with a bad host"),
        pytest.param("a.example", "http://a:65536/a", 400, id="a target with a bad port"),
    ],
)
def test_hosts(script, times, host, target, code):
    dispatcher = dispatcher_for(Alias("/a", script))
    ask_again(dispatcher, 20, "/a")

    assert ask_again(dispatcher, times, target, HTTP_HOST=host).code == code


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        pytest.param("HTTP/1.1", 400, id="1.1"),
        pytest.param("HTTP/1.0", 200, id="1.0"),
        pytest.param("HTTP/2", 200, id="2, where servers may not tell it"),
    ],
)
def test_no_host(script, protocol, code):
    dispatcher = dispatcher_for(Alias("/a", script))
    environ = {"SERVER_PROTOCOL": protocol, "without": ["HTTP_HOST"]}

    assert [get(dispatcher, "/a", **environ).code for _ in range(3)] == [code] * 3


@WAYS
def test_the_host_of_a_target_is_the_host(script, times):
    dispatcher = dispatcher_for(Alias("/a", script))
    target = "http://b.example:81/a"

    told = ask_again(dispatcher, times, target, HTTP_HOST="a.example").told

    assert told["HTTP_HOST"] == "b.example:81"


def test_hosts_are_remembered_up_to_a_number(script):
    dispatcher = dispatcher_for(Alias("/a", script))

    codes = {get(dispatcher, "/a", HTTP_HOST=f"a{number}").code for number in range(3000)}

    assert codes == {200}
    assert len(dispatcher._hosts) <= 1024


def test_refusals_are_logged_once_in_a_while(script, caplog):
    class Full:
        """Places without room."""

        def relay(self, place, environ, start_response):
            raise DaemonError(503, "no room")

    alias = Alias("/a", script, process_group="blue")
    dispatcher = dispatcher_for(alias, rules=Rules(process_groups=["blue"]), places=Full())

    with caplog.at_level(logging.ERROR):
        answers = [get(dispatcher, "/a") for _ in range(5)]

    assert [answer.code for answer in answers] == [503] * 5
    assert [record.getMessage() for record in caplog.records] == ["blue: no room"]
