"""
Real configurations: how many directives an import leaves to the user, and on how many sites.

``python -m tests.conformance.needs FOLDER`` imports each ``*.conf`` file of a folder that can be
imported, and has an entry of a script afterwards. It prints a line for each directive, and the
totals.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.apache.writing.settings import Settings
from tests.support.imports import CONFIGURATIONS

_LEFT = ("needs you", "unknown")


@dataclass(slots=True)
class Needs:
    """What is left to the users of some sites: ``names`` counts the lines by directive."""

    sites: int = 0
    done: int = 0
    directives: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def add(self, imported: Imported) -> None:
        """Count one site."""
        left = [each.text.split()[0] for each in imported.outcomes if each.category in _LEFT]
        self.sites += 1
        self.done += not left
        self.directives += sum(each.category != "off" for each in imported.outcomes)
        self.names.update(left)

    def __str__(self) -> str:
        left = self.names.total()
        share = 100 * left / (self.directives or 1)
        lines = [f"{count:5} {name}" for name, count in self.names.most_common()]
        lines.append(
            f"{self.sites} sites, {self.done} need nothing; {left} of {self.directives} "
            f"directives need you ({share:.1f} %)"
        )
        return "\n".join(lines)


def count(paths: Iterable[Path]) -> Needs:
    """Count what the import of each configuration leaves to its user."""
    found = Needs()
    for path in paths:
        imported = import_configuration(read_file(str(path), Surroundings()))
        if imported.settings is not None and _runs_scripts(imported.settings):
            found.add(imported)
    return found


def _runs_scripts(settings: Settings) -> bool:
    entries = [*settings.entries, *(each for host in settings.hosts for each in host.entries)]
    return any(each.alias.answer is None for each in entries)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Count what imports leave to the user.")
    parser.add_argument("folder", nargs="?", type=Path, default=CONFIGURATIONS)
    options = parser.parse_args(arguments)
    print(count(sorted(options.folder.glob("*.conf"))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
