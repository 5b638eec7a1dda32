"""Which requests to compare: from a file of request targets, or from an access log."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

# Apache's common, combined and vhost_combined, as far as the request (mod_log_config). Within the
# quotes a backslash escapes.
_LOG = re.compile(rb'(?:\S+ )?\S+ \S+ .*?\[[^\]]*\] "((?:[^"\\]|\\.)*)" (?:[0-9]{3}|-) ')
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROLS = {b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}

SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Request:
    """
    A request without a body; the target is latin-1 text, byte for byte.

    ``host`` is its Host header, "" for the one that all requests have.
    """

    method: str
    target: str
    host: str = ""

    def __str__(self) -> str:
        text = f"{self.method} {self.target}"
        return f"{text} of {self.host}" if self.host else text


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is not asked, and why; lines count from 1."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequestFile:
    """
    What a file says is to be asked, each request once.

    ``repeated`` counts the lines that say what an earlier one has said.
    """

    requests: tuple[Request, ...]
    skipped: tuple[Skipped, ...]
    repeated: int


def read_requests(
    lines: Iterable[bytes], methods: Collection[str] = SAFE_METHODS, most: int | None = None
) -> RequestFile:
    """
    Read request targets, one a line, or the lines of an access log.

    Empty lines and those that begin with # are nothing. Of a log, requests with other methods
    than ``methods`` are skipped: their bodies are not in it. At most ``most`` are taken.
    """
    found: dict[Request, None] = {}
    skipped: list[Skipped] = []
    repeated = 0
    for number, line in enumerate(lines, 1):
        line = line.rstrip(b"\r\n")
        if not line.strip() or line.startswith(b"#"):
            continue
        said = read_request(line, methods)
        if isinstance(said, str):
            skipped.append(Skipped(number, line.decode("latin-1"), said))
        elif said in found:
            repeated += 1
        elif most is None or len(found) < most:
            found[said] = None
    return RequestFile(tuple(found), tuple(skipped), repeated)


def read_request(line: bytes, methods: Collection[str] = SAFE_METHODS) -> Request | str:
    """Return the request of a line, or why there is none."""
    match = _LOG.match(line)
    if match is None:
        if line.startswith(b"/"):
            return _sound(Request("GET", line.decode("latin-1")))
        return "neither a path nor a line of an access log"
    words = _unescaped(match[1]).decode("latin-1").split(" ")
    if len(words) < 2 or (len(words) > 2 and not words[-1].startswith("HTTP/")):
        return "the log has no request line for it"
    method, target = words[0], " ".join(words[1:-1] or words[1:])
    if method not in methods:
        return f"{method} is not sent, as the log does not have its body"
    return _sound(Request(method, target))


def _sound(request: Request) -> Request | str:
    if not request.target.startswith("/"):
        return "the target is not a path"
    if re.search(r"[\x00-\x20\x7f]", request.target):
        return (
            "the target contains a blank or a control character, which a request line cannot hold"
        )
    return request


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(_one_unescaped, text)


def _one_unescaped(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes([int(match[1], 16)])
    return _CONTROLS.get(match[2], match[2])
