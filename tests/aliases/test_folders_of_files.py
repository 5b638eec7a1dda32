"""Where the files of an entry may lie."""

from __future__ import annotations

from typing import Literal

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.roots import folder_of


@pytest.mark.parametrize(
    ("location", "target", "kind", "folder"),
    [
        pytest.param("/d", "/srv/d", "plain", "/srv/d", id="a folder"),
        pytest.param("/d/", "/srv/d/", "plain", "/srv/d", id="with slashes"),
        pytest.param("/d", "/srv/d/", "plain", "/srv/d", id="a slash behind the target alone"),
        pytest.param("/d/", "/srv/d", "plain", "/srv", id="a slash behind the location alone"),
        pytest.param("/d", "static", "plain", "/base/static", id="a relative folder"),
        pytest.param("^/d/(.*)$", "/srv/d/$1", "match", "/srv/d", id="before a capture"),
        pytest.param("^/d/(.*)$", "/srv/d$1", "match", "/srv", id="before a part of a name"),
        pytest.param("^/d$", "/srv/d.txt", "match", "/srv/d.txt", id="one file"),
        pytest.param("/d", "/srv/a/../d", "plain", "/srv/d", id="dots"),
    ],
)
def test_the_folder_of_an_entry_s_files(
    location: str, target: str, kind: Literal["plain", "match"], folder: str
) -> None:
    alias = Alias(location, target, kind, answer=FileOptions())

    assert folder_of(alias, "/base") == (folder,)
