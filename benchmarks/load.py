"""
Load on a server: requests per second, the CPU time of a request, and how long requests wait.

What the server's processes use up is read from /proc. The load comes from Debian's ``wrk``, to
127.0.0.1 only.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
# So many requests can be under way at a fixed rate.
CONNECTIONS_AT_A_RATE = 8


def lacks_wrk(name: str) -> bool:
    """Whether a benchmark is skipped, as it says then, since nothing can put a load on servers."""
    is_missing = shutil.which("wrk") is None
    if is_missing:
        print(f"Skipped: benchmarks.{name} needs Debian's wrk.")
    return is_missing


@dataclass(slots=True)
class Load:
    """
    The load on one server: each call puts it on for some seconds.

    ``processes`` finds the server's. ``script`` is one for wrk, which is told the number of the
    call. Where ``is_refused``, all answers may be errors. ``cpu`` takes the CPU time of all
    processes, in microseconds a request, call by call.
    """

    url: str
    processes: Callable[[], Iterable[int]]
    seconds: int
    connections: int
    script: Path | None = None
    is_refused: bool = False
    cpu: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Return the requests per second. Raises RuntimeError where an answer was a wrong one."""
        before = cpu_seconds(self.processes())
        words = ["wrk", "-t1", f"-c{self.connections}", f"-d{self.seconds}s", self.url]
        words += ["-s", str(self.script), "--", str(len(self.cpu))] if self.script else []
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        number, refused = (
            sum(map(int, re.findall(pattern, said)))
            for pattern in (r"(\d+) requests in", r"Non-2xx or 3xx responses: (\d+)")
        )
        if refused not in (0, number) or (refused and not self.is_refused):
            raise RuntimeError(f"Not every answer was as it should be:\n{said}")
        self.cpu.append((cpu_seconds(self.processes()) - before) / number * 1e6)
        return float(re.findall(r"Requests/sec: *([\d.]+)", said)[0])


def cpu_seconds(processes: Iterable[int]) -> float:
    """The CPU time of processes until now."""
    ticks = 0
    for pid in processes:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            # The process has ended in the meantime.
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def session_of(leader: int) -> list[int]:
    """The processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(int(path.parent.name))
    return found


def waits(port: int, next_request: Callable[[], bytes], rate: int, seconds: float) -> list[float]:
    """
    Ask at a fixed rate; return how long each request has waited for its whole answer, in ms.

    A request whose turn comes while all connections wait counts from its turn on.
    """
    turns, began = count(), time.perf_counter()

    def ask(connection: socket.socket) -> list[float]:
        found = []
        while (due := next(turns) / rate) < seconds:
            early = began + due - time.perf_counter()
            if early > 0:
                time.sleep(early)
            since = time.perf_counter() if early > 0 else began + due
            connection.sendall(next_request())
            read_answer(connection)
            found.append((time.perf_counter() - since) * 1e3)
        return found

    address = ("127.0.0.1", port)
    connections = [socket.create_connection(address) for _ in range(CONNECTIONS_AT_A_RATE)]
    with ThreadPoolExecutor(CONNECTIONS_AT_A_RATE) as threads:
        found = [wait for each in threads.map(ask, connections) for wait in each]
    for connection in connections:
        connection.close()
    return found


def read_answer(connection: socket.socket) -> None:
    """Read an answer with a Content-Length. Raises ConnectionError where it is not whole."""
    answer = b""
    while True:
        if not (more := connection.recv(65536)):
            raise ConnectionError("The server closed the connection.")
        answer += more
        head, separator, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if separator and length and len(body) >= int(length[1]):
            return
