"""What stays in Apache where only mod_wsgi goes, and Apache passes requests on."""

from __future__ import annotations

from ..lines.directive import Directive
from .answers import answered, is_internal
from .outcome import Outcome, outcome

STAYS = "It stays in Apache"
_GOES = "It goes with mod_wsgi: `export apache` takes it out"
# What Apache's environment tells the application, and what Apache does not apply to requests that
# are passed on.
_OF_APPLICATIONS = ("setenv", "passenv", "unsetenv", "limitrequestbody")
_BY_REQUEST = ("setenvif", "setenvifnocase", "setenvifexpr", "browsermatch", "browsermatchnocase")
# What the processes that run applications have from Apache, or from the files beside scripts.
_OF_PROCESSES = ("user", "group", "allowoverride", "allowoverridelist")
_NAMES = ("usecanonicalname", "usecanonicalphysicalport")
_PAGES = (
    f"{STAYS}, for the errors that it answers itself; those of applications stay theirs, and a "
    "script that is missing or fails has a small built-in page"
)


def stays_in_apache(directive: Directive) -> Outcome | None:
    """
    Return what becomes of a directive that no entry needs, None for what Apache alone cannot do.

    What becomes of that is the same as where Apache goes.
    """
    name, words = directive.key, directive.words
    if directive.is_off or name.startswith("wsgi") or name in _OF_PROCESSES:
        return None
    if name == "loadmodule" and words[:1] == ["wsgi_module"]:
        return outcome(directive, "not needed", _GOES)
    if name in (*_OF_APPLICATIONS, *_BY_REQUEST) and not is_internal(directive):
        return None
    if name in _NAMES and answered(directive).category == "needs you":
        return None
    return outcome(directive, "kept", _PAGES if name == "errordocument" else STAYS)
