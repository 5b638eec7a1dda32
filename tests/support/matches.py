"""What a pattern has found, in a form that compares."""

from __future__ import annotations

from django_wsgimatch.aliases.patterns.pattern import Found, Pattern


def told(pattern: Pattern, found: Found | None) -> tuple[list[str | None], int] | None:
    """All groups of a match and where it ends."""
    if found is None:
        return None
    return [found.group(n) for n in range(pattern.groups + 1)], found.end()
