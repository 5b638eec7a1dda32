"""The example of the page on moving a whole site: the page shows what the commands write."""

from __future__ import annotations

import pytest

from tests.support.commands import run
from tests.support.documentation import blocks

EXAMPLE = {block.caption: block.text for block in blocks("howto/move-a-whole-site.rst")}


def test_the_example_becomes_what_the_page_shows(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "shop.conf").write_text(EXAMPLE["shop.conf"])
    monkeypatch.chdir(tmp_path)

    out, err, status = run(
        *("export", "apache", "--from", "shop.conf", "--to", "unix:/run/shop/shop.sock", "--diff")
    )

    # What is left of a blank line's one blank, and of the comparison's first line.
    shown = "\n".join(line.rstrip() for line in out.splitlines())
    assert f"{shown}\n" == EXAMPLE["the difference"]
    assert err == EXAMPLE["standard error"]
    assert status == 0


def test_the_example_is_imported_as_the_page_shows(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "shop.conf").write_text(EXAMPLE["shop.conf"])
    monkeypatch.chdir(tmp_path)

    out, err, status = run(
        *("import", "shop.conf", "--behind-apache", "--to", "unix:/run/shop/shop.sock")
    )

    assert out == EXAMPLE["imported.py"]
    assert err == EXAMPLE["the report"]
    assert status == 0


def test_the_example_on_its_own_is_what_an_import_writes(tmp_path, monkeypatch):
    (tmp_path / "shop.conf").write_text(EXAMPLE["shop.conf"])
    monkeypatch.chdir(tmp_path)

    out, _, _ = run("import", "shop.conf")

    assert out == EXAMPLE["imported.py, on its own"]
