"""The faults that chaos injects, each by its name."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django_wsgimatch.daemon.place import Place
from django_wsgimatch.exceptions import ManagerError
from tests.chaos.load import Kill, Ledger, ask, ports_of
from tests.chaos.site import TARGETS, Site, Target, step_clock
from tests.support.groups import wait_until

GROUPS = [target for target in TARGETS if target.process_group]
# The groups whose processes lists name: the client does not choose them.
NAMED = [target for target in GROUPS if not target.application_group]
CLOCK_STEPS = (-86400.0, -3600.0, 0.0, 3600.0, 86400.0)


class NotNow(Exception):
    """What the fault would be done to is not there at the moment."""


@dataclass(slots=True)
class Agent:
    """Who injects the faults."""

    at: Site
    ledger: Ledger
    chance: random.Random
    # The front workers that were there when all was well: gunicorn does not notice that one hangs
    # which has not loaded its application yet.
    fronts: set[int] = field(default_factory=set)
    # Whether nothing may be left of what has ended, either.
    is_last: bool = False
    left: list[threading.Thread] = field(default_factory=list)

    def target(self) -> Target:
        return self.chance.choice(NAMED)

    def place(self, target: Target) -> dict[str, Any]:
        """How a target's place is. Raises NotNow."""
        try:
            places = self.at.order(do="status")["places"]
        except (ManagerError, ValueError) as error:
            raise NotNow(str(error)) from error
        for place in places:
            is_here = place["process_group"] == target.process_group
            if is_here and place["application_group"] == target.application_group and place["pid"]:
                return dict(place)
        raise NotNow(f"{target.label} does not run")

    def kill(self, pid: int, signum: int, what: str, target: Target, most: int) -> None:
        """Signal a group's process, and note what may be lost with it."""
        self.ledger.kills.append(Kill(what, time.monotonic(), target=target, most=most))
        send(pid, signum)

    def aside(self, do: Callable[[], Any]) -> None:
        """Do something that takes its time in a thread."""

        def run() -> None:
            with suppress(ManagerError, ValueError, OSError):
                do()

        thread = threading.Thread(target=run)
        thread.start()
        self.left.append(thread)


