"""Where an entry that redirects sends a request: what mod_alias makes of its URL."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from .alias import Redirection
from .patterns.engine import Found
from .patterns.pattern import Pattern
from .substitution import LONGEST_SUBSTITUTION, fill, make_filling, parse_template

# What ap_os_escape_path() leaves as it is, beside letters and digits.
UNESCAPED = "$-_.+!*'(),:;@&=/~"
# A query is not escaped but for what would end the header, or the URL in it.
_QUERY = "".join(chr(code) for code in range(0x21, 0x7F))


def redirect_url(answer: Redirection, location: str | Pattern, uri: str, found: int | Found) -> str:
    """
    Return the URL that an entry sends a request to, "" where its status has none.

    ``found`` is what matched in the uri: where the location ends, or what the pattern found. The
    URL may have no host yet. Mirrors try_alias_list() of mod_alias.
    """
    if not 300 <= answer.status <= 399:
        return ""
    if isinstance(found, int):
        return answer.url + escaped(uri[found:])
    assert isinstance(location, Pattern)
    url = fill(make_filling(parse_template(answer.url), location.groups), found)
    if len(url) > LONGEST_SUBSTITUTION:
        return ""
    scheme, host, path, query, fragment = urlsplit(url)
    url = escaped(urlunsplit((scheme, host, path, "", "")))
    query = query and "?" + quote(query, safe=_QUERY, encoding="latin-1")
    return url + query + (fragment and "#" + quote(fragment, safe=_QUERY, encoding="latin-1"))


def escaped(path: str) -> str:
    """Return a decoded path as it stands in a URL: ap_escape_uri()."""
    return quote(path, safe=UNESCAPED, encoding="latin-1")


def with_query(url: str, query: str) -> str:
    """Put the query of a request behind a URL that has none of its own."""
    if not query or "?" in url:
        return url
    return f"{url}?{quote(query, safe=_QUERY, encoding='latin-1')}"
