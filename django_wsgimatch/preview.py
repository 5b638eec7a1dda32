"""What becomes of a request target, and why: the corridor, with every alias that was tried."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from .aliases.access.rules import AccessRules
from .aliases.access.sections import SectionIndex
from .aliases.alias import Alias, Redirection
from .aliases.groups import Server, variable
from .aliases.hosts.names import split_host
from .aliases.index.prefix import alias_matches
from .aliases.patterns.pattern import Pattern
from .aliases.quoting import directive_line
from .aliases.redirecting import redirect_status
from .aliases.resolve import Resolution, Rules, reason_of, resolve, resolve_uri
from .aliases.table import AliasTable, Match
from .aliases.uri import Target, authority_of
from .answers.direct import Direct, direct, foretell, is_direct
from .answers.first_files import TriedFile, TriedFiles, tried_files
from .answers.plain_http import own_host_url
from .answers.proxies.mount import script_name_below
from .answers.proxies.sample import SampleRequest
from .answers.rewriting.rewrites import NewUrl, RewritesByHost, is_rewriting
from .conf import (
    Configuration,
    NamedTable,
    access_index,
    has_access_rules,
    rewrites_by_host,
)
from .entry_options.error_pages import ErrorPage
from .places import server_ports
from .server.health import page_paths
from .text import quoted

_SCHEME = re.compile("(https?):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """
    What an entry of WSGIMATCH_PLAIN_HTTP answers a target with that is asked for over plain HTTP.

    ``where`` is its name. ``is_asked`` says that it is: what the target's table has for it, as over
    HTTPS, answers nothing then.
    """

    where: str
    directive: str
    status: int
    url: str | None
    is_asked: bool


@dataclass(frozen=True, slots=True)
class MissingFile:
    """A file that would answer before the table, and the name of its entry."""

    where: str
    filename: str


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What becomes of one request target; the fields are those of ``preview --json``.

    What was not reached is None. ``status`` is 200 where a script would run or a file is sent, and
    None where the fallback answers. ``alias`` is the entry's position among those of the host in
    the order in which they are tried, and ``directive`` the line that Apache would read it from, or
    the function that says it and the location. ``url`` is where clients are sent to. ``script`` is
    a file, or a module and the name in it, which has no ``filename``. ``view`` is the Django view
    for the PATH_INFO; where there is none, ``urlconf_status`` is what the Django project that would
    answer makes of the URL: 404, or 301 where APPEND_SLASH redirects. It is None where no Django
    project is known to answer. ``load_error`` says why the script does not load, as far as that is
    known. ``access`` names what holds for the uri, each with what it says: the entry that answers,
    if it has access rules itself, and the sections; ``demands`` is what they say together.
    ``request`` is who asks, where that is given. ``plain_http`` is what answers over plain HTTP
    before all else; where it is known that this is asked for, the ``status``, the ``url`` and the
    ``directive`` are its own. ``file_first`` names the entry of WSGIMATCH_FILES_FIRST that answers,
    which has no place among the others; ``missing_files`` would answer first if they were there.
    ``rewriting`` is the line of the entry that has passed ``asked_uri`` on as ``uri``.
    ``error_page`` is what WSGIMATCH_ERROR_PAGES has for the status. Text holds one byte a
    character, as in WSGI.
    """

    target: str
    uri: str | None
    status: int | None
    matched: bool
    alias: int | None
    directive: str | None
    captures: tuple[str, ...] | None
    filename: str | None
    url: str | None
    script: str | None
    script_name: str | None
    path_info: str | None
    query_string: str | None
    process_group: str | None
    application_group: str | None
    callable_object: str | None
    view: str | None
    urlconf_status: int | None
    load_error: str | None
    request: SampleRequest | None
    warnings: tuple[str, ...]
    access: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    plain_http: PlainAnswer | None = None
    file_first: str | None = None
    missing_files: tuple[MissingFile, ...] = ()
    asked_uri: str | None = None
    rewriting: str | None = None
    error_page: str | None = None

    @property
    def is_run(self) -> bool:
        """Whether a script would run."""
        return self.script is not None


