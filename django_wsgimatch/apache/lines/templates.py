"""
Placeholders that something else than Apache fills in: a configuration that is yet to be made.

Nothing that Apache gives a meaning to is taken for one: ``%{REQUEST_URI}``, ``${NAME}``, ``%h``,
``$1``, ``[0-9]{4}``, ``%20``, an address of mail.
"""

from __future__ import annotations

import re

# These mean nothing anywhere in a configuration.
_EVERYWHERE = re.compile(
    r"""
      \{\{.*?(?:\}\}|$)                 # Jinja, Mustache, Handlebars, Go, Helm
    | \{%[-+~]?\s*\w.{0,500}?%\}        # Jinja, Twig, Liquid, Django
    | \{\#.{0,500}?\#\}
    | <%[-=\#@\s].*?(?:%>|$)            # ERB, EJS, Mako, JSP
    | ^</?%.*
    | ^%\s.*                            # Mako
    | <\?(?:php\b|=).*?(?:\?>|$)
    | @@\w[\w.-]*@@
    | %%[A-Za-z_]\w*%%
    | \#\{\s*[A-Za-z_@][^}]{0,500}\}    # Ruby
    | __[A-Z][A-Z0-9_]*__
    | (?<!%)%\([A-Za-z_]\w*\)[sd]        # Python's %
    | (?<=[/\s"'])<[a-z]\w*(?:[.-]\w+)+>  # a name to be filled in by hand
    | (?<=[/\s"'])![A-Z][A-Z0-9_]*_[A-Z0-9_]*!
    """,
    re.VERBOSE | re.DOTALL,
)
# autoconf's; one @ between letters is an address of mail.
_AT = re.compile(r"(?<![\w.@])@[A-Za-z_]\w*@|@[A-Z][A-Z0-9_]*@|@[A-Za-z_]\w*@(?![\w@])")
# These are part of formats and patterns, so they are looked for beside such directives only.
_IN_PLAIN_TEXT = re.compile(
    r"""
      %(?![0-9A-Fa-f]{2}%|[A-Fa-f][0-9]|[0-9])[A-Za-z]\w+%
    | (?<![%$\#\\{\w>!\])}*+])\{[A-Za-z_]\w+\}      # Python's str.format()
    | (?<=_)\{[A-Za-z_]\w+\}
    | (?<![\\$\w])\$[A-Z][A-Z0-9_]{2,}              # string.Template, and the shell's
    """,
    re.VERBOSE,
)
_WITH_FORMATS = re.compile(
    r"""<?(?:\w*Log\w*|\w*Format\w*|\w*Header\w*|Rewrite\w*|Redirect\w*|SetEnv\w*|Browser\w*
        |\w*Match|Error\w*|\w*Require\w*|If|ElseIf|Auth\w*|SSL\w*|Proxy\w*|Substitute|Filter\w*
        |Cookie\w*|Expires\w*|Sec\w*|Ext\w*|LDAP\w*|Perl\w*)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# Their words are names of parameters, or stand for them.
_OF_MACROS = re.compile(r"(?:<Macro|Use)\s", re.IGNORECASE)
_CONTROL = re.compile(r"\{[%#]|\{\{-?\s*[#/^!>]|</?%|%\s|<\?")


def placeholder(line: str) -> str | None:
    """Return the first placeholder in a line of a configuration, or None."""
    found = _EVERYWHERE.search(line)
    if found is None and not _OF_MACROS.match(line):
        found = _AT.search(line)
        if found is None and not _WITH_FORMATS.match(line):
            found = _IN_PLAIN_TEXT.search(line)
    return None if found is None else found[0]


def is_control(line: str) -> bool:
    """Whether a line with a placeholder is the template's own, such as ``{% endif %}``."""
    return _CONTROL.match(line) is not None
