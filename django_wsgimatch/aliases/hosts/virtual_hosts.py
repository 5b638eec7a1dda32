"""Which pattern of the virtual hosts a name fits first, at the same cost among any number."""

from __future__ import annotations

from collections.abc import Iterable

from .names import split_host


class HostIndex:
    """
    The patterns of virtual hosts, in order, as in Django's ALLOWED_HOSTS.

    A pattern is a name; ``.example.com`` is that name and all below it, ``*`` any.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._names: dict[str, int] = {}
        for position, pattern in enumerate(map(str.lower, self.patterns)):
            self._names.setdefault(pattern, position)
        self._domains = {name: at for name, at in self._names.items() if name.startswith(".")}
        self._any = self._names.get("*")
        # No more labels of a name are looked at, however many a client sends.
        self._deepest = max((domain.count(".") for domain in self._domains), default=0)

    def find(self, host: str) -> str | None:
        """Return the first pattern that a Host header fits, port or not, or None."""
        position = self._first(name_in(host))
        return None if position is None else self.patterns[position]

    def _first(self, name: str) -> int | None:
        fitting = [self._names.get(name), self._any]
        if self._domains:
            fitting += map(self._domains.get, self._domains_of(name))
        return min((position for position in fitting if position is not None), default=None)

    def _domains_of(self, name: str) -> Iterable[str]:
        yield "." + name
        start = len(name)
        for _ in range(self._deepest):
            start = name.rfind(".", 0, start)
            if start < 0:
                return
            yield name[start:]


def name_in(host: str) -> str:
    """Return the name in a Host header as patterns are compared with it."""
    return split_host(host)[0].lower().rstrip(".")


def host_matches(pattern: str, name: str) -> bool:
    """Whether a host's name, lower case and without port, fits a pattern of ALLOWED_HOSTS."""
    pattern = pattern.lower()
    return pattern in ("*", name) or (
        pattern.startswith(".") and (name.endswith(pattern) or name == pattern[1:])
    )
