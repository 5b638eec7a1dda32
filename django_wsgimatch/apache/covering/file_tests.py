"""
Conditions of mod_rewrite that ask whether a file is there: files that come before the table.

Two shapes are known. A rule leads to a file, and its condition asks for that very file (``-f``). Or
a rule takes what is no file of DocumentRoot (``!-f``, perhaps ``!-d``): those that are there come
first, and the rule may forget its conditions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.substitution import as_template
from ..lines.directive import Directive

_ROOT, _URI = "%{DOCUMENT_ROOT}", "%{REQUEST_URI}"
# Of these $1 is the whole URL, and of those what follows its slash.
_WHOLE = ("(.*)", "^(.*)", "^(.*)$", "(.*)$", "^(/.*)", "^(/.*)$")
_REST = ("^/(.*)", "^/(.*)$")
_ANY = ("^", ".*", "^.*", "^.*$", ".*$")
_KINDS = ("-f", "-d")
_LEFT_OUT = re.compile(r"\(\?!(/[\w/-]*)\)")


@dataclass(frozen=True, slots=True)
class FileTest:
    """
    Whether something has the name ``path``, a template as substitutions have it.

    ``pattern`` is what a condition says of it: -f, -d, or one of them with an exclamation mark.
    """

    path: str
    pattern: str


def file_test(condition: Directive, root: str) -> FileTest | None:
    """
    Return what a condition outside of sections asks of the file system, None for anything else.

    ``root`` is DocumentRoot, "" for none. REQUEST_FILENAME is no file's name there yet.
    """
    if len(condition.words) != 2:
        return None
    path, pattern = condition.words
    if path.startswith(_ROOT) and root:
        path = as_template(root.rstrip("/")) + path.removeprefix(_ROOT)
    is_known = path.startswith("/") and "%" not in path.replace(_URI, "")
    return FileTest(path, pattern) if is_known and pattern.removeprefix("!") in _KINDS else None


def asks_for(conditions: Sequence[Directive], root: str, pattern: str, target: str) -> bool:
    """
    Whether conditions ask for the file that a rule leads to, and nothing else.

    ``pattern`` is the rule's, ``target`` the template of its file.
    """
    tests = [file_test(each, root) for each in conditions]
    if len(tests) != 1 or tests[0] is None or tests[0].pattern != "-f":
        return False
    path = tests[0].path
    begin = path.removesuffix(_URI)
    own = [path] if begin == path else _own_names(begin, pattern)
    return _URI not in begin and target in own


def _own_names(begin: str, pattern: str) -> list[str]:
    """The templates of the file that has the whole URL's name in a folder."""
    if pattern in _WHOLE:
        return [f"{begin}$1"]
    return [f"{begin}/$1"] if pattern in _REST else []


def with_own_name(pattern: str, substitution: str) -> tuple[str, str]:
    """Return what a rule says that leads to the file with the URL's name, in one of its ways."""
    is_all = pattern in (*_ANY, *_WHOLE) and substitution == f"{_ROOT}{_URI}"
    is_named = pattern in _WHOLE and substitution == f"{_ROOT}$1"
    return (_REST[1], f"{_ROOT}/$1") if is_all or is_named else (pattern, substitution)


def leaves_files(conditions: Sequence[Directive], root: str, pattern: str) -> str:
    """
    Return what a rule leaves to DocumentRoot, "" where its conditions say nothing else, or more.

    "files" have the URL's own name there (``!-f``); "all" are folders, too (``!-d``).
    """
    tests = [file_test(each, root) for each in conditions]
    begin = as_template(root.rstrip("/"))
    own = [f"{begin}{_URI}", *_own_names(begin, pattern)]
    left = {each.pattern for each in tests if each is not None and each.path in own}
    if not root or any(each is None or each.path not in own for each in tests):
        return ""
    return {("!-f",): "files", ("!-d", "!-f"): "all"}.get(tuple(sorted(left)), "")


def leaves_out(files: Alias, other: Alias) -> bool:
    """Whether files of a rule leave out all URLs of another entry, by a condition on the URL."""
    starts = _LEFT_OUT.findall(files.location)
    return other.kind == "plain" and any(other.location.startswith(start) for start in starts)
