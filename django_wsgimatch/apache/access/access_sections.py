"""
From the sections of Apache to those of WSGIMATCH_ACCESS, in the order in which they are merged.

Of an entry's files the rules come first, as one section for its URLs; then the <Location>
sections as they stand. In a table the first entry wins, of sections the last: so the last entry's
come first, and each takes back what was said of its URLs before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...aliases.access.rules import AccessRules, Login, merge_rules
from ...aliases.access.sections import AccessSection
from ...aliases.alias import Alias
from ...entry_options.said_access import said_section
from ..covering.coverage import is_below
from ..covering.hosts import Scope
from ..covering.indexes import PrefixIndex, in_words, may_share, reach_of_region
from ..lines.directive import Directive, Spot
from .carrying import (
    GRANTED,
    NO_HOST_RULES,
    AliasAccess,
    Place,
    Readings,
    is_open,
    place_of,
    place_of_location,
    rules_in,
)


@dataclass(frozen=True, slots=True, eq=False)
class CarriedSection:
    """
    A section of access rules, and the directives that it says.

    Without any it takes back what earlier sections say of URLs that others answer.
    """

    section: AccessSection
    rules: tuple[Directive, ...]

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Where the rules stand, in the order of the lines."""
        spots = dict.fromkeys(each.spot for each in self.rules)
        return tuple(sorted(spots, key=lambda spot: (spot.file, spot.line)))

    @property
    def urls(self) -> str:
        """The URLs in words."""
        return in_words(Alias(self.section.location, "", self.section.kind))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """
    What will be a section.

    ``owner`` is the number of the alias whose files it is about, None where it compares with the
    URL; ``is_base`` says that it is about all of them.
    """

    region: Alias
    rules: AccessRules
    scopes: tuple[Scope, ...]
    owner: int | None = None
    is_base: bool = False

    @property
    def login(self) -> Login:
        return self.rules.login


