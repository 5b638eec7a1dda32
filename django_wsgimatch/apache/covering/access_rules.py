"""
The access rules of one section as values that settings can say, where they can say all of them.

Mirrors the directives of mod_authz_core, mod_authn_core, mod_authn_file, mod_authz_groupfile,
mod_auth_basic, mod_access_compat and mod_ssl.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...aliases.access.requirements import (
    HEAD,
    Demand,
    Demands,
    MethodLimit,
    check_methods,
    contain,
    parse_demand,
)
from ...aliases.access.rules import AccessRules, HostRules, Login, Merging, Order, parse_origin
from ...exceptions import DirectiveError
from ..lines.directive import Directive, Section
from .access import BARRING, CONTAINERS, LIMITS, SWITCHES

# These have rules of their own, and do not say how one logs in.
_OTHERS = ("authmerging", "authopenidenabled")
_ORDERS: tuple[Order, ...] = ("deny,allow", "allow,deny", "mutual-failure")
_MERGINGS: tuple[Merging, ...] = ("off", "and", "or")
_REQUIRES_TLS, _TLS_OPTIONS = "sslrequiressl", "ssloptions"
# What makes an expression of a text, or is taken apart once more in one.
_EXPRESSION = ("%", "\\", "$")
# What a request has whose method no section names.
_OTHER = ""
_DENIED = Demand("all", ("denied",))
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
    for directive in (*access, *logins):
        if "${" in directive.rest:
            raise DirectiveError(f"a variable in {directive.name} has no value here")
        reading.read(directive)
    return reading.rules()


@dataclass(slots=True)
class _Reading:
    server_root: str
    is_tls: bool
    requires: list[Directive] = field(default_factory=list)
    compat: list[Directive] = field(default_factory=list)
    found: AccessRules = field(default_factory=AccessRules)

    def read(self, directive: Directive) -> None:
        """Take a directive in. Raises DirectiveError."""
        name = directive.key
        words = directive.words
        if name == "require":
            if "$" in directive.rest:
                raise DirectiveError("a word of Require is an expression")
            self.requires.append(directive)
        elif name in _OF_HOSTS:
            self.compat.append(directive)
        elif name in _LOGINS:
            # In a <Limit>, too, they hold for all methods.
            _LOGINS[name](self, words)
        elif _limit_of(directive) is not None:
            raise DirectiveError(f"{directive.name} holds for some methods only")
        elif name == "authmerging":
            self.merging(words)
        elif name in SWITCHES:
            self._switch(directive)
        elif name in BARRING or _HARMLESS.get(name) != " ".join(words).lower():
            raise DirectiveError(f"{directive.name} cannot be said here")

    def rules(self) -> AccessRules:
        demands = _demands_by_method(self.requires)
        host_rules = _host_rules_by_method(self.compat)
        if self.found.merging and any(map(_limit_of, self.requires)):
            raise DirectiveError("AuthMerging goes by the method")
        return replace(self.found, demands=demands, host_rules=host_rules)

    def _switch(self, directive: Directive) -> None:
        words = [word.lower() for word in directive.words]
        if directive.key == _REQUIRES_TLS:
            if not self.is_tls:
                self.found = replace(self.found, require_ssl=True)
        elif directive.key == "allowmethods":
            self._allow_methods(directive.words)
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

    def _allow_methods(self, words: Sequence[str]) -> None:
        """AllowMethods: several lines of a section add up."""
        if [word.lower() for word in words] == ["reset"]:
            self.found = replace(self.found, allow_methods=())
            return
        check_methods(words)
        found = dict.fromkeys([*(self.found.allow_methods or ()), *words])
        self.found = replace(self.found, allow_methods=(*found,))


_LOGINS: dict[str, Callable[[_Reading, Sequence[str]], None]] = {
    "authtype": _Reading.kind,
    "authname": _Reading.realm,
    "authuserfile": _Reading.users,
    "authgroupfile": _Reading.groups,
}


def _host_rules(lines: Iterable[Directive]) -> HostRules:
    """Return what Order, Allow, Deny and Satisfy say."""
    rules = HostRules()
    for each in lines:
        rules = _OF_HOSTS[each.key](rules, each.words)
    return rules


def _order(rules: HostRules, words: Sequence[str]) -> HostRules:
    given = next((each for each in _ORDERS if [each] == [w.lower() for w in words]), None)
    if given is None:
        raise DirectiveError(f"Order {' '.join(words)} is unknown")
    return replace(rules, order=given)


def _allow(rules: HostRules, words: Sequence[str]) -> HostRules:
    return replace(rules, allow=(*rules.allow, *map(parse_origin, _origins(words))))


def _deny(rules: HostRules, words: Sequence[str]) -> HostRules:
    return replace(rules, deny=(*rules.deny, *map(parse_origin, _origins(words))))


def _satisfy(rules: HostRules, words: Sequence[str]) -> HostRules:
    lower = [word.lower() for word in words]
    if lower not in (["any"], ["all"]):
        raise DirectiveError("Satisfy either 'any' or 'all'.")
    return replace(rules, satisfy="any" if lower == ["any"] else "all")


_OF_HOSTS: dict[str, Callable[[HostRules, Sequence[str]], HostRules]] = {
    "order": _order,
    "allow": _allow,
    "deny": _deny,
    "satisfy": _satisfy,
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


def _limit_of(directive: Directive) -> MethodLimit | None:
    """Return the methods that a directive holds for, None for all. Raises DirectiveError."""
    around = [each for each in directive.sections if each.key in (*LIMITS, *CONTAINERS)]
    found = [each for each in around if each.key in LIMITS]
    if not found:
        return None
    if len(found) > 1 or around[0] is not found[0]:
        raise DirectiveError(f"{directive.name} holds for some methods of some")
    return MethodLimit(frozenset(found[0].argument.split()), found[0].key == "limitexcept")


def _host_rules_by_method(lines: Iterable[Directive]) -> HostRules | None:
    """
    Return what Order, Allow, Deny and Satisfy of one section say, None without any.

    Raises DirectiveError.
    """
    limited = [(each, _limit_of(each)) for each in lines]
    if not limited:
        return None
    if len({limit for _, limit in limited}) == 1:
        return replace(_host_rules(each for each, _ in limited), limit=limited[0][1])
    named = _named(limit for _, limit in limited)
    found = {
        method: _host_rules(d for d, limit in limited if limit is None or limit.holds(method))
        for method in (*named, _OTHER)
    }
    if len({rules.satisfy == "any" for rules in found.values()}) > 1:
        raise DirectiveError("Satisfy holds for some methods only")
    keeping = {rules for rules in found.values() if not lets_all_come(rules)}
    if len(keeping) > 1:
        raise DirectiveError("Order, Allow and Deny are others for other methods")
    if not keeping:
        return found[_OTHER]
    [rules] = keeping
    if rules.satisfy == "any":
        # A limit holds for it, too.
        raise DirectiveError("Satisfy is for others than Order, Allow and Deny")
    return replace(rules, limit=_limit_to([m for m in found if found[m] == rules], named))


def lets_all_come(rules: HostRules) -> bool:
    """Whether Order, Allow and Deny keep nobody out, with whatever method."""
    if rules.order == "deny,allow":
        return not rules.deny or any(each.is_all for each in rules.allow)
    return not rules.deny and any(each.is_all for each in rules.allow)


def _demands_by_method(lines: Sequence[Directive]) -> Demands | None:
    """
    Return what the Require lines of one section demand, None without any.

    With a method that none of them is for, everybody is let in. Raises DirectiveError.
    """
    groups: dict[MethodLimit | None, list[Directive]] = {}
    for line in lines:
        groups.setdefault(_limit_of(line), []).append(line)
    if not groups:
        return None
    if len(groups) == 1:
        return replace(_contained("any", lines, 0), limit=next(iter(groups)))
    members: list[Demand | Demands] = []
    for limit, own in groups.items():
        found = _contained("any", own, 0)
        if limit is None:
            members += found.members
        elif any(each != _DENIED for each in found.members):
            inner = found.members[0] if len(found.members) == 1 else found
            members.append(contain("all", (_asked_for(limit), inner)))
    if None not in groups:
        members += _granted_to_others([limit for limit in groups if limit is not None])
    return contain("any", members or [_DENIED])


def _asked_for(limit: MethodLimit) -> Demand:
    return Demand("method", tuple(sorted(limit.methods)), is_negated=limit.is_except)


def _granted_to_others(limits: Sequence[MethodLimit]) -> list[Demand | Demands]:
    """Return what lets everybody in whose method is in none of some limits."""
    named = _named(limits)
    left = [m for m in (*named, _OTHER) if not any(each.holds(m) for each in limits)]
    limit = _limit_to(left, named)
    if not left or limit is None:
        return []
    if not limit.is_except:
        return [_asked_for(limit)]
    granted = Demand("all", ("granted",), is_granted=True)
    return [contain("all", (granted, _asked_for(limit)))]


def _named(limits: Iterable[MethodLimit | None]) -> list[str]:
    """Return the methods that limits name, each once; a HEAD is a GET."""
    words = (word for each in limits if each is not None for word in sorted(each.methods))
    return [*dict.fromkeys("GET" if word == HEAD else word for word in words)]


def _limit_to(methods: Sequence[str], named: Sequence[str]) -> MethodLimit | None:
    """Return the limit to some of the methods that are named and to all others, if any."""
    if _OTHER not in methods:
        return MethodLimit(frozenset(methods))
    others = frozenset(each for each in named if each not in methods)
    return MethodLimit(others, is_except=True) if others else None
