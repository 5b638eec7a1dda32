"""
The access rules of one section as values that settings can say, where they can say all of them.

Mirrors the directives of mod_authz_core, mod_authn_core, mod_authn_file, mod_authz_groupfile,
mod_auth_basic, mod_access_compat and mod_ssl.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...aliases.access.requirements import Demand, Demands, MethodLimit, contain, parse_demand
from ...aliases.access.rules import AccessRules, HostRules, Login, Merging, Order, parse_origin
from ...exceptions import DirectiveError
from ..lines.directive import Directive, Section
from .access import BARRING, CONTAINERS, LIMITS, SWITCHES

# These have rules of their own, and do not say how one logs in.
_OTHERS = ("authmerging", "authopenidenabled")
# What <Limit> is looked at for.
_LIMITED = ("require", "order", "allow", "deny", "satisfy")
_ORDERS: tuple[Order, ...] = ("deny,allow", "allow,deny", "mutual-failure")
_MERGINGS: tuple[Merging, ...] = ("off", "and", "or")
_REQUIRES_TLS, _TLS_OPTIONS = "sslrequiressl", "ssloptions"
# What makes an expression of a text, or is taken apart once more in one.
_EXPRESSION = ("%", "\\", "$")
# With this word they say what holds without them.
_HARMLESS = {
    "authbasicprovider": "file",
    "authbasicauthoritative": "on",
    "authbasicfake": "off",
    "authbasicusedigestalgorithm": "off",
    "authzsendforbiddenonfailure": "off",
}


def says_login(name: str) -> bool:
    """Whether a directive, in lower case, may belong to how one logs in."""
    return name == _TLS_OPTIONS or (name.startswith("auth") and name not in _OTHERS)


def is_of_login(directive: Directive) -> bool:
    """
    Whether a directive that may does belong to how one logs in.

    With FakeBasicAuth a certificate stands for a name, and all names have one password.
    """
    return directive.key != _TLS_OPTIONS or any(
        word.lower().lstrip("+") == "fakebasicauth" for word in directive.words
    )


def read_rules(
    access: Iterable[Directive], logins: Iterable[Directive], *, server_root: str, is_tls: bool
) -> AccessRules:
    """
    Return what the directives of one section say.

    ``server_root`` is what relative paths belong to, "" for nobody knows. Where nothing but TLS
    is spoken, ``is_tls``, a rule that asks for it holds nothing. Raises DirectiveError where the
    settings cannot say the same.
    """
    reading = _Reading(server_root, is_tls)
    access = [*access]
    for directive in (*access, *logins):
        if "${" in directive.rest:
            raise DirectiveError(f"a variable in {directive.name} has no value here")
        reading.read(directive)
    found = reading.rules()
    limit = _limit_of(access)
    return replace(
        found,
        demands=found.demands and replace(found.demands, limit=limit),
        host_rules=found.host_rules and replace(found.host_rules, limit=limit),
    )


def _limit_of(access: Iterable[Directive]) -> MethodLimit | None:
    """
    Return the methods that all rules of a section are for, None where they are for all.

    How one logs in is for all in any case. Raises DirectiveError where rules are for others than
    other rules.
    """
    limits = {_limit_around(each) for each in access}
    if len(limits) > 1:
        raise DirectiveError("some of its rules hold for some methods only")
    return next(iter(limits), None)


def _limit_around(directive: Directive) -> MethodLimit | None:
    around = [each for each in directive.sections if each.key in (*LIMITS, *CONTAINERS)]
    limits = [each for each in around if each.key in LIMITS]
    if not limits:
        return None
    if directive.key not in _LIMITED or len(limits) > 1 or around[0] is not limits[0]:
        raise DirectiveError(f"{directive.name} holds for some methods only")
    [section] = limits
    return MethodLimit(frozenset(section.argument.split()), is_except=section.key == "limitexcept")


@dataclass(slots=True)
class _Reading:
    server_root: str
    is_tls: bool
    requires: list[Directive] = field(default_factory=list)
    found: AccessRules = field(default_factory=AccessRules)

    def read(self, directive: Directive) -> None:
        """Take a directive in. Raises DirectiveError."""
        name = directive.key
        words = directive.words
        if name == "require":
            if "$" in directive.rest:
                raise DirectiveError("a word of Require is an expression")
            self.requires.append(directive)
        elif name in _READERS:
            _READERS[name](self, words)
        elif name in SWITCHES:
            self._switch(directive)
        elif name in BARRING or _HARMLESS.get(name) != " ".join(words).lower():
            raise DirectiveError(f"{directive.name} cannot be said here")

    def rules(self) -> AccessRules:
        demands = _contained("any", self.requires, 0) if self.requires else None
        return replace(self.found, demands=demands)

    def _switch(self, directive: Directive) -> None:
        words = [word.lower() for word in directive.words]
        if directive.key == _REQUIRES_TLS:
            if not self.is_tls:
                self.found = replace(self.found, require_ssl=True)
        elif SWITCHES[directive.key](words):
            raise DirectiveError(f"{directive.name} cannot be said here")

    def merging(self, words: Sequence[str]) -> None:
        """AuthMerging."""
        given = next((each for each in _MERGINGS if [each] == [w.lower() for w in words]), None)
        if given is None:
            raise DirectiveError("AuthMerging must be one of: Off | And | Or")
        self.found = replace(self.found, merging=given)

    def kind(self, words: Sequence[str]) -> None:
        """AuthType."""
        given = {"basic": "Basic", "none": "None"}.get(_only("AuthType", words).lower())
        if given is None:
            raise DirectiveError(f"AuthType {words[0]} is not a login that can be asked for here")
        self._login(kind="Basic" if given == "Basic" else "None")

    def realm(self, words: Sequence[str]) -> None:
        """AuthName."""
        realm = _only("AuthName", words)
        if not realm or any(each in realm for each in _EXPRESSION):
            raise DirectiveError("AuthName is an expression")
        self._login(realm=realm)

    def users(self, words: Sequence[str]) -> None:
        """AuthUserFile."""
        self._login(users=self._path("AuthUserFile", words))

    def groups(self, words: Sequence[str]) -> None:
        """AuthGroupFile."""
        self._login(groups=self._path("AuthGroupFile", words))

    def _login(self, **given: str) -> None:
        login = {"kind": self.found.login.kind, "realm": self.found.login.realm}
        login |= {"users": self.found.login.users, "groups": self.found.login.groups}
        self.found = replace(self.found, login=Login(**(login | given)))  # type: ignore[arg-type]

    def _path(self, name: str, words: Sequence[str]) -> str:
        path = _only(name, words)
        if not path.startswith("/") and not self.server_root.startswith("/"):
            raise DirectiveError(f"{name} is relative to ServerRoot, which no line names")
        return posixpath.normpath(posixpath.join(self.server_root, path))

    def order(self, words: Sequence[str]) -> None:
        """Order."""
        given = next((each for each in _ORDERS if [each] == [w.lower() for w in words]), None)
        if given is None:
            raise DirectiveError(f"Order {' '.join(words)} is unknown")
        self.found = replace(self.found, host_rules=replace(self._host_rules(), order=given))

    def allow(self, words: Sequence[str]) -> None:
        """Allow."""
        rules = self._host_rules()
        rules = replace(rules, allow=(*rules.allow, *map(parse_origin, _origins(words))))
        self.found = replace(self.found, host_rules=rules)

    def deny(self, words: Sequence[str]) -> None:
        """Deny."""
        rules = self._host_rules()
        rules = replace(rules, deny=(*rules.deny, *map(parse_origin, _origins(words))))
        self.found = replace(self.found, host_rules=rules)

    def satisfy(self, words: Sequence[str]) -> None:
        """Satisfy."""
        lower = [word.lower() for word in words]
        if lower not in (["any"], ["all"]):
            raise DirectiveError("Satisfy either 'any' or 'all'.")
        rules = replace(self._host_rules(), satisfy="any" if lower == ["any"] else "all")
        self.found = replace(self.found, host_rules=rules)

    def _host_rules(self) -> HostRules:
        return self.found.host_rules or HostRules()


_READERS: dict[str, Callable[[_Reading, Sequence[str]], None]] = {
    "authmerging": _Reading.merging,
    "authtype": _Reading.kind,
    "authname": _Reading.realm,
    "authuserfile": _Reading.users,
    "authgroupfile": _Reading.groups,
    "order": _Reading.order,
    "allow": _Reading.allow,
    "deny": _Reading.deny,
    "satisfy": _Reading.satisfy,
}


def _only(name: str, words: Sequence[str]) -> str:
    if len(words) != 1:
        raise DirectiveError(f"{name} takes one argument")
    return words[0]


def _origins(words: Sequence[str]) -> list[str]:
    """Return what stands behind ``from``; nobody comes from a host called ``none``."""
    if len(words) < 2 or words[0].lower() != "from":
        raise DirectiveError("allow and deny must be followed by 'from'")
    return [word for word in words[1:] if word.lower() != "none"]


def _contained(kind: str, lines: Sequence[Directive], depth: int) -> Demands:
    """Return what Require lines in a container demand, so many containers deep."""
    members: dict[Section | int, list[Directive]] = {}
    for number, line in enumerate(lines):
        inside = [each for each in line.sections if each.key in CONTAINERS][depth:]
        members.setdefault(inside[0] if inside else number, []).append(line)
    found = (_member(key, own, depth) for key, own in members.items())
    return contain("all" if kind == "all" else "none" if kind == "none" else "any", found)


def _member(key: Section | int, lines: Sequence[Directive], depth: int) -> Demand | Demands:
    if isinstance(key, Section):
        return _contained(key.key.removeprefix("require"), lines, depth + 1)
    return parse_demand(lines[0].rest)
