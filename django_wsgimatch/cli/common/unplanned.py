"""Which entries have no plan, so that each of their requests walks through the file system."""

from __future__ import annotations

from collections.abc import Iterator

from ...configured import Configuration
from ...plans.plan import why_unplanned
from ...text import shown


def unplanned(configured: Configuration) -> dict[str, str]:
    """Return the names of the entries without a plan, and why they have none."""
    broken = {problem.where for problem in configured.problems}
    return {
        where: why
        for named in configured.tables()
        for position, where in named.own_names()
        if where not in broken
        and (why := why_unplanned(named.table.aliases[position], configured.rules))
    }


def unplanned_lines(configured: Configuration) -> Iterator[str]:
    """Yield a line for each entry without a plan."""
    for where, why in unplanned(configured).items():
        yield shown(f"{where} has no plan, so each request walks through the file system: {why}.")
