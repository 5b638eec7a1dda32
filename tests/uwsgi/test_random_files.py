"""Random folders that uWSGI sends files of first, beside uWSGI itself: who answers."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from django_wsgimatch.uwsgi.importing import import_uwsgi
from tests.support.others.imported_sites import ask_all, served, told_of, write_site
from tests.support.servers import UWSGI, environment, running
from tests.support.trees import open_directory

SITES = int(os.environ.get("WSGIMATCH_UWSGI_SITES", "3"))
URIS = 80
_NAMES = ("a.css", "b.css", "d/a.css", "d/i.html", "i.html", "e/x.txt", "a b.txt", "d/e/i.html")
FILES = {
    **{
        f"{folder}/{name}": f"the file {folder}/{name}"
        for number, folder in enumerate(("one", "two", "three"))
        for place, name in enumerate(_NAMES)
        if (number + place) % 3
    },
    **{f"{name}.py": "" for name in ("shop", "front")},
}


def random_lines(random: Random) -> str:
    """An ini file with folders for all URLs, and several for the same."""
    lines = [f"check-static = {{ROOT}}/{random.choice(['one', 'two'])}"] * random.randint(0, 1)
    lines += [f"static-map = /={{ROOT}}/{random.choice(['two', 'three'])}"] * random.randint(0, 1)
    lines += random.choice([[], ["static-map = /s={ROOT}/one", "static-map = /s={ROOT}/three"]])
    lines += random.choice(
        [[], ["static-index = i.html"], ["static-index = none", "static-index = i.html"]]
    )
    lines += random.choice([[], ["mount = /shop=shop.py", "manage-script-name = 1"]])
    random.shuffle(lines)
    return "\n".join(["[uwsgi]", "chdir = {ROOT}", "module = front", *lines, ""])


def random_uri(random: Random) -> str:
    name = random.choice([*_NAMES, "", "d", "d/", "e/", "none", "d/none"]).replace(" ", "%20")
    uri = random.choice(["", "", "/s", "/shop"]) + f"/{name}"
    if uri.endswith(("/d", "/e", "/s", "/shop")):
        # uWSGI sends the index of a folder at once, and does not redirect to the slash.
        uri += "/"
    return uri + random.choice(["", "", "?x=y", "x"])


@pytest.mark.skipif(not Path(UWSGI[0]).exists(), reason="needs pyuwsgi")
def test_random_folders_of_files_are_sent_as_uwsgi_does():
    random = Random(os.environ.get("WSGIMATCH_UWSGI_SEED", "files"))
    different, answered = [], set()
    for _ in range(SITES):
        lines = random_lines(random)
        uris = [random_uri(random) for _ in range(URIS)]
        with open_directory() as folder:
            write_site(folder, {**FILES, "site.ini": lines})
            theirs = _asked(folder, uris)
            with served(import_uwsgi([str(folder / "site.ini")], {}), folder) as application:
                ours = ask_all(application, uris)
        different += [(u, ours[u], theirs[u], lines) for u in uris if ours[u] != theirs[u]]
        answered |= {type(each) for each in ours.values()}

    assert different == []
    assert answered == {list, str}


def _asked(folder, uris):
    with running([*UWSGI, "--ini", "site.ini"], folder, environment(None)) as server:
        answers = {uri: server.get(uri.encode()) for uri in uris}
    return {uri: told_of(each.status, None, each.body) for uri, each in answers.items()}
