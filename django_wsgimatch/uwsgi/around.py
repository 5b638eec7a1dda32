"""
Options about all answers of a uWSGI: headers, the longest body, how long files may be kept.

Mirrors uwsgi_response_write_headers_do(), uwsgi_parse_vars() and uwsgi_add_expires() of uWSGI
2.0.31.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..aliases.alias import Extras, HeaderChange
from ..aliases.lines.expiry import Expires, ExpiresByType, SinceChange, is_media_type
from ..entry_options.extras import read_header_change
from ..exceptions import DirectiveError
from ..others.draft import Draft
from .options import UwsgiInstance, UwsgiOption

_HEADERS = "headers of the entries; error pages of the server do not have them"
_LIMIT = (
    "body_limit of the entries: a longer body is answered 413, where uWSGI closes the connection, "
    "and one in chunks too, which uWSGI lets through"
)
_EXPIRES = "of alias(): max-age says the same in Cache-Control, which uWSGI does not send"
_BY_TYPE: dict[str, Callable[[int], Expires]] = {
    "static-expires-type": int,
    "static-expires-type-mtime": SinceChange,
}
_LATER = "a later line replaces it"
_NO_MORE = "an earlier line is for all files"
_NO_HEADER = "it should be `Name: value`: correct it"
_NUMBER = re.compile(r"[0-9]{1,18}")
# Expressions that are found in the path of every file.
_ALL = frozenset([".*", "^.*", ".*$", "^.*$", ".+", "^.+", "^.+$", ".", "/", "^/", "^/.*", "/.*"])


@dataclass(frozen=True, slots=True)
class AroundAnswers:
    """What entries have because of such options: those of scripts, and those of files."""

    of_scripts: Extras | None = None
    of_files: Extras | None = None
    expires: int | None = None
    expires_by_type: ExpiresByType = ()


def read_around(draft: Draft, instance: UwsgiInstance) -> AroundAnswers:
    """Return what all entries of an instance have, and say what became of the options."""
    changes = (*_removed(draft, instance), *_added(draft, instance))
    of_files = Extras(headers=changes) if changes else None
    limit = _body_limit(draft, instance)
    kept = (_expires(draft, instance), _expires_by_type(draft, instance))
    if not changes and limit is None:
        return AroundAnswers(None, None, *kept)
    return AroundAnswers(Extras(headers=changes, body_limit=limit), of_files, *kept)


def _removed(draft: Draft, instance: UwsgiInstance) -> Iterator[HeaderChange]:
    """Yield what is done first: a header that is added stays, whoever else's is removed."""
    for each in (*instance.all("del-header"), *instance.all("rem-header")):
        yield from _change(draft, each, ("unset", each.value))


def _added(draft: Draft, instance: UwsgiInstance) -> Iterator[HeaderChange]:
    for each in instance.all("add-header"):
        name, colon, value = each.value.partition(":")
        if colon:
            yield from _change(draft, each, ("add", name, value.strip(" \t")))
        else:
            draft.note(each.line, "needs you", _NO_HEADER)


def _change(draft: Draft, option: UwsgiOption, line: tuple[str, ...]) -> Iterator[HeaderChange]:
    if option.unresolved:
        return
    try:
        change = read_header_change(line)
    except DirectiveError:
        draft.note(option.line, "needs you", _NO_HEADER)
        return
    draft.note(option.line, "kept", _HEADERS)
    yield change


def _body_limit(draft: Draft, instance: UwsgiInstance) -> int | None:
    given = instance.last("limit-post")
    if given is None or not _NUMBER.fullmatch(given.value) or not int(given.value):
        # What is no number is 0 for uWSGI, which limits nothing.
        return None
    for each in instance.all("limit-post"):
        is_last = each is given
        draft.note(each.line, "changed" if is_last else "not needed", _LIMIT if is_last else _LATER)
    return int(given.value)


def _expires(draft: Draft, instance: UwsgiInstance) -> int | None:
    """
    Return for how many seconds all files may be kept.

    Of several expressions the first that is found counts: one that leaves files out leaves the
    rest to the user, too.
    """
    others = [each for each in instance.options if each.key.startswith("static-expires-")]
    lines = [*instance.all("static-expires")]
    if not lines or any(not each.line.is_off for each in others):
        return None
    pattern, _, seconds = lines[0].value.strip().partition(" ")
    if pattern not in _ALL or not _NUMBER.fullmatch(seconds.strip()):
        return None
    draft.note(lines[0].line, "changed", f"expires {_EXPIRES}")
    for each in lines[1:]:
        draft.note(each.line, "not needed", _NO_MORE)
    return int(seconds)


def _expires_by_type(draft: Draft, instance: UwsgiInstance) -> ExpiresByType:
    """
    Return for how long files of some types may be kept: uwsgi_add_expires_type().

    Where other lines add one more Expires header to some files, all of them are left to the user.
    """
    all_lines = [each for each in instance.options if each.key.startswith("static-expires")]
    if any(each.key not in _BY_TYPE and not each.line.is_off for each in all_lines):
        return ()
    found: dict[str, Expires] = {}
    lines = [(each, kind) for key, kind in _BY_TYPE.items() for each in instance.all(key)]
    for each, kind in lines:
        name, _, seconds = each.value.partition("=")
        is_one = is_media_type(name) and not name.endswith("*") and name.islower()
        if not is_one or not _NUMBER.fullmatch(seconds):
            return ()
        found.setdefault(name, kind(int(seconds)))
    for each, _ in lines:
        draft.note(each.line, "changed", f"expires_by_type {_EXPIRES}")
    return tuple(found.items())
