"""The values that directives beside the aliases give: for a server, or within a section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...exceptions import DirectiveError
from ..lines.directive import Directive

_TEXTS = ("process_group", "application_group", "callable_object")
_FLAGS: dict[str, bool | str] = {"on": True, "off": False}
_MORE_FLAGS: dict[str, dict[str, bool | str]] = {
    "accept_path_info": {"default": True},
    "allow_encoded_slashes": {"nodecode": "NoDecode"},
}

# Options of an entry, as they are called in settings.
ENTRY_OPTIONS = {
    "wsgiprocessgroup": "process_group",
    "wsgiapplicationgroup": "application_group",
    "wsgicallableobject": "callable_object",
    "wsgipassauthorization": "pass_authorization",
}
# What is one for the whole table in settings, and scoped in Apache.
SITE_OPTIONS = {
    "wsgiscriptreloading": "script_reloading",
    "wsgichunkedrequest": "chunked_request",
    "acceptpathinfo": "accept_path_info",
    "directoryslash": "directory_slash",
    "options": "options",
}
# Options of an entry whose files answer.
FILE_OPTIONS = {"directoryindex": "index"}
# What holds for a server, and cannot stand in a section.
SERVER_OPTIONS = {
    "allowencodedslashes": "allow_encoded_slashes",
    "mergeslashes": "merge_slashes",
}
# What holds where no directive says anything.
DEFAULTS: dict[str, Any] = {
    "process_group": "%{GLOBAL}",
    "application_group": "%{RESOURCE}",
    "callable_object": "application",
    "pass_authorization": False,
    "script_reloading": True,
    "chunked_request": False,
    "accept_path_info": True,
    "directory_slash": True,
    "allow_encoded_slashes": False,
    "merge_slashes": True,
}
OPTIONS = ENTRY_OPTIONS | SITE_OPTIONS | FILE_OPTIONS | SERVER_OPTIONS


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A value and the directive that gives it."""

    value: Any
    directive: Directive


def given_by(directive: Directive) -> Given:
    """
    Return the value that one of ``OPTIONS`` gives.

    Raises DirectiveError, with Apache's message where it has one, for a value that Apache refuses.
    """
    name = OPTIONS[directive.key]
    words = directive.words
    if name in ("options", "index"):
        return Given(tuple(words), directive)
    if len(words) != 1:
        raise DirectiveError(f"{directive.name} takes one argument")
    word = words[0]
    if name in _TEXTS:
        return Given(word, directive)
    values = _FLAGS | _MORE_FLAGS.get(name, {})
    if word.lower() not in values:
        raise DirectiveError(f"{directive.name} must be one of: Off | On")
    return Given(values[word.lower()], directive)


def replaces_options(words: tuple[str, ...]) -> bool:
    """Whether an Options directive takes the place of all that held."""
    return any(word[:1] not in "+-" for word in words)


def follows_links(before: bool | str, words: tuple[str, ...]) -> bool | str:
    """
    Return whether symbolic links are followed after an Options directive, given how it was before.

    Mirrors set_options(): words without a sign take the place of all that held. True, False or
    "owner", as in settings.
    """
    value = False if replaces_options(words) else before
    for word in words:
        name = word.lstrip("+-").lower()
        if name in ("followsymlinks", "all"):
            value = not word.startswith("-")
        elif name == "symlinksifownermatch" and value is not True:
            value = False if word.startswith("-") else "owner"
        elif name == "none":
            value = False
    return value
