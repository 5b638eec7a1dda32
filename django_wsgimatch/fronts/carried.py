"""What a front knows of requests, and a server behind it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """
    What a front must tell the server of a request, beside the client's address.

    ``is_behind`` says that the front itself stands behind another proxy, as far as its lines tell,
    and ``knows_clients`` that it believes that proxy who asks (mod_remoteip).
    """

    has_users: bool = False
    has_tls: bool = False
    variables: tuple[str, ...] = ()
    is_behind: bool = False
    knows_clients: bool = False
