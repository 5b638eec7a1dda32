from __future__ import annotations

from random import Random

import pytest

from django_wsgimatch.aliases.alias import Alias, Denial, Redirection
from django_wsgimatch.aliases.directives import parse_directive
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.quoting import directive_line


@pytest.mark.parametrize(
    ("alias", "line"),
    [
        pytest.param(Alias("/a", "x.wsgi"), "WSGIScriptAlias /a x.wsgi", id="plain"),
        pytest.param(
            Alias(r"^/(\w+)", "$1.wsgi", "match"),
            r"WSGIScriptAliasMatch ^/(\\w+) $1.wsgi",
            id="backslash",
        ),
        pytest.param(Alias("/a b", "x y"), 'WSGIScriptAlias "/a b" "x y"', id="blanks"),
        pytest.param(Alias('"a"', "'x'"), r"""WSGIScriptAlias "\"a\"" "'x'" """[:-1], id="quotes"),
        pytest.param(
            Alias("/a", "x", "plain", "g", "%{GLOBAL}", "app", False),
            "WSGIScriptAlias /a x process-group=g application-group=%{GLOBAL} "
            "callable-object=app pass-authorization=Off",
            id="all options",
        ),
        pytest.param(
            Alias("/a", "x", pass_authorization=True),
            "WSGIScriptAlias /a x pass-authorization=On",
            id="one option",
        ),
        pytest.param(
            Alias("/a b", "/srv/a b", answer=FileOptions()), 'Alias "/a b" "/srv/a b"', id="files"
        ),
        pytest.param(
            Alias("^/a", "/$1", "match", answer=FileOptions()),
            "AliasMatch ^/a /$1",
            id="files of one",
        ),
        pytest.param(
            Alias("/a", "", answer=Redirection("/b c")), 'Redirect 302 /a "/b c"', id="a redirect"
        ),
        pytest.param(
            Alias("^/a", "", "match", answer=Redirection("", 410)),
            "RedirectMatch 410 ^/a",
            id="a status without a URL",
        ),
        pytest.param(Alias("/a", "", answer=Denial("why")), "deny /a", id="no directive"),
    ],
)
def test_directive_line(alias, line):
    assert directive_line(alias) == line


def test_line_is_read_back_as_the_same_alias():
    random = Random(3)
    alphabet = "/a$1\\\"' \t#=%{}\xe9"
    words = ["".join(random.choices(alphabet, k=random.randrange(1, 9))) for _ in range(3000)]
    aliases = [Alias(a, b, process_group=c) for a, b, c in zip(*[iter(words)] * 3, strict=True)]

    read = [parse_directive(directive_line(alias)) for alias in aliases]

    assert read == aliases


def test_line_of_mod_alias_is_read_back_as_the_same_alias():
    random = Random(4)
    alphabet = "/a$1\\\"' \t#=%{}\xe9"
    words = ["".join(random.choices(alphabet, k=random.randrange(1, 9))) for _ in range(4000)]
    pairs = [*zip(words[::2], words[1::2], strict=True)]
    aliases = [
        *(Alias(a, b, answer=FileOptions()) for a, b in pairs[:500]),
        *(Alias(a, b, "match", answer=FileOptions()) for a, b in pairs[500:1000]),
        *(Alias(a, "", answer=Redirection(f"/{b}", 301)) for a, b in pairs[1000:1500]),
        *(Alias(a, "", "match", answer=Redirection(b, 308)) for a, b in pairs[1500:]),
        *(Alias(a, "", answer=Redirection("", 404)) for a, _ in pairs[:500]),
    ]

    read = [parse_directive(directive_line(alias)) for alias in aliases]

    assert read == aliases
