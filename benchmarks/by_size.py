"""What benchmarks of seconds by kind and size have in common: their table and their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Row, draw_lines, has_missed, table, verdict, write_json

# By kind and size.
Seconds = Mapping[str, Mapping[int, float]]


@dataclass(frozen=True, slots=True)
class Task:
    """
    What is measured.

    ``name`` is that of the files, ``action`` what takes the seconds, ``each`` what a size counts,
    and ``key`` and ``axis`` what sizes are called in the figures and in the plot. ``contract`` is
    a format with ``size`` and ``kind``; ``most_seconds`` are its bounds by size.
    """

    name: str
    action: str
    each: str
    key: str
    axis: str
    contract: str
    most_seconds: Mapping[int, float]


def report(task: Task, spent: Seconds, output: Path | None) -> int:
    """Print a table and the contracts, write the files; return 1 where a contract is missed."""
    rows: list[Row] = [[kind, *by_size.values()] for kind, by_size in spent.items()]
    sizes = (f"{size:,}" for size in next(iter(spent.values())))
    print(table([f"seconds {task.action} of", *sizes], rows), end="\n\n")
    lines = judge(task, spent)
    print(*lines, sep="\n")
    if output:
        figures = [
            {"kind": kind, task.key: size, "seconds": value}
            for kind, by_size in spent.items()
            for size, value in by_size.items()
        ]
        write_json(output / f"{task.name}.json", {"contracts": lines, task.name: figures})
        draw(task, spent, output / f"{task.name}.svg")
    return int(has_missed(lines))


def judge(task: Task, spent: Seconds) -> list[str]:
    """The contracts, a line for each."""
    return [
        verdict(f"seconds for {task.contract.format(size=size, kind=kind)}", by_size[size], most)
        for kind, by_size in spent.items()
        for size, most in task.most_seconds.items()
    ]


def draw(task: Task, spent: Seconds, path: Path) -> None:
    """Draw what each of what a size counts costs."""
    lines = {
        kind: {size: value * 1e9 / size for size, value in by_size.items()}
        for kind, by_size in spent.items()
    }
    draw_lines(path, {f"{task.action}, for each {task.each}": lines}, of=task.axis)
