"""
Directive lines as Apache reads them: words, options, and Apache's own messages.

Mirrors ap_getword_conf(), ap_resolve_env(), mod_wsgi's wsgi_add_script_alias(), and mod_alias.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ..exceptions import DirectiveError
from .alias import Alias, Redirection
from .file_options import FileOptions
from .groups import GLOBAL, is_literal

# Whoever reads lines finds here all that lines are read with.
from .lines.words import BLANKS as BLANKS
from .lines.words import get_word as get_word
from .redirecting import has_scheme, is_redirect

INVALID_OPTION = "Invalid option to WSGI script alias definition."
NOT_CONFIGURED = "WSGI process group not yet configured."
NO_URL = "URL to redirect to is missing"
NOT_VALID = "Redirect URL not valid for this status"
NON_URL = "Redirect to non-URL"

Kind = Literal["plain", "match"]


@dataclass(frozen=True, slots=True)
class _Syntax:
    """
    How many words a directive of mod_alias takes, as Apache says it, and what it stands for.

    The first ``never_empty`` words may not be "". ``status`` is that of a redirect, if no other is
    given.
    """

    name: str
    kind: Kind
    least: int
    most: int
    never_empty: int
    takes: str
    status: int | None = None


_MOD_ALIAS = {
    syntax.name.lower(): syntax
    for syntax in (
        _Syntax(
            "Alias",
            "plain",
            1,
            2,
            1,
            "1-2 arguments, a fakename and a realname, or a realname in a Location",
        ),
        _Syntax(
            "AliasMatch",
            "match",
            2,
            2,
            2,
            "two arguments, a regular expression and a filename",
        ),
        _Syntax(
            "Redirect",
            "plain",
            1,
            3,
            1,
            "one, two or three arguments, an optional status, then document to be redirected and "
            "destination URL",
            302,
        ),
        _Syntax(
            "RedirectMatch",
            "match",
            2,
            3,
            2,
            "two or three arguments, an optional status, then a regular expression and destination "
            "URL",
            302,
        ),
        _Syntax(
            "RedirectPermanent",
            "plain",
            2,
            2,
            2,
            "two arguments, a document to be redirected, then the destination URL",
            301,
        ),
        _Syntax(
            "RedirectTemp",
            "plain",
            2,
            2,
            2,
            "two arguments, a document to be redirected, then the destination URL",
            302,
        ),
    )
}
STATUSES = {"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}
# What Apache answers with a lower one is no answer, or none at all.
LOWEST_STATUS = 200
_KINDS: dict[str, Kind] = {
    "wsgiscriptalias": "plain",
    "wsgiscriptaliasmatch": "match",
}
_TOO_FEW = {
    "plain": "WSGIScriptAlias requires at least two arguments, "
    "Map location to target WSGI script file.",
    "match": "WSGIScriptAliasMatch requires at least two arguments, "
    "Map location pattern to target WSGI script file.",
}
_EMPTY_VALUE = {
    "process-group": "Invalid name for WSGI process group.",
    "application-group": "Invalid name for WSGI application group.",
    "callable-object": "Invalid name for WSGI callable object.",
    "pass-authorization": "Invalid value for authorization flag.",
}
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def join_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the logical lines: trimmed, a trailing backslash joins the next, no comments."""
    joined = ""
    for line in lines:
        # ap_cfg_getline() looks at all it has: after two backslashes an empty line goes on too.
        joined += line.removesuffix("\n").removesuffix("\r")
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        logical = joined.strip(BLANKS)
        joined = ""
        if logical and not logical.startswith("#"):
            yield logical
    if rest := joined.strip(BLANKS):
        yield rest


