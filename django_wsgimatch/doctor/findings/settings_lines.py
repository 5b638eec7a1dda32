"""Entries as settings have them: the line to paste at the end of a hint."""

from __future__ import annotations

import os
from dataclasses import replace

from ...aliases.alias import Alias
from ...aliases.quoting import directive_line
from ...entries import OPTIONS, FileEntry
from ...text import readable


def pasted(alias: Alias, entry: object, **changes: str) -> str:
    """Return an entry with some changes, in the words in which ``entry`` is written."""
    changed = replace(alias, **changes)  # type: ignore[arg-type]
    if isinstance(entry, str | bytes | FileEntry):
        return readable(directive_line(changed))
    name = "script_alias" if changed.kind == "plain" else "script_alias_match"
    given = ((option, getattr(changed, option)) for option in OPTIONS)
    options = [f"{option}={_literal(value)}" for option, value in given if value is not None]
    words = [_literal(changed.location), _literal(changed.target), *options]
    return f"{name}({', '.join(words)})"


def _literal(value: object) -> str:
    """A value as Python code; text with backslashes as a raw string."""
    if not isinstance(value, str):
        return repr(value)
    text = readable(value)
    is_raw = "\\" in text and "'" not in text and not text.endswith("\\")
    return f"r'{text}'" if is_raw else repr(text)


def up_to(script: str, target: str, base_directory: str) -> str:
    """Return what of a target names the script; all of it where a capture does."""
    names = target.split("/")
    for count in range(1, len(names)):
        begun = "/".join(names[:count])
        if os.path.normpath(os.path.join(base_directory, begun)) == script:
            return begun
    return target
