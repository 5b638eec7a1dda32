"""What becomes of a request target, and why: the corridor, with every alias that was tried."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from ..aliases.access.rules import AccessRules
from ..aliases.alias import Alias
from ..aliases.groups import Server, variable
from ..aliases.hosts.names import split_host
from ..aliases.quoting import directive_line
from ..aliases.resolve import Resolution, Rules, resolve
from ..answers.direct import direct, is_direct
from ..answers.first_files import tried_files
from ..answers.proxies.mount import script_name_below
from ..answers.proxies.sample import SampleRequest
from ..conf import access_index, has_access_rules, rewrites_by_host
from ..configured import Configuration
from ..places import server_ports
from ..server.health import page_paths
from ..text import quoted
from .before import (
    answered_before,
    directory_location,
    foretell_direct,
    plain_answer,
    resolved_target,
    rewriting_location,
    rewritten_target,
    tried_before,
)
from .values import MissingFile, Preview, PreviewSite


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
    return PreviewSite(
        table=configured.table,
        rules=configured.rules,
        server=_server(configured, host, told),
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


def preview_sites(configured: Configuration, hosts: Iterable[str]) -> Iterator[PreviewSite]:
    """Yield what previews for each of some hosts are made from; all else is made once."""
    site = preview_site(configured)
    for host in hosts:
        yield replace(site, server=_server(configured, host, {}))


def _server(configured: Configuration, host: str, told: Mapping[str, Any]) -> Server:
    name = configured.values["SERVER_NAME"] or told.get("SERVER_NAME")
    name = name or split_host(host)[0] or "localhost"
    port, ports = told.get("SERVER_PORT") or split_host(host)[1], server_ports(configured)
    lookup = partial(variable, environ=dict(told), process_environ=os.environ)
    listed = None if ports is None else [str(each) for each in ports]
    return Server(name, told.get("HTTP_HOST", host), lookup, "" if ports else port, listed)


def preview(site: PreviewSite, target: str) -> Preview:
    """Return what becomes of a request target; nothing is loaded or run."""
    asked = resolve(site.table, target, rules=site.rules, server=site.server)
    plain = plain_answer(asked, site)
    if plain is not None and plain.is_asked:
        return answered_before(asked, plain, site)
    tried = tried_before(asked, site)
    file = tried[-1] if tried and tried[-1].is_there else None
    rewritten = rewritten_target(asked, site) if file is None else None
    resolution = resolved_target(asked, file, rewritten, site)
    shown = _shown(resolution, site, is_rewritten=rewritten is not None)
    if rewritten is not None:
        shown = replace(
            shown,
            url=shown.url or rewriting_location(rewritten, asked, site),
            asked_uri=asked.uri,
            rewriting=directive_line(rewritten.alias),
        )
    behind = resolution if file is None else asked
    page = site.error_pages.for_host(site.host_of(asked)).get(shown.status or 0)
    return replace(
        shown,
        alias=shown.alias if file is None else None,
        access=tuple(_sections(resolution, behind, site)),
        demands=tuple(_demands(resolution, behind, site)),
        plain_http=plain,
        file_first=None if file is None else site.names_of_files[file.number],
        missing_files=tuple(
            MissingFile(site.names_of_files[each.number], _absolute(each.filename, site.rules))
            for each in tried
            if not each.is_there
        ),
        error_page=None if page is None else page.value,
    )


def _shown(resolution: Resolution, site: PreviewSite, *, is_rewritten: bool) -> Preview:
    """What a resolution tells by itself."""
    match = resolution.match
    resolution, url = _foretold(resolution, site)
    load_error = _load_error(resolution, site)
    return Preview(
        target=resolution.target,
        uri=resolution.uri,
        status=_status(resolution, site.has_fallback),
        matched=match is not None,
        alias=match.position if match else None,
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
        view=_view(resolution, site, is_rewritten=is_rewritten),
        urlconf_status=None,
        load_error=load_error,
        request=site.request,
        warnings=tuple(_warnings(resolution, load_error, is_rewritten=is_rewritten)),
    )


def _sections(resolution: Resolution, behind: Resolution, site: PreviewSite) -> Iterator[str]:
    if site.sections is None or resolution.uri is None:
        return
    for alias, rules in _own_rules(resolution, behind):
        yield f"{alias.directive} {alias.location}: {'; '.join(rules.lines())}"
    for section in site.sections.find(resolution.uri, site.host_of(resolution)):
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
    host = site.host_of(resolution)
    found = (site.sections.rules_for(resolution.uri, host, rules) for rules in own)
    yield from dict.fromkeys(line for rules in found if rules for line in rules.lines())


def _foretold(resolution: Resolution, site: PreviewSite) -> tuple[Resolution, str | None]:
    """What becomes of a request that needs no application: its status, and the URL to go to."""
    match = resolution.match
    if resolution.directory is not None:
        return resolution, directory_location(resolution, site)
    if match is None or not is_direct(match.alias):
        return resolution, None
    status, url = foretell_direct(direct(match), resolution, site)
    return replace(resolution, status=status), url


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
