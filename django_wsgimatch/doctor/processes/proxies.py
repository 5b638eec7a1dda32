"""Whom the settings trust to say who asks: nobody, too many, or others than gunicorn does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from ...answers.proxies.addresses import UNIX, Networks, holds, network_of
from ...answers.proxies.headers import KNOWN, Purpose
from ...answers.proxies.reading import HEADERS, PROXIES, VARIABLES
from ...answers.proxies.trusted import CLIENT, SCHEME
from ...text import quoted
from ..findings.finding import Finding, Findings, listed
from .serving import ANYBODY, SettingValue

_PREFIX = "WSGIMATCH_"
_USUAL = 'WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", "X-Forwarded-Proto"]'
# What machines on the internet do not have.
_INSIDE = [
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"),
        *("100.64.0.0/10", "fc00::/7", "fe80::/10", "::1/128"),
    )
]
# The widest networks of content delivery networks have so many bits.
_WIDEST = {4: 12, 6: 28}
# gunicorn's default for forwarded_allow_ips.
_THIS_MACHINE = ("127.0.0.1", "::1")
_PURPOSES: tuple[Purpose, ...] = ("client", "scheme", "host", "server", "port", "script name")


def trust_findings(values: Mapping[str, Any]) -> Findings:
    """Yield what can be told of trusted proxies from the settings alone."""
    named = [*values[HEADERS], *values[VARIABLES].values()]
    yield from _wide_networks(values[PROXIES])
    if named and not values[PROXIES]:
        verb = "is" if len(named) == 1 else "are"
        yield Finding(
            "W072",
            _PREFIX + PROXIES,
            f"nobody is trusted, so that {listed(list(map(str, named)))} {verb} dropped from every "
            "request.",
            'Name who connects to the server: ["unix"] for a unix socket, or the addresses of your '
            "proxies.",
        )
    if values[PROXIES] and not named:
        yield Finding(
            "W073",
            _PREFIX + PROXIES,
            "proxies are trusted, but no header of theirs is: it has no effect.",
            f"Name the headers that they set: {_USUAL}",
        )
    yield from _several_of_a_purpose(values[HEADERS])


def peer_findings(values: Mapping[str, Any], gunicorn: Mapping[str, SettingValue]) -> Findings:
    """Yield what can be told of trusted proxies where gunicorn's settings are known."""
    yield from _nameless_clients(values, gunicorn.get("bind"))
    if not values[HEADERS] and not values[VARIABLES]:
        return
    if "scheme" not in _purposes(values[HEADERS]) and SCHEME not in values[VARIABLES]:
        yield from _believed_by_gunicorn(values[PROXIES], gunicorn.get("forwarded_allow_ips"))
    mapping = gunicorn.get("header_map")
    if mapping is not None and mapping.value == "dangerous":
        yield Finding(
            "W076",
            mapping.where,
            "header_map is 'dangerous': what a client sends as X_Forwarded_For, with underscores, "
            "is part of X-Forwarded-For. A proxy that replaces the latter lets the former pass.",
            'Set header_map = "drop", its default.',
        )


def _wide_networks(proxies: Iterable[object]) -> Findings:
    for network in _networks(proxies):
        is_inside = any(
            each.version == network.version and network.subnet_of(each)  # type: ignore[arg-type]
            for each in _INSIDE
        )
        if network.prefixlen < _WIDEST[network.version] and not is_inside:
            yield Finding(
                "W071",
                _PREFIX + PROXIES,
                f"{quoted(str(network))} holds {_amount(network)} of the internet. Each of them "
                "can say who asks, and how.",
                "Name your proxies alone. Where anybody can connect, let the network or a firewall "
                "keep everybody else out, and name the addresses that are left.",
            )


def _amount(network: IPv4Network | IPv6Network) -> str:
    return "all" if network.prefixlen == 0 else f"1/{2**network.prefixlen}"


def _networks(proxies: Iterable[object]) -> Iterator[IPv4Network | IPv6Network]:
    """The networks among some proxies; what is none is reported as a mistake."""
    for each in proxies:
        with suppress(ValueError):
            if isinstance(each, str) and each != UNIX:
                yield network_of(each)


def _several_of_a_purpose(headers: Iterable[object]) -> Findings:
    for purpose in _PURPOSES:
        names = [name for name, purposes in _named(headers) if purpose in purposes]
        if len(names) > 1:
            yield Finding(
                "W074",
                _PREFIX + HEADERS,
                f"{listed(names)} tell the {purpose}, and {names[-1]}, the last, counts where it "
                "is sent. If your proxies do not set it in each request, a client can.",
                f"Name the one that your proxies set: {names[0]!r} or {names[-1]!r}.",
            )


def _named(headers: Iterable[object]) -> Iterator[tuple[str, tuple[Purpose, ...]]]:
    """The known names among some headers, with their purposes."""
    known = {name.lower(): (name, header.purposes) for name, header in KNOWN.items()}
    for each in headers:
        if isinstance(each, str) and each.lower() in known:
            yield known[each.lower()]


def _purposes(headers: Iterable[object]) -> set[Purpose]:
    return {purpose for _, purposes in _named(headers) for purpose in purposes}


def _nameless_clients(values: Mapping[str, Any], bind: SettingValue | None) -> Findings:
    sockets = [each.strip() for each in ((bind and bind.value) or "").split(",")]
    sockets = [each for each in sockets if each.startswith("unix:")]
    if bind is None or not sockets:
        return
    is_trusted = UNIX in values[PROXIES]
    names_client = "client" in _purposes(values[HEADERS]) or CLIENT in values[VARIABLES]
    if is_trusted and names_client:
        return
    missing = (
        "no header for the client is trusted"
        if is_trusted
        else f"{_PREFIX}{PROXIES} does not name {UNIX!r}"
    )
    yield Finding(
        "W070",
        bind.where,
        f"bind is {quoted(sockets[0])}, and {missing}: REMOTE_ADDR is '' for every visitor. Limits "
        "by address, logs and INTERNAL_IPS cannot tell one from another.",
        f'Trust the server in front: WSGIMATCH_TRUSTED_PROXIES = ["unix"] and {_USUAL}, as far as '
        "it sets them.",
    )


def _believed_by_gunicorn(proxies: Iterable[object], allowed: SettingValue | None) -> Findings:
    if allowed is None or not allowed.value:
        return
    trusted = Networks.of(_networks(proxies), has_unix=False)
    given = [each.strip() for each in allowed.value.split(",")]
    others = [
        each
        for each in given
        if each in ANYBODY or (each not in _THIS_MACHINE and not holds(trusted, _first(each)))
    ]
    if others:
        yield Finding(
            "W075",
            allowed.where,
            f"forwarded_allow_ips has {listed(list(map(quoted, others)))}, and "
            f"{_PREFIX}{PROXIES} does not: gunicorn takes the scheme from their X-Forwarded-Proto, "
            "and nothing else comes from them.",
            f"Name X-Forwarded-Proto in {_PREFIX}{HEADERS}, then those who are trusted there "
            "decide alone.",
        )


def _first(network: str) -> str:
    """The first address of a network, which stands for all of it."""
    with suppress(ValueError):
        return str(network_of(network).network_address)
    return ""
