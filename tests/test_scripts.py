from __future__ import annotations

import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from itertools import count
from pathlib import Path

import pytest

from django_wsgimatch.exceptions import ScriptError
from django_wsgimatch.scripts import LoadedScript, Scripts, module_name

VARIABLE = "DJANGO_SETTINGS_MODULE"


class ScriptFile:
    """A script on disk; every version it is given has an mtime of its own."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._seconds = count(1_000_000_000)

    def write(self, source: str | bytes, *, seconds: int | None = None) -> None:
        """Put a version in place at once, as a deployment does."""
        seconds = next(self._seconds) if seconds is None else seconds
        new = Path(f"{self.path}.new")
        new.write_bytes(source if isinstance(source, bytes) else source.encode())
        os.utime(new, (seconds, seconds))
        new.replace(self.path)


@pytest.fixture
def script(tmp_path):
    return ScriptFile(tmp_path / "x.wsgi")


@pytest.fixture(autouse=True)
def modules():
    """Forget the modules of the scripts."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("_mod_wsgi_"):
            del sys.modules[name]


def version(scripts: Scripts, script: ScriptFile) -> object:
    return scripts.get(script.path).namespace["version"]


def status(scripts: Scripts, script: ScriptFile) -> object:
    """The version that serves, or the status of the error."""
    try:
        return version(scripts, script)
    except ScriptError as error:
        return error.status


def test_loaded_script(script):
    script.write("application = print", seconds=1_500_000_000)

    loaded = Scripts().get(script.path)

    assert (loaded.path, loaded.mtime) == (script.path, 1_500_000_000 * 10**9)
    assert vars(sys.modules[module_name(script.path)])["application"] is print
    assert loaded.application("application") == loaded.namespace["application"]


def test_module_of_a_script(script):
    script.write("import sys\nmodule = sys.modules[__name__]\nclass Own: pass")

    namespace = Scripts().get(script.path).namespace

    name = "_mod_wsgi_" + md5(script.path.encode()).hexdigest()
    assert sys.modules[name] is namespace["module"]
    assert vars(sys.modules[name]) is namespace
    assert (namespace["__name__"], namespace["__file__"]) == (name, script.path)
    assert namespace["__spec__"].origin == script.path
    assert namespace["Own"].__module__ == name


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param(b"value = 1\0 = ( nonsense", 1, id="a NUL ends it"),
        pytest.param(b"# coding: latin-1\nvalue = '\xe9'", "\xe9", id="its coding is obeyed"),
        pytest.param(b"\xef\xbb\xbfvalue = '\xc3\xa9'\r\n", "\xe9", id="a byte order mark"),
        pytest.param(
            b"def f() -> Nope: ...\nvalue = 1" if sys.version_info >= (3, 14) else b"value = 1",
            1,
            id="no future statement of ours",
        ),
    ],
)
def test_source(script, source, value):
    script.write(source)

    found = Scripts().get(script.path).namespace["value"]

    assert found == value


def test_file_name_that_is_not_text(tmp_path):
    path = f"{tmp_path}/\xff.wsgi"
    Path(os.fsdecode(path.encode("latin-1"))).write_bytes(b"here = __file__")

    namespace = Scripts().get(path).namespace

    assert os.fsencode(namespace["here"]) == path.encode("latin-1")


def test_scripts_of_one_name_in_two_directories(tmp_path):
    paths = [tmp_path / directory / "x.wsgi" for directory in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"where = {str(path)!r}")
    scripts = Scripts()

    found = [scripts.get(str(path)).namespace["where"] for path in paths]

    assert found == [str(path) for path in paths]


def test_names_of_modules_heed_case():
    names = {module_name("/srv/a.wsgi"), module_name("/srv/A.wsgi")}

    assert names == {
        "_mod_wsgi_" + md5(b"/srv/a.wsgi").hexdigest(),
        "_mod_wsgi_" + md5(b"/srv/A.wsgi").hexdigest(),
    }


def test_missing_callable(script):
    script.write("")
    loaded = Scripts().get(script.path)

    with pytest.raises(ScriptError) as caught:
        loaded.application("handler")

    assert caught.value.status == 404
    assert str(caught.value) == (
        f"Target WSGI script '{script.path}' does not contain WSGI application 'handler'."
    )


def test_script_is_loaded_once(script):
    script.write("")
    scripts = Scripts()

    loaded = [scripts.get(script.path) for _ in range(3)]

    assert loaded[0] is loaded[1] is loaded[2]


