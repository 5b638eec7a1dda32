"""``manage.py wsgimatch compare``: the same requests to two sites, and what differs, by alias."""

from __future__ import annotations

from argparse import ArgumentParser

from .common.comparison import add_comparison_arguments, compare_sites
from .common.subcommand import Subcommand, add_json_option, add_repeatable
from .common.surroundings import add_surroundings


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD_URL", help="the existing site")
    parser.add_argument("new", metavar="NEW_URL", help="the new site")
    parser.add_argument(
        "file",
        metavar="FILE",
        help="request targets, one per line, or an access log; - for standard input",
    )
    add_comparison_arguments(parser)
    parser.add_argument(
        "--from-import",
        action="store_true",
        help="FILE is an Apache configuration: ask what is made of it, and show what differs by "
        "its lines",
    )
    method = "also send requests of a log with this method, without a body"
    add_repeatable(parser, "--method", metavar="NAME", help=method)
    add_surroundings(parser)
    add_json_option(parser)


SUBCOMMAND = Subcommand(_add_arguments, compare_sites)
