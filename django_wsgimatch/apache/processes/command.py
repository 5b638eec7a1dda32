"""How the server of an imported configuration is started: one command for each of its servers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from .binds import Bind
from .tls import Tls

SERVE = ("manage.py", "wsgimatch", "serve")
# By directive: gunicorn's option, and the most that it takes.
_LIMITS: Mapping[str, tuple[str, int]] = {
    "limitrequestline": ("--limit-request-line", 8190),
    "limitrequestfields": ("--limit-request-fields", 32768),
    "limitrequestfieldsize": ("--limit-request-field_size", 2**31 - 1),
}

# gunicorn takes no number with more digits, nor does Apache.
_NUMBER = re.compile(r"[0-9]{1,9}")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerStart:
    """
    What all servers of a configuration are started with.

    ``python`` runs them, "" for the one at hand; ``options`` are those of `serve` and of gunicorn.
    """

    python: str
    options: Words

    def with_options(self, options: Iterable[str]) -> ServerStart:
        """Return it with further options."""
        return replace(self, options=(*self.options, *options))

    def commands(self, binds: Sequence[Bind], *, is_worth_it: bool) -> tuple[Words, ...]:
        """
        Return a command for each TLS that differs, none where nothing has to be said.

        ``is_worth_it`` says that the configuration names addresses itself.
        """
        known = [each for each in binds if each.is_known]
        servers: dict[Tls | None, list[str]] = {}
        for bind in known:
            servers.setdefault(bind.tls, []).append(bind.address)
        is_said = self.python or self.options or is_worth_it or any(servers)
        if not is_said or (binds and not known):
            return ()
        return tuple(self._command(*each) for each in servers.items()) or (self._command(None, []),)

    def _command(self, tls: Tls | None, addresses: Iterable[str]) -> Words:
        start = (self.python, *SERVE) if self.python else SERVE
        binds = (word for each in addresses for word in ("--bind", each))
        return (*start, *self.options, *binds, *(tls.options if tls else ()))


def note_listens(binds: Iterable[Bind], own: Collection[int], ledger: Ledger) -> None:
    """Say of each Listen line what has become of it; ``own`` are those of these settings, by id."""
    for bind in binds:
        if bind.listen is None or not bind.is_known:
            continue
        note = f"`--bind {bind.address}` of the server"
        if id(bind) not in own:
            note = f"Apache answers otherwise there: `import --address {bind.address}`"
        ledger.note(bind.listen, "changed", note)


def request_limits(named: Mapping[str, Sequence[Directive]], ledger: Ledger) -> list[str]:
    """Return the options for what Apache limits of a request's head, and note it."""
    options: list[str] = []
    for name, (option, most) in _LIMITS.items():
        lines = [*named.get(name, ())]
        values = {line.rest.strip() for line in lines}
        if len(values) != 1 or not _NUMBER.fullmatch(value := values.pop()):
            for line in lines:
                ledger.note(line, "needs you", f"the server has one for all hosts: `{option}`")
            continue
        if int(value) <= most:
            options += [option, value]
            note = f"`{option} {value}` of the server"
        else:
            note = f"gunicorn takes no more than {most}"
        for line in lines:
            ledger.note(line, "changed", note)
    return options
