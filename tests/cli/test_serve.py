from __future__ import annotations

import sys

import pytest
from django.core.management import call_command

from django_wsgimatch.asroot import gunicorn_command
from django_wsgimatch.asroot.gunicorn_command import arguments
from django_wsgimatch.exceptions import SettingError
from django_wsgimatch.gunicorn import _keep_to_its_own_control_socket


@pytest.mark.parametrize(
    ("files", "program"),
    [
        pytest.param(["python", "gunicorn"], ["{bin}/gunicorn"], id="pip's script"),
        pytest.param(["python"], ["-m", "gunicorn"], id="where there is none"),
    ],
)
def test_serve_becomes_gunicorn(tmp_path, monkeypatch, files, program):
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    assert arguments(["-w", "4"]) == [
        str(tmp_path / "python"),
        *[word.format(bin=tmp_path) for word in program],
        *("-c", "python:django_wsgimatch.gunicorn", "-w", "4", "django_wsgimatch.wsgi"),
    ]


@pytest.mark.parametrize("word", ["-c", "--config", "--config=x"])
def test_serve_takes_no_configuration(word):
    with pytest.raises(SettingError, match="would stand in place of the configuration"):
        arguments([word])


@pytest.mark.parametrize(
    ("given", "is_disabled"),
    [
        pytest.param(None, True, id="the one of all servers of a user"),
        pytest.param("/run/shop/gunicorn.ctl", False, id="one of the server's own"),
    ],
)
def test_gunicorn_s_control_socket(given, is_disabled):
    cfg = pytest.importorskip("gunicorn.config").Config()
    if given is not None:
        cfg.set("control_socket", given)

    _keep_to_its_own_control_socket(cfg)

    assert cfg.control_socket_disable == is_disabled


def test_without_gunicorn_serve_says_what_to_install(monkeypatch):
    monkeypatch.setattr(gunicorn_command, "find_spec", lambda name: None)

    with pytest.raises(SettingError) as caught:
        arguments([])

    assert str(caught.value) == (
        f"gunicorn is not installed for {sys.executable}, and `serve` becomes gunicorn: pip "
        'install "django-wsgimatch[gunicorn]"'
    )


def test_of_django_s_options_gunicorn_gets_the_python_path_alone():
    words = ["--settings", "a", "-w", "2", "--no-color", "-v", "2", "--pythonpath=/srv"]

    assert gunicorn_command.for_gunicorn(words) == ["--pythonpath", "/srv", "-w", "2"]


def test_serve_help_names_what_serve_adds(capsys):
    call_command("wsgimatch", "serve", "--help")

    assert capsys.readouterr().out == gunicorn_command.HELP
