"""What rewrite() is given: a pattern, a new URL and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..aliases.alias import Rewriting
from ..exceptions import DirectiveError
from .redirection import read_redirection
from .texts import bytes_of

_VARIABLE = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)


def read_rewriting(given: Rewriting) -> Rewriting:
    """
    Return what an entry says that rewrites; all of it may be whatever a user wrote.

    Patterns are not compiled here. Raises DirectiveError.
    """
    if not isinstance(given.append_query, bool):
        raise DirectiveError(f"append_query should be True or False, not {given.append_query!r}")
    pattern, when = bytes_of("pattern", given.pattern), tuple(_conditions(given.when))
    if given.status is None:
        return Rewriting(pattern, bytes_of("url", given.url), given.append_query, when)
    if given.append_query:
        raise DirectiveError("append_query should be left out where there is a status")
    answer = read_redirection("match", given.url, given.status)
    return Rewriting(pattern, answer.url, when=when, status=answer.status)


def _conditions(given: object) -> Iterator[tuple[str, str]]:
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise DirectiveError(
            "when should be a dict of variables of the environ to patterns, as in "
            f"{{'REQUEST_METHOD': '^POST$'}}, not {given!r}"
        )
    for name, pattern in given.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise DirectiveError(
                "when should name variables of the environ, such as 'HTTP_USER_AGENT', "
                f"not {name!r}"
            )
        yield name, bytes_of(f"pattern of when[{name!r}]", pattern)
