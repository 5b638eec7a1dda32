"""How the files of an entry are answered that Apache would call ``Alias``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileOptions:
    """
    The options of an entry that answers with files.

    ``index`` names the files that answer for a folder, the first that is there (DirectoryIndex).
    """

    index: tuple[str, ...] = ("index.html",)
