"""Which content codings a client takes: RFC 9110, 12.5.3."""

from __future__ import annotations

import re
from functools import lru_cache

# What is looked for beside a file, the best first: coding and suffix.
PRECOMPRESSED = (("br", ".br"), ("gzip", ".gz"))

_MEMBER = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*q=([01](?:\.[0-9]{0,3})?)[ \t]*)?\Z",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def accepted(header: str) -> tuple[tuple[str, str], ...]:
    """
    Return the codings that an Accept-Encoding header prefers to the file as it is, best first.

    Each comes with the suffix of its files. A member that cannot be read is passed over.
    """
    qualities = {}
    for member in header.split(","):
        if found := _MEMBER.match(member):
            coding = found[1].lower().removeprefix("x-")
            qualities[coding] = float(found[2] or 1)
    as_it_is = qualities.get("identity", 0.0)
    others = qualities.get("*", 0.0)
    wanted = [
        (quality, coding, suffix)
        for coding, suffix in PRECOMPRESSED
        if (quality := qualities.get(coding, others)) > 0 and quality >= as_it_is
    ]
    # Sorting keeps the order of equals.
    wanted.sort(key=lambda each: -each[0])
    return tuple((coding, suffix) for _, coding, suffix in wanted)
