"""Apache's WSGIScriptAlias and WSGIScriptAliasMatch for Django projects on any WSGI server."""

from __future__ import annotations

from .entries import read_directives, script_alias, script_alias_match

__all__ = ["read_directives", "script_alias", "script_alias_match"]

__version__ = "0.1.0"
