"""Findings as text, the same in ``check`` and where a server does not start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from .finding import Finding

_LEVELS = {"E": "ERROR", "W": "WARNING", "I": "INFO"}


def level_name(finding: Finding) -> str:
    """Return ERROR, WARNING or INFO."""
    return _LEVELS[finding.id[0]]


def finding_lines(finding: Finding) -> Iterator[str]:
    """Yield a finding in two lines: what is wrong, and the cure."""
    yield f"{level_name(finding)} wsgimatch.{finding.id} {finding.where}: {finding.message}"
    yield f"    hint: {finding.hint}"


def findings_summary(findings: Sequence[Finding]) -> str:
    """Return how many errors and warnings there are, and how many notes if there are any."""
    counts = Counter(finding.id[0] for finding in findings)
    notes = f", {_count(counts['I'], 'note')}" if counts["I"] else ""
    return f"{_count(counts['E'], 'error')}, {_count(counts['W'], 'warning')}{notes}."


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Return names as a sentence has them: "a, b and c"; "a, b and 7 more" beyond ``most``."""
    if most is not None and len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
