"""
What <Directory> and <Files> sections say of scripts, said of the URLs that are passed on.

Apache compares those sections with files, and a request that is passed on has none. <Proxy>
sections hold for it instead, at the same place in Apache's order: after the server, before
<Location>.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...aliases.alias import Alias
from ...apache.access.access_files import AccessFiles
from ...apache.covering.access import CONTAINERS, LIMITS, RULES, UNREAD, closing_rules
from ...apache.covering.coverage import CONDITIONS, DIRECTORIES, FILES, LOCATIONS, SCOPES
from ...apache.covering.hosts import REWRITING, Host, Rank, rank_of
from ...apache.lines.directive import Directive, Section
from ...apache.resolving.mounts import WSGI
from ...apache.rewriting.barring import TAKING_ALL
from .lines.path_rules import (
    ComparedPath,
    asks_for_path,
    has_odd_urls,
    names_file,
    refuses_only,
    subject_of,
    told_lines,
)
from .lines.quoting import as_one_line, in_quotes
from .remains import remains_of

# These say how a file is found, listed or sent; a request that is passed on has none.
_OF_FILES = (
    *("options", "allowoverride", "allowoverridelist", "sethandler", "addhandler", "action"),
    *("removehandler", "removetype", "forcetype", "addtype", "addcharset", "addencoding"),
    *("addlanguage", "languagepriority", "forcelanguagepriority", "defaulttype", "typesconfig"),
    *("directoryindex", "directoryslash", "directoryindexredirect", "fallbackresource"),
    *("indexoptions", "indexignore", "indexorderdefault", "indexstylesheet", "addicon"),
    *("addiconbytype", "addiconbyencoding", "defaulticon", "headername", "readmename"),
    *(
        "contentdigest",
        "enablesendfile",
        "enablemmap",
        "fileetag",
        "acceptpathinfo",
        "checkspelling",
    ),
    *("xbithack", "cgimapextension", "scriptinterpretersource", "dav"),
)
_AROUND = ("virtualhost", *SCOPES, *CONTAINERS, *LIMITS)
_COMPAT = ("order", "allow", "deny", "satisfy")
_MERGING = ("authmerging", "satisfy")
ANSWERING = ("rewriterule", "redirect", "redirectmatch", "redirectpermanent", "redirecttemp")
_LOGIN = ("authtype", "authname", "authuserfile", "authgroupfile", "authbasicprovider")
_ACCESS = (*RULES, *_LOGIN)
# Beside sections that let everybody in these only keep more people out.
_KEEPING_OUT = (*("require", "order", "allow", "deny", "allowmethods"), *_LOGIN)
# What a later rule takes the place of; a method or a connection that is refused stays so.
_REPLACED = ("require", "authmerging", "order", "allow", "deny", "satisfy")


@dataclass(slots=True, eq=False)
class FileSection:
    """
    A <Directory> or <Files> section, with those inside it that are of one kind.

    ``rank`` is its place in Apache's order; ``is_virtual`` says that it stands in a virtual host.
    ``directives`` are what it says, ``unread`` an AllowOverride whose files nobody can read;
    ``is_broken`` says that Apache refuses such a file, and answers 500.
    ``is_switching`` says that its switches of mod_rewrite count, as some section has rules;
    ``told`` are the lines for some directives, by their identity. With ``has_odd_urls`` a URL may
    have two slashes in a row, or dots.
    """

    sections: tuple[Section, ...]
    rank: Rank
    is_virtual: bool
    directives: list[Directive] = field(default_factory=list)
    unread: list[Directive] = field(default_factory=list)
    is_broken: bool = False
    is_switching: bool = False
    has_odd_urls: bool = False
    told: Mapping[int, Sequence[str]] = field(default_factory=dict)
    _told_for: dict[ComparedPath, FileSection | None] = field(default_factory=dict)

    @property
    def place(self) -> tuple[Rank, bool]:
        """Its place among all sections."""
        return self.rank, self.is_virtual

    @property
    def compared(self) -> tuple[Section, ...]:
        """The sections that files are compared with, without conditions."""
        return tuple(each for each in self.sections if each.key not in CONDITIONS)

    @property
    def carried(self) -> list[Directive]:
        """What holds for a request that is passed on, too."""
        is_rewriting = self.is_switching or self.is_rewriting
        left_out = _OF_FILES if is_rewriting else (*_OF_FILES, *REWRITING, "rewritebase")
        return [d for d in self.directives if d.key not in left_out]

    @property
    def handler(self) -> str:
        """The handler that it gives to all files, in lower case; "none" takes one away."""
        words = [" ".join(d.words).lower() for d in self.directives if d.key == "sethandler"]
        return words[-1] if words else ""

    @property
    def access(self) -> list[Directive]:
        """The access rules."""
        return [*(d for d in self.directives if d.key in RULES), *self.unread]

    @property
    def answering(self) -> list[Directive]:
        """The rules by which Apache answers requests itself, or rewrites them."""
        return [d for d in self.directives if d.key in ANSWERING]

    @property
    def is_switching_rules(self) -> bool:
        """Whether it may have rules of mod_rewrite hold that stand in other sections."""
        return any(d.key in ("rewriteengine", "rewriteoptions") for d in self.directives)

    @property
    def is_rewriting(self) -> bool:
        """Whether it has rules of mod_rewrite."""
        return any(d.key == "rewriterule" for d in self.directives)

    @property
    def tells_of_access(self) -> bool:
        """Whether it says something of who is let in, or of how one logs in."""
        return bool(self.access) or any(d.key in _ACCESS for d in self.carried)

    @property
    def is_replaced(self) -> bool:
        """Whether a <Location> behind it may replace all that it says of who is let in."""
        return not self.unread and all(d.key in _REPLACED for d in self.access)

    @property
    def has_more(self) -> bool:
        """Whether it says anything else than whom it lets in by a word."""
        return any(d.key not in _ACCESS or d.key in _MERGING for d in self.carried)

    @property
    def is_movable(self) -> bool:
        """Whether its rules say the same of a URL: those of mod_rewrite compare with a path."""
        texts = [each.rest for each in self.carried]
        if (
            not self._is_plain
            or any(map(names_file, texts))
            or any(map(asks_for_path, self.carried))
        ):
            return False
        rules = [d.words for d in self.directives if d.key == "rewriterule"]
        return all(words[:1] and words[0] in TAKING_ALL for words in rules)

    @property
    def _is_plain(self) -> bool:
        """Whether it holds for requests, and hands no rules of other sections on."""
        if self.unread or any(d.key == "rewriteoptions" for d in self.carried):
            return False
        conditions = [each for each in self.sections if each.key in CONDITIONS]
        return not any(e.key in ("elseif", "else") or names_file(e.argument) for e in conditions)

    def told_for(self, alias: Alias) -> FileSection | None:
        """Return it with rules that say of the URLs of an entry what these say of paths."""
        others = (d for d in self.carried if d.key not in REWRITING)
        subject = subject_of(alias, self.sections[-1]) if self._is_plain else None
        if subject is None or any(names_file(each.rest) for each in others):
            return None
        if subject not in self._told_for:
            lines = told_lines(self.directives, subject, has_odd_urls=self.has_odd_urls)
            section = None if lines is None else replace(self, told=lines)
            self._told_for[subject] = section
        return self._told_for[subject]

    @property
    def is_choosing(self) -> bool:
        """Whether it says how rules are put together, other than that all must let one in."""
        return any(d.key in _MERGING for d in self.directives)

    def repeats(self, sections: Sequence[FileSection]) -> bool:
        """Whether it asks for just what those of some sections before it ask for that do last."""
        before = [each for each in sections if each.place <= self.place]
        logins = {d.key: d.words for each in before for d in each.directives if d.key in _LOGIN}
        if self.unread or any(d.key not in ("require", *_LOGIN) for d in self.carried):
            return False
        if any(logins.get(d.key) != d.words for d in self.directives if d.key in _LOGIN):
            return False
        asking = [each.required for each in before if each.requirements]
        is_flat = len(self.compared) == len(self.sections)
        return not self.access or (is_flat and asking[-1:] == [self.required] != [()])

    @property
    def required(self) -> tuple[str, ...]:
        """What each Require of it asks for, () where they are put together in other ways."""
        rules = self.requirements
        is_flat = all(d.key == "require" and d.sections[-1] == self.sections[-1] for d in rules)
        return tuple(sorted(" ".join(d.words).lower() for d in rules)) if is_flat else ()

    @property
    def requirements(self) -> list[Directive]:
        """What it says to mod_authz_core."""
        return [d for d in self.directives if d.key in ("require", "authmerging")]

    @property
    def login(self) -> frozenset[str]:
        """The directives by which it says how one logs in."""
        return login_of(self.directives)

    @property
    def asks_for_users(self) -> bool:
        """Whether one must log in."""
        return _asks_for_users(self.directives)

    @property
    def access_alone(self) -> FileSection | None:
        """Itself where it has access rules alone, and each keeps somebody out or lets all in."""
        is_plain = len(self.compared) == len(self.sections) and not self.unread
        if not is_plain or any(names_file(each.rest) for each in self.carried):
            return None
        return self if all(each.key in _KEEPING_OUT for each in self.carried) else None

    @property
    def refusing(self) -> FileSection | None:
        """Its rules of mod_rewrite alone, where each refuses and they are switched on in it."""
        switches = [d.words for d in self.directives if d.key == "rewriteengine"]
        is_on = bool(switches) and [each.lower() for each in switches[-1]] == ["on"]
        is_whole = len(self.compared) == len(self.sections)
        others = any(d.key in ANSWERING and d.key != "rewriterule" for d in self.directives)
        if others or not (is_on and is_whole and refuses_only(self.directives)):
            return None
        return replace(self, directives=[d for d in self.directives if d.key in REWRITING])

    def __str__(self) -> str:
        titles = (f"<{each.name} {each.argument}>".replace(" >", ">") for each in self.sections)
        return f"{' '.join(titles)} of {self.sections[0].spot}"


def file_sections(
    directives: Sequence[Directive], host: Host, files: AccessFiles
) -> list[FileSection]:
    """
    Return the sections about files that hold in a virtual host, or in the main server.

    They come in Apache's order; two of one kind in the order of the file, the main server's first.
    ``files`` tell of the .htaccess files that nobody can read.
    """
    found: dict[tuple[Section, ...], FileSection] = {}
    for directive in directives:
        around = directive.sections
        if any(each.key not in _AROUND for each in around) or directive.key in UNREAD:
            continue
        scoped = tuple(each for each in around if each.key in SCOPES)
        is_virtual = directive.host is not None
        if not scoped or scoped[0].key not in (*DIRECTORIES, *FILES) or _goes(directive):
            continue
        if is_virtual and directive.host != host.section:
            continue
        if is_virtual or scoped[0] not in host.passed_over:
            section = found.setdefault(scoped, FileSection(scoped, rank_of(scoped), is_virtual))
            section.directives.append(directive)
    for outer, folder, allowed_by in files.unread:
        if outer in (None, host.section):
            closed = found.setdefault((folder,), FileSection((folder,), rank_of((folder,)), True))
            closed.unread.append(allowed_by)
            closed.is_broken = folder in files.broken
    has_rules = any(each.is_rewriting for each in found.values())
    has_odd = has_rules and has_odd_urls(directives)
    for section in found.values():
        section.is_switching = has_rules and section.is_switching_rules
        section.has_odd_urls = has_odd
    return sorted(found.values(), key=lambda each: each.place)


def _goes(directive: Directive) -> bool:
    """Whether a directive is mod_wsgi's and leaves nothing that would have to be closed."""
    remains = remains_of(directive, WSGI)
    return remains is not None and remains.kind != "refused" and directive.key != "sethandler"


