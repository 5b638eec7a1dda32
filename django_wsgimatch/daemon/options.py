"""
WSGIDaemonProcess's options: what each must be, and what becomes of it here.

``ANSWERS`` is the one table of them. The names are mod_wsgi 6.1.1's in snake case, the defaults
its own where nothing else is said.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..exceptions import SettingError
from ..settings_guard import VARIABLE


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """
    A process group's options, read and judged.

    Times are in seconds, 0 for no limit; sizes in bytes, 0 for the system's own.
    """

    processes: int = 1
    threads: int = 15
    user: str | None = None
    group: str | None = None
    supplementary_groups: tuple[str, ...] = ()
    umask: int | None = None
    home: str | None = None
    python_home: str | None = None
    python_path: tuple[str, ...] = ()
    python_eggs: str | None = None
    lang: str | None = None
    locale: str | None = None
    display_name: str | None = None
    listen_backlog: int = 100
    send_buffer_size: int = 0
    receive_buffer_size: int = 0
    maximum_requests: int = 0
    restart_interval: float = 0
    request_timeout: float = 0
    queue_timeout: float = 0
    connect_timeout: float = 15
    socket_timeout: float = 60
    response_socket_timeout: float = 0
    startup_timeout: float = 0
    deadlock_timeout: float = 300
    inactivity_timeout: float = 0
    graceful_timeout: float = 15
    eviction_timeout: float = 0
    shutdown_timeout: float = 5
    memory_limit: int = 0
    virtual_memory_limit: int = 0
    cpu_time_limit: float = 0
    cpu_priority: int = 0
    stack_size: int = 0
    switch_interval: float = 0
    script_user: str | None = None
    script_group: str | None = None
    # Beyond mod_wsgi.
    settings: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    pass_environment: tuple[str, ...] | None = None
    log_file: str | None = None
    log_prefix: bool | None = None
    process_limit: int | None = None
    open_files_limit: int | None = None
    core_limit: int | None = None
    maximum_application_groups: int = 50
    maximum_starts: int = 60
    socket: str | None = None


# What the kernel takes for the path of a unix socket, in bytes.
LONGEST_SOCKET_PATH = 107

Kind = Literal["supported", "mapped", "refused", "beyond"]
# From a value and BASE_DIR to what GroupOptions holds. Raises ValueError for a value that will not
# do.
Read = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class OptionAnswer:
    """
    What becomes of an option.

    ``shape`` are the words for "should be ..."; ``note`` says what it does here, or why it is
    refused and what to do instead.
    """

    kind: Kind
    shape: str
    read: Read
    note: str


def _number(value: Any, least: float, whole: bool) -> float:
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < 1e12:
        raise ValueError
    return value


def _at_least(least: int) -> Read:
    return lambda value, base: _number(value, least, whole=True)


def _seconds(value: Any, base: str) -> float:
    return _number(value, 0, whole=False)


def _priority(value: Any, base: str) -> float:
    if not -20 <= _number(value, -20, whole=True) <= 19:
        raise ValueError
    number: float = value
    return number


def _mask(value: Any, base: str) -> float:
    number = int(value, 8) if isinstance(value, str) else value
    if _number(number, 0, whole=True) > 0o777:
        raise ValueError
    mask: float = number
    return mask


def _text(value: Any, base: str) -> str:
    if not isinstance(value, str) or not value or "\0" in value or "\n" in value:
        raise ValueError
    return value


def _account(value: Any, base: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"#{value}"
    return _text(value, base)


def _path(value: Any, base: str) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    return os.path.normpath(os.path.join(base, _text(path, base)))


def _socket_path(value: Any, base: str) -> str:
    path = _path(value, base)
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise ValueError
    return path


def _paths(value: Any, base: str) -> tuple[str, ...]:
    given = value.split(os.pathsep) if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError
    return tuple(_path(path, base) for path in given)


def _accounts(value: Any, base: str) -> tuple[str, ...]:
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError
    return tuple(_account(name.strip() if isinstance(name, str) else name, base) for name in given)


def _variables(value: Any, base: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise ValueError
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise ValueError
        if not name or "=" in name or "\0" in name + text:
            raise ValueError
    return tuple(value.items())


def _names(value: Any, base: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError
    names = tuple(_text(name, base) for name in value)
    if any("=" in name for name in names):
        raise ValueError
    return names


def _flag(value: Any, base: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _refuse(value: Any, base: str) -> Any:
    raise ValueError


_COUNT = ("a whole number, 1 or more", _at_least(1))
_COUNT_OR_NONE = ("a whole number, 0 for no limit", _at_least(0))
_SIZE = ("a number of bytes, 0 for the system's own", _at_least(0))
_SECONDS = ("a number of seconds, 0 for no limit", _seconds)
_TEXT = ("text that is not empty", _text)
_PATH = ("a path; a relative one begins in BASE_DIR", _path)
_ACCOUNT = ("a name or a number", _account)
_NOTHING = ("left out", _refuse)

_BUFFERED = (
    "the relay has no buffers of its own to size: bodies and responses are passed on as they come, "
    "within the unix socket's buffers. Set send_buffer_size and receive_buffer_size for those"
)

_TABLE: tuple[tuple[str, Kind, tuple[str, Read], str], ...] = (
    (
        "processes",
        "supported",
        _COUNT,
        (
            "how many daemon processes. wsgi.multiprocess is true for more than one; in mod_wsgi "
            "also for one, if the option is given"
        ),
    ),
    (
        "threads",
        "supported",
        _COUNT,
        (
            "how many requests a process answers at a time; a thread is started when all others "
            "are busy"
        ),
    ),
    (
        "user",
        "supported",
        _ACCOUNT,
        (
            "the user that all processes of the group run as, from their first line on, but never "
            "root; the server's own by default. Only a server that is started as root can switch, "
            "and only to users that `serve --allow-user` names"
        ),
    ),
    ("group", "supported", _ACCOUNT, "their primary group; the user's own by default"),
    (
        "supplementary_groups",
        "supported",
        ("a list of names or numbers", _accounts),
        "their other groups; those that the user is in by default",
    ),
    (
        "umask",
        "supported",
        ("a number such as 0o022, or text such as '022'", _mask),
        "the mask for files that they make",
    ),
    (
        "home",
        "supported",
        _PATH,
        "the directory that they run in; / by default, in mod_wsgi the home directory of the user",
    ),
    (
        "python_home",
        "supported",
        _PATH,
        (
            "a virtual environment or Python installation, 3.10 or newer, that may have neither "
            "gunicorn nor this package; the server's own by default"
        ),
    ),
    (
        "python_path",
        "supported",
        ("a list of paths, or text with : between them", _paths),
        "put in front of sys.path, with what .pth files there name",
    ),
    ("python_eggs", "supported", _PATH, "PYTHON_EGG_CACHE"),
    ("lang", "supported", _TEXT, "LANG"),
    (
        "locale",
        "supported",
        _TEXT,
        "LC_ALL, and locale.setlocale() at the start; a machine without it goes on in C",
    ),
    (
        "display_name",
        "supported",
        _TEXT,
        "what lists of processes show; %{GROUP}, and nothing, stand for (wsgi:NAME)",
    ),
    (
        "listen_backlog",
        "supported",
        _COUNT,
        "how many requests may wait for a thread in the kernel",
    ),
    ("send_buffer_size", "supported", _SIZE, "SO_SNDBUF of the group's socket"),
    ("receive_buffer_size", "supported", _SIZE, "SO_RCVBUF of the group's socket"),
    (
        "maximum_requests",
        "supported",
        _COUNT_OR_NONE,
        "a process is replaced after so many requests; it serves until the new one is ready",
    ),
    (
        "restart_interval",
        "supported",
        _SECONDS,
        "a process is replaced after so long; it serves until the new one is ready",
    ),
    (
        "request_timeout",
        "supported",
        _SECONDS,
        (
            "a request that takes longer is answered with 504, its stack is logged, and its "
            "process is replaced. It is the limit as it stands; mod_wsgi takes it times "
            "1 + ln(threads), 3.7 times it for 15 threads"
        ),
    ),
    (
        "queue_timeout",
        "supported",
        _SECONDS,
        "a request that has waited longer for a thread is answered with 504 and not run",
    ),
    (
        "connect_timeout",
        "supported",
        _SECONDS,
        "how long the front tries to hand a request over before it answers 503",
    ),
    (
        "socket_timeout",
        "supported",
        _SECONDS,
        "how long the front waits for the next bytes of a response: 504 before it has begun",
    ),
    (
        "response_socket_timeout",
        "mapped",
        _SECONDS,
        "stands for socket_timeout once the response has begun; 0 for the same",
    ),
    (
        "startup_timeout",
        "supported",
        _SECONDS,
        (
            "a process is replaced if it has loaded no script so long after its first request, or "
            "takes longer to load what is loaded ahead"
        ),
    ),
    (
        "deadlock_timeout",
        "mapped",
        _SECONDS,
        (
            "gunicorn's timeout: a process in which Python code has not run for so long, as "
            "something holds the interpreter's lock or it was stopped, is killed; the group's "
            "first process, which starts the others, is ended after that time, too, and replaced"
        ),
    ),
    (
        "inactivity_timeout",
        "supported",
        _SECONDS,
        (
            "without a request for so long the group ends and gives its memory back; the next "
            "request starts it and waits. mod_wsgi restarts it at once"
        ),
    ),
    (
        "graceful_timeout",
        "supported",
        _SECONDS,
        "how long a process that is to end may take for the requests that it has begun",
    ),
    (
        "eviction_timeout",
        "mapped",
        _SECONDS,
        "the longer of it and graceful_timeout counts, whatever the process ends for",
    ),
    (
        "shutdown_timeout",
        "supported",
        _SECONDS,
        "how long a process may then take for its own threads and atexit functions",
    ),
    (
        "memory_limit",
        "supported",
        _SIZE,
        "RLIMIT_DATA of each process; one that runs out of memory is replaced",
    ),
    ("virtual_memory_limit", "supported", _SIZE, "RLIMIT_AS of each process"),
    (
        "cpu_time_limit",
        "supported",
        _SECONDS,
        "RLIMIT_CPU: a process that has used up so much CPU time is replaced",
    ),
    (
        "cpu_priority",
        "supported",
        ("a whole number from -20 to 19", _priority),
        "the processes' nice value",
    ),
    ("stack_size", "supported", _SIZE, "the stack of each thread"),
    ("switch_interval", "supported", _SECONDS, "sys.setswitchinterval()"),
    (
        "script_user",
        "supported",
        _ACCOUNT,
        (
            "403 for a script that belongs to another user, or lies in another's directory, or "
            "that its group or everybody may write to"
        ),
    ),
    (
        "script_group",
        "supported",
        _ACCOUNT,
        (
            "403 for a script that belongs to another group, or lies in another's directory, or "
            "that everybody may write to. Not together with script_user"
        ),
    ),
    (
        "interrupt_timeout",
        "refused",
        _NOTHING,
        (
            "requests are not interrupted within Python: request_timeout answers 504 and replaces"
            " the process. Say request_timeout"
        ),
    ),
    (
        "chroot",
        "refused",
        _NOTHING,
        (
            "the group's Python, its packages, this package and gunicorn would all have to lie "
            "inside. Run the server in a container, or say RootDirectory= in its systemd unit"
        ),
    ),
    (
        "socket_user",
        "refused",
        _NOTHING,
        (
            "the sockets lie in a folder that only the server's workers can enter, and belong to "
            "their user already. Leave it out"
        ),
    ),
    (
        "header_buffer_size",
        "refused",
        _NOTHING,
        "a response's headers may have 1 MiB together. Leave it out",
    ),
    ("response_buffer_size", "refused", _NOTHING, _BUFFERED),
    (
        "response_flush_delay",
        "refused",
        _NOTHING,
        "what the application yields is passed on at once. Leave it out",
    ),
    (
        "server_metrics",
        "refused",
        _NOTHING,
        (
            "there is no scoreboard of Apache's. `manage.py wsgimatch status` shows what there is"
            " to see"
        ),
    ),
    (
        "settings",
        "beyond",
        _TEXT,
        "DJANGO_SETTINGS_MODULE of the group; scripts that ask for another are refused",
    ),
    (
        "environment",
        "beyond",
        ("a dict of text to text", _variables),
        "environment variables of the group",
    ),
    (
        "pass_environment",
        "beyond",
        ("a list of names", _names),
        (
            "the server's environment variables that the group has beside PATH, LANG, LC_* and TZ. "
            "Left out, a group that runs as the server's user has all of them, and one that runs "
            "as another user has no more"
        ),
    ),
    (
        "log_file",
        "beyond",
        _PATH,
        (
            "where the group's standard output and error go, instead of the server's log: a file, "
            "or /dev/stdout or /dev/stderr, the server's own. The server opens it, as its own "
            "user: others should not be able to write to its folder. A file that is moved away, as "
            "logrotate does, is made anew with the next line"
        ),
    ),
    (
        "log_prefix",
        "beyond",
        ("True or False", _flag),
        (
            "whether each line of the group's output begins with the group's name. Left out, it "
            "does, but not in a log_file that is a file"
        ),
    ),
    (
        "process_limit",
        "beyond",
        _COUNT,
        "RLIMIT_NPROC: how many processes and threads the group's user may have, in all groups",
    ),
    (
        "open_files_limit",
        "beyond",
        _COUNT,
        "RLIMIT_NOFILE: how many files and sockets each process may have open",
    ),
    (
        "core_limit",
        "beyond",
        ("a number of bytes, 0 for none", _at_least(0)),
        "RLIMIT_CORE: how large a core dump may be; 0 lets no process leave its memory on disk",
    ),
    (
        "maximum_application_groups",
        "beyond",
        _COUNT_OR_NONE,
        (
            "how many application groups of this process group live at once whose names come from "
            "requests, as with %{HOST}, or with %{RESOURCE} and a target that has a capture; those "
            "that the table names do not count. The least recently used one ends for a new one, an "
            "idle one first"
        ),
    ),
    (
        "maximum_starts",
        "beyond",
        _COUNT_OR_NONE,
        (
            "how many of these are started in a minute; so many may start at once. Beyond it a "
            "request to one that is not there is answered with 503 at once"
        ),
    ),
    (
        "socket",
        "beyond",
        (
            f"a path of at most {LONGEST_SOCKET_PATH} bytes; a relative one begins in BASE_DIR",
            _socket_path,
        ),
        (
            "the unix socket of a group that the server does not start: a systemd unit runs it, by "
            "`manage.py wsgimatch serve --process-group NAME`, and the server connects to it. Its "
            "applications are all in %{GLOBAL}, or in sub interpreters"
        ),
    ),
)

ANSWERS: dict[str, OptionAnswer] = {
    name: OptionAnswer(kind, shape, read, note) for name, kind, (shape, read), note in _TABLE
}


def read_options(given: Any, base_directory: str) -> tuple[GroupOptions, tuple[SettingError, ...]]:
    """
    Return a process group's options, and every mistake in them.

    ``given`` is the value in WSGIMATCH_PROCESS_GROUPS; relative paths in it begin in
    ``base_directory``. An option with a mistake has its default.
    """
    if not isinstance(given, Mapping):
        return GroupOptions(), (SettingError(f"should be a dict of options, not {given!r}"),)
    values, errors = {}, []
    for name, value in given.items():
        answer = ANSWERS.get(name) if isinstance(name, str) else None
        if answer is None:
            errors.append(SettingError(_unknown(name)))
        elif answer.kind == "refused":
            errors.append(SettingError(f"{name} is refused: {answer.note}"))
        elif value is not None:
            try:
                values[name] = answer.read(value, base_directory)
            except (ValueError, TypeError, OverflowError):
                errors.append(SettingError(f"{name} should be {answer.shape}, not {value!r}"))
    if "script_user" in values and "script_group" in values:
        errors.append(SettingError("only one of script_user and script_group may be given"))
    # Its processes have one environment: where the variable is set there, it is their project.
    values.setdefault("settings", dict(values.get("environment", ())).get(VARIABLE) or None)
    return GroupOptions(**values), tuple(errors)


def _unknown(name: object) -> str:
    text = str(name)
    snake = text.replace("-", "_").lower()
    if snake in ANSWERS:
        return f"{name!r} is written {snake!r} here"
    # Only a mistake needs it; a group's processes read none.
    from difflib import get_close_matches

    close = get_close_matches(snake, ANSWERS, n=1)
    cure = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(ANSWERS)}"
    return f"{name!r} is no option of a process group; {cure}"
