from __future__ import annotations

import os
import time

import pytest

from django_wsgimatch.apache.lines.directive import (
    ApacheConfiguration,
    Directive,
    Refusal,
    Remark,
    Section,
    Spot,
)
from django_wsgimatch.apache.lines.lines import LONGEST
from django_wsgimatch.apache.reading.reading import read_file, read_text
from tests.support.apache_reading import directives, on_lines, read, refusals

SITE = """\
# A site.
WSGIDaemonProcess blog \\
    threads=5
<VirtualHost *:80>
  ServerName blog.example.org
  <Directory "/srv/a b">
    Require all granted
  </Directory>
</VirtualHost>
"""


def test_site():
    host = Section("VirtualHost", "*:80", Spot("/c/site.conf", 4))
    directory = Section("Directory", '"/srv/a b"', Spot("/c/site.conf", 6))

    configuration = read(SITE)

    assert configuration == ApacheConfiguration(
        (
            Directive("WSGIDaemonProcess", "blog     threads=5", Spot("/c/site.conf", 2)),
            Directive("ServerName", "blog.example.org", Spot("/c/site.conf", 5), (host,)),
            Directive("Require", "all granted", Spot("/c/site.conf", 7), (host, directory)),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("A b # c", ["1 A b # c"], id="no comment behind text"),
        pytest.param(" \t# A b\n#\n\n", [], id="comments and blank lines go"),
        pytest.param("A> b", ["1 A b"], id="a bracket behind a name goes"),
        pytest.param('"A" "b', ['1 A "b'], id="a quote may stay open"),
        pytest.param("A", ["1 A"], id="no arguments"),
        pytest.param("A \xe9\xff", ["1 A \xe9\xff"], id="bytes that are no UTF-8"),
        pytest.param('"" b', ["1 - b"], id="an empty first word takes no effect"),
    ],
)
def test_directive(text, found):
    read_directives = directives(text)

    assert read_directives == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("<files a>\nX\n</FILES>", ["2 <Files a> X"], id="any case"),
        pytest.param("<Files a > b\nX\n</Files> c", ["2 <Files a> X"], id="text behind brackets"),
        pytest.param("<Mine a>\nX\n</Mine>", ["2 <Mine a> X"], id="an unknown one"),
        pytest.param("<If \"a > 'b'\">\nX\n</If>", ["2 <If \"a > 'b'\"> X"], id="a bracket inside"),
        pytest.param("<Else>\nX\n</Else>", ["2 <Else > X"], id="no argument"),
        pytest.param("<Else >\nX\n</Else>", ["2 <Else > X"], id="a blank for an argument"),
        pytest.param("<Files a>\n</Files>\nX", ["3 X"], id="an empty one"),
        pytest.param(
            "<Proxy a>\n<RequireAll>\nX\n</RequireAll>\nY\n</Proxy>\nZ",
            ["3 <Proxy a> <RequireAll > X", "5 <Proxy a> Y", "7 Z"],
            id="one in another",
        ),
    ],
)
def test_section(text, found):
    read_directives = directives(text)

    assert read_directives == found


def test_two_sections_that_say_the_same_are_two():
    configuration = read("<Files a>\nX\n</Files>\n<Files a>\nY\n</Files>")

    first, second = (each.sections for each in configuration.directives)
    assert first != second


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("X\n</Files>", "</Files> without matching <Files> section", id="not open"),
        pytest.param("</>", "</> without matching <> section", id="without a name"),
        pytest.param("<>\n</>", "Invalid command '<'", id="opened without a name"),
        pytest.param(">", "Invalid command ''", id="a bracket alone"),
        pytest.param(
            "<Files>\n</Files>", "<Files> directive requires additional arguments", id="empty"
        ),
        pytest.param(
            "<files a\n</files>", "<Files> directive missing closing '>'", id="no bracket"
        ),
        pytest.param(
            "<Files a>\n</Files >",
            "</Files> directive missing closing '>'",
            id="a blank at the end",
        ),
        pytest.param(
            "<Files a>\n</Location>\n</Files>",
            "expected </Files> but saw </Location>: <Files> in /c/site.conf:1 is open",
            id="another is open",
        ),
        pytest.param("<Files a>\nX", "<Files> was not closed", id="left open"),
        pytest.param(
            "<Proxy a>\n<Files a>\n</Proxy>",
            "expected </Files> but saw </Proxy>: <Files> in /c/site.conf:2 is open",
            id="one slip is told once",
        ),
    ],
)
def test_bad_section(text, reason):
    found = refusals(text)

    assert [each for _, _, each in found] == [reason]


def test_reading_goes_on_behind_what_cannot_be_read():
    configuration = read("<Files a>\n</Location>\nX\n</Files>\nY")

    assert on_lines(configuration.directives) == ["3 <Files a> X", "5 Y"]
    assert configuration.refusals == (
        Refusal(
            Spot("/c/site.conf", 2),
            "</Location>",
            "expected </Files> but saw </Location>: <Files> in /c/site.conf:1 is open",
            "close that section first with </Files>",
        ),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Define a b\nX ${a} ${A}", ["1 Define a b", "2 X b b"], id="any case"),
        pytest.param("X ${a}\nDefine a b", ["1 X ${a}", "2 Define a b"], id="not before"),
        pytest.param('Define a "b c"\nX ${a}', ['1 Define a "b c"', "2 X b c"], id="in quotes"),
        pytest.param(
            "Define a b\nUnDefine a\nX ${a}",
            ["1 Define a b", "2 UnDefine a", "3 X ${a}"],
            id="undone",
        ),
        pytest.param(
            'Define a ""\nX ${a}', ['1 Define a ""', "2 X ${a}"], id="an empty value is none"
        ),
        pytest.param(
            "Define a b\nDefine c ${a}d\nX ${c}",
            ["1 Define a b", "2 Define c bd", "3 X bd"],
            id="of another",
        ),
        pytest.param('Define a "X y"\n${a} z', ['1 Define a "X y"', "2 X y z"], id="a name too"),
        pytest.param(
            "Define a ${b}\nX ${a}", ["1 Define a ${b}", "2 X ${b}"], id="not filled in twice"
        ),
        pytest.param("X ${HOME}", ["1 X /root"], id="of the environment"),
        pytest.param("X ${home} ${ $Home {}", ["1 X ${home} ${ $Home {}"], id="what is none stays"),
    ],
)
def test_variable(text, found):
    read_directives = directives(text, environ={"HOME": "/root"})

    assert read_directives == found


