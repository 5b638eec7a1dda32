"""What process groups can see of the server and of each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ...aliases.groups import GLOBAL
from ...daemon.manager.starting import SCRUBBED
from ...daemon.options import GroupOptions
from ...settings_guard import VARIABLE
from ...text import quoted
from ..told.findings import Finding

# Names of variables that hold what nobody else should know.
_SECRET = re.compile(
    r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|(?:^|_)KEY(?:$|_)|(?:^|_)DSN(?:$|_)"
    r"|(?:DATABASE|BROKER|CACHE|REDIS|AMQP|MONGO|EMAIL)\w*_UR[IL]$",
    re.IGNORECASE,
)
# So many names are shown.
_MOST = 5


def exposure_findings(
    groups: Mapping[str, GroupOptions], environment: Iterable[str]
) -> Iterator[Finding]:
    """
    Yield which groups have the server's secrets, and which run as its user beside others.

    ``environment`` are the names of the server's environment variables.
    """
    # What is run elsewhere has nothing of the server's.
    own = {n: options for n, options in groups.items() if n != GLOBAL and options.socket is None}
    secrets = sorted(filter(is_secret, environment))
    others = sorted(n for n, options in groups.items() if n != GLOBAL and options.user is not None)
    for name, options in own.items():
        where = f"WSGIMATCH_PROCESS_GROUPS[{name!r}]"
        if shown := [each for each in secrets if _has(options, each)]:
            yield _inherits(where, shown, options)
        if options.user is None and others:
            yield Finding(
                "W038",
                where,
                f"it names no user and runs as the server's, beside {_listed(others)}, which have "
                "users. Its code can read what the server can, signal the server's processes and "
                "take their memory apart.",
                'Give it a user of its own: "user": "NAME", and `serve --allow-user NAME`.',
            )


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a secret."""
    is_ours = name in (*SCRUBBED, VARIABLE)
    return not is_ours and _SECRET.search(name) is not None


def _has(options: GroupOptions, name: str) -> bool:
    if options.pass_environment is not None:
        return name in options.pass_environment
    return options.user is None


def _inherits(where: str, names: list[str], options: GroupOptions) -> Finding:
    cure = (
        "Take them out of pass_environment."
        if options.pass_environment is not None
        else 'Say what it needs, and no more: "pass_environment": []; or give it a user of its own.'
    )
    return Finding(
        "W039",
        where,
        f"it has the server's {_listed(names)} in its environment. Whoever can run code in it "
        "knows them, and with another project's SECRET_KEY signs that project's sessions.",
        cure,
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(quoted, names[:_MOST]))
    return f"{shown} and {len(names) - _MOST} more" if len(names) > _MOST else shown
