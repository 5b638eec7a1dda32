"""What an import makes of the slash that mod_dir adds to the URLs of directories."""

from __future__ import annotations

import pytest

from tests.support.imports import notes_of, values_of

FOLDER = "WSGIScriptAlias /s /srv/scripts/"
SCRIPT = "WSGIScriptAlias /a /srv/a.wsgi"
OFF = "DirectorySlash Off"


def slash_of(*lines: str) -> bool | None:
    """What the settings say, None where they say nothing."""
    found = values_of(*lines).get("WSGIMATCH_DIRECTORY_SLASH")
    assert found is None or isinstance(found, bool)
    return found


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        pytest.param([FOLDER], True, id="a folder of scripts"),
        pytest.param([FOLDER, SCRIPT], True, id="a folder beside a script"),
        pytest.param([SCRIPT], None, id="a script"),
        pytest.param([r"WSGIScriptAliasMatch ^/n/(\w+) /srv/$1", SCRIPT], True, id="a pattern"),
        pytest.param(["WSGIScriptAliasMatch ^/a /srv/a.wsgi"], None, id="one script"),
        pytest.param([r"WSGIScriptAliasMatch ^/n/(\w+) /srv/$1.wsgi"], None, id="names of scripts"),
        pytest.param([OFF, FOLDER], None, id="off"),
        pytest.param(["DirectorySlash On", FOLDER], True, id="on"),
        pytest.param(["LoadModule mpm_event_module m.so", FOLDER], None, id="no mod_dir"),
        pytest.param(
            ["LoadModule mpm_event_module m.so", "LoadModule dir_module d.so", FOLDER],
            True,
            id="mod_dir is loaded",
        ),
    ],
)
def test_the_setting_is_written_where_apache_redirects(lines, value):
    assert slash_of(*lines) is value


def test_a_line_that_is_off_is_carried():
    assert notes_of(OFF, FOLDER)[1] == "kept: WSGIMATCH_DIRECTORY_SLASH = False"


def test_a_line_that_holds_for_some_folders_needs_the_user():
    notes = notes_of(
        "<Directory /srv/scripts>",
        OFF,
        "</Directory>",
        FOLDER,
        "WSGIScriptAlias /t /srv/t/",
        files={"/srv/scripts": "directory", "/srv/t": "directory"},
    )

    assert notes[2] == (
        "needs you: it applies to some entries only, but WSGIMATCH_DIRECTORY_SLASH applies to "
        "all: it is True now"
    )


def test_a_line_that_no_folder_has_is_not_needed():
    assert notes_of(OFF, SCRIPT)[1] == "not needed: No entry leads to a folder of scripts there"
