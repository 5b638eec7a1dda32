"""What the tests of the import ask: lines of a configuration in, entries and notes out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.apache.covering.coverage import FileKind
from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.reading.reading import read_text
from django_wsgimatch.apache.writing.fragment import python_lines, values
from django_wsgimatch.apache.writing.settings import Settings

SCRIPT_LINE = "WSGIScriptAlias / /srv/a.wsgi"
CERTIFICATE = "SSLCertificateFile /etc/ssl/a.pem"
CONFIGURATIONS = Path(__file__).resolve().parents[3] / "shared" / "apache-configs"


def import_lines(
    *lines: str, files: Mapping[str, FileKind] | None = None, carries: bool = True
) -> Imported:
    """
    Import lines; ``files`` is what the file system has, nothing by default.

    Without ``carries`` all access rules are taken for such as no settings can say.
    """
    known = files or {}
    configuration = read_text("\n".join([*lines, ""]), "site.conf")
    return import_configuration(
        configuration, lambda path: known.get(path, "missing"), carries=carries
    )


def settings_of(
    *lines: str, files: Mapping[str, FileKind] | None = None, carries: bool = True
) -> Settings:
    """The settings that lines stand for."""
    settings = import_lines(*lines, files=files, carries=carries).settings
    assert settings is not None
    return settings


def aliases_of(*lines: str, files: Mapping[str, FileKind] | None = None) -> list[Alias]:
    """The entries for all hosts that lines stand for."""
    return [each.alias for each in settings_of(*lines, files=files).entries]


def values_of(*lines: str) -> dict[str, Any]:
    """The settings but the aliases, as JSON has them."""
    found = values(settings_of(*lines))
    del found["WSGIMATCH_ALIASES"]
    return found


def notes_of(
    *lines: str, files: Mapping[str, FileKind] | None = None, carries: bool = True
) -> dict[int, str]:
    """By line, what the report says: the category and the note."""
    outcomes = import_lines(*lines, files=files, carries=carries).outcomes
    return {each.spot.line: f"{each.category}: {each.note}" for each in outcomes}


def entry_lines(
    *lines: str, files: Mapping[str, FileKind] | None = None, carries: bool = True
) -> list[str]:
    """The entries for every host as the fragment has them, each on one line."""
    written = list(python_lines(settings_of(*lines, files=files, carries=carries), "site.conf"))
    start = written.index("WSGIMATCH_ALIASES = [") + 1
    found: list[str] = []
    for line in written[start : written.index("]", start)]:
        if line.startswith("     ") or line == "    ),":
            found[-1] += line.strip() + " "
        elif not line.startswith("    #"):
            found.append(line.strip())
    return [each.strip().removesuffix(",").replace(", )", ")") for each in found]


def text_of(*lines: str, carries: bool = True) -> str:
    """The settings fragment."""
    return "\n".join(python_lines(settings_of(*lines, carries=carries), "site.conf")) + "\n"


def section(start: str, *lines: str) -> list[str]:
    """Lines in a section."""
    return [f"<{start}>", *lines, f"</{start.split()[0]}>"]


def host(address: str, *lines: str) -> list[str]:
    """A virtual host with a script, and the lines."""
    return [f"<VirtualHost {address}>", *lines, SCRIPT_LINE, "</VirtualHost>"]


def secure_host(*lines: str, address: str = "*:443") -> list[str]:
    """A virtual host with a certificate of its own; the first of the lines is the second one."""
    return host(address, *lines, "SSLEngine on", CERTIFICATE)