@dataclass(frozen=True, slots=True)
class PreviewSite:
    """
    What previews are made from, besides the target.

    ``view`` names the Django view for a PATH_INFO, or None; ``load_error`` says why a script
    would not be run in a process group and an application group, or is "". ``sections`` are the
    access rules, ``plain_http`` the entries that answer over plain HTTP before all else, and
    ``own_pages`` the paths of WSGIMATCH_HEALTH_PATH, which they leave alone. ``files`` come before
    the table, and ``names_of_files`` are what their entries are called; ``rewrites`` are the
    entries that rewrite URLs. ``request`` says who asks, and ``environ`` is what a server makes of
    that.
    """

    table: AliasTable
    rules: Rules
    server: Server
    has_fallback: bool = True
    view: Callable[[str], str | None] = lambda path_info: None
    load_error: Callable[[str, str, str], str] = lambda script, process, application: ""
    sections: SectionIndex | None = None
    request: SampleRequest | None = None
    environ: Mapping[str, Any] = field(default_factory=dict)
    plain_http: NamedTable | None = None
    own_pages: tuple[str, ...] = ()
    files: TriedFiles | None = None
    names_of_files: tuple[str, ...] = ()
    rewrites: RewritesByHost | None = None
    error_pages: Mapping[int, ErrorPage] = field(default_factory=dict)


def preview_site(
    configured: Configuration,
    host: str = "",
    *,
    request: SampleRequest | None = None,
    environ: Mapping[str, Any] | None = None,
) -> PreviewSite:
    """
    Return what previews are made from, without views and scripts; ``host`` is a Host header.

    Its port is taken for the one that the server listens on, unless the settings list ports. With
    an ``environ`` the host is that of ``request``, as the proxies tell it.
    """
    told = environ or {}
    health = configured.values["HEALTH_PATH"]
    name = configured.values["SERVER_NAME"] or told.get("SERVER_NAME")
    name = name or split_host(host)[0] or "localhost"
    port, ports = told.get("SERVER_PORT") or split_host(host)[1], server_ports(configured)
    lookup = partial(variable, environ=dict(told), process_environ=os.environ)
    listed = None if ports is None else [str(each) for each in ports]
    return PreviewSite(
        table=configured.table,
        rules=configured.rules,
        server=Server(name, told.get("HTTP_HOST", host), lookup, "" if ports else port, listed),
        has_fallback=configured.values["FALLBACK"] is not None,
        sections=access_index(configured) if has_access_rules(configured) else None,
        request=request,
        environ=told,
        plain_http=configured.plain_http,
        own_pages=() if health is None else page_paths(health),
        files=tried_files(configured),
        names_of_files=tuple(each.where for each in configured.files_first),
        rewrites=rewrites_by_host(configured),
        error_pages=configured.error_pages,
    )


def preview(site: PreviewSite, target: str) -> Preview:
    """Return what becomes of a request target; nothing is loaded or run."""
    asked = resolve(site.table, target, rules=site.rules, server=site.server)
    plain = _plain_answer(asked, site)
    if plain is not None and plain.is_asked:
        return _answered_before(asked, plain, site)
    tried = _tried(asked, site)
    file = tried[-1] if tried and tried[-1].is_there else None
    rewritten = _rewritten(asked, site) if file is None else None
    resolution = _resolved(asked, file, rewritten, site)
    behind = resolution if file is None else asked
    match = resolution.match
    resolution, url = _foretold(resolution, site)
    url = url if rewritten is None else url or _location(rewritten, asked, site)
    load_error = _load_error(resolution, site)
    status = _status(resolution, site.has_fallback)
    page = site.error_pages.get(status or 0)
    return Preview(
        target=resolution.target,
        uri=resolution.uri,
        status=status,
        matched=match is not None,
        alias=match.position if match and file is None else None,
        directive=directive_line(match.alias) if match else None,
        captures=match.captures if match else None,
        filename=_filename(resolution, site.rules),
        url=url,
        script=resolution.script,
        script_name=_script_name(resolution, site),
        path_info=resolution.path_info,
        query_string=resolution.query_string,
        process_group=resolution.process_group,
        application_group=resolution.application_group,
        callable_object=resolution.callable_object,
        view=_view(resolution, site, is_rewritten=rewritten is not None),
        urlconf_status=None,
        load_error=load_error,
        request=site.request,
        warnings=tuple(_warnings(resolution, load_error, is_rewritten=rewritten is not None)),
        access=tuple(_sections(resolution, behind, site)),
        demands=tuple(_demands(resolution, behind, site)),
        plain_http=plain,
        file_first=None if file is None else site.names_of_files[file.number],
        missing_files=tuple(
            MissingFile(site.names_of_files[each.number], _absolute(each.filename, site.rules))
            for each in tried
            if not each.is_there
        ),
        asked_uri=None if rewritten is None else asked.uri,
        rewriting=None if rewritten is None else directive_line(rewritten.alias),
        error_page=None if page is None else page.value,
    )


