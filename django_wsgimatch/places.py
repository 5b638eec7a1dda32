"""From the settings to what the manager of the groups is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from django.conf import settings

from .aliases.alias import BROKEN, Alias
from .aliases.directives import preloads
from .aliases.groups import GLOBAL, is_literal
from .aliases.roots import derive_roots
from .configured import Configuration
from .daemon.definition import Definition
from .daemon.front.patience import BodyTimeout
from .daemon.log_times import given_zone
from .daemon.manager.starting import CHOSEN
from .daemon.place import Place
from .daemon.servers.directory import base_in, bases_of, default_base
from .daemon.servers.own_python import own_packages, own_python
from .daemon.servers.owner import Owner, this_server, watch_of_this_server
from .preloading import literal_script
from .settings_guard import VARIABLE


def has_places(configured: Configuration) -> bool:
    """Whether an application may run outside the server's worker."""
    rules = configured.rules
    return (
        bool(rules.process_groups)
        or rules.process_group != GLOBAL
        or rules.application_group != GLOBAL
        or any(
            alias.process_group not in (None, GLOBAL)
            or alias.application_group not in (None, GLOBAL)
            for alias in all_aliases(configured)
        )
    )


def definition(configured: Configuration) -> Definition:
    """Return what the manager needs to know. Raises SettingError without gunicorn."""
    roots, group_roots = roots_of_groups(configured)
    modules = modules_of_groups(configured)
    return Definition(
        time=configured.time,
        python=own_python(),
        packages=own_packages(),
        sys_path=tuple(os.path.abspath(path) for path in sys.path),
        directory=os.getcwd(),
        groups=configured.groups,
        project=project_name(),
        reloading=configured.values["SCRIPT_RELOADING"],
        reload_interval=configured.values["SCRIPT_RELOAD_INTERVAL"],
        backend=configured.values["APPLICATION_GROUP_BACKEND"],
        preload=tuple(dict.fromkeys(_preloaded(configured))),
        follow_symlinks=configured.rules.follow_symlinks,
        roots=roots,
        group_roots=group_roots,
        watch=watch_of_this_server(),
        modules=modules.pop(None, ()),
        group_modules={name: of for name, of in modules.items() if name is not None},
    )


def roots_of_groups(
    configured: Configuration,
) -> tuple[tuple[str, ...] | None, dict[str, tuple[str, ...]]]:
    """
    Return the directories that scripts of all groups may lie in, and those of each process group.

    WSGIMATCH_ROOTS holds for all. Without it a process group's scripts may lie where its own
    aliases lead, so that a new alias changes its own group's processes and no others'.
    """
    rules = configured.rules
    if configured.values["ROOTS"] is not None:
        return rules.roots, {}
    aliases = _aliases_by_group(configured)
    roots = {name: derive_roots(of, rules.base_directory) for name, of in aliases.items()}
    for_all = roots.pop(None, ())
    return for_all, {name: of for name, of in roots.items() if name is not None}


def modules_of_groups(configured: Configuration) -> dict[str | None, tuple[str, ...]]:
    """Return the modules that entries name for each process group; under None, for all of them."""
    named = {
        name: dict.fromkeys(alias.target for alias in of if alias.is_module)
        for name, of in _aliases_by_group(configured).items()
    }
    return {name: tuple(targets) for name, targets in named.items() if targets}


def _aliases_by_group(configured: Configuration) -> dict[str | None, list[Alias]]:
    aliases: dict[str | None, list[Alias]] = {}
    for alias in all_aliases(configured):
        name = alias.process_group or configured.rules.process_group
        # Which group a name with a variable means is known with the request only.
        aliases.setdefault(_name(name) if is_literal(name) else None, []).append(alias)
    return aliases


def has_interpreters(configured: Configuration) -> bool:
    """Whether application groups are sub interpreters, not processes of their own."""
    return bool(configured.values["APPLICATION_GROUP_BACKEND"] != "process")


def nesting_groups(configured: Configuration) -> set[str]:
    """Return the process groups in which sub interpreters are to run."""
    if not has_interpreters(configured):
        return set()
    rules = configured.rules
    named = (
        (alias.process_group or rules.process_group, alias.application_group)
        for alias in all_aliases(configured)
    )
    return {group for group, name in named if (name or rules.application_group) != GLOBAL}


