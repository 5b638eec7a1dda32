"""How files below an entry are served: what Apache's directives beside an Alias say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ..exceptions import DirectiveError

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
        How long files may be kept from the request on, in seconds (``ExpiresDefault "access plus
        N seconds"``): the Expires header, and max-age where ``cache_control`` says nothing.
    ``charset``
        The charset of text/plain and text/html that name none (AddDefaultCharset).
    ``precompressed``
        Whether ``x.br`` or ``x.gz`` beside ``x`` answers for it where the client takes that.
    ``immutable``
        Whether files that have a hash in their name, as Django's ManifestStaticFilesStorage
        writes it, may be kept for ever; this goes before ``cache_control`` and ``expires``.
    ``forced_type``
        The type of all files (ForceType).
    ``types``, ``encodings``
        What suffixes stand for (AddType, AddEncoding), before what the system's mime.types says.

    Raises DirectiveError for what no header can hold.
    """

    index: tuple[str, ...] = ("index.html",)
    cache_control: str | None = None
    expires: int | None = None
    charset: str | None = None
    precompressed: bool = False
    immutable: bool = False
    forced_type: str | None = None
    types: Suffixes = ()
    encodings: Suffixes = ()

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
        if self.expires is not None and self.expires < 0:
            raise DirectiveError(f"expires is {self.expires}: it takes seconds, 0 or more")
        for name in self.index:
            if not name or name[0] == "/" or "\0" in name:
                raise DirectiveError(f"index holds {name!r}, which is no name in a directory")


def _check(pattern: re.Pattern[str], name: str, value: str | None) -> None:
    if value is not None and not pattern.match(value):
        raise DirectiveError(f"{name} is {value!r}, which no header can hold")
