from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from django_wsgimatch.whole_files import write_new


def kept_secret(path: Path) -> str:
    """Return the secret kept in a file; the first call draws it, and only its owner may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of two processes that start at the same time, both take what one has drawn.
        with suppress(FileExistsError):
            write_new(str(path), secrets.token_urlsafe(12).encode(), 0o600)
    return path.read_text()
