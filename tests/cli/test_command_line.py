"""``manage.py wsgimatch`` as typed: Django's options, what ends it early, and its exit status."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from django_wsgimatch.asroot.common_options import CommonWords, sort_words
from django_wsgimatch.management.commands.wsgimatch import FILES, SUBCOMMANDS
from tests.support.servers import environment
from tests.thorough import mostly_thorough

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """\
import os
from pathlib import Path
from django_wsgimatch import script_alias
BASE_DIR = Path(__file__).parent
SECRET_KEY = "x"
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "shop_urls"
WSGIMATCH_ALIASES = [script_alias("/{name}", "a.wsgi")]
WSGIMATCH_FALLBACK = None
"""
SLOW = """\
WSGIMATCH_PROCESS_GROUPS = {"g": {}}
WSGIMATCH_ALIASES = [script_alias("/slow", "slow.wsgi", process_group="g")]
"""
# It says who it is, and does not come to an end.
SLOW_SCRIPT = """\
import os, pathlib, time
pathlib.Path(__file__).with_name("started").write_text(str(os.getpid()))
time.sleep(600)
"""
BROKEN = "INSTALLED_APPS = ['django_wsgimatch']\nWSGIMATCH_ALIASES = ['x']\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Settings modules of one project: of /shop, of /other, a broken table, a slow script."""
    directory = tmp_path_factory.mktemp("site")
    for name in ("shop", "other"):
        (directory / f"{name}.py").write_text(SETTINGS.format(name=name))
    (directory / "broken.py").write_text(BROKEN)
    (directory / "shop_urls.py").write_text("urlpatterns = []\n")
    (directory / "a.wsgi").write_text("def application(environ, start_response): ...\n")
    (directory / "slow.py").write_text(SETTINGS.format(name="slow") + SLOW)
    (directory / "slow.wsgi").write_text(SLOW_SCRIPT)
    os.mkfifo(directory / "started")
    (directory / "apache.conf").write_text("WSGIScriptAlias /a /a.wsgi\n")
    return directory


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "django", "wsgimatch", *words]


def run(site: Path, *words: str, settings: str = "shop") -> subprocess.CompletedProcess[str]:
    environ = environment(settings)
    environ["PYTHONPATH"] += f":{site}"
    return subprocess.run(
        command(*words),
        cwd=site.parent,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    mostly_thorough(
        [
            pytest.param(["--settings", "other", "list"], id="before the subcommand"),
            pytest.param(["list", "--settings", "other"], id="after it"),
            pytest.param(
                ["list", "--settings=other", "--no-color", "-v2", "--json"], id="among others"
            ),
        ],
        "before the subcommand",
        "among others",
    ),
)
def test_settings(site, words):
    done = run(site, *words)

    assert done.returncode == 0
    assert "/other" in done.stdout


@pytest.mark.parametrize(
    "option",
    [["--traceback"], ["--no-color"], ["--force-color"], ["-v", "2"], ["-v0"], ["--verbosity=3"]],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["list"],
        ["preview", "/x"],
        ["status"],
        ["restart", "g"],
        ["stop", "g"],
        ["import", "-"],
        ["compare", "http://a", "http://b", "-"],
    ],
    ids=lambda words: words[0],
)
def test_each_subcommand_takes_the_options_of_django_s_commands(words, option):
    from django_wsgimatch.management.commands.wsgimatch import Command

    parser = Command().create_parser("manage.py", "wsgimatch")

    after = vars(parser.parse_args([*words, *option]))

    assert after == vars(parser.parse_args([*option, *words]))


LOADED = """\
import atexit, sys
from django.core.management import execute_from_command_line
atexit.register(lambda: sys.stderr.write("\\n".join(["", *sorted(sys.modules)])))
execute_from_command_line(["manage.py", "wsgimatch", *sys.argv[1:]])
"""


