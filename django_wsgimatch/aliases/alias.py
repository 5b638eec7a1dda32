"""One WSGIScriptAlias or WSGIScriptAliasMatch directive as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Alias:
    """
    One entry of the table, with the names of mod_wsgi's WSGIAliasEntry.

    ``location`` is the url prefix of a plain alias or the pattern of a match alias, ``target``
    the file (for a match alias: the template) it maps to. All text is latin-1, one code point a
    byte. An option that is None was not given.
    """

    location: str
    target: str
    kind: Literal["plain", "match"] = "plain"
    process_group: str | None = None
    application_group: str | None = None
    callable_object: str | None = None
    pass_authorization: bool | None = None

    @property
    def directive(self) -> Literal["WSGIScriptAlias", "WSGIScriptAliasMatch"]:
        """The name of the directive that says this in an Apache configuration."""
        return "WSGIScriptAlias" if self.kind == "plain" else "WSGIScriptAliasMatch"


BROKEN = Alias("", "")
"""Stands in a table for an entry that cannot be used: no uri matches an empty location."""