class Unfit(Exception):
    """A section of an alias cannot take back what stands before it; ``number`` is the alias's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def first_unfit(
    aliases: Sequence[AliasAccess], order: Iterable[Scope], readings: Readings
) -> int | None:
    """Return the place of an alias that sections cannot say, None where they can say all."""
    try:
        list(carried_sections(aliases, order, readings))
    except Unfit as error:
        return error.number
    return None


def carried_sections(
    aliases: Sequence[AliasAccess], order: Iterable[Scope], readings: Readings
) -> Iterator[CarriedSection]:
    """
    Yield the sections that say what holds for aliases, which are in the order of the table.

    ``order`` has all sections in Apache's order. Raises Unfit.
    """
    pieces = [*_of_files(aliases, readings), *_of_locations(aliases, order, readings)]
    is_bare = any(each.login.kind == "Basic" and each.rules.demands is None for each in pieces)
    inner, written = _Pieces(each for each in pieces if not each.is_base), _Pieces()
    for piece in pieces:
        meeting = written.meeting(piece.region)
        if piece.is_base:
            later = _own(inner.meeting(piece.region), piece)
            piece = _without_unasked(piece, later)
            _check(piece, meeting, later, aliases, is_bare)
            piece = replace(piece, rules=_completed(piece.rules, [e.rules for e in meeting]))
        if piece.rules == AccessRules() or (is_open(piece.rules) and not meeting and not is_bare):
            continue
        if piece.is_base and _is_repeated(piece, meeting):
            continue
        written.add(piece)
        kind, location = place_of(piece.region)
        sections = _sayable(AccessSection(location, piece.rules, kind))
        if not sections:
            assert piece.owner is not None
            raise Unfit(piece.owner)
        yield from (CarriedSection(each, rules_in(piece.scopes)) for each in sections)


def _sayable(section: AccessSection) -> list[AccessSection]:
    """
    Return the sections that say what one would, none where entries cannot.

    Two do where Order, Allow and Deny are for other methods than Require, as each is merged alone.
    """
    if said_section(section) is not None:
        return [section]
    rules = section.rules
    parts = [replace(rules, host_rules=None), AccessRules(host_rules=rules.host_rules)]
    several = [replace(section, rules=each) for each in parts]
    return several if all(said_section(each) is not None for each in several) else []


class _Pieces:
    """
    Pieces by how their URLs begin.

    Optimization: 600 aliases with a section each were 360,000 comparisons.
    """

    def __init__(self, pieces: Iterable[_Piece] = ()) -> None:
        self._index = PrefixIndex[_Piece]()
        self._anywhere: list[_Piece] = []
        for each in pieces:
            self.add(each)

    def add(self, piece: _Piece) -> None:
        """Put a piece to the others."""
        prefixes = reach_of_region(piece.region).prefixes
        if prefixes is None:
            self._anywhere.append(piece)
        for prefix in dict.fromkeys(prefixes or ()):
            self._index.add(prefix, piece)

    def meeting(self, region: Alias) -> list[_Piece]:
        """Return the pieces that may hold for URLs of a region."""
        found = {id(each): each for each in self._anywhere}
        for prefix in dict.fromkeys(reach_of_region(region).prefixes or ("",)):
            found |= {id(each): each for each in self._index.meeting(prefix)}
        return [each for each in found.values() if may_share(each.region, region)]


def _of_files(aliases: Sequence[AliasAccess], readings: Readings) -> Iterator[_Piece]:
    for number, each in reversed([*enumerate(aliases)]):
        if not each.is_carried:
            # What is not open of it is closed by entries.
            yield _Piece(each.alias, AccessRules(), (), number, True)
            continue
        base = each.base
        yield _Piece(each.alias, _rules(base, readings), tuple(base), number, True)
        for scope, region in each.exact_parts:
            # What comes after it in Apache, as the names of files, holds there in the end.
            several = [scope, *each.base_after(scope)]
            yield _Piece(region, _rules(several, readings), tuple(several), number)


def _of_locations(
    aliases: Iterable[AliasAccess], order: Iterable[Scope], readings: Readings
) -> Iterator[_Piece]:
    met = {id(scope) for each in aliases if each.is_carried for scope in each.locations}
    for scope in order:
        if id(scope) in met:
            place = place_of_location(scope.sections[0])
            assert place is not None
            yield _Piece(_region(place), _rules([scope], readings), (scope,))


def _region(place: Place) -> Alias:
    kind, location = place
    return Alias(location, "", kind)


def _rules(scopes: Iterable[Scope], readings: Readings) -> AccessRules:
    found = [readings.of(each) for each in scopes]
    assert None not in found
    return merge_rules(each for each in found if each is not None)


def _own(inner: Iterable[_Piece], base: _Piece) -> list[_Piece]:
    """Return what comes after a base and holds for its URLs: its own parts, and locations."""
    return [each for each in inner if each.owner in (None, base.owner)]


def _completed(rules: AccessRules, before: Sequence[AccessRules]) -> AccessRules:
    """Return rules that leave nothing of what was said before for the same URLs."""
    demands, host_rules, login = rules.demands, rules.host_rules, rules.login
    if demands is None and any(each.demands is not None for each in before):
        demands = GRANTED
    if host_rules is None and any(each.host_rules is not None for each in before):
        host_rules = NO_HOST_RULES
    if login.kind is None and any(each.login.kind == "Basic" for each in before):
        login = replace(login, kind="None")
    is_said = any(each.require_ssl for each in before)
    require_ssl = False if rules.require_ssl is None and is_said else rules.require_ssl
    is_said = any(each.allow_methods for each in before)
    methods = () if rules.allow_methods is None and is_said else rules.allow_methods
    return AccessRules(demands, None, login, host_rules, require_ssl, methods)


def _without_unasked(base: _Piece, later: Sequence[_Piece]) -> _Piece:
    """Return a base without what it says of a login that nobody is asked for, if none needs it."""
    login = base.login
    said = [name for name in _FIELDS if getattr(login, name) is not None]
    logins = [each.login for each in later if each.login.kind == "Basic"]
    if login.kind == "Basic" or any(getattr(e, name) is None for e in logins for name in said):
        return base
    return replace(base, rules=replace(base.rules, login=Login(login.kind)))


def _check(
    base: _Piece,
    before: Sequence[_Piece],
    later: Sequence[_Piece],
    aliases: Sequence[AliasAccess],
    is_bare: bool,
) -> None:
    """Raise Unfit where an earlier section says what none can take back."""
    assert base.owner is not None
    if not aliases[base.owner].is_carried:
        return
    rules = base.rules
    if is_bare and rules.demands is None and any(each.rules.demands for each in before):
        raise Unfit(base.owner)
    left = [name for name in _FIELDS if _is_left(name, base.login, before)]
    if not any(_asks_for_group(each.rules) for each in (base, *later)):
        left = [name for name in left if name != "groups"]
    logins = [each.login for each in (base, *later) if each.login.kind == "Basic"]
    if any(getattr(login, name) is None for login in logins for name in left):
        raise Unfit(base.owner)


_FIELDS = ("realm", "users", "groups")


def _is_left(name: str, login: Login, before: Iterable[_Piece]) -> bool:
    is_said = any(getattr(each.login, name) is not None for each in before)
    return is_said and getattr(login, name) is None


def _asks_for_group(rules: AccessRules) -> bool:
    return rules.demands is not None and any(e.kind == "group" for e in rules.demands.leaves())


def _is_repeated(piece: _Piece, before: Sequence[_Piece]) -> bool:
    """Whether what stands before says just the same of all these URLs."""
    is_same = bool(before) and all(each.rules == piece.rules for each in before)
    return is_same and any(_covers(each.region, piece.region) for each in before)


def _covers(one: Alias, other: Alias) -> bool:
    if one.kind != "plain":
        return False
    return one.location == "/" or (other.kind == "plain" and is_below(one.location, other.location))