def _resolved(
    asked: Resolution, file: TriedFile | None, rewritten: NewUrl | None, site: PreviewSite
) -> Resolution:
    if file is not None:
        return _of_file(asked, file.match)
    return asked if rewritten is None else _resolved_anew(asked, rewritten, site)


def _plain_answer(resolution: Resolution, site: PreviewSite) -> PlainAnswer | None:
    """What answers over plain HTTP, None where that is not asked for or nothing does."""
    named, scheme = site.plain_http, _scheme(resolution.target, site)
    if named is None or resolution.uri is None or scheme == "https":
        return None
    match = named.table.match(resolution.uri)
    if match is None or resolution.uri in site.own_pages:
        return None
    status, url = 403, None
    if isinstance(match.alias.answer, Redirection):
        server = replace(site.server, host=_host(resolution, site))
        mount_point = script_name_below(dict(site.environ), "")
        status, url = foretell(
            Direct(match.alias, match.uri, own_host_url(match.url, server, mount_point)),
            site.rules,
            server,
            resolution.query_string or "",
            mount_point=mount_point,
        )
    where, line = named.name(match.position), directive_line(match.alias)
    return PlainAnswer(where, line, status, url, is_asked=scheme == "http")


def _scheme(target: str, site: PreviewSite) -> str:
    """The scheme that a target is asked for with, "" where that is not known."""
    if scheme := site.environ.get("wsgi.url_scheme"):
        return str(scheme)
    found = _SCHEME.match(target)
    return found[1].lower() if found else ""


def _answered_before(resolution: Resolution, plain: PlainAnswer, site: PreviewSite) -> Preview:
    """What becomes of a target that is answered before the table is asked."""
    return Preview(
        target=resolution.target,
        uri=resolution.uri,
        status=plain.status,
        matched=False,
        alias=None,
        directive=plain.directive,
        captures=None,
        filename=None,
        url=plain.url,
        script=None,
        script_name=None,
        path_info=None,
        query_string=resolution.query_string,
        process_group=None,
        application_group=None,
        callable_object=None,
        view=None,
        urlconf_status=None,
        load_error=None,
        request=site.request,
        warnings=(),
        plain_http=plain,
    )


def _tried(resolution: Resolution, site: PreviewSite) -> list[TriedFile]:
    """Return the files that come before the table, up to the one that answers."""
    if site.files is None or resolution.uri is None:
        return []
    return [*site.files.tries(resolution.uri, _host(resolution, site))]


def _of_file(behind: Resolution, match: Match) -> Resolution:
    """What becomes of a request where a file answers before the table does."""
    return Resolution(
        behind.target,
        behind.uri,
        behind.query_string,
        status=200,
        reason=reason_of(match.alias),
        match=match,
    )


def _rewritten(asked: Resolution, site: PreviewSite) -> NewUrl | None:
    """What an entry makes of the uri, None where no entry takes it."""
    if asked.uri is None or site.rewrites is None:
        return None
    environ = {"REQUEST_METHOD": "GET", **site.environ}
    rewrites = site.rewrites.for_host(_host(asked, site))
    return rewrites.apply(asked.uri, asked.query_string or "", environ)


