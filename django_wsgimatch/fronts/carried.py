"""What a front knows of requests, and a server behind it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """
    What a front must tell the server of a request, beside the client's address and the scheme.

    ``variables`` are those of TLS. ``is_behind`` says that the front itself stands behind another
    proxy, as far as its lines tell: what that one says in X-Forwarded-For and its like is the
    application's.
    """

    has_users: bool = False
    variables: tuple[str, ...] = ()
    is_behind: bool = False