def test_missing_script(script):
    with pytest.raises(ScriptError) as caught:
        Scripts().get(script.path)

    assert caught.value.status == 404
    assert str(caught.value) == (f"Target WSGI script not found or unable to stat: {script.path}")


@pytest.mark.parametrize("path", ["/\0", "/\u0142"])
def test_path_that_no_file_can_have(path):
    with pytest.raises(ScriptError) as caught:
        Scripts().get(path)

    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        pytest.param("(", SyntaxError, id="a syntax error"),
        pytest.param("1 / 0", ZeroDivisionError, id="an exception"),
        pytest.param("raise SystemExit(3)", SystemExit, id="an exit"),
        pytest.param("import no_such_module", ModuleNotFoundError, id="a missing module"),
        pytest.param("-" * 100_000 + "1", (MemoryError, RecursionError), id="too deep a nesting"),
    ],
)
def test_script_that_cannot_be_loaded(script, source, cause):
    script.write(source)
    before = dict(sys.modules)

    with pytest.raises(ScriptError) as caught:
        Scripts().get(script.path)

    assert caught.value.status == 500
    assert str(caught.value) == (
        f"Target WSGI script '{script.path}' cannot be loaded as Python module."
    )
    assert isinstance(caught.value.__cause__, cause)
    assert module_name(script.path) not in sys.modules
    assert sys.modules == before


def test_directory_is_no_script(tmp_path):
    with pytest.raises(ScriptError) as caught:
        Scripts().get(str(tmp_path))

    assert caught.value.status == 500
    assert isinstance(caught.value.__cause__, IsADirectoryError)


def test_keyboard_interrupt_is_not_swallowed(script):
    script.write("raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        Scripts().get(script.path)

    assert module_name(script.path) not in sys.modules


@pytest.mark.parametrize("reloading", [False, True, "safe"])
def test_failed_first_load_is_tried_again(script, reloading):
    script.write("(", seconds=1_500_000_000)
    scripts = Scripts(reloading=reloading)

    broken = [status(scripts, script) for _ in range(2)]
    script.write("version = 1", seconds=1_500_000_000)

    assert broken == [500, 500]
    assert status(scripts, script) == 1


@pytest.mark.parametrize(
    ("reloading", "serving"),
    [pytest.param("safe", 2, id="safe"), pytest.param(True, 2, id="on"), pytest.param(False, 1)],
)
def test_changed_script(script, reloading, serving):
    script.write("version = 1")
    scripts = Scripts(reloading=reloading)

    first = status(scripts, script)
    script.write("version = 2")

    assert (first, status(scripts, script)) == (1, serving)


@pytest.mark.parametrize("reloading", [True, "safe"])
@pytest.mark.parametrize(
    ("seconds", "serving"),
    [
        pytest.param(1_400_000_000, 2, id="an older file is a new version"),
        pytest.param(1_500_000_000, 1, id="a file of the same time is the same version"),
    ],
)
def test_time_of_a_changed_script(script, reloading, seconds, serving):
    script.write("version = 1", seconds=1_500_000_000)
    scripts = Scripts(reloading=reloading)

    first = status(scripts, script)
    script.write("version = 2", seconds=seconds)

    assert (first, status(scripts, script)) == (1, serving)


@pytest.mark.parametrize("reloading", [True, "safe"])
def test_deleted_script(script, reloading):
    script.write("version = 1")
    scripts = Scripts(reloading=reloading)

    first = status(scripts, script)
    os.unlink(script.path)
    gone = [status(scripts, script) for _ in range(2)]
    script.write("version = 2")

    assert (first, gone, status(scripts, script)) == (1, [404, 404], 2)


def test_new_version_is_a_new_module(script):
    script.write("version = 1\nonly_old = True")
    scripts = Scripts()

    scripts.get(script.path)
    script.write("version = 2")
    new = scripts.get(script.path)

    assert "only_old" not in new.namespace
    assert vars(sys.modules[module_name(script.path)]) is new.namespace


def test_reload_is_logged(script, caplog):
    caplog.set_level(logging.INFO, "django_wsgimatch")
    script.write("")
    scripts = Scripts()

    scripts.get(script.path)
    script.write("")
    scripts.get(script.path)

    assert caplog.messages == [f"Reloaded WSGI script '{script.path}'."]


def test_broken_version_with_reloading_on(script):
    script.write("version = 1")
    scripts = Scripts(reloading=True)

    serving = [status(scripts, script)]
    script.write("(")
    serving += [status(scripts, script), status(scripts, script)]
    script.write("version = 3")
    serving.append(status(scripts, script))

    assert serving == [1, 500, 500, 3]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("(", "cannot be loaded as Python module.", id="a syntax error"),
        pytest.param("raise SystemExit", "cannot be loaded as Python module.", id="an exit"),
        pytest.param(
            "", "does not contain WSGI application 'handler'.", id="the callable in use is gone"
        ),
    ],
)
def test_broken_version_with_safe_reloading(script, caplog, source, reason):
    script.write("version = 1\nhandler = print")
    scripts = Scripts(reloading="safe")

    refused = f"Target WSGI script '{script.path}'"
    old = scripts.get(script.path)
    old.application("handler")
    script.write(source)
    served = [scripts.get(script.path) for _ in range(3)]

    assert served == [old, old, old]
    assert caplog.messages == [
        f"Still serving the previous version of '{script.path}': {refused} {reason}"
    ]
    assert vars(sys.modules[module_name(script.path)]) is old.namespace


