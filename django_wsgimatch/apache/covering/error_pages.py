"""ErrorDocument lines for statuses that no line of a configuration makes Apache answer with."""

from __future__ import annotations

from collections.abc import Sequence

from ..lines.directive import Directive
from ..outcomes.outcome import Ledger

_UNAUTHORIZED = "401"
_ANSWERING = ("redirect", "redirectmatch", "rewriterule")
_NEVER = "Nothing here asks for a password; 401 of an application is its own page, in Apache, too"


def note_error_pages(directives: Sequence[Directive], ledger: Ledger) -> None:
    """Say of pages for 401 that nobody gets them, where no line asks for a password."""
    pages = [each for each in directives if each.key == "errordocument"]
    if not pages or any(map(_may_answer, directives)):
        return
    for each in pages:
        if each.words[:1] == [_UNAUTHORIZED]:
            ledger.note(each, "not needed", _NEVER)


def _may_answer(directive: Directive) -> bool:
    """Whether a line may make Apache answer with 401 itself."""
    if directive.key == "authtype":
        return directive.rest.strip("\"' ").lower() != "none"
    return directive.key in _ANSWERING and _UNAUTHORIZED in directive.rest
