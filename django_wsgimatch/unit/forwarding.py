"""Unit's ``forwarded``: who the client is behind a proxy, as the settings of trusted proxies."""

from __future__ import annotations

from collections.abc import Mapping

from ..answers.proxies.addresses import UNIX, network_of
from ..answers.proxies.headers import KNOWN, Purpose, environ_key
from ..apache.writing.setting import Setting
from ..others.draft import Draft
from .members import UnitMember, note_all

_CARRIED = "WSGIMATCH_TRUSTED_PROXIES and WSGIMATCH_TRUSTED_PROXY_HEADERS"
_NOT_CARRIED = (
    "who the client is behind a proxy: name the proxies in WSGIMATCH_TRUSTED_PROXIES, as addresses "
    "and networks, and their headers in WSGIMATCH_TRUSTED_PROXY_HEADERS"
)
_RECURSIVE = "the last address that is no trusted proxy's counts, however many proxies there are"


def carry_forwarding(draft: Draft, listener: UnitMember) -> None:
    """Write the settings for a listener's proxies, and say what became of each value."""
    given = listener.get("forwarded")
    # Before 1.28 it stood so.
    old = listener.get("client_ip")
    where = old if given is None else given
    if where is None:
        return
    headers: dict[Purpose, UnitMember | None] = {
        "client": where.get("header") if given is None else where.get("client_ip"),
        "scheme": where.get("protocol"),
    }
    source = where.get("source")
    proxies = [] if source is None else source.texts()
    names = {purpose: each.text or "" for purpose, each in headers.items() if each is not None}
    if not proxies or not all(map(_is_address, proxies)) or not _are_known(names):
        note_all(draft, where, "needs you", _NOT_CARRIED)
        return
    draft.others.append(Setting("WSGIMATCH_TRUSTED_PROXIES", proxies, ""))
    draft.others.append(Setting("WSGIMATCH_TRUSTED_PROXY_HEADERS", [*names.values()], ""))
    for each in (source, *headers.values()):
        note_all(draft, each, "kept", _CARRIED)
    note_all(draft, where.get("recursive"), "changed", _RECURSIVE)


def _is_address(text: str) -> bool:
    if text == UNIX:
        return True
    try:
        network_of(text)
    except ValueError:
        return False
    return True


def _are_known(names: Mapping[Purpose, str]) -> bool:
    """Whether each header is one of those that the settings take, and for the same purpose."""
    by_key = {header.key: header for header in KNOWN.values()}
    found = {purpose: by_key.get(environ_key(name)) for purpose, name in names.items()}
    return bool(found) and all(
        known is not None and purpose in known.purposes for purpose, known in found.items()
    )
