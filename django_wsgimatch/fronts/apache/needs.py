"""What the project's settings need beside a front: whom the server trusts, and for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...apache.lines.directive import Directive
from ..backend import Backend
from ..carried import Carried
from .passing import told_headers

_NAMES_USERS = ("authtype", "authuserfile", "authbasicprovider", "sslusername")
_LOGIN_MODULES = ("mellon", "oidc", "shib", "gssapi", "krb", "cas", "openidc", "gridsite")
# Who asks for these in a configuration has another proxy before it.
_OF_OTHERS = ("x-forwarded-proto", "x-forwarded-ssl", "x-forwarded-for", "x-forwarded-scheme")
_PROXIES = "WSGIMATCH_TRUSTED_PROXIES"
_HEADERS = "WSGIMATCH_TRUSTED_PROXY_HEADERS"
_VARIABLES = "WSGIMATCH_TRUSTED_PROXY_VARIABLES"
_UNKNOWN = "[...]  # this Apache, as the server sees it"
_SSL = ("SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN", "SSL_CLIENT_I_DN", "SSL_CLIENT_M_SERIAL")


def carried_by(directives: Iterable[Directive]) -> Carried:
    """Return what the directives of a configuration know of requests."""
    keys: dict[str, list[str]] = {}
    for each in directives:
        keys.setdefault(each.key, []).append(each.rest.lower())
    has_users = any(key in _NAMES_USERS or key.startswith(_LOGIN_MODULES) for key in keys) or any(
        "fakebasicauth" in each for each in keys.get("ssloptions", ())
    )
    has_tls = any(each.strip() == "on" for each in keys.get("sslengine", ()))
    has_values = any("stdenvvars" in each for each in keys.get("ssloptions", ()))
    variables = _SSL if has_tls and has_values else ()
    is_behind = "remoteipheader" in keys or any(
        name in rest for rests in keys.values() for rest in rests for name in _OF_OTHERS
    )
    return Carried(has_users, variables, is_behind)


def trusted_settings(carried: Carried, backend: Backend) -> dict[str, list[str] | dict[str, str]]:
    """
    Return the settings that have the server believe what the export makes Apache send.

    The addresses are [] where only the operator knows what the server sees.
    """
    headers, variables = told_headers(carried)
    found: dict[str, list[str] | dict[str, str]] = {_PROXIES: [*backend.peers]}
    found |= {_HEADERS: [*headers]} if headers else {}
    return found | ({_VARIABLES: variables} if variables else {})


def setting_lines(carried: Carried, backend: Backend) -> Iterator[str]:
    """Yield the lines that the project's settings need."""
    for name, value in trusted_settings(carried, backend).items():
        if isinstance(value, dict):
            yield f"{name} = {{"
            yield from (f'    "{variable}": "{header}",' for variable, header in value.items())
            yield "}"
        else:
            yield f"{name} = {_listed(value) if value else _UNKNOWN}"


def _listed(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{each}"' for each in values) + "]"
