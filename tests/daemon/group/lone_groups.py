"""A process group that is run alone, as systemd or somebody at a terminal starts it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import PYTHON, environment, stop

SOCKET_ACTIVATE = shutil.which("systemd-socket-activate")
needs_socket_activation = pytest.mark.skipif(
    SOCKET_ACTIVATE is None, reason="systemd-socket-activate is not installed"
)
COMMAND = [*PYTHON, "-m", "django", "wsgimatch", "serve", "--process-group"]


# Runs a command as systemd does: with a socket as descriptor 3, and variables that say so.
HAND_OVER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); "
    "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def activated(
    listen: Sequence[str], command: Sequence[str], environ: Mapping[str, str]
) -> list[str]:
    """The words that let systemd's own tool listen, and start a command at a connection."""
    passed = [word for name in environ for word in ("-E", name)]
    return [str(SOCKET_ACTIVATE), *passed, *listen, *command]


@contextmanager
def lone_group(
    project: Path,
    *words: str,
    listen: Sequence[str] = (),
    kept: socket.socket | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Start ``serve --process-group``; what it says goes to ``group.log``.

    It is started at once, with ``kept`` as its socket; with ``listen``, systemd's own tool starts
    it at the first connection.
    """
    variables = environment("settings", PYTHONDONTWRITEBYTECODE="1") | dict(environ or {})
    command = [*COMMAND, *words]
    if listen:
        command = activated(listen, command, variables)
    if kept is not None:
        command = [*PYTHON, "-c", HAND_OVER, str(kept.fileno()), *command]
    with (project / "group.log").open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=project,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[kept.fileno()] if kept is not None else [],
        )
    try:
        yield process
    finally:
        stop(process)


def refused(
    project: Path, *words: str, environ: Mapping[str, str] | None = None, module: str = "django"
) -> tuple[int, str]:
    """Start ``serve`` where it cannot work; return its status and all that it said."""
    command = [*PYTHON, "-m", module, *(["wsgimatch"] if module == "django" else []), "serve"]
    done = subprocess.run(
        [*command, *words],
        cwd=project,
        env=environment("settings") | dict(environ or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr
