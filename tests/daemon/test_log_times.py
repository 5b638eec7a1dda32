"""One log, one time zone, whatever the projects set; and each error in it once."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time

import pytest

from django_wsgimatch.daemon import log_times
from django_wsgimatch.daemon.log_times import (
    given_zone,
    time_in,
    write_access_times_in,
    write_times_in,
    zone_of,
)
from django_wsgimatch.daemon.wire.protocol import decode_error, encode_error
from django_wsgimatch.places import environment_of_groups
from tests.support.commands import Waiting
from tests.support.groups import HOOKS, PLAIN, site
from tests.thorough import mostly_thorough

WINTER, SUMMER = 1_796_000_000.0, 1_781_000_000.0
# A group's Django project whose clock is in Sydney, and which tells its offset.
DJANGO = """\
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "blog_settings"
import django
django.setup()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("no luck")
    start_response("200 OK", [])
    return [time.strftime("%z").encode()]
"""
SETTINGS = 'SECRET_KEY = "x"\nTIME_ZONE = "Australia/Sydney"\nUSE_TZ = True\n'
SYDNEY = re.compile(rb"\+1[01]00")
ACCESS_LOG = [*HOOKS[:-1], "--access-logfile", "-", HOOKS[-1]]


def offsets(log):
    """The offsets from UTC in a log's times, of lines and of the access log."""
    return {*re.findall(r"\[\d[\d/A-Za-z-]+[ :][\d:]{8} ([+-]\d{4})\]", log)}


@pytest.mark.parametrize(
    ("command", "environment"),
    mostly_thorough(
        [
            pytest.param(PLAIN, {}, id="plain gunicorn"),
            pytest.param(ACCESS_LOG, {}, id="with our configuration, and an access log"),
            pytest.param(PLAIN, {"TZ": "Asia/Tokyo"}, id="a group with a zone of its own"),
        ],
        "with our configuration, and an access log",
    ),
)
def test_all_lines_are_in_the_server_s_zone(tmp_path, monkeypatch, command, environment):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    (tmp_path / "blog_settings.py").write_text(SETTINGS)
    (tmp_path / "app.wsgi").write_text(DJANGO)
    options = {"python_path": [str(tmp_path)], "environment": environment}
    with site(tmp_path, options, command=command, more='TIME_ZONE = "America/Chicago"\n') as at:
        told = at.get("/blog").body
        at.get("/blog/fail")
        at.hup()
        at.until(lambda: at.log.count("Booting worker") > 2)
        log = at.server.wait_for_log("no luck")

    assert SYDNEY.fullmatch(told)
    assert offsets(log) == {"+0545"}


def test_a_zone_that_is_the_project_s_as_well_is_the_server_s(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "America/Chicago")
    with site(tmp_path, more='TIME_ZONE = "America/Chicago"\n') as at:
        at.told("/blog")
        log = at.server.wait_for_log("[blog]")

    assert len(offsets(log)) == 1
    assert offsets(log) <= {"-0500", "-0600"}


@pytest.mark.parametrize(
    ("script", "target", "sentence"),
    mostly_thorough(
        [
            pytest.param("1 / 0\n", "/blog", "cannot be loaded as Python module", id="a script"),
            pytest.param(
                "x = 5\n", "/blog", "does not contain WSGI application", id="no application"
            ),
            pytest.param(DJANGO, "/blog/fail", "ValueError: no luck", id="the application"),
        ]
    ),
)
def test_an_error_of_a_group_is_in_the_log_once(tmp_path, script, target, sentence):
    (tmp_path / "blog_settings.py").write_text(SETTINGS)
    (tmp_path / "app.wsgi").write_text(script)
    with site(tmp_path, {"python_path": [str(tmp_path)]}) as at:
        status = at.get(target).status
        at.server.wait_for_log(f"GET {target}")
        at.order(do="stop", name="blog")
        at.until(lambda: at.place("blog")["state"] == "stopped")
        at.until(lambda: "Shutting down" in at.log)
        log = at.log

    [line] = [line for line in log.splitlines() if f"GET {target}" in line]
    assert (status, log.count(sentence)) == (500, 1)
    assert line.startswith("[blog] [")


def test_a_group_that_cannot_be_started_is_in_the_log_once(tmp_path):
    with site(tmp_path, {"log_file": str(tmp_path / "nowhere/log")}) as at:
        statuses = [at.get("/blog").status for _ in range(3)]
        log = at.log
        Waiting(at.project, "restart", "blog", "--wait").end()
        after_a_restart = at.log

    assert statuses == [503] * 3
    assert log.count("cannot be started") == 1
    assert after_a_restart.count("cannot be started") == 2


