"""What the processes of a server have loaded: each module is memory in every group."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pytest

import django_wsgimatch
from django_wsgimatch.daemon.group.worker import changes
from django_wsgimatch.daemon.group.worker.changes import Inherited, LoadedFiles
from tests.support.groups import SCRIPT, site

# Each with what it is for: nothing of that is done by a group that serves a script.
NOT_IN_A_GROUP = {
    "ctypes": "who starts a group makes it the parent of orphans",
    "difflib": "a misspelled option",
    "django": "a project's own",
    "django_wsgimatch.aliases.patterns": "the patterns of a table",
    "django_wsgimatch.aliases.substitution": "the targets of a table",
    "django_wsgimatch.daemon.front": "the other side, and that of sub interpreters",
    "django_wsgimatch.daemon.group.worker.interpreters": "sub interpreters",
    "django_wsgimatch.daemon.manager": "the other side",
    "django_wsgimatch.entries": "the settings' entries",
    "multiprocessing": "whom a server has started by it",
    "secrets": "what os.urandom() gives, too",
    "sysconfig": "where the libraries lie",
    "zoneinfo": "a server's zone other than UTC",
}
NOT_IN_THE_MANAGER = {
    *("difflib", "django", "gunicorn", "multiprocessing", "secrets", "subprocess", "zoneinfo"),
    *("django_wsgimatch.aliases.patterns", "django_wsgimatch.aliases.substitution"),
    *("django_wsgimatch.daemon.front", "django_wsgimatch.daemon.group.worker"),
    "django_wsgimatch.entries",
}
TELL = "import json, sys; print(json.dumps(sorted(sys.modules)))"
WHAT_GUNICORN_LOADS = "import gunicorn.app.base, gunicorn.arbiter, gunicorn.workers.base"
# A script that tells what its process has, too.
TELLING = f"""\
{SCRIPT}

def loaded(environ, rest):
    import gc
    environ["mod_wsgi.application_group"] = [gc.get_freeze_count(), sorted(sys.modules)]
"""


def loaded_by(code: str) -> set[str]:
    """What a new Python has loaded after this code, run as the manager's is."""
    package = os.path.dirname(os.path.dirname(django_wsgimatch.__file__))
    code = f"import sys; sys.path.insert(0, {package!r}); {code}; {TELL}"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    return {*json.loads(done.stdout)}


def test_a_group_has_loaded_what_it_needs_and_shares_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    (tmp_path / "app.wsgi").write_text(TELLING)
    with site(tmp_path) as at:
        frozen, loaded = at.told("/blog/loaded")["application_group"]

    assert {*loaded} & {*NOT_IN_A_GROUP} - loaded_by(WHAT_GUNICORN_LOADS) == set()
    # What the arbiter has loaded is left alone by the worker's collections.
    assert frozen > 10_000


def test_the_manager_has_loaded_what_it_needs():
    loaded = loaded_by("import django_wsgimatch.daemon.manager.manager")

    assert loaded & NOT_IN_THE_MANAGER - loaded_by("pass") == set()


def test_the_package_has_the_names_that_settings_import():
    assert {name: hasattr(django_wsgimatch, name) for name in django_wsgimatch.__all__} == (
        dict.fromkeys(django_wsgimatch.__all__, True)
    )
    with pytest.raises(AttributeError, match="has no attribute 'redirection'"):
        django_wsgimatch.redirection  # noqa: B018


# What a process has from the one that forked it


@pytest.fixture
def modules(monkeypatch):
    """A process with ten modules."""
    modules = {f"module_{number}": ModuleType("m") for number in range(10)}
    monkeypatch.setattr(changes, "sys", SimpleNamespace(modules=modules))
    return modules


def add(modules, *names):
    for name in names:
        modules[name] = ModuleType(name)


def test_modules_that_were_loaded_since(modules):
    inherited = Inherited.by_now()
    before = inherited.others()
    add(modules, "one", "two")

    assert (before, {*inherited.others()}) == ([], {"one", "two"})


@pytest.mark.parametrize("gone", ["module_0", "module_5", "module_9"])
@pytest.mark.parametrize("comes_back", [False, True], ids=["for good", "and comes back"])
def test_no_module_is_missed_where_one_of_before_is_gone(modules, gone, comes_back):
    inherited = Inherited.by_now()
    before = modules.pop(gone)
    add(modules, "one")
    if comes_back:
        modules[gone] = before
    add(modules, "two")

    assert {"one", "two"} <= {*inherited.others()}


def test_no_module_is_missed_where_most_of_before_are_gone(modules):
    inherited = Inherited.by_now()
    modules.clear()
    add(modules, "one")

    assert inherited.others() == ["one"]


def test_a_file_that_was_loaded_before_the_fork_does_not_count(modules, tmp_path):
    before, since = tmp_path / "before.py", tmp_path / "since.py"
    for path in (before, since):
        path.touch()
    modules["before"] = ModuleType("before")
    modules["before"].__file__ = str(before)
    files = LoadedFiles(Inherited.by_now())
    modules["since"] = ModuleType("since")
    modules["since"].__file__ = str(since)

    files.note()

    assert [*files.noted()] == [str(since)]
