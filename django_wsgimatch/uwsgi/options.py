"""What a uWSGI configuration consists of: options, in the order in which they count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..apache.lines.directive import Directive, Refusal, Spot

# Other names of the same option; uWSGI keeps one value for all of them.
_OTHER_NAMES = {
    "workers": "processes",
    "file": "wsgi-file",
    "wsgi": "module",
    "virtualenv": "home",
    "venv": "home",
    "pyhome": "home",
    "python-path": "pythonpath",
    "pp": "pythonpath",
    "early-pythonpath": "pythonpath",
    "early-python-path": "pythonpath",
    "ienv": "env",
    "thread-stacksize": "thread-stack-size",
    "threads-stacksize": "thread-stack-size",
    "threads-stack-size": "thread-stack-size",
    "immediate-uid": "uid",
    "immediate-gid": "gid",
    "uwsgi-socket": "socket",
    "subscribe-to": "subscribe",
    "st": "subscribe",
    "static-check": "check-static",
    "vassals": "emperor",
}
# Their values often are secrets, and a report is shown around.
_HIDDEN = ("env",)


@dataclass(frozen=True, slots=True)
class UwsgiOption:
    """
    An option as uWSGI takes it: ``value`` has its placeholders filled in.

    ``key`` is the one name of those that stand for the same. ``unresolved`` are the placeholders
    that have no value here. ``line`` is what the report shows of it.
    """

    key: str
    value: str
    line: Directive
    unresolved: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        """Whether a flag is set: uWSGI takes any value but these for a yes."""
        return self.value.lower() not in ("false", "off", "no", "0")


@dataclass(frozen=True, slots=True)
class UwsgiInstance:
    """
    The options of one uWSGI, which its file and those that it includes have together.

    ``file`` is the file as it was named; ``used`` are the names that placeholders ask for.
    ``owner`` is the user and the group that an emperor with ``emperor-tyrant`` gives it.
    """

    file: str
    options: tuple[UwsgiOption, ...]
    refusals: tuple[Refusal, ...] = ()
    used: frozenset[str] = frozenset()
    owner: tuple[str, str] | None = None

    def all(self, key: str) -> Iterator[UwsgiOption]:
        """Yield the options of a name that are not switched off."""
        return (each for each in self.options if each.key == key and not each.line.is_off)

    def last(self, key: str) -> UwsgiOption | None:
        """Return the option of a name that counts where uWSGI keeps one value: the last."""
        return next(reversed([*self.all(key)]), None)

    def is_on(self, key: str) -> bool:
        """Whether a flag is given, and not with a value that stands for no."""
        given = self.last(key)
        return given is not None and given.is_on


def make_option(key: str, value: str, spot: Spot) -> UwsgiOption:
    """Return an option as it stands in a file."""
    name = _OTHER_NAMES.get(key, key)
    return UwsgiOption(name, value, Directive(key, _shown_value(name, value), spot))


def with_value(option: UwsgiOption, value: str, unresolved: tuple[str, ...]) -> UwsgiOption:
    """Return an option with placeholders filled in."""
    line = replace(option.line, rest=_shown_value(option.key, value))
    return replace(option, value=value, line=line, unresolved=unresolved)


def _shown_value(key: str, value: str) -> str:
    if key in _HIDDEN and "=" in value:
        return f"= {value.partition('=')[0]}=(not shown)"
    return f"= {value}" if value else ""