def _resolved_anew(asked: Resolution, rewritten: NewUrl, site: PreviewSite) -> Resolution:
    """Resolve the uri that an entry has made; the target stays, as it names the host."""
    if rewritten.status is not None:
        refused = Resolution(asked.target, rewritten.uri, rewritten.query, rewritten.status)
        status = redirect_status(rewritten.status, rewritten.location)
        return replace(refused, status=status, reason=rewritten.reason)
    uri = Target(rewritten.uri, rewritten.query)
    server = replace(site.server, host=_host(asked, site))
    found = resolve_uri(site.table, uri, rules=site.rules, server=server)
    return replace(found, target=asked.target)


def _location(rewritten: NewUrl, asked: Resolution, site: PreviewSite) -> str | None:
    """Return where an entry that rewrites sends clients itself, None where it does not."""
    if not rewritten.location:
        return None
    assert rewritten.status is not None
    alias = Alias("", "", answer=Redirection(rewritten.location, rewritten.status))
    answer = Direct(alias, rewritten.uri, rewritten.location)
    found = Resolution(asked.target, query_string=asked.query_string)
    return _foretell(answer, found, site)[1]


def _host(resolution: Resolution, site: PreviewSite) -> str:
    return authority_of(resolution.target) or site.server.host


def _sections(resolution: Resolution, behind: Resolution, site: PreviewSite) -> Iterator[str]:
    if site.sections is None or resolution.uri is None:
        return
    for alias, rules in _own_rules(resolution, behind):
        yield f"{alias.directive} {alias.location}: {'; '.join(rules.lines())}"
    for section in site.sections.find(resolution.uri, _host(resolution, site)):
        yield f"{section.directive} {section.location}: {'; '.join(section.rules.lines())}"


def _own_rules(*resolutions: Resolution) -> Iterator[tuple[Alias, AccessRules]]:
    """
    Yield the entry that answers, and the access rules that it has itself, if any.

    Behind a file that comes first it is that of the table, too.
    """
    for match in dict.fromkeys(each.match for each in resolutions):
        if match is not None and match.alias.access is not None:
            yield match.alias, match.alias.access


def _demands(resolution: Resolution, behind: Resolution, site: PreviewSite) -> Iterator[str]:
    if site.sections is None or resolution.uri is None:
        return
    own = [[rules] for _, rules in _own_rules(resolution, behind)] or [[]]
    host = _host(resolution, site)
    found = (site.sections.rules_for(resolution.uri, host, rules) for rules in own)
    yield from dict.fromkeys(line for rules in found if rules for line in rules.lines())


def _foretold(resolution: Resolution, site: PreviewSite) -> tuple[Resolution, str | None]:
    """What becomes of a request that needs no application: its status, and the URL to go to."""
    match = resolution.match
    if match is None or not is_direct(match.alias):
        return resolution, None
    status, url = _foretell(direct(match), resolution, site)
    return replace(resolution, status=status), url


def _foretell(answer: Direct, resolution: Resolution, site: PreviewSite) -> tuple[int, str | None]:
    environ = dict(site.environ)
    return foretell(
        answer,
        site.rules,
        replace(site.server, host=_host(resolution, site)),
        resolution.query_string or "",
        scheme=environ.get("wsgi.url_scheme", "http"),
        mount_point=script_name_below(environ, ""),
    )


def _load_error(resolution: Resolution, site: PreviewSite) -> str | None:
    if resolution.script is None:
        return None
    place = str(resolution.process_group), str(resolution.application_group)
    return site.load_error(str(resolution.script), *place) or None


def _script_name(resolution: Resolution, site: PreviewSite) -> str | None:
    if resolution.script_name is None:
        return None
    return script_name_below(dict(site.environ), resolution.script_name)


def rebuilt_url(shown: Preview) -> str | None:
    """
    The path that an application would rebuild from its environ (PEP 3333).

    It is the whole URL where it is known who asks, and for which host.
    """
    if shown.script_name is None or shown.path_info is None:
        return None
    told = {} if shown.request is None else shown.request.environ
    site = f"{told['wsgi.url_scheme']}://{told['HTTP_HOST']}" if told.get("HTTP_HOST") else ""
    return site + shown.script_name + shown.path_info


def _status(resolution: Resolution, has_fallback: bool) -> int | None:
    return 404 if resolution.status is None and not has_fallback else resolution.status


