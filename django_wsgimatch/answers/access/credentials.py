"""
What a client says of itself in an ``Authorization`` header, and the question it answers.

Mirrors get_basic_auth() and note_basic_auth_failure() of mod_auth_basic.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

_ALPHABET = re.compile("[A-Za-z0-9+/]*")
_ESCAPED = re.compile(r"\\.|\"", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password, as latin-1 text; the password is shown nowhere."""

    user: str
    password: str = field(repr=False)


def read_credentials(header: str | None) -> Credentials | None:
    """
    Return what an Authorization header holds, None where it is none of the Basic scheme.

    What is not base64 ends the rest, as in Apache, and a NUL ends the name or the password.
    """
    if header is None:
        return None
    scheme, _, rest = header.strip(" \t").partition(" ")
    if scheme.lower() != "basic":
        return None
    text = _decoded(rest.lstrip(" \t")).partition("\0")[0]
    user, _, password = text.partition(":")
    return Credentials(user, password)


def _decoded(text: str) -> str:
    """Decode as apr_base64_decode() does: up to the first character that is not of the alphabet."""
    found = _ALPHABET.match(text)
    letters = found[0] if found else ""
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    padded = letters + "=" * (-len(letters) % 4)
    return binascii.a2b_base64(padded).decode("latin-1")


def challenge(realm: str) -> str:
    """
    Return the WWW-Authenticate header of a realm, with its quotes escaped as Apache escapes them.

    A backslash that stands before a character escapes it already.
    """
    escaped = _ESCAPED.sub(lambda found: '\\"' if found[0] == '"' else found[0], realm)
    return f'Basic realm="{escaped}"'