@dataclass(frozen=True, slots=True)
class Asking:
    """
    What sections about URLs leave to what stands before them.

    ``without_rule`` says that one lets a rule decide, too: "nobody has said anything" is something
    else there than "everybody is let in". ``logins`` are, for each that asks for users, the
    directives by which it says how one logs in; the others come from elsewhere.
    ``without_satisfy`` says that one has rules of mod_access_compat, which take the place of all,
    ``without_require`` that one has a Require, which takes the place of those before it.
    """

    without_rule: bool
    logins: tuple[frozenset[str], ...]
    without_satisfy: bool
    without_require: bool


def asking_of(directives: Iterable[Directive], host: Host) -> Asking:
    """Return what the sections about URLs of a host leave to others."""
    found: dict[tuple[Section, ...], list[Directive]] = {}
    for each in directives:
        scoped = tuple(s for s in each.sections if s.key in SCOPES)
        is_of_urls = bool(scoped) and scoped[0].key not in (*DIRECTORIES, *FILES)
        if is_of_urls and each.host in (None, host.section):
            found.setdefault(scoped, []).append(each)
    keys = [
        {each.key for each in group}
        for scoped, group in found.items()
        if any(s.key in LOCATIONS for s in scoped)
    ]
    without_rule = any(
        "authmerging" in each or (each & {"authtype", "satisfy"} and "require" not in each)
        for each in keys
    )
    logins = tuple(login_of(group) for group in found.values() if _asks_for_users(group))
    is_replacing = any(d.key in _COMPAT for group in found.values() for d in group)
    return Asking(without_rule, logins, is_replacing, any("require" in each for each in keys))