def _filename(resolution: Resolution, rules: Rules) -> str | None:
    match = resolution.match
    if match is None or not match.filename or match.alias.is_module:
        return None
    return _absolute(match.filename, rules)


def _absolute(filename: str, rules: Rules) -> str:
    return os.path.join(rules.base_directory, filename)


def _view(resolution: Resolution, site: PreviewSite, *, is_rewritten: bool) -> str | None:
    if resolution.path_info is not None:
        return site.view(resolution.path_info)
    if resolution.status is None and site.has_fallback:
        return site.view(resolution.uri or "/" if is_rewritten else _server_path(resolution))
    return None


def _server_path(resolution: Resolution) -> str:
    """PATH_INFO as servers make it, which the fallback gets: unescaped and nothing more."""
    path = resolution.target.partition("?")[0]
    if not path.startswith("/"):
        return resolution.uri or "/"
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def _warnings(
    resolution: Resolution, load_error: str | None, *, is_rewritten: bool
) -> Iterator[str]:
    if resolution.script is not None:
        rebuilt = f"{resolution.script_name}{resolution.path_info}"
        if is_rewritten:
            if "//" in str(resolution.uri):
                yield (
                    f"The new URL has two slashes in a row, so that each request walks through the "
                    f"file system: {_ONE_SLASH}."
                )
        elif rebuilt != resolution.uri:
            yield (
                f"An application would rebuild the URL as {quoted(rebuilt)}, not "
                f"{quoted(resolution.uri or '')}."
            )
        elif "//" in (asked := _server_path(resolution)) and asked != resolution.uri:
            yield (
                f"Consecutive slashes count as one: the application gets {quoted(rebuilt)}, not "
                f"{quoted(asked)} (WSGIMATCH_MERGE_SLASHES)."
            )
        if load_error:
            yield load_error
    elif resolution.status is not None and resolution.status >= 400:
        yield f"{resolution.status}: {resolution.reason}."


_ONE_SLASH = "let the pattern take the slash, as in rewrite('^/(.*)$', '/app.wsgi/$1')"

Outcome = Literal["won", "lost", "later"]


@dataclass(frozen=True, slots=True)
class Try:
    """
    How one alias fared with a uri: it ``won``, ``lost``, or would match but comes ``later``.

    ``is_near`` where one that lost is so like the uri that somebody may wonder why.
    """

    position: int
    alias: Alias
    outcome: Outcome
    reason: str
    is_near: bool = False


def tries(table: AliasTable, uri: str) -> Iterator[Try]:
    """
    Yield how each alias of a table fares with a uri, in order, and why.

    An entry that rewrites URLs is not compared with what has become of one.
    """
    won = False
    for position, (alias, location) in enumerate(zip(table.aliases, table.locations, strict=True)):
        if is_rewriting(alias):
            continue
        reason = _match_reason(location, uri)
        if reason is None:
            if not won:
                near = _near_reason(location, uri)
                reason = near or _miss_reason(location)
                yield Try(position, alias, "lost", reason, is_near=near is not None)
        elif won:
            yield Try(position, alias, "later", f"{reason}, but an earlier alias has won")
        else:
            yield Try(position, alias, "won", reason)
            won = True


def _match_reason(location: str | Pattern, uri: str) -> str | None:
    if isinstance(location, str):
        return "the URL begins with it" if alias_matches(uri, location) else None
    found = location.find(uri)
    return None if found is None else f"found: {quoted(found.group(0) or '')}"


def _miss_reason(location: str | Pattern) -> str:
    if isinstance(location, Pattern):
        return "not found in the URL"
    if not location:
        return "`wsgimatch check` says why"
    if not location.startswith("/"):
        return "it can never match: it does not begin with '/'"
    return "the URL does not begin with it"


def _near_reason(location: str | Pattern, uri: str) -> str | None:
    if isinstance(location, Pattern) or not location.startswith("/"):
        return None
    if alias_matches(uri.lower(), location.lower()):
        return "upper and lower case differ"
    if alias_matches(uri + "/", location):
        return "it ends in '/', the URL does not"
    if uri.startswith(location):
        return f"{quoted(uri[len(location)])} follows it, not '/'"
    return None