@pytest.mark.parametrize("is_logged", [True, False])
def test_a_refusal_tells_whether_it_is_in_a_log(is_logged):
    sent = encode_error(500, "ValueError in the application", is_logged=is_logged)

    assert decode_error(sent) == (500, "ValueError in the application", is_logged)


# Zones


@pytest.mark.parametrize(
    ("name", "winter", "summer"),
    [
        pytest.param("Europe/Berlin", "+0100 CET", "+0200 CEST", id="a name"),
        pytest.param(":Europe/Berlin", "+0100 CET", "+0200 CEST", id="a name after a colon"),
        pytest.param("/usr/share/zoneinfo/Asia/Kathmandu", "+0545 +0545", "+0545 +0545", id="file"),
        pytest.param("UTC", "+0000 UTC", "+0000 UTC", id="UTC"),
        pytest.param("", "+0000 UTC", "+0000 UTC", id="an empty TZ"),
    ],
)
def test_times_in_a_zone(name, winter, summer):
    if name.startswith("/") and not os.path.exists(name):
        pytest.skip("there are no files of zones")
    zone = zone_of(name)

    told = [time.strftime("%z %Z", time_in(zone, seconds)) for seconds in (WINTER, SUMMER)]

    assert told == [winter, summer]


@pytest.mark.parametrize(
    "name", ["CET-1CEST", "No/Such_Zone", "../../etc/passwd", "/etc/passwd", "/", "\0", "a" * 300]
)
def test_what_is_no_name_of_a_zone_has_the_clock_s_offset(name):
    offset = time.localtime().tm_gmtoff

    assert time_in(zone_of(name), time.time()).tm_gmtoff == offset


def test_a_time_is_the_same_moment_in_every_zone():
    there = time_in(zone_of("Asia/Kathmandu"), 1_000_000_000.75)

    assert time.strftime("%Y-%m-%d %H:%M:%S %z %a %j", there) == (
        "2001-09-09 07:31:40 +0545 Sun 252"
    )


def test_only_the_local_time_is_replaced():
    local, utc, bare = (logging.StreamHandler() for _ in range(3))
    for handler in (local, utc):
        handler.setFormatter(logging.Formatter("%(asctime)s", "%H:%M"))
    assert utc.formatter is not None
    utc.formatter.converter = time.gmtime
    record = logging.makeLogRecord({"created": WINTER})

    write_times_in(zone_of("Asia/Kathmandu"), [local, utc, bare])

    assert [handler.format(record) for handler in (local, utc)] == ["06:38", "00:53"]
    assert bare.formatter is None


def test_a_logger_without_a_clock_is_left_alone():
    log = object()

    write_access_times_in(zone_of("UTC"), log)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"TZ": "Asia/Tokyo"}, "'Asia/Tokyo'", id="set"),
        pytest.param({"TZ": ""}, "''", id="empty"),
        pytest.param({}, "None", id="not set"),
    ],
)
def test_what_django_sets_is_not_what_was_given(given, told):
    code = "import os; os.environ['TZ'] = 'America/Chicago'\n"
    code += "from django_wsgimatch.daemon.log_times import given_zone; print(repr(given_zone()))"
    environ = {name: value for name, value in os.environ.items() if name != "TZ"}

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ | given,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == told


@pytest.mark.parametrize("left", [b"gunicorn: master [wsgi]\0\0\0", None], ids=["a title", "none"])
def test_where_the_variables_are_written_over_it_is_as_it_was_at_import(
    monkeypatch, tmp_path, left
):
    file = tmp_path / "environ"
    if left is not None:
        file.write_bytes(left)
    monkeypatch.setattr(log_times, "ENVIRON", str(file))
    monkeypatch.setattr(log_times, "_AT_IMPORT", "Asia/Tokyo")

    assert given_zone() == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("set_now", "given", "variables", "told"),
    [
        pytest.param("UTC", None, {}, None, id="Django's"),
        pytest.param("UTC", "UTC", {}, "UTC", id="Django's and the server's"),
        pytest.param("Asia/Tokyo", "UTC", {}, "Asia/Tokyo", id="another"),
        pytest.param("UTC", "UTC", {"RUN_MAIN": "true"}, None, id="from the autoreloader"),
    ],
)
def test_the_zone_of_groups_is_that_of_before_django_s(
    monkeypatch, settings, set_now, given, variables, told
):
    settings.TIME_ZONE = "UTC"
    monkeypatch.setenv("TZ", set_now)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("django_wsgimatch.places.given_zone", lambda: given)

    assert environment_of_groups().get("TZ") == told
