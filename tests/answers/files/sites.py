"""
Folders of files below the ``Alias`` lines of a real Apache, and the same folders served by us.

Apache has the modules and the ``mime.conf`` that Debian enables for a new site.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.lines.expiry import SinceChange
from django_wsgimatch.aliases.target import FollowSymlinks
from django_wsgimatch.aliases.uri import parse_target
from django_wsgimatch.answers.files.media_types import DIRECTORY_TYPE
from django_wsgimatch.answers.files.serving import serve_file
from django_wsgimatch.exceptions import BadTarget
from django_wsgimatch.server.pages import error_page
from tests.support.oracle import APACHE, MODULES, Apache, configuration, free_port
from tests.support.raw_http import fetch
from tests.support.trees import TreeItem, build_tree, open_directory, tree_entry
from tests.support.wsgi import make_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MIME_CONFIGURATION = Path("/etc/apache2/mods-available/mime.conf")
HOW_TO_INSTALL = "needs Debian's apache2"
INSTALLED = APACHE.exists() and MIME_CONFIGURATION.exists()
LOADED = ("dir", "mime", "negotiation", "autoindex", "expires", "headers")
COMPARED = (
    *("content-type", "content-length", "content-encoding", "content-language", "content-range"),
    *("etag", "last-modified", "accept-ranges", "location", "allow", "vary", "cache-control"),
    "expires",
)
LONG_AGO = 1_600_000_000.123456
NUMBERS = "".join(f"{number:03}\n" for number in range(1000))
# What belongs to Apache's own page, not to the resource.
OF_THE_PAGE = {"content-type", "content-length", "content-language"}

TREE: tuple[TreeItem, ...] = (
    {"path": "a.txt", "text": "hello"},
    {"path": "../secret.txt", "text": "secret"},
    {"path": "empty.txt", "text": ""},
    {"path": "numbers.txt", "text": NUMBERS},
    {"path": "recent.txt", "text": "changed half a minute ago"},
    {"path": "future.txt", "text": "changed tomorrow"},
    {"path": "page.html", "text": "<p>page"},
    {"path": "no-suffix", "text": "x"},
    {"path": "unknown.zzz", "text": "x"},
    {"path": "photo.jpg.txt", "text": "x"},
    {"path": "Photo.JPG", "text": "x"},
    {"path": "script.py", "text": "x"},
    {"path": "archive.tar.gz", "text": "x"},
    {"path": "archive.tgz", "text": "x"},
    {"path": "style.css.gz", "text": "x"},
    {"path": "app.js", "text": "x"},
    {"path": "app.js.br", "text": "x"},
    {"path": "page.en.html", "text": "x"},
    {"path": "page.html.de.utf8", "text": "x"},
    {"path": "page.en.pt-br.html", "text": "x"},
    {"path": "note.latin1.txt", "text": "x"},
    {"path": "only.utf8", "text": "x"},
    {"path": "locale.es", "text": "x"},
    {"path": "two..html", "text": "x"},
    {"path": ".png", "text": "x"},
    {"path": "..png", "text": "x"},
    {"path": ".hidden.html", "text": "x"},
    {"path": ".htaccess", "text": "x"},
    {"path": ".htpasswd", "text": "x"},
    {"path": ".HTaccess", "text": "x"},
    {"path": ".ht/inside.txt", "text": "x"},
    {"path": "icon.woff2", "text": "x"},
    {"path": "data.json", "text": "{}"},
    {"path": "map.shtml", "text": "x"},
    {"path": "a b;c=d&e.txt", "text": "x"},
    {"path": "per%cent.txt", "text": "x"},
    {"path": "question?.txt", "text": "x"},
    {"path": "\xe9.txt", "text": "x"},
    {"path": "\xc3\xa9.txt", "text": "x"},
    {"path": "back\\slash.txt", "text": "x"},
    {"path": 'quote".txt', "text": "x"},
    {"path": "d/index.html", "text": "<p>index"},
    {"path": "d/home.html", "text": "<p>home"},
    {"path": "d/x.txt", "text": "x"},
    {"path": "h/home.html", "text": "<p>home"},
    {"path": "a dir:&\xe9/index.html", "text": "x"},
    "empty/",
    {"path": "holds/index.html/x.txt", "text": "x"},
    {"path": "shut/x.txt", "text": "x"},
    {"path": "shut", "dir": True, "mode": "700"},
    {"path": "shut.txt", "text": "x", "mode": "600"},
    {"path": "shut-index/index.html", "text": "x", "mode": "600"},
    "link.txt -> a.txt",
    "linked -> d",
    "slashed.txt -> ./d/../a.txt",
    "dangling -> none",
    "loop -> loop",
    "out -> /etc/hostname",
    "linked-index/index.html -> ../d/index.html",
    "dangling-index/index.html -> none",
    {"path": "fifo", "fifo": True},
)


# Every file of the tree, and every folder.
PATHS = sorted(
    {
        path
        for item in TREE
        for path in (tree_entry(item)["path"], tree_entry(item)["path"].rpartition("/")[0])
        if path
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is served below ``/NAME``: Apache's directives for its folder, and our options."""

    name: str
    directives: str = ""
    options: FileOptions = field(default_factory=FileOptions)
    follow_symlinks: FollowSymlinks = True
    file: str = ""


