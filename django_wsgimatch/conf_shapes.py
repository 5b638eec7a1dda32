"""The settings: their defaults, and what each must be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .aliases.groups import GLOBAL
from .plans.targets import is_clean

DEFAULTS: dict[str, Any] = {
    "ALIASES": [],
    "VIRTUAL_HOSTS": {},
    "PLAIN_HTTP": [],
    "FILES_FIRST": [],
    "ACCESS": [],
    "ACCESS_REMEMBER": 60,
    "PROCESS_GROUPS": {},
    "PROCESS_GROUP": GLOBAL,
    "APPLICATION_GROUP": GLOBAL,
    "APPLICATION_GROUP_BACKEND": "process",
    "SOCKET_DIRECTORY": None,
    "FALLBACK": "django.core.wsgi.get_wsgi_application",
    "ERROR_PAGES": {},
    "ROOTS": None,
    "HEALTH_PATH": None,
    "DRAIN_SECONDS": 5,
    "SERVER_NAME": None,
    "SERVER_PORTS": [],
    "TRUSTED_PROXIES": [],
    "TRUSTED_PROXY_HEADERS": [],
    "TRUSTED_PROXY_VARIABLES": {},
    "THREADS_PER_PLACE": 0.75,
    "BODY_TIMEOUT": (20, 500),
    "ALLOW_ENCODED_SLASHES": False,
    "MERGE_SLASHES": True,
    "DIRECTORY_SLASH": False,
    "FOLLOW_SYMLINKS": True,
    "SCRIPT_RELOADING": "safe",
    "SCRIPT_RELOAD_INTERVAL": 1,
    "PASS_AUTHORIZATION": True,
    "CHUNKED_REQUEST": True,
    "ALLOW_EXPONENTIAL_PATTERNS": False,
}


def _are_ports(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(p) is int and 0 < p < 65536 for p in value)


def _is_folder_of_urls(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 1 and value[-1] == "/" and is_clean(value)


def _is_part(value: Any) -> bool:
    return (type(value) is int and value > 0) or (type(value) is float and 0 < value <= 1)


def _is_timeout(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(type(number) in (int, float) and 0 < number < 1e9 for number in value)
    )


# What a setting must be: a test, and the words for "should be ...".
SHAPES: dict[str, tuple[Any, str]] = {
    "ALIASES": (lambda v: isinstance(v, list | tuple), "a list of entries"),
    "VIRTUAL_HOSTS": (
        lambda v: (
            isinstance(v, Mapping)
            and all(isinstance(k, str) and isinstance(e, list | tuple) for k, e in v.items())
        ),
        "a dict of host patterns to lists of entries",
    ),
    "PLAIN_HTTP": (
        lambda v: isinstance(v, list | tuple),
        "a list of redirect(), redirect_match(), deny() and deny_match()",
    ),
    "FILES_FIRST": (
        lambda v: isinstance(v, list | tuple),
        "a list of folders, document_root(), alias() and alias_match()",
    ),
    "ACCESS": (lambda v: isinstance(v, list | tuple), "a list of access() and access_match()"),
    "ACCESS_REMEMBER": (
        lambda v: type(v) in (int, float) and 0 <= v < 1e9,
        "a number of seconds, 0 to compute each password's hash for each request",
    ),
    "PROCESS_GROUPS": (lambda v: isinstance(v, Mapping), "a dict of names to options"),
    "PROCESS_GROUP": (lambda v: isinstance(v, str) and v, "a non-empty name"),
    "APPLICATION_GROUP": (lambda v: isinstance(v, str) and v, "a non-empty name"),
    "APPLICATION_GROUP_BACKEND": (
        lambda v: v in ("process", "interpreter", "interpreter-own-gil"),
        "'process', 'interpreter' or 'interpreter-own-gil'",
    ),
    "SOCKET_DIRECTORY": (
        lambda v: v is None or isinstance(v, str | os.PathLike),
        "a directory or None",
    ),
    "FALLBACK": (lambda v: v is None or isinstance(v, str), "a dotted path or None"),
    "ERROR_PAGES": (
        lambda v: isinstance(v, Mapping),
        "a dict of statuses to pages, as in {404: '/errors/404'}, and of hosts to such dicts",
    ),
    "ROOTS": (
        lambda v: (
            v is None
            or (isinstance(v, list | tuple) and all(isinstance(r, str | os.PathLike) for r in v))
        ),
        "a list of directories or None",
    ),
    "HEALTH_PATH": (
        lambda v: v is None or _is_folder_of_urls(v),
        "a path such as '/-/wsgimatch/', with a slash at both ends and nothing to decode, or None",
    ),
    "DRAIN_SECONDS": (
        lambda v: type(v) in (int, float) and 0 <= v < 1e9,
        "a number of seconds, 0 for none",
    ),
    "SERVER_NAME": (lambda v: v is None or isinstance(v, str), "a host name or None"),
    "SERVER_PORTS": (lambda v: v == "any" or _are_ports(v), "a list of ports, or 'any'"),
    "TRUSTED_PROXIES": (
        lambda v: isinstance(v, list | tuple),
        "a list of addresses and networks, and 'unix' for unix sockets",
    ),
    "TRUSTED_PROXY_HEADERS": (lambda v: isinstance(v, list | tuple), "a list of headers"),
    "TRUSTED_PROXY_VARIABLES": (
        lambda v: isinstance(v, Mapping),
        "a dict of variables to headers, as in {'REMOTE_USER': 'X-Remote-User'}",
    ),
    "THREADS_PER_PLACE": (
        lambda v: v is None or _is_part(v),
        "a share of the server's threads from 0 to 1 (0.75), a whole number of them, or None",
    ),
    "BODY_TIMEOUT": (
        lambda v: v is None or _is_timeout(v),
        "(seconds, bytes a second), as in (20, 500), or None",
    ),
    "ALLOW_ENCODED_SLASHES": (
        lambda v: isinstance(v, bool) or v == "NoDecode",
        "True, False or 'NoDecode'",
    ),
    "MERGE_SLASHES": (lambda v: isinstance(v, bool), "True or False"),
    "DIRECTORY_SLASH": (lambda v: isinstance(v, bool), "True or False"),
    "FOLLOW_SYMLINKS": (
        lambda v: isinstance(v, bool) or v == "owner",
        "True, False or 'owner'",
    ),
    "SCRIPT_RELOADING": (lambda v: isinstance(v, bool) or v == "safe", "'safe', True or False"),
    "SCRIPT_RELOAD_INTERVAL": (
        lambda v: type(v) in (int, float) and 0 <= v < 1e9,
        "a number of seconds, 0 to look at the file for each request",
    ),
    "PASS_AUTHORIZATION": (lambda v: isinstance(v, bool), "True or False"),
    "CHUNKED_REQUEST": (lambda v: isinstance(v, bool), "True or False"),
    "ALLOW_EXPONENTIAL_PATTERNS": (lambda v: isinstance(v, bool), "True or False"),
}
