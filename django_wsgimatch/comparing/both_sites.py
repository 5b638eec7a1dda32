"""Asks both sites for all requests, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .differences import Compared, Pair, compare, together
from .http_client import ask, require
from .targets import Request


def compare_all(pair: Pair, requests: Iterable[Request], jobs: int) -> Iterator[Compared]:
    """
    Yield each request with what differs, in order, ``jobs`` at a time.

    Raises CompareError where one of the sites cannot be reached at all.
    """
    for site in (pair.old, pair.new):
        require(site, pair.manner)
    pool = ThreadPoolExecutor(jobs)
    try:
        yield from pool.map(lambda request: _compare(pair, request), requests)
    finally:
        # An interrupted command does not wait for sites that do not answer.
        pool.shutdown(wait=False, cancel_futures=True)


def _compare(pair: Pair, request: Request) -> Compared:
    found = _ask_both(pair, request)
    unknown = pair.manner.without_credentials()
    if unknown is None:
        return found
    # With a password a site that asks for none looks as one that does.
    return together(found, _ask_both(replace(pair, manner=unknown), request))


def _ask_both(pair: Pair, request: Request) -> Compared:
    old, new = (ask(site, request, pair.manner) for site in (pair.old, pair.new))
    return compare(request, old, new, pair)