def send(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError as error:
        raise NotNow(f"{pid} has ended") from error


def signal_manager(signum: int, agent: Agent) -> None:
    managers = agent.at.census().managers
    if not managers:
        raise NotNow("no manager")
    send(managers[0], signum)


def signal_arbiter(signum: int, agent: Agent) -> None:
    target = agent.target()
    send(agent.place(target)["pid"], signum)


def kill_forker(agent: Agent) -> None:
    forkers = agent.at.census().forkers
    if not forkers:
        raise NotNow("no forker")
    send(agent.chance.choice(forkers), signal.SIGKILL)


def signal_worker(signum: int, agent: Agent) -> None:
    target = agent.target()
    workers = sorted(agent.at.census().groups.get(agent.place(target)["name"], ()))
    if not workers:
        raise NotNow(f"{target.label} has no worker")
    most = 0 if signum == signal.SIGTERM else agent.at.threads
    what = "a group's worker killed or stopped"
    agent.kill(agent.chance.choice(workers), signum, what, target, most)


def stop_worker_in_a_request(agent: Agent) -> None:
    """The one that answers a slow request is stopped in it."""
    target = agent.target()
    place = agent.place(target)
    agent.aside(lambda: ask(agent.at, target, seconds=2))
    busy: list[int] = []

    def is_busy() -> bool:
        busy[:] = [p["pid"] for p in agent.place(target)["processes"] if p["busy"]]
        return bool(busy)

    wait_until(is_busy, 10)
    if busy[0] not in agent.at.census().groups.get(place["name"], ()):
        raise NotNow("another process answers")
    what = "a group's worker killed or stopped"
    agent.kill(busy[0], signal.SIGSTOP, what, target, agent.at.threads)


def signal_front(signum: int, agent: Agent) -> None:
    fronts = sorted(agent.fronts & {*agent.at.census().fronts})
    if len(fronts) < 2:
        raise NotNow("a front worker is missing already")
    pid = agent.chance.choice(fronts)
    if signum != signal.SIGTERM:
        # Stopped first: what it has accepted cannot change then.
        send(pid, signal.SIGSTOP)
        wait_until(partial(is_stopped, pid), 5)
        ports = ports_of(pid)
        agent.ledger.kills.append(Kill("a front worker killed or stopped", time.monotonic(), ports))
    send(pid, signum)


def is_stopped(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in "TZX"


def hup(agent: Agent) -> None:
    send(agent.at.pid, signal.SIGHUP)


def order(what: str, agent: Agent) -> None:
    target = agent.target()
    try:
        agent.at.order(do=what, name=target.process_group)
    except (ManagerError, ValueError) as error:
        raise NotNow(str(error)) from error


def stop_manager_in_an_order(agent: Agent) -> None:
    """Orders and a HUP come while the manager is stopped."""
    signal_manager(signal.SIGSTOP, agent)
    name = agent.target().process_group
    agent.aside(lambda: agent.at.order(do="restart", name=name, timeout=20))
    agent.aside(lambda: agent.at.order(do="stop", name=name, timeout=20))
    hup(agent)


def stop_manager_beside_a_stopped_group(agent: Agent) -> None:
    """Nobody is there to start what is asked for next."""
    order("stop", agent)
    signal_manager(signal.SIGSTOP, agent)


def kill_manager_and_remove_folder(agent: Agent) -> None:
    folder = agent.at.socket_folder
    signal_manager(signal.SIGKILL, agent)
    shutil.rmtree(folder, ignore_errors=True)


def remove_place_socket(agent: Agent) -> None:
    target = agent.target()
    key = Place(target.process_group, "").key
    (agent.at.socket_folder / f"{key}.sock").unlink(missing_ok=True)


def remove_manager_socket(agent: Agent) -> None:
    (agent.at.socket_folder / "manager.sock").unlink(missing_ok=True)


def remove_folder(agent: Agent) -> None:
    shutil.rmtree(agent.at.socket_folder, ignore_errors=True)


def remove_base(agent: Agent) -> None:
    shutil.rmtree(agent.at.base, ignore_errors=True)


def boards(agent: Agent) -> list[Path]:
    return list(agent.at.socket_folder.glob("*.board"))


def remove_boards(agent: Agent) -> None:
    for board in boards(agent):
        board.unlink(missing_ok=True)


def one_board(agent: Agent) -> tuple[Target, Path]:
    target = agent.target()
    key = Place(target.process_group, "").key
    found = sorted(agent.at.socket_folder.glob(f"{key}.*.board"))
    if not found:
        raise NotNow("no board")
    return target, found[-1]


def truncate_board(agent: Agent) -> None:
    """All that map it die of SIGBUS when they next look."""
    target, board = one_board(agent)
    # Each worker takes with it what it is at when it next looks at the board.
    most, now = agent.at.threads * 2, time.monotonic()
    kill = Kill("a group's board cut off", now, target=target, most=most, until=now + 5)
    agent.ledger.kills.append(kill)
    with suppress(FileNotFoundError):
        os.truncate(board, agent.chance.choice((0, 100)))


def scribble_on_board(agent: Agent) -> None:
    """Random bytes everywhere, as from a stray pointer."""
    _, board = one_board(agent)
    with suppress(FileNotFoundError), board.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.write(agent.chance.randbytes(size))


def write_absurd_pids(agent: Agent) -> None:
    """Numbers that no process has, or that are others', in all slots and the header."""
    _, board = one_board(agent)
    numbers = (2**40, -1, 1, 2**63 - 1, -(2**63), os.getpid())
    with suppress(FileNotFoundError), board.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for offset in (0, *range(256, size - 24, 8192)):
            file.seek(offset)
            file.write(struct.pack("<qq", agent.chance.choice(numbers), agent.chance.randrange(4)))


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no room on a folder's file system."""
    path = folder / ".filled"
    try:
        with path.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield
    finally:
        path.unlink(missing_ok=True)


def fill_sockets(agent: Agent) -> None:
    """A group that must be started while there is no room says so, and starts afterwards."""
    target = agent.target()
    began = time.monotonic()
    with filled(agent.at.folder / "sockets"):
        agent.place(target)
        with suppress(ManagerError, ValueError):
            agent.at.order(do="stop", name=target.process_group)
        problem = ask(agent.at, target).problem
    # What was refused lately is refused for a while: a place does not try without a pause.
    until = time.monotonic() + 12
    what = "refused while the disk was full"
    agent.ledger.kills.append(Kill(what, began, target=target, until=until))
    complaint = f"No space left on device: '{agent.at.socket_folder}/"
    assert not problem or complaint in agent.at.said(), f"{problem}, and no word of {complaint}"


def fill_logs(agent: Agent) -> None:
    """Nothing that is to be logged can be."""
    with filled(agent.at.folder / "logs"):
        order("restart", agent)
        problems = [asked.problem for asked in map(partial(ask, agent.at), NAMED)]
    assert not any(problems), problems


def step(agent: Agent) -> None:
    """The clock steps, and the settings change after that."""
    step_clock(agent.at, agent.chance.choice(CLOCK_STEPS))
    change_options(agent)


def change_options(agent: Agent) -> None:
    agent.at.threads = agent.chance.choice([n for n in (3, 4, 5, 6) if n != agent.at.threads])
    agent.at.write_settings()
    hup(agent)


def hang(agent: Agent) -> None:
    """A request that never ends gets 504, and harms no other."""
    target = agent.target()
    problem = ask(agent.at, target, seconds=1000).problem
    assert problem.startswith("504"), problem


def change_script(agent: Agent) -> None:
    agent.at.write_script(agent.target().script)


def break_script(agent: Agent) -> None:
    """While the script does not load, what was loaded before answers."""
    target = agent.target()
    agent.place(target)
    # A front worker that is new has loaded nothing before.
    for _ in range(30):
        ask(agent.at, target)
    agent.at.write_script(target.script, is_broken=True)
    asked = ask(agent.at, target)
    agent.at.write_script(target.script)
    assert not asked.problem, asked.problem


def move_log(agent: Agent) -> None:
    agent.at.log.rename(agent.at.log.with_suffix(".old"))
    send(agent.at.pid, signal.SIGUSR1)
    wait_until(agent.at.log.exists, 30)


def ask_for_more_tenants(agent: Agent) -> None:
    """More places than there may be: one ends for each."""
    extra = Target("/tenant-x", "tenants", "|/tenant-x")
    asked = ask(agent.at, extra)
    assert not asked.problem, asked.problem


Fault = Callable[[Agent], None]

FAULTS: dict[str, Fault] = {
    "manager killed": partial(signal_manager, signal.SIGKILL),
    "manager terminated": partial(signal_manager, signal.SIGTERM),
    "group's arbiter killed": partial(signal_arbiter, signal.SIGKILL),
    "group's arbiter terminated": partial(signal_arbiter, signal.SIGTERM),
    "forker of groups killed": kill_forker,
    "group's worker killed": partial(signal_worker, signal.SIGKILL),
    "group's worker terminated": partial(signal_worker, signal.SIGTERM),
    "front worker killed": partial(signal_front, signal.SIGKILL),
    "front worker terminated": partial(signal_front, signal.SIGTERM),
    "HUP": hup,
    "restart": partial(order, "restart"),
    "stop": partial(order, "stop"),
    "manager killed, folder removed": kill_manager_and_remove_folder,
    "place's socket removed": remove_place_socket,
    "manager's socket removed": remove_manager_socket,
    "server's folder removed": remove_folder,
    "base folder removed": remove_base,
    "boards removed": remove_boards,
    "board cut off": truncate_board,
    "board full of random bytes": scribble_on_board,
    "board full of absurd numbers": write_absurd_pids,
    "clock stepped": step,
    "options changed": change_options,
    "script changed": change_script,
    "script broken, then fixed": break_script,
    "log moved": move_log,
    "more tenants than there may be": ask_for_more_tenants,
    "no room for sockets": fill_sockets,
    "no room for logs": fill_logs,
}
# What somebody must first wait for: timeouts of 5 to 8 s.
SLOW: dict[str, Fault] = {
    "manager stopped": partial(signal_manager, signal.SIGSTOP),
    "manager stopped in an order": stop_manager_in_an_order,
    "manager stopped beside a stopped group": stop_manager_beside_a_stopped_group,
    "group's arbiter stopped": partial(signal_arbiter, signal.SIGSTOP),
    "group's worker stopped": partial(signal_worker, signal.SIGSTOP),
    "group's worker stopped in a request": stop_worker_in_a_request,
    "front worker stopped": partial(signal_front, signal.SIGSTOP),
    "request hangs": hang,
}
ROOMS = {"no room for sockets": "sockets", "no room for logs": "logs"}
