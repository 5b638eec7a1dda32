"""ErrorDocument lines for statuses that no line of a configuration makes Apache answer with."""

from __future__ import annotations

from collections.abc import Sequence

from ...entry_options.error_pages import ANSWERED_HERE
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger

_UNAUTHORIZED = "401"
# These may answer with a status that they name.
_ANSWERING = ("redirect", "redirectmatch", "rewriterule")
_NEVER = "Nothing here asks for a password; 401 of an application is its own page, in Apache, too"
_NOT_HERE = "Nothing here answers {0} itself; {0} of an application is its own page, in Apache, too"


def note_error_pages(directives: Sequence[Directive], ledger: Ledger) -> None:
    """Say of pages that nobody gets: those for 401 where no line asks for a password, too."""
    pages = [each for each in directives if each.key == "errordocument"]
    asks = bool(pages) and any(map(_may_ask, directives))
    answering = [each.rest for each in directives if each.key in _ANSWERING]
    for each in pages:
        status = (each.words or [""])[0]
        if any(status in text for text in answering):
            continue
        if status == _UNAUTHORIZED and not asks:
            ledger.note(each, "not needed", _NEVER)
        elif status.isdecimal() and 400 <= int(status) <= 599 and int(status) not in ANSWERED_HERE:
            ledger.note(each, "not needed", _NOT_HERE.format(status))


def _may_ask(directive: Directive) -> bool:
    """Whether a line may make Apache ask for a password."""
    return directive.key == "authtype" and directive.rest.strip("\"' ").lower() != "none"
