"""What SetEnv, Header and their kin make of entries."""

from __future__ import annotations

import pytest

from django_wsgimatch.apache.covering.around import endings_of
from django_wsgimatch.apache.covering.coverage import FileKind
from django_wsgimatch.apache.lines.directive import Section, Spot
from tests.support.imports import entry_lines, notes_of, section

ALIAS = "WSGIScriptAlias / /srv/a.wsgi"
FILES = "Alias /static /srv/static"
HEADER = "Header set X-A b"
OFF = (
    "It takes ExpiresActive On and ExpiresDefault or ExpiresByType to say how long a response is "
    "kept, and a type with * is forgotten in sections that say something of it"
)
PASSED = (
    "environ has it from the environment that the settings are loaded in, if it is there: start "
    "the server with the variables that Apache was started with"
)
CONTESTED = (
    "Apache takes its value from its own environment, or what SetEnv or UnsetEnv says if it is "
    'not there. Write it into the entries: environ={"A": os.environ["A"]}'
)
PART = "applies to some URLs of Alias /static; which ones cannot be determined"


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        pytest.param(
            ["SetEnv A b", "SetEnv trac.env_path /srv/trac"],
            ['script_alias("/", "/srv/a.wsgi", environ={"A": "b", "trac.env_path": "/srv/trac"})'],
            id="variables",
        ),
        pytest.param(
            ["SetEnv A b", "SetEnv a c", *section("Location /", "SetEnv A d")],
            ['script_alias("/", "/srv/a.wsgi", environ={"A": "d"})'],
            id="the last of a name wins, whatever its case",
        ),
        pytest.param(
            ["SetEnv A b", "SetEnv B c", *section("Directory /srv", "UnsetEnv A")],
            ['script_alias("/", "/srv/a.wsgi", environ={"B": "c"})'],
            id="a variable that is taken back",
        ),
        pytest.param(
            [
                "SetEnv A b",
                *section("Directory /srv", "SetEnv B c"),
                *section("DirectoryMatch wsgi$", "UnsetEnv A"),
            ],
            ['script_alias("/", "/srv/a.wsgi", environ={"A": "b", "B": "c"})'],
            id="one that is not, as another section of its kind has variables",
        ),
        pytest.param(
            [
                *section("Location /", "Header set X-A c"),
                *section("Directory /srv", "Header add X-A b"),
                HEADER,
            ],
            [
                (
                    'script_alias("/", "/srv/a.wsgi", headers=[("set", "X-A", "b"), '
                    '("add", "X-A", "b"), ("set", "X-A", "c")])'
                )
            ],
            id="headers, in the order of server, directory and location",
        ),
        pytest.param(
            [HEADER, "Header set X-B %%"],
            ['script_alias("/", "/srv/a.wsgi", headers={"X-A": "b", "X-B": "%"})'],
            id="headers that are set",
        ),
        pytest.param(
            ["Header always unset X-A", HEADER],
            [
                (
                    'script_alias("/", "/srv/a.wsgi", headers=[("unset", "X-A", "always"), '
                    '("set", "X-A", "b")])'
                )
            ],
            id="headers of errors",
        ),
        pytest.param(
            ["ExpiresActive On", "ExpiresDefault A60", "AddDefaultCharset utf-8"],
            ['script_alias("/", "/srv/a.wsgi", charset="utf-8", expires=60)'],
            id="a charset, and for how long responses are kept",
        ),
        pytest.param(
            ["ExpiresDefault A60", *section("Directory /srv", "ExpiresActive On")],
            ['script_alias("/", "/srv/a.wsgi", expires=60)'],
            id="an expiry that a section switches on",
        ),
        pytest.param(
            ["ExpiresDefault A60"],
            ['script_alias("/", "/srv/a.wsgi")'],
            id="an expiry that nothing switches on",
        ),
        pytest.param(
            [
                "ExpiresActive On",
                'ExpiresByType text/css "modification plus 1 day"',
                "ExpiresByType image/* A60",
            ],
            [
                (
                    'script_alias("/", "/srv/a.wsgi", expires_by_type={"text/css": '
                    '"modification plus 1 day", "image/*": 60})'
                )
            ],
            id="an expiry by type",
        ),
        pytest.param(
            [
                *("ExpiresActive On", "ExpiresByType text/css A1", "ExpiresByType image/* A60"),
                *section("Directory /srv", "ExpiresByType text/css A2"),
            ],
            ['script_alias("/", "/srv/a.wsgi", expires_by_type={"text/css": 2})'],
            id="a type of a section, which forgets kinds of types",
        ),
        pytest.param(
            [
                *("ExpiresActive On", "ExpiresByType image/* A60"),
                *section("Directory /srv", "ExpiresByType text/css A2"),
                *section("Location /", "ExpiresByType audio/* A3"),
            ],
            [
                (
                    'script_alias("/", "/srv/a.wsgi", expires_by_type={"image/*": 60, '
                    '"text/css": 2, "audio/*": 3})'
                )
            ],
            id="kinds of types that another section brings back",
        ),
        pytest.param(
            ["SetEnv A b", "PassEnv HOSTNAME"],
            [('script_alias("/", "/srv/a.wsgi", environ={"A": "b", **_PASSED["HOSTNAME"]})')],
            id="a variable of the server's environment",
        ),
        pytest.param(
            ["LimitRequestBody 10", *section("Directory /srv", "LimitRequestBody 0")],
            ['script_alias("/", "/srv/a.wsgi")'],
            id="a limit that a section takes away",
        ),
        pytest.param(
            ["SetEnv A b", *section("Location /api", "SetEnv A c", "LimitRequestBody 10")],
            [
                'script_alias("/api", "/srv/a.wsgi/api", environ={"A": "c"}, body_limit=10)',
                'script_alias("/", "/srv/a.wsgi", environ={"A": "b"})',
            ],
            id="a location within the alias",
        ),
        pytest.param(
            ["SetEnv A b", *section("Location /api", "SetEnv A b", "ExpiresActive On")],
            ['script_alias("/", "/srv/a.wsgi", environ={"A": "b"})'],
            id="a location that says nothing else",
        ),
        pytest.param(
            section("Proxy *", HEADER),
            ['script_alias("/", "/srv/a.wsgi")'],
            id="what another server answers",
        ),
    ],
)
def test_scripts_have(lines, entries):
    assert entry_lines(*lines, ALIAS) == entries


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        pytest.param(
            section("Directory /srv/static", HEADER, "SetEnv A b", "LimitRequestBody 5"),
            ['alias("/static", "/srv/static", headers={"X-A": "b"})'],
            id="headers, and nothing that only applications see",
        ),
        pytest.param(
            section("Location /static", "ExpiresActive On", "ExpiresDefault A60"),
            ['alias("/static", "/srv/static", expires=60)'],
            id="an expiry",
        ),
        pytest.param(
            section(
                "Directory /srv/static",
                *("ExpiresActive On", "ExpiresDefault M60", "ExpiresByType text/css A5"),
            ),
            [
                (
                    'alias("/static", "/srv/static", expires="modification plus 1 minute", '
                    'expires_by_type={"text/css": 5})'
                )
            ],
            id="an expiry that counts from a file's change on, and one by type",
        ),
        pytest.param(
            section("Location /static/", HEADER, "AddDefaultCharset utf-8"),
            ['alias("/static", "/srv/static", charset="utf-8", headers={"X-A": "b"})'],
            id="a location with a slash: the redirect to it has no such headers",
        ),
        pytest.param(
            section("Location /static/", "Header always set X-A b"),
            [
                'alias("/static/", "/srv/static/", headers=[("set", "X-A", "b", "always")])',
                'alias("/static", "/srv/static")',
            ],
            id="a location with a slash, and headers of redirects",
        ),
        pytest.param(
            section("Location /static/img", HEADER),
            [
                'alias("/static/img", "/srv/static/img", headers={"X-A": "b"})',
                'alias("/static", "/srv/static")',
            ],
            id="a location within the folder",
        ),
        pytest.param(
            section(r"LocationMatch \.css$", HEADER),
            [
                (
                    r'alias_match(r"^(?=.*?(?:\.css$))/static((?:/(?s:.*))?)\z", "/srv/static$1", '
                    'headers={"X-A": "b"})'
                ),
                'alias("/static", "/srv/static")',
                (
                    r'script_alias_match(r"^(?=.*?(?:\.css$))/", "/srv/a.wsgi", '
                    'headers={"X-A": "b"})'
                ),
            ],
            id="a pattern, for files and for the application",
        ),
    ],
)
def test_files_have(lines, entries):
    script = 'script_alias("/", "/srv/a.wsgi")'

    assert entry_lines(*lines, FILES, ALIAS) == [*entries, script]


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        pytest.param(["SetEnv A b"], "kept: environ of /", id="a variable"),
        pytest.param([HEADER], "kept: headers of 2 entries", id="a header of all entries"),
        pytest.param(
            ["SetEnv SERVER_NAME x"],
            "not needed: Apache sets it for each request, whatever SetEnv says",
            id="a variable that is Apache's",
        ),
        pytest.param(
            ["SetEnv dontlog 1"], "not needed: Apache itself reads these variables", id="of logs"
        ),
        pytest.param(
            ["UnsetEnv A"],
            "not needed: The option environ has no such variable there",
            id="a variable that nobody sets",
        ),
        pytest.param(
            ["ExpiresDefault A60"],
            f"not needed: {OFF}",
            id="an expiry that is off",
        ),
        pytest.param(
            ["Header edit X-A a b"],
            "needs you: it changes what the application has set: do it in a middleware",
            id="an edit",
        ),
        pytest.param(
            ["", *section("Location /elsewhere", "Header edit X-A a b")][1:],
            "needs you: it changes what the application has set: do it in a middleware",
            id="an edit for a part of the URLs",
        ),
        pytest.param(
            [r"<FilesMatch \.html$>", HEADER, "</FilesMatch>"],
            rf"needs you: <FilesMatch \.html$> {PART}. Give those URLs their own entry before it",
            id="a header of index files, which a folder's URL sends too",
        ),
        pytest.param(
            section("Directory /other", HEADER),
            "not needed: It applies to no alias of this file",
            id="a header of another folder",
        ),
        pytest.param(
            ["PassEnv A"],
            f"changed: {PASSED}",
            id="a variable of Apache's environment",
        ),
        pytest.param(
            ["PassEnv A", "SetEnv A b"],
            f"needs you: {CONTESTED}",
            id="one that a line sets, too",
        ),
        pytest.param(
            ["ExpiresByType text/* A5", *section("Location /", "ExpiresActive On")],
            f"not needed: {OFF}",
            id="a kind of types that Apache forgets",
        ),
        pytest.param(["ExpiresByType */* A5"], f"not needed: {OFF}", id="no type"),
        pytest.param(
            ["Header frob X-A b"],
            "needs you: Apache refuses it: 'frob' is no action of Header",
            id="what Apache refuses",
        ),
    ],
)
def test_the_report_says(lines, note):
    line = 2 if lines[0].startswith("<") else 1

    assert notes_of(*lines, FILES, ALIAS)[line] == note


