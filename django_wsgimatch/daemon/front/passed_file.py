"""A file that a group has opened and the front's server sends."""

from __future__ import annotations

from ...exceptions import DaemonError
from ...whole_files import SentFile


class PassedFile(SentFile):
    """
    An open file of a group's, which shares its descriptor's position and can be shortened by it.

    close() raises DaemonError where the server has sent less than is announced.
    """

    def __init__(self, descriptor: int, announced: int | None, complaint: str) -> None:
        super().__init__(descriptor, announced, DaemonError(500, complaint))
