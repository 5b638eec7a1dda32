"""
The name of a client's host, as ``Require host`` and ``Allow from example.com`` ask for it.

Mirrors ap_get_useragent_host() with REMOTE_DOUBLE_REV: the address has a name, and the name has
the address. Apache waits for the answer as long as the resolver does; here for a while only.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from ...aliases.access.subnets import parse_address

# In seconds: how long a request waits, and how long an answer is kept.
PATIENCE = 5.0
KEPT_FOR = 60.0
# So many questions may be open at once, and so many answers are kept.
MOST_ASKED, _MOST_KEPT = 4, 1024


def resolved_name(address: str) -> str | None:
    """Ask the resolver twice: the name of an address, and whether the name leads back to it."""
    try:
        name, _ = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    wanted = parse_address(address)
    return name if any(parse_address(str(each[4][0])) == wanted for each in found) else None


class HostNames:
    """The names of clients' hosts, asked for in threads of their own, and kept for a minute."""

    def __init__(self, resolve: Callable[[str], str | None] = resolved_name) -> None:
        self._resolve = resolve
        self._kept: dict[str, tuple[float, str | None]] = {}
        self._asked = threading.BoundedSemaphore(MOST_ASKED)

    def name_of(self, address: str) -> str | None:
        """Return the name of an address in lower case, None where it has none or it takes long."""
        if (kept := self._fresh(address)) is not None:
            return kept[1]
        if parse_address(address) is None or not self._asked.acquire(timeout=PATIENCE):
            return None
        answered = threading.Event()
        # It may last longer than a request waits, and must not keep the server from ending.
        threading.Thread(target=self._ask, args=(address, answered), daemon=True).start()
        answered.wait(PATIENCE)
        kept = self._fresh(address)
        return kept[1] if kept is not None else None

    def _fresh(self, address: str) -> tuple[float, str | None] | None:
        kept = self._kept.get(address)
        return kept if kept is not None and kept[0] > time.monotonic() else None

    def _ask(self, address: str, answered: threading.Event) -> None:
        try:
            name = self._resolve(address)
        finally:
            self._asked.release()
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[address] = (time.monotonic() + KEPT_FOR, name and name.lower())
        answered.set()


def is_in_domain(domain: str, name: str) -> bool:
    """Mirror in_domain(): a host's name, or the end of it from a dot on."""
    domain = domain.lower()
    if not name.endswith(domain):
        return False
    return len(name) == len(domain) or domain[:1] == "." or name[-len(domain) - 1] == "."
