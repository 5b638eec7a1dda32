"""What names say of files, as mod_mime reads them."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.answers.files import media_types
from django_wsgimatch.answers.files.media_types import describe, read_types, system_types


@pytest.fixture(autouse=True)
def known_types(monkeypatch):
    types = "text/html html htm\ntext/css css\nimage/png png\ntext/plain txt es\n"
    monkeypatch.setattr(media_types, "system_types", lambda: read_types(types))


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        pytest.param("a.html", {"Content-Type": "text/html"}, id="one suffix"),
        pytest.param("A.HTML", {"Content-Type": "text/html"}, id="in capitals"),
        pytest.param("a.png.html", {"Content-Type": "text/html"}, id="the last type counts"),
        pytest.param("a.html.bak", {"Content-Type": "text/html"}, id="an unknown suffix"),
        pytest.param("html", {}, id="no suffix"),
        pytest.param(".html", {}, id="a hidden file"),
        pytest.param("...html", {}, id="a hidden file with many dots"),
        pytest.param(".a.html", {"Content-Type": "text/html"}, id="a hidden file with a suffix"),
        pytest.param("a..html", {"Content-Type": "text/html"}, id="an empty suffix"),
        pytest.param("a.", {}, id="an empty suffix at the end"),
        pytest.param("a.tar.gz", {"Content-Type": "application/x-gzip"}, id="Debian's archive"),
        pytest.param("a.css.gz", {"Content-Type": "application/x-gzip"}, id="a compressed sheet"),
        pytest.param(
            "a.de.html",
            {"Content-Type": "text/html", "Content-Language": "de"},
            id="a language",
        ),
        pytest.param(
            "a.html.en.pt-BR",
            {"Content-Type": "text/html", "Content-Language": "en,pt-br"},
            id="two languages",
        ),
        pytest.param("a.html.utf8", {"Content-Type": "text/html; charset=utf-8"}, id="a charset"),
        pytest.param("a.utf8", {}, id="a charset of no type"),
        pytest.param("a.es", {"Content-Language": "es"}, id="a language that was a type"),
    ],
)
def test_describe(name, headers):
    found = describe(name, FileOptions())

    assert dict(found) == headers


@pytest.mark.parametrize(
    ("name", "options", "headers"),
    [
        pytest.param(
            "a.html",
            FileOptions(charset="utf-8"),
            {"Content-Type": "text/html; charset=utf-8"},
            id="a charset for html",
        ),
        pytest.param(
            "a.css", FileOptions(charset="utf-8"), {"Content-Type": "text/css"}, id="not for css"
        ),
        pytest.param(
            "a.html.latin1",
            FileOptions(charset="utf-8"),
            {"Content-Type": "text/html; charset=iso-8859-1"},
            id="not where the name has one",
        ),
        pytest.param("a", FileOptions(charset="utf-8"), {}, id="not where there is no type"),
        pytest.param(
            "a.html.utf8",
            FileOptions(forced_type="text/x", charset="utf-8"),
            {"Content-Type": "text/x"},
            id="a type for all",
        ),
        pytest.param(
            "a.tar.gz",
            FileOptions(
                types=(("tar", "application/x-tar"), ("gz", "")), encodings=(("gz", "x-gzip"),)
            ),
            {"Content-Type": "application/x-tar", "Content-Encoding": "x-gzip"},
            id="an encoding instead of a type",
        ),
        pytest.param(
            "a.gz.br",
            FileOptions(encodings=(("gz", "gzip"), ("br", "br"))),
            {
                "Content-Type": "application/x-gzip",
                "Content-Language": "br",
                "Content-Encoding": "gzip, br",
            },
            id="two encodings",
        ),
    ],
)
def test_describe_with_options(name, options, headers):
    found = describe(name, options)

    assert dict(found) == headers


def test_types_are_read_as_apache_reads_them():
    types = read_types("# text/x x\n\ntext/HTML\tHTML htm \ntext/none\ntext/two htm\n")

    assert types == {"html": "text/HTML", "htm": "text/two"}


def test_without_a_file_python_s_own_types_are_taken(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(media_types, "TYPES_CONFIG", ("/nowhere/mime.types",))
    system_types.cache_clear()
    types = dict(system_types())
    system_types.cache_clear()

    assert {types["html"], types["css"], types["png"]} == {"text/html", "text/css", "image/png"}