def project_name() -> str:
    """Return what tells this project from others: its settings module, and where it lies."""
    return f"{os.environ.get(VARIABLE)} in {getattr(settings, 'BASE_DIR', os.getcwd())}"


def socket_directory(configured: Configuration, owner: Owner | None = None) -> str:
    """
    Return the folder that the folder of this project's server lies in.

    ``owner`` is the server's main process, if it is not the one that this process belongs to.
    """
    # Under gunicorn's hooks it is the arbiter who has chosen.
    if chosen := os.environ.get(CHOSEN):
        return chosen
    given = configured.values["SOCKET_DIRECTORY"]
    return base_in(given) if given is not None else default_base(owner or this_server())


def socket_directories(configured: Configuration) -> list[str]:
    """Return the folders in which running servers of this user may have theirs."""
    given = configured.values["SOCKET_DIRECTORY"]
    return [base_in(given)] if given is not None else bases_of(os.geteuid())


def is_defined_by_arbiter() -> bool:
    """Whether gunicorn's arbiter, with our hooks, tells the manager what there is to know."""
    return CHOSEN in os.environ


def server_ports(configured: Configuration) -> tuple[int, ...] | None:
    """Return the ports of a Host header that count in group names, None for any."""
    given = configured.values["SERVER_PORTS"]
    return None if given == "any" else tuple(given)


def body_timeout(configured: Configuration) -> BodyTimeout | None:
    """Return how long a client may take for a request's body, None for as long as it likes."""
    given = configured.values["BODY_TIMEOUT"]
    return None if given is None else BodyTimeout(*given)


def drain_seconds(configured: Configuration) -> float | None:
    """Return how long a server that is to end drains first, None where nobody asks for that."""
    if configured.values["HEALTH_PATH"] is None:
        return None
    return float(configured.values["DRAIN_SECONDS"])


def environment_of_groups() -> dict[str, str]:
    """Return this process's environment variables, with the time zone of before Django's own."""
    environ = dict(os.environ)
    if environ.get("TZ") == settings.TIME_ZONE:
        del environ["TZ"]
        # Django's autoreloader starts a process with what Django has set.
        given = None if "RUN_MAIN" in environ else given_zone()
        environ |= {} if given is None else {"TZ": given}
    return environ


def all_aliases(configured: Configuration) -> Iterator[Alias]:
    """Yield the aliases of all tables, those for every host more than once."""
    for table in (configured.table, *configured.table.virtual_hosts.values()):
        yield from table.aliases


def scripts_of_main_interpreters(configured: Configuration) -> Iterator[tuple[Place, str]]:
    """
    Yield the scripts that must load for the server to be ready, and their places.

    They are those that an alias without captures leads to in the server's worker itself, or in the
    main interpreter of a process group: what is there from the start. None without
    WSGIMATCH_HEALTH_PATH.
    """
    rules = configured.rules
    for alias in all_aliases(configured) if configured.values["HEALTH_PATH"] is not None else ():
        process_group = alias.process_group or rules.process_group
        is_main = (alias.application_group or rules.application_group) == GLOBAL
        has_captures = alias.kind == "match" and "$" in alias.target
        if alias is BROKEN or not is_main or has_captures or not is_literal(process_group):
            continue
        script = literal_script(alias, rules)
        if script is not None:
            yield Place(_name(process_group), ""), script


def _preloaded(configured: Configuration) -> Iterator[tuple[Place, str]]:
    """What is loaded before the first request, elsewhere than here."""
    for alias in all_aliases(configured):
        place = Place(_name(alias.process_group), _name(alias.application_group))
        # An interpreter is made by its first request.
        is_inside = has_interpreters(configured) and place.application_group != ""
        script = literal_script(alias, configured.rules) if preloads(alias) else None
        if script is not None and not place.is_here and not is_inside:
            yield place, script
    for place, script in scripts_of_main_interpreters(configured):
        if not place.is_here:
            yield place, script


def _name(group: str | None) -> str:
    return "" if group in (None, GLOBAL) else str(group)
