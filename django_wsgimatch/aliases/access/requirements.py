"""
What ``Require`` lines demand, alone and in containers.

Mirrors the providers of mod_authz_core, mod_authz_host, mod_authz_user and mod_authz_groupfile,
and what mod_authz_core refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ...exceptions import DirectiveError
from ..lines.words import get_word
from .subnets import Subnet, parse_subnet

METHODS = frozenset(
    [
        *("GET", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND"),
        *("PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT"),
        *("UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT", "MKWORKSPACE", "MKACTIVITY"),
        *("BASELINE-CONTROL", "MERGE"),
    ]
)
# For Apache it is a GET.
HEAD = "HEAD"

Kind: TypeAlias = Literal["all", "ip", "host", "local", "method", "user", "valid-user", "group"]

_UNKNOWN = (
    "Require {!r} cannot be asked here; there are all, ip, host, local, method, user, valid-user "
    "and group. Until something takes its place, write 'all denied'"
)
# In the name of a host Apache takes it for the start of a comment.
_COMMENT = ("host", True)
_CONTAINERS = {"any": "<RequireAny>", "all": "<RequireAll>", "none": "<RequireNone>"}


@dataclass(frozen=True, slots=True)
class Demand:
    """
    One ``Require`` line: a provider's name and its words, which are latin-1.

    ``subnets`` are those of ``ip``; ``is_granted`` is for ``all``. Where it is ``is_negated``, it
    can keep out and cannot let in.
    """

    kind: Kind
    words: tuple[str, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    is_granted: bool = False
    is_negated: bool = False

    def __str__(self) -> str:
        """The line without its ``Require``."""
        return " ".join([*(["not"] if self.is_negated else []), self.kind, *self.words])


@dataclass(frozen=True, slots=True)
class MethodLimit:
    """
    The methods that rules hold for, as ``<Limit>`` and ``<LimitExcept>`` say.

    These alone, or all but these. Raises DirectiveError for what Apache refuses.
    """

    methods: frozenset[str]
    is_except: bool = False

    def __post_init__(self) -> None:
        name = "LimitExcept" if self.is_except else "Limit"
        if not self.methods:
            raise DirectiveError(f"<{name}> names no methods")
        check_methods(sorted(self.methods))
        if "TRACE" in self.methods:
            raise DirectiveError(f"TRACE cannot be controlled by <{name}>, see TraceEnable")

    def __str__(self) -> str:
        names = " ".join(sorted(self.methods))
        return f"for all methods but {names}" if self.is_except else f"for {names} only"

    def holds(self, method: str) -> bool:
        """Whether the rules hold for a request with a method."""
        return is_method(method, self.methods) is not self.is_except


def is_method(asked: str, methods: Iterable[str]) -> bool:
    """Whether a request's method is one of some; a HEAD is a GET, and no others are known."""
    method = "GET" if asked == HEAD else asked
    return method in METHODS and method in {"GET" if each == HEAD else each for each in methods}


@dataclass(frozen=True, slots=True)
class Demands:
    """
    A container: ``<RequireAny>``, ``<RequireAll>`` or ``<RequireNone>``.

    The lines of a section stand in an ``any``; what AuthMerging makes is one, too. ``limit`` says
    for which methods they hold, None for all.
    """

    kind: Literal["any", "all", "none"]
    members: tuple[Demand | Demands, ...]
    limit: MethodLimit | None = None

    @property
    def is_negated(self) -> bool:
        """Whether it can keep out and cannot let in."""
        return self.kind == "none"

    def __str__(self) -> str:
        return f"{self.kind} of ({', '.join(map(str, self.members))})"

    def holds(self, method: str) -> bool:
        """Whether it says anything for a method: for one of its members, and within its limit."""
        if self.limit is not None and not self.limit.holds(method):
            return False
        return any(isinstance(each, Demand) or each.holds(method) for each in self.members)

    def leaves(self) -> Iterator[Demand]:
        """Yield the lines in it, however deep."""
        for member in self.members:
            if isinstance(member, Demand):
                yield member
            else:
                yield from member.leaves()


