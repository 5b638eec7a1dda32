from __future__ import annotations

import pytest

from django_wsgimatch.apache.lines.directive import (
    ApacheConfiguration,
    Directive,
    Refusal,
    Section,
    Spot,
)
from django_wsgimatch.apache.reading.reading import read_text
from tests.support.apache_reading import on_lines, read

LIST = r"""# In file: /etc/apache2/apache2.conf
#   7:
Listen 80
#  12:
<VirtualHost *:80>
  #  13:
  <Files "a b">
# In file: /etc/apache2/site.inc
  #   1:
  <Directory /srv >
    #   2:
    Require all granted
  </Directory>
  #   5:
  ErrorLog ${APACHE_LOG_DIR}/error.log
# In file: /etc/apache2/apache2.conf
</VirtualHost>
#  20:
Alias /a\ /srv/{{a}}\
#  21:
Define x y
"""
MACRO = """# In file: macro 'b' (defined on line 3 of "/c/a.conf") used on line 2 of "macro 'a' \
(defined on line 9 of "/c/b.conf") used on line 8 of "/c/c.conf""
#   2:
X y
"""


def test_spots_are_those_of_the_list_and_indentation_says_what_is_open():
    configuration = read_text(LIST, "-")

    assert on_lines(configuration.directives) == [
        "7 Listen 80",
        "2 <VirtualHost *:80> <Directory /srv> Require all granted",
        "5 <VirtualHost *:80> ErrorLog ${APACHE_LOG_DIR}/error.log",
        "20 Alias /a\\ /srv/{{a}}\\",
        "21 Define x y",
    ]
    assert [each.spot.file for each in configuration.directives] == [
        "/etc/apache2/apache2.conf",
        "/etc/apache2/site.inc",
        "/etc/apache2/site.inc",
        "/etc/apache2/apache2.conf",
        "/etc/apache2/apache2.conf",
    ]
    assert (configuration.refusals, configuration.remarks) == ((), ())


def test_what_a_macro_put_in_stands_where_that_is_defined():
    configuration = read_text(MACRO, "-")

    assert [each.spot for each in configuration.directives] == [
        Spot("/c/a.conf", 3, Spot("/c/c.conf", 8))
    ]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("Syntax OK", id="its verdict"),
        pytest.param("AH00558: apache2: Could not reliably determine the name", id="a message"),
        pytest.param(
            "[Fri Nov 27 19:06:52.565073 2026] [core:warn] [pid 1:tid 1] AH00111: x",
            id="a log line",
        ),
    ],
)
def test_what_apache_said_beside_the_list_is_passed_over(message):
    configuration = read_text(f"{message}\n{LIST}{message}\n", "-")

    assert len(configuration.directives) == 5


def test_a_line_before_the_first_place_stands_in_the_list():
    configuration = read_text(f"X\n{LIST}", "list")

    assert configuration.directives[0].spot == Spot("list", 1)


def test_a_list_with_carriage_returns():
    configuration = read_text(LIST.replace("\n", "\r\n"), "-")

    assert len(configuration.directives) == 5
    assert configuration.directives[0].rest == "80"


def test_a_list_that_has_lost_its_indentation_is_refused():
    text = "# In file: /a\n# 1:\n<Proxy b>\n# 2:\nX\n</Proxy>"

    configuration = read_text(text, "-")

    assert configuration == ApacheConfiguration(
        (Directive("X", "", Spot("/a", 2), ()),),
        (
            Refusal(
                Spot("/a", 2),
                "</Proxy>",
                "this section is not open there",
                "import what Apache has printed, with the blanks at the beginning of lines",
            ),
        ),
    )


def test_sections_of_the_list_have_their_spots():
    [_, directive, *_] = read_text(LIST, "-").directives

    assert directive.sections == (
        Section("VirtualHost", "*:80", Spot("/etc/apache2/apache2.conf", 12)),
        Section("Directory", "/srv", Spot("/etc/apache2/site.inc", 1)),
    )


def test_a_comment_about_a_file_makes_no_list():
    configuration = read("# In file: /etc/a\nDefine a b\nX ${a}")

    assert configuration.directives[1].rest == "b"
