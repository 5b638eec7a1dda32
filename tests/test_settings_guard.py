from __future__ import annotations

import pytest

from django_wsgimatch.settings_guard import settings_modules


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        pytest.param('os.environ["DJANGO_SETTINGS_MODULE"] = "a"', ("a",), id="assignment"),
        pytest.param(
            'x = os.environ["DJANGO_SETTINGS_MODULE"] = "a"', ("a",), id="chained assignment"
        ),
        pytest.param('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "a")', ("a",), id="default"),
        pytest.param('environ.setdefault("DJANGO_SETTINGS_MODULE", "a")', ("a",), id="imported"),
        pytest.param('putenv("DJANGO_SETTINGS_MODULE", "a")', ("a",), id="putenv"),
        pytest.param('os.environ.update(X="y", DJANGO_SETTINGS_MODULE="a")', ("a",), id="keyword"),
        pytest.param(
            'os.environ.update({"X": "y", "DJANGO_SETTINGS_MODULE": "a"})', ("a",), id="dict"
        ),
        pytest.param('os.environ |= {**x, "DJANGO_SETTINGS_MODULE": "a"}', ("a",), id="union"),
        pytest.param(
            'def f():\n    os.environ["DJANGO_SETTINGS_MODULE"] = "a"', ("a",), id="in a function"
        ),
        pytest.param(
            'e = os.environ\ne["DJANGO_SETTINGS_MODULE"] = "b"\n'
            'e.setdefault("DJANGO_SETTINGS_MODULE", "a")\ne["DJANGO_SETTINGS_MODULE"] = "b"',
            ("b", "a"),
            id="several, in order and once each",
        ),
        pytest.param('if x:\n    putenv("DJANGO_SETTINGS_MODULE", "a")', ("a",), id="below an if"),
        pytest.param(
            'if __name__ == "__main__":\n    putenv("DJANGO_SETTINGS_MODULE", "a")\n'
            'else:\n    putenv("DJANGO_SETTINGS_MODULE", "b")',
            ("b",),
            id="not what only a main program does",
        ),
        pytest.param(
            'if __name__ != "__main__":\n    putenv("DJANGO_SETTINGS_MODULE", "a")',
            ("a",),
            id="what a main program does not do",
        ),
        pytest.param('os.environ["DJANGO_SETTINGS_MODULE"] = name', (), id="no literal"),
        pytest.param('os.environ["OTHER"] = "a"', (), id="another variable"),
        pytest.param('os.environ.get("DJANGO_SETTINGS_MODULE", "a")', (), id="reading is no wish"),
        pytest.param(
            'd(get("DJANGO_SETTINGS_MODULE"), setdefault("DJANGO_SETTINGS_MODULE", "a"))',
            ("a",),
            id="reading beside a wish",
        ),
        pytest.param(
            "target = get('DJANGO_SETTINGS_MODULE', putenv('DJANGO_SETTINGS_MODULE', 'a'))",
            ("a",),
            id="a wish within what reads",
        ),
        pytest.param(
            'd = {"get(": 1, "DJANGO_SETTINGS_MODULE": "a"}', ("a",), id="a name like a reading"
        ),
        pytest.param('setdefault("DJANGO_SETTINGS_MODULE")', (), id="a default that is missing"),
        pytest.param('os.environ["DJANGO_SETTINGS_MODULE"] = 1', (), id="no text"),
        pytest.param("(", (), id="source that does not parse"),
        pytest.param("a\0b", (), id="a NUL"),
        pytest.param("# coding: klingon", (), id="an unknown encoding"),
        pytest.param("-" * 100_000 + "1", (), id="deeper than the parser goes"),
        pytest.param(
            "x = " + "y + " * 1500 + '1\nputenv("DJANGO_SETTINGS_MODULE", "a")',
            ("a",),
            id="a long sum before it",
        ),
    ],
)
def test_settings_modules(source, modules):
    found = settings_modules(source.encode())

    assert found == modules
