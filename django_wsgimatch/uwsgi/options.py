"""What a uWSGI configuration consists of: options, in the order in which they count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

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
_HIDDEN = ("legion*", "snmp-community", "subscriptions-sign-check")
_PASSWORDS = re.compile(r"\b((?:basicauth|ldapauth|radius)[a-z-]*:).*")
_NOT_SHOWN = "(not shown)"


@dataclass(frozen=True, slots=True)
class UwsgiOption:
    """
    An option as uWSGI takes it: ``value`` has its placeholders filled in.

    ``key`` is the one name of those that stand for the same. ``unresolved`` are the placeholders
    that have no value here. ``line`` is what the report shows of it: the value of an option that
    ``is_private`` it does not.
    """

    key: str
    value: str
    line: Directive
    unresolved: tuple[str, ...] = ()
    is_private: bool = False

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


def make_option(key: str, value: str, spot: Spot, *, is_private: bool = False) -> UwsgiOption:
    """Return an option as it stands in a file, which not everybody may read if ``is_private``."""
    name = _OTHER_NAMES.get(key, key)
    line = Directive(key, _NOT_SHOWN if is_private else _shown_value(name, value), spot)
    return UwsgiOption(name, value, line, is_private=is_private)


def with_value(option: UwsgiOption, value: str, unresolved: tuple[str, ...]) -> UwsgiOption:
    """Return an option with placeholders filled in."""
    rest = _NOT_SHOWN if option.is_private else _shown_value(option.key, value)
    line = replace(option.line, rest=rest)
    return replace(option, value=value, line=line, unresolved=unresolved)


def _shown_value(key: str, value: str) -> str:
    if key == "env" and "=" in value:
        return f"= {value.partition('=')[0]}={_NOT_SHOWN}"
    if any(fnmatchcase(key, pattern) for pattern in _HIDDEN):
        return f"= {_NOT_SHOWN}"
    if "route" in key:
        value = _PASSWORDS.sub(rf"\1{_NOT_SHOWN}", value)
    return f"= {value}" if value else ""
