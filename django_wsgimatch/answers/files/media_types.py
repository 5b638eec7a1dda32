"""
What a file's name says of its type, charset, language and encoding: mod_mime's find_ct().

Nothing is told from what is in a file: a browser is not to run what somebody has uploaded.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from ...aliases.file_options import FileOptions
from .suffixes import CHARSETS, LANGUAGES, TYPES

# Where Apache's TypesConfig leads to: Debian and most others, and macOS.
TYPES_CONFIG = ("/etc/mime.types", "/etc/apache2/mime.types")

DIRECTORY_TYPE = "httpd/unix-directory"

# AddDefaultCharset holds for these, as ap_make_content_type() finds them in a type.
_NEED_CHARSET = ("text/plain", "text/html")


def describe(name: str, options: FileOptions) -> tuple[tuple[str, str], ...]:
    """
    Return the headers that say what a file of a name is.

    Those are Content-Type, Content-Language and Content-Encoding. Suffixes count in any order, in
    any case, the last of a kind; encodings and languages add up. The first part of a name is no
    suffix, nor is what follows a leading dot. A type that no suffix tells is left out.
    """
    known, encodings_known = dict(options.types), dict(options.encodings)
    media_type = charset = ""
    languages, encodings = [], []
    for suffix in map(str.lower, name.lstrip(".").split(".")[1:]):
        media_type = _type_of(suffix, known) or media_type
        charset = CHARSETS.get(suffix) or charset
        if language := LANGUAGES.get(suffix):
            languages.append(language)
        if encoding := encodings_known.get(suffix):
            encodings.append(encoding)
    media_type = options.forced_type or (_with_charset(media_type, charset) if media_type else "")
    if options.charset and "charset=" not in media_type.lower():
        media_type = _with_default_charset(media_type, options.charset)
    headers = {
        "Content-Type": media_type,
        "Content-Language": ",".join(languages),
        "Content-Encoding": ", ".join(encodings),
    }
    return tuple((name, value) for name, value in headers.items() if value)


def _type_of(suffix: str, known: Mapping[str, str]) -> str:
    for types in (known, TYPES):
        if suffix in types:
            return types[suffix]
    return system_types().get(suffix, "")


def _with_charset(media_type: str, charset: str) -> str:
    return f"{media_type}; charset={charset}" if charset else media_type


def _with_default_charset(media_type: str, charset: str) -> str:
    if any(each in media_type.lower() for each in _NEED_CHARSET):
        return _with_charset(media_type, charset)
    return media_type


@cache
def system_types() -> Mapping[str, str]:
    """Return what the system's mime.types says of suffixes; without one, what Python knows."""
    for path in TYPES_CONFIG:
        with suppress(OSError):
            return read_types(Path(path).read_bytes().decode("latin-1"))
    known = mimetypes.MimeTypes().types_map[True]
    return {suffix[1:].lower(): media_type for suffix, media_type in known.items()}


def read_types(text: str) -> dict[str, str]:
    """Return the suffixes of a mime.types file, without dot and lower case, and their types."""
    types: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            types |= dict.fromkeys(map(str.lower, words[1:]), words[0])
    return types
