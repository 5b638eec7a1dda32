from __future__ import annotations

import time

from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.cli.check import findings
from django_wsgimatch.conf import configuration
from django_wsgimatch.doctor.findings.finding import counted


def test_counted_tells_how_many_are_done():
    told = []

    items = list(counted("ab", "letters", lambda *how_far: told.append(how_far)))

    assert (items, told) == (["a", "b"], [(1, 2, "letters"), (2, 2, "letters")])


def test_a_thousand_aliases_are_checked_in_a_moment(tmp_path, settings):
    """A second is usual; what compares each alias with all others takes minutes."""
    (tmp_path / "a.wsgi").write_text("def application(environ, start_response): ...\n")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [
        *(script_alias(f"/app{n}", "a.wsgi") for n in range(500)),
        *(
            script_alias_match(rf"^/(x{number}|y{number})/(\d+)$", "a.wsgi")
            for number in range(500)
        ),
    ]
    configuration()
    started = time.process_time()

    found = findings()

    assert (found, time.process_time() - started < 10) == ([], True)
