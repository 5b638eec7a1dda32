"""What a preview tells, and what it is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..aliases.access.sections import SectionIndex
from ..aliases.groups import Server
from ..aliases.resolve import Resolution, Rules
from ..aliases.table import AliasTable
from ..aliases.uri import authority_of
from ..answers.first_files import TriedFiles
from ..answers.proxies.sample import SampleRequest
from ..answers.rewriting.rewrites import RewritesByHost
from ..configured import NamedTable
from ..entry_options.error_pages import PagesByHost


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
    error_pages: PagesByHost = field(default_factory=lambda: PagesByHost({}))

    def host_of(self, resolution: Resolution) -> str:
        """Return the host that a target is asked of."""
        return authority_of(resolution.target) or self.server.host
