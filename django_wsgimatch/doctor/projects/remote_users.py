"""Projects that take their users from REMOTE_USER, which no server passes on by itself here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..findings.finding import Finding
from ..findings.project_report import Told
from ..findings.subject import Subject
from ..targets.files import read_script
from .projects_by_url import FALLBACK, Key

_OWN = "MIDDLEWARE"


def remote_user_findings(
    told: Mapping[Key, Told], subjects: Mapping[Key, Subject]
) -> Iterator[Finding]:
    """Yield the projects whose middleware waits for REMOTE_USER."""
    reported: set[str] = set()
    for key, each in told.items():
        # A script that names it has its own way to come by it.
        is_served = b"REMOTE_USER" in read_script(key.script) if key.script else False
        if each.needs_remote_user and not is_served and each.settings_module not in reported:
            reported.add(each.settings_module)
            yield Finding(
                "W058",
                _OWN if key == FALLBACK else subjects[key].where,
                f"RemoteUserMiddleware in {each.settings_module!r} takes the user from "
                "REMOTE_USER. Apache sets it for requests that it has authenticated, and gunicorn "
                "never does: nobody is ever logged in.",
                "Let the server in front send the name in a header with a dash, such as "
                "X-Remote-User, and delete that header when clients send it. In the project, use "
                "a subclass of RemoteUserMiddleware with header = 'HTTP_X_REMOTE_USER'.",
            )
