"""Whether requests over HTTPS look like plain HTTP, and WSGIMATCH_PLAIN_HTTP redirects them too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...aliases.alias import Redirection
from ...aliases.table import AliasTable
from ...answers.proxies.addresses import UNIX
from ...answers.proxies.headers import KNOWN
from ...answers.proxies.reading import HEADERS, PROXIES, VARIABLES
from ...answers.proxies.trusted import SCHEME
from ...text import quoted
from ..findings.finding import Finding, Findings
from .serving import SettingValue

_HTTPS = "https://"
_LOOP = (
    "requests over HTTPS look like plain HTTP then, unless the server itself believes its front, "
    "and are redirected to HTTPS again and again"
)


def loop_findings(
    table: AliasTable,
    values: Mapping[str, Any],
    gunicorn: Mapping[str, SettingValue],
    secure_header: object,
) -> Findings:
    """
    Yield why all requests may look like plain HTTP to entries that redirect to HTTPS.

    ``table`` has these entries, ``values`` the settings; ``secure_header`` is Django's
    SECURE_PROXY_SSL_HEADER.
    """
    urls = (a.answer.url for a in table.aliases if isinstance(a.answer, Redirection))
    if not any(url.startswith(_HTTPS) for url in urls) or _tells_scheme(values):
        return
    sockets = _unix_sockets(gunicorn.get("bind"))
    if values[PROXIES]:
        why = f"WSGIMATCH_{PROXIES} names proxies, and no header that is trusted tells the scheme"
    elif sockets:
        why = f"bind is {quoted(sockets)}, so a server in front ends TLS, and it is not trusted"
    elif secure_header:
        why = (
            f"SECURE_PROXY_SSL_HEADER is {secure_header!r}, so that a proxy ends TLS, and it is "
            "not trusted here: that setting is for Django alone"
        )
    else:
        return
    peers = values[PROXIES] or [UNIX if sockets else "10.0.0.0/8"]
    yield Finding(
        "W077",
        "WSGIMATCH_PLAIN_HTTP",
        f"{why}: {_LOOP}.",
        f"Trust the header in which it tells the scheme: WSGIMATCH_{PROXIES} = {[*peers]!r} (who "
        f'connects to the server), WSGIMATCH_{HEADERS} = ["X-Forwarded-For", "X-Forwarded-Proto"].',
    )


def _tells_scheme(values: Mapping[str, Any]) -> bool:
    """Whether a trusted proxy tells how clients have asked."""
    if not values[PROXIES]:
        return False
    known = {name.lower(): each.purposes for name, each in KNOWN.items()}
    named = (known.get(str(each).lower(), ()) for each in values[HEADERS])
    return SCHEME in values[VARIABLES] or any("scheme" in purposes for purposes in named)


def _unix_sockets(bind: SettingValue | None) -> str:
    """Return what gunicorn binds, where that is a unix socket and nothing else, "" where not."""
    text = (bind and bind.value) or ""
    sockets = [each.strip() for each in text.split(",")]
    return text if all(each.startswith("unix:") for each in sockets) else ""
