"""What a server answers to those who ask whether it is well."""

from __future__ import annotations

from tests.support.groups import Site

READY, LIVE = "/-/wsgimatch/ready", "/-/wsgimatch/live"
HEALTH = 'WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"\n'


def health(at: Site, target: str = READY) -> tuple[int, str]:
    answer = at.get(target)
    return answer.status, answer.body.decode()
