"""Which code is a site's own, and where in it an exception was raised: a file, and a line in it."""

from __future__ import annotations

import os
import traceback

# Python's own, and what is installed, whichever Python has it; sysconfig would say it at the price
# of some hundred variables of the build in each process of a group.
_LIBRARIES: tuple[str, ...] = (os.path.join(os.path.dirname(os.__file__), ""),)
_INSTALLED = ("/site-packages/", "/dist-packages/")


def line_of(error: BaseException) -> str:
    """Return ``line 5 of /srv/app.wsgi``, "" where no file is known; libraries count last."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"line {error.lineno} of {error.filename}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename[:1] == "/"]
    # The first frame is that of whoever has called the site's code.
    called = frames[1:]
    own = [frame for frame in called if not is_library(frame.filename)]
    last = (own or called)[-1:]
    return "".join(f"line {frame.lineno} of {frame.filename}" for frame in last)


def described(error: BaseException) -> str:
    """Return an exception's type, its message, and where it was raised."""
    what = error.msg if isinstance(error, SyntaxError) else error
    said = f"{type(error).__name__}: {what}"
    line = line_of(error)
    return f"{said} ({line})" if line else said


def is_library(file: str) -> bool:
    """Whether a file of code is Python's own, or of an installed package."""
    return file.startswith(_LIBRARIES) or any(folder in file for folder in _INSTALLED)