def test_rejected_version_is_not_tried_again_until_it_changes(script):
    script.write("tries = []")
    scripts = Scripts(reloading="safe")
    old = scripts.get(script.path)

    script.write(f"import sys\nsys.modules[{__name__!r}].TRIES.append(1)\n1 / 0")
    TRIES.clear()
    served = [scripts.get(script.path) for _ in range(5)]
    script.write(f"import sys\nsys.modules[{__name__!r}].TRIES.append(2)\n1 / 0")
    served += [scripts.get(script.path) for _ in range(5)]

    assert served == [old] * 10
    assert TRIES == [1, 2]


TRIES: list[int] = []


def test_mended_version_takes_over(script):
    script.write("version = 1\nhandler = print")
    scripts = Scripts(reloading="safe")

    scripts.get(script.path).application("handler")
    script.write("(")
    serving = [status(scripts, script)]
    script.write("version = 3")
    serving.append(status(scripts, script))
    script.write("version = 4\nhandler = print")
    serving.append(status(scripts, script))
    script.write("version = 5")
    serving.append(status(scripts, script))

    assert serving == [1, 1, 4, 4]


def test_return_to_the_old_version_after_a_broken_one(script):
    script.write("version = 1", seconds=1_500_000_000)
    scripts = Scripts(reloading="safe")

    serving = [status(scripts, script)]
    script.write("(")
    serving.append(status(scripts, script))
    script.write("version = 1", seconds=1_500_000_000)
    serving.append(status(scripts, script))
    script.write("version = 2")
    serving.append(status(scripts, script))

    assert serving == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("reloading", "current"),
    [pytest.param("safe", False), pytest.param(True, False), pytest.param(False, True)],
)
def test_is_current(script, reloading, current):
    script.write("")
    scripts = Scripts(reloading=reloading)
    loaded = scripts.get(script.path)

    fresh = scripts.is_current(loaded)
    os.unlink(script.path)

    assert (fresh, scripts.is_current(loaded)) == (True, current)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""
    seconds = [1000.0]
    monkeypatch.setattr("django_wsgimatch.scripts.time.monotonic", lambda: seconds[0])

    def move(by: float) -> None:
        seconds[0] += by

    return move


@pytest.mark.parametrize("reloading", [True, "safe"])
@pytest.mark.parametrize(
    ("interval", "passed", "serving"),
    [
        pytest.param(0, 0, 2, id="always"),
        pytest.param(1, 0.9, 1, id="not yet"),
        pytest.param(1, 1, 2, id="now"),
        pytest.param(0.5, 0.6, 2, id="a part of a second"),
        pytest.param(10, 9, 1, id="seldom"),
    ],
)
def test_file_is_looked_at_once_in_an_interval(script, clock, reloading, interval, passed, serving):
    script.write("version = 1")
    scripts = Scripts(reloading=reloading, interval=interval)
    assert [version(scripts, script), version(scripts, script)] == [1, 1]
    script.write("version = 2")

    clock(passed)

    assert version(scripts, script) == serving


def test_deleted_script_is_gone_after_the_interval(script, clock):
    script.write("version = 1")
    scripts = Scripts(interval=1)
    assert [status(scripts, script), status(scripts, script)] == [1, 1]
    os.unlink(script.path)

    within = status(scripts, script)
    clock(1)

    assert (within, status(scripts, script)) == (1, 404)


def test_rejected_version_is_looked_at_once_in_an_interval(script, clock):
    script.write("version = 1")
    scripts = Scripts(interval=1)
    version(scripts, script)
    script.write("(")
    before = version(scripts, script)
    script.write("version = 3")

    within = version(scripts, script)
    clock(1)

    assert (before, within, version(scripts, script)) == (1, 3, 3)


