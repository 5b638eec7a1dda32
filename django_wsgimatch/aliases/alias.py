"""One entry of the table as a value: what it matches, and what answers there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .access.rules import AccessRules
from .file_options import FileOptions
from .lines.expiry import Expires, ExpiresByType

# How the notes of denials begin that an import has written and nobody has decided on yet.
ACCESS_RULE = "an access rule of Apache stood here"
CONDITION = "a condition of another server stood here"


@dataclass(frozen=True, slots=True)
class Denial:
    """
    The answer of an entry that lets nobody in: 403, 404 as if nothing were there, or 500.

    ``note`` says why. It is for the operator: logs and commands show it, clients never see it.
    """

    note: str = ""
    status: Literal[403, 404, 500] = 403

    @property
    def is_undecided(self) -> bool:
        """Whether an import has closed this, and nobody has decided yet what is to become of it."""
        return self.note.startswith((ACCESS_RULE, CONDITION))


@dataclass(frozen=True, slots=True)
class Redirection:
    """
    The answer of an entry that sends clients to another URL: Redirect and RedirectMatch.

    ``url`` is an absolute URL, or one without a host that begins with a slash; for a match alias
    it is a template. A ``status`` that is not 300 to 399 has no URL, and is an error's.
    """

    url: str
    status: int = 302


@dataclass(frozen=True, slots=True)
class Rewriting:
    """
    What an entry says that passes URLs on as others: a RewriteRule with the flag PT.

    ``pattern`` is searched in the uri, ``url`` is a template for the new one, which may have a
    query: that takes the place of the request's, or stands before it with ``append_query``. With a
    ``status`` it is the answer, as a Redirection's is: nothing is passed on.
    ``when`` names variables of the environ, each with a pattern that must be found in it. It takes
    no uri from a table: that sees the new one. So its alias has no location.
    """

    pattern: str
    url: str
    append_query: bool = False
    when: tuple[tuple[str, str], ...] = ()
    status: int | None = None


# What answers without an application.
Answer: TypeAlias = Denial | Redirection | FileOptions | Rewriting

# What says an entry: a directive, or a function of ours where Apache has none for it.
DirectiveName: TypeAlias = Literal[
    "WSGIScriptAlias",
    "WSGIScriptAliasMatch",
    "script_alias",
    "script_alias_match",
    "Alias",
    "AliasMatch",
    "DocumentRoot",
    "Redirect",
    "RedirectMatch",
    "RewriteRule",
    "deny",
    "deny_match",
]
FUNCTIONS: dict[DirectiveName, str] = {
    "WSGIScriptAlias": "script_alias",
    "WSGIScriptAliasMatch": "script_alias_match",
    "script_alias": "script_alias",
    "script_alias_match": "script_alias_match",
    "Alias": "alias",
    "AliasMatch": "alias_match",
    "DocumentRoot": "document_root",
    "Redirect": "redirect",
    "RedirectMatch": "redirect_match",
    "RewriteRule": "rewrite",
    "deny": "deny",
    "deny_match": "deny_match",
}
# By what answers: the name of the plain one and of the one with a pattern.
_DIRECTIVES: dict[type, tuple[DirectiveName, DirectiveName]] = {
    type(None): ("WSGIScriptAlias", "WSGIScriptAliasMatch"),
    FileOptions: ("Alias", "AliasMatch"),
    Redirection: ("Redirect", "RedirectMatch"),
    Rewriting: ("RewriteRule", "RewriteRule"),
    Denial: ("deny", "deny_match"),
}


HeaderAction: TypeAlias = Literal["set", "append", "merge", "add", "unset", "setifempty"]


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """
    What an entry does with one header of a response: a ``Header`` line of mod_headers.

    One that is ``always`` done is done to error pages too, and before the application's own headers
    are looked at: it replaces none of them.
    """

    action: HeaderAction
    name: str
    value: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class Extras:
    """
    What stands around the application of one entry.

    ``environ`` is what it finds there besides (SetEnv), ``headers`` are changed in this order,
    ``charset`` is added to text that has none (AddDefaultCharset), ``expires`` is for how many
    seconds a response may be kept, from the request or the script's change on (ExpiresDefault),
    ``body_limit`` how many bytes a request's body may have (LimitRequestBody), and
    ``expires_by_type`` goes before ``expires`` for responses of some types (ExpiresByType).
    """

    environ: tuple[tuple[str, str], ...] = ()
    headers: tuple[HeaderChange, ...] = ()
    charset: str = ""
    expires: Expires | None = None
    body_limit: int | None = None
    expires_by_type: ExpiresByType = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """
    One entry of the table, with the names of mod_wsgi's WSGIAliasEntry.

    ``location`` is the url prefix of a plain alias or the pattern of a match alias, ``target``
    the file (for a match alias: the template) it maps to. All text is latin-1, one code point a
    byte. An option that is None was not given. An entry with an ``answer`` needs no application:
    it has no options of a script's, and a target only where files answer. With ``is_module`` the
    target is no file, but the text of a ``module_target.ModuleTarget``, whose name is the
    ``callable_object``. ``access`` says who may ask for the urls that the entry answers, as a
    ``<Directory>`` of its target would.
    """

    location: str
    target: str
    kind: Literal["plain", "match"] = "plain"
    process_group: str | None = None
    application_group: str | None = None
    callable_object: str | None = None
    pass_authorization: bool | None = None
    answer: Answer | None = None
    extras: Extras | None = None
    is_module: bool = False
    access: AccessRules | None = None

    @property
    def template(self) -> str:
        """What a pattern's groups are filled into: the target, or a redirect's URL."""
        return self.answer.url if isinstance(self.answer, Redirection) else self.target

    @property
    def function(self) -> str:
        """The name of the function of settings that says this."""
        return FUNCTIONS[self.directive]

    @property
    def directive(self) -> DirectiveName:
        """The name of the directive that says this in Apache, or of the function that says it."""
        if self.is_module:
            return "script_alias" if self.kind == "plain" else "script_alias_match"
        if isinstance(self.answer, FileOptions) and self.answer.is_root:
            return "DocumentRoot"
        return _DIRECTIVES[type(self.answer)][self.kind == "match"]


BROKEN = Alias("", "")
"""Stands in a table for an entry that cannot be used: no uri matches an empty location."""
