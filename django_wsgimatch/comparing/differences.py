"""Asks both sites for the same, some requests at a time, and tells how their answers differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from .http_client import Manner, OpenConnections, Response, Site, ask, require
from .rules import ComparisonRules, body_of, header_values, is_own_page
from .targets import Request

_LONGEST = 200
# What a server's own error page tells the client to do: all else of it is the server's taste.
_OF_OWN_PAGES = ("WWW-Authenticate",)


@dataclass(frozen=True, slots=True)
class Difference:
    """
    One thing that differs.

    ``what`` is "answer" where a site has given none, "status", a header's name, "error page" where
    it is the server's on one side and an application's on the other, or "body, line N". Behind that
    stands ", without credentials" where it only differs for somebody who is not known.
    """

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A request, and all that differs between the two answers."""

    request: Request
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The two sites, how they are asked, and what of their answers counts."""

    old: Site
    new: Site
    manner: Manner
    rules: ComparisonRules

    def addresses(self, site: Site) -> tuple[str, ...]:
        """What a site calls itself in its answers."""
        names = [site.authority, *([self.manner.host] if self.manner.host else [])]
        return tuple(f"{scheme}://{name}" for name in names for scheme in ("https", "http"))


def compare(request: Request, old: Response, new: Response, pair: Pair) -> Compared:
    """Return what differs between two answers."""
    if request.host:
        pair = replace(pair, manner=replace(pair.manner, host=request.host))
    return Compared(request, tuple(_differences(old, new, pair)))


def together(known: Compared, unknown: Compared) -> Compared:
    """Return a request with what differs, and what does for somebody who is not known alone."""
    more = (each for each in unknown.differences if each not in known.differences)
    told = (replace(each, what=f"{each.what}, without credentials") for each in more)
    return replace(known, differences=(*known.differences, *told))


def _differences(old: Response, new: Response, pair: Pair) -> Iterator[Difference]:
    if old.failure or new.failure:
        yield Difference("answer", *(_outcome(each) for each in (old, new)))
        return
    if old.status != new.status:
        yield Difference("status", str(old.status), str(new.status))
    if is_own_page(old) and is_own_page(new):
        yield from _header_differences(old, new, pair, _OF_OWN_PAGES)
        return
    yield from _header_differences(old, new, pair, pair.rules.headers)
    if old.status == new.status:
        yield from _body_differences(old, new, pair)


def _header_differences(
    old: Response, new: Response, pair: Pair, names: Iterable[str]
) -> Iterator[Difference]:
    ours, theirs = pair.addresses(pair.old), pair.addresses(pair.new)
    for name in names:
        first, second = header_values(old, name, ours), header_values(new, name, theirs)
        if first != second:
            yield Difference(name, _shown(first), _shown(second))


def _body_differences(old: Response, new: Response, pair: Pair) -> Iterator[Difference]:
    if is_own_page(old) != is_own_page(new):
        yield Difference("error page", _whose(old), _whose(new))
        return
    first = body_of(old, pair.addresses(pair.old), pair.rules)
    second = body_of(new, pair.addresses(pair.new), pair.rules)
    if first != second:
        yield _line_difference(first, second)


def _whose(response: Response) -> str:
    return "the server's own" if is_own_page(response) else "an application's"


def _outcome(response: Response) -> str:
    return response.failure or f"status {response.status}"


def _shown(values: Sequence[str]) -> str:
    return _cut(", ".join(values)) if values else "(none)"


def _line_difference(old: bytes, new: bytes) -> Difference:
    first, second = old.split(b"\n"), new.split(b"\n")
    number = next(
        (n for n, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]),
        min(len(first), len(second)),
    )
    return Difference(f"body, line {number + 1}", _line(first, number), _line(second, number))


def _line(lines: list[bytes], number: int) -> str:
    if number >= len(lines):
        return "(the body has ended)"
    return _cut(lines[number].decode("utf-8", "backslashreplace"))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def compare_all(pair: Pair, requests: Iterable[Request], jobs: int) -> Iterator[Compared]:
    """
    Yield each request with what differs, in order, ``jobs`` at a time.

    Raises CompareError where one of the sites cannot be reached at all.
    """
    for site in (pair.old, pair.new):
        require(site, pair.manner)
    pool, kept = ThreadPoolExecutor(jobs), OpenConnections()
    try:
        yield from pool.map(lambda request: _compare(pair, request, kept), requests)
    finally:
        # An interrupted command does not wait for sites that do not answer.
        pool.shutdown(wait=False, cancel_futures=True)
        kept.close()


def _compare(pair: Pair, request: Request, kept: OpenConnections) -> Compared:
    found = _ask_both(pair, request, kept)
    unknown = pair.manner.without_credentials()
    if unknown is None:
        return found
    # With a password a site that asks for none looks as one that does.
    return together(found, _ask_both(replace(pair, manner=unknown), request, kept))


def _ask_both(pair: Pair, request: Request, kept: OpenConnections) -> Compared:
    old, new = (ask(site, request, pair.manner, kept) for site in (pair.old, pair.new))
    return compare(request, old, new, pair)
