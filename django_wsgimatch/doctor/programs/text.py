"""
What other Pythons run when they are asked: the files beside this one, and ``projects.run_inside``.

They are given as text, to ``python -c``: whoever runs them may not be able to read our files.
"""

from __future__ import annotations

import os

_HERE = os.path.dirname(os.path.abspath(__file__))


def program_text(name: str, folder: str = _HERE) -> str:
    """Return the program in a file of a folder."""
    with open(os.path.join(folder, f"{name}.py"), encoding="utf-8") as file:
        return file.read()
