"""Two WSGI applications that serve a folder: files as below an ``Alias``, and WhiteNoise alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from whitenoise import WhiteNoise

from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.target import Roots
from django_wsgimatch.answers.files.serving import serve_file
from django_wsgimatch.server.pages import not_found

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# The folder that is served, below any path; whoever starts the server says which.
VARIABLE = "WSGIMATCH_BENCH_FILES"
FOLDER = os.environ.get(VARIABLE, "")

_OPTIONS = FileOptions()
_ROOTS = Roots([FOLDER])


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve a file as Apache's Alias does."""
    uri = environ["PATH_INFO"]
    return serve_file(FOLDER + uri, environ, start_response, _OPTIONS, uri=uri, roots=_ROOTS)


def whitenoise(*, sees_changes: bool = False) -> WhiteNoise:
    """Return WhiteNoise, which looks at the folder's files once or at each request."""
    return WhiteNoise(not_found, FOLDER, autorefresh=sees_changes, allow_all_origins=False)


static = whitenoise()
