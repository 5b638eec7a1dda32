"""
``response_headers`` of an action: what is done with the headers of its answers.

Mirrors nxt_http_set_headers() of Unit: the action that answers counts, and answers below 400 alone.
"""

from __future__ import annotations

from ..aliases.alias import Extras, HeaderChange
from ..entry_options.extras import read_header_change
from ..exceptions import DirectiveError
from ..others.draft import Draft
from .members import UnitMember, note_all

NO_HEADERS = "headers: let the server in front set them"
_NOT_LITERAL = "no entry has a header with this value: let the application set it"
_LAST = "Unit has the headers of the action that answers alone, which this one is not"
_OF_FILES = "headers of the entry"
_OF_SCRIPTS = (
    "headers of the entry. The application's own errors have them too; Unit leaves answers of 400 "
    "and above alone, and of several headers with this name it replaces the first"
)


def headers_of_files(draft: Draft, action: UnitMember) -> Extras | None:
    """Return what an entry has that answers with files, and say what became of each header."""
    return _extras(draft, action, _OF_FILES, is_exact=True)


def headers_of_scripts(draft: Draft, action: UnitMember) -> Extras | None:
    """Return what an entry has that leads to an application."""
    return _extras(draft, action, _OF_SCRIPTS, is_exact=False)


def note_unused(draft: Draft, action: UnitMember) -> None:
    """Say so of the headers of an action that leads to others."""
    note_all(draft, action.get("response_headers"), "not needed", _LAST)


def note_rest(draft: Draft, action: UnitMember) -> None:
    """Leave to the user the headers of an action that no entry has come of."""
    given = action.get("response_headers")
    for line in () if given is None else given.leaves():
        if draft.ledger.outcome(line) is None:
            draft.note(line, "needs you", NO_HEADERS)


def _extras(draft: Draft, action: UnitMember, note: str, *, is_exact: bool) -> Extras | None:
    given = action.get("response_headers")
    changes: list[HeaderChange] = []
    for name, value in () if given is None else given.items():
        change = _change(name, value)
        if change is None:
            note_all(draft, value, "needs you", _NOT_LITERAL)
        else:
            note_all(draft, value, "kept" if is_exact else "changed", note)
            changes.append(change)
    return Extras(headers=tuple(changes)) if changes else None


def _change(name: str, value: UnitMember) -> HeaderChange | None:
    line = ("unset", name) if value.value is None else ("set", name, value.text)
    # A dollar begins a variable.
    if value.text is not None and "$" in value.text:
        return None
    try:
        return read_header_change(line)
    except DirectiveError:
        return None