PLACES = (
    Place("plain"),
    Place("nolinks", "Options -FollowSymLinks", follow_symlinks=False),
    Place("owner", "Options SymLinksIfOwnerMatch", follow_symlinks="owner"),
    Place(
        "said",
        "DirectoryIndex home.html index.html\nAddDefaultCharset utf-8\nExpiresActive On\n"
        'ExpiresDefault "access plus 3600 seconds"\nAddType text/x-zzz .zzz\n'
        "AddEncoding x-gzip .gz .tgz\nRemoveType .gz .tgz",
        FileOptions(
            index=("home.html", "index.html"),
            charset="utf-8",
            expires=3600,
            types=(("zzz", "text/x-zzz"), ("gz", ""), ("tgz", "")),
            encodings=(("gz", "x-gzip"), ("tgz", "x-gzip")),
        ),
    ),
    Place(
        "bare",
        'DirectoryIndex disabled\nHeader set Cache-Control "no-cache"\nForceType text/x-all',
        FileOptions(index=(), cache_control="no-cache", forced_type="text/x-all"),
    ),
    Place(
        "both",
        'Header set Cache-Control "public"\nExpiresActive On\n'
        'ExpiresDefault "access plus 60 seconds"',
        FileOptions(cache_control="public", expires=60),
    ),
    Place(
        "typed",
        "ExpiresActive On\nExpiresDefault M315360000\nExpiresByType Text/HTML A60\n"
        'ExpiresByType image/* "modification plus 2 minutes"\nExpiresByType text/css M0\n'
        f'ExpiresByType {DIRECTORY_TYPE} A5\nExpiresByType text/plain "modification plus 20 years"',
        FileOptions(
            expires=SinceChange(315360000),
            expires_by_type=(
                *(("text/html", 60), ("image/*", SinceChange(120)), ("text/css", SinceChange(0))),
                *((DIRECTORY_TYPE, 5), ("text/plain", SinceChange(630720000))),
            ),
        ),
    ),
    Place(
        "kinds",
        'ExpiresActive On\nExpiresByType text/* "modification plus 20 years"\nExpiresByType x/y A9',
        FileOptions(expires_by_type=(("text/*", SinceChange(630720000)), ("x/y", 9))),
    ),
    Place("one.txt", file="/a.txt"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A request; the target is latin-1 and begins with a place's name."""

    target: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What is compared of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class FileSites:
    """The folders of all places, and the port at which Apache serves them."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.places = {place.name: place for place in PLACES}

    def root(self, place: Place) -> str:
        """The folder, or the file, that a place's Alias leads to."""
        return f"{self.directory}/{place.name}.files{place.file}"

    def apache(self, question: Question) -> Told:
        """What Apache answers."""
        answer = fetch(
            ("127.0.0.1", self.port),
            question.target.encode("latin-1"),
            method=question.method.encode(),
            headers={n.encode(): v.encode("latin-1") for n, v in question.headers},
        )
        return told(answer.status, answer.headers, answer.body, question.method)

    def ours(self, question: Question) -> Told:
        """What we answer."""
        environ = make_environ(
            question.target, method=question.method, headers=dict(question.headers)
        )
        # Not through wsgiref's validator, which wants a Content-Type in each response.
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status, headers, exc_info=None):
            started.append((status, headers))
            return lambda data: None

        answered = self.application(environ, start_response)
        body = b"".join(answered)
        if (close := getattr(answered, "close", None)) is not None:
            close()
        [(status, headers)] = started
        named = {name.lower(): value for name, value in headers}
        assert len(named) == len(headers), headers
        return told(int(status[:3]), named, body, question.method)

    def application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Do what the table does for an Alias."""
        try:
            target = parse_target(environ["RAW_URI"])
        except BadTarget as error:
            return error_page(error.status, environ, start_response)
        uri, place = target.uri, place_of(target.uri)
        assert place is not None
        return serve_file(
            self.root(place) + uri[len(place.name) + 1 :],
            environ if target.host is None else environ | {"HTTP_HOST": target.host},
            start_response,
            place.options,
            uri=uri,
            follow_symlinks=place.follow_symlinks,
        )


def place_of(uri: str) -> Place | None:
    """The place whose Alias matches."""
    for place in PLACES:
        location = f"/{place.name}"
        if uri == location or uri.startswith(location + "/"):
            return place
    return None


def can_be_compared(question: Question) -> bool:
    """
    Whether an Alias matches, and nothing is asked for that we answer otherwise on purpose.

    Apache would open a fifo, and wait. Its redirect to an index that is a directory has no port.
    """
    try:
        uri = parse_target(question.target).uri
    except BadTarget:
        return True
    opens_fifo = "fifo" in uri and question.method in ("GET", "HEAD", "POST")
    loses_port = "/holds/" in uri and uri.endswith("/") and "Host" in dict(question.headers)
    return place_of(uri) is not None and not opens_fifo and not loses_port


def told(status: int, headers: Mapping[str, str], body: bytes, method: str) -> Told:
    """What is compared of an answer: the pages of errors are each server's own."""
    left_out = OF_THE_PAGE if status >= 300 and status != 412 else set()
    kept = {name: headers[name] for name in COMPARED if name in headers and name not in left_out}
    if "allow" in kept:
        # Apache's order is another one in each process.
        kept["allow"] = ",".join(sorted(kept["allow"].split(",")))
    if kept.get("content-length") == "0" and method == "HEAD":
        # Apache takes it for a mistake of a program.
        del kept["content-length"]
    media_type, mark, boundary = kept.get("content-type", "").partition("boundary=")
    if mark:
        kept["content-type"] = media_type
        body = body.replace(boundary.encode(), b"BOUNDARY")
        # Apache sends more than 32 ranges in chunks.
        kept.pop("content-length", None)
    return Told(status, tuple(sorted(kept.items())), body if status < 300 else b"")


@contextmanager
def file_sites() -> Iterator[FileSites]:
    """Run an Apache that serves all places."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        port = free_port()
        text = configuration(directory, port).replace("WSGI", "#WSGI")
        text = re.sub(r"(?m)^LoadModule (wsgi|env)_module.*$", "", text)
        for name in LOADED:
            text += f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        text += f'Include "{MIME_CONFIGURATION}"\n'
        text += '<FilesMatch "^\\.ht">\nRequire all denied\n</FilesMatch>\nTraceEnable Off\n'
        (directory / "empty").mkdir()
        text += f'DocumentRoot "{directory}/empty"\n'
        sites = FileSites(directory, port)
        for place in PLACES:
            folder = directory / f"{place.name}.files"
            make_folder(folder)
            text += f'Alias "/{place.name}" "{sites.root(place)}"\n'
            text += f'<Directory "{folder}">\n{place.directives}\n</Directory>\n'
        (directory / "httpd.conf").write_text(text)
        Apache(directory, directory / "httpd.conf", port, stack)
        # Another user may not come to Python's own files, and some are imported late.
        sites.ours(Question("/plain/a.txt", headers=(("Range", "bytes=0-0,2-2"),)))
        yield sites


def make_folder(folder: Path) -> None:
    """Make the files of a place, all of them old."""
    build_tree(folder, TREE)
    for path, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files):
            # Not behind links: what is outside is not ours.
            os.utime(os.path.join(path, name), (LONG_AGO, LONG_AGO), follow_symlinks=False)
    for recent, since in (("recent.txt", 30), ("future.txt", -100_000)):
        at = time.time() - since
        os.utime(folder / recent, (at, at))
    if os.geteuid() == 0:
        os.lchown(folder / "linked", 12345, -1)
