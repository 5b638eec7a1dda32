"""The whole corridor as one value: from a request target to the script and its place."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from ..exceptions import BadTarget, TargetError
from ..text import quoted, shown
from .alias import Alias, Denial, Redirection
from .groups import GLOBAL, GroupName, Server, group_name
from .hosts.validity import is_valid_host
from .module_target import find_module_script, is_module
from .redirecting import redirect_status
from .table import AliasTable, Match
from .target import FollowSymlinks, Script, find_script, is_directory_inside, split_uri
from .uri import EncodedSlashes, Target, authority_of, from_path_info, parse_target

NOT_DEFINED = "No WSGI daemon process called '{}' has been configured"
UNREADABLE = "Target WSGI script cannot be read"
NO_MATCH = "no alias matches"
INSIDE_A_NAME = "the match ends inside a name, and a module answers whole ones"
BAD_HOST = "the Host header {!r} is not a host"
# Of a host that is refused so many characters are logged.
LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What holds for every entry of a table: the directives that stand beside the aliases.

    The defaults are the project's own; ``MOD_WSGI`` holds those of mod_wsgi. ``roots`` are
    directories without a slash at the end, None for no confinement. ``process_groups`` are the
    names of the defined ones. A relative filename belongs to ``base_directory``. With
    ``directory_slash`` the URL of a directory is redirected to that with a slash, as mod_dir does.
    """

    allow_encoded_slashes: EncodedSlashes = False
    merge_slashes: bool = True
    follow_symlinks: FollowSymlinks = True
    roots: tuple[str, ...] | None = None
    base_directory: str = "/"
    process_group: str = GLOBAL
    application_group: str = GLOBAL
    process_groups: Collection[str] = ()
    pass_authorization: bool = True
    directory_slash: bool = False


DEFAULTS = Rules()
MOD_WSGI = Rules(application_group="%{RESOURCE}", pass_authorization=False)
LOCALHOST = Server("localhost")


@dataclass(frozen=True, slots=True)
class Resolution:
    """
    What becomes of a request target.

    ``status`` is 200 where a script would run or a file may answer, 301, 400, 403, 404 or 500 where
    Apache would give that answer itself, that of an entry that needs no application, and None where
    no alias matches and the fallback answers. ``alias`` is the entry's position in the table. What
    was not reached is None; the embedded process group and the main interpreter's application group
    are "". ``group`` tells how the application group's name came about. ``missing`` is the path in
    the file system that would have to be there and is not. ``directory`` is the uri with a slash
    that the one of a directory is redirected to.
    """

    target: str
    uri: str | None = None
    query_string: str | None = None
    status: int | None = None
    reason: str = ""
    match: Match | None = None
    script: str | None = None
    script_name: str | None = None
    path_info: str | None = None
    process_group: str | None = None
    application_group: str | None = None
    callable_object: str | None = None
    pass_authorization: bool = True
    group: GroupName | None = None
    missing: str | None = None
    directory: str | None = None

    @property
    def matched(self) -> bool:
        """Whether an alias matched, even if its script cannot run."""
        return self.match is not None


def resolve(
    table: AliasTable,
    target: str | bytes,
    *,
    rules: Rules = DEFAULTS,
    server: Server = LOCALHOST,
    mount_point: str = "",
) -> Resolution:
    """
    Walk the corridor for a request target as it stands in the request line.

    ``mount_point`` is a SCRIPT_NAME that the server itself has set: it is taken off the uri.
    Nothing is loaded or run; the file system is only looked at.
    """
    text = target.decode("latin-1") if isinstance(target, bytes) else target
    if authority_of(text) is None and (refused := _refused_host(text, server)):
        return refused
    try:
        parsed = parse_target(
            text,
            allow_encoded_slashes=rules.allow_encoded_slashes,
            merge_slashes=rules.merge_slashes,
        )
    except BadTarget as error:
        return Resolution(text, status=error.status, reason=error.reason)
    if parsed.host is not None:
        server = replace(server, host=parsed.host)
    if mount_point:
        parsed = replace(parsed, uri=without_mount_point(parsed.uri, mount_point))
    return _resolve_uri(table, parsed, text, rules, server)


def resolve_path_info(
    table: AliasTable,
    path_info: str,
    query: str,
    *,
    rules: Rules = DEFAULTS,
    server: Server = LOCALHOST,
) -> Resolution:
    """Walk the corridor from a decoded path, where the server does not tell the target."""
    if refused := _refused_host(path_info, server):
        return refused
    try:
        uri = from_path_info(path_info, merge_slashes=rules.merge_slashes)
    except BadTarget as error:
        return Resolution(path_info, status=error.status, reason=error.reason)
    return _resolve_uri(table, Target(uri, query), path_info, rules, server)


