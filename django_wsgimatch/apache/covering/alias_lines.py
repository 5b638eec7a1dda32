"""The lines of mod_alias and DocumentRoot that lead to files, as aliases."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial

from ...aliases.alias import Alias
from ...aliases.directives import get_word
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from ..lines.directive import Directive, split_words
from .coverage import FileKind, FileKinds
from .hosts import Host, scope_sections

ROOT = "documentroot"
_REDIRECTS = ("redirect", "redirectpermanent", "redirecttemp")
_STATUS = re.compile(r"\d+|permanent|temp|seeother|gone")
# Those that take an URL; the others take a path of their own.
_AWAY = re.compile(r"3\d*|permanent|temp|seeother")
MOD_ALIAS = ("alias", "aliasmatch")


def alias_of(directive: Directive) -> Alias | None:
    """Return the alias that Alias, AliasMatch or DocumentRoot would be, if they are complete."""
    return _alias_of(directive.key, directive.rest)


# Optimization: each virtual host asks for the main server's lines: a fifth of an import of 180.
@lru_cache(maxsize=4096)
def _alias_of(name: str, rest: str) -> Alias | None:
    words = split_words(rest)
    if name == ROOT:
        return Alias("/", words[0].rstrip("/") or "/") if words else None
    if len(words) != 2 or not all(words):
        return None
    if name == "alias":
        return Alias(words[0], words[1])
    try:
        compile_pattern(get_word(rest)[0])
    except PatternError:
        return None
    return Alias(words[0], words[1], "match")


def redirects_all_of_a_section(directive: Directive) -> bool:
    """
    Whether a line names no URL of its own: all of its section is redirected.

    As observed: Apache does so before access rules are asked, and before all other redirects.
    """
    words = directive.words
    is_status = words and directive.key == "redirect" and _STATUS.fullmatch(words[0])
    if is_status and not _AWAY.fullmatch(words[0]):
        return False
    return directive.key in _REDIRECTS and len(words) == (2 if is_status else 1)


def is_asked_late(directive: Directive) -> bool:
    """Whether access rules are asked before a line of mod_alias."""
    return bool(scope_sections(directive)) and not redirects_all_of_a_section(directive)


def answering_aliases(servers: Iterable[Host]) -> Iterator[Alias]:
    """Yield the aliases of servers, and what their lines of mod_alias would be."""
    for server in servers:
        yield from (alias for alias, _ in server.aliases)
        lines = (each for each in server.takers if each.key in MOD_ALIAS)
        yield from filter(None, map(alias_of, lines))


def file_aliases(host: Host, main: Host) -> Iterator[Alias]:
    """Yield what the lines of a host, and of the main server in it, lead to files."""
    servers = [host] if host is main else [host, main]
    lines = [d for s in servers for d in s.takers if d.key in (*MOD_ALIAS, ROOT)]
    roots = [d for d in lines if d.key == ROOT]
    aliases = [alias for server in servers for alias, _ in server.aliases]
    for directive in lines:
        alias = None if scope_sections(directive) else alias_of(directive)
        if alias is None or (directive.key == ROOT and directive is not roots[0]):
            continue
        if directive.key != ROOT or not any(map(takes_everything, aliases)):
            yield replace(alias, answer=FileOptions(is_root=directive.key == ROOT))


def names_of_folders(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the folders that sections name."""
    sections = {section for directive in directives for section in directive.sections}
    return frozenset(each.argument.strip("\"'").rstrip("/") for each in sections)


def kinds_for(alias: Alias, kind_of: FileKinds, folders: Collection[str]) -> FileKinds:
    """
    Return the kinds of files for an alias: what leads to files that are not here is a folder.

    ``folders`` are those that a <Directory> names. One with an ending is taken for a file.
    """
    if not isinstance(alias.answer, FileOptions):
        return kind_of
    path = posixpath.normpath(alias.target)
    is_folder = alias.answer.is_root or path in folders or "." not in posixpath.basename(path)
    return partial(_kind_of, kind_of, path) if is_folder else kind_of


def _kind_of(kind_of: FileKinds, folder: str, path: str) -> FileKind:
    kind = kind_of(path)
    return "directory" if kind == "missing" and path == folder else kind


def takes_everything(alias: Alias) -> bool:
    """Whether an alias answers all URLs."""
    if alias.kind == "plain":
        return alias.location == "/"
    try:
        found = compile_pattern(alias.location)
    except PatternError:
        return False
    return all(found.find(uri) is not None for uri in _SOME_URIS)


# An alias that takes these takes all, as far as people write such patterns.
_SOME_URIS = ("/", "/index.html", "/favicon.ico", "/x/y/z", "/\xff", "/a.b/~c/")
