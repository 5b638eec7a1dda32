"""
Files that Apache does not send as they are: a handler runs them, or answers in their place.

Sent by an entry they would tell their source. They are closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..covering.hosts import Host, Scope, holder_of, rank_of, scope_sections
from ..covering.partial_aliases import literally, look_ahead, without_captures
from ..lines.directive import Directive, Section
from ..reading.sections import section_for
from ..rewriting.barring import mapped_rules

# Which handlers send a file as it is.
SENDING = ("none", "default-handler", "default", "send-as-is", "type-map")
_BY_NAME = ("addhandler", "addtype")
_RUN = "application/x-httpd-"
_CGI = ("scriptalias", "scriptaliasmatch")
_PROXIES = ("proxypass", "proxypassmatch")
# Often run by a module that another file of the server sets up.
OFTEN_RUN = r"\.(?:php\d?|phtml|phps|phar)(?:\.|$)"
_INDEX_OF_PROGRAMS = (".php", ".php5", ".phtml", ".cgi", ".pl", ".py", ".shtml", ".jsp", ".asp")


def find_programs(main: Host, hosts: Iterable[Host], directives: Iterable[Directive]) -> None:
    """Put what may run files to the scopes that it holds for, as programs of them."""
    by_section = {host.section: host for host in (main, *hosts)}
    for directive in directives:
        name, words = directive.key, directive.words
        host = by_section.get(directive.host)
        if host is None or not words:
            continue
        sections = scope_sections(directive)
        if name == "sethandler" or (name == "forcetype" and words[0].startswith(_RUN)):
            holder_of(host, sections).programs.append(directive)
        elif name in _BY_NAME and not sends(words[0]) and (name != "addtype" or _runs(words[0])):
            names = "|".join(literally(each.removeprefix(".")) for each in words[1:])
            ending = section_for("FilesMatch", rf"\.(?i:{names})(?:\.|$)", directive.spot)
            holder_of(host, (*sections, ending)).programs.append(directive)


def find_others(main: Host, hosts: Iterable[Host]) -> None:
    """Put what answers in the place of files, and is no entry, to the scopes that it holds for."""
    for host in (main, *hosts):
        exempt: list[str] = []
        for directive in host.takers:
            section = _taken_section(directive, exempt)
            if section is not None:
                holder_of(host, (*scope_sections(directive), section)).programs.append(directive)
        for rule, section in mapped_rules(main, host):
            scope = holder_of(host, (section,))
            assert isinstance(scope, Scope)
            scope.programs.append(rule.directive)
            scope.is_inherited = False


def _taken_section(directive: Directive, exempt: list[str]) -> Section | None:
    """Return the URLs of a CGI folder or of a proxy; what a proxy leaves out is exempted."""
    name, words = directive.key, directive.words
    if name not in (*_CGI, *_PROXIES) or len(words) < 2:
        return None
    is_match = name.endswith("match")
    end = "" if words[0].endswith("/") else "(?:/|$)"
    if name in _PROXIES and words[1] == "!":
        ahead = without_captures(words[0]) if is_match else f"^{literally(words[0])}{end}"
        exempt += [f"(?!{look_ahead(ahead)[3:]}"] if ahead else []
        return None
    if not is_match and (name in _CGI or not exempt):
        return section_for("Location", words[0], directive.spot)
    pattern = words[0] if is_match else f"^{literally(words[0])}{end}"
    if name in _PROXIES and exempt:
        body = without_captures(pattern)
        pattern = f"^{''.join(exempt)}{look_ahead(body)}" if body else "^/"
    return section_for("LocationMatch", pattern, directive.spot)


def often_run(directive: Directive) -> Scope:
    """Return the scope of files of an entry that a module may run of which nothing is known."""
    section = section_for("FilesMatch", OFTEN_RUN, directive.spot)
    sections = (section,)
    return Scope(sections, rank_of(sections), programs=[directive])


def program_rules(layers: Iterable[Sequence[Directive]]) -> tuple[Directive, ...]:
    """Return what runs files where all these layers hold, none where they are sent."""
    setting: Directive | None = None
    adding: list[Directive] = []
    for directive in (directive for layer in layers for directive in layer):
        if directive.key == "sethandler":
            setting = directive
        else:
            adding.append(directive)
    if setting is None:
        return tuple(adding)
    return () if sends(setting.words[0]) else (setting,)


def sending_rules(layers: Iterable[Sequence[Directive]]) -> tuple[Directive, ...]:
    """Return what has WSGI scripts sent as files where all these layers hold, if anything does."""
    setting = [each for layer in layers for each in layer if each.key == "sethandler"][-1:]
    return tuple(each for each in setting if has_scripts_sent(each))


def has_scripts_sent(directive: Directive) -> bool:
    """Whether a directive takes WSGI scripts from mod_wsgi, to be sent as they are."""
    return directive.key == "sethandler" and directive.words[0].lower() == "default-handler"


def sends(handler: str) -> bool:
    """Whether a handler sends files as they are."""
    return handler.lower() in SENDING


def index_of_files(names: Iterable[str]) -> Iterator[str]:
    """Yield the names of files that may answer for a folder, without those of programs."""
    for name in names:
        is_program = name.lower().endswith(_INDEX_OF_PROGRAMS)
        if name.lower() != "disabled" and not name.startswith("/") and not is_program:
            yield name


def _runs(media_type: str) -> bool:
    return media_type.lower().startswith(_RUN)
