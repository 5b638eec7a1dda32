"""
The long comparison with mod_wsgi's daemon mode: ``python -m tests.conformance.daemon``.

Random requests go to a real Apache with mod_wsgi and to ours, and to the same script in a process
group and in the server's own worker; the script tells all that it was told, and what it read.
Every run prints its seed, and what differs as the smallest request that still does. What may
differ stands here, and in ``docs/reference/environ.rst``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from tests.conformance.daemon_servers import apache, folder, ours
from tests.conformance.made.daemon_requests import Got, Sent, exchange, random_requests
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.support.raw_http import Address

REPORTED = 10
TRIES = 5

# The keys that need not be equal in mod_wsgi's daemon process and in a process group here.
ONLY_IN_APACHE = {
    *("CONTEXT_DOCUMENT_ROOT", "CONTEXT_PREFIX", "DOCUMENT_ROOT", "GATEWAY_INTERFACE"),
    *("PATH_TRANSLATED", "REQUEST_SCHEME", "REQUEST_URI", "SERVER_ADDR", "SERVER_ADMIN"),
    *("SERVER_SIGNATURE", "apache.version", "mod_wsgi.daemon_connects"),
    *("mod_wsgi.daemon_restarts", "mod_wsgi.daemon_start", "mod_wsgi.enable_sendfile"),
    *("mod_wsgi.handler_script", "mod_wsgi.ignore_activity", "mod_wsgi.listener_host"),
    *("mod_wsgi.listener_port", "mod_wsgi.path_info", "mod_wsgi.queue_start"),
    *("mod_wsgi.request_handler", "mod_wsgi.request_id", "mod_wsgi.request_start"),
    *("mod_wsgi.script_name", "mod_wsgi.script_reloading", "mod_wsgi.script_start"),
    *("mod_wsgi.thread_id", "mod_wsgi.thread_requests", "mod_wsgi.total_requests"),
    "mod_wsgi.version",
}
ONLY_HERE = {"RAW_URI", "wsgi.early_hints"}
OTHERWISE = {"SERVER_NAME", "SERVER_PORT", "SERVER_SOFTWARE", "wsgi.input"}
# Each request comes over a connection of its own.
CONNECTION = {"REMOTE_PORT"}
APART_FROM_APACHE = ONLY_IN_APACHE | ONLY_HERE | OTHERWISE | CONNECTION

# The keys that need not be equal in a process group and in the server's own worker.
APART_FROM_EMBEDDED = {
    *("gunicorn.socket", "waitress.client_disconnected", "mod_wsgi.process_group"),
    *("wsgi.input", "wsgi.multiprocess", "wsgi.multithread", *CONNECTION),
    # A group has these under every server.
    *("wsgi.early_hints", "wsgi.file_wrapper"),
}
# What servers get wrong by themselves, and a group under them does not: values of X-Read and
# X-Reply. It is no use to compare these.
SERVERS_STUMBLE: dict[str, set[str]] = {
    # An empty piece before start_response() is a 500, a second start_response() adds headers.
    "gunicorn": {"late", "restart"},
    # It has neither write() nor a file_wrapper, a readline() without a limit, and it wants
    # start_response() before the body is begun.
    "granian": {
        *("write", "file", "file-without-length", "bytes-file", "readline-limited"),
        *("generator", "late"),
    },
    "waitress": set(),
}
# Headers that every server writes by itself.
SERVERS_OWN = {
    *("date", "server", "connection", "keep-alive", "transfer-encoding", "content-length", "via"),
}


@dataclass(frozen=True, slots=True)
class Side:
    """An application to ask: a server, and the path that leads to it."""

    name: str
    address: Address
    path: str

    def ask(self, sent: Sent) -> dict[str, Any]:
        """What the application was told, did and answered, with its path as ``/app``."""
        got = exchange(self.address, self.path, sent)
        for _ in range(TRIES if sent.is_left_unread else 0):
            if got.status and got.is_whole:
                break
            # gunicorn closes on a client that still sends: TCP may drop what it was answered.
            got = exchange(self.address, self.path, sent)
        return self.told(got)

    def told(self, got: Got) -> dict[str, Any]:
        """An answer, without what servers write in their own way."""
        headers = dict(got.headers)
        if "x-replied" not in headers:
            return {"status": got.status}
        answer = {
            "status": got.status,
            "reason": got.reason,
            "headers": joined(got.headers),
            "whole": got.is_whole,
        }
        if headers.get("content-type") != "application/json" or not got.body:
            return {**answer, "body": got.body}
        text = got.body.decode().replace(f'"{self.path}', '"/app').replace(f"|{self.path}", "|/app")
        try:
            return {**answer, **json.loads(text)}
        except ValueError:
            return {**answer, "body": got.body}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two applications, and the keys of the environ that need not be equal."""

    left: Side
    right: Side
    apart: frozenset[str]

    def differences(self, sent: Sent) -> list[str]:
        """What differs in the answers to one request."""
        return self.unequal(self.left.ask(sent), self.right.ask(sent))

    def unequal(self, left: dict[str, Any], right: dict[str, Any]) -> list[str]:
        """What differs in two answers."""
        found = [*unequal("", left, right, {"environ"})]
        if "environ" in left and "environ" in right:
            apart = self.apart | ({"HTTP_X_TWICE"} if is_twice(left, right) else set())
            found += unequal("environ ", left["environ"], right["environ"], apart)
        return found

    def __str__(self) -> str:
        return f"{self.left.name} and {self.right.name}"


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and the request that shows it."""

    pair: Pair
    sent: Sent
    found: list[str]

    def __str__(self) -> str:
        lines = "\n".join(f"  {line}" for line in self.found)
        return f"{self.pair} differ:\n{lines}\n{self.sent}"


@dataclass(slots=True)
class Tally:
    """How many requests were compared, what they were, and what differs."""

    pair: Pair
    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return f"{self.pair}: {counts}; {len(self.differences)} differ"


def joined(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers in an order of their own, those of one name in one, but cookies (RFC 9110 5.3)."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    cookies = [("set-cookie", value) for value in values.pop("set-cookie", ())]
    others = [(name, ", ".join(value)) for name, value in values.items()]
    return sorted(pair for pair in others if pair[0] not in SERVERS_OWN) + cookies


def is_twice(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Whether a header that was sent twice is one text, but for the blank after the comma."""
    texts = [side["environ"].get("HTTP_X_TWICE", ["str", ""])[1] for side in (left, right)]
    return bool(texts[0].replace(", ", ",") == texts[1].replace(", ", ","))


