"""
What gunicorn's arbiter asks a process of its own for: the definition of the project's groups.

The arbiter itself loads no settings, so that a HUP finds them new. ``python -m
django_wsgimatch.server.group_definition`` prints JSON: a definition (null where nothing runs
outside the server's workers), the folder for the sockets, and how long to drain (null where nobody
asks whether the server is ready); null where there is neither. Exits with 3 where the WSGIMATCH_
settings cannot be used, and with 1 where the project cannot be loaded.
"""

from __future__ import annotations

import json
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured

from ..conf import configuration
from ..daemon.servers.owner import owner_of
from ..doctor.findings.finding import STATUS, CannotStart
from ..exceptions import SettingError
from ..places import definition, drain_seconds, environment_of_groups, has_places, socket_directory
from ..project import use_settings_of_manage_py


def print_definition() -> int:
    """Print what the arbiter needs to know."""
    try:
        use_settings_of_manage_py()
        django.setup(set_prefix=False)
        configured = configuration()
        configured.require()
        told = None
        seconds = drain_seconds(configured)
        if has_places(configured) or seconds is not None:
            told = {
                "definition": definition(configured).to_json() if has_places(configured) else None,
                "base": socket_directory(configured, owner_of(os.getppid())),
                "environment": environment_of_groups(),
                "drain_seconds": seconds,
            }
    except CannotStart as error:
        print(error, file=sys.stderr)
        return STATUS
    except (ImproperlyConfigured, SettingError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(print_definition())
