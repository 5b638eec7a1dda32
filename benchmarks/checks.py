"""
How long ``manage.py wsgimatch check`` takes, by the size and the kind of the table.

``python -m benchmarks.checks`` prints a table and says whether the contracts are kept: 1,000
aliases take less than 10 s, 10,000 less than 60 s, whatever they are. With ``--output`` it also
writes ``checks.json`` and ``checks.svg``.

Every alias has a script of its own. "Mixed" is the table of ``benchmarks.index``; "branches" are
patterns with alternatives; "searched" are patterns without an anchor; "hidden" are all behind one
that takes their URLs; "crossed" are all behind two that take some.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import django
from django.conf import settings

from benchmarks.by_size import Task, report
from benchmarks.index import location
from benchmarks.measure import parser
from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.entries import Entry

SIZES = (100, 1_000, 10_000)
CHECKS = Task(
    name="checks",
    action="a check",
    each="alias",
    key="entries",
    axis="entries in the table",
    contract="{size:,} {kind} aliases",
    most_seconds={1_000: 10, 10_000: 60},
)
SOURCE = """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("TENANT", "app")
application = get_wsgi_application()
"""


def mixed(number: int) -> Entry:
    text, target = location(number), f"scripts/app{number}.wsgi"
    if text.startswith("^"):
        return script_alias_match(text + "$", target)
    return script_alias(text, target)


def branches(number: int) -> Entry:
    pattern = rf"^/(app{number}|site{number})/(edit|view)/(\d+)"
    return script_alias_match(pattern, f"scripts/app{number}.wsgi")


def searched(number: int) -> Entry:
    return script_alias_match(rf"/app{number}/.*\.(php|cgi)$", f"scripts/app{number}.wsgi")


def hidden(number: int) -> Entry:
    return branches(number) if number else script_alias("/", "scripts/app0.wsgi")


def crossed(number: int) -> Entry:
    patterns = {0: r"^/[^/]+/(admin|static)(/|$)", 1: r"\.php$"}
    if number in patterns:
        return script_alias_match(patterns[number], f"scripts/app{number}.wsgi")
    return script_alias_match(rf"^/app{number}(/.*)?$", f"scripts/app{number}.wsgi$1")


KINDS: Mapping[str, Callable[[int], Entry]] = {
    each.__name__: each for each in (mixed, branches, searched, hidden, crossed)
}


def seconds(size: int, entry: Callable[[int], Entry]) -> float:
    """
    Return the seconds of CPU time of a check, the reading of the settings included.

    That of the processes in which Django projects are asked counts, too.
    """
    # What imports Django's settings comes after they have been made.
    from django_wsgimatch.cli.check import findings
    from django_wsgimatch.conf import configuration

    settings.WSGIMATCH_ALIASES = [entry(number) for number in range(size)]
    configuration.cache_clear()
    started = sum(os.times()[:4])
    findings()
    return sum(os.times()[:4]) - started


def build_site(base: Path) -> None:
    (base / "scripts").mkdir()
    for number in range(SIZES[-1] + 2):
        (base / f"scripts/app{number}.wsgi").write_text(SOURCE)


def measure() -> dict[str, dict[int, float]]:
    """Return the seconds by kind and size."""
    with tempfile.TemporaryDirectory() as directory:
        build_site(Path(directory))
        settings.configure(
            BASE_DIR=directory, INSTALLED_APPS=["django_wsgimatch"], ROOT_URLCONF=__name__
        )
        django.setup()
        return {
            name: {size: seconds(size, entry) for size in SIZES} for name, entry in KINDS.items()
        }


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__)).parse_args(argv)
    return report(CHECKS, measure(), options.output)


urlpatterns: list[object] = []

if __name__ == "__main__":
    raise SystemExit(main())
