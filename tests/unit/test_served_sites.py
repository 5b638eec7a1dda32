"""Sites that Unit serves, imported: the same application, SCRIPT_NAME and PATH_INFO."""

from __future__ import annotations

import pytest

from django_wsgimatch.unit.importing import import_unit
from tests.support.others.imported_sites import ask_all, served, told_of, write_site
from tests.support.others.unit_server import UNITD, ask_unit, running_unit
from tests.support.trees import open_directory
from tests.unit.sites import SITES

EACH = pytest.mark.parametrize("site", [pytest.param(s, id=name) for name, s in SITES.items()])


@pytest.fixture
def folder():
    # Unit's socket lies in it, whose path may not be long; its users may enter it.
    with open_directory() as directory:
        yield directory


@EACH
def test_an_imported_site_answers_as_unit_does(site, folder):
    write_site(folder, {"conf.json": site.text, **site.files})

    imported = import_unit(str(folder / "conf.json"))

    with served(imported, folder) as dispatcher:
        assert ask_all(dispatcher, [*site.answers]) == site.answers


@pytest.mark.skipif(UNITD is None, reason="needs NGINX Unit")
@EACH
def test_unit_itself_answers_so(site, folder):
    write_site(folder, {"conf.json": site.text, **site.files})

    with running_unit(folder, (folder / "conf.json").read_text()) as listener:
        told = {target: _told_by(listener, target) for target in site.answers}

    assert told == site.answers


def _told_by(listener, target):
    host, slash, rest = target.partition("/")
    answer = ask_unit(listener, slash + rest, host or "localhost")
    return told_of(answer.status, answer.headers.get("location"), answer.body)
