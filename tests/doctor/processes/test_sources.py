from __future__ import annotations

import pytest

from django_wsgimatch.doctor.processes.sources import Effects, Variable, effects_of

FILE = "/srv/wiki/deploy/wiki.wsgi"


def effects(source):
    return effects_of(source.encode(), FILE)


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        pytest.param("sys.path.insert(0, '/srv/wiki')", ["/srv/wiki"], id="text"),
        pytest.param("sys.path.append(os.path.dirname(__file__))", ["/srv/wiki/deploy"], id="file"),
        pytest.param(
            "HERE = os.path.dirname(os.path.abspath(__file__))\n"
            "sys.path.insert(0, os.path.join(HERE, '..'))",
            ["/srv/wiki"],
            id="name",
        ),
        pytest.param(
            "BASE = Path(__file__).resolve().parent.parent\nsys.path.insert(0, str(BASE))",
            ["/srv/wiki"],
            id="pathlib",
        ),
        pytest.param(
            "sys.path.insert(0, str(Path(__file__).parents[1] / 'src'))",
            ["/srv/wiki/src"],
            id="parents and a slash",
        ),
        pytest.param(
            "sys.path.insert(0, os.fspath(Path('/srv').joinpath('wiki', 'src')))",
            ["/srv/wiki/src"],
            id="joinpath",
        ),
        pytest.param("sys.path += ['/a', '/b']", ["/a", "/b"], id="added list"),
        pytest.param("sys.path[:0] = ['/a', '/b']", ["/a", "/b"], id="slice"),
        pytest.param("sys.path = ['/a'] + sys.path", ["/a"], id="assigned sum"),
        pytest.param("sys.path.extend(('/a', '/b'))", ["/a", "/b"], id="extended"),
        pytest.param(
            "sys.path.insert(0, '/a')\nsys.path.insert(0, '/b')", ["/b", "/a"], id="last in front"
        ),
        pytest.param(
            "for p in ('/a', '/b'):\n    sys.path.append(p)", ["/a", "/b"], id="in a loop"
        ),
        pytest.param("ROOT = '/srv'\nsys.path.append(f'{ROOT}/x')", ["/srv/x"], id="f-string"),
        pytest.param("ROOT = '/srv'\nsys.path.append(ROOT + '/x')", ["/srv/x"], id="sum of texts"),
        pytest.param("site.addsitedir('/srv/lib')", ["/srv/lib"], id="site directory"),
        pytest.param("if DEBUG:\n    sys.path.append('/a')", ["/a"], id="in a branch"),
        pytest.param(
            "try:\n    x\nexcept E:\n    sys.path.append('/a')", ["/a"], id="in a handler"
        ),
        pytest.param("ROOT: str = '/a'\nsys.path.append(ROOT)", ["/a"], id="annotated"),
        pytest.param("sys.path.append('lib')", [], id="relative to who knows what"),
        pytest.param("sys.path.append(root())", [], id="unknown call"),
        pytest.param("sys.path.append(os.path.join(root(), 'x'))", [], id="unknown part"),
        pytest.param("sys.path.append(f'{root():>3}/x' + '/y')", [], id="formatted"),
        pytest.param("ROOT = '/a'\nROOT = f()\nsys.path.append(ROOT)", [], id="name lost"),
        pytest.param("for p in (a(), 1):\n    sys.path.append(p)", [], id="loop over unknowns"),
        pytest.param("def f():\n    sys.path.append('/a')", [], id="in a function"),
        pytest.param("sys.path.clear()", [], id="another method"),
        pytest.param(
            "if __name__ == '__main__':\n    sys.path.append('/a')", [], id="main program"
        ),
        pytest.param("sys.path.append(", [], id="no Python"),
    ],
)
def test_directories_put_on_the_path(source, paths):
    assert effects(source).paths == paths


@pytest.mark.parametrize(
    ("source", "imports"),
    [
        pytest.param("import os, wiki.wsgi as w", ["os", "wiki.wsgi"], id="import"),
        pytest.param(
            "from wiki.wsgi import application", ["wiki.wsgi", "wiki.wsgi.application"], id="from"
        ),
        pytest.param("from . import x", [], id="relative"),
        pytest.param("def f():\n    import wiki", [], id="when it is called"),
    ],
)
def test_imports(source, imports):
    assert effects(source).imports == imports


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        pytest.param("os.environ['A'] = 'x'", [Variable("A", "x", False)], id="assigned"),
        pytest.param("environ.setdefault('A', 'x')", [Variable("A", "x", True)], id="a default"),
        pytest.param("os.putenv('A', 'x')", [Variable("A", "x", False)], id="putenv"),
        pytest.param(
            "os.environ.update({'A': 'x', **more}, B='y')",
            [Variable("A", "x", False), Variable("B", "y", False)],
            id="several",
        ),
        pytest.param(
            "os.environ['A'] = os.path.join(os.path.dirname(__file__), '.env')",
            [Variable("A", "/srv/wiki/deploy/.env", False)],
            id="a path",
        ),
        pytest.param("os.environ['A'] = value()", [], id="unknown value"),
        pytest.param("os.environ.update(more)", [], id="unknown values"),
        pytest.param("os.environ.pop('A', 'x')", [], id="removed"),
        pytest.param("settings['A'] = 'x'", [], id="another dict"),
    ],
)
def test_environment_variables(source, variables):
    assert effects(source).variables == variables


def test_source_with_a_nul_has_no_effects():
    assert effects_of(b"a = '\0'", FILE) == Effects()
