"""WSGITrustedProxies, and mod_remoteip, as the settings for trusted proxies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...answers.proxies.headers import KNOWN
from ...answers.proxies.reading import HEADERS, PROXIES, read_trusted_proxies
from ..covering.hosts import PROXY_LINES, proxy_lines
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from ..resolving.resolving import ResolvedAlias
from .setting import Setting

_MOD_WSGI = ("wsgitrustedproxies", "wsgitrustedproxyheaders")
_REMOTE_IP = ("remoteipinternalproxy", "remoteipheader")

_WHO = "Who connects to the server: it may be another proxy now."
_EVERYBODY = (
    "Apache believes everybody here: write into WSGIMATCH_TRUSTED_PROXIES who connects to the "
    "server. Until then nobody is believed"
)
_NO_HEADER = "no line names a header that proxies set"
_APART = "entries have other proxies than others, and the settings hold for all: write them"
_BOTH = "mod_wsgi looks at what mod_remoteip has made of the client: write the settings"
_OTHERS = "the settings have no counterpart for what mod_remoteip does here: write them"
_NOT_ONE = "no header with one client's address: write WSGIMATCH_TRUSTED_PROXY_HEADERS"
_DROPPED = (
    "{}; headers like it are dropped from others, and the application still sees those of proxies"
)


# By a directive's name, lower case: the lines that count.
_Lines = dict[str, list[Directive]]


def proxy_settings(entries: Sequence[ResolvedAlias], ledger: Ledger) -> list[Setting]:
    """Return what all entries say of proxies; what they do not say alike is noted as the user's."""
    found = [_lines_of(each, ledger) for each in entries]
    said = {id(d): d for lines in found for each in lines.values() for d in each}
    if not said:
        return []
    if any(_words(lines) != _words(found[0]) for lines in found):
        return _left(said.values(), _APART, ledger)
    lines = found[0]
    if any(key in lines for key in PROXY_LINES if key not in (*_MOD_WSGI, *_REMOTE_IP)):
        return _left(said.values(), _OTHERS, ledger)
    is_remote_ip = any(key in lines for key in _REMOTE_IP)
    if is_remote_ip and any(key in lines for key in _MOD_WSGI):
        return _left(said.values(), _BOTH, ledger)
    networks, headers = (lines.get(k, []) for k in (_REMOTE_IP if is_remote_ip else _MOD_WSGI))
    return _settings(networks, headers, ledger, is_remote_ip=is_remote_ip)


def _lines_of(entry: ResolvedAlias, ledger: Ledger) -> _Lines:
    """Return the lines that count: those of one place add up, those of the next replace them."""
    found: _Lines = {}
    for directive in proxy_lines(entry.values):
        found.setdefault(directive.key, []).append(directive)
    for key, lines in found.items():
        last = lines[-1]
        found[key] = [each for each in lines if each.sections == last.sections]
        for each in lines:
            if each.sections != last.sections:
                ledger.note(each, "not needed", f"{last.spot} replaces it")
    return found


def _words(lines: _Lines) -> dict[str, list[str]]:
    return {key: _all_words(each) for key, each in lines.items()}


def _all_words(lines: Sequence[Directive]) -> list[str]:
    return [word for each in lines for word in each.words]


def _settings(
    proxies: list[Directive], headers: list[Directive], ledger: Ledger, *, is_remote_ip: bool
) -> list[Setting]:
    """Return the settings of the lines that name proxies, and of those that name headers."""
    every = [*proxies, *headers]
    networks, names = tuple(_all_words(proxies)), tuple(map(_spelled, _all_words(headers)))
    if not names:
        for each in proxies:
            ledger.note(each, "not needed", _NO_HEADER)
        return []
    problems: list[str] = []
    read_trusted_proxies(networks, names, {}, lambda name, error: problems.append(str(error)))
    if is_remote_ip and not _is_one_client(names):
        problems.append(_NOT_ONE)
    if problems:
        return _left(every, problems[0], ledger)
    found = [_setting(HEADERS, names, "", headers)]
    if not networks:
        # No client is to be believed because of a line that is missing.
        _left(headers, _EVERYBODY, ledger)
        return found
    found.insert(0, _setting(PROXIES, networks, _WHO, proxies))
    for setting, lines in zip(found, (proxies, headers), strict=True):
        for each in lines:
            if is_remote_ip:
                ledger.note(each, "changed", _DROPPED.format(setting.name))
            else:
                ledger.note(each, "kept", setting.name)
    return found


def _setting(
    name: str, value: Sequence[str], comment: str, directives: Iterable[Directive]
) -> Setting:
    spots = tuple(each.spot for each in directives)
    return Setting(f"WSGIMATCH_{name}", [*value], comment, spots)


def _is_one_client(names: Sequence[str]) -> bool:
    known = [KNOWN[name].purposes for name in names if name in KNOWN]
    return len(names) == 1 and known == [("client",)]


def _spelled(name: str) -> str:
    return next((known for known in KNOWN if known.lower() == name.lower()), name)


def _left(directives: Iterable[Directive], reason: str, ledger: Ledger) -> list[Setting]:
    for each in directives:
        ledger.note(each, "needs you", reason)
    return []
