"""What process groups can see of the server and of each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...aliases.groups import GLOBAL
from ...daemon.manager.starting import SCRUBBED
from ...daemon.options import GroupOptions
from ...settings_guard import VARIABLE
from ...text import quoted
from ..findings.finding import DiagnosedGroup, Finding, Findings, listed

# Names of variables that hold what nobody else should know.
_SECRET = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|(?:^|_)KEY(?:$|_)|(?:^|_)DSN(?:$|_)"
    r"|(?:DATABASE|BROKER|CACHE|REDIS|AMQP|MONGO|EMAIL)\w*_UR[IL]$",
    re.IGNORECASE,
)
# So many names are shown.
_MOST = 5


def exposure_findings(groups: Mapping[str, GroupOptions], environment: Iterable[str]) -> Findings:
    """
    Yield which groups have the server's secrets, and which run as its user beside others.

    ``environment`` are the names of the server's environment variables.
    """
    # What is run elsewhere has nothing of the server's.
    own = [
        DiagnosedGroup(name, options)
        for name, options in groups.items()
        if name != GLOBAL and options.socket is None
    ]
    secrets = sorted(filter(is_secret, environment))
    others = sorted(n for n, each in groups.items() if n != GLOBAL and each.user is not None)
    beside = listed(list(map(quoted, others)), _MOST) if others else ""
    for group in own:
        if shown := [each for each in secrets if _has(group.options, each)]:
            yield _inherits(group, shown)
        if group.options.user is None and beside:
            yield group.finding(
                "W038",
                f"it has no user option and runs as the server's user, beside {beside}, which "
                "have their own users. Its code can read the server's files, signal its processes "
                "and read their memory.",
                'Give it its own user: "user": "NAME", and `serve --allow-user NAME`.',
            )


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a secret."""
    is_ours = name in (*SCRUBBED, VARIABLE)
    return not is_ours and _SECRET.search(name) is not None


def _has(options: GroupOptions, name: str) -> bool:
    if options.pass_environment is not None:
        return name in options.pass_environment
    return options.user is None


def _inherits(group: DiagnosedGroup, names: list[str]) -> Finding:
    cure = (
        "Remove them from pass_environment."
        if group.options.pass_environment is not None
        else 'List only what it needs: "pass_environment": []. Or give it its own user.'
    )
    return group.finding(
        "W039",
        f"it has the server's {listed(list(map(quoted, names)), _MOST)} in its environment. Code "
        "that runs in the group can read them: with another project's SECRET_KEY it can sign that "
        "project's sessions.",
        cure,
    )
