"""Sites of one interpreter that URLs choose by a directory: each is compared with the others."""

from __future__ import annotations

from typing import Any

import pytest

from django_wsgimatch import script_alias, script_alias_match
from tests.doctor import tables as doctor_tables

# A project as cookiecutters make it: everything is called config.
IN_A_FOLDER = """\
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
def application(environ, start_response): ...
"""
BY_NAME = """\
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
os.environ["DJANGO_SETTINGS_MODULE"] = "{}.settings"
application = None
"""
ONE_GROUP: Any = {"process_group": "sites", "application_group": "%{GLOBAL}"}


def site(folder: str, script: str = "wsgi.py", source: str = IN_A_FOLDER) -> dict[str, str]:
    return {f"{folder}/{script}": source, f"{folder}/config/__init__.py": ""}


def two_sites(above: str = "sites", script: str = "wsgi.py") -> dict[str, str]:
    return {**site(f"{above}/north", script), **site(f"{above}/south", script)}


@pytest.fixture
def ids(tmp_path, settings):
    def ids_of(files, *aliases):
        doctor_tables.write(tmp_path, files)
        groups = {"sites": {"threads": 4}}
        found = doctor_tables.found(settings, tmp_path, [*aliases], process_groups=groups)
        return {each.id for each in found}

    return ids_of


COLLISIONS = [
    pytest.param(
        two_sites(),
        script_alias_match("^/([^/]+)", "sites/$1/wsgi.py", **ONE_GROUP),
        id="a capture is the directory",
    ),
    pytest.param(
        two_sites(),
        script_alias_match("^/(north|south)(?=/|$)", "sites/$1/wsgi.py"),
        id="in the server's own interpreter",
    ),
    pytest.param(
        {**site("sites/site-north"), **site("sites/site-south")},
        script_alias_match("^/([a-z]+)", "sites/site-$1/wsgi.py", **ONE_GROUP),
        id="a capture is a part of the directory's name",
    ),
    pytest.param(
        {**site("a/north/live"), **site("a/south/live")},
        script_alias_match("^/([^/]+)", "a/$1/live/wsgi.py", **ONE_GROUP),
        id="a directory further down",
    ),
    pytest.param(
        {**site("a/eu/north"), **site("a/us/north")},
        script_alias_match("^/([^/]+)/([^/]+)", "a/$1/$2/wsgi.py", **ONE_GROUP),
        id="two captures",
    ),
    pytest.param(
        {**site("a/x/x"), **site("a/y/y")},
        script_alias_match("^/([^/]+)", "a/$1/$1/wsgi.py", **ONE_GROUP),
        id="one capture twice",
    ),
    pytest.param(
        {**site("a/eu/north", "north.wsgi"), **site("a/eu/south", "south.wsgi")},
        script_alias_match("^/([^/]+)", "a/eu/$1/$1.wsgi", **ONE_GROUP),
        id="a directory and a file of one name",
    ),
    pytest.param(
        two_sites(script="app.wsgi"),
        script_alias("/s/", "sites/", **ONE_GROUP),
        id="a plain alias, the scripts one folder down",
    ),
    pytest.param(
        two_sites("sites/live", "app.wsgi"),
        script_alias("/s", "sites", **ONE_GROUP),
        id="a plain alias, the scripts two folders down",
    ),
    pytest.param(
        two_sites(),
        script_alias_match("^/(.+)", "sites/$1", **ONE_GROUP),
        id="a capture that holds slashes",
    ),
    pytest.param(
        two_sites(),
        "WSGIScriptAliasMatch ^/([^/]+) sites/$1/wsgi.py process-group=sites",
        id="a directive line",
    ),
]


@pytest.mark.parametrize(("files", "alias"), COLLISIONS)
def test_modules_of_one_name_are_found(ids, files, alias):
    assert "E023" in ids(files, alias)


def test_projects_of_two_names_are_found(ids):
    files = {f"sites/{name}/wsgi.py": BY_NAME.format(name) for name in ("north", "south")}

    assert "E016" in ids(files, script_alias_match("^/(\\w+)", "sites/$1/wsgi.py", **ONE_GROUP))


def test_a_url_is_the_proof_and_the_others_are_counted(tmp_path, settings):
    files = {**two_sites(), **site("sites/east"), **site("sites/west")}
    doctor_tables.write(tmp_path, files)
    alias = script_alias_match("^/s/([a-z]+)(?=/|$)", "sites/$1/wsgi.py", **ONE_GROUP)
    groups = {"sites": {"threads": 4}}

    [finding] = doctor_tables.found(settings, tmp_path, [alias], process_groups=groups)

    assert finding.message.replace(str(tmp_path), "") == (
        "the module 'config' of the script '/sites/north/wsgi.py', which answers '/s/north', is "
        "'/sites/north/config', and that of '/sites/east/wsgi.py', in the same place, is "
        "'/sites/east/config'. An interpreter has only one module of a name: the one that is "
        "imported first. "
        "The same is true of 2 more scripts of this alias."
    )


SOUND = [
    pytest.param(
        two_sites(),
        [script_alias_match("^/([^/]+)", "sites/$1/wsgi.py", application_group="%{RESOURCE}")],
        id="an interpreter for each",
    ),
    pytest.param(
        site("sites/north"),
        [script_alias_match("^/([^/]+)", "sites/$1/wsgi.py", **ONE_GROUP)],
        id="one site",
    ),
    pytest.param(
        {**site("sites/north"), **site("sites/old")},
        [script_alias_match("^/(north|south)(?=/|$)", "sites/$1/wsgi.py", **ONE_GROUP)],
        id="a site that no URL chooses",
    ),
    pytest.param(
        {**two_sites(), "one.wsgi": doctor_tables.APPLICATION},
        [
            script_alias("/south", "one.wsgi"),
            script_alias_match("^/(north|south)(?=/|$)", "sites/$1/wsgi.py", **ONE_GROUP),
        ],
        id="a site whose URLs an earlier alias takes",
    ),
    pytest.param(
        {
            "sites/app.wsgi": doctor_tables.APPLICATION,
            "sites/north/settings.py": "WSGI_APPLICATION = 'north.wsgi.application'\n",
            "sites/south/settings.py": "# Application definition\n",
        },
        [script_alias("/s", "sites", **ONE_GROUP)],
        id="modules that are no scripts",
    ),
]


@pytest.mark.parametrize(("files", "aliases"), SOUND)
def test_sites_that_do_not_meet_are_left_in_peace(ids, files, aliases):
    assert not {"E013", "E015", "E016", "E023", "W028"} & ids(files, *aliases)


def test_a_broken_script_is_found_in_its_directory(ids):
    files = {"sites/north/wsgi.py": "def application(environ, start_response)\n"}

    assert "E015" in ids(files, script_alias_match("^/(\\w+)", "sites/$1/wsgi.py"))


def test_many_directories_are_looked_through_in_a_bounded_way(ids):
    files = {f"sites/{number:04}/wsgi.py": doctor_tables.APPLICATION for number in range(400)}

    assert ids(files, script_alias_match("^/([0-9]+)", "sites/$1/wsgi.py", **ONE_GROUP)) == set()