def loaded(*words: str) -> set[str]:
    """The modules of a process that runs a subcommand."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        env=environment("tests.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    return {*done.stderr.splitlines()}


@pytest.mark.parametrize("name", mostly_thorough(["check", "status", "import", "compare"]))
def test_a_subcommand_loads_no_other_s_file(name):
    files = {each: f"django_wsgimatch.cli.{FILES.get(each, each)}" for each in SUBCOMMANDS}

    assert loaded(name, "--help") & {*files.values()} == {files[name]}


def test_list_in_a_pipe_loads_nothing_that_draws_checks_or_imports():
    unneeded = {"rich", "django_wsgimatch.checks", "django_wsgimatch.apache"}

    assert loaded("list") & unneeded == set()


def test_python_path_after_the_subcommand(site):
    environ = environment("shop")

    done = subprocess.run(
        command("list", "--pythonpath", str(site)),
        cwd=site.parent,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "has_traceback"),
    [
        pytest.param([], False, id="as a rule"),
        pytest.param(["--traceback"], True, id="with --traceback"),
    ],
)
def test_traceback(site, words, has_traceback):
    done = run(site, "preview", "/", "--host", "a b", *words)

    assert ("Traceback" in done.stderr) == has_traceback


@pytest.mark.parametrize(
    ("words", "has_colour"),
    mostly_thorough(
        [
            pytest.param([], False, id="as a rule"),
            pytest.param(["--force-color"], True, id="with --force-color"),
        ],
        "with --force-color",
    ),
)
def test_colour_in_a_pipe(site, words, has_colour):
    assert ("\x1b[" in run(site, "list", *words).stdout) == has_colour


@pytest.mark.parametrize(
    ("words", "sorted_words"),
    [
        pytest.param(["-w", "4"], (None, None, "-w", "4"), id="none of Django's"),
        pytest.param(["--settings", "a", "-w4"], ("a", None, "-w4"), id="settings"),
        pytest.param(["--pythonpath=/x", "--no-color"], (None, "/x"), id="two"),
        pytest.param(["-v", "2", "-v3"], (None, None), id="-v with a number"),
        pytest.param(["-v"], (None, None, "-v"), id="gunicorn's -v"),
        pytest.param(["--settings"], (None, None, "--settings"), id="no value"),
    ],
)
def test_django_s_words_among_gunicorn_s(words, sorted_words):
    settings, path, *rest = sorted_words

    assert sort_words(words) == CommonWords(settings, path, tuple(rest))


@pytest.mark.parametrize(
    ("words", "settings"),
    mostly_thorough(
        [
            pytest.param(["check"], "broken", id="findings"),
            pytest.param(["import", "apache.conf", "--json"], "shop", id="a wrong option"),
            pytest.param(["status"], "shop", id="no server"),
        ]
    ),
)
def test_a_command_line_exits_with_a_status(site, words, settings):
    done = run(site, *words, settings=settings)

    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "returncode"),
    [
        pytest.param(["check", "--fail-level", "WARNING"], 1, id="check"),
        pytest.param(["import", "{path}/none.conf"], 1, id="import of no file"),
        pytest.param(["import", "{path}/rules.conf", "--check"], 1, id="import that needs you"),
    ],
)
def test_call_command_raises_a_command_error(tmp_path, settings, words, returncode):
    (tmp_path / "rules.conf").write_text("AuthType Digest\n")
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias b x.wsgi"]

    with pytest.raises(CommandError) as caught:
        call_command(
            "wsgimatch",
            *(word.format(path=tmp_path) for word in words),
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )

    assert caught.value.returncode == returncode


@pytest.mark.parametrize(
    "words",
    mostly_thorough(
        [
            ["check"],
            ["check", "--json"],
            ["list"],
            ["preview", "/shop"],
            ["import", "{site}/apache.conf"],
            ["serve", "--help"],
        ],
        ["check"],
        ["serve", "--help"],
    ),
    ids=" ".join,
)
def test_a_reader_that_is_gone_ends_it_without_a_word(site, words):
    reading, writing = os.pipe()
    os.close(reading)
    environ = environment("shop")
    environ["PYTHONPATH"] += f":{site}"

    with open(writing, "wb") as output:
        done = subprocess.run(
            command(*(word.format(site=site) for word in words)),
            cwd=site,
            env=environ,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.returncode == -signal.SIGPIPE
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def request_of(server: socket.socket) -> socket.socket:
    """The first connection on which something is asked."""
    while True:
        connection, _ = server.accept()
        if connection.recv(1):
            return connection
        connection.close()


def hear_ctrl_c() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and its children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_compare_without_a_word(site):
    """While a site does not answer: nobody waits for its time limit."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environ = environment("shop")
        environ["PYTHONPATH"] += f":{site}"
        process = subprocess.Popen(
            command("compare", url, url, "-", "--timeout", "600"),
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=hear_ctrl_c,
        )
        assert process.stdin is not None
        process.stdin.write(b"/a\n")
        process.stdin.close()
        process.stdin = None
        with request_of(silent):
            process.send_signal(signal.SIGINT)

            output, errors = process.communicate(timeout=60)

    assert (output, errors) == (b"", b"")
    assert process.returncode == -signal.SIGINT


def test_ctrl_c_ends_check_and_what_it_has_started(site):
    environ = environment("slow")
    environ["PYTHONPATH"] += f":{site}"
    process = subprocess.Popen(
        command("check"),
        cwd=site,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_ctrl_c,
    )
    started = int((site / "started").read_text())
    process.send_signal(signal.SIGINT)

    output, errors = process.communicate(timeout=60)

    assert (output, errors) == (b"", b"")
    assert process.returncode == -signal.SIGINT
    with pytest.raises(ProcessLookupError):
        os.kill(started, 0)


@pytest.mark.parametrize("closed", mostly_thorough([">&-", "2>&-", "<&- >&- 2>&-"], "<&- >&- 2>&-"))
@pytest.mark.parametrize("words", mostly_thorough(["check", "list --json", "serve --help"]))
def test_streams_that_the_shell_has_closed(site, words, closed):
    environ = environment("shop")
    environ["PYTHONPATH"] += f":{site}"

    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m django wsgimatch {words} {closed}"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_json_after_django_s_options(site):
    done = run(site, "preview", "/shop", "--no-color", "--json")

    assert [each["matched"] for each in json.loads(done.stdout)] == [True]


@pytest.mark.parametrize("arguments", [[], ["preview"], ["guess"], ["check", "--fail-level", "X"]])
def test_bad_arguments(arguments):
    with pytest.raises(CommandError):
        call_command("wsgimatch", *arguments)


def test_bytes_as_typed_are_read_as_they_are():
    """A status for the shell, and nothing else on standard output."""
    words = ["-m", "django", "wsgimatch", "preview", "--json", os.fsdecode(b"/caf\xe9"), "-"]
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, *words], input=b"/b\n", capture_output=True, env=environ, check=True
    )

    assert [shown["target"] for shown in json.loads(done.stdout)] == ["/caf\xe9", "/b"]