def login_of(directives: Iterable[Directive]) -> frozenset[str]:
    """Return the names of those directives that say how one logs in."""
    return frozenset(each.key for each in directives if each.key in _LOGIN)


def _asks_for_users(group: Iterable[Directive]) -> bool:
    asked = [[each.lower() for each in d.words] for d in group if d.key == "require"]
    return any(not {*words[words[:1] == ["not"] :][:1]} <= _WITHOUT_USERS for words in asked)


# Of all other requirements one must know who asks.
_WITHOUT_USERS = {"all", "ip", "host", "local", "method", "env"}


def to_be_said(
    sections: Sequence[FileSection], *, is_tls: bool, has_askers: bool
) -> list[FileSection]:
    """
    Return those of some sections that hold together that must be said of URLs.

    Where everybody is let in, nothing is: that is what holds without a section. ``has_askers``
    says that some place lets a rule before it decide.
    """
    layers = [each.access for each in sections]
    is_open = not closing_rules(layers, is_tls=is_tls) and not any(map(_is_conditional, sections))
    asking = (d for each in sections if each.has_more for d in each.carried)
    is_open = is_open and not has_askers and not any(d.key == "authtype" for d in asking)
    if not is_open:
        # One section may say who is let in, and another one how one logs in.
        return [each for each in sections if each.has_more or each.tells_of_access]
    if not any(d.key in _MERGING for layer in layers for d in layer):
        return [each for each in sections if each.has_more]
    return [each for each in sections if each.has_more or each.access]


