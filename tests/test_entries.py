from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch import (
    alias,
    document_root,
    read_directives,
    script_alias,
    script_alias_match,
)
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.quoting import directive_line
from django_wsgimatch.entries import Entry, FileEntry, line_bytes, to_alias
from django_wsgimatch.exceptions import DirectiveError


def alias_of(entry, process_groups=(), variables=None):
    return to_alias(entry, process_groups=process_groups, variables=variables or {})


def options_of(**options):
    return script_alias("/a", "/x", **options).options


class BytesPath:
    def __fspath__(self):
        return b"/x\xe9.wsgi"


def test_script_alias_keeps_what_is_written():
    entry = script_alias("/a", "x.wsgi", callable_object="handler")

    assert entry == Entry("plain", "/a", "x.wsgi", {"callable_object": "handler"})


def test_script_alias_match_keeps_what_is_written():
    entry = script_alias_match("^/(a)", Path("/$1.wsgi"))

    assert entry == Entry("match", "^/(a)", Path("/$1.wsgi"), {})


def test_entries_with_the_same_options_share_them():
    options = options_of(process_group="shop", pass_authorization=True)

    assert options_of(process_group="shop", pass_authorization=True) is options
    assert options_of(process_group="shop", pass_authorization=1) is not options
    assert options_of(process_group=["shop"]) == {"process_group": ["shop"]}


@pytest.mark.parametrize(
    ("entry", "alias"),
    [
        pytest.param(script_alias("/a", "/x.wsgi"), Alias("/a", "/x.wsgi"), id="text"),
        pytest.param(script_alias(b"/\xe9", b"/\xff"), Alias("/\xe9", "/\xff"), id="bytes"),
        pytest.param(
            script_alias("/\xe9\u0142", Path("/\xe9")),
            Alias("/\xc3\xa9\xc5\x82", "/\xc3\xa9"),
            id="other text is its UTF-8 bytes",
        ),
        pytest.param(script_alias("/a", "/\udcff"), Alias("/a", "/\xff"), id="an undecoded byte"),
        pytest.param(script_alias("/a", BytesPath()), Alias("/a", "/x\xe9.wsgi"), id="PathLike"),
        pytest.param(
            script_alias_match(r"^/(\w)", "/$1"), Alias(r"^/(\w)", "/$1", "match"), id="a pattern"
        ),
        pytest.param(
            script_alias(
                "/a",
                "/x",
                process_group="g\xe9",
                application_group="h",
                callable_object="c",
                pass_authorization=True,
            ),
            Alias("/a", "/x", "plain", "g\xc3\xa9", "h", "c", True),
            id="every option",
        ),
        pytest.param(
            script_alias("/a", "/x", pass_authorization=False),
            Alias("/a", "/x", pass_authorization=False),
            id="an option that says no",
        ),
        pytest.param("WSGIScriptAlias /a /x", Alias("/a", "/x"), id="a directive line"),
        pytest.param("\nWSGIScriptAlias \\\n /a /x\n", Alias("/a", "/x"), id="a line that goes on"),
        pytest.param(
            b"WSGIScriptAlias /\xe9 /\xc3\xa9",
            Alias("/\xe9", "/\xc3\xa9"),
            id="a directive line in bytes",
        ),
        pytest.param(
            "WSGIScriptAlias /\u0142 /\xe9",
            Alias("/\xc5\x82", "/\xc3\xa9"),
            id="a directive line with more than bytes",
        ),
        pytest.param(
            FileEntry("WSGIScriptAlias /\xe9 /x", "/srv/aliases"),
            Alias("/\xe9", "/x"),
            id="a line of a file",
        ),
    ],
)
def test_alias_of_an_entry(entry, alias):
    found = alias_of(entry, process_groups=["g\xc3\xa9"])

    assert found == alias


def test_variables_are_replaced():
    found = alias_of("WSGIScriptAlias /a ${ROOT}/x${NONE}", variables={"ROOT": "/srv"})

    assert found == Alias("/a", "/srv/x${NONE}")


# Most settings files are not type-checked.
careless: Any = script_alias

