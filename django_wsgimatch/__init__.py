"""Apache's WSGIScriptAlias and WSGIScriptAliasMatch for Django projects on any WSGI server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .entries import (
        alias,
        alias_match,
        deny,
        deny_match,
        document_root,
        read_directives,
        redirect,
        redirect_match,
        rewrite,
        script_alias,
        script_alias_match,
    )
    from .entry_options.access import access, access_match, all_of, any_of, basic, none_of, rules

_OF_ACCESS = ("access", "access_match", "all_of", "any_of", "basic", "none_of", "rules")

__all__ = [
    "access",
    "access_match",
    "alias",
    "alias_match",
    "all_of",
    "any_of",
    "basic",
    "deny",
    "deny_match",
    "document_root",
    "none_of",
    "read_directives",
    "redirect",
    "redirect_match",
    "rewrite",
    "rules",
    "script_alias",
    "script_alias_match",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The manager's process and a group's have no entries to read, and do without.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "entry_options.access" if name in _OF_ACCESS else "entries"
    return getattr(import_module(f"{__name__}.{module}"), name)
