"""
The access rules of one place, and how those of several are merged.

Mirrors the directory configurations of mod_authz_core, mod_authn_core, mod_authn_file,
mod_authz_groupfile, mod_access_compat and mod_ssl, each with its own way to merge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...exceptions import DirectiveError
from .requirements import Demands, MethodLimit
from .subnets import Subnet, looks_like_address, parse_subnet

Order: TypeAlias = Literal["deny,allow", "allow,deny", "mutual-failure"]
Merging: TypeAlias = Literal["off", "and", "or"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What an ``Allow from`` or ``Deny from`` names: ``all``, a network, or a host's name."""

    text: str
    subnet: Subnet | None = None

    @property
    def is_all(self) -> bool:
        """Whether everybody comes from there."""
        return self.text == "all"


@dataclass(frozen=True, slots=True)
class HostRules:
    """
    Order, Allow, Deny and Satisfy of one section.

    A later section that says one of the four replaces all of them, with the defaults for what it
    does not say: mod_access_compat merges nothing. For methods outside of the ``limit`` nothing is
    said.
    """

    order: Order = "deny,allow"
    allow: tuple[Origin, ...] = ()
    deny: tuple[Origin, ...] = ()
    satisfy: Literal["any", "all"] | None = None
    limit: MethodLimit | None = None

    def holds(self, method: str) -> bool:
        """Whether they say anything for a method."""
        return self.limit is None or self.limit.holds(method)

    def lines(self) -> Iterator[str]:
        """Yield them as Apache has them, with the methods that they are for."""
        yield from (_limited(line, self.limit) for line in self._lines())

    def _lines(self) -> Iterator[str]:
        if self.allow or self.deny or self.order != "deny,allow":
            yield f"Order {self.order}"
        for name, origins in (("Allow", self.allow), ("Deny", self.deny)):
            if origins:
                yield f"{name} from {' '.join(each.text for each in origins)}"
        if self.satisfy:
            yield f"Satisfy {self.satisfy}"


@dataclass(frozen=True, slots=True)
class Login:
    """
    How somebody proves who they are; what is None holds on from an earlier section.

    ``kind`` is "Basic", or "None" for nobody being asked. ``users`` and ``groups`` are the files'
    absolute paths, as latin-1 text.
    """

    kind: Literal["Basic", "None"] | None = None
    realm: str | None = None
    users: str | None = None
    groups: str | None = None


@dataclass(frozen=True, slots=True)
class AccessRules:
    """
    All that one section says of access, or that several say together.

    ``merging`` is AuthMerging, ``allow_methods`` AllowMethods, of which () takes all back; what is
    None was not said.
    """

    demands: Demands | None = None
    merging: Merging | None = None
    login: Login = Login()
    host_rules: HostRules | None = None
    require_ssl: bool | None = None
    allow_methods: tuple[str, ...] | None = None

    def lines(self) -> Iterator[str]:
        """Yield what they demand, as Apache has it, for people to read."""
        if self.require_ssl:
            yield "SSLRequireSSL"
        if self.allow_methods:
            yield f"AllowMethods {' '.join(self.allow_methods)}"
        if self.host_rules is not None:
            yield from self.host_rules.lines()
        if self.login.kind == "Basic":
            yield f'Basic "{self.login.realm or ""}", users in {self.login.users or "no file"}'
        if self.demands is not None:
            only = self.demands.members
            line = f"Require {only[0] if len(only) == 1 else self.demands}"
            yield _limited(line, self.demands.limit)


def _limited(line: str, limit: MethodLimit | None) -> str:
    return line if limit is None else f"{line} ({limit})"


def parse_origin(text: str) -> Origin:
    """
    Return what an ``Allow from`` or ``Deny from`` names. Raises DirectiveError.

    ``env=`` is refused: what SetEnvIf would set is not known here.
    """
    if text.lower() == "all":
        return Origin("all")
    if text.lower().startswith("env="):
        raise DirectiveError(f"{text!r} cannot be asked here: no SetEnvIf has set a variable")
    if "/" in text and not looks_like_address(text.partition("/")[0]):
        raise DirectiveError("An IP address was expected")
    if "/" in text or looks_like_address(text):
        return Origin(text, parse_subnet(text))
    if not text or "#" in text:
        raise DirectiveError(f"{text!r} should be an address, a network or the name of a host")
    return Origin(text)


def merge_rules(several: Iterable[AccessRules]) -> AccessRules:
    """Return what sections say together, in their order; without any, nothing."""
    merged = AccessRules()
    for number, rules in enumerate(several):
        merged = _merged(merged, rules) if number else rules
    return merged


def _merged(base: AccessRules, new: AccessRules) -> AccessRules:
    demands, merging = _merged_demands(base, new)
    return AccessRules(
        demands,
        merging,
        _merged_login(base.login, new.login),
        base.host_rules if new.host_rules is None else new.host_rules,
        base.require_ssl if new.require_ssl is None else new.require_ssl,
        base.allow_methods if new.allow_methods is None else new.allow_methods,
    )


def _merged_login(base: Login, new: Login) -> Login:
    return Login(
        base.kind if new.kind is None else new.kind,
        base.realm if new.realm is None else new.realm,
        base.users if new.users is None else new.users,
        base.groups if new.groups is None else new.groups,
    )


def _merged_demands(base: AccessRules, new: AccessRules) -> tuple[Demands | None, Merging | None]:
    """Mirror merge_authz_core_dir_config()."""
    if new.merging is None and new.demands is None:
        return base.demands, base.merging
    if new.merging in (None, "off"):
        return new.demands, new.merging
    if base.demands is None or new.demands is None:
        return base.demands or new.demands, new.merging
    kind: Literal["all", "any"] = "all" if new.merging == "and" else "any"
    return Demands(kind, (base.demands, new.demands)), new.merging
