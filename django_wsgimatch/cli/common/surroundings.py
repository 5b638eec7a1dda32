"""What a command line says of an Apache configuration, as apache2's own does."""

from __future__ import annotations

import os
from argparse import ArgumentParser

from ...apache.lines.directive import Surroundings
from .subcommand import Options, add_repeatable


def add_surroundings(parser: ArgumentParser) -> None:
    """Add the options that a configuration is read with."""
    parser.add_argument(
        "--server-root", metavar="DIRECTORY", help="where relative paths of Include start"
    )
    define = "define a name, as apache2 -D does, or a value for ${NAME}"
    add_repeatable(parser, "-D", "--define", metavar="NAME[=VALUE]", help=define)
    module = "a module that <IfModule> finds, such as ssl or mod_ssl.c"
    add_repeatable(parser, "--module", metavar="NAME", help=module)


def given_surroundings(options: Options) -> Surroundings:
    """Return what a configuration is read with: apache2's command line says it, too."""
    given = [each.partition("=") for each in options["define"]]
    return Surroundings(
        server_root=options["server_root"],
        defines=tuple(name for name, equals, _ in given if not equals),
        modules=frozenset(options["module"]) or None,
        environ={**os.environ, **{name: value for name, equals, value in given if equals}},
    )
