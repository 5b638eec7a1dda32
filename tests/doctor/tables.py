"""Tables as the doctor is shown them: entries, and the files that they lead to, in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django_wsgimatch import checks
from django_wsgimatch.conf import configuration
from django_wsgimatch.doctor.findings.finding import Finding

APPLICATION = "def application(environ, start_response): ...\n"


def write(directory: Path, files: Mapping[str, str] | Iterable[str]) -> None:
    """Write files: names alone stand for applications that do nothing."""
    sources = files if isinstance(files, Mapping) else dict.fromkeys(files, APPLICATION)
    for name, source in sources.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(source)


def found(settings: Any, directory: Path, aliases: list[Any], **more: Any) -> list[Finding]:
    """Return what is said of a table, without a word of the projects behind it."""
    settings.BASE_DIR = directory
    settings.WSGIMATCH_ALIASES = aliases
    for name, value in more.items():
        setattr(settings, f"WSGIMATCH_{name.upper()}", value)
    configured = configuration()
    all_found = [
        *checks.settings_findings(configured),
        *checks.file_system_findings(configured, most_projects=0),
    ]
    # That no project was asked is how it is meant here.
    return [finding for finding in all_found if finding.id != "W025"]
