"""uWSGI's configuration in, settings and a report out."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..aliases.alias import Alias
from ..apache.importing import Imported
from ..apache.lines.directive import Spot
from ..apache.lines.limits import Volume
from ..apache.writing.setting import Setting
from ..apache.writing.settings import Written
from ..others.draft import Draft, path_within, written
from .answers import answer_of
from .apps import UwsgiApp, UwsgiApps, read_apps
from .around import AroundAnswers, read_around
from .emperor import is_emperor, vassal_files, vassals_of
from .groups import add_group
from .options import UwsgiInstance, UwsgiOption
from .reading import read_instance
from .routes import is_route, route_entries
from .static_maps import static_entries

_NO_CHDIR = (
    "no chdir says where uWSGI is started: home and python_path of the process group have the "
    "folder of the file. Check them"
)
_UNKNOWN_URLS = (
    "the entry is at {0}: which URLs the server in front sends to this uWSGI does not stand here. "
    "Write them in place of it"
)
_TAKEN = (
    "{0} has the same URLs in another uWSGI, and its entry comes first: the server in front tells "
    "them apart. Write virtual hosts, or another location"
)
_UNRESOLVED = "{0} has no value here: give it one with --define NAME=VALUE, or write the value"
_TOUCHED = (
    "touching a script has it loaded anew, and `manage.py wsgimatch restart {0}` renews the "
    "processes of the group. No other file does"
)
_DECODED = "uWSGI takes %2F for a slash."
_MERGED = "uWSGI compares // as it is; a server in front of it has often made one of them."
# Domains, which a router asks for by their names.
_DOMAIN = re.compile(r"[A-Za-z0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*")


@dataclass(slots=True)
class _Sheet:
    """The entries of a host, by what uWSGI asks first."""

    routes: list[Written] = field(default_factory=list)
    files: list[Written] = field(default_factory=list)
    mounts: list[Written] = field(default_factory=list)
    rest: list[Written] = field(default_factory=list)

    def entries(self) -> list[Written]:
        longest_first = sorted(self.mounts, key=lambda e: len(e.alias.location), reverse=True)
        return [*self.routes, *self.files, *longest_first, *self.rest]


@dataclass(frozen=True, slots=True)
class _Run:
    """An instance with its applications, and the directory that it runs in."""

    instance: UwsgiInstance
    apps: UwsgiApps
    base: str
    domains: tuple[str, ...]
    around: AroundAnswers


def import_uwsgi(paths: Sequence[str], environ: Mapping[str, str]) -> Imported:
    """
    Return the settings for uWSGI's files, and what becomes of each option.

    A path is a file, which may end in ``:section``, or a folder as an emperor has it. ``environ``
    has the values for ``$(NAME)``. Nothing is raised: what cannot be read is a refusal.
    """
    draft = Draft()
    runs = [_run(draft, each) for each in _instances(draft, paths, environ)]
    _write(draft, runs)
    for run in runs:
        _note_others(draft, run.instance)
    return draft.imported()


def _instances(
    draft: Draft, paths: Sequence[str], environ: Mapping[str, str]
) -> Iterator[UwsgiInstance]:
    volume = Volume()
    for path in paths:
        files = [path]
        if os.path.isdir(path) and not (files := vassal_files(path)):
            draft.refuse(Spot(path, 1), "", f"{path} has no file of uWSGI", "name another folder")
        for file in files:
            instance = read_instance(file, environ, volume)
            yield instance
            if is_emperor(instance):
                yield from vassals_of(draft, instance, environ, volume)


def _run(draft: Draft, instance: UwsgiInstance) -> _Run:
    draft.options += (each.line for each in instance.options)
    draft.refusals += instance.refusals
    folder = os.path.dirname(os.path.abspath(instance.file))
    chdir = instance.last("chdir")
    base = folder if chdir is None else path_within(folder, chdir.value)
    apps = read_apps(draft, instance, base)
    if chdir is None:
        for each in apps.loaded:
            if not each.target.startswith("/") or not each.option.value.endswith(each.target):
                draft.note(each.option.line, "needs you", _NO_CHDIR)
    around = read_around(draft, instance)
    return _Run(instance, apps, base, tuple(_domains(draft, instance)), around)


def _domains(draft: Draft, instance: UwsgiInstance) -> Iterator[str]:
    """Yield the domains for which an instance asks a router for requests."""
    for each in (*instance.all("subscribe"), *instance.all("subscribe2")):
        fields = dict(pair.partition("=")[::2] for pair in each.value.split(","))
        domain = fields.get("key") or each.value.rpartition(":")[2]
        if _DOMAIN.fullmatch(domain):
            draft.note(each.line, "kept", f"the virtual host {domain}")
            yield domain
        else:
            reason = "it names no domain: write a virtual host or an entry for what it asks for"
            draft.note(each.line, "needs you", reason)


def _write(draft: Draft, runs: Sequence[_Run]) -> None:
    used = [run for run in runs if run.apps.loaded]
    rooted = Counter(run.domains for run in used if run.apps.is_rooted)
    sheets: defaultdict[str, _Sheet] = defaultdict(_Sheet)
    has_hosts = any(run.domains for run in used)
    for run in used:
        group = add_group(draft, run.instance, run.base)
        root = None if len(used) > 1 and not run.apps.is_rooted else ""
        if run.apps.is_rooted and rooted[run.domains] > 1:
            root = f"/{group}"
            draft.note(_first(run).line, "needs you", _UNKNOWN_URLS.format(root))
        for domain in run.domains or ("",):
            _fill(draft, sheets[domain], run, group, root, has_hosts=has_hosts)
        for each in run.instance.all("touch-reload"):
            draft.note(each.line, "changed", _TOUCHED.format(group))
    own = sheets.pop("", _Sheet())
    draft.entries += own.entries()
    draft.hosts.update({domain: sheet.entries() for domain, sheet in sheets.items()})
    if used:
        draft.others.append(Setting("WSGIMATCH_ALLOW_ENCODED_SLASHES", True, _DECODED))
        draft.others.append(Setting("WSGIMATCH_MERGE_SLASHES", False, _MERGED))


def _first(run: _Run) -> UwsgiOption:
    return run.apps.loaded[0].option


def _fill(
    draft: Draft, sheet: _Sheet, run: _Run, group: str, root: str | None, *, has_hosts: bool
) -> None:
    """Add the entries of an instance; ``root`` is where its default is, None for nowhere."""
    apps = run.apps
    default = None if root is None else apps.default
    mounts = [each.location for each in apps.mounted]
    if root:
        mounts.append(root)
    has_root = default is not None and not root
    sheet.routes += route_entries(draft, run.instance, mounts, has_root=has_root)
    roots = [*([] if default is None else [root or ""]), *(each.location for each in apps.mounted)]
    files = static_entries(draft, run.instance, run.base, roots, run.around, has_hosts=has_hosts)
    sheet.files += files.of_table
    draft.first += files.first
    for each in apps.mounted:
        taken = next((e for e in sheet.mounts if e.alias.location == each.location), None)
        if taken is not None:
            draft.note(each.option.line, "needs you", _TAKEN.format(taken.spots[0]))
        sheet.mounts.append(_entry(each, each.location, group, run.around))
    if default is not None:
        sheet.rest.append(_entry(default, root or "/", group, run.around))


def _entry(app: UwsgiApp, location: str, group: str, around: AroundAnswers) -> Written:
    alias = Alias(
        location,
        app.target,
        process_group=group,
        application_group=app.location if app.has_interpreter else None,
        callable_object=app.name,
        extras=around.of_scripts,
        is_module=not app.target.startswith("/"),
    )
    return written(alias, [app.option.line])


def _note_others(draft: Draft, instance: UwsgiInstance) -> None:
    """Say what becomes of the options that no other part has spoken of."""
    for each in instance.options:
        if each.line.is_off:
            continue
        if each.unresolved:
            draft.note(each.line, "needs you", _UNRESOLVED.format(", ".join(each.unresolved)))
        if draft.ledger.outcome(each.line) is not None or is_route(each.key):
            continue
        if each.key in ("ini", "include", "config", "xml", "json", "js", "inherit"):
            draft.note(each.line, "kept", "the options of the file")
        elif each.key in ("plugin", "plugins"):
            _note_plugins(draft, each)
        elif (answer := answer_of(each.key)) is not None:
            draft.note(each.line, answer.category, answer.note)
        elif each.line.name in instance.used:
            draft.note(each.line, "not needed", "a name for a value, which has been filled in")


def _note_plugins(draft: Draft, option: UwsgiOption) -> None:
    names = [name for name in re.split(r"[,\s]+", option.value) if name]
    others = [name for name in names if not _is_plain_plugin(name)]
    if others:
        reason = f"no WSGI application runs by {', '.join(others)} here: see what it was for"
        draft.note(option.line, "needs you", reason)
    else:
        draft.note(option.line, "not needed", "python_home of a process group names its Python")


def _is_plain_plugin(name: str) -> bool:
    known = ("python", "http", "logfile", "syslog", "router_", "corerouter", "cheaper_")
    return os.path.basename(name).startswith(known)
