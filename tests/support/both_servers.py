"""One site under Apache and mod_wsgi, and under gunicorn: what ``compare`` is made for."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.support.oracle import (
    APACHE,
    HOW_TO_INSTALL,
    INSTALLED,
    end_session,
    free_port,
    small_configuration,
)
from tests.support.servers import PYTHON, environment, listens, start, stop, wait_for


@functools.lru_cache
def why_not() -> str:
    """Why the same project cannot run under Apache here, "" where it can."""
    if not INSTALLED:
        return HOW_TO_INSTALL
    done = subprocess.run(
        ["/usr/bin/python3", "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stdout.split() != [str(number) for number in sys.version_info[:2]]:
        return "mod_wsgi has another Python than the tests"
    return ""


needs_apache = pytest.mark.skipif(bool(why_not()), reason=why_not())


@contextmanager
def apache(directory: Path, lines: str, distributions: Iterable[str]) -> Iterator[str]:
    """
    Serve a site with Apache and mod_wsgi; the address.

    ``lines`` may name ``{directory}`` and ``{packages}``, where the distributions lie.
    """
    port, packages = free_port(), directory / "packages"
    copy_distributions(distributions, packages)
    own = f'WSGISocketPrefix "{directory}/wsgi"\n'
    own += lines.format(directory=directory, packages=packages)
    (directory / "httpd.conf").write_text(small_configuration(directory, port) + own)
    process = subprocess.Popen(
        [str(APACHE), "-D", "FOREGROUND", "-f", str(directory / "httpd.conf")],
        start_new_session=True,
        env=environment(None),
    )
    try:
        wait_for(process, directory / "error.log", lambda: listens(("127.0.0.1", port)))
        yield f"http://127.0.0.1:{port}"
    finally:
        end_session(process)


@contextmanager
def gunicorn(
    directory: Path,
    settings: str = "own.settings",
    port: int = 0,
    socket: Path | None = None,
    words: Sequence[str] = (),
) -> Iterator[str]:
    """
    Serve the same site with gunicorn and this package; the address.

    At a port, a free one by default, or at a ``socket`` that every user may connect to. ``words``
    are options of gunicorn's.
    """
    port, log = port or free_port(), directory / "gunicorn.log"
    at = f"127.0.0.1:{port}" if socket is None else f"unix:{socket}"
    bind = ["--no-control-socket", "--threads", "4", "--umask", "0", "--bind", at, *words]
    environ = environment(settings)
    environ["PYTHONPATH"] += f":{directory}"
    process = start(
        [*PYTHON, "-m", "gunicorn", *bind, "django_wsgimatch.wsgi"], directory, log, environ
    )
    try:
        wait_for(process, log, lambda: listens(socket or ("127.0.0.1", port)))
        yield f"http://{at}" if socket is None else at
    finally:
        stop(process)


def copy_distributions(names: Iterable[str], to: Path) -> None:
    """
    Copy distributions and what they require.

    Apache's user need not be able to read where the tests' Python lies.
    """
    found: dict[str, Distribution] = {}
    for name in names:
        _add_required(name, found)
    for each in found.values():
        parts = {file.parts[0] for file in each.files or () if ".." not in file.parts}
        for part in parts:
            source = Path(str(each.locate_file(part)))
            if source.is_dir():
                ignored = shutil.ignore_patterns("*.po", "*.pyc")
                shutil.copytree(source, to / part, ignore=ignored, dirs_exist_ok=True)


def _add_required(name: str, found: dict[str, Distribution]) -> None:
    try:
        found[name] = distribution(name)
    except PackageNotFoundError:
        return
    for requirement in found[name].requires or ():
        required = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        if "extra ==" not in requirement and required not in found:
            _add_required(required, found)
