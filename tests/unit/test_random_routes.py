"""Random routes beside Unit itself: who answers, and with which SCRIPT_NAME and PATH_INFO."""

from __future__ import annotations

import json
import os
from random import Random

import pytest

from django_wsgimatch.unit.importing import import_unit
from tests.support.others.imported_sites import ask_all, served, told_of, write_site
from tests.support.others.unit_server import UNITD, ask_unit, configure_unit, running_unit
from tests.support.trees import open_directory
from tests.unit.random_routes import APPLICATIONS, FILES, random_site, random_uri

SITES = int(os.environ.get("WSGIMATCH_UNIT_SITES", "10"))
URIS = 40


@pytest.mark.skipif(UNITD is None, reason="needs NGINX Unit")
def test_random_routes_are_answered_as_unit_does():
    random = Random(os.environ.get("WSGIMATCH_UNIT_SEED", "routes"))
    different = []
    with open_directory() as folder:
        write_site(folder, {**FILES, **{f"{name}.py": "" for name in APPLICATIONS}})
        with running_unit(folder, _text(random_site(random), folder)) as listener:
            for _ in range(SITES):
                text = _text(random_site(random), folder)
                uris = [random_uri(random) for _ in range(URIS)]
                configure_unit(folder, text)
                theirs = {uri: _told_by(listener, uri) for uri in uris}
                with served(import_unit("conf.json", text), folder) as dispatcher:
                    ours = ask_all(dispatcher, uris)
                different += [
                    (uri, ours[uri], theirs[uri], json.loads(text)["routes"])
                    for uri in uris
                    if ours[uri] != theirs[uri]
                ]

    assert different == []


def _text(site, folder):
    return json.dumps(site).replace("{ROOT}", str(folder))


def _told_by(listener, target):
    host, slash, rest = target.partition("/")
    answer = ask_unit(listener, slash + rest, host)
    return told_of(answer.status, answer.headers.get("location"), answer.body)