@pytest.mark.parametrize(
    ("opening", "condition"),
    [
        pytest.param(r"FilesMatch \.css$", r"[^/]*?(?:\.css$)", id="an ending"),
        pytest.param(r"FilesMatch ^a.*\.css$", r"(?:a.*\.css$)", id="a beginning and an ending"),
        pytest.param(r'FilesMatch "\.(css|js)$"', r"[^/]*?(?:\.(?:css|js)$)", id="some endings"),
        pytest.param("Files *.css", r"(?:[^/]*\.css)$", id="a wildcard"),
        pytest.param("Files a.css", r"(?:a\.css)$", id="a name"),
    ],
)
def test_files_by_name_are_an_entry_of_their_own(opening, condition):
    entries = entry_lines(*section(opening, HEADER), FILES)

    assert entries == [
        (
            rf'alias_match(r"^(?=(?s:.*)/(?=[^/]*\z){condition})/static((?:/(?s:.*))?)\z", '
            '"/srv/static$1", headers={"X-A": "b"})'
        ),
        'alias("/static", "/srv/static")',
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(section("FilesMatch ^a|css$", HEADER), id="a pattern with several beginnings"),
        pytest.param(section(r"FilesMatch \.x$", "Header always set A b"), id="headers of errors"),
        pytest.param(
            [*section("Files *.css", HEADER), *section("Files a.css", "Header set X-B c")],
            id="two sections for one file",
        ),
        pytest.param(
            section("Directory /srv/static/img", "<Files *.x>", HEADER, "</Files>"),
            id="a part of the folder",
        ),
    ],
)
def test_files_by_name_that_no_entry_can_tell_need_the_user(lines):
    assert entry_lines(*lines, FILES) == ['alias("/static", "/srv/static")']
    assert [note for note in notes_of(*lines, FILES).values() if PART in note]


