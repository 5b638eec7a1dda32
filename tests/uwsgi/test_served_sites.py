"""Sites that uWSGI serves, imported: the same application, SCRIPT_NAME and PATH_INFO."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from django_wsgimatch.uwsgi.importing import import_uwsgi
from tests.support.others.imported_sites import ask_all, served, told_of, write_site
from tests.support.servers import UWSGI, environment, running
from tests.uwsgi.sites import SITES, UwsgiSite

EACH = pytest.mark.parametrize("site", [pytest.param(s, id=name) for name, s in SITES.items()])
ASKED = [pytest.param(s, id=name) for name, s in SITES.items() if s.runs]


def answers_of(site: UwsgiSite, folder: Path) -> dict[str, object]:
    """What uWSGI answers; FOLDER is what ``%c`` stands for."""
    fill = folder.name
    return {
        target.replace("FOLDER", fill): (
            [each.replace("FOLDER", fill) for each in told] if isinstance(told, list) else told
        )
        for target, told in site.answers.items()
    }


@EACH
def test_an_imported_site_answers_as_uwsgi_does(site, tmp_path):
    folder = write_site(tmp_path, site.files)
    expected = answers_of(site, folder)

    imported = import_uwsgi([str(folder / site.given)], {**os.environ, **(site.environ or {})})

    with served(imported, folder) as dispatcher:
        assert ask_all(dispatcher, [*expected]) == expected


@pytest.mark.skipif(not Path(UWSGI[0]).exists(), reason="needs pyuwsgi")
@pytest.mark.parametrize("site", ASKED)
def test_uwsgi_itself_answers_so(site, tmp_path):
    folder = write_site(tmp_path, site.files)
    expected = answers_of(site, folder)
    command = [*UWSGI, "--ini", str(folder / site.given)]

    with running(command, folder, environment(None, **(site.environ or {}))) as server:
        told = {target: _told_by(server, target) for target in expected}

    assert told == expected


def _told_by(server, target):
    answer = server.get(target.encode())
    location = answer.headers.get("location")
    return told_of(answer.status, location, answer.body)
