"""
What the code takes from gunicorn and Django without a promise of theirs, each by its name.

A release that changes one of them fails here, with its name, before it fails anywhere else.
"""

from __future__ import annotations

import ast
import io
import os
import socket
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management.base import OutputWrapper
from django.template import autoreload as template_autoreload
from django.urls import get_resolver
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV

from django_wsgimatch.daemon.front.patience import _reader
from django_wsgimatch.daemon.servers.owner import RELOADED
from django_wsgimatch.gunicorn import REFUSED

BaseApplication: Any = import_module("gunicorn.app.base").BaseApplication
Arbiter: Any = import_module("gunicorn.arbiter").Arbiter
Config: Any = import_module("gunicorn.config").Config
HaltServer: Any = import_module("gunicorn.errors").HaltServer
Logger: Any = import_module("gunicorn.glogging").Logger
RequestParser: Any = import_module("gunicorn.http.parser").RequestParser
Response: Any = import_module("gunicorn.http.wsgi").Response
Worker: Any = import_module("gunicorn.workers.base").Worker
ThreadWorker: Any = import_module("gunicorn.workers.gthread").ThreadWorker

PACKAGE = Path(__file__).resolve().parents[2] / "django_wsgimatch"

# Private names of others that the package uses, with whose they are.
PRIVATE = {
    "_out": "Django's OutputWrapper",
    "_exit": "os",
    "_current_frames": "sys",
    "_getframe": "sys",
    "_TemporaryFileWrapper": "tempfile",
}

# What gunicorn.py and server/ put in the place of an arbiter's own.
REPLACED = {
    *("handle_hup", "handle_term", "maybe_promote_master", "stop", "worker_class"),
    *("reload", "manage_workers", "reap_workers"),
}
ARBITER_S_METHODS = {
    *(REPLACED - {"worker_class"}),
    *("halt", "handle_usr2", "handle_winch", "kill_worker", "kill_workers", "murder_workers"),
    *("run", "spawn_worker", "start"),
}
ARBITER_S_ATTRIBUTES = {
    *("LISTENERS", "WORKERS", "cfg", "log", "num_workers", "systemd", "timeout"),
    *("worker_age", "worker_class"),
}
WORKER_S_METHODS = {"init_process", "init_signals", "load_wsgi", "notify", "run"}
WORKER_S_ATTRIBUTES = {"PIPE", "age", "alive", "app", "log", "ppid", "tmp"}


def trees() -> Iterator[ast.Module]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield ast.parse(path.read_bytes())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_every_private_name_of_others_is_listed():
    used: set[str] = set()
    own: set[str] = set()
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                is_stored = isinstance(node.ctx, ast.Store)
                (own if is_stored else used).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                own.add(node.target.id)

    assert {name for name in used - own if is_private(name)} == {*PRIVATE}


def test_everything_that_is_put_in_place_of_an_arbiter_s_own_is_listed():
    assigned = {
        target.attr
        for name in ("gunicorn.py", "server/worker_renewal.py")
        for node in ast.walk(ast.parse((PACKAGE / name).read_bytes()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) in SERVERS
    }

    assert {name for name in assigned if not name.startswith("wsgimatch_")} == REPLACED


SERVERS = ("server", "self._server")


# gunicorn's arbiter


class Log:
    """A logger in place of gunicorn's, which would take the handlers of the tests' away."""

    error_log: ClassVar[None] = None

    def __init__(self, cfg: Any) -> None:
        self.said: list[str] = []

    def debug(self, text: str, *values: object, **options: object) -> None:
        self.said.append(text)

    info = warning = error = critical = debug


@pytest.fixture
def application():
    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self):
            self.cfg.set("logger_class", Log)
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("control_socket_disable", True)

        def load(self):
            return None

    return Application(prog="tests")


@pytest.fixture
def arbiter(application, monkeypatch):
    # gunicorn gives it on to the program that takes its place at USR2.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return Arbiter(application)


@pytest.mark.parametrize("name", sorted(ARBITER_S_METHODS))
def test_gunicorn_s_arbiter_has_the_method(name):
    assert callable(getattr(Arbiter, name, None))


@pytest.mark.parametrize("name", sorted(ARBITER_S_ATTRIBUTES))
def test_gunicorn_s_arbiter_has_the_attribute(arbiter, name):
    assert hasattr(arbiter, name)


@pytest.mark.parametrize("preloads", [True, False])
def test_gunicorn_s_arbiter_asks_its_application_where_it_preloads(application, preloads):
    asked = []
    application.cfg.set("preload_app", preloads)
    application.wsgi = lambda: asked.append("wsgi")

    made = Arbiter(application)

    assert made.app is application
    assert asked == ["wsgi"] * preloads


def test_gunicorn_s_arbiter_knows_its_pid_once_it_starts():
    assert "pid" in Arbiter.start.__code__.co_names


