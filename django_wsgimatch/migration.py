"""What ``manage.py wsgimatch import`` makes of a file: settings as text, and what became of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .servers.apache.fragment import python_lines
from .servers.apache.importing import Imported, import_configuration
from .servers.apache.reading import read_file, read_text
from .servers.apache.report import record
from .servers.apache.surroundings import Surroundings

STANDARD_INPUT = "-"


def import_file(path: str, surroundings: Surroundings) -> Imported:
    """Import an Apache configuration; "-" is standard input. Raises OSError."""
    if path == STANDARD_INPUT:
        text = sys.stdin.buffer.read().decode("latin-1")
        return import_configuration(read_text(text, "<stdin>", surroundings))
    return import_configuration(read_file(path, surroundings))


def write_settings(imported: Imported, source: str, shape: str) -> str:
    """
    Return what is written for an import, "" where nothing can be.

    ``shape`` is "python" or "json"; ``source`` says what was imported.
    """
    if shape == "json":
        return json.dumps(record(imported), indent=2) + "\n"
    if imported.settings is None:
        return ""
    name = "standard input" if source == STANDARD_INPUT else Path(source).name
    return "".join(f"{line}\n" for line in python_lines(imported.settings, name))