NOT_TEXT = "should be non-empty text, not"
SURROGATE = "should be text that UTF-8 can encode, not '\\ud800'"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(script_alias("", "/x"), f"the location {NOT_TEXT} ''", id="empty location"),
        pytest.param(script_alias("/a", b""), f"the target {NOT_TEXT} b''", id="an empty target"),
        pytest.param(careless(1, "/x"), f"the location {NOT_TEXT} 1", id="a number"),
        pytest.param(careless("/a", None), f"the target {NOT_TEXT} None", id="None"),
        pytest.param(
            script_alias("/a\0", "/x"), "the location '/a\\x00' contains a NUL byte", id="a NUL"
        ),
        pytest.param(
            script_alias("\ud800", "/x"), f"the location {SURROGATE}", id="half a character"
        ),
        pytest.param(
            script_alias("/a", "/x", callable_object="\ud800"),
            f"callable_object {SURROGATE}",
            id="half a character in an option",
        ),
        pytest.param("\ud800", f"a directive line {SURROGATE}", id="half a character in a line"),
        pytest.param(
            careless("/a", "/x", group="g"),
            "'group' is not an option; the options are process_group, application_group, "
            "callable_object, pass_authorization, environ, headers, charset, expires, body_limit, "
            "expires_by_type, "
            "access",
            id="an unknown option",
        ),
        pytest.param(
            careless("/a", "/x", pass_authorization="On"),
            "pass_authorization should be True or False, not 'On'",
            id="a flag that is no bool",
        ),
        pytest.param(
            careless("/a", "/x", process_group=None),
            "process_group should be a string, not None",
            id="an option that is no text",
        ),
        pytest.param(
            script_alias("/a", "/x", callable_object=""),
            "Invalid name for WSGI callable object.",
            id="an empty option",
        ),
        pytest.param(
            script_alias("/a", "/x", process_group="blue", application_group="h"),
            "WSGI process group not yet configured.",
            id="a process group that is not defined",
        ),
        pytest.param(
            "WSGIScriptAlias /a",
            "WSGIScriptAlias requires at least two arguments, "
            "Map location to target WSGI script file.",
            id="a broken line",
        ),
        pytest.param(
            "# nothing", "'# nothing' should be one directive line, not 0", id="a comment"
        ),
        pytest.param("a\nb", "'a\\nb' should be one directive line, not 2", id="two lines"),
        pytest.param(
            ("/a", "/x"),
            "('/a', '/x') should be script_alias(...), alias(...), redirect(...), deny(...), one "
            "of them with _match, rewrite(...), or a directive line",
            id="a tuple",
        ),
        pytest.param(
            FileEntry("", "/srv/aliases", "cannot be read: Is a directory"),
            "/srv/aliases cannot be read: Is a directory",
            id="a file that cannot be read",
        ),
    ],
)
def test_entry_that_cannot_be_used(entry, message):
    with pytest.raises(DirectiveError) as caught:
        alias_of(entry)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b"\xe9", "\xe9", id="bytes are taken as they are"),
        pytest.param("\u0142\xe9", "\xc5\x82\xc3\xa9", id="text is its UTF-8 bytes"),
        pytest.param("a b", "a b", id="ASCII is the same in both"),
    ],
)
def test_line_bytes(line, expected):
    found = line_bytes(line)

    assert found == expected


def test_read_directives(tmp_path):
    path = tmp_path / "aliases.conf"
    path.write_bytes(
        b"# The shop\r\n"
        b"Define ROOT /srv/shop\n"
        b'define NAME "${ROOT}/my shop"\n'
        b"\n"
        b'  WSGIScriptAlias /shop \\\n    "${NAME}.wsgi"\n'
        b"WSGIScriptAlias /\xe9 ${OTHER}/x\n"
        b"Listen 80"
    )

    entries = read_directives(path)

    assert entries == [
        FileEntry('WSGIScriptAlias /shop     "/srv/shop/my shop.wsgi"', f"{path}:6"),
        FileEntry("WSGIScriptAlias /\xe9 ${OTHER}/x", f"{path}:7"),
        FileEntry("Listen 80", f"{path}:8"),
    ]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        pytest.param("none.conf", "cannot be read: No such file or directory", id="missing"),
        pytest.param(".", "cannot be read: Is a directory", id="a directory"),
        pytest.param("a\0", "cannot be read: embedded null byte", id="no name of a file"),
    ],
)
def test_file_of_directives_that_cannot_be_read(tmp_path, name, error):
    path = f"{tmp_path}/{name}"

    entries = read_directives(path)

    assert entries == [FileEntry("", path, error)]


def test_document_root_is_an_alias_of_all_urls_that_is_tried_last():
    found = alias_of(document_root("/srv/html", index=["a.html"], follow_symlinks="owner"))

    answer = FileOptions(("a.html",), follow_symlinks="owner", is_root=True)
    assert found == Alias("/", "/srv/html/", answer=answer)
    assert alias_of("DocumentRoot /srv/html/") == alias_of(document_root("/srv/html"))
    assert directive_line(found) == "DocumentRoot /srv/html/"


def test_an_option_of_files_that_there_is_not_is_told_with_all_that_there_are():
    with pytest.raises(DirectiveError, match=r"^files have no option 'indx'; .*, headers, access$"):
        alias_of(alias("/f", "/srv/f", indx=["a.html"]))  # type: ignore[call-arg]


def test_a_policy_for_links_that_is_none_is_refused():
    with pytest.raises(
        DirectiveError, match="follow_symlinks is 'no'; it takes True, False, 'owner' or None"
    ):
        alias_of(alias("/f", "/srv/f", follow_symlinks="no"))  # type: ignore[arg-type]
