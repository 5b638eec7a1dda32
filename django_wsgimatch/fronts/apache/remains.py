"""
What mod_wsgi's lines leave behind: lines that go, and places that close because they went.

Apache sends a file whose handler it does not know as it is, so that the source of a script could be
read; a rule that mod_wsgi enforced would be enforced by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...apache.covering.access import CONTAINERS, LIMITS
from ...apache.covering.coverage import CONDITIONS
from ...apache.covering.hosts import Rank, rank_of, scope_sections
from ...apache.lines.directive import Directive
from ...apache.resolving.mounts import WSGI
from .lines.quoting import comment, raw_word, raw_words, word

Kind = Literal["exact", "lossy", "refused"]

CLOSED = (
    "Require all denied",
    "<IfModule mod_access_compat.c>",
    "    Order allow,deny",
    "    Deny from all",
    "</IfModule>",
)
# The same, whatever a <Location> says: an <If> comes behind it.
CLOSED_FOR_GOOD = ('<If "true">', *(f"    {each}" for each in CLOSED), "</If>")
# The same of URLs that are passed on, whatever an <If> in a <Location> says: redirects of sections
# are put together, and are looked at last.
SHUT = ("<IfModule mod_alias.c>", "    RedirectMatch 403 ^", "</IfModule>", *CLOSED_FOR_GOOD)
# What Apache answers where it refuses a .htaccess file.
BROKEN = (
    *("<IfModule mod_alias.c>", "    RedirectMatch 500 ^", "</IfModule>"),
    *("<IfModule !mod_alias.c>", *(f"    {each}" for each in CLOSED_FOR_GOOD), "</IfModule>"),
)
# A request that goes to the backend has this handler; all others would get a file.
NOT_PASSED = "%{HANDLER} != 'proxy-server'"
# A handler behind which nobody listens: 503. The name of one that is not loaded sends the file.
_NOBODY = '"proxy:unix:/dev/null|http://mod-wsgi"'
UNSENT = "a script that no entry runs answers 503; its source is not sent"
BY_PROXY = "mod_proxy does it"
_RULES = ("wsgiaccessscript", "wsgiauthuserscript", "wsgiauthgroupscript")
_PROVIDERS = ("authbasicprovider", "authdigestprovider")
_BY_NAME = ("addhandler", "addtype")
_SETTING = ("sethandler", "forcetype")
_HANDLER_FLAG = re.compile(r"(?:H|HANDLER|T|TYPE)=(.*)", re.IGNORECASE)
_MODULE = re.compile(r"(<IfModule\s+!?\s*[\"']?)(?:mod_wsgi\.(?:c|cpp)|wsgi_module)", re.IGNORECASE)
_LOADED = ("proxy", "proxy_http", "headers")


@dataclass(frozen=True, slots=True)
class Remains:
    """
    What takes the place of a line, and what stands before the container that it is in.

    ``kind`` says how much of what the line did is still done.
    """

    kind: Kind
    lines: tuple[str, ...]
    note: str
    before_container: tuple[str, ...] = ()

    @property
    def is_of_files(self) -> bool:
        """Whether it had mod_wsgi run files that Apache would send as they are."""
        return self.note == UNSENT


def handler_names(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the handlers that are mod_wsgi's: its own, and those of WSGIHandlerScript."""
    given = (d.words[0].lower() for d in directives if d.key == "wsgihandlerscript" and d.words)
    return frozenset((*WSGI, *given))


