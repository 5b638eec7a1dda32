"""
Whether access rules let a request in, and as whom.

Mirrors ap_process_request_internal() with the hooks of mod_access_compat, mod_ssl, mod_authz_core,
mod_auth_basic and mod_authn_core, in their order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from ...aliases.access.requirements import Demand, Demands, is_method
from ...aliases.access.rules import AccessRules, HostRules, Origin
from ...aliases.access.subnets import Address, parse_address
from ...exceptions import AccessFileError
from ...text import cut
from .credentials import Credentials, challenge, read_credentials
from .host_names import HostNames, is_in_domain
from .kept_files import UserFiles
from .passwords import Remembered

NOT_LET_IN = "the access rules do not let {} in"
OTHER_METHOD = "the access rules do not let the method {!r} in"
NO_DEMANDS = "AuthType is configured, and no Require with it"
NO_LOGIN = "a user is required, and no auth says how one logs in"
NO_REALM = "auth has no realm"
NO_USERS = "auth has no file of users"
NO_CREDENTIALS = "a user is required, and the request names none"
UNKNOWN_USER = "user {!r} is unknown, or the password is wrong"
WRONG_USER = "user {!r} is not among those that are let in"
NO_GROUPS = "Require group without a file of groups"

_LONGEST_SHOWN = 64
_LOOPBACK = 0x7F000000, 0xFF000000


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What rules may ask of a request; ``address`` is "" for a client on a unix socket."""

    address: str
    method: str = "GET"
    is_secure: bool = False
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What becomes of a request.

    ``status`` is None where it is let in, as ``user`` where somebody has logged in, else 401, 403,
    405 or 500, for a ``reason`` that is the operator's. ``challenge`` is the WWW-Authenticate
    header of a 401, ``allow`` the Allow header of a 405.
    """

    status: Literal[401, 403, 405, 500] | None = None
    reason: str = ""
    user: str | None = None
    challenge: str | None = None
    allow: str | None = None


class DemandOutcome(Enum):
    """What a requirement says: ``NO_USER`` where it could be granted to somebody."""

    GRANTED = auto()
    DENIED = auto()
    NO_USER = auto()
    NEUTRAL = auto()


LET_IN = Verdict()


class Judge:
    """Evaluates access rules, with the files and the names of hosts that they ask for."""

    def __init__(self, files: UserFiles, remembered: Remembered, hosts: HostNames) -> None:
        self.files = files
        self.remembered = remembered
        self.hosts = hosts

    def judge(self, rules: AccessRules, request: AccessRequest) -> Verdict:
        """Return what becomes of a request for which these rules hold."""
        case = _Case(self, rules, request)
        host_rules = rules.host_rules
        if host_rules is not None and not host_rules.holds(request.method):
            host_rules = None
        is_any = host_rules is not None and host_rules.satisfy == "any"
        is_through = case.may_come(host_rules) and (request.is_secure or not rules.require_ssl)
        is_method_in = case.may_use_method(rules.allow_methods)
        if is_any:
            return LET_IN if is_through and is_method_in else case.authorized()
        if not is_method_in:
            # AllowMethods comes before all other rules.
            return case.other_method(rules.allow_methods or ())
        return case.authorized() if is_through else case.kept_out()


class _Case:
    """One request before the judge; what is asked of it is asked once."""

    def __init__(self, judge: Judge, rules: AccessRules, request: AccessRequest) -> None:
        self._judge = judge
        self._rules = rules
        self._request = request
        self._address: Address | None = parse_address(request.address)
        self._user: str | None = None
        self._error = ""

    def kept_out(self) -> Verdict:
        """Return the answer to who may not come here, whoever it is."""
        who = cut(self._request.address, _LONGEST_SHOWN) or "a client without an address"
        return Verdict(403, NOT_LET_IN.format(who))

    def other_method(self, methods: tuple[str, ...]) -> Verdict:
        """Return the answer to who asks with another method than these."""
        allow = dict.fromkeys([*(["HEAD"] if "GET" in methods else []), *methods])
        reason = OTHER_METHOD.format(cut(self._request.method, _LONGEST_SHOWN))
        return Verdict(405, reason, allow=",".join(allow))

    def may_use_method(self, methods: tuple[str, ...] | None) -> bool:
        """Mirror am_check_access() of mod_allowmethods."""
        return not methods or is_method(self._request.method, methods)

    def may_come(self, rules: HostRules | None) -> bool:
        """Mirror check_dir_access() of mod_access_compat."""
        if rules is None or not (rules.limit is None or rules.limit.holds(self._request.method)):
            return True
        is_allowed, is_denied = map(self._is_among, (rules.allow, rules.deny))
        if rules.order == "deny,allow":
            return is_allowed or not is_denied
        return is_allowed and not is_denied

    def _is_among(self, origins: tuple[Origin, ...]) -> bool:
        return any(map(self._comes_from, origins))

    def _comes_from(self, origin: Origin) -> bool:
        if origin.is_all:
            return True
        if origin.subnet is not None:
            return self._address is not None and origin.subnet.holds(self._address)
        return self._is_host(origin.text)

    def _is_host(self, domain: str) -> bool:
        name = self._judge.hosts.name_of(self._request.address)
        return name is not None and is_in_domain(domain, name)

    def authorized(self) -> Verdict:
        """Mirror authorize_userless(), and what follows where a user is needed."""
        login, demands = self._rules.login, self._rules.demands
        if demands is None:
            return Verdict(500, NO_DEMANDS) if login.kind == "Basic" else LET_IN
        outcome = self._outcome(demands)
        if outcome is DemandOutcome.GRANTED:
            return LET_IN
        return self._logged_in(demands) if outcome is DemandOutcome.NO_USER else self.kept_out()

    def _logged_in(self, demands: Demands) -> Verdict:
        login = self._rules.login
        if login.kind != "Basic":
            return Verdict(500, NO_LOGIN)
        if login.realm is None:
            return Verdict(500, NO_REALM)
        credentials = read_credentials(self._request.authorization)
        if credentials is None:
            return Verdict(401, NO_CREDENTIALS, challenge=challenge(login.realm))
        name = cut(credentials.user, _LONGEST_SHOWN)
        try:
            if not self._is_known(credentials):
                reason = UNKNOWN_USER.format(name)
                return Verdict(401, reason, challenge=challenge(login.realm))
        except AccessFileError as error:
            return Verdict(500, str(error))
        self._user = credentials.user
        if self._outcome(demands) is DemandOutcome.GRANTED:
            return Verdict(user=credentials.user)
        reason = self._error or WRONG_USER.format(name)
        return Verdict(401, reason, challenge=challenge(login.realm))

    def _is_known(self, credentials: Credentials) -> bool:
        path, remembered = self._rules.login.users, self._judge.remembered
        if path is None:
            raise AccessFileError(NO_USERS)
        users = self._judge.files.users(path)
        stored = users.get(credentials.user)
        if stored is not None:
            return remembered.is_right(credentials.user, credentials.password, stored)
        # How long the answer takes must not tell who is a user: Apache's does.
        remembered.compare_in_vain(credentials.user, credentials.password, tuple(users.values()))
        return False

    def _outcome(self, demands: Demands, *, is_in_all: bool = True) -> DemandOutcome:
        """Mirror apply_authz_sections() for a container; the outermost counts as in an all."""
        if not demands.holds(self._request.method):
            return DemandOutcome.GRANTED if is_in_all else DemandOutcome.NEUTRAL
        is_all = demands.kind == "all"
        decisive = DemandOutcome.DENIED if is_all else DemandOutcome.GRANTED
        result = DemandOutcome.NEUTRAL
        for member in demands.members:
            found = (
                self._answer(member)
                if isinstance(member, Demand)
                else self._outcome(member, is_in_all=is_all)
            )
            if found is decisive:
                result = found
                break
            if found is DemandOutcome.NO_USER or result is DemandOutcome.NEUTRAL:
                result = found
        return _negated(result) if demands.is_negated else result

    def _answer(self, demand: Demand) -> DemandOutcome:
        if demand.kind in ("user", "valid-user", "group") and self._user is None:
            outcome = DemandOutcome.NO_USER
        else:
            is_met = _PROVIDERS[demand.kind](self, demand)
            outcome = DemandOutcome.GRANTED if is_met else DemandOutcome.DENIED
        return _negated(outcome) if demand.is_negated else outcome

    def is_at(self, demand: Demand) -> bool:
        """Require ip."""
        address = self._address
        return address is not None and any(each.holds(address) for each in demand.subnets)

    def is_host(self, demand: Demand) -> bool:
        """Require host."""
        return any(map(self._is_host, demand.words))

    def is_local(self) -> bool:
        """Require local, but that the server's other addresses are not known."""
        if self._address is None:
            return False
        family, number = self._address
        loopback, mask = _LOOPBACK
        return number == 1 if family == 6 else number & mask == loopback

    def has_method(self, demand: Demand) -> bool:
        """Require method."""
        return is_method(self._request.method, demand.words)

    def is_user(self, demand: Demand) -> bool:
        """Require user."""
        return self._user in demand.words

    def is_member(self, demand: Demand) -> bool:
        """Require group: without a file that can be read nobody is in a group."""
        path = self._rules.login.groups
        try:
            if path is None:
                raise AccessFileError(NO_GROUPS)
            groups = self._judge.files.groups(path).get(self._user or "", frozenset())
        except AccessFileError as error:
            self._error = str(error)
            return False
        return not groups.isdisjoint(word.lower() for word in demand.words)


_PROVIDERS: dict[str, Callable[[_Case, Demand], bool]] = {
    "all": lambda case, demand: demand.is_granted,
    "ip": _Case.is_at,
    "host": _Case.is_host,
    "local": lambda case, demand: case.is_local(),
    "method": _Case.has_method,
    "user": _Case.is_user,
    "valid-user": lambda case, demand: True,
    "group": _Case.is_member,
}


def _negated(outcome: DemandOutcome) -> DemandOutcome:
    """Return what ``not`` makes of an outcome: it keeps out, and lets nobody in."""
    return _NEGATED.get(outcome, outcome)


_NEGATED = {
    DemandOutcome.GRANTED: DemandOutcome.DENIED,
    DemandOutcome.DENIED: DemandOutcome.NEUTRAL,
    DemandOutcome.NO_USER: DemandOutcome.NEUTRAL,
}
