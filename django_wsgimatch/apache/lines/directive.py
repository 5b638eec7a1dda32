"""What an Apache configuration consists of: directives, and the sections that they stand in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spot:
    """
    Where something begins: a file as it was named, and a line, 1 for the first.

    What a ``Use`` line put in stands in the definition of its macro; ``used_at`` is where it was
    used.
    """

    file: str
    line: int
    used_at: Spot | None = None

    def __str__(self) -> str:
        spot = f"{self.file}:{self.line}"
        return spot if self.used_at is None else f"{spot}, used at {self.used_at}"


@dataclass(frozen=True, slots=True)
class Section:
    """
    A container such as ``<VirtualHost *:80>``.

    ``name`` is spelt as in Apache's documentation, ``argument`` what stands behind it with
    variables filled in. Two sections that say the same are two: ``spot`` tells them apart.
    """

    name: str
    argument: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Directive:
    """
    One directive as it takes effect.

    ``name`` is spelt as in the file, ``rest`` what stands behind it with continuations joined and
    variables filled in, not yet split into words. ``sections`` are those around it, outermost
    first, without <IfDefine>, <IfModule>, <IfVersion> and their like; ``is_off`` says that one of
    these does not hold, or that nobody uses the macro it stands in, and ``because`` which.
    """

    name: str
    rest: str
    spot: Spot
    sections: tuple[Section, ...] = ()
    is_off: bool = False
    because: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that cannot be read, and why; ``cure`` says what to do."""

    spot: Spot
    text: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What Apache would take, with a warning."""

    spot: Spot
    text: str


@dataclass(frozen=True, slots=True)
class ApacheConfiguration:
    """
    All directives of a configuration in Apache's order, included files where they are included.

    What is switched off is there too, marked: a report loses nothing. Text is as in the files, a
    character a byte. ``private`` are included files of which a report shows no more than it must.
    """

    directives: tuple[Directive, ...]
    refusals: tuple[Refusal, ...]
    remarks: tuple[Remark, ...] = ()
    private: frozenset[str] = frozenset()
