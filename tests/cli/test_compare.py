from __future__ import annotations

import contextlib
import socket

import pytest

from tests.support.commands import run


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "JSON"])
@pytest.mark.parametrize(
    ("given", "words", "skipped"),
    [
        pytest.param(b"", [], 0, id="an empty file"),
        pytest.param(b"# nothing\n\n", [], 0, id="a file of comments"),
        pytest.param(b"nonsense\n", [], 1, id="no line that can be read"),
        pytest.param(b"/a\n", ["--limit", "0"], 0, id="a limit of nothing"),
    ],
)
def test_a_comparison_of_nothing_is_no_success(tmp_path, given, words, skipped, options):
    (tmp_path / "urls").write_bytes(given)

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        out, err, status = run("compare", url, url, str(tmp_path / "urls"), *words, *options)

    assert status == 1
    assert ("nothing was compared" in out) == (not options)
    assert len(err.splitlines()) == (0 if options else skipped)
