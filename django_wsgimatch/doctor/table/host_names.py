"""Names of virtual hosts that no request can have, or that earlier ones take."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...aliases.hosts.names import split_host
from ...aliases.hosts.virtual_hosts import host_matches
from ..findings.finding import Finding, Findings

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NO_NAME = re.compile(r"[^\w.\-\[\]:]")


def host_findings(hosts: Sequence[str]) -> Findings:
    """Yield the patterns of WSGIMATCH_VIRTUAL_HOSTS whose entries answer no request."""
    for number, host in enumerate(hosts):
        where = f"WSGIMATCH_VIRTUAL_HOSTS[{host!r}]"
        reason, meant = _reason(host)
        if reason:
            cure = f"Write {meant!r}." if meant else "Write the name that browsers send."
            message = f"no request has this host: {reason}. Its entries never answer."
            yield Finding("W062", where, message, cure)
            continue
        taker = next((each for each in hosts[:number] if _takes_all(each, host)), None)
        if taker is not None:
            yield Finding(
                "W062",
                where,
                f"{taker!r} comes before it and matches all its requests: the first host that "
                "matches wins. Its entries never answer.",
                f"Move it before {taker!r}.",
            )


def _reason(host: str) -> tuple[str, str]:
    """Why no Host header fits a pattern, and the one that was meant; "" where one may."""
    if host in ("*", ""):
        return "", ""
    bare = _SCHEME.sub("", host)
    name = split_host(bare.partition("/")[0])[0].rstrip(".")
    meant = name.removeprefix("*") if _is_name(name.removeprefix("*")) else ""
    if bare != host or "/" in bare:
        return "a host is a name, without scheme and path", meant
    if name != bare.rstrip("."):
        return "the port is removed before hosts are compared", meant
    if host.startswith("*."):
        return "subdomains are written with a dot in front", meant
    if host.endswith("."):
        return "a dot at the end is removed before hosts are compared", meant
    if not host.isascii():
        return "browsers send names that are not ASCII in another form", _punycode(host)
    if _NO_NAME.search(host):
        return "a host has the form 'name', '.name' or '*'", ""
    return "", ""


def _is_name(text: str) -> bool:
    return bool(text) and not _NO_NAME.search(text)


def _punycode(host: str) -> str:
    begin = "." if host.startswith(".") else ""
    try:
        return begin + host.removeprefix(".").encode("idna").decode()
    except UnicodeError:
        return ""


def _takes_all(earlier: str, later: str) -> bool:
    """Whether a pattern fits all hosts that another one fits."""
    if not later.startswith("."):
        return host_matches(earlier, later.lower())
    return earlier == "*" or (earlier.startswith(".") and later.lower().endswith(earlier.lower()))
