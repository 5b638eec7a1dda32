"""How files below an entry are served: what Apache's directives beside an Alias say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..exceptions import DirectiveError
from .lines.expiry import (
    EXPIRES_BY_TYPE_WANTED,
    EXPIRES_WANTED,
    Expires,
    ExpiresByType,
    expires_by_type_option,
    expires_option,
)
from .target import FollowSymlinks

Suffixes: TypeAlias = tuple[tuple[str, str], ...]
"""Suffixes, lower case and without their dot, and what each stands for ("" for nothing)."""

# What a header's value is made of; a line end would begin another header.
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;.*)?\Z")


@dataclass(frozen=True, slots=True)
class FileOptions:
    """
    How the files of one entry are served.

    ``index``
        The files that answer for a directory, the first that is there (DirectoryIndex).
    ``cache_control``
        The Cache-Control header of files (``Header set Cache-Control``).
    ``expires``
        How long files may be kept, in seconds from the request on (``ExpiresDefault "access plus
        N seconds"``), or from the change of each file on: the Expires header, and max-age where
        ``cache_control`` says nothing.
    ``expires_by_type``
        The same for files of some types, before ``expires`` (ExpiresByType).
    ``charset``
        The charset of text/plain and text/html that name none (AddDefaultCharset).
    ``precompressed``
        Whether ``x.br`` or ``x.gz`` beside ``x`` answers for it where the client takes that.
    ``immutable``
        Whether files that have a hash in their name, as Django's ManifestStaticFilesStorage
        writes it, may be kept for ever; this goes before the three above.
    ``forced_type``
        The type of all files (ForceType).
    ``types``, ``encodings``
        What suffixes stand for (AddType, AddEncoding), before what the system's mime.types says.
    ``follow_symlinks``
        The entry's own policy for symbolic links (Options), None for that of all entries.
    ``is_root``
        Whether the entry is tried after all others (DocumentRoot): no option of an author's.

    Raises DirectiveError for what no header can hold.
    """

    index: tuple[str, ...] = ("index.html",)
    cache_control: str | None = None
    expires: Expires | None = None
    expires_by_type: ExpiresByType = ()
    charset: str | None = None
    precompressed: bool = False
    immutable: bool = False
    forced_type: str | None = None
    types: Suffixes = ()
    encodings: Suffixes = ()
    follow_symlinks: FollowSymlinks | None = None
    is_root: bool = False

    def __post_init__(self) -> None:
        _check(_VALUE, "cache_control", self.cache_control)
        _check(_VALUE, "charset", self.charset)
        _check(_TYPE, "forced_type", self.forced_type)
        _check(_VALUE, "forced_type", self.forced_type)
        for suffix, value in self.types:
            _check(_TYPE, f"types[{suffix!r}]", value or None)
            _check(_VALUE, f"types[{suffix!r}]", value)
        for suffix, value in self.encodings:
            _check(_VALUE, f"encodings[{suffix!r}]", value)
        if isinstance(self.expires, int) and self.expires < 0:
            raise DirectiveError(f"expires is {self.expires}: it takes seconds, 0 or more")
        for name in self.index:
            if not name or name[0] == "/" or "\0" in name:
                raise DirectiveError(f"index holds {name!r}, which is no name in a directory")


def read_file_options(given: Mapping[str, Any], others: Iterable[str] = ()) -> FileOptions:
    """
    Return the options of an entry as its author has written them.

    ``index`` may be one name, ``types`` and ``encodings`` are dicts, whose suffixes may have their
    dot and any case; ``others`` are options that somebody else reads. Raises DirectiveError for an
    option that there is not, or of another type.
    """
    known = [*_READERS, *others]
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise DirectiveError(f"files have no option {name!r}; they have {', '.join(known)}")
        try:
            values[name] = _READERS[name](value)
        except (TypeError, AttributeError):
            wanted = _WANTED[_READERS[name]]
            raise DirectiveError(f"{name} is {value!r}; it takes {wanted}") from None
    return FileOptions(**values)


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _expires(value: Any) -> Expires | None:
    return None if value is None else expires_option(value)


def _names(value: Any) -> tuple[str, ...]:
    names: Iterable[Any] = [value] if isinstance(value, str) else value
    return tuple(str.__str__(name) for name in names)


def _links(value: Any) -> FollowSymlinks | None:
    if value is not None and not isinstance(value, bool) and value != "owner":
        raise TypeError
    policy: FollowSymlinks | None = value
    return policy


def _suffixes(value: Any) -> Suffixes:
    return tuple(
        (str.lower(suffix).removeprefix("."), str.__str__(told)) for suffix, told in value.items()
    )


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "index": _names,
    "cache_control": _text,
    "expires": _expires,
    "expires_by_type": expires_by_type_option,
    "charset": _text,
    "precompressed": _flag,
    "immutable": _flag,
    "forced_type": _text,
    "types": _suffixes,
    "encodings": _suffixes,
    "follow_symlinks": _links,
}
_WANTED: Mapping[Callable[[Any], Any], str] = {
    _names: "a name or a list of names",
    _text: "a text",
    _expires: EXPIRES_WANTED,
    expires_by_type_option: EXPIRES_BY_TYPE_WANTED,
    _flag: "True or False",
    _links: "True, False, 'owner' or None",
    _suffixes: "a dict of suffixes and texts",
}


def _check(pattern: re.Pattern[str], name: str, value: str | None) -> None:
    if value is not None and not pattern.match(value):
        raise DirectiveError(f"{name} is {value!r}, which no header can hold")