def resolve_uri(
    table: AliasTable, uri: Target, *, rules: Rules = DEFAULTS, server: Server = LOCALHOST
) -> Resolution:
    """Walk the corridor from a uri and a query that no request has, as an entry has made them."""
    return _resolve_uri(table, uri, uri.uri, rules, server)


def _resolve_uri(
    table: AliasTable, target: Target, text: str, rules: Rules, server: Server
) -> Resolution:
    """Resolve from the parsed target on: alias, script, groups."""
    match = table.for_host(server.host).match(target.uri)
    # Optimization: each replace() of a resolution, one a step, took 4 us.
    found = partial(Resolution, text, target.uri, target.query, match=match)
    if match is None:
        return found(reason=NO_MATCH)
    if match.alias.answer is not None:
        return found(status=status_of(match), reason=reason_of(match.alias))
    if match.alias.is_module:
        module = find_module_script(match.alias.target, match.uri, match.end)
        if module is None:
            return found(status=404, reason=INSIDE_A_NAME)
        return _place(found, match, module, rules, server)
    try:
        script = find_script(
            match.filename,
            base_directory=rules.base_directory,
            follow_symlinks=rules.follow_symlinks,
            roots=rules.roots,
        )
    except TargetError as error:
        is_named = match.uri[-1:] == "/" or not rules.directory_slash
        if not is_named and is_directory_inside(error, rules.roots):
            return found(status=301, directory=f"{match.uri}/")
        missing = error.path if error.status == 404 else None
        return found(status=error.status, reason=str(error), missing=missing)
    return _place(found, match, script, rules, server)


def _refused_host(target: str, server: Server) -> Resolution | None:
    """The answer to a request whose Host header Apache refuses; it does so before all else."""
    if not server.host or is_valid_host(server.host):
        return None
    return Resolution(target, status=400, reason=BAD_HOST.format(server.host[:LONGEST_SHOWN]))


def reason_of(alias: Alias) -> str:
    """Return why an entry without an application answers as it does, for the operator."""
    entry = f"{alias.directive}({quoted(alias.location)})"
    if isinstance(alias.answer, Denial):
        return f"{entry} refuses it" + (alias.answer.note and f": {shown(alias.answer.note)}")
    if isinstance(alias.answer, Redirection):
        return f"{entry} answers {alias.answer.status}"
    return f"{entry} answers with files"


def status_of(match: Match) -> int:
    """Return the status of an entry without an application: 200 where a file may answer."""
    answer = match.alias.answer
    if isinstance(answer, Redirection):
        return redirect_status(answer.status, match.url)
    if isinstance(answer, Denial):
        return answer.status
    # The name of a file that would be too long is a 500 in mod_alias.
    return 200 if match.filename else 500


def _place(
    found: Callable[..., Resolution], match: Match, script: Script, rules: Rules, server: Server
) -> Resolution:
    alias = match.alias
    script_name, path_info = split_uri(match.uri, script.path_info)
    process_group, group = named_groups(alias, rules, server, script_name)
    if reason := refused_group(process_group, rules) or _unreadable(script):
        return found(status=500, reason=reason)
    return found(
        status=200,
        script=script.path,
        script_name=script_name,
        path_info=path_info,
        process_group=process_group,
        application_group=group.text,
        group=group,
        callable_object=alias.callable_object or "application",
        pass_authorization=passes_authorization(alias, rules),
    )


def named_groups(
    alias: Alias, rules: Rules, server: Server, script_name: str
) -> tuple[str, GroupName]:
    """Return the names of the process group and of the application group of a request."""
    process_group = alias.process_group or rules.process_group
    application_group = alias.application_group or rules.application_group
    is_fixed = alias.kind == "plain" and script_name == alias.location.rstrip("/")
    return (
        group_name(process_group, server, script_name).text,
        group_name(application_group, server, script_name, is_fixed=is_fixed),
    )


def refused_group(process_group: str, rules: Rules) -> str:
    """Return why nothing can run in a process group, "" where it can."""
    if not process_group or process_group in rules.process_groups:
        return ""
    return NOT_DEFINED.format(process_group)


def without_mount_point(uri: str, mount_point: str) -> str:
    """Take a server's own SCRIPT_NAME off a uri; a uri that does not start with it stays."""
    mount_point = mount_point.rstrip("/")
    if not mount_point or not (uri + "/").startswith(mount_point + "/"):
        return uri
    return uri[len(mount_point) :] or "/"


def passes_authorization(alias: Alias, rules: Rules) -> bool:
    """Whether the application sees the Authorization header."""
    given = alias.pass_authorization
    return rules.pass_authorization if given is None else given


def _unreadable(script: Script) -> str:
    is_readable = is_module(script.path) or os.access(script.path.encode("latin-1"), os.R_OK)
    return "" if is_readable else f"{UNREADABLE}: {script.path}"