def test_files_of_a_document_root_have_no_parts():
    lines = [*section(r"FilesMatch \.css$", HEADER), "WSGIScriptAlias /a /srv/a.wsgi"]

    notes = notes_of(*lines, "DocumentRoot /srv/www")

    assert notes[2].startswith("needs you: ")


@pytest.mark.parametrize(
    ("argument", "endings"),
    [
        pytest.param(r"\.css$", {"css"}, id="one"),
        pytest.param(r'"(?i)^.*\.(?:GIF|jpe?g)$"', {"gif", "jpg", "jpeg"}, id="some, in any case"),
        pytest.param(r"\.(css|j?s?)$", None, id="several letters that may be missing"),
        pytest.param("css$", None, id="no dot"),
    ],
)
def test_endings_of_names(argument, endings):
    found = endings_of(Section("FilesMatch", argument, Spot("site.conf", 1)))

    assert found == endings


def test_redirects_have_no_headers():
    notes = notes_of("Header always set X-A b", "Redirect /old http://x.test/", ALIAS)

    assert notes[1] == (
        "changed: redirects, and error pages of URLs that no entry answers, are sent without it"
    )


def test_a_section_whose_urls_files_answer_is_none_of_the_application_s():
    lines = [FILES, *section("LocationMatch ^/static/.*x", "SetEnv A b"), ALIAS]

    assert entry_lines(*lines) == [
        'alias("/static", "/srv/static")',
        'script_alias("/", "/srv/a.wsgi")',
    ]
    assert notes_of(*lines)[3] == "not needed: It applies to no alias of this file"


def test_lines_of_an_htaccess_file_hold_for_its_folder(tmp_path):
    (tmp_path / "a.wsgi").touch()
    (tmp_path / ".htaccess").write_text("SetEnv A b\nHeader set X-A c\n")
    lines = [
        *section("Directory /", "AllowOverride All"),
        f"WSGIScriptAlias / {tmp_path}/a.wsgi",
    ]
    files: dict[str, FileKind] = {
        f"{tmp_path}/a.wsgi": "file",
        f"{tmp_path}/.htaccess": "file",
        str(tmp_path): "directory",
    }

    found = entry_lines(*lines, files=files)

    assert found == [
        f'script_alias("/", "{tmp_path}/a.wsgi", environ={{"A": "b"}}, headers={{"X-A": "c"}})'
    ]
