"""What a redirect answers, as settings say it."""

from __future__ import annotations

from typing import Literal

from ..aliases.alias import Redirection
from ..aliases.directives import STATUSES, check_redirection
from ..aliases.redirecting import ANSWERED
from ..exceptions import DirectiveError
from .texts import bytes_of


def read_redirection(kind: Literal["plain", "match"], url: object, status: object) -> Redirection:
    """
    Return what a redirect answers; the url and the status may be whatever a user wrote.

    Raises DirectiveError.
    """
    if isinstance(status, str):
        status = STATUSES.get(status.lower(), status)
    if type(status) is not int or status not in ANSWERED:
        words = f"a status of 200 or more that Apache knows, or {', '.join(STATUSES)}"
        raise DirectiveError(f"the status should be {words}, not {status!r}")
    return check_redirection(kind, bytes_of("url", url) if url else None, status)
