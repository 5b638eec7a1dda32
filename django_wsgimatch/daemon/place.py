"""A place: the process group and the application group that an application runs in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..aliases.groups import GLOBAL


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where an application runs: names as in ``mod_wsgi.process_group`` and ``.application_group``.

    "" is the embedded process group (the server's own worker), and the main interpreter.
    """

    process_group: str
    application_group: str

    @property
    def is_here(self) -> bool:
        """Whether a request is answered by a function call, in the server's worker itself."""
        return not self.process_group and not self.application_group

    @property
    def label(self) -> str:
        """What logs and ``wsgimatch status`` call the place; the names are latin-1 text."""
        return "/".join(filter(None, (self.process_group, self.application_group))) or GLOBAL

    @property
    def key(self) -> str:
        """A name for the place's files, the same in all processes: 16 hexadecimal digits."""
        names = f"{self.process_group}\0{self.application_group}".encode("utf-8", "surrogatepass")
        return hashlib.blake2s(names, digest_size=8).hexdigest()