def unequal(
    what: str, left: dict[str, Any], right: dict[str, Any], apart: Iterable[str]
) -> Iterator[str]:
    for key in sorted((left.keys() | right.keys()) - set(apart)):
        if left.get(key) != right.get(key):
            yield f"{what}{key}: {left.get(key)!r:.300} | {right.get(key)!r:.300}"


def compare(pair: Pair, requests: Iterable[Sent]) -> Tally:
    """Ask both sides of a pair the same requests."""
    tally = Tally(pair)
    for sent in requests:
        tally.counts["requests"] += 1
        tally.counts["with a body"] += bool(sent.body)
        tally.counts["chunked"] += sent.chunks is not None
        tally.counts["bytes sent"] += len(sent.body)
        left, right = pair.left.ask(sent), pair.right.ask(sent)
        tally.counts["environs compared"] += "environ" in left and "environ" in right
        tally.counts[f"answered {left['status']}"] += 1
        if found := pair.unequal(left, right):
            tally.differences.append(Difference(pair, sent, found))
    return tally


def shrink(difference: Difference) -> Difference:
    """The smallest request that leaving out headers, path and body leads to."""
    for smaller in smaller_than(difference.sent):
        if found := difference.pair.differences(smaller):
            return shrink(Difference(difference.pair, smaller, found))
    return difference


def smaller_than(sent: Sent) -> Iterator[Sent]:
    if sent.rest:
        yield replace(sent, rest="")
    framing = {"Host", "Connection", "Content-Length", "Transfer-Encoding"}
    for place, (name, _) in enumerate(sent.headers):
        if name not in framing:
            yield replace(sent, headers=(*sent.headers[:place], *sent.headers[place + 1 :]))
    if sent.body and sent.chunks is None:
        half = sent.body[: len(sent.body) // 2]
        rest = [header for header in sent.headers if header[0] != "Content-Length"]
        headers = (*rest, ("Content-Length", str(len(half))))
        yield replace(sent, body=half, headers=headers)


def compare_with_apache(seed: str, count: int) -> list[Tally]:
    """Compare mod_wsgi's daemon process with a process group, a fifth through a pattern."""
    with folder() as directory, apache(directory) as theirs, ours(directory) as here:
        tallies = []
        for path, part in (("/app", count - count // 5), ("/something", count // 5)):
            left = Side(f"mod_wsgi's daemon process at {path}", theirs, path)
            right = Side("a process group", here, path)
            pair = Pair(left, right, frozenset(APART_FROM_APACHE))
            tallies.append(shrunk(compare(pair, random_requests(seed + path, part))))
        return tallies


def compare_with_embedded(seed: str, count: int, front: str) -> Tally:
    """Compare a process group with the server's own worker, under a server."""
    left_out = SERVERS_STUMBLE[front]
    requests = (sent for sent in random_requests(seed, count) if not left_out & set(sent.wishes))
    with ExitStack() as stack:
        here = stack.enter_context(ours(stack.enter_context(folder()), front))
        left = Side(f"{front}'s own worker", here, "/emb")
        right = Side("a process group", here, "/grp")
        return shrunk(compare(Pair(left, right, frozenset(APART_FROM_EMBEDDED)), requests))


def shrunk(tally: Tally) -> Tally:
    """The tally with its first differences made small: the servers must be running still."""
    tally.differences[:REPORTED] = [shrink(found) for found in tally.differences[:REPORTED]]
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare process groups with mod_wsgi's.")
    parser.add_argument("--requests", type=int, default=3_000, help="to Apache and gunicorn")
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    print(f"--seed {options.seed}")
    tallies = compare_with_apache(options.seed, options.requests)
    for front, share in (("gunicorn", 1), ("granian", 5), ("waitress", 5)):
        tallies.append(compare_with_embedded(options.seed, options.requests // share, front))
    return report(tallies)


def report(tallies: Iterable[Tally]) -> int:
    """Print the tallies; the exit code is 1 where something differs."""
    differ = False
    for tally in tallies:
        print(tally)
        for difference in tally.differences[:REPORTED]:
            print(difference)
        differ = differ or bool(tally.differences)
    return int(differ)


if __name__ == "__main__":
    raise SystemExit(main())
