"""Rewritten URLs under real servers: the application of a group is told what Apache's would be."""

from __future__ import annotations

import os

import pytest

from tests.support.groups import PLAIN, site
from tests.support.servers import GRANIAN, WAITRESS
from tests.support.wsgi import TELL
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

SETTINGS = """\
from django_wsgimatch import access, rewrite

WSGIMATCH_ALIASES += [
    rewrite("^/old(/.*)$", "/blog/$1"),
    rewrite("^/p/(.*)$", "/blog/$1?p=1", append_query=True),
    script_alias("/blog", "tell.wsgi", process_group="blog", application_group="%{RESOURCE}"),
]
WSGIMATCH_ACCESS = [access("/blog/closed", require="all denied")]
"""
TOLD = ("SCRIPT_NAME", "PATH_INFO", "REQUEST_URI", "QUERY_STRING", "mod_wsgi.process_group")


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param(PLAIN, id="gunicorn"),
            pytest.param([*WAITRESS, "django_wsgimatch.wsgi:application"], id="waitress"),
            pytest.param([*GRANIAN, "django_wsgimatch.wsgi:application"], id="granian"),
        ],
        "granian",
    ),
)
def test_what_the_application_of_a_group_is_told(tmp_path, command):
    (tmp_path / "tell.wsgi").write_text(TELL)

    with site(tmp_path, aliases="", more=SETTINGS, command=command) as at:
        first, second = at.told("/old/x/y?a=b"), at.told("/p/z?a=b")
        group = first["mod_wsgi.application_group"]
        closed = [at.get(target).status for target in ("/old/closed", "/p/closed/x")]

    assert [first[key] for key in TOLD] == ["/blog", "/x/y", "/old/x/y?a=b", "a=b", "blog"]
    assert [second[key] for key in TOLD] == ["/blog", "/z", "/p/z?a=b", "p=1&a=b", "blog"]
    assert group.endswith("|/blog")
    assert closed == [403, 403]
