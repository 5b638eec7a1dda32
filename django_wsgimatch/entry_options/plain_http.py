"""What stands in WSGIMATCH_PLAIN_HTTP: entries that redirect and refuse."""

from __future__ import annotations

import re

from ..aliases.alias import Alias, Denial, Redirection
from ..exceptions import DirectiveError
from ..text import quoted

# The host that a request was sent to, as mod_rewrite names it.
_OWN_HOST = re.compile(r"(https?)://%\{(HTTP_HOST|SERVER_NAME)\}(:[0-9]{1,5})?(?=[/?#$]|\Z)")
_VARIABLE = "%{"

ONLY = (
    "only redirect(), redirect_match(), deny() and deny_match(), and lines of Redirect and "
    "RedirectMatch, answer requests over plain HTTP, not {}"
)
NO_VARIABLE = (
    "the URL {} has %{{, which stands for nothing here but as its host: https://%{{HTTP_HOST}}/ "
    "or https://%{{SERVER_NAME}}/"
)


def check_plain_http(alias: Alias) -> None:
    """Raise DirectiveError for an entry that cannot answer requests over plain HTTP."""
    answer = alias.answer
    if not isinstance(answer, Redirection | Denial):
        raise DirectiveError(ONLY.format(f"{alias.function}({quoted(alias.location)}, ...)"))
    url = alias.template
    found = _OWN_HOST.match(url)
    if _VARIABLE in url[found.end() if found else 0 :]:
        raise DirectiveError(NO_VARIABLE.format(quoted(url)))