def expand_variables(line: str, variables: Mapping[str, str]) -> str:
    """Replace ``${NAME}`` by the variable's value; an unknown one stays, as in Apache."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), line)


def parse_directive(line: str, *, process_groups: Collection[str] | None = None) -> Alias:
    """
    Return the alias that a line of mod_wsgi or mod_alias stands for.

    ``process_groups`` are the names that WSGIDaemonProcess has defined so far; None leaves
    the question open. Raises DirectiveError with the message Apache would give. The pattern
    is not compiled here.
    """
    name, rest = get_word(line)
    kind = _KINDS.get(name.lower())
    if kind is None and (found := parse_mod_alias(name, rest)) is not None:
        return found
    if kind is None:
        raise DirectiveError(
            f"Invalid command '{name}', perhaps misspelled or defined by a module not included "
            "in the server configuration"
        )
    location, rest = get_word(rest)
    target, options = get_word(rest) if location else ("", "")
    if not target:
        raise DirectiveError(_TOO_FEW[kind])
    alias = make_alias(kind, location, target, dict(_parse_options(options)))
    return check_process_group(alias, process_groups)


def parse_mod_alias(name: str, rest: str) -> Alias | None:
    """
    Return the alias that a line stands for, None for a directive of another module.

    ``name`` is the line's first word, ``rest`` all behind it. Raises DirectiveError in Apache's
    words, and in our own for what Apache takes and cannot answer: no location, a status below 200.
    """
    if name.lower() == "documentroot":
        return root_of(get_word(rest)[0])
    syntax = _MOD_ALIAS.get(name.lower())
    if syntax is None:
        return None
    words = []
    while rest:
        word, rest = get_word(rest)
        words.append(word)
    required = words[: syntax.never_empty]
    if not syntax.least <= len(words) <= syntax.most or not all(required):
        raise DirectiveError(f"{syntax.name} takes {syntax.takes}")
    if syntax.status is None:
        return _files(syntax.kind, *words)
    return _redirect(syntax.kind, syntax.status, *words)


def root_of(path: str, options: FileOptions | None = None) -> Alias:
    """Return the entry of DocumentRoot for a folder. Raises DirectiveError where none is named."""
    if not path:
        raise DirectiveError("DocumentRoot takes one argument, Root directory of the document tree")
    options = replace(options or FileOptions(), is_root=True)
    return Alias("/", f"{path.rstrip('/')}/", answer=options)


def check_redirection(kind: Kind, url: str | None, status: int) -> Redirection:
    """Return what a redirect answers. Raises DirectiveError in Apache's words."""
    if not is_redirect(status):
        if url is not None:
            raise DirectiveError(NOT_VALID)
        return Redirection("", status)
    if url is None or (kind == "match" and not url):
        raise DirectiveError(NO_URL)
    if kind == "plain" and not url.startswith("/") and not has_scheme(url):
        raise DirectiveError(NON_URL)
    return Redirection(url, status)


def _files(kind: Kind, location: str, path: str = "") -> Alias:
    if not path:
        raise DirectiveError("Alias must have two arguments when used globally")
    return Alias(location, path, kind, answer=FileOptions())


def _redirect(kind: Kind, status: int, first: str, *rest: str) -> Alias:
    """Mirrors add_redirect_internal(): the first word is a status if it looks like one."""
    given = _status_in(first)
    if given is None and len(rest) == 2:
        raise DirectiveError("Redirect: invalid first argument (of three)")
    location, url = (first, *rest, None)[:2] if given is None else (*rest, None, None)[:2]
    status = status if given is None else given
    answer = check_redirection(kind, url, status)
    if not location:
        raise DirectiveError("the location of a redirect should not be empty")
    if status < LOWEST_STATUS:
        raise DirectiveError(
            f"the status of a redirect should be {LOWEST_STATUS} or more, not {status}"
        )
    return Alias(location, "", kind, answer=answer)


def _status_in(word: str) -> int | None:
    """The status that a word stands for: one of Apache's words, or digits and what follows them."""
    if (named := STATUSES.get(word.lower())) is not None:
        return named
    digits = re.match("[0-9]+", word)
    # A longer number is no status, and int() is slow with thousands of digits.
    return int(digits[0][:9]) if digits else None


def make_alias(kind: Kind, location: str, target: str, options: Mapping[str, str]) -> Alias:
    """Return the alias with options given in mod_wsgi's spelling, all of them checked."""
    flag = options.get("pass-authorization")
    return Alias(
        location,
        target,
        kind,
        process_group=options.get("process-group"),
        application_group=options.get("application-group"),
        callable_object=options.get("callable-object"),
        pass_authorization=None if flag is None else flag.lower() == "on",
    )


def preloads(alias: Alias) -> bool:
    """
    Whether mod_wsgi would load the script before the first request.

    It does where both groups are given and literal and, for a match alias, the target holds
    no ``$``.
    """
    groups_are_literal = is_literal(alias.process_group) and is_literal(alias.application_group)
    return groups_are_literal and (alias.kind == "plain" or "$" not in alias.target)


def check_process_group(alias: Alias, process_groups: Collection[str] | None) -> Alias:
    """Refuse, as Apache does, a preloading alias whose process group nobody has defined."""
    known = process_groups is None or alias.process_group in (None, GLOBAL, *process_groups)
    if not known and preloads(alias):
        raise DirectiveError(NOT_CONFIGURED)
    return alias


def _parse_options(line: str) -> Iterator[tuple[str, str]]:
    while line:
        name, equals, rest = line.partition("=")
        if not equals or not name or any(c in BLANKS for c in name):
            raise DirectiveError(INVALID_OPTION)
        value, line = get_word(rest)
        yield name, check_option(name, value)


def check_option(name: str, value: str) -> str:
    """Return the value of an option, or raise DirectiveError with mod_wsgi's message."""
    if name not in _EMPTY_VALUE:
        raise DirectiveError(INVALID_OPTION)
    if not value or (name == "pass-authorization" and value.lower() not in ("on", "off")):
        raise DirectiveError(_EMPTY_VALUE[name])
    return value
