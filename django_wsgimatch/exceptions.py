"""Every error that django-wsgimatch raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence


class WSGIMatchError(Exception):
    """The base of all errors of django-wsgimatch."""


class DirectiveError(WSGIMatchError, ValueError):
    """A directive or an entry that Apache would refuse; the text is Apache's own message."""


class PatternError(WSGIMatchError, ValueError):
    """A pattern that cannot be used."""

    def __init__(self, pattern: str, reason: str) -> None:
        super().__init__(f"pattern {pattern!r}: {reason}")
        self.pattern = pattern
        self.reason = reason


class InvalidPattern(PatternError):
    """PCRE refuses the pattern too: Apache says "Regular expression could not be compiled."."""


class UnsupportedPattern(PatternError):
    """
    PCRE accepts the pattern, as far as can be told, but nothing here can run it exactly.

    ``construct`` is the part that stands in the way. The cure is the ``pcre2`` extra, unless
    ``curable`` is false: then releases of PCRE2 differ on the construct.
    """

    def __init__(self, pattern: str, construct: str, *, curable: bool = True) -> None:
        cure = (
            'to run it on PCRE2 itself, pip install "django-wsgimatch[pcre2]"'
            if curable
            else "releases of PCRE2 differ on it, so write the pattern without it"
        )
        super().__init__(pattern, f"Python's re has no exact equivalent of {construct}; {cure}")
        self.construct = construct
        self.curable = curable


class ExponentialPattern(PatternError):
    """
    The pattern is prone to catastrophic backtracking (ReDoS); ``attack`` is a uri that causes it.

    It is empty where the pattern is too large to be examined.
    """

    def __init__(self, pattern: str, reason: str, attack: str) -> None:
        super().__init__(pattern, reason)
        self.attack = attack


class BadTarget(WSGIMatchError, ValueError):
    """A request target that Apache answers itself, before any alias: ``status`` is 400 or 404."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class TargetError(WSGIMatchError):
    """A filename that leads to no script: ``status`` is 403 or 404, ``path`` where it ended."""

    def __init__(self, status: int, reason: str, path: str) -> None:
        super().__init__(f"{reason}: {path}")
        self.status = status
        self.reason = reason
        self.path = path


class FileCutShort(WSGIMatchError):
    """A file that was shortened while it was sent: the server is to cut the connection."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was shortened while it was sent")


class ScriptError(WSGIMatchError):
    """A script that was found and cannot answer: ``status`` is 404 or 500."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class TableError(WSGIMatchError, ValueError):
    """A table with broken entries: ``errors`` holds (position, error) for every one of them."""

    def __init__(self, errors: Sequence[tuple[int, WSGIMatchError]]) -> None:
        super().__init__("\n".join(f"entry {position}: {error}" for position, error in errors))
        self.errors = tuple(errors)


class ApplicationExit(WSGIMatchError):
    """
    An application raised SystemExit.

    It would end the server's worker; mod_wsgi logs it and answers 500, and so does a server
    that meets this error.
    """

    def __init__(self, script: str, code: object) -> None:
        super().__init__(f"SystemExit({code!r}) raised by WSGI script '{script}' ignored.")


class SettingError(WSGIMatchError, ValueError):
    """A setting, or an entry, that cannot be used as it is."""


class AccessFileError(WSGIMatchError):
    """A file of users or groups that access rules name cannot be read."""


class SocketDirectoryError(SettingError):
    """The folder of sockets cannot be used; WSGIMATCH_SOCKET_DIRECTORY can name another."""


class PlaceError(SettingError):
    """A process group or an application group in which nothing can run; ``cure`` ends that."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.cure = cure


class ProtocolError(WSGIMatchError):
    """What came over a place's socket is none of the frames of ``daemon.protocol``."""


class DaemonError(WSGIMatchError):
    """
    A daemon process that gave no whole answer: ``status`` is what the client gets, if it can.

    ``is_logged`` says that the process has written into its log what was wrong.
    """

    def __init__(self, status: int, message: str, is_logged: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.is_logged = is_logged


class ManagerError(WSGIMatchError):
    """The manager of the daemon processes is not there, or cannot do what it was asked for."""


class ManagerGone(ManagerError):
    """The manager is not there, or does not answer: another one may."""


class AddressError(WSGIMatchError):
    """An address at which a configuration has no virtual host."""


class CompareError(WSGIMatchError):
    """Two sites that cannot be compared as it was asked."""


class FrontError(WSGIMatchError):
    """A front that cannot be written as it was asked."""
