"""What an Apache configuration consists of: directives, and the sections that they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...aliases.directives import BLANKS, get_word
from ...exceptions import WSGIMatchError


def split_words(text: str) -> list[str]:
    """Return all words of a text as ap_getword_conf() splits them, empty ones in quotes too."""
    words = []
    text = text.lstrip(BLANKS)
    while text:
        word, text = get_word(text)
        words.append(word)
    return words


class Unreadable(WSGIMatchError):
    """A line that Apache would refuse, or that is none of its own; ``cure`` says what to do."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cure = cure


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


def places_of(spots: Iterable[Spot]) -> str:
    """Return files, each with its lines, as comments name them."""
    lines: dict[str, list[str]] = {}
    for spot in spots:
        lines.setdefault(spot.file, []).append(str(spot.line))
    return "; ".join(f"{file}:{', '.join(numbers)}" for file, numbers in lines.items())


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

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


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

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()

    @property
    def words(self) -> list[str]:
        """What stands behind the name."""
        return split_words(self.rest)

    @property
    def host(self) -> Section | None:
        """The virtual host that it stands in, None for the main server."""
        return next((each for each in self.sections if each.key == "virtualhost"), None)


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
    ``has_mod_dir`` says that mod_dir is loaded, or may be.
    ``may_be_run`` says that another file of the server may have a module run files, as PHP's.
    """

    directives: tuple[Directive, ...]
    refusals: tuple[Refusal, ...]
    remarks: tuple[Remark, ...] = ()
    private: frozenset[str] = frozenset()
    has_mod_dir: bool = True
    may_be_run: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What a configuration is read with.

    ``server_root`` is the directory that relative paths start from until a ServerRoot line names
    another; None stands for the directory of the file that is read. ``defines`` are the names
    given with ``-D``. ``modules`` are those that are loaded beside the ones of LoadModule lines, in
    any spelling: ``wsgi``, ``mod_wsgi.c``, ``wsgi_module``. ``version`` is Apache's. ``environ``
    holds the values for ``${NAME}`` that no Define line gives, as os.environ does; None stands
    for that.

    With None for ``modules``, a configuration that loads an MPM is taken for a whole server's: its
    modules are those of its LoadModule lines, and the few that are often built in. Any other is
    taken for a part, such as one site, on a server that has all modules: <IfModule> holds, and
    <IfModule !...> does not.
    """

    server_root: str | None = None
    defines: tuple[str, ...] = ()
    modules: frozenset[str] | None = None
    version: str = "2.4.68"
    environ: Mapping[str, str] | None = None