def remains_of(directive: Directive, handlers: Collection[str]) -> Remains | None:
    """Return what becomes of a line that needs mod_wsgi, None for any other."""
    name, words = directive.key, directive.words
    if name in _RULES or (name in _PROVIDERS and "wsgi" in map(str.lower, words)):
        return _closed(directive, (), "mod_wsgi enforced this rule")
    if name == "require" and any(each.lower() == "wsgi-group" for each in words[:2]):
        return _closed(directive, (CLOSED[0],), "mod_wsgi knew these groups")
    if name == "wsgierroroverride":
        is_on = words[:1] and words[0].lower() == "on"
        return Remains("exact", ("ProxyErrorOverride On",) if is_on else (), BY_PROXY)
    if name.startswith("wsgi"):
        return Remains("exact", (), "the project's settings say it")
    if name == "loadmodule" and words[:1] == ["wsgi_module"]:
        return Remains("exact", tuple(_loading(words)), "Apache needs mod_proxy instead")
    if name in _SETTING and words[:1] and words[0].lower() in handlers:
        return Remains("exact", (f"SetHandler {_NOBODY}",), UNSENT)
    if name in _BY_NAME and words[:1] and words[0].lower() in handlers:
        return Remains("exact", (f"AddHandler {_NOBODY} {' '.join(words[1:])}",), UNSENT)
    if name == "rewriterule" and len(words) > 2 and _runs_script(words[2], handlers):
        line = f"RewriteRule {_pattern_of(directive)} - [F]"
        return Remains("refused", (line,), "it handed a file to mod_wsgi: 403")
    return None


def may_replace(other: Directive, handler: Directive, order: Mapping[int, int]) -> bool:
    """
    Whether a directive about handlers comes behind another one, in the same server.

    ``order`` has their places in the configuration, by their identity.
    """
    is_shared = None in (other.host, handler.host) or other.host == handler.host
    return is_shared and _place_of(other, order) > _place_of(handler, order)


def _place_of(directive: Directive, order: Mapping[int, int]) -> tuple[Rank, bool, int]:
    scoped = scope_sections(directive)
    rank = rank_of(scoped) if scoped else (-1, 0, 0)
    return rank, directive.host is not None, order[id(directive)]


def where_something_is(directive: Directive, lines: Sequence[str]) -> Sequence[str]:
    """
    Return lines that give a handler for what is there alone.

    To all else Apache answers 404, as mod_wsgi does. An <If> comes behind all other sections.
    """
    if any(each.key in CONDITIONS for each in directive.sections):
        return lines
    return '<If "-e %{REQUEST_FILENAME}">', *(f"    {each}" for each in lines), "</If>"


def without_mod_wsgi(text: str) -> str:
    """Return an <IfModule> line that asks for what passes requests, not for mod_wsgi."""
    return _MODULE.sub(r"\g<1>mod_proxy_http.c", text)


def _pattern_of(directive: Directive) -> str:
    """Return the pattern of a rule as it stands in a line, one for all where no quotes take it."""
    pattern = raw_words(directive.rest)[0]
    return ".*" if '"' in pattern else raw_word(pattern)


def _runs_script(flags: str, handlers: Collection[str]) -> bool:
    found = map(_HANDLER_FLAG.fullmatch, (each.strip() for each in flags.strip("[]").split(",")))
    return any(each is not None and each[1].lower() in handlers for each in found)


def _closed(directive: Directive, own: tuple[str, ...], why: str) -> Remains:
    note = f"{why}: its URLs answer 403 until you decide"
    lines = tuple(_stanza(directive, note))
    is_inside = any(each.key in (*CONTAINERS, *LIMITS) for each in directive.sections)
    if is_inside:
        return Remains("refused", own, note, lines)
    return Remains("refused", lines, note)


def _stanza(directive: Directive, note: str) -> Iterator[str]:
    yield comment(f"{directive.name} {directive.rest} stood here: {note}.")
    yield from CLOSED_FOR_GOOD


def _loading(words: list[str]) -> Iterator[str]:
    """Yield what loads the modules that are needed, where mod_wsgi lay among Apache's own."""
    folder, slash, file = words[1].rpartition("/") if len(words) > 1 else ("", "", "")
    if file != "mod_wsgi.so":
        return
    for name in _LOADED:
        yield f"<IfModule !mod_{name}.c>"
        yield f"    LoadModule {name}_module {word(f'{folder}{slash}mod_{name}.so')}"
        yield "</IfModule>"
