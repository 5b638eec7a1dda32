"""What stays in Apache where only mod_wsgi goes, and Apache passes requests on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ..lines.directive import Directive
from ..lines.set_by_request import variables_set_by
from .answers import answered, is_apaches, is_internal
from .outcome import Outcome, outcome

STAYS = "It stays in Apache"
_GOES = "It goes with mod_wsgi: `export apache` takes it out"
# What Apache's environment tells the application, and what Apache does not apply to requests that
# are passed on.
_OF_APPLICATIONS = ("setenv", "passenv", "unsetenv", "limitrequestbody")
# What the processes that run applications have from Apache, or from the files beside scripts.
_OF_PROCESSES = ("user", "group", "allowoverride", "allowoverridelist")
# Of these the entries say something, beside what Apache goes on doing with them.
_OF_ENTRIES = (
    *("servername", "serveralias", "options", "alias", "aliasmatch", "documentroot"),
    *("sethandler", "addhandler", "allowencodedslashes", "mergeslashes", "acceptpathinfo"),
)
_NAMES = ("usecanonicalname", "usecanonicalphysicalport")
_PAGES = (
    f"{STAYS}, for the errors that it answers itself; those of applications stay theirs, and a "
    "script that is missing or fails has a small built-in page, or one of WSGIMATCH_ERROR_PAGES"
)
_BELIEVED = (
    "It says what mod_wsgi believes of those who connect to Apache: say it to mod_remoteip, with "
    "RemoteIPHeader and RemoteIPInternalProxy"
)
_SETS = (
    "It stays in Apache, but the application no longer sees the variables that it sets: set them "
    "in a middleware"
)
# Where Apache reads a variable: Allow and CustomLog, mod_rewrite, mod_headers, expressions.
_READ = re.compile(
    r"\benv=!?([\w.-]+)|%\{ENV:([^}]+)\}|%\{([^}:]+)\}e\b|\b(?:req)?env\(['\"]([^'\"]+)",
    re.IGNORECASE,
)


def read_in_apache(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the variables, in lower case, that lines of a configuration read."""
    found: set[str] = set()
    for each in directives:
        if each.key == "require" and each.words[:1] == ["env"]:
            found |= {word.lower() for word in each.words[1:]}
        # A flag of a rule sets a variable where others read one.
        text = " ".join(each.words[:2]) if each.key == "rewriterule" else each.rest
        for texts in _READ.findall(text):
            found |= {text.lower() for text in texts if text}
    return frozenset(found)


def is_apaches_alone(directive: Directive) -> bool:
    """Whether no entry says anything of a directive that stays."""
    return directive.key not in _OF_ENTRIES


def stays_in_apache(directive: Directive, read: Collection[str] = ()) -> Outcome | None:
    """
    Return what becomes of a directive that no entry needs, None for what Apache alone cannot do.

    What becomes of that is the same as where Apache goes. ``read`` are the variables that lines of
    the configuration read.
    """
    name, words = directive.key, directive.words
    if name.startswith("wsgitrustedprox") and not directive.is_off:
        return outcome(directive, "needs you", _BELIEVED)
    if directive.is_off or name.startswith("wsgi") or name in _OF_PROCESSES:
        return None
    if name == "loadmodule" and words[:1] == ["wsgi_module"]:
        return outcome(directive, "not needed", _GOES)
    if name in _OF_APPLICATIONS and not is_internal(directive):
        return None
    variables = variables_set_by(directive)
    is_for_application = any(not is_apaches(each) and each not in read for each in variables)
    if is_for_application and name == "rewriterule":
        return outcome(directive, "needs you", _SETS)
    if is_for_application:
        return None
    if name in _NAMES and answered(directive).category == "needs you":
        return None
    return outcome(directive, "kept", _PAGES if name == "errordocument" else STAYS)