def test_variable_of_this_process(monkeypatch):
    monkeypatch.setenv("SITE_PATH", os.fsdecode(b"/srv/\xc3\xa9"))

    [directive] = read_text("X ${SITE_PATH}", "f").directives

    assert directive.rest == "/srv/\xc3\xa9"


def test_a_variable_without_a_value_is_remarked_once():
    configuration = read("X ${A}\nX ${A} ${lowercase:%{SERVER_NAME}}")

    assert configuration.remarks == (
        Remark(
            Spot("/c/site.conf", 1),
            "${A} has no value and stays as it is: give it one in the environment, or with Define "
            "in front of this line",
        ),
    )


def test_a_variable_in_what_is_off_is_not_remarked():
    configuration = read("<IfDefine A>\nX ${A}\n</IfDefine>")

    assert configuration.remarks == ()


def test_variable_that_is_given_is_read_as_bytes():
    [directive] = read("X ${A}", environ={"A": "\u20ac"}).directives

    assert directive.rest == "\xe2\x82\xac"


def test_text_that_was_not_read_as_latin_1_is_read_all_the_same(tmp_path):
    configuration = read("X \u20ac\nInclude \u20ac\n", server_root=str(tmp_path))

    assert [each.name for each in configuration.directives] == ["X"]
    assert [each.text for each in configuration.refusals] == ["Include \u20ac"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("Define", "Define takes a name, and a value or none", id="nothing to define"),
        pytest.param("Define a b c", "Define takes a name, and a value or none", id="two values"),
        pytest.param("Define a:b", "Variable name must not contain ':'", id="a colon"),
        pytest.param("UnDefine a:b", "Variable name must not contain ':'", id="a colon undone"),
        pytest.param("UnDefine a b", "UnDefine takes one name", id="two names"),
        pytest.param(
            "LoadModule a",
            "LoadModule takes the module's name and its file, not 1 arguments",
            id="a module without a file",
        ),
        pytest.param("ServerRoot", "ServerRoot takes a directory, not 0 arguments", id="no root"),
        pytest.param('Error "no luck"', "Apache stops here: no luck", id="Error"),
        pytest.param("X a\0b", "a NUL byte, behind which Apache does not read the line", id="NUL"),
        pytest.param(
            "\xef\xbb\xbfX",
            "a byte order mark, which Apache takes for part of the first word",
            id="byte order mark",
        ),
        pytest.param(
            "\xff\xfeX\0\n\0", "the file is UTF-16, which Apache cannot read", id="UTF-16"
        ),
        pytest.param(
            "X " + "a" * LONGEST, f"Line too long: Apache takes {LONGEST} bytes", id="16 MiB"
        ),
    ],
)
def test_what_apache_would_refuse(text, reason):
    found = refusals(text)

    assert [each for _, _, each in found] == [reason]


def test_read_file(tmp_path):
    path = tmp_path / "site.conf"
    path.write_bytes(b"X \xff")

    configuration = read_file(str(path))

    assert configuration.directives == (Directive("X", "\xff", Spot(str(path), 1)),)


def test_file_that_is_missing(tmp_path):
    path = tmp_path / "site.conf"

    [refusal] = read_file(str(path)).refusals

    assert (refusal.spot, refusal.reason) == (
        Spot(str(path), 1),
        f"{path} cannot be read: No such file or directory",
    )


def test_directory_instead_of_a_file(tmp_path):
    [refusal] = read_file(str(tmp_path)).refusals

    assert refusal.reason == f"{tmp_path} is a directory"


def test_pipe_instead_of_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    [refusal] = read_file(str(tmp_path / "pipe")).refusals

    assert refusal.reason == f"{tmp_path / 'pipe'} is not a regular file"


def test_sections_that_nest_too_deep():
    text = "<Files a>\n" * 202 + "X\n" + "</Files>\n" * 202 + "Y"

    configuration = read(text)

    assert [len(each.sections) for each in configuration.directives] == [200, 0]
    assert [(each.spot.line, each.reason) for each in configuration.refusals] == [
        (201, "more than 200 sections in one another"),
        (202, "more than 200 sections in one another"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("X " + "${a" * 100_000, id="variables that are not closed"),
        pytest.param("X " + "{%a" * 30_000, id="placeholders that are not closed"),
        pytest.param("Include " + "[" * 100_000, id="wildcards that are not closed"),
        pytest.param("<Files a>\n" * 10_000, id="sections that are not closed"),
    ],
)
def test_what_is_not_closed_takes_no_time(text):
    start = time.process_time()
    configuration = read(text)

    assert time.process_time() - start < 10
    assert configuration.directives or configuration.refusals


def test_50000_lines_take_no_time_that_grows_faster_than_they():
    text = SITE.replace("# A site.", "Define A b\nErrorLog ${APACHE_LOG_DIR}/${A}") * 5_000

    start = time.process_time()
    configuration = read(text)

    # Each line against each other would take minutes; `make bench` says what it takes.
    assert time.process_time() - start < 30
    assert len(configuration.directives) == 25_000
