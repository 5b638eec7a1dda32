"""How long the search for a pattern takes on its worst URL, measured within bounds."""

from __future__ import annotations

from time import perf_counter, thread_time

from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.redos import BlowUp, time_in_words

# What may be tried without a limit, by the estimate, and how long all patterns of a check may take.
_LONGEST_TRY = 1e9
_MOST_SECONDS = 2.0


class Timing:
    """Measures one pattern after the other, and estimates once it has taken long enough."""

    def __init__(self, seconds: float = _MOST_SECONDS) -> None:
        self._left = seconds

    def told(self, pattern: Pattern, found: BlowUp) -> str:
        """Return what the worst URL is and how long it takes, in words."""
        url = f"One of {len(found.attack):,} bytes"
        has_limit = pattern.engine == "pcre2"
        if not has_limit and found.nanoseconds > _LONGEST_TRY:
            return f"{url} takes about {time_in_words(found.nanoseconds)}: {found.recipe}"
        if self._left <= 0:
            limit = ", until PCRE2 gives up" if has_limit else ""
            time = time_in_words(found.nanoseconds)
            return f"{url} takes about {time}{limit} (an estimate): {found.recipe}"
        time = time_in_words(self._measured(pattern, found.attack))
        return f"{url} took {time} on {_ENGINES[has_limit]}: {found.recipe}"

    def _measured(self, pattern: Pattern, uri: str) -> float:
        find = pattern.silent_find()
        begin, used = perf_counter(), thread_time()
        find(uri)
        nanoseconds = (thread_time() - used) * 1e9
        self._left -= perf_counter() - begin
        return nanoseconds


_ENGINES = {False: "Python's re", True: "PCRE2"}
