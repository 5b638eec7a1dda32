"""
Alias with the handler wsgi-script: the other way to send URLs to a WSGI script.

mod_alias comes before mod_wsgi: what such an Alias takes, no WSGIScriptAlias answers.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.substitution import as_template
from ..covering.alias_lines import MOD_ALIAS, ROOT, alias_of
from ..covering.coverage import FILES, Coverage, FileKind, is_wildcard, reach_of, section_pattern
from ..covering.hosts import Host, Scope
from ..covering.option_values import replaces_options
from ..covering.partial_aliases import from_wildcard, is_anchored, literally
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from .resolving import Resolver

WSGI = ("wsgi-script", "application/x-httpd-wsgi")

Covered = Sequence[tuple[Scope, Coverage]]


def mount(resolver: Resolver, hosts: Iterable[Host]) -> None:
    """Say of each host what Alias and DocumentRoot send to WSGI scripts: its mounts."""
    for host in (resolver.main, *hosts):
        _Mounter(resolver, host).mount()


def mount_as_aliases(resolver: Resolver, hosts: Iterable[Host]) -> None:
    """
    Put what Alias and DocumentRoot send to WSGI scripts to the aliases of each host.

    Those of the main server hold in every virtual host, and there before its own aliases.
    """
    main, hosts = resolver.main, list(hosts)
    mount(resolver, hosts)
    for host in (*hosts, main):
        # A virtual host that has no alias of its own gets all of the main server's.
        inherited = main.mounted if host is not main and host.aliases else ()
        first = [each for each in (*host.mounted, *inherited) if each[1].key != ROOT]
        last = [each for each in host.mounted if each[1].key == ROOT]
        host.aliases[:] = [*first, *host.aliases, *last]


class _Mounter:
    def __init__(self, resolver: Resolver, host: Host) -> None:
        self._resolver = resolver
        self._ledger: Ledger = resolver.ledger
        self._host = host
        self._servers = [resolver.main] if host is resolver.main else [resolver.main, host]

    def mount(self) -> None:
        """Put the mounts to the host."""
        host = self._host
        scopes = [scope for server in self._servers for scope in server.scopes.values()]
        has_own = any(each.handlers for each in self._servers)
        if not has_own and not any(each.handlers for each in scopes):
            return
        # A virtual host without a DocumentRoot of its own has the main server's.
        roots = [d for server in self._servers for d in server.takers if d.key == ROOT][-1:]
        lines = [d for d in host.takers if d.key in MOD_ALIAS]
        host.mounted = [(alias, d) for d in (*lines, *roots) for alias in self._mounts(d)]

    def _mounts(self, directive: Directive) -> Iterator[Alias]:
        alias = alias_of(directive)
        if alias is None:
            return
        kind_of = partial(self._kind_of, alias)
        covered = self._resolver.scopes(self._host, alias, directive, kind_of)
        reach = reach_of(alias, kind_of)
        if not self._may_run(covered):
            return
        found = list(self._runnable(alias, reach.script, covered))
        yield from found
        if found:
            self._note_handlers(alias, covered)

    def _runnable(self, alias: Alias, script: str | None, covered: Covered) -> Iterator[Alias]:
        if script is not None:
            if self._runs(posixpath.basename(script), covered):
                yield _whole(alias)
        elif self._set_handler(covered) in WSGI:
            yield _whole(alias)
        else:
            yield from self._by_names(alias, covered)

    def _note_handlers(self, alias: Alias, covered: Covered) -> None:
        partial_ones = [d for scope, how in covered if how == "some" for d in scope.handlers]
        for directive in (*self._handlers(covered), *partial_ones):
            if is_wsgi(directive):
                self._ledger.note(directive, "kept", f"the entry of {alias.location}")

    def _kind_of(self, alias: Alias, path: str) -> FileKind:
        """Take a target that is not there for a folder, unless it has an ending."""
        kind = self._resolver.kind_of(path)
        is_target = path == posixpath.normpath(alias.target)
        is_folder = kind == "missing" and is_target and "." not in posixpath.basename(path)
        return "directory" if is_folder else kind

    def _by_names(self, alias: Alias, covered: Covered) -> Iterator[Alias]:
        names = [*self._extensions(covered), *_named(covered)]
        location = alias.location.rstrip("/")
        if names and alias.kind == "plain" and not alias.target.endswith("/"):
            pattern = rf"^{literally(location)}(/(?:[^/]+/)*?(?:{'|'.join(names)}))(?=/|$)"
            target = as_template(alias.target)
            yield Alias(pattern, f"{target}$1", "match")

    def _runs(self, name: str, covered: Covered) -> bool:
        handler = self._set_handler(covered)
        if handler is not None:
            return handler in WSGI
        return any(compile_pattern(f"^(?:{p})$").find(name) for p in self._extensions(covered))

    def _set_handler(self, covered: Covered) -> str | None:
        """Return the handler that SetHandler gives all of it, None where none does."""
        found = None
        for directive in self._handlers(covered):
            if directive.key == "sethandler":
                handler = " ".join(directive.words).lower()
                found = None if handler == "none" else handler
        return found

    def _extensions(self, covered: Covered) -> list[str]:
        """Return patterns of the names that AddHandler gives to wsgi-script."""
        found: dict[str, None] = {}
        for directive in self._handlers(covered):
            name, words = directive.key, directive.words
            is_ours = name == "addhandler" and words[:1] and words[0].lower() in WSGI
            for word in words if name == "removehandler" else words[1:]:
                extension = word.removeprefix(".").lower()
                found.pop(extension, None)
                if is_ours:
                    found[extension] = None
        return [rf"[^/]+\.(?i:{literally(each)})(?:\.[^/]*)?" for each in found]

    def _handlers(self, covered: Covered) -> Iterator[Directive]:
        yield from (each for server in self._servers for each in server.handlers)
        yield from (d for scope, how in covered if how == "all" for d in scope.handlers)

    def _may_run(self, covered: Covered) -> bool:
        """Whether Options ExecCGI is on: without it mod_wsgi answers 403."""
        options = [given for server in self._servers for given in server.options]
        options += [
            given
            for scope, how in covered
            if how == "all" or any(map(is_wsgi, scope.handlers))
            for given in scope.options
        ]
        is_on = False
        for given in options:
            is_on = is_on and not replaces_options(given.value)
            for word in given.value:
                if word.lstrip("+-").lower() in ("execcgi", "all"):
                    is_on = not word.startswith("-")
        return is_on


def is_wsgi(directive: Directive) -> bool:
    """Whether a directive names the handler of mod_wsgi."""
    return any(word.lower() in WSGI for word in directive.words)


def is_whole_mount(host: Host, directive: Directive) -> bool:
    """Whether a directive is an entry for all URLs that it takes."""
    return any(
        each is directive and not alias.target.endswith("$1") for alias, each in host.mounted
    )


def _whole(alias: Alias) -> Alias:
    """Return the alias of WSGIScriptAlias that maps as one of Alias does."""
    if alias.kind == "plain":
        return alias
    # An AliasMatch takes the whole URL: nothing of it is put behind the file.
    pattern = alias.location
    whole = f"{pattern}.*" if is_anchored(pattern) and pattern[-1] != "$" else f"(?:{pattern}).*"
    return Alias(whole, alias.target, "match")


def _named(covered: Covered) -> Iterator[str]:
    """Yield patterns of the names that <Files> sections give to wsgi-script."""
    for scope, _ in covered:
        last = scope.sections[-1]
        words = [" ".join(d.words).lower() for d in scope.handlers[-1:]]
        if last.key in FILES and words and words[0] in WSGI:
            text, is_pattern = section_pattern(last)
            if not is_pattern:
                yield from_wildcard(text)[1:-1] if is_wildcard(text) else literally(text)
            elif text.endswith("$") and "|" not in text:
                yield f"{'' if text.startswith('^') else '[^/]*'}{text.strip('^$')}"