def test_replaced_version_is_not_current(script):
    script.write("", seconds=1_500_000_000)
    scripts = Scripts()
    old = scripts.get(script.path)

    script.write("")
    scripts.get(script.path)
    script.write("", seconds=1_500_000_000)

    assert not scripts.is_current(old)


SLOW = """
import time
from {test} import IMPORTS

IMPORTS.append(1)
time.sleep(0.2)
version = 1
"""
IMPORTS: list[int] = []


def test_threads_load_a_script_once(script):
    script.write(SLOW.format(test=__name__))
    IMPORTS.clear()
    scripts = Scripts()
    start = threading.Barrier(32)

    def ask(_):
        start.wait()
        return scripts.get(script.path)

    with ThreadPoolExecutor(32) as threads:
        loaded = list(threads.map(ask, range(32)))

    assert set(map(id, loaded)) == {id(loaded[0])}
    assert loaded[0].namespace["version"] == 1
    assert IMPORTS == [1]


# Half loaded, ``whole`` would be less than ``version``.
VERSION = "version = {0}\nfor whole in range({0} + 1): pass"


@pytest.mark.parametrize("reloading", [True, "safe"])
def test_reload_under_load_loses_no_request(script, reloading):
    script.write(VERSION.format(0))
    scripts = Scripts(reloading=reloading)
    done = threading.Event()

    def ask(_):
        namespace = scripts.get(script.path).namespace
        return namespace["version"], namespace["whole"]

    def deploy():
        number = 0
        while not done.wait(0.001):
            number += 1
            script.write(VERSION.format(number))
        return number

    with ThreadPoolExecutor(9) as threads:
        deployed = threads.submit(deploy)
        served = list(threads.map(ask, range(1000)))
        done.set()

    assert len(served) == 1000
    assert [pair for pair in served if pair[0] != pair[1]] == []
    assert status(scripts, script) == deployed.result()


def test_broken_version_under_load(script):
    script.write("version = 1")
    scripts = Scripts(reloading="safe")
    scripts.get(script.path)
    done = threading.Event()

    def deploy():
        while not done.wait(0.001):
            script.write("version = (")

    with ThreadPoolExecutor(9) as threads:
        threads.submit(deploy)
        served = set(threads.map(lambda _: version(scripts, script), range(1000)))
        done.set()

    assert served == {1}


def test_old_version_serves_while_the_new_one_loads(script):
    script.write("version = 1")
    scripts = Scripts(reloading="safe")
    scripts.get(script.path)
    LOADING.clear()
    GO_ON.clear()
    script.write(f"from {__name__} import *\nLOADING.set()\nGO_ON.wait(60)\nversion = 2")

    with ThreadPoolExecutor(1) as threads:
        reloading = threads.submit(version, scripts, script)
        LOADING.wait(60)
        meanwhile = status(scripts, script)
        GO_ON.set()

    assert (meanwhile, reloading.result(), status(scripts, script)) == (1, 2, 2)


LOADING = threading.Event()
GO_ON = threading.Event()


def test_thread_that_comes_late_to_a_reload(script):
    script.write("version = 1")
    scripts = Scripts(reloading="safe")
    old = scripts.get(script.path)

    script.write("version = 2")
    new = scripts.get(script.path)
    late = scripts._replace(old)

    assert late is new


def test_thread_that_comes_late_to_a_reload_with_reloading_on(script):
    script.write("version = 1")
    scripts = Scripts(reloading=True)
    loaded = scripts.get(script.path)

    late = scripts._reload(script.path)

    assert late is loaded


def test_script_may_ask_for_itself(script):
    script.write(
        f"from {__name__} import NESTED\nversion = 1\nNESTED and NESTED.pop().get(__file__)"
    )
    scripts = Scripts()
    NESTED.append(scripts)

    found = version(scripts, script)

    assert found == 1


NESTED: list[Scripts] = []


@pytest.fixture
def scripts_of_shop(monkeypatch):
    """The scripts of a process that runs shop.settings."""
    monkeypatch.setenv(VARIABLE, "shop.settings")
    return Scripts(settings_module="shop.settings")


