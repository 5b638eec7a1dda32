"""Random mounts beside uWSGI itself: who answers, and with which SCRIPT_NAME and PATH_INFO."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from django_wsgimatch.uwsgi.importing import import_uwsgi
from tests.support.others.imported_sites import ask_all, served, told_of, write_site
from tests.support.servers import UWSGI, environment, running
from tests.support.trees import open_directory

SITES = int(os.environ.get("WSGIMATCH_UWSGI_SITES", "4"))
URIS = 60
_NAMES = ("a", "b", "ab", "a.b", "c d")
_TARGETS = ("shop.py", "wiki:other", "front:create()", "{ROOT}/wiki.py", "shop:application")
FILES = {f"{name}.py": "" for name in ("shop", "wiki", "front")}


def random_lines(random: Random) -> str:
    """An ini file with mounts, in any order, and with what else decides which of them answers."""
    lines = ["[uwsgi]", "chdir = {ROOT}"]
    mounts = {_path(random, 1, 3) for _ in range(random.randint(0, 5))} - {"/"}
    lines += [f"mount = {mount}={random.choice(_TARGETS)}" for mount in sorted(mounts)]
    lines += random.choice([[], ["module = front"], ["wsgi-file = wiki.py"], ["mount = /=shop.py"]])
    lines += random.choice([[], ["callable = other"], ["single-interpreter = 1"]])
    if random.random() < 0.8:
        lines.append("manage-script-name = true")
    if not any(line.startswith(("mount", "module", "wsgi-file")) for line in lines):
        lines.append("module = shop")
    head, rest = lines[:2], lines[2:]
    random.shuffle(rest)
    return "\n".join([*head, *rest, ""])


def random_path(random: Random) -> str:
    """A path, which may be spelt oddly."""
    path = _path(random, 0, 4).replace(" ", "%20") + random.choice(["", "", "/"])
    if random.random() < 0.2:
        path = path.replace("a", "%61", 1)
    if random.random() < 0.1:
        path = path.replace("/", "/x/../", 1)
    return path.replace("//", "/")


def _path(random: Random, least: int, most: int) -> str:
    parts = [random.choice(_NAMES) for _ in range(random.randint(least, most))]
    return f"/{'/'.join(parts)}"


@pytest.mark.skipif(not Path(UWSGI[0]).exists(), reason="needs pyuwsgi")
def test_random_mounts_are_answered_as_uwsgi_does():
    random = Random(os.environ.get("WSGIMATCH_UWSGI_SEED", "mounts"))
    different = []
    for _ in range(SITES):
        lines = random_lines(random)
        paths = [random_path(random) for _ in range(URIS)]
        with open_directory() as folder:
            write_site(folder, {**FILES, "site.ini": lines})
            theirs = _asked(folder, paths)
            with served(import_uwsgi([str(folder / "site.ini")], {}), folder) as dispatcher:
                ours = ask_all(dispatcher, paths)
        different += [(p, ours[p], theirs[p], lines) for p in paths if ours[p] != theirs[p]]

    assert different == []


def _asked(folder, paths):
    with running([*UWSGI, "--ini", "site.ini"], folder, environment(None)) as server:
        answers = {path: server.get(path.encode()) for path in paths}
    return {path: told_of(each.status, None, each.body) for path, each in answers.items()}
