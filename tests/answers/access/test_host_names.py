from __future__ import annotations

import socket
import threading

import pytest

from django_wsgimatch.answers.access import host_names
from django_wsgimatch.answers.access.host_names import HostNames, is_in_domain, resolved_name


@pytest.mark.parametrize(
    ("domain", "name", "is_in"),
    [
        pytest.param("example.org", "example.org", True, id="itself"),
        pytest.param("example.org", "www.example.org", True, id="below it"),
        pytest.param(".example.org", "www.example.org", True, id="with a dot"),
        pytest.param("Example.ORG", "www.example.org", True, id="case does not count"),
        pytest.param("example.org", "badexample.org", False, id="the end of another name"),
        pytest.param("www.example.org", "example.org", False, id="above it"),
    ],
)
def test_domains(domain, name, is_in):
    assert is_in_domain(domain, name) is is_in


def test_an_answer_is_asked_for_once():
    asked: list[str] = []

    def resolve(address):
        asked.append(address)
        return "Host.example"

    names = HostNames(resolve)

    found = [names.name_of("192.0.2.1") for _ in range(3)]

    assert (found, asked) == (["host.example"] * 3, ["192.0.2.1"])


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(host_names, "PATIENCE", 0.01)
    release = threading.Event()

    def resolve(address):
        release.wait(5)
        return "late.example"

    names = HostNames(resolve)

    found = [names.name_of(f"192.0.2.{number}") for number in range(6)]
    release.set()

    assert found == [None] * 6


def test_a_client_without_an_address_has_no_name():
    assert HostNames(lambda address: "host.example").name_of("") is None


def test_a_name_counts_if_it_leads_back_to_the_address(monkeypatch):
    monkeypatch.setattr(socket, "getnameinfo", lambda *given: ("trusted.example", "0"))
    answers = [(2, 1, 6, "", ("192.0.2.9", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: answers)

    assert [resolved_name(each) for each in ("192.0.2.9", "192.0.2.1")] == ["trusted.example", None]
