"""From the settings to what the manager of the groups is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from django.conf import settings

from .aliases.alias import Alias
from .aliases.directives import preloads
from .aliases.groups import GLOBAL
from .conf import Configuration
from .daemon.definition import Definition
from .daemon.directory import default_base
from .daemon.front import own_packages, own_python
from .daemon.patience import BodyTimeout
from .daemon.place import Place
from .daemon.starting import CHOSEN
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
    return Definition(
        time=configured.time,
        python=own_python(),
        packages=own_packages(),
        sys_path=tuple(os.path.abspath(path) for path in sys.path),
        directory=os.getcwd(),
        groups=configured.groups,
        project=project_name(),
        reloading=configured.values["SCRIPT_RELOADING"],
        backend=configured.values["APPLICATION_GROUP_BACKEND"],
        preload=tuple(dict.fromkeys(_preloaded(configured))),
    )


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


def socket_directory(configured: Configuration) -> str:
    """Return the folder that the folders of this project's servers lie in."""
    # Under gunicorn's hooks it is the arbiter, perhaps another user, who has chosen.
    if chosen := os.environ.get(CHOSEN):
        return chosen
    given = configured.values["SOCKET_DIRECTORY"]
    return os.path.abspath(given) if given is not None else default_base()


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


def environment_of_groups() -> dict[str, str]:
    """Return this process's environment variables, without the time zone that Django has set."""
    environ = dict(os.environ)
    if environ.get("TZ") == settings.TIME_ZONE:
        del environ["TZ"]
    return environ


def all_aliases(configured: Configuration) -> Iterator[Alias]:
    """Yield the aliases of all tables, those for every host more than once."""
    for table in (configured.table, *configured.table.virtual_hosts.values()):
        yield from table.aliases


def _preloaded(configured: Configuration) -> Iterator[tuple[Place, str]]:
    """What mod_wsgi would load before the first request, elsewhere than here."""
    for alias in all_aliases(configured):
        place = Place(_name(alias.process_group), _name(alias.application_group))
        # An interpreter is made by its first request.
        is_inside = has_interpreters(configured) and place.application_group != ""
        if preloads(alias) and not place.is_here and not is_inside:
            yield place, os.path.join(configured.rules.base_directory, alias.target)


def _name(group: str | None) -> str:
    return "" if group in (None, GLOBAL) else str(group)
