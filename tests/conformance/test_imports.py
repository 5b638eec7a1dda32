"""
Imports beside Apache, a short run of tests.conformance.imports; and three sites moved for good.

Those are imported, checked, and served by gunicorn, with scripts in the places that they name.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.fragment import python_lines
from tests.conformance.apache_site import make_site
from tests.conformance.imports import compare, compare_scopes, write_scripts
from tests.support.groups import HOOKS
from tests.support.imports import CONFIGURATIONS
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.support.raw_http import Answer
from tests.support.servers import PYTHON, environment, running
from tests.support.trees import open_directory
from tests.thorough import mostly_thorough

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL),
    pytest.mark.skipif(not CONFIGURATIONS.exists(), reason="needs the real configurations"),
]

SEED = "1"
SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "urls"
"""


def configuration(number: str) -> Path:
    """The configuration of a number."""
    [path] = CONFIGURATIONS.glob(f"{number}_*.conf")
    return path


def answer_of(answer: Answer) -> int | list[str]:
    """The SCRIPT_NAME and PATH_INFO that a script was given, or the status of another answer."""
    if answer.status != 200:
        return answer.status
    told = json.loads(answer.body)
    return [told["SCRIPT_NAME"], told["PATH_INFO"]]


@pytest.mark.parametrize(
    "number",
    mostly_thorough(
        [
            pytest.param("016", id="one of many aliases"),
            pytest.param("068", id="patterns, and groups in a location"),
            pytest.param("239", id="groups in a directory of a virtual host"),
            pytest.param("004", id="a group that SetEnv names"),
        ],
        "016",
    ),
)
def test_a_real_configuration_answers_as_in_apache(number):
    compared = compare(configuration(number))

    assert compared.state == "agrees", str(compared)
    assert compared.requests >= 20


def test_random_sections_give_the_options_that_they_give_in_apache():
    compared = compare_scopes(SEED, hosts=25)

    assert compared.state == "agrees", str(compared)


@pytest.mark.parametrize(
    ("number", "answers"),
    mostly_thorough(
        [
            pytest.param(
                "035",
                {
                    "/RiceLncPedia/x": ["/RiceLncPedia", "/x"],
                    "/luncDB": ["/luncDB", ""],
                    "/luncDBs": 404,
                },
                id="two projects",
            ),
            pytest.param(
                "105", {"/city/x": ["/city", "/x"], "/": 404}, id="a process group in a location"
            ),
            pytest.param(
                "085",
                {"/store/annex/objects/a/b": ["/store/annex/objects/a/b", ""], "/store": 404},
                id="a pattern",
            ),
        ],
        "a process group in a location",
    ),
)
def test_a_site_is_imported_checked_and_served(number, answers, tmp_path):
    with open_directory() as directory:
        site = make_site(configuration(number).read_text("latin-1"), directory)
        imported = import_configuration(read_file(str(site.file)))
        assert imported.settings is not None
        write_scripts(imported.settings, directory)
        text = "\n".join(python_lines(imported.settings, "site.conf"))
        (tmp_path / "settings.py").write_text(SETTINGS + text)
        (tmp_path / "urls.py").write_text("urlpatterns = []\n")

        checked = subprocess.run(
            [*PYTHON, "-m", "django", "wsgimatch", "check"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stdout
        with running(HOOKS, tmp_path, environment()) as server:
            found = {target: answer_of(server.get(target.encode())) for target in answers}

    assert found == answers
