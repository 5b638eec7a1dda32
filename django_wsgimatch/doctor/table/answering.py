"""What redirects and entries with files make of URLs: slashes, and redirects without an end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from ...aliases.alias import Redirection
from ...aliases.file_options import FileOptions
from ...aliases.table import AliasTable, Match
from ...aliases.uri import parse_target
from ...exceptions import BadTarget
from ...text import quoted
from ..findings.finding import Findings, Subject, listed
from ..uris.hidden_aliases import example_uris

# Browsers give up after twenty redirects.
_MOST_REDIRECTS = 20
_MOST_EXAMPLES = 4
_OVER_PLAIN_HTTP = "WSGIMATCH_PLAIN_HTTP"
_NAMED_HOST = re.compile(r"[a-z]+://%\{(?:HTTP_HOST|SERVER_NAME)\}", re.IGNORECASE)
# What an entry for plain HTTP names so is asked over plain HTTP again.
_OWN_SITE = re.compile(r"\Ahttp://(?:%\{|%25%7b)(?:HTTP_HOST|SERVER_NAME)(?:\}|%7d)(?=/)")


def answering_findings(subject: Subject) -> Findings:
    """Yield what is wrong with the URLs or files that an entry without an application names."""
    answer = subject.alias.answer
    if isinstance(answer, Redirection | FileOptions) and subject.alias.kind == "plain":
        yield from _lost_slash(subject)
    if isinstance(answer, Redirection) and answer.url:
        yield from _doubled_slash(subject, answer.url)
        yield from _circle(subject)
        yield from _unknown_host(subject, answer.url)


def _unknown_host(subject: Subject, url: str) -> Findings:
    if _NAMED_HOST.match(url) and not subject.where.startswith(_OVER_PLAIN_HTTP):
        yield subject.finding(
            "W078",
            f"the URL {quoted(url)} names its host as only {_OVER_PLAIN_HTTP} does: here it is "
            "text, as in Redirect of Apache, and clients are sent to a host of that name.",
            f"Move the entry to {_OVER_PLAIN_HTTP} if it is to redirect from plain HTTP. Or begin "
            "the URL with a slash: it stays on the host that was asked.",
        )


def _lost_slash(subject: Subject) -> Findings:
    location, target = subject.alias.location, subject.alias.template
    ends = not target or target.endswith("/") or "?" in target or "#" in target
    if ends or not location.endswith("/"):
        return
    uri = f"{location}x"
    match = subject.match(uri)
    if match is None:
        return
    is_file = subject.alias.target != ""
    what = f"the file {quoted(match.filename)}" if is_file else f"the URL {quoted(match.url)}"
    yield subject.finding(
        "W008",
        f"the location {quoted(location)} ends in a slash, the "
        f"{'path' if is_file else 'URL'} {quoted(target)} does not: {quoted(uri)} becomes {what}.",
        "End both in a slash or neither.",
    )


def _doubled_slash(subject: Subject, url: str) -> Findings:
    location = subject.alias.location
    # The URL of a page with an extension never goes on.
    is_page = "." in location[location.rfind("/") :]
    uri = f"{location}/"
    match = subject.match(uri) if subject.alias.kind == "plain" and not is_page else None
    if match is not None and url.endswith("/") and not location.endswith("/"):
        yield subject.finding(
            "W091",
            f"the URL {quoted(url)} ends in a slash, the location {quoted(location)} does not: "
            f"{quoted(uri)} becomes {quoted(match.url)}.",
            "End both in a slash or neither.",
        )


def _circle(subject: Subject) -> Findings:
    for uri in _examples(subject):
        urls = list(islice(_followed(subject.table, uri), _MOST_REDIRECTS + 1))
        if len(urls) > _MOST_REDIRECTS:
            begin = [*map(quoted, urls[:2])]
            yield subject.finding(
                "W090",
                f"{quoted(uri)} is redirected to {listed(begin)}, and so on: no page is ever "
                "reached.",
                "Let the URL lie outside what the entry matches, or write the location so that it "
                "does not match the URL, as in redirect_match('^/old$', '/old/new').",
            )
            return


def _examples(subject: Subject) -> Iterator[str]:
    uris = islice(example_uris(subject.location), _MOST_EXAMPLES)
    yield from (uri for uri in uris if uri.startswith("/"))
    if isinstance(subject.location, str):
        yield f"{subject.location.rstrip('/')}/x"


def _followed(table: AliasTable, uri: str) -> Iterator[str]:
    """Yield where a uri is redirected to, and that again, as long as it stays on this host."""
    match: Match | None = table.match(uri)
    while match is not None and isinstance(match.alias.answer, Redirection):
        url = _OWN_SITE.sub("", match.url)
        if not url.startswith("/") or url.startswith("//"):
            return
        yield url
        try:
            match = table.match(parse_target(url.partition("#")[0]).uri)
        except BadTarget:
            return
