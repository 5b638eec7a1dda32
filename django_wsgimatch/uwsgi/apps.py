"""
The applications of a uWSGI, and the URLs that it sends to each.

Mirrors uwsgi_python_init_apps(), uwsgi_init_all_apps() and uwsgi_parse_vars() of uWSGI 2.0.31:
``module`` comes before ``wsgi-file``, and both before the mounts; whichever is loaded first answers
what no mount does, unless there is ``no-default-app``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..others.draft import Draft, path_within
from .options import UwsgiInstance, UwsgiOption

_NAMES = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*:[A-Za-z_][A-Za-z0-9_]*(?:\(\))?")
_SAME_URLS = "uWSGI skips it: {0} has the same URLs"
_NEVER = (
    "{0} never answers in uWSGI: without manage-script-name it looks at the SCRIPT_NAME of the "
    "server in front, and over HTTP there is none. Write the entry if that was a mistake"
)
_BY_FRONT = (
    "an entry, for all URLs below {0}; uWSGI has no manage-script-name and takes the application "
    "only if the server in front sends SCRIPT_NAME {0}: check that it does"
)


@dataclass(frozen=True, slots=True)
class UwsgiApp:
    """
    An application: where it is mounted, "" for no place, and what it is.

    ``target`` is a file's path, or a module and the name in it; ``name`` is the callable in a file,
    None for ``application``. ``has_interpreter`` says that it has a sub interpreter of its own.
    """

    mount: str
    target: str
    name: str | None
    option: UwsgiOption
    has_interpreter: bool = False

    @property
    def location(self) -> str:
        """The mount without a slash at its end, "" where it is the root."""
        return self.mount.rstrip("/")


@dataclass(frozen=True, slots=True)
class UwsgiApps:
    """
    All applications in the order of loading, and which of them answer URLs.

    ``mounted`` are the longest first, as uWSGI compares them; ``default`` answers all else.
    """

    loaded: tuple[UwsgiApp, ...]
    mounted: tuple[UwsgiApp, ...]
    default: UwsgiApp | None

    @property
    def is_rooted(self) -> bool:
        """Whether the default is there for all URLs, and not as the first mount that there is."""
        return self.default is not None and not self.default.location


def read_apps(draft: Draft, instance: UwsgiInstance, base: str) -> UwsgiApps:
    """Return the applications of an instance whose relative paths begin in ``base``."""
    loaded: list[UwsgiApp] = []
    for each in _all_apps(draft, instance, base):
        earlier = next((other for other in loaded if other.mount == each.mount), None)
        if earlier is None:
            loaded.append(each)
        else:
            other = earlier.option.line
            draft.note(each.option.line, "not needed", _SAME_URLS.format(other.spot))
    default = loaded[0] if loaded and not instance.is_on("no-default-app") else None
    if loaded and not loaded[0].mount:
        # Its mount is what a request without SCRIPT_NAME asks for.
        default = loaded[0]
    others = [each for each in loaded if each.location]
    mounted = _reached(draft, instance, others)
    _note_roots(draft, loaded, default)
    longest_first = sorted(mounted, key=lambda each: len(each.location), reverse=True)
    return UwsgiApps(tuple(loaded), tuple(longest_first), default)


def _all_apps(draft: Draft, instance: UwsgiInstance, base: str) -> Iterator[UwsgiApp]:
    given = instance.last("callable")
    name = None if given is None else given.value
    if (module := instance.last("module")) is not None:
        yield from _module_app(draft, module, name)
    if (file := instance.last("wsgi-file")) is not None:
        yield _file_app("", path_within(base, file.value), name, file)
    for key in ("module", "wsgi-file"):
        for each in instance.all(key):
            if each is not instance.last(key):
                draft.note(each.line, "not needed", "a later line replaces it")
    is_shared = instance.is_on("single-interpreter")
    count = sum(1 for key in ("module", "wsgi-file") if instance.last(key) is not None)
    for each in instance.all("mount"):
        mount, equals, what = each.value.partition("=")
        app = _mounted_app(mount or "/", what, name, each, base) if equals else None
        if app is None:
            draft.note(each.line, "needs you", _unmountable(each.value))
            continue
        yield UwsgiApp(app.mount, app.target, app.name, each, bool(count) and not is_shared)
        count += 1


def _module_app(draft: Draft, option: UwsgiOption, name: str | None) -> Iterator[UwsgiApp]:
    has_name = ":" in option.value
    target = option.value if has_name else f"{option.value}:{name or 'application'}"
    if _NAMES.fullmatch(target):
        yield UwsgiApp("", target, None, option)
    else:
        draft.note(option.line, "needs you", _unmountable(target))


def _mounted_app(
    mount: str, what: str, name: str | None, option: UwsgiOption, base: str
) -> UwsgiApp | None:
    if not mount.startswith("/"):
        return None
    if what.endswith((".py", ".wsgi")):
        return _file_app(mount, path_within(base, what), name, option)
    return UwsgiApp(mount, what, None, option) if _NAMES.fullmatch(what) else None


def _file_app(mount: str, path: str, name: str | None, option: UwsgiOption) -> UwsgiApp:
    return UwsgiApp(mount, path, None if name == "application" else name, option)


def _unmountable(what: str) -> str:
    return (
        f"{what} is neither a file that ends in .py or .wsgi, nor module:name or module:name() "
        "below a path that begins with a slash: write a file that has the application, and an "
        "entry for it"
    )


def _reached(draft: Draft, instance: UwsgiInstance, mounts: list[UwsgiApp]) -> Iterator[UwsgiApp]:
    """Yield the mounts that URLs lead to, and say what becomes of each."""
    managing = instance.last("manage-script-name")
    is_managed = managing is not None and managing.is_on
    if managing is not None:
        note = "an alias always sets SCRIPT_NAME and takes it off PATH_INFO"
        draft.note(managing.line, "kept" if is_managed else "changed", note)
    has_front = instance.last("socket") is not None or instance.owner is not None
    for each in mounts:
        if is_managed and each.mount.endswith("/"):
            reason = "an entry, without the slash at its end, with which uWSGI cuts paths wrong"
            draft.note(each.option.line, "changed", reason)
        elif is_managed:
            draft.note(each.option.line, "kept", "an entry")
        elif has_front:
            draft.note(each.option.line, "needs you", _BY_FRONT.format(each.location))
        else:
            draft.note(each.option.line, "needs you", _NEVER.format(each.location))
            continue
        yield each


def _note_roots(draft: Draft, loaded: list[UwsgiApp], default: UwsgiApp | None) -> None:
    for each in loaded:
        if each.location:
            continue
        if each is default:
            draft.note(each.option.line, "kept", "an entry, for all URLs that no other has")
        elif default is not None:
            spot = default.option.line.spot
            reason = f"No URL leads to it: what no mount has goes to what is loaded first ({spot})"
            draft.note(each.option.line, "not needed", reason)
        else:
            draft.note(each.option.line, "not needed", "no-default-app: no URL leads to it")
    if default is not None and default.location:
        reason = "it is loaded first, so uWSGI sends it all URLs that no mount has, too"
        draft.note(default.option.line, "kept", reason)