OTHER_SETTINGS = (
    "Target WSGI script '{}' asks for DJANGO_SETTINGS_MODULE 'blog.settings', but this process "
    "runs 'shop.settings': one interpreter holds one Django project. Give its alias a process "
    "group of its own (process_group=...) or an application group of its own "
    "(application_group=...); if it is this project's script, take the line that names the "
    "settings out of it."
)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f'os.environ["{VARIABLE}"] = "blog.settings"', id="assignment"),
        pytest.param(f'os.environ.setdefault("{VARIABLE}", "blog.settings")', id="a default"),
        pytest.param(f'os.environ.update({VARIABLE}="blog.settings")', id="update"),
        pytest.param(f'os.putenv("{VARIABLE}", "blog.settings")', id="putenv"),
        pytest.param(f'os.environ["{VARIABLE}"] = "blog" + ".settings"', id="not literally"),
        pytest.param(
            f'os.environ["{VARIABLE}"] = ".".join(["blog", "settings"])', id="at run time"
        ),
    ],
)
def test_other_settings_are_refused(scripts_of_shop, script, source):
    script.write(f"import os\n{source}")

    with pytest.raises(ScriptError) as caught:
        scripts_of_shop.get(script.path)

    assert caught.value.status == 500
    assert str(caught.value) == OTHER_SETTINGS.format(script.path)
    assert os.environ[VARIABLE] == "shop.settings"
    assert module_name(script.path) not in sys.modules


@pytest.fixture
def scripts_of_a_group(monkeypatch):
    """The scripts of a process group whose option names shop.production."""
    monkeypatch.setenv(VARIABLE, "shop.production")
    return Scripts(settings_module="shop.production", is_named=True)


@pytest.mark.parametrize(
    "module", ["shop.settings", "config.settings"], ids=["of this package", "of another"]
)
def test_a_default_changes_nothing_where_a_group_names_the_settings(
    scripts_of_a_group, script, module
):
    script.write(f'import os\nos.environ.setdefault("{VARIABLE}", "{module}")\nvalue = 1')

    assert scripts_of_a_group.get(script.path).namespace["value"] == 1
    assert os.environ[VARIABLE] == "shop.production"


@pytest.mark.parametrize("how", ['os.environ["{}"] = "{}"', 'os.putenv("{}", "{}")'])
def test_an_assignment_is_refused_where_a_group_names_the_settings(scripts_of_a_group, script, how):
    script.write(f"import os\n{how.format(VARIABLE, 'shop.settings')}")

    with pytest.raises(ScriptError):
        scripts_of_a_group.get(script.path)


@pytest.mark.parametrize(
    ("source", "status"),
    [
        pytest.param("1 / 0", 500, id="and fails"),
        pytest.param("raise SystemExit", 500, id="and exits"),
    ],
)
def test_environment_is_restored_after_a_script_that_changes_it(
    scripts_of_shop, script, source, status
):
    script.write(f'import os\nos.environ["{VARIABLE}"] = "blog." + "settings"\n{source}')

    with pytest.raises(ScriptError) as caught:
        scripts_of_shop.get(script.path)

    assert caught.value.status == status
    assert os.environ[VARIABLE] == "shop.settings"


def test_script_that_takes_the_settings_away(scripts_of_shop, script):
    script.write(f'import os\ndel os.environ["{VARIABLE}"]')

    with pytest.raises(ScriptError):
        scripts_of_shop.get(script.path)

    assert os.environ[VARIABLE] == "shop.settings"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("", id="none named"),
        pytest.param(f'os.environ["{VARIABLE}"] = "shop.settings"', id="the same"),
        pytest.param(f'os.environ.setdefault("{VARIABLE}", "shop." + "settings")', id="a default"),
    ],
)
def test_own_settings_are_accepted(scripts_of_shop, script, source):
    script.write(f"import os\n{source}\nversion = 1")

    found = version(scripts_of_shop, script)

    assert found == 1


def test_other_settings_in_a_new_version(scripts_of_shop, script, caplog):
    script.write("version = 1")
    first = version(scripts_of_shop, script)

    script.write(f'import os\nos.environ.setdefault("{VARIABLE}", "blog.settings")\nversion = 2')

    assert (first, version(scripts_of_shop, script)) == (1, 1)
    assert caplog.messages == [
        f"Still serving the previous version of '{script.path}': "
        + OTHER_SETTINGS.format(script.path)
    ]


def test_no_settings_are_guarded_where_the_process_has_none(script, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    script.write(f'import os\nos.environ["{VARIABLE}"] = "blog.settings"\nversion = 1')

    found = version(Scripts(), script)

    assert (found, os.environ[VARIABLE]) == (1, "blog.settings")


def test_loaded_scripts_are_compared_by_identity():
    one, other = (LoadedScript("/x", 1, {}) for _ in range(2))

    assert one != other
