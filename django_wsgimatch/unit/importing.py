"""Unit's configuration in, settings and a report out."""

from __future__ import annotations

from collections.abc import Iterator

from ..apache.importing import Imported
from ..apache.lines.directive import Spot, Unreadable
from ..apache.lines.limits import Volume
from ..apache.writing.setting import Setting
from ..others.draft import Draft
from ..others.json_lines import read_json
from ..others.texts import read_source
from .applications import UnitTarget, read_application
from .forwarding import carry_forwarding
from .host_cases import host_cases
from .members import UnitMember, note_all, read_members
from .patterns import EVERYWHERE
from .routes import RouteWalk
from .table import UnitTable

_TLS = "TLS: the server in front has it, or the one that runs the settings"
_SERVER = "the server that runs the settings has its own"
_LISTENER = (
    "another listener is imported: where this one only redirects to HTTPS, WSGIMATCH_PLAIN_HTTP "
    "does; else import it with --address '{0}', into a file of its own"
)
_SAME = "the listener that is imported leads there, too"
_UNREACHED = "no listener that is imported leads to it"
_DECODED = "Unit takes %2F for a slash."
_LIMITS = "the longest body: the server in front has a limit of its own"
_TYPES = "types are those of the system's mime.types"


def import_unit(path: str, text: str | None = None, *, address: str | None = None) -> Imported:
    """
    Return the settings for Unit's configuration, and what becomes of each value.

    The file, or the ``text`` that stands for it, has what ``/config`` of the control socket
    returns, or ``/``. ``address`` is the listener that is imported; the first that leads to an
    application without one. Nothing is raised: what cannot be read is a refusal.
    """
    draft = Draft()
    try:
        root = _read(path, text)
    except Unreadable as error:
        line = getattr(error, "line", 1)
        draft.refuse(Spot(path, line), "", error.reason, error.cure)
    else:
        draft.options += dict.fromkeys(root.leaves())
        _import(draft, root, address)
    return draft.imported()


def _read(path: str, text: str | None) -> UnitMember:
    volume = Volume()
    if text is None:
        text = read_source(path, volume)
    else:
        volume.add_text(len(text), f"{path} is too long")
    root = read_members(read_json(text), path)
    if not isinstance(root.value, dict):
        raise Unreadable("a configuration is an object", "name the file of /config")
    return root.get("config") or root


def _import(draft: Draft, root: UnitMember, address: str | None) -> None:
    applications = root.get("applications")
    targets: dict[str, dict[str, UnitTarget]] = {
        name: read_application(draft, name, each)
        for name, each in (() if applications is None else applications.items())
    }
    listener = _chosen(draft, root, address, targets)
    if listener is not None:
        _write(draft, root, listener, targets)
    _note_rest(draft, root)


def _chosen(
    draft: Draft,
    root: UnitMember,
    address: str | None,
    targets: dict[str, dict[str, UnitTarget]],
) -> UnitMember | None:
    """Return the ``pass`` of the listener that is imported, and say so of the others."""
    listeners = root.get("listeners")
    found = [] if listeners is None else listeners.items()
    passes = {name: each.get("pass") or each.get("application") for name, each in found}
    known = {name: each for name, each in passes.items() if each is not None}
    if address is None:
        leading = (n for n, each in known.items() if _leads(root, each, targets))
        address = next(leading, next(iter(known), ""))
    elif address not in known:
        spot = root.line.spot
        reason = f"no listener has the address {address}"
        draft.refuse(spot, "", reason, f"there are {', '.join(known) or 'none'}")
    for name, each in found:
        note_all(draft, each.get("tls"), "needs you", _TLS)
        note_all(draft, each.get("backlog"), "not needed", _SERVER)
        if name == address:
            carry_forwarding(draft, each)
        if name != address:
            is_same = (
                name in known and address in known and (known[name].value == known[address].value)
            )
            for part in (passes[name], each.get("forwarded"), each.get("client_ip")):
                if is_same:
                    note_all(draft, part, "not needed", _SAME)
                else:
                    note_all(draft, part, "needs you", _LISTENER.format(name))
    return known.get(address)


def _leads(root: UnitMember, source: UnitMember, targets: dict[str, dict[str, UnitTarget]]) -> bool:
    """Whether a ``pass`` leads to an application or to files."""
    walk = RouteWalk(Draft(), root, targets, host_cases([])[0], UnitTable())
    walk.pass_to(source, EVERYWHERE)
    return any(each.alias.target for each in walk.table.entries)


def _write(
    draft: Draft,
    root: UnitMember,
    listener: UnitMember,
    targets: dict[str, dict[str, UnitTarget]],
) -> None:
    cases = host_cases(_hosts(root))
    for case in cases:
        table = UnitTable()
        has_hosts = len(cases) > 1
        RouteWalk(draft, root, targets, case, table, has_hosts).pass_to(listener, EVERYWHERE)
        if not has_hosts:
            draft.entries, draft.first = table.entries, table.first
        else:
            draft.hosts[case.pattern] = table.entries
    draft.others.append(Setting("WSGIMATCH_ALLOW_ENCODED_SLASHES", True, _DECODED))


def _hosts(root: UnitMember) -> Iterator[str]:
    """Yield the patterns of all steps' hosts."""
    routes = root.get("routes")
    lists = [] if routes is None else [routes, *(each for _, each in routes.items())]
    for steps in lists:
        for step in steps.elements():
            match = step.get("match")
            host = None if match is None else match.get("host")
            if host is not None:
                yield from host.texts()


def _note_rest(draft: Draft, root: UnitMember) -> None:
    """Say what becomes of what no other part has spoken of."""
    for name, member in root.items():
        if name == "settings":
            _note_settings(draft, member)
        elif name in ("access_log", "js_module", "certificates", "status"):
            note_all(draft, member, "not needed", _SERVER)
        elif name in ("routes", "applications", "upstreams"):
            for line in member.leaves():
                if draft.ledger.outcome(line) is None:
                    draft.note(line, "not needed", _UNREACHED)


def _note_settings(draft: Draft, settings: UnitMember) -> None:
    http = settings.get("http")
    if http is not None:
        note_all(draft, http.get("max_body_size"), "needs you", _LIMITS)
        note_all(draft, http.get("static"), "needs you", _TYPES)
    for line in settings.leaves():
        if draft.ledger.outcome(line) is None:
            draft.note(line, "not needed", _SERVER)
