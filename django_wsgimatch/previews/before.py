"""What becomes of a target before the table is asked: plain HTTP, files, new URLs."""

from __future__ import annotations

import re
from dataclasses import replace

from ..aliases.alias import Alias, Denial, Redirection
from ..aliases.quoting import directive_line
from ..aliases.redirecting import escaped, redirect_status
from ..aliases.resolve import Resolution, reason_of, resolve_uri
from ..aliases.table import Match
from ..aliases.uri import Target
from ..answers.direct import Direct, foretell
from ..answers.first_files import TriedFile
from ..answers.plain_http import own_host_url
from ..answers.proxies.mount import script_name_below
from ..answers.rewriting.rewrites import NewUrl
from .values import PlainAnswer, Preview, PreviewSite

_SCHEME = re.compile("(https?):", re.IGNORECASE)


def resolved_target(
    asked: Resolution, file: TriedFile | None, rewritten: NewUrl | None, site: PreviewSite
) -> Resolution:
    """Return what becomes of a target with a file, or a new URL, that comes before the table."""
    if file is not None:
        return _of_file(asked, file.match)
    return asked if rewritten is None else _resolved_anew(asked, rewritten, site)


def plain_answer(resolution: Resolution, site: PreviewSite) -> PlainAnswer | None:
    """Return what answers over plain HTTP, None where that is not asked for or nothing does."""
    named, scheme = site.plain_http, _scheme(resolution.target, site)
    if named is None or resolution.uri is None or scheme == "https":
        return None
    match = named.table.match(resolution.uri)
    if match is None or resolution.uri in site.own_pages:
        return None
    answer, url = match.alias.answer, None
    status: int = answer.status if isinstance(answer, Denial) else 403
    if isinstance(answer, Redirection):
        server = replace(site.server, host=site.host_of(resolution))
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


def answered_before(resolution: Resolution, plain: PlainAnswer, site: PreviewSite) -> Preview:
    """Return what becomes of a target that is answered before the table is asked."""
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


def tried_before(resolution: Resolution, site: PreviewSite) -> list[TriedFile]:
    """Return the files that come before the table, up to the one that answers."""
    if site.files is None or resolution.uri is None:
        return []
    return [*site.files.tries(resolution.uri, site.host_of(resolution))]


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


def rewritten_target(asked: Resolution, site: PreviewSite) -> NewUrl | None:
    """Return what an entry makes of the uri, None where no entry takes it."""
    if asked.uri is None or site.rewrites is None:
        return None
    environ = {"REQUEST_METHOD": "GET", **site.environ}
    rewrites = site.rewrites.for_host(site.host_of(asked))
    return rewrites.apply(asked.uri, asked.query_string or "", environ)


def _resolved_anew(asked: Resolution, rewritten: NewUrl, site: PreviewSite) -> Resolution:
    """Resolve the uri that an entry has made; the target stays, as it names the host."""
    if rewritten.status is not None:
        refused = Resolution(asked.target, rewritten.uri, rewritten.query, rewritten.status)
        status = redirect_status(rewritten.status, rewritten.location)
        return replace(refused, status=status, reason=rewritten.reason)
    uri = Target(rewritten.uri, rewritten.query)
    server = replace(site.server, host=site.host_of(asked))
    found = resolve_uri(site.table, uri, rules=site.rules, server=server)
    return replace(found, target=asked.target)


def rewriting_location(rewritten: NewUrl, asked: Resolution, site: PreviewSite) -> str | None:
    """Return where an entry that rewrites sends clients itself, None where it does not."""
    if not rewritten.location:
        return None
    assert rewritten.status is not None
    answer = _sent_to(rewritten.location, rewritten.status)
    found = Resolution(asked.target, query_string=asked.query_string)
    return foretell_direct(answer, found, site)[1]


def directory_location(resolution: Resolution, site: PreviewSite) -> str | None:
    """Return where the URL of a directory without a slash is redirected to."""
    answer = _sent_to(escaped(resolution.directory or ""), 301)
    return foretell_direct(answer, resolution, site)[1]


def _sent_to(location: str, status: int) -> Direct:
    alias = Alias("", "", answer=Redirection(location, status))
    return Direct(alias, "", location)


def foretell_direct(
    answer: Direct, resolution: Resolution, site: PreviewSite
) -> tuple[int, str | None]:
    """Return the status of what needs no application, and the URL to go to, None for none."""
    environ = dict(site.environ)
    return foretell(
        answer,
        site.rules,
        replace(site.server, host=site.host_of(resolution)),
        resolution.query_string or "",
        scheme=environ.get("wsgi.url_scheme", "http"),
        mount_point=script_name_below(environ, ""),
    )
