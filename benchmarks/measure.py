"""Measuring in rounds, so that what else the machine does falls on all contenders alike."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time_ns
from types import ModuleType
from typing import Any, TypeVar

from benchmarks.published import measured_of

Key = TypeVar("Key")
Row = Sequence[str | float | None]

# Fits a light page and a dark one.
INK = "#808080"


def nanoseconds(call: Callable[[Any], object], arguments: Sequence[Any], least: int) -> float:
    """
    Return the nanoseconds of CPU time of a call, from calls for at least so many nanoseconds.

    The time in which other processes had the processor does not count.
    """
    passes, more = 0, 1
    started = process_time_ns()
    while (spent := process_time_ns() - started) < least:
        # Asking for the time takes as long as some calls: ever less often.
        for _ in range(more):
            for argument in arguments:
                call(argument)
        passes += more
        more *= 2
    return spent / passes / len(arguments)


def rounds(samplers: Mapping[Key, Callable[[], float]], count: int) -> dict[Key, list[float]]:
    """Take a sample of everything each round, forwards and backwards by turns."""
    samples: dict[Key, list[float]] = {key: [] for key in samplers}
    with no_garbage_collection():
        for number in range(count):
            for key in list(samplers)[:: -1 if number % 2 else 1]:
                samples[key].append(samplers[key]())
    return samples


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the collector from running in the middle of a sample, as timeit does."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def medians(samples: Mapping[Key, Sequence[float]]) -> dict[Key, float]:
    return {key: median(values) for key, values in samples.items()}


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median of the rounds' ratios: a slow round is slow for both."""
    return median(one / other for one, other in zip(numerators, denominators, strict=True))


def texts(header: Sequence[str], rows: Sequence[Row]) -> list[list[str]]:
    """The cells of a table as text, the header's first."""
    return [[*header], *([text(cell) for cell in row] for row in rows)]


def table(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Return rows of text and figures under a header, each column as wide as it needs."""
    cells = texts(header, rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in cells
    )


def text(cell: str | float | None) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"


def verdict(name: str, value: float, most: float) -> str:
    """Return a contract and whether it is kept, as a line."""
    return f"{'kept' if value <= most else 'MISSED'}: {name}: {value:.2f} (at most {most:.4g})"


def has_missed(lines: Sequence[str]) -> bool:
    """Whether one of the contracts, as verdict() says them, is missed."""
    return any(line.startswith("MISSED") for line in lines)


def machine() -> dict[str, str | int | None]:
    """What the figures were measured on."""
    return {"cpus": os.cpu_count(), "python": platform.python_version()}


def parser(description: str, **defaults: int) -> argparse.ArgumentParser:
    """Return a parser with an option for each number, and one for the folder of results."""
    options = argparse.ArgumentParser(description=description)
    for name, default in defaults.items():
        options.add_argument(f"--{name}", type=int, default=default, help=f"default: {default}")
    options.add_argument("--output", type=Path, help="folder for the figures and the plot")
    return options


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """
    Write the figures of the benchmark that the file is called after, and what they are figures of.

    ``contracts`` in the document are lines of verdict(), ``tables`` those that pages show: titles
    to rows of text, the first of them the header.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine(), "of": measured_of(path.stem), **document}
    path.write_text(json.dumps(told, indent=1) + "\n")


def draw_lines(
    path: Path,
    panels: Mapping[str, Mapping[str, Mapping[int, float]]],
    of: str = "entries in the table",
) -> None:
    """Draw, in panels, a line for each name: nanoseconds by the size, which is a number ``of``."""
    pyplot = plotting(path)
    size = (4.2 * len(panels), 3.6)
    figure = pyplot.subplots(1, len(panels), figsize=size, layout="constrained", sharey=True)[0]
    for each, (name, lines) in zip(figure.axes, panels.items(), strict=True):
        for label, points in lines.items():
            values = [value / 1000 for value in points.values()]
            each.plot(list(points), values, marker="o", markersize=4, label=label)
        each.set(xscale="log", yscale="log", title=name, xlabel=of)
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
        each.legend(frameon=False, fontsize="small")
    figure.axes[0].set_ylabel("microseconds (less is better)")
    figure.savefig(path, transparent=True, metadata={"Date": None})


def plotting(path: Path) -> ModuleType:
    """Return pyplot, set up for a plot that looks the same whenever the figures are."""
    pyplot = import_module("matplotlib.pyplot")
    for part in ("text", "xtick", "ytick"):
        pyplot.rc(part, color=INK)
    pyplot.rc("axes", labelcolor=INK, edgecolor=INK)
    pyplot.rc("svg", hashsalt=path.name)
    return pyplot
