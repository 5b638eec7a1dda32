"""The name and the port of a host."""

from __future__ import annotations


def split_host(host: str) -> tuple[str, str]:
    """Split ``name:port``; the port is "" where there is none. An IPv6 name keeps brackets."""
    name, colon, port = host.rpartition(":")
    if not colon or not (port.isdigit() or not port) or (name[:1] == "[" and name[-1:] != "]"):
        return host, ""
    return name, port


def host_name(host: str) -> str:
    """The name of a host as Apache keeps it: lower case, no port, brackets or dot at the end."""
    name = split_host(host)[0].lower().removesuffix(".")
    return name.removeprefix("[").removesuffix("]")