def contain(kind: Literal["any", "all", "none"], members: Iterable[Demand | Demands]) -> Demands:
    """
    Return a container of requirements.

    Raises DirectiveError, in Apache's words, for one that is empty, that could not let anybody in,
    or in which a negation would have no effect.
    """
    found, container = tuple(members), _CONTAINERS[kind]
    if not found:
        raise DirectiveError(f"{container} directive contains no authorization directives")
    for member in found if kind != "all" else ():
        if member.is_negated:
            what = "negative Require" if isinstance(member, Demand) else "<RequireNone>"
            raise DirectiveError(f"{what} directive has no effect in {container} directive")
    if all(member.is_negated for member in found):
        reason = f"{container} directive contains only negative authorization directives"
        raise DirectiveError(f"{reason}: add 'all granted' to it")
    return Demands(kind, found)


def parse_demand(line: str) -> Demand:
    """
    Return what a ``Require`` line demands; its first word may be left out.

    Raises DirectiveError for what Apache refuses, and for what cannot be asked here: ``env``,
    ``expr`` and the modules that authenticate in other ways.
    """
    name, rest = get_word(line.strip())
    if name.lower() == "require":
        name, rest = get_word(rest)
    is_negated = name.lower() == "not"
    if is_negated:
        name, rest = get_word(rest)
    if name not in _READERS:
        raise DirectiveError(_UNKNOWN.format(f"{name} {rest}".strip()))
    return replace(_READERS[name](rest), is_negated=is_negated)


def split_line(text: str) -> tuple[str, ...]:
    """Return the words of a line as Apache takes it apart: quotes keep blanks together."""
    found = []
    while text:
        word, text = get_word(text)
        if not word:
            break
        found.append(word)
    return tuple(found)


def _all(rest: str) -> Demand:
    word = rest.lower()
    if word not in ("granted", "denied"):
        raise DirectiveError("Argument for 'Require all' must be 'granted' or 'denied'")
    return Demand("all", (word,), is_granted=word == "granted")


def _ip(rest: str) -> Demand:
    words = split_line(rest)
    if not words:
        raise DirectiveError("'require ip' requires an argument")
    return Demand("ip", words, tuple(map(parse_subnet, words)))


def _method(rest: str) -> Demand:
    words = split_line(rest)
    check_methods(words)
    return Demand("method", words)


def check_methods(words: Iterable[str]) -> None:
    """Raise DirectiveError for what is no method, or one that modules of Apache would add."""
    for word in words:
        if word not in METHODS and word != HEAD:
            raise DirectiveError(f"Invalid Method '{word}'")


def _of_words(kind: Kind) -> Callable[[str], Demand]:
    """Return the reader of a requirement that names users, groups or hosts."""

    def read(rest: str) -> Demand:
        words = split_line(rest)
        if not words:
            raise DirectiveError(f"'Require {kind}' should name at least one {kind}")
        for word in words:
            # Apache would read an expression, and a comment in the middle of a line.
            if "%{" in word or "\\" in word or word[:1] == "#" or (kind, "#" in word) == _COMMENT:
                raise DirectiveError(f"{word!r} in 'Require {kind}' is not the name of a {kind}")
        return Demand(kind, words)

    return read


def _plain(kind: Kind) -> Callable[[str], Demand]:
    """Return the reader of a requirement without words: Apache passes over those there are."""
    return lambda rest: Demand(kind)


_READERS: dict[str, Callable[[str], Demand]] = {
    "all": _all,
    "ip": _ip,
    "method": _method,
    "user": _of_words("user"),
    "group": _of_words("group"),
    "host": _of_words("host"),
    "local": _plain("local"),
    "valid-user": _plain("valid-user"),
}
