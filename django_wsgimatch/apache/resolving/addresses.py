"""The virtual hosts of one address: what ``--address`` leaves of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from ...exceptions import AddressError
from ..lines.directive import ApacheConfiguration, Directive, Section, split_words

ANY_PART = "*"

_GROUPS = "wsgidaemonprocess"
_NOT_ASKED = "--address asks for another address"


def at_address(configuration: ApacheConfiguration, address: str) -> ApacheConfiguration:
    """
    Return a configuration with the virtual hosts off that a connection to an address does not get.

    As in Apache, those that name the address itself come before those with a wildcard, and where
    there are none of either at an address of a Listen line the main server answers. Raises
    AddressError, which names the addresses, where nobody does.
    """
    hosts = dict.fromkeys(s for d in configuration.directives for s in _hosts(d))
    asked = parts_of(address)
    chosen: set[Section] = set()
    for ip in dict.fromkeys((asked[0], ANY_PART)):
        chosen = {host for host in hosts if any(_takes(each, (ip, asked[1])) for each in _of(host))}
        if chosen:
            break
    if not chosen and not any(_is_listened_at(each, asked) for each in configuration.directives):
        names = ", ".join(dict.fromkeys(each for host in hosts for each in _of(host))) or "none"
        raise AddressError(f"no virtual host is at {address}: their addresses are {names}")
    # A virtual host may use the process groups of another one of its name, at another port.
    because = f"Its virtual host is not at {address}, which --address asks for"
    directives = (
        each
        if each.is_off or each.key == _GROUPS or chosen.issuperset(_hosts(each))
        else replace(each, is_off=True, because=because)
        for each in map(partial(_without_listen, asked=asked), configuration.directives)
    )
    return replace(configuration, directives=tuple(directives))


def _without_listen(directive: Directive, asked: tuple[str, str]) -> Directive:
    """Return a directive, switched off where it has the server listen at another address."""
    if directive.key != "listen" or directive.is_off or _is_listened_at(directive, asked):
        return directive
    return replace(directive, is_off=True, because=_NOT_ASKED)


def _is_listened_at(directive: Directive, asked: tuple[str, str]) -> bool:
    if directive.key != "listen" or directive.is_off or not directive.words:
        return False
    ip, port = listened_at(directive.words[0])
    return port == asked[1] and (ip in (ANY_PART, asked[0]) or asked[0] in (ANY_PART, "0.0.0.0"))


def _hosts(directive: Directive) -> Iterator[Section]:
    return (each for each in directive.sections if each.key == "virtualhost")


def _of(host: Section) -> list[str]:
    return split_words(host.argument)


def _takes(address: str, asked: tuple[str, str]) -> bool:
    ip, port = parts_of(address)
    return ip == asked[0] and (ANY_PART in (port, asked[1]) or port == asked[1])


def listened_at(word: str) -> tuple[str, str]:
    """Return the address and the port of a Listen line; "*" is all addresses."""
    ip, _, port = word.rpartition(":")
    return ip.lower() or ANY_PART, port


def parts_of(address: str) -> tuple[str, str]:
    """Return an address and its port; "*" is any."""
    ip, colon, port = address.rpartition(":")
    if not colon or port.endswith("]"):
        ip, port = address, ANY_PART
    return (ANY_PART if ip.lower() in ("", "_default_") else ip.lower()), port