def test_gunicorn_s_loop_ends_where_maybe_promote_master_raises_stop_iteration(
    arbiter, monkeypatch
):
    called = []
    monkeypatch.setattr("gunicorn.util._setproctitle", lambda title: None)
    for name in ("start", "manage_workers", "halt"):
        monkeypatch.setattr(arbiter, name, lambda name=name: called.append(name))
    monkeypatch.setattr(arbiter, "maybe_promote_master", lambda: next(iter(())))

    arbiter.run()

    assert called == ["start", "manage_workers", "halt"]


def test_gunicorn_s_arbiter_calls_what_stands_in_place_of_its_handlers(arbiter, monkeypatch):
    called = []
    monkeypatch.setattr("gunicorn.util._setproctitle", lambda title: None)
    for name in ("start", "manage_workers", "murder_workers", "halt"):
        monkeypatch.setattr(arbiter, name, lambda: None)
    turns = iter([None])
    monkeypatch.setattr(arbiter, "maybe_promote_master", lambda: next(turns))
    monkeypatch.setattr(arbiter, "handle_hup", lambda: called.append("handle_hup"))
    arbiter.SIG_QUEUE.put_nowait(arbiter_s_hup(arbiter))

    arbiter.run()

    assert called == ["handle_hup"]


def arbiter_s_hup(arbiter: Any) -> Any:
    return next(number for number, name in arbiter.SIG_NAMES.items() if name == "hup")


def test_gunicorn_s_status_of_a_worker_that_does_not_start_is_ours():
    assert Arbiter.WORKER_BOOT_ERROR == REFUSED


def test_gunicorn_s_halt_server_has_reason_and_exit_status():
    error = HaltServer("full", 7)

    assert (error.reason, error.exit_status) == ("full", 7)


# gunicorn's workers


def worker_of(application: Any, kind: type[Any]) -> Any:
    cfg = application.cfg
    return kind(1, os.getpid(), [], application, 30, cfg, cfg.logger_class(cfg))


@pytest.mark.parametrize("name", sorted(WORKER_S_METHODS))
def test_gunicorn_s_worker_has_the_method(name):
    assert callable(getattr(Worker, name, None))


@pytest.mark.parametrize("name", sorted(WORKER_S_ATTRIBUTES))
def test_gunicorn_s_worker_has_the_attribute(application, name):
    worker = worker_of(application, Worker)

    assert hasattr(worker, name)
    worker.tmp.close()


def test_gunicorn_s_worker_has_the_time_of_day_in_its_file_until_it_is_at_work(application):
    worker = worker_of(application, Worker)
    before = worker.tmp.last_update()
    worker.notify()

    assert before > time.monotonic() >= worker.tmp.last_update()
    worker.tmp.close()


@pytest.mark.parametrize("name", ["accept", "nr_conns", "set_accept_enabled", "sockets"])
def test_gunicorn_s_threaded_worker_has_what_closes_its_port(application, name):
    worker = worker_of(application, ThreadWorker)

    assert hasattr(worker, name)
    worker.tmp.close()


def test_gunicorn_s_threaded_worker_tells_how_many_threads_it_has(application):
    worker = worker_of(application, ThreadWorker)

    assert type(worker).__name__ == "ThreadWorker"
    assert (worker.cfg.threads, worker.worker_connections) == (1, 1000)
    worker.tmp.close()


# gunicorn's requests, settings and logs


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param(b"Content-Length: 4\r\n\r\nbody", id="with a length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", id="chunked"),
    ],
)
def test_gunicorn_s_request_body_leads_to_the_client_s_socket(framing):
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing)
        request = next(RequestParser(Config(), server, ("127.0.0.1", 1)))
        reader = _reader({"wsgi.input": request.body, "gunicorn.socket": server})

        assert reader.sock is server


def test_gunicorn_s_start_response_leads_to_a_response_that_closes_the_connection():
    assert callable(Response.force_close)
    assert callable(Response.start_response)


def test_gunicorn_s_settings_tell_their_values_and_defaults():
    names = ["bind", "logger_class", "reload", "reload_extra_files", "worker_tmp_dir", "user"]
    names += ["control_socket", "control_socket_disable"]
    settings = Config().settings

    assert [settings[name].get() == settings[name].default for name in names] == [True] * len(names)


def test_gunicorn_s_logger_tells_the_time_of_its_access_log_itself():
    assert callable(Logger.now)
    assert callable(Logger.setup)


# Django


def test_django_s_output_wrapper_has_the_stream_that_it_wraps():
    stream: Any = io.StringIO()
    wrapper: Any = OutputWrapper(stream)

    assert wrapper._out is stream


def test_django_s_template_loaders_can_be_told_to_forget():
    assert callable(template_autoreload.reset_loaders)


def test_django_s_autoreloader_names_its_process_in_the_environment():
    assert DJANGO_AUTORELOAD_ENV == RELOADED


@pytest.mark.parametrize("name", ["reverse_dict", "url_patterns"])
def test_django_s_resolver_has_the_attribute(name):
    assert hasattr(get_resolver(), name)
