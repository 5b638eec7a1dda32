"""Trees of scripts on disk, from the short form that the corpus and the generators use."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict


class TreeEntry(TypedDict, total=False):
    """One file, told in full; text is latin-1 and ``{ROOT}`` stands for the tree's directory."""

    path: str
    text: str
    to: str
    dir: bool
    fifo: bool
    mode: str
    owner: int


# "a/b.wsgi" is a script, "a/" a directory and "a -> b" a symlink.
TreeItem = str | TreeEntry

# What a script holds unless its entry says otherwise: it answers with what it was given.
PROBE = """\
import json

def answer(callable_object):
    def application(environ, start_response):
        said = {name: environ.get(name) for name in
                ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_AUTHORIZATION")}
        said |= {"file": __file__, "callable": callable_object}
        body = json.dumps(said).encode("ascii")
        start_response("200 OK", [("Content-Type", "application/json"),
                                  ("Content-Length", str(len(body)))])
        return [body]
    return application

application = answer("application")
handler = answer("handler")
app2 = answer("app2")
"""
CALLABLE_OBJECTS = ("application", "handler", "app2")


@contextmanager
def open_directory() -> Iterator[Path]:
    """A temporary directory that other users may enter, as the one Apache runs as must."""
    directory = Path(tempfile.mkdtemp(prefix="wsgimatch")).resolve()
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        remove_tree(directory)


def remove_tree(directory: Path) -> None:
    """Remove ``directory``, shut directories in it as well."""
    for path, _, _ in os.walk(directory):
        os.chmod(path, 0o700)
    shutil.rmtree(directory)


def build_tree(root: Path, items: Sequence[TreeItem]) -> None:
    """Create ``items`` below ``root``; modes come last, so that a directory may be shut."""
    entries = [tree_entry(item) for item in items]
    root.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        build_entry(root, entry)
    for entry in entries:
        if "mode" in entry:
            os.chmod(path_below(root, entry["path"]), int(entry["mode"], 8))


def tree_entry(item: TreeItem) -> TreeEntry:
    if not isinstance(item, str):
        return item
    if " -> " in item:
        path, to = item.split(" -> ")
        return {"path": path, "to": to}
    if item.endswith("/"):
        return {"path": item[:-1], "dir": True}
    return {"path": item}


def path_below(root: Path, path: str) -> bytes:
    return os.path.join(os.fsencode(root), path.encode("latin-1"))


def build_entry(root: Path, entry: TreeEntry) -> None:
    path = path_below(root, entry["path"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if "to" in entry:
        os.symlink(entry["to"].replace("{ROOT}", str(root)).encode("latin-1"), path)
    elif entry.get("dir"):
        os.makedirs(path, exist_ok=True)
    elif entry.get("fifo"):
        os.mkfifo(path)
    else:
        with open(path, "wb") as file:
            file.write(entry.get("text", PROBE).replace("{ROOT}", str(root)).encode("latin-1"))
    if "owner" in entry:
        os.chown(path, entry["owner"], entry["owner"], follow_symlinks=False)
