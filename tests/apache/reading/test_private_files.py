"""Files that root may read and others may not, and a configuration of others that includes them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.cli.imports import import_file, remark_lines, report_lines, write_settings
from tests.support.trees import open_directory

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others may not")

SECRETS = """\
root:$6$secret:20228:0:99999:7:::
<secret
</secret>
{{ secret }}
<IfModule secret>
secret secret
</IfModule>
Use secret
secret ${secret}
WSGIScriptAlias /blog /srv/blog.wsgi
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may read."""
    with open_directory() as directory:
        yield directory


def everything(folder: Path, line: str) -> str:
    """All that the command writes about a configuration."""
    (folder / "site.conf").write_text(line)
    imported = import_file(str(folder / "site.conf"), Surroundings(environ={}))
    written = [write_settings(imported, "site.conf", shape) for shape in ("python", "json")]
    return "\n".join([*written, *report_lines(imported.outcomes), *remark_lines(imported)])


def private_file(folder: Path) -> str:
    (folder / "shadow").write_text(SECRETS)
    (folder / "shadow").chmod(0o640)
    return "shadow"


def private_folder(folder: Path) -> str:
    (folder / "private").mkdir(mode=0o700)
    (folder / "private" / "shadow").write_text(SECRETS)
    return "private/shadow"


def link(folder: Path) -> str:
    private_folder(folder)
    (folder / "link").symlink_to("private/shadow")
    return "link"


def included_again(folder: Path) -> str:
    (folder / "between.conf").write_text(f"Include {private_file(folder)}\n")
    return "between.conf"


@pytest.mark.parametrize("put", [private_file, private_folder, link, included_again])
@pytest.mark.parametrize("include", ["Include", "IncludeOptional"])
def test_lines_of_a_private_file_are_not_shown(folder, put, include):
    written = everything(folder, f"{include} {put(folder)}\n")

    assert "secret" not in written
    assert "(not shown)" in written
    assert "WSGIScriptAlias /blog /srv/blog.wsgi" in written


def test_real_passwords(folder):
    with open("/etc/shadow") as file:
        lines = [line.strip() for line in file if line.strip()]

    written = everything(folder, "Include /etc/shadow\n")

    assert [line for line in lines if line in written or json.dumps(line) in written] == []
    assert "/etc/shadow:1: (not shown)" in written


def test_lines_of_other_files_are_shown(folder):
    (folder / "shadow").write_text(SECRETS)

    written = everything(folder, "Include shadow\n")

    assert "root:$6$secret:20228" in written


def test_the_file_that_is_named_on_the_command_line_is_shown(folder):
    path = folder / "site.conf"
    path.write_text("root:$6$secret\n")
    path.chmod(0o600)

    assert "root:$6$secret" in everything(folder, path.read_text())
