"""
Real configurations: how many directives an import leaves to the user, and on how many sites.

``python -m tests.conformance.needs FOLDER`` imports each ``*.conf`` file of a folder that can be
imported, and has an entry of a script afterwards. It prints a line for each directive, and the
totals. ``--behind-apache`` imports as behind an Apache that stays; ``--lines`` prints what is left,
line by line.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import ApacheConfiguration, Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.settings import Settings
from django_wsgimatch.fronts.apache.behind import import_behind_apache
from django_wsgimatch.fronts.backend import DEFAULT_BACKEND, read_backend
from tests.support.imports import CONFIGURATIONS

_LEFT = ("needs you", "unknown")


@dataclass(slots=True)
class Needs:
    """
    What is left to the users of some sites: ``names`` counts the lines by directive.

    ``parts`` are lines beside them that are decided with one of them.
    """

    sites: int = 0
    done: int = 0
    directives: int = 0
    parts: int = 0
    names: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def add(self, imported: Imported) -> None:
        """Count one site."""
        outcomes = [each for each in imported.outcomes if each.category in _LEFT]
        left = [each.text.split()[0] for each in outcomes]
        self.lines += (f"{each.spot}: {each.text}: {each.note}" for each in outcomes)
        self.sites += 1
        self.done += not left
        self.directives += sum(each.category != "off" for each in imported.outcomes)
        self.parts += sum(each.category == "part" for each in imported.outcomes)
        self.names.update(left)

    def __str__(self) -> str:
        left = self.names.total()
        share = 100 * left / (self.directives or 1)
        lines = [f"{count:5} {name}" for name, count in self.names.most_common()]
        lines.append(
            f"{self.sites} sites, {self.done} need nothing; {left} of {self.directives} "
            f"directives need you ({share:.1f} %), {self.parts} are part of these"
        )
        return "\n".join(lines)


def behind_apache(configuration: ApacheConfiguration) -> Imported:
    """Import a configuration behind an Apache that stays."""
    return import_behind_apache(configuration, read_backend(DEFAULT_BACKEND))


def count(
    paths: Iterable[Path],
    importer: Callable[[ApacheConfiguration], Imported] = import_configuration,
) -> Needs:
    """Count what the import of each configuration leaves to its user."""
    found = Needs()
    for path in paths:
        imported = importer(read_file(str(path), Surroundings()))
        if imported.settings is not None and _runs_scripts(imported.settings):
            found.add(imported)
    return found


def _runs_scripts(settings: Settings) -> bool:
    entries = [*settings.entries, *(each for host in settings.hosts for each in host.entries)]
    return any(each.alias.answer is None for each in entries)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Count what imports leave to the user.")
    parser.add_argument("folder", nargs="?", type=Path, default=CONFIGURATIONS)
    parser.add_argument("--behind-apache", action="store_true")
    parser.add_argument("--lines", action="store_true", help="print what is left, line by line")
    options = parser.parse_args(arguments)
    importer = behind_apache if options.behind_apache else import_configuration
    found = count(sorted(options.folder.glob("*.conf")), importer)
    print("\n".join([*(found.lines if options.lines else ()), str(found)]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
