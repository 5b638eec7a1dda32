"""What is wrong with a setting or an entry that cannot be used at all, and the cure."""

from __future__ import annotations

import re

from ...aliases.alias import Rewriting
from ...aliases.directives import INVALID_OPTION, NO_URL, NON_URL, NOT_CONFIGURED, NOT_VALID
from ...aliases.table import NOT_COMPILED
from ...exceptions import (
    DirectiveError,
    ExponentialPattern,
    InvalidPattern,
    PatternError,
    PlaceError,
    UnsupportedPattern,
    WSGIMatchError,
)
from ...text import quoted
from ..findings.finding import Finding

_CURES = {
    INVALID_OPTION: "The options are process-group=, application-group=, callable-object= and "
    "pass-authorization=, each with a value; put a path with blanks in quotes.",
    NOT_CONFIGURED: "Define the process group in WSGIMATCH_PROCESS_GROUPS, or remove the option.",
    "Invalid value for authorization flag.": "Write pass-authorization=On or Off.",
    NON_URL: "Begin the URL with a slash, or with a scheme and a host: https://www.example.org/.",
    NO_URL: "Write where to, as in redirect('/old', '/new'), or a status that has no URL: 410.",
    NOT_VALID: "Leave out the URL: only a status of 300 to 399 has one.",
}
_FORM = (
    "Write script_alias(location, target), alias(location, path), redirect(location, url), one of "
    "them with _match and a pattern, or a line as in an Apache configuration: 'WSGIScriptAlias "
    "/location /path/to/script.wsgi'."
)
_ACCESS = (
    "Write access('/location', require='ip 10.0.0.0/8'), or another of the words that stand behind "
    "Require in Apache; howto/access-rules has examples."
)
_PLAIN_HTTP = (
    "Write redirect('/', 'https://%{HTTP_HOST}/', status=301), or redirect_match() with a pattern "
    "for some URLs alone; scripts and files belong in WSGIMATCH_ALIASES."
)
_OWN_ACCESS = (
    "Write access=rules(require='ip 10.0.0.0/8'), or another of the words that stand behind "
    "Require in Apache; howto/access-rules has examples."
)
_FIRST = (
    "Write a folder, as in BASE_DIR / 'public', or document_root(folder), alias('/location', path) "
    "or alias_match(pattern, path) with options of files."
)
_OF_ACCESS = ("access: ", "access should be")
_REWRITING = (
    "Write rewrite(pattern, url), as in rewrite('^/old/(.*)$', '/app.wsgi/$1'), with "
    "append_query=True to keep the request's query beside one in the url, and with "
    "when={'REQUEST_METHOD': '^POST$'} for some requests only."
)
_BEFORE_ACCESS = (
    "Leave it out: a redirect tells a URL and no more; whoever asks for that URL is asked there. "
    "Or let a view redirect those who are let in."
)
_TWO_IN_ONE = (
    "One string holds two directives. Python joins two strings that have no comma between them: "
    "is a comma missing?"
)
_INSTALL_OR_REWRITE = (
    'Install Apache\'s own engine: pip install "django-wsgimatch[pcre2]". Or write the pattern '
    "without it."
)
_REWRITE = "Write the pattern without it: releases of PCRE2 do not agree on what it means."
_NOT_TWICE = (
    "Do not let two repeats match the same text, as in (a+)+. Or pip install "
    '"django-wsgimatch[pcre2]", which stops in time. Or, if only you send requests, set '
    "WSGIMATCH_ALLOW_EXPONENTIAL_PATTERNS."
)


def mistake(where: str, error: WSGIMatchError, entry: object = None) -> Finding:
    """Return the finding for an error of the configuration; ``entry`` is what stands there."""
    cause = error.__cause__ if isinstance(error.__cause__, InvalidPattern) else error
    if isinstance(cause, PatternError):
        return _bad_pattern(where, cause)
    if isinstance(cause, PlaceError):
        return Finding("E006", where, f"{cause}.", cause.cure)
    if isinstance(cause, DirectiveError):
        return Finding("E002", where, *_of_directive(where, cause, entry))
    if str(cause).endswith("?"):
        return Finding("E001", where, str(cause), "Fix the name, or delete it.")
    return Finding(
        "E001", where, f"{cause}.", "Fix the value, or delete the setting to use the default."
    )


def _of_directive(where: str, cause: DirectiveError, entry: object) -> tuple[str, str]:
    """The message and the hint for a directive that Apache would refuse."""
    message = str(cause) if str(cause).endswith(".") else f"{cause}."
    if where.startswith("WSGIMATCH_ACCESS"):
        return message, _ACCESS
    if where.startswith("WSGIMATCH_PLAIN_HTTP"):
        return message, _CURES.get(str(cause), _PLAIN_HTTP)
    if where.startswith("WSGIMATCH_FILES_FIRST"):
        is_of_access = str(cause).startswith(_OF_ACCESS)
        return message, _OWN_ACCESS if is_of_access else _FIRST
    if isinstance(getattr(entry, "answer", None), Rewriting):
        return message, _REWRITING
    if not isinstance(entry, str | bytes):
        return message, _cure_of_entry(str(cause))
    line = entry.decode("latin-1") if isinstance(entry, bytes) else entry
    hint = _CURES.get(str(cause), _FORM)
    if len(re.findall("WSGIScriptAlias|Redirect|Alias", line)) > 1:
        hint = _TWO_IN_ONE
    return f"{message} The line is {entry!r}.", hint


def _cure_of_entry(message: str) -> str:
    if message.startswith("a redirect has no option"):
        return _BEFORE_ACCESS
    if message.startswith(_OF_ACCESS):
        return _OWN_ACCESS
    return _CURES.get(message, _FORM)


def _bad_pattern(where: str, error: PatternError) -> Finding:
    pattern = quoted(error.pattern)
    if isinstance(error, UnsupportedPattern):
        return Finding(
            "E004",
            where,
            f"the pattern {pattern} contains {error.construct}; Python's re module has no exact "
            "equivalent.",
            _INSTALL_OR_REWRITE if error.curable else _REWRITE,
        )
    if isinstance(error, ExponentialPattern):
        # The error names the cure too, for want of a hint where a server does not start.
        reason = error.reason.rpartition("; ")[0] or error.reason
        example = f" A request for {quoted(error.attack)} is enough." if error.attack else ""
        return Finding(
            "E005",
            where,
            f"the pattern {pattern} is prone to catastrophic backtracking (ReDoS): "
            f"{reason}.{example}",
            _NOT_TWICE,
        )
    return Finding(
        "E003",
        where,
        f"{NOT_COMPILED} In the pattern {pattern}: {error.reason}.",
        "Fix the pattern; the syntax is Apache's (PCRE). Put a backslash before a character that "
        "is meant literally.",
    )
