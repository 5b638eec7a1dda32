"""What is built installs and works where neither the checkout nor its environment is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from importlib.metadata import requires
from pathlib import Path

import pytest

from tests.support.made_once import made_once

ROOT = Path(__file__).resolve().parents[2]

SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "site_settings"
BASE_DIR = "."
WSGIMATCH_ALIASES = ["WSGIScriptAliasMatch ^/wsgi-scripts/([^/]+) $1.wsgi"]
urlpatterns = []
"""
MANAGE = """
import os
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
execute_from_command_line()
"""
HELLO = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["SCRIPT_NAME"].encode()]
"""
ASK = """
from wsgiref.util import setup_testing_defaults
from django_wsgimatch.wsgi import application
environ = {"SCRIPT_NAME": "", "PATH_INFO": "/wsgi-scripts/hello/you"}
setup_testing_defaults(environ)
print(b"".join(application(environ, lambda status, headers: print(status))).decode())
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


def clean_environment() -> dict[str, str]:
    """The environment without what would lead a Python back to this checkout."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "DJANGO", "COV", "PIP_")) and name != "VIRTUAL_ENV"
    }


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The folder that holds the sdist, and the wheel built from that sdist."""
    # setuptools writes into the checkout.
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir")
    return made_once(tmp_path_factory, "dist", lambda folder: run(*build, folder, ROOT, cwd=folder))


def test_wheel_holds_every_file_of_the_package_and_nothing_else(dist):
    [wheel] = dist.glob("*.whl")

    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    # Python reads the one beside the package where it starts.
    assert names == tracked("django_wsgimatch") | {"django_wsgimatch.pth"}


def test_wheel_names_its_license_and_the_file_that_holds_it(dist):
    [wheel] = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [each for each in archive.namelist() if each.endswith("/METADATA")]
        metadata = archive.read(name).decode().partition("\n\n")[0].splitlines()

    assert {"License-Expression: MIT", "License-File: LICENSE"} <= {*metadata}


def test_sdist_holds_what_the_tests_and_the_docs_need(dist):
    [sdist] = dist.glob("*.tar.gz")

    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert tracked("benchmarks", "docs", "manage.py", "testproject", "tests") - names == set()


def tracked(*paths: str) -> set[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("which files belong to the project is known in a git checkout only")
    return set(run("git", "ls-files", *paths, cwd=ROOT).splitlines())


def make_environment(folder: Path) -> None:
    """Make a virtual environment with the dependencies of django-wsgimatch and nothing else."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    needed = [line for line in requires("django-wsgimatch") or [] if "extra ==" not in line]
    done = subprocess.run(
        [*pip_into(folder), *needed], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        (folder / "failed").write_text(done.stderr)


def pip_into(environment: Path) -> list[str | Path]:
    """The command that installs into an environment, which has no pip of its own."""
    return [
        *(sys.executable, "-m", "pip", "--python", environment / "bin" / "python"),
        *("install", "--quiet", "--disable-pip-version-check", "--no-compile"),
    ]


@pytest.fixture
def environment(tmp_path_factory, tmp_path):
    """A virtual environment with the dependencies, for this test alone."""
    made = made_once(tmp_path_factory, "environment", make_environment)
    if (made / "failed").exists():
        reason = (made / "failed").read_text()
        pytest.skip(f"Django cannot be installed into an empty environment here: {reason}")
    return shutil.copytree(made, tmp_path / "environment", symlinks=True)


def test_works_in_an_empty_folder_once_installed(dist, environment, tmp_path):
    # It was built from the sdist, as pip would build it.
    [wheel] = dist.glob("*.whl")
    (tmp_path / "site_settings.py").write_text(SETTINGS)
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "hello.wsgi").write_text(HELLO)
    run(*pip_into(environment), "--no-deps", wheel, cwd=tmp_path)
    python = environment / "bin" / "python"

    run(python, "manage.py", "wsgimatch", "check", "--fail-level", "CRITICAL", cwd=tmp_path)
    answer = run(python, "-c", ASK, cwd=tmp_path)

    assert answer == "200 OK\n/wsgi-scripts/hello\n"


def test_tox_runs_the_pythons_and_djangos_that_the_metadata_claims():
    setup, tox = ConfigParser(interpolation=None), ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    tox.read(ROOT / "tox.ini")
    environments = tox["tox"]["env_list"]
    classifiers = setup["metadata"]["classifiers"]

    pythons = {f"3.{minor}" for minor in re.findall(r"py3(\d+)", environments)}
    djangos = {".".join(digits) for digits in re.findall(r"(?:django|[{,])(\d)(\d)", environments)}

    assert pythons == set(re.findall(r"Python :: (3\.\d+)", classifiers))
    assert djangos == set(re.findall(r"Django :: (\d\.\d)", classifiers))


def test_tox_runs_the_oldest_gunicorn_that_the_metadata_allows():
    setup, tox = ConfigParser(interpolation=None), ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    tox.read(ROOT / "tox.ini")

    [oldest] = re.findall(r"gunicorn>=(\S+)", setup["options.extras_require"]["gunicorn"])
    [tested] = re.findall(r"gunicorn==(\S+)", tox["testenv"]["deps"])

    assert tested.startswith(f"{oldest}.0")


def test_upgrade_page_names_the_versions_that_the_metadata_claims():
    setup = ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    classifiers = setup["metadata"]["classifiers"]
    [oldest] = re.findall(r"gunicorn>=(\S+)", setup["options.extras_require"]["gunicorn"])
    pythons = re.findall(r"Python :: (3\.\d+)", classifiers)
    *djangos, newest = re.findall(r"Django :: (\d\.\d)", classifiers)
    page = " ".join((ROOT / "docs" / "howto" / "upgrade.rst").read_text().split())

    assert f"Python {pythons[0]} to {pythons[-1]}, " in page
    assert f"Django {', '.join(djangos)} and {newest}, gunicorn {oldest} and newer" in page