def _is_conditional(section: FileSection) -> bool:
    return bool(section.access) and len(section.compared) < len(section.sections)


def copied_lines(section: FileSection, conditions: Mapping[int, Sequence[str]]) -> Iterator[str]:
    """
    Yield what a section says of a request that is passed on.

    ``conditions`` are the <IfModule> and the like around each directive, by its identity.
    """
    opened: list[Section] = [each for each in section.sections if each.key in CONDITIONS]
    yield from (f"{'    ' * depth}{_opening(each)}" for depth, each in enumerate(opened))
    outer = len(opened)
    for directive in section.carried:
        inner = [each for each in directive.sections if each.key in (*CONTAINERS, *LIMITS)]
        while opened[outer:] != inner[: len(opened) - outer]:
            closed = opened.pop()
            yield f"{'    ' * len(opened)}</{closed.name}>"
        for each in inner[len(opened) - outer :]:
            yield f"{'    ' * len(opened)}{_opening(each)}"
            opened.append(each)
        own = section.told.get(id(directive)) or _plain_lines(directive)
        yield from _within(own, conditions.get(id(directive), ()), len(opened))
    while opened:
        closed = opened.pop()
        yield f"{'    ' * len(opened)}</{closed.name}>"


def _plain_lines(directive: Directive) -> Sequence[str]:
    remains = remains_of(directive, WSGI)
    if remains is None:
        return [as_one_line(directive)]
    # In a container the line itself refuses; what stands before that does so once more.
    return remains.lines


def _within(lines: Iterable[str], conditions: Sequence[str], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for each in (*conditions, *lines):
        yield f"{indent}{each}"
    for each in reversed(conditions):
        yield f"{indent}</{each[1:].split(maxsplit=1)[0].rstrip('>')}>"


def _opening(section: Section) -> str:
    return f"<{section.name} {section.argument}>" if section.argument else f"<{section.name}>"


def proxy_section(pattern: str | None, base: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield a section for what is passed to a backend: for all of it without a pattern."""
    if pattern is None:
        yield f"<Proxy {in_quotes(f'{base}/*')}>"
    else:
        yield f"<ProxyMatch {in_quotes(pattern)}>"
    yield from (f"    {each}" for each in lines)
    yield "</Proxy>" if pattern is None else "</ProxyMatch>"
