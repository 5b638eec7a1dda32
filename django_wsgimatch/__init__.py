"""Apache's WSGIScriptAlias and WSGIScriptAliasMatch for Django projects on any WSGI server."""

from __future__ import annotations

from .entries import deny, deny_match, read_directives, script_alias, script_alias_match

__all__ = ["deny", "deny_match", "read_directives", "script_alias", "script_alias_match"]

__version__ = "0.1.0"
