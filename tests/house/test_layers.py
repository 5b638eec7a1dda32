"""Which folder of the package imports which, and where Django begins."""

from __future__ import annotations

import sys
from graphlib import TopologicalSorter

import pytest

from tests.house.modules import MODULES, PACKAGE, folder_of, imports_of, own_imports

# A folder, or a module of the package itself, imports what stands before it.
LOWER = """
    exceptions text whole_files asroot aliases.patterns.pcre aliases.patterns aliases.index
    aliases.lines aliases.hosts aliases.access aliases answers.proxies answers.access
    answers.rewriting entry_options entries settings_guard modules scripts daemon.wire daemon
    daemon.servers daemon.manager daemon.front daemon.group.worker daemon.group plans comparing
    apache.lines apache.outcomes apache.reading apache.covering apache.access apache.rewriting
    apache.resolving apache.passing apache.processes apache.writing apache others uwsgi unit
    doctor.uris conf_shapes fronts fronts.apache.lines fronts.apache fronts.questions
"""
UPPER = """
    doctor.findings doctor.programs doctor.targets doctor.table project configured conf preloading
    places server answers.files answers corridor dispatcher doctor.processes doctor.access doctor
    doctor.projects previews checks cli.common cli wsgi gunicorn management.commands apps __main__
"""
ORDER = [*LOWER.split(), *UPPER.split()]


def test_a_module_imports_from_its_own_folder_and_lower_ones():
    higher = {
        module: {
            name
            for name in own_imports(module)
            if ORDER.index(folder_of(name)) > ORDER.index(folder_of(module))
        }
        for module in MODULES
    }

    assert {module: names for module, names in higher.items() if names} == {}


def test_no_import_goes_in_a_circle():
    TopologicalSorter({module: own_imports(module) for module in MODULES}).prepare()


def test_what_stands_below_the_settings_knows_no_django():
    below = [name for name in MODULES if folder_of(name) in LOWER.split()]

    knowing = [
        module
        for module in below
        if "django" in {name.split(".")[0] for name in imports_of(module)}
    ]

    assert (knowing, len(below) > 100) == ([], True)


@pytest.mark.parametrize("module", [name for name in MODULES if folder_of(name) == "asroot"])
def test_what_root_runs_before_it_drops_its_rights_is_the_standard_library_and_our_own(module):
    allowed = sys.stdlib_module_names | {PACKAGE.name}

    assert {name.split(".")[0] for name in imports_of(module)} <= allowed


def test_what_stays_root_is_the_standard_library_and_less_than_250_lines():
    assert {name.split(".")[0] for name in imports_of("daemon.starter")} <= sys.stdlib_module_names
    assert len((PACKAGE / "daemon/starter.py").read_text().splitlines()) < 250


def test_no_module_beside_the_one_that_a_group_runs_first_is_called_as_one_of_python_s():
    beside = {name.split(".")[2] for name in MODULES if name.startswith("daemon.group.")}

    assert not beside & sys.stdlib_module_names
