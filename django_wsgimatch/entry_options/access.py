"""What stands in WSGIMATCH_ACCESS, and in an entry's access=: judged only when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from ..aliases.access.requirements import (
    Demand,
    Demands,
    MethodLimit,
    check_methods,
    contain,
    parse_demand,
)
from ..aliases.access.rules import (
    AccessRules,
    HostRules,
    Login,
    Merging,
    Order,
    Origin,
    parse_origin,
)
from ..aliases.access.sections import AccessSection
from ..exceptions import DirectiveError
from .texts import FilePath, Text, bytes_of, utf8

_ORDERS = ("deny,allow", "allow,deny", "mutual-failure")
_MERGINGS = ("off", "and", "or")
# What Apache takes for a wildcard in the location of a section.
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Requirements:
    """Several requirements as a settings file says them; nothing in them has been checked yet."""

    kind: Literal["any", "all", "none"]
    members: tuple[Requirement, ...]

    def __repr__(self) -> str:
        return f"{self.kind}_of({', '.join(map(repr, self.members))})"


Requirement: TypeAlias = str | Requirements


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A login with a name and a password as a settings file says it; nothing is checked yet."""

    realm: Text | None
    users: FilePath | None
    groups: FilePath | None

    def __repr__(self) -> str:
        given = ("users", self.users), ("groups", self.groups)
        realm = [] if self.realm is None else [repr(self.realm)]
        named = (f"{name}={value!r}" for name, value in given if value is not None)
        return f"basic({', '.join([*realm, *named])})"


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One section of access rules as a settings file says it; nothing is checked yet."""

    kind: Literal["plain", "match"]
    location: Text
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """The access rules of an entry as a settings file says them; nothing is checked yet."""

    options: dict[str, Any]

    def __repr__(self) -> str:
        return f"rules({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"


def access(
    location: Text,
    *,
    require: Requirement | Sequence[Requirement] | None = None,
    auth: BasicLogin | Literal["none"] | None = None,
    auth_merging: Merging | None = None,
    require_ssl: bool | None = None,
    order: Order | None = None,
    allow: str | Sequence[str] | None = None,
    deny: str | Sequence[str] | None = None,
    satisfy: Literal["any", "all"] | None = None,
    limit: str | Sequence[str] | None = None,
    limit_except: str | Sequence[str] | None = None,
    allow_methods: str | Sequence[str] | None = None,
    host: str | Sequence[str] | None = None,
) -> AccessEntry:
    """
    Say who may ask for the urls below a prefix, as a ``<Location>`` of Apache does.

    ``location`` is compared literally: ``/shop`` is that and all below it, ``/shop/`` what is below
    it. Text stands for its UTF-8 bytes.

    :param require: Apache's words behind ``Require``: ``"all granted"``, ``"all denied"``,
        ``"ip 10.0.0.0/8"``, ``"host example.org"``, ``"local"``, ``"method GET"``,
        ``"user ann bob"``, ``"valid-user"`` or ``"group staff"``, each with ``not`` before it
        where that has an effect. Of a list one has to be met; all_of(), any_of() and none_of()
        say otherwise.
    :param auth: basic(...), how one logs in; ``"none"`` takes back what an earlier section said.
    :param auth_merging: what becomes of the requirements of earlier sections for the same url:
        ``"off"``, the default, replaces them; ``"and"`` and ``"or"`` ask for both, or for one.
    :param require_ssl: True lets only https in.
    :param order: ``"deny,allow"`` (who is in neither list is let in) or ``"allow,deny"`` (who is
        in neither is not), as in ``Order``.
    :param allow: ``"all"``, addresses, networks or host names, as in ``Allow from``.
    :param deny: the same, as in ``Deny from``.
    :param satisfy: with ``"any"``, allow and deny or the requirements suffice; else both must.
    :param limit: ``"POST PUT"`` or a list: which methods all this but auth is for (``<Limit>``).
    :param limit_except: which methods it is not for (``<LimitExcept>``); these are let in.
    :param allow_methods: others get 405, as with ``AllowMethods``; ``"reset"`` takes that back.
    :param host: a pattern of WSGIMATCH_VIRTUAL_HOSTS, or a list of some; the section then holds
        for their requests. ``"*"`` stands for hosts that fit no other pattern.

    Mirrors mod_authz_core, mod_auth_basic, mod_access_compat, mod_allowmethods and SSLRequireSSL.
    """
    return AccessEntry("plain", location, _given(locals()))


def access_match(
    pattern: Text,
    *,
    require: Requirement | Sequence[Requirement] | None = None,
    auth: BasicLogin | Literal["none"] | None = None,
    auth_merging: Merging | None = None,
    require_ssl: bool | None = None,
    order: Order | None = None,
    allow: str | Sequence[str] | None = None,
    deny: str | Sequence[str] | None = None,
    satisfy: Literal["any", "all"] | None = None,
    limit: str | Sequence[str] | None = None,
    limit_except: str | Sequence[str] | None = None,
    allow_methods: str | Sequence[str] | None = None,
    host: str | Sequence[str] | None = None,
) -> AccessEntry:
    """
    Say who may ask for the urls in which a pattern is found, as a ``<LocationMatch>`` does.

    The pattern is a PCRE as Apache compiles it, and is searched, not anchored. All else is as with
    access().
    """
    return AccessEntry("match", pattern, _given(locals()))


def rules(
    *,
    require: Requirement | Sequence[Requirement] | None = None,
    auth: BasicLogin | None = None,
    require_ssl: bool | None = None,
    order: Order | None = None,
    allow: str | Sequence[str] | None = None,
    deny: str | Sequence[str] | None = None,
    satisfy: Literal["any", "all"] | None = None,
    limit: str | Sequence[str] | None = None,
    limit_except: str | Sequence[str] | None = None,
    allow_methods: str | Sequence[str] | None = None,
) -> OwnAccess:
    """
    Say who may ask for the urls that an entry answers: its option ``access``.

    They hold as those of a ``<Directory>`` of Apache: before all sections of WSGIMATCH_ACCESS,
    which may replace what is said here. The options are those of access().
    """
    return OwnAccess(_given(locals()))


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    names = ("location", "pattern")
    return {k: v for k, v in arguments.items() if v is not None and k not in names}


def basic(
    realm: Text | None = None, *, users: FilePath | None = None, groups: FilePath | None = None
) -> BasicLogin:
    """
    Have people log in with a name and a password: ``AuthType Basic``.

    :param realm: what the browser shows, as in ``AuthName``.
    :param users: a file that ``htpasswd`` writes, as in ``AuthUserFile``; relative to
        settings.BASE_DIR.
    :param groups: a file of groups (``staff: ann bob``), as in ``AuthGroupFile``.

    What is left out holds on from an earlier section for the same url.
    """
    return BasicLogin(realm, users, groups)


def all_of(*requirements: Requirement) -> Requirements:
    """Require all of these, as ``<RequireAll>`` does."""
    return Requirements("all", requirements)


def any_of(*requirements: Requirement) -> Requirements:
    """Require one of these, as ``<RequireAny>`` does."""
    return Requirements("any", requirements)


def none_of(*requirements: Requirement) -> Requirements:
    """Require that none of these is met, as ``<RequireNone>`` does: in an all_of()."""
    return Requirements("none", requirements)


def to_section(entry: object, to_path: Callable[[FilePath], str]) -> AccessSection:
    """
    Return the section that an entry stands for; ``to_path`` makes paths absolute.

    Raises DirectiveError.
    """
    if not isinstance(entry, AccessEntry):
        raise DirectiveError(f"{entry!r} should be access(...) or access_match(...)")
    options = entry.options
    location = bytes_of("location" if entry.kind == "plain" else "pattern", entry.location)
    if entry.kind == "plain":
        _check_location(location)
    host = _hosts(options.get("host"))
    rules = to_rules(options, to_path)
    if rules == AccessRules():
        raise DirectiveError("it says nothing: add require=..., auth=... or another option")
    return AccessSection(location, rules, entry.kind, host)


def _hosts(given: object) -> str | tuple[str, ...] | None:
    if given is None or (isinstance(given, str) and given):
        return given
    patterns = tuple(given) if isinstance(given, list | tuple) else ()
    if not patterns or not all(isinstance(each, str) and each for each in patterns):
        raise DirectiveError(f"host should be a pattern of hosts, or a list of some, not {given!r}")
    return patterns


def to_own_rules(given: object, to_path: Callable[[FilePath], str]) -> AccessRules:
    """
    Return the rules of an entry's ``access``; ``to_path`` makes paths absolute.

    Raises DirectiveError.
    """
    if not isinstance(given, OwnAccess):
        raise DirectiveError(f"access should be rules(...), not {given!r}")
    try:
        own = to_rules(given.options, to_path)
    except DirectiveError as error:
        raise DirectiveError(f"access: {error}") from None
    if own == AccessRules():
        raise DirectiveError("access: it says nothing: add require=..., auth=... or another option")
    return own


def to_rules(options: dict[str, Any], to_path: Callable[[FilePath], str]) -> AccessRules:
    """Return the rules that the options of access() say. Raises DirectiveError."""
    require, merging = options.get("require"), options.get("auth_merging")
    if merging not in (None, *_MERGINGS):
        raise DirectiveError("AuthMerging must be one of: Off | And | Or")
    require_ssl = options.get("require_ssl")
    if require_ssl not in (None, True, False):
        raise DirectiveError(f"require_ssl should be True or False, not {require_ssl!r}")
    host_rules, limit = _host_rules(options), _limit(options)
    demands = None if require is None else _demands(require)
    if limit is not None and demands is None and host_rules is None:
        raise DirectiveError(
            "limit says what require, order, allow, deny and satisfy are for: add one of them"
        )
    return AccessRules(
        demands and replace(demands, limit=limit),
        merging,
        _login(options.get("auth"), to_path),
        host_rules and replace(host_rules, limit=limit),
        require_ssl,
        _allowed_methods(options.get("allow_methods")),
    )


def _check_location(location: str) -> None:
    if not location.startswith("/"):
        raise DirectiveError(f"the location {location!r} should begin with '/'")
    if wildcards := _WILDCARDS.intersection(location):
        raise DirectiveError(
            f"the location {location!r} contains {min(wildcards)!r}, which Apache takes for a "
            "wildcard: write access_match() and a pattern"
        )


def _demands(require: object) -> Demands:
    """What stands in a section is an any_of(), as in Apache."""
    members = require if isinstance(require, list | tuple) else (require,)
    return contain("any", map(_demand, members))


def _demand(given: object) -> Demand | Demands:
    if isinstance(given, Requirements):
        return contain(given.kind, map(_demand, given.members))
    if not isinstance(given, str):
        raise DirectiveError(
            f"require should be Apache's words, all_of(), any_of(), none_of() or a list of them, "
            f"not {given!r}"
        )
    return parse_demand(_word("require", given))


def _login(auth: object, to_path: Callable[[FilePath], str]) -> Login:
    if auth is None:
        return Login()
    if auth == "none":
        return Login("None")
    if not isinstance(auth, BasicLogin):
        raise DirectiveError(f"auth should be basic(...) or 'none', not {auth!r}")
    return Login(
        "Basic",
        None if auth.realm is None else _realm(auth.realm),
        *(_file(name, path, to_path) for name, path in _files(auth)),
    )


def _realm(realm: Text) -> str:
    text = bytes_of("realm", realm)
    # It stands in a header of the answer.
    if any(c < " " or c == "\x7f" for c in text):
        raise DirectiveError(f"the realm {realm!r} contains a control character")
    return text


def _files(auth: BasicLogin) -> Iterator[tuple[str, FilePath | None]]:
    yield "file of users", auth.users
    yield "file of groups", auth.groups


def _file(what: str, path: FilePath | None, to_path: Callable[[FilePath], str]) -> str | None:
    if path is None:
        return None
    bytes_of(what, path)
    return to_path(path)


def _host_rules(options: dict[str, Any]) -> HostRules | None:
    order, satisfy = options.get("order"), options.get("satisfy")
    if all(options.get(name) is None for name in ("order", "allow", "deny", "satisfy")):
        return None
    if order not in (None, *_ORDERS):
        raise DirectiveError(f"unknown order {order!r}; there are {', '.join(_ORDERS)}")
    if satisfy not in (None, "any", "all"):
        raise DirectiveError("Satisfy either 'any' or 'all'.")
    return HostRules(
        order or "deny,allow",
        _origins("allow", options.get("allow")),
        _origins("deny", options.get("deny")),
        satisfy,
    )


def _limit(options: dict[str, Any]) -> MethodLimit | None:
    given = {name: options.get(name) for name in ("limit", "limit_except")}
    said = [name for name, words in given.items() if words is not None]
    if len(said) == 2:
        raise DirectiveError("limit and limit_except exclude each other")
    if not said:
        return None
    return MethodLimit(frozenset(_methods(said[0], given[said[0]])), "limit_except" in said)


def _allowed_methods(given: object) -> tuple[str, ...] | None:
    if given is None or given == "reset":
        return None if given is None else ()
    methods = _methods("allow_methods", given)
    check_methods(methods)
    return methods


def _methods(name: str, given: object) -> tuple[str, ...]:
    words = given.split() if isinstance(given, str) else given
    found = tuple(words) if isinstance(words, list | tuple) else ()
    if not found or not all(isinstance(word, str) for word in found):
        raise DirectiveError(f"{name} should be methods such as 'GET POST', not {given!r}")
    return found


def _origins(name: str, given: object) -> tuple[Origin, ...]:
    words = given.split() if isinstance(given, str) else given or ()
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise DirectiveError(f"{name} should be a list of addresses, networks or hosts: {given!r}")
    return tuple(parse_origin(_word(name, word)) for word in words)


def _word(name: str, text: str) -> str:
    """Return text of a rule as latin-1; no line break may hide more of it."""
    if not text.isprintable():
        raise DirectiveError(f"{name} {text!r} contains a character that cannot be printed")
    return utf8(text)
