"""Read a configuration in a test, and put what was read on lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django_wsgimatch.apache.lines.directive import ApacheConfiguration, Directive, Surroundings
from django_wsgimatch.apache.reading.reading import read_text


def read(text: str, **options) -> ApacheConfiguration:
    """Read text, with an empty environment."""
    return read_text(text, "/c/site.conf", Surroundings(**{"environ": {}} | options))


def on_lines(directives: Iterable[Directive]) -> list[str]:
    """Each directive as its line, the sections around it, and itself; - marks what is off."""
    return [" ".join(_parts(each)) for each in directives]


def _parts(directive: Directive) -> Iterator[str]:
    yield str(directive.spot.line)
    yield from (f"<{each.name} {each.argument}>" for each in directive.sections)
    yield ("-" if directive.is_off else "") + directive.name
    if directive.rest:
        yield directive.rest


def directives(text: str, **options) -> list[str]:
    """The directives of a text that has no refusals, on lines."""
    configuration = read(text, **options)
    assert configuration.refusals == ()
    return on_lines(configuration.directives)


def refusals(text: str, **options) -> list[tuple[int, str, str]]:
    """What cannot be read in a text: line, text and reason."""
    found = read(text, **options).refusals
    assert all(each.cure for each in found)
    return [(each.spot.line, each.text, each.reason) for each in found]
