"""
Whether a password is the one of an entry in an htpasswd file.

Mirrors apr_password_validate() of APR on systems that have crypt(3): bcrypt, APR1-MD5, {SHA} and
what crypt(3) knows; a password in plain text lets nobody in. The hashes are libpass's, the fork of
passlib that is maintained, and bcrypt's own package of the Python Cryptographic Authority.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

NOT_INSTALLED = (
    "passwords need the packages libpass and bcrypt, which are not installed: "
    'pip install "django-wsgimatch[access]"'
)

_BCRYPT = ("$2a$", "$2b$", "$2y$")
# bcrypt looks at no more, and its package refuses more.
_LONGEST_BCRYPT = 72
# libxcrypt refuses a longer one.
_LONGEST_CRYPT = 511
# By how an entry begins: the handler of libpass.
_HANDLERS = {
    "$apr1$": "apr_md5_crypt",
    "{SHA}": "ldap_sha1",
    "$1$": "md5_crypt",
    "$5$": "sha256_crypt",
    "$6$": "sha512_crypt",
    "_": "bsdi_crypt",
}
_LENGTH_OF_DES = 13
# So many passwords that were right are remembered.
_MOST_REMEMBERED = 1024


def are_installed() -> bool:
    """Whether the packages of the ``access`` extra are there, which the hashes need."""
    return all(find_spec(name) is not None for name in ("passlib", "bcrypt"))


def hash_kind(stored: str) -> str | None:
    """Return what an entry of an htpasswd file is, None for one that lets nobody in."""
    if stored.startswith(_BCRYPT):
        return "bcrypt"
    for start, name in _HANDLERS.items():
        if stored.startswith(start):
            return name
    is_des = len(stored) == _LENGTH_OF_DES and stored.replace("/", "").replace(".", "").isalnum()
    return "des_crypt" if is_des and stored.isascii() else None


def is_right(password: str, stored: str) -> bool:
    """
    Whether a password (latin-1) is the one that an entry was made of.

    The comparison takes the same time wherever they differ. An entry of an unknown or a broken
    kind lets nobody in.
    """
    kind = hash_kind(stored)
    if kind is None:
        return False
    typed = password.encode("latin-1")
    try:
        if kind == "bcrypt":
            check: Callable[[bytes, bytes], bool] = import_module("bcrypt").checkpw
            return check(typed[:_LONGEST_BCRYPT], stored.encode("latin-1"))
        if kind not in ("apr_md5_crypt", "ldap_sha1") and len(typed) > _LONGEST_CRYPT:
            return False
        handlers: Any = import_module("passlib.hash")
        return bool(getattr(handlers, kind).verify(typed, stored))
    except ValueError:
        # What libpass and bcrypt raise for an entry that no password could have made.
        return False


class Remembered:
    """
    The passwords that were right a short while ago, so that not each request pays for a hash.

    What is kept is a digest of the entry, the name and the password under a key that this process
    has made and tells nobody. An entry that changes is another entry. Only what was right is kept:
    a wrong password costs as much as ever. ``seconds`` is for how long, 0 for not at all.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._until: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def is_right(self, user: str, password: str, stored: str) -> bool:
        """Whether a password is right, by what is remembered or by the entry."""
        if self._seconds <= 0:
            return is_right(password, stored)
        digest = self._digest(user, password, stored)
        if self._until.get(digest, 0.0) > time.monotonic():
            return True
        if not is_right(password, stored):
            return False
        with self._lock:
            if len(self._until) >= _MOST_REMEMBERED:
                self._until.clear()
            self._until[digest] = time.monotonic() + self._seconds
        return True

    def _digest(self, user: str, password: str, stored: str) -> bytes:
        # No NUL stands in a name or an entry: no two triples are one text.
        text = f"{user}\0{stored}\0{password}".encode("latin-1")
        return hmac.digest(self._key, text, hashlib.sha256)

    def compare_in_vain(self, user: str, password: str, entries: tuple[str, ...]) -> None:
        """
        Compare an unknown user's password with an entry of somebody else, for the time it takes.

        A name always gets the same one, so that its answers take as long as those of a user.
        """
        if entries:
            number = hmac.digest(self._key, user.encode("latin-1"), hashlib.sha256)
            is_right(password, entries[int.from_bytes(number[:8], "big") % len(entries)])
