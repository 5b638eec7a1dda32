"""Export a text in a test: what was written, and what became of the lines."""

from __future__ import annotations

from django_wsgimatch.apache.covering.coverage import FileKind, FileKinds
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.fronts.apache.export import Exported, export_configuration
from django_wsgimatch.fronts.backend import read_backend

FILES: dict[str, FileKind] = {
    "/srv/app.wsgi": "file",
    "/srv/app/app.wsgi": "file",
    "/srv/two/two.wsgi": "file",
}
BASE = "http://127.0.0.1:8000"


def export(text: str, to: str = BASE, kind_of: FileKinds | None = None) -> Exported:
    """Export a text to a server, with a few files there."""
    configuration = read_text(text, "/c/site.conf", Surroundings(environ={}))
    return export_configuration(
        configuration,
        text,
        "/c/site.conf",
        read_backend(to),
        kind_of or (lambda path: FILES.get(path, "missing")),
    )


def passed(text: str) -> list[str]:
    """The lines of an export, without indents and the section of headers, which all have."""
    lines = [line.strip() for line in export(text).text.splitlines()]
    start = lines.index(f'<Proxy "{BASE}/*">')
    end = lines.index("</Proxy>", start)
    return lines[:start] + lines[end + 1 :]
