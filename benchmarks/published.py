"""
What published figures are figures of: the commit, and the code that they speak of.

A benchmark speaks of a few files, those whose changes move its figures. ``code_of()`` is a digest
of their lines of code: a comment or a docstring changes nothing, nor does a new commit elsewhere.
``tests/docs/test_published_figures.py`` compares it with the published one.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.code_lines import code_lines

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "django_wsgimatch"
INDEX = ("aliases/index", "aliases/table.py")
DISPATCH = ("dispatcher.py", "plans", *INDEX)
HOP = (
    *("daemon/front/kept_connections.py", "daemon/front/link.py", "daemon/front/relay.py"),
    *("daemon/front/reply.py", "daemon/group/worker/loading.py"),
    *("daemon/group/worker/serving.py", "daemon/group/worker/threads.py"),
    *("daemon/wire/protocol.py", "daemon/wire/wire.py"),
)
# By the name of the published file: what its benchmark speaks of, in the package.
FILES = {
    "index": INDEX,
    "dispatch": DISPATCH,
    "sites": (*DISPATCH, "aliases/hosts"),
    "site_servers": (*DISPATCH, "aliases/hosts", *HOP),
    "servers": DISPATCH,
    "checks": ("doctor/uris", "doctor/table/order.py"),
    "imports": (
        *("apache/lines", "apache/reading", "apache/access", "apache/rewriting"),
        "apache/resolving",
    ),
    "groups": (*HOP, "daemon/front/gate.py"),
    "files": ("answers/files", "whole_files.py"),
    "fleet": (
        *("daemon/group/arbiter.py", "daemon/group/forking.py", "daemon/group/shared.py"),
        *("daemon/group/warm.py", "daemon/manager/starting.py", "daemon/manager/admission.py"),
    ),
}


def measured_of(name: str) -> dict[str, str]:
    """Return what the figures of a benchmark that runs now are figures of."""
    return {
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "code": code_of(name),
    }


def code_of(name: str) -> str:
    """Return a digest of the code that a benchmark speaks of."""
    digest = hashlib.sha256()
    for path in _paths(name):
        source = path.read_text()
        lines = source.splitlines()
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        for number in sorted(code_lines(source)):
            digest.update(lines[number - 1].encode() + b"\n")
    return digest.hexdigest()[:16]


def _paths(name: str) -> Iterator[Path]:
    for each in FILES[name]:
        path = PACKAGE / each
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def commit() -> str:
    """Return the commit of the checkout, with what has changed since; "" outside one."""
    try:
        found = _git("rev-parse", "--short=9", "HEAD")
        is_changed = _git("status", "--porcelain", "django_wsgimatch", "benchmarks")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{found} and changes" if is_changed else found


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
