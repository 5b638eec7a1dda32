"""Where an exception was raised, as whoever wrote the site sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import django_wsgimatch
from django_wsgimatch.daemon import raised
from django_wsgimatch.daemon.raised import described, is_library, line_of
from django_wsgimatch.exceptions import ScriptError
from django_wsgimatch.scripts import Scripts

PACKAGE = str(Path(django_wsgimatch.__file__).parent)


@pytest.fixture(params=["installed", "from its sources"])
def load(request, tmp_path, monkeypatch):
    """What a script raises while it is loaded, and its path."""
    if request.param == "installed":
        monkeypatch.setattr(raised, "_LIBRARIES", (*raised._LIBRARIES, PACKAGE))
    path = tmp_path / "app.wsgi"

    def load(source):
        path.write_text(source)
        with pytest.raises(ScriptError) as caught:
            Scripts().get(str(path))
        assert caught.value.__cause__ is not None
        return caught.value.__cause__, path

    return load


@pytest.mark.parametrize(
    ("source", "line"),
    [
        pytest.param("\n1 / 0\n", 2, id="the script's own"),
        pytest.param("import json\n\njson.loads('x')\n", 3, id="a library's, called by it"),
        pytest.param("def f():\n    int('x')\n\n\nf()\n", 2, id="further in"),
        pytest.param("x = 5\n(\n", 2, id="no Python"),
    ],
)
def test_the_line_is_the_site_s(load, source, line):
    error, path = load(source)

    assert line_of(error) == f"line {line} of {path}"


@pytest.mark.parametrize(
    ("file", "is_one"),
    [
        pytest.param(os.__file__, True, id="Python's own"),
        pytest.param(f"{os.path.dirname(os.__file__)}-mine/a.py", False, id="beside Python's own"),
        pytest.param("/srv/env/lib/python3.12/site-packages/a.py", True, id="installed by pip"),
        pytest.param("/usr/lib/python3/dist-packages/a.py", True, id="installed by Debian"),
        pytest.param("/srv/site-packages.old/a.py", False, id="a folder with such a name"),
        pytest.param("/srv/app.wsgi", False, id="the site's"),
    ],
)
def test_what_is_a_library(file, is_one):
    assert is_library(file) == is_one


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param("1 / 0\n", "ZeroDivisionError: division by zero", id="a message"),
        pytest.param("raise ValueError\n", "ValueError: ", id="none"),
        pytest.param("a b\n", "SyntaxError: invalid syntax", id="a syntax error, its line once"),
    ],
)
def test_an_exception_in_a_line(load, source, said):
    error, path = load(source)

    assert described(error) == f"{said} (line 1 of {path})"


def test_an_exception_that_nobody_has_raised_has_no_line():
    assert described(KeyError("x")) == "KeyError: 'x'"
