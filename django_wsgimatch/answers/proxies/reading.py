"""What settings say of trusted proxies, read and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from typing import Any, TypeVar

from ...exceptions import SettingError
from .addresses import UNIX, Networks, network_of
from .headers import KNOWN, ProxyHeader, environ_key
from .trusted import SCHEME, TrustedProxies

PROXIES, HEADERS = "TRUSTED_PROXIES", "TRUSTED_PROXY_HEADERS"
VARIABLES = "TRUSTED_PROXY_VARIABLES"

Read = TypeVar("Read")
# Where a setting is wrong, and why.
Report = Callable[[str, SettingError], None]

# Other spellings become the same key of the environ, so that a client could forge the header.
_HEADER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# What a request is: servers, headers of their own and the table decide about it.
_NOT_VARIABLES = re.compile(
    r"HTTP_.*|SERVER_.*|REQUEST_.*|CONTENT_.*|SCRIPT_.*|PATH_.*|QUERY_STRING|RAW_URI"
    r"|GATEWAY_INTERFACE"
)
_HEADER_NAMES = {name.lower(): header for name, header in KNOWN.items()}
_NOT_A_HEADER = "{!r} should be a header's name: letters, digits and single dashes between them"


def read_trusted_proxies(
    proxies: Sequence[object],
    headers: Sequence[object],
    variables: Mapping[Any, Any],
    report: Report,
) -> TrustedProxies | None:
    """
    Return what the three settings say, None where no header is named.

    What is wrong is told to ``report``, with the name of the setting, and left out.
    """
    networks = list(_read_each(proxies, _network, PROXIES, report))
    named = list(_read_each(headers, _header, HEADERS, report))
    pairs = list(_read_each(variables.items(), _variable, VARIABLES, report))
    if not named and not pairs:
        return None
    known = (network for network in networks if network is not None)
    return TrustedProxies.of(Networks.of(known, has_unix=None in networks), named, pairs)


def _read_each(
    given: Iterable[object], read: Callable[[Any], Read], setting: str, report: Report
) -> Iterator[Read]:
    for each in given:
        try:
            yield read(each)
        except SettingError as error:
            report(setting, error)


def _network(given: object) -> IPv4Network | IPv6Network | None:
    """A network, None for unix sockets."""
    if given == UNIX:
        return None
    if isinstance(given, str):
        try:
            return network_of(given)
        except ValueError:
            pass
    raise SettingError(
        f"{given!r} is no address such as '192.0.2.1', no network such as '10.0.0.0/8', and not "
        f"{UNIX!r}, which stands for those who connect by a unix socket; no names are looked up"
    )


def _header(given: object) -> ProxyHeader:
    header = _HEADER_NAMES.get(given.lower()) if isinstance(given, str) else None
    if header is not None:
        return header
    if isinstance(given, str) and (name := _misspelled(given)):
        raise SettingError(f"{given!r} is not known: did you mean {name!r}?")
    raise SettingError(
        f"{given!r} is not known: there are {', '.join(KNOWN)}. A header for a variable such as "
        f"REMOTE_USER belongs into WSGIMATCH_{VARIABLES}"
    )


def _misspelled(given: str) -> str:
    spelled = given.lower().removeprefix("http_").replace("_", "-")
    close = get_close_matches(spelled, _HEADER_NAMES, n=1, cutoff=0.8)
    return next((name for name in KNOWN if name.lower() in close), "")


def _variable(given: tuple[object, object]) -> tuple[str, str]:
    """A variable's name, and the environ's key of the header that it comes from."""
    name, header = given
    if not isinstance(name, str) or not (name == SCHEME or _VARIABLE.fullmatch(name)):
        raise SettingError(f"{name!r} should be a variable's name, such as 'REMOTE_USER'")
    if _NOT_VARIABLES.fullmatch(name):
        raise SettingError(
            f"{name} cannot be taken from a header of one's own: WSGIMATCH_{HEADERS} lists what a "
            "proxy may tell of the request"
        )
    if not isinstance(header, str) or not _HEADER.fullmatch(header):
        raise SettingError(f"{name!r}: {_NOT_A_HEADER.format(header)}")
    return name, environ_key(header)
