"""``import --format uwsgi`` and ``--format unit`` on the command line."""

from __future__ import annotations

import io
import json
import sys

import pytest
from django.core.management.base import CommandError

from tests.support.commands import run

INI = "[uwsgi]\nchdir = /srv\nmodule = shop\nvacuum = true\n"
UNIT = {
    "listeners": {"*:80": {"pass": "applications/shop"}},
    "applications": {"shop": {"type": "python", "module": "shop"}},
}


@pytest.fixture
def ini(tmp_path):
    path = tmp_path / "shop.ini"
    path.write_text(INI)
    return path


@pytest.fixture
def unit(tmp_path):
    path = tmp_path / "conf.json"
    path.write_text(json.dumps(UNIT))
    return path


def test_uwsgi_s_files_are_imported(ini):
    out, err, status = run("import", "--format", "uwsgi", str(ini))

    assert out.startswith("# From shop.ini, by `manage.py wsgimatch import`.\n")
    assert 'script_alias("/", "shop:application", process_group="shop")' in out
    assert err.splitlines() == [
        f"kept        {ini}:2: chdir = /srv: home of the process group shop",
        f"kept        {ini}:3: module = shop: an entry, for all URLs that no other has",
        f"not needed  {ini}:4: vacuum = true: the server that runs the settings has its own",
        "3 options: 2 kept, 1 not needed.",
    ]
    assert status == 0


def test_unit_s_file_is_imported(unit):
    out, err, status = run("import", "--format", "unit", str(unit))

    assert 'script_alias("/", "shop:application", process_group="shop")' in out
    assert err.splitlines()[-1] == "3 values: 2 kept, 1 changed."
    assert status == 0


def test_several_of_uwsgi_s_files_are_imported_together(ini, tmp_path):
    (tmp_path / "wiki.ini").write_text(INI.replace("module = shop", "module = wiki"))

    out, _, status = run("import", "--format", "uwsgi", str(ini), str(tmp_path / "wiki.ini"))

    assert out.startswith("# From shop.ini, wiki.ini, by")
    assert status == 1


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param([], 1, id="it fails"),
        pytest.param(["--accept"], 0, id="unless that is accepted"),
        pytest.param(["--accept", "--check"], 1, id="a check does not accept"),
    ],
)
def test_what_needs_you_fails(ini, options, status):
    ini.write_text(f"{INI}cron = 0 0 -1 -1 -1 true\n")

    assert run("import", "--format", "uwsgi", str(ini), *options)[2] == status


def test_both_formats_can_be_named(unit):
    out, err, _ = run("import", "--format", "unit", "--format", "json", str(unit))

    found = json.loads(out)
    assert found["settings"]["WSGIMATCH_ALIASES"][0]["target"] == "shop:application"
    assert len(found["report"]) == 3
    assert err == "3 values: 2 kept, 1 changed.\n"


def test_a_variable_s_value_can_be_said(ini):
    ini.write_text(INI.replace("/srv", "$(PLACE)"))

    out, _, _ = run("import", "--format", "uwsgi", "--define", "PLACE=/opt", str(ini))

    assert '"home": "/opt"' in out


def test_unit_s_configuration_is_read_from_standard_input(monkeypatch):
    text = json.dumps(UNIT).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    out, err, _ = run("import", "--format", "unit", "-")

    assert out.startswith("# From standard input, by")
    assert err.startswith('kept        <stdin>:1: listeners.*:80.pass "applications/shop":')


def test_nothing_is_written_of_what_cannot_be_read(tmp_path):
    target = tmp_path / "settings.py"

    out, err, status = run(
        "import", "--format", "uwsgi", str(tmp_path / "none.ini"), "--output", str(target)
    )

    assert (out, status, target.exists()) == ("", 1, False)
    assert err.startswith(f"refused     {tmp_path}/none.ini: cannot be read: No such file")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param(
            ["--format", "uwsgi", "--open", "x"],
            "--open says nothing of a configuration of uwsgi's.",
            id="of Apache alone",
        ),
        pytest.param(
            ["--format", "uwsgi", "--address", "*:80", "x"],
            "--address says nothing of a configuration of uwsgi's.",
            id="of listeners alone",
        ),
        pytest.param(["x", "y"], "y: name one FILE. Only uWSGI has several.", id="two files"),
        pytest.param(
            ["--format", "unit", "x", "y"],
            "y: name one FILE. Only uWSGI has several.",
            id="two files of Unit's",
        ),
    ],
)
def test_options_that_a_format_has_no_use_for_are_errors(arguments, error):
    with pytest.raises(CommandError, match=f"^{error.replace('*', '.')}$"):
        run("import", *arguments)
