"""Process groups that somebody else runs, as the settings, the checks and the manager see them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from django_wsgimatch import script_alias
from django_wsgimatch.cli.check import findings
from django_wsgimatch.cli.status import status_lines
from django_wsgimatch.conf import configuration
from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.front.front import Places
from django_wsgimatch.daemon.option_values import read_options
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.servers.owner import Owner
from django_wsgimatch.doctor.processes.exposure import exposure_findings
from django_wsgimatch.doctor.processes.groups import group_findings
from django_wsgimatch.exceptions import DaemonError
from tests.support.relayed import folder
from tests.support.statuses import STOPPED

BLOG = {"blog": {"socket": "/run/blog/blog.sock"}}
REFUSAL = (
    "process group 'blog' is run elsewhere (its option `socket`) and has processes for %{{GLOBAL}} "
    "alone, none for the application group {!r}"
)
CURE = (
    "Write application_group='%{GLOBAL}' for it, or WSGIMATCH_APPLICATION_GROUP = '%{GLOBAL}' if "
    "the entry names none."
)


def problems(settings, groups, **more):
    settings.WSGIMATCH_PROCESS_GROUPS = groups
    for name, value in more.items():
        setattr(settings, f"WSGIMATCH_{name}", value)
    return [(problem.where, str(problem.error)) for problem in configuration().problems]


def blog(**options):
    return script_alias("/blog", "app.wsgi", process_group="blog", **options)


# The settings


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"ALIASES": [blog()]}, id="the main interpreter by default"),
        pytest.param({"ALIASES": [blog(application_group="%{GLOBAL}")]}, id="by name"),
        pytest.param(
            {
                "ALIASES": [blog(application_group="%{GLOBAL}")],
                "APPLICATION_GROUP": "%{RESOURCE}",
            },
            id="whatever the setting says",
        ),
        pytest.param(
            {"ALIASES": [script_alias("/x", "x.wsgi", application_group="red")]},
            id="application groups of other process groups",
        ),
    ],
)
def test_what_can_run_in_a_group_that_is_run_elsewhere(settings, more):
    assert problems(settings, BLOG, **more) == []


@pytest.mark.parametrize(
    ("more", "where", "name"),
    [
        pytest.param(
            {"ALIASES": [blog(application_group="red")]}, "WSGIMATCH_ALIASES[0]", "red", id="a name"
        ),
        pytest.param(
            {"ALIASES": [blog(application_group="%{HOST}")]},
            "WSGIMATCH_ALIASES[0]",
            "%{HOST}",
            id="a name from the request",
        ),
        pytest.param(
            {"ALIASES": [blog()], "APPLICATION_GROUP": "%{RESOURCE}"},
            "WSGIMATCH_ALIASES[0]",
            "%{RESOURCE}",
            id="the setting",
        ),
        pytest.param(
            {
                "ALIASES": [script_alias("/x", "x.wsgi", application_group="red")],
                "PROCESS_GROUP": "blog",
            },
            "WSGIMATCH_ALIASES[0]",
            "red",
            id="the process group of the setting",
        ),
        pytest.param(
            {"VIRTUAL_HOSTS": {"shop.example": [blog(application_group="red")]}},
            "WSGIMATCH_VIRTUAL_HOSTS['shop.example'][0]",
            "red",
            id="a virtual host's entry",
        ),
    ],
)
def test_application_groups_have_no_processes_there(settings, more, where, name):
    assert problems(settings, BLOG, **more) == [(where, REFUSAL.format(name))]


def test_the_check_says_what_to_write(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_PROCESS_GROUPS = BLOG
    settings.WSGIMATCH_ALIASES = [blog(application_group="red")]

    [found] = [finding for finding in findings() if finding.id == "E006"]

    assert (found.where, found.message, found.hint) == (
        "WSGIMATCH_ALIASES[0]",
        f"{REFUSAL.format('red')}.",
        CURE,
    )


@pytest.mark.parametrize(
    ("groups", "where", "complaint"),
    [
        pytest.param(
            {"blog": {"socket": "/run/a"}, "shop": {"socket": "/run//a"}},
            "WSGIMATCH_PROCESS_GROUPS['shop']",
            "socket '/run/a' is also that of process group 'blog'",
            id="two groups at one socket",
        ),
        pytest.param(
            {"%{GLOBAL}": {"socket": "/run/a"}},
            "WSGIMATCH_PROCESS_GROUPS['%{GLOBAL}']",
            "socket should be left out: the embedded process group is the server's own",
            id="the embedded process group",
        ),
    ],
)
def test_sockets_at_which_the_wrong_group_would_answer(settings, groups, where, complaint):
    assert problems(settings, groups) == [(where, complaint)]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("", id="nothing"),
        pytest.param(3, id="a number"),
        pytest.param("a\0b", id="a NUL"),
        pytest.param("/" + "\xe9" * 60, id="more bytes than the kernel takes"),
    ],
)
def test_what_is_no_socket(given):
    options, errors = read_options({"socket": given}, "/srv/site")

    shape = "a path of at most 107 bytes; a relative one begins in BASE_DIR"
    assert [str(error) for error in errors] == [f"socket should be {shape}, not {given!r}"]
    assert options == GroupOptions()


def test_a_relative_socket_begins_in_the_base_directory():
    options, errors = read_options({"socket": "run/blog.sock"}, "/srv/site")

    assert (options.socket, errors) == ("/srv/site/run/blog.sock", ())


# The checks


def found(options):
    by_group = group_findings({"blog": options}, needs_places=False, socket_directory="")
    return [(finding.id, finding.message) for finding in by_group]


def test_its_user_needs_no_root_of_the_server_s(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 65534)

    said = found(GroupOptions(user="daemon", socket="/nowhere/blog.sock"))

    assert said == [
        (
            "W040",
            (
                "it runs as user 'daemon', and this check runs as another. So it did not test "
                "whether that user can run the group's Python and read its files."
            ),
        )
    ]


def test_it_has_nothing_of_the_server_s_environment():
    groups = {"blog": GroupOptions(socket="/run/blog.sock"), "shop": GroupOptions(user="daemon")}

    assert [*exposure_findings(groups, ["SECRET_KEY"])] == []


@pytest.mark.parametrize(
    ("mode", "count"),
    [
        pytest.param(0o755, 0, id="its own"),
        pytest.param(0o777, 1, id="everybody's"),
        pytest.param(0o1777, 1, id="as /tmp"),
    ],
)
def test_a_folder_in_which_others_could_put_a_socket(mode, count):
    with folder() as path:
        path.chmod(mode)
        said = found(GroupOptions(socket=str(path / "blog.sock")))

    assert said == count * [
        (
            "E021",
            (
                f"others can write to '{path}', the folder of its socket (mode {mode:04o}). "
                "Anyone who can write there could impersonate the applications."
            ),
        )
    ]


# The manager and the front


DEFINITION = Definition(
    time=0,
    python="",
    packages={},
    sys_path=(),
    directory="/",
    groups={
        "blog": GroupOptions(socket="/run/blog/blog.sock"),
        "shop": GroupOptions(),
        "%{GLOBAL}": GroupOptions(threads=3),
    },
)


@pytest.mark.parametrize(
    ("place", "is_started"),
    [
        pytest.param(Place("blog", ""), False, id="a group that is run elsewhere"),
        pytest.param(Place("blog", "red"), False, id="and an application group in it"),
        pytest.param(Place("shop", ""), True, id="another group"),
        pytest.param(Place("shop", "red"), True, id="an application group in it"),
        pytest.param(Place("", "red"), True, id="an application group of the server"),
        pytest.param(Place("", ""), False, id="the server itself"),
        pytest.param(Place("wiki", ""), False, id="no group"),
    ],
)
def test_what_the_manager_starts(place, is_started):
    told = Definition.from_json(DEFINITION.to_json())

    assert told.starts(place) == is_started


def test_the_manager_knows_what_is_run_elsewhere():
    assert (DEFINITION.process_groups(), [*DEFINITION.elsewhere()]) == (
        [Place("shop", "")],
        [Place("blog", "")],
    )


def start_response(*answer: object) -> Callable[[bytes], object]:
    raise AssertionError("nothing is answered")


def test_an_application_group_that_only_the_request_names_is_refused():
    """Its name may come from a variable, which no check knows."""
    places = Places(DEFINITION, "/nowhere", Owner(os.getpid(), ""))

    with pytest.raises(DaemonError) as refusal:
        places.relay(Place("blog", "red"), {}, start_response)

    assert (refusal.value.status, str(refusal.value)) == (500, f"{REFUSAL.format('red')}. {CURE}")


def test_status_as_text_names_the_socket():
    place = {**STOPPED, "name": "blog", "state": "elsewhere", "socket": "/run/blog/blog.sock"}

    *_, line = status_lines([{"server": 8, "pid": 9, "places": [place]}])

    assert line.split()[:3] == ["blog", "elsewhere", "-"]
    assert line.split()[-2:] == ["at", "/run/blog/blog.sock"]
