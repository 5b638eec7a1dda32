"""The system's libpcre2-8 over ctypes, with the options of Apache's ap_regcomp(): the oracle."""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p

DOTALL, DOLLAR_ENDONLY, DUPNAMES = 0x20, 0x10, 0x40
APACHE_OPTIONS = DOTALL | DOLLAR_ENDONLY | DUPNAMES
NO_MATCH = -1
MATCH_LIMIT, DEPTH_LIMIT, HEAP_LIMIT = -47, -53, -63
CONFIG_VERSION = 11

# All groups of a match, group 0 first, and the offset where it ends.
Answer = tuple[tuple["str | None", ...], int]


class Refused(ValueError):
    """PCRE2 does not compile the pattern."""


class OutOfSteps(RuntimeError):
    """PCRE2 gave up at its match limit."""


def _load() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("pcre2-8")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.pcre2_compile_8.restype = c_void_p
    library.pcre2_compile_8.argtypes = [
        *(c_char_p, c_size_t, c_uint32, POINTER(c_int), POINTER(c_size_t), c_void_p)
    ]
    library.pcre2_match_data_create_from_pattern_8.restype = c_void_p
    library.pcre2_match_data_create_from_pattern_8.argtypes = [c_void_p, c_void_p]
    library.pcre2_match_context_create_8.restype = c_void_p
    library.pcre2_match_context_create_8.argtypes = [c_void_p]
    library.pcre2_set_match_limit_8.argtypes = [c_void_p, c_uint32]
    library.pcre2_match_8.argtypes = [
        *(c_void_p, c_char_p, c_size_t, c_size_t, c_uint32, c_void_p, c_void_p)
    ]
    library.pcre2_get_ovector_pointer_8.restype = POINTER(c_size_t)
    library.pcre2_get_ovector_pointer_8.argtypes = [c_void_p]
    library.pcre2_get_ovector_count_8.argtypes = [c_void_p]
    library.pcre2_get_error_message_8.argtypes = [c_int, c_char_p, c_size_t]
    library.pcre2_config_8.argtypes = [c_uint32, c_char_p]
    for function in ("pcre2_match_data_free_8", "pcre2_code_free_8", "pcre2_match_context_free_8"):
        getattr(library, function).argtypes = [c_void_p]
    return library


LIBRARY = _load()


def version() -> tuple[int, int]:
    """Return the version of the library, such as (10, 42)."""
    assert LIBRARY is not None
    text = ctypes.create_string_buffer(64)
    LIBRARY.pcre2_config_8(CONFIG_VERSION, text)
    major, minor = text.value.decode().split()[0].split("-")[0].split(".")
    return int(major), int(minor)


class Pattern:
    """A pattern compiled as Apache compiles it."""

    def __init__(self, source: str, match_limit: int = 100_000) -> None:
        assert LIBRARY is not None
        encoded = source.encode("latin-1")
        code, offset = c_int(), c_size_t()
        self._code = LIBRARY.pcre2_compile_8(
            encoded, len(encoded), APACHE_OPTIONS, byref(code), byref(offset), None
        )
        if not self._code:
            message = ctypes.create_string_buffer(256)
            LIBRARY.pcre2_get_error_message_8(code.value, message, 256)
            raise Refused(f"{message.value.decode()} at {offset.value}")
        self._data = LIBRARY.pcre2_match_data_create_from_pattern_8(self._code, None)
        self._context = LIBRARY.pcre2_match_context_create_8(None)
        LIBRARY.pcre2_set_match_limit_8(self._context, match_limit)

    def __del__(self) -> None:
        if getattr(self, "_code", None) and LIBRARY is not None:
            LIBRARY.pcre2_match_data_free_8(self._data)
            LIBRARY.pcre2_match_context_free_8(self._context)
            LIBRARY.pcre2_code_free_8(self._code)

    def search(self, uri: str) -> Answer | None:
        """Return the leftmost match, wherever it ends."""
        assert LIBRARY is not None
        subject = uri.encode("latin-1")
        outcome = LIBRARY.pcre2_match_8(
            self._code, subject, len(subject), 0, 0, self._data, self._context
        )
        if outcome in (MATCH_LIMIT, DEPTH_LIMIT, HEAP_LIMIT):
            raise OutOfSteps(outcome)
        if outcome < 0:
            return None
        offsets = LIBRARY.pcre2_get_ovector_pointer_8(self._data)
        count = LIBRARY.pcre2_get_ovector_count_8(self._data)
        pairs = [(offsets[2 * n], offsets[2 * n + 1]) for n in range(count)]
        groups = tuple(uri[a:b] if a <= len(uri) else None for a, b in pairs)
        return groups, pairs[0][1]
