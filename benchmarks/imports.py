"""
How long ``manage.py wsgimatch import`` takes, by the size and the kind of the configuration.

``python -m benchmarks.imports`` prints a table and says whether the contract is kept: a
configuration of 5,000 lines is read, resolved, written and reported in less than 1 s. With
``--output`` it also writes ``imports.json`` and ``imports.svg``.

"Aliases" are plain ones with options; "hosts" are virtual hosts with a daemon process each;
"sections" give every alias its <Directory> and <Location>, and "patterns" the same with
expressions; "repeated" says the same again and again, as files that were put together do; "macros"
are ``Use`` lines, of which the lines count that Apache makes of them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

from benchmarks.by_size import Task, report
from benchmarks.measure import parser
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.cli.imports import (
    import_file,
    import_summary,
    report_lines,
    write_settings,
)

SIZES = (500, 5_000, 50_000)
IMPORTS = Task(
    name="imports",
    action="an import",
    each="line",
    key="lines",
    axis="lines in the configuration",
    contract="{size:,} lines of {kind}",
    most_seconds={5_000: 1},
)


def aliases(number: int) -> str:
    return f"""\
WSGIScriptAlias /app{number} /srv/app{number}/wsgi.py process-group=main
Alias /app{number}/static /srv/app{number}/static
"""


def hosts(number: int) -> str:
    return f"""\
<VirtualHost *:80>
    ServerName site{number}.example.org
    ServerAlias www.site{number}.example.org
    DocumentRoot /srv/site{number}/public
    Alias /static /srv/site{number}/static
    WSGIDaemonProcess site{number} processes=2 threads=15 python-home=/srv/site{number}/venv
    WSGIProcessGroup site{number}
    WSGIScriptAlias / /srv/site{number}/wsgi.py
    CustomLog /var/log/apache2/site{number}.log combined
</VirtualHost>
"""


def sections(number: int) -> str:
    return f"""\
WSGIScriptAlias /app{number} /srv/app{number}/wsgi.py
<Directory /srv/app{number}>
    WSGIApplicationGroup app{number}
    Require all granted
</Directory>
<Location /app{number}/api>
    WSGIPassAuthorization On
</Location>
"""


def patterns(number: int) -> str:
    return f"""\
WSGIScriptAliasMatch ^/app{number}/(admin|files)(/|$) /srv/app{number}/$1.wsgi
<DirectoryMatch "^/srv/app{number}/">
    WSGIApplicationGroup app{number}
    Require all granted
</DirectoryMatch>
<LocationMatch "^/app{number}/admin/api">
    WSGIPassAuthorization On
</LocationMatch>
"""


def repeated(number: int) -> str:
    return aliases(0) + sections(0) + patterns(0) + hosts(number % 10)


def macros(number: int) -> str:
    if number == 0:
        return f"<Macro Site $name>\n{hosts(0).replace('site0', '$name')}</Macro>\n"
    return f"Use Site site{number}\n"


KINDS: Mapping[str, Callable[[int], str]] = {
    each.__name__: each for each in (aliases, hosts, sections, patterns, repeated, macros)
}


def configuration(kind: str, lines: int) -> str:
    """Return a configuration of about so many lines as Apache reads them."""
    piece = hosts if kind == "macros" else KINDS[kind]
    return "".join(map(KINDS[kind], range(lines // len(piece(0).splitlines()))))


def seconds(path: Path) -> float:
    """Return the seconds from a configuration to the text of its settings and of its report."""
    started = time.perf_counter()
    imported = import_file(str(path), Surroundings())
    assert imported.settings is not None
    written = [write_settings(imported, str(path), "python")]
    written += report_lines(imported.outcomes)
    written.append(import_summary(imported.outcomes))
    return time.perf_counter() - started


def measure() -> dict[str, dict[int, float]]:
    """Return the seconds by kind and size."""
    spent: dict[str, dict[int, float]] = {kind: {} for kind in KINDS}
    with tempfile.TemporaryDirectory() as directory:
        for kind, size in product(KINDS, SIZES):
            path = Path(directory) / f"{kind}{size}.conf"
            path.write_text(configuration(kind, size))
            spent[kind][size] = seconds(path)
    return spent


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__)).parse_args(argv)
    return report(IMPORTS, measure(), options.output)


if __name__ == "__main__":
    raise SystemExit(main())
