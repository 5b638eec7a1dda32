"""
WSGIDaemonProcess's options, each declared once: its default, what becomes of it, what it must be.

The names are mod_wsgi 6.1.1's in snake case, the defaults its own where nothing else is said.
``daemon.option_values`` reads the values that settings give.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Kind = Literal["supported", "mapped", "refused", "beyond"]
# What the kernel takes for the path of a unix socket, in bytes.
LONGEST_SOCKET_PATH = 107
# How the names of variables begin that are read when a process starts: by Python, the loader, the
# C library.
READ_AT_START = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "LC_", "LANG", "HOME")

_Default = TypeVar("_Default")


def _option(default: _Default, shape: str, note: str, kind: Kind = "supported") -> _Default:
    """
    Declare an option.

    ``shape`` is what its value must be, by its name in ``option_values.SHAPES``; ``note`` says what
    it does here; ``kind`` is "mapped" where something else here does it, and "beyond" where
    mod_wsgi has no such option.
    """
    told = {"kind": kind, "shape": shape, "note": note}
    declared: Any = field(default=default, metadata=told)
    return declared  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """
    A process group's options, read and judged.

    Times are in seconds, 0 for no limit; sizes in bytes, 0 for the system's own.
    """

    processes: int = _option(
        1,
        "count",
        "how many daemon processes. wsgi.multiprocess is true for more than one; in mod_wsgi "
        "also for one, if the option is given",
    )
    threads: int = _option(
        15,
        "count",
        "how many requests a process answers at a time; a thread is started when all others are "
        "busy",
    )
    user: str | None = _option(
        None,
        "account",
        "the user that all processes of the group run as, from their first line on, but never "
        "root; the server's own by default. Only a server that is started as root can switch, "
        "and only to users that `serve --allow-user` names",
    )
    group: str | None = _option(None, "account", "their primary group; the user's own by default")
    supplementary_groups: tuple[str, ...] = _option(
        (), "accounts", "their other groups; those that the user is in by default"
    )
    umask: int | None = _option(None, "mask", "the mask for files that they make")
    home: str | None = _option(
        None,
        "path",
        "the directory that they run in; / by default, in mod_wsgi the home directory of the user",
    )
    python_home: str | None = _option(
        None,
        "path",
        "a virtual environment or Python installation, 3.10 or newer, that may have neither "
        "gunicorn nor this package; the server's own by default",
    )
    python_path: tuple[str, ...] = _option(
        (), "paths", "put in front of sys.path, with what .pth files there name"
    )
    python_eggs: str | None = _option(None, "path", "PYTHON_EGG_CACHE")
    lang: str | None = _option(None, "text", "LANG")
    locale: str | None = _option(
        None,
        "text",
        "LC_ALL, and locale.setlocale() at the start; a machine without it goes on in C",
    )
    display_name: str | None = _option(
        None, "text", "what lists of processes show; %{GROUP}, and nothing, stand for (wsgi:NAME)"
    )
    listen_backlog: int = _option(
        100, "count", "how many requests may wait for a thread in the kernel"
    )
    send_buffer_size: int = _option(0, "size", "SO_SNDBUF of the group's socket")
    receive_buffer_size: int = _option(0, "size", "SO_RCVBUF of the group's socket")
    maximum_requests: int = _option(
        0,
        "count or none",
        "a process is replaced after so many requests; it serves until the new one is ready",
    )
    restart_interval: float = _option(
        0, "seconds", "a process is replaced after so long; it serves until the new one is ready"
    )
    request_timeout: float = _option(
        0,
        "seconds",
        "a request that takes longer is answered with 504, its stack is logged, and its process "
        "is replaced. It is the limit as it stands; mod_wsgi takes it times 1 + ln(threads), "
        "3.7 times it for 15 threads",
    )
    queue_timeout: float = _option(
        0,
        "seconds",
        "a request that has waited longer for a thread is answered with 504 and not run",
    )
    connect_timeout: float = _option(
        15, "seconds", "how long the front tries to hand a request over before it answers 503"
    )
    socket_timeout: float = _option(
        60,
        "seconds",
        "how long the front waits for the next bytes of a response: 504 before it has begun",
    )
    response_socket_timeout: float = _option(
        0,
        "seconds",
        "stands for socket_timeout once the response has begun; 0 for the same",
        kind="mapped",
    )
    startup_timeout: float = _option(
        0,
        "seconds",
        "a process is replaced if it has loaded no script so long after its first request, or "
        "takes longer to load what is loaded ahead",
    )
    deadlock_timeout: float = _option(
        300,
        "seconds",
        "gunicorn's timeout: a process in which Python code has not run for so long, as "
        "something holds the interpreter's lock or it was stopped, is killed; the group's first "
        "process, which starts the others, is ended after that time, too, and replaced",
        kind="mapped",
    )
    inactivity_timeout: float = _option(
        0,
        "seconds",
        "without a request for so long the group ends and gives its memory back; the next "
        "request starts it and waits. mod_wsgi restarts it at once",
    )
    graceful_timeout: float = _option(
        15,
        "seconds",
        "how long a process that is to end may take for the requests that it has begun",
    )
    eviction_timeout: float = _option(
        0,
        "seconds",
        "the longer of it and graceful_timeout counts, whatever the process ends for",
        kind="mapped",
    )
    shutdown_timeout: float = _option(
        5, "seconds", "how long a process may then take for its own threads and atexit functions"
    )
    memory_limit: int = _option(
        0, "size", "RLIMIT_DATA of each process; one that runs out of memory is replaced"
    )
    virtual_memory_limit: int = _option(0, "size", "RLIMIT_AS of each process")
    cpu_time_limit: float = _option(
        0, "seconds", "RLIMIT_CPU: a process that has used up so much CPU time is replaced"
    )
    cpu_priority: int = _option(0, "priority", "the processes' nice value")
    stack_size: int = _option(0, "size", "the stack of each thread")
    switch_interval: float = _option(0, "seconds", "sys.setswitchinterval()")
    script_user: str | None = _option(
        None,
        "account",
        "403 for a script that belongs to another user, or lies in another's directory, or that "
        "its group or everybody may write to",
    )
    script_group: str | None = _option(
        None,
        "account",
        "403 for a script that belongs to another group, or lies in another's directory, or "
        "that everybody may write to. Not together with script_user",
    )
    # Beyond mod_wsgi.
    settings: str | None = _option(
        None,
        "text",
        "DJANGO_SETTINGS_MODULE of the group; scripts that ask for another are refused",
        kind="beyond",
    )
    environment: tuple[tuple[str, str], ...] = _option(
        (), "variables", "environment variables of the group", kind="beyond"
    )
    environment_file: str | None = _option(
        None,
        "path",
        "a file with a line NAME=value for each further environment variable, as systemd's "
        "EnvironmentFile. Each daemon process of the group reads it when it starts, as the group's "
        "user: nobody else has to be able to read it",
        kind="beyond",
    )
    pass_environment: tuple[str, ...] | None = _option(
        None,
        "names",
        "the server's environment variables that the group has beside PATH, LANG, LC_* and TZ. "
        "Left out, a group that runs as the server's user has all of them, and one that runs as "
        "another user has no more",
        kind="beyond",
    )
    log_file: str | None = _option(
        None,
        "path",
        "where the group's standard output and error go, instead of the server's log: a file, "
        "or /dev/stdout or /dev/stderr, the server's own. The server opens it, as its own user: "
        "others should not be able to write to its folder. A file that is moved away, as "
        "logrotate does, is made anew with the next line",
        kind="beyond",
    )
    log_prefix: bool | None = _option(
        None,
        "flag",
        "whether each line of the group's output begins with the group's name. Left out, it "
        "does, but not in a log_file that is a file",
        kind="beyond",
    )
    process_limit: int | None = _option(
        None,
        "count",
        "RLIMIT_NPROC: how many processes and threads the group's user may have, in all groups",
        kind="beyond",
    )
    open_files_limit: int | None = _option(
        None,
        "count",
        "RLIMIT_NOFILE: how many files and sockets each process may have open",
        kind="beyond",
    )
    core_limit: int | None = _option(
        None,
        "size or none",
        "RLIMIT_CORE: how large a core dump may be; 0 lets no process leave its memory on disk",
        kind="beyond",
    )
    maximum_application_groups: int = _option(
        50,
        "count or none",
        "how many application groups of this process group live at once whose names come from "
        "requests, as with %{HOST}, or with %{RESOURCE} and a target that has a capture; those "
        "that the table names do not count. The least recently used one ends for a new one, an "
        "idle one first",
        kind="beyond",
    )
    maximum_starts: int = _option(
        60,
        "count or none",
        "how many of these are started in a minute; so many may start at once. Beyond it a "
        "request to one that is not there is answered with 503 at once",
        kind="beyond",
    )
    start: Literal["boot", "demand"] | None = _option(
        None,
        "start",
        "when its processes are started: 'boot' with the server, a few groups at a time, and "
        "'demand' for the first request, which waits for them. Left out, a group starts with the "
        "server if a script is loaded ahead in it, and on demand if none is",
        kind="beyond",
    )
    preload: tuple[str, ...] = _option(
        (),
        "modules",
        "modules of the group's Python, such as django, that are imported once, before its "
        "processes are forked: these share the memory and need no time for it. They must start no "
        "thread and open no connection when they are imported. Groups with other ones have another "
        "parent. What is installed anew of them is loaded when the server is restarted",
        kind="beyond",
    )
    socket: str | None = _option(
        None,
        "socket path",
        "the unix socket of a group that the server does not start: a systemd unit runs it, by "
        "`manage.py wsgimatch serve --process-group NAME`, and the server connects to it. Its "
        "applications are all in %{GLOBAL}, or in sub interpreters",
        kind="beyond",
    )
    address: str | None = _option(
        None,
        "address",
        "socket in the words of `serve --process-group NAME --bind unix:PATH`. There is no TCP: "
        "a port has no owner, so every user of the machine could send requests to the group, or "
        "take the group's place",
        kind="beyond",
    )


# Those that have no counterpart: why, and what to do instead.
REFUSED = {
    "interrupt_timeout": (
        "requests are not interrupted within Python: request_timeout answers 504 and replaces "
        "the process. Say request_timeout"
    ),
    "chroot": (
        "the group's Python, its packages, this package and gunicorn would all have to lie "
        "inside. Run the server in a container, or say RootDirectory= in its systemd unit"
    ),
    "socket_user": (
        "the sockets lie in a folder that only the server's workers can enter, and belong to "
        "their user already. Leave it out"
    ),
    "header_buffer_size": "a response's headers may have 1 MiB together. Leave it out",
    "response_buffer_size": (
        "the relay has no buffers of its own to size: bodies and responses are passed on as "
        "they come, within the unix socket's buffers. Set send_buffer_size and "
        "receive_buffer_size for those"
    ),
    "response_flush_delay": "what the application yields is passed on at once. Leave it out",
    "server_metrics": (
        "there is no scoreboard of Apache's. `manage.py wsgimatch status` shows what there is "
        "to see"
    ),
}
