"""Files that are written, or sent: whole, or not at all, whatever happens."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import testproject.secret
from django_wsgimatch.whole_files import SentFile, write_new, write_whole
from testproject.secret import kept_secret

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(
    ("before", "mode"),
    [
        pytest.param(None, 0o640, id="a new one follows the umask"),
        pytest.param(0o600, 0o600, id="a private one stays private"),
        pytest.param(0o664, 0o664, id="one for a group stays so"),
    ],
)
def test_a_file_is_written_and_keeps_its_mode(tmp_path, before, mode):
    path = tmp_path / "imported.py"
    if before is not None:
        path.write_bytes(b"old")
        path.chmod(before)

    write_whole(str(path), b"new" * 100_000)

    assert path.read_bytes() == b"new" * 100_000
    assert mode_of(path) == mode
    assert os.listdir(tmp_path) == ["imported.py"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_keeps_its_owner(tmp_path):
    path = tmp_path / "imported.py"
    path.write_bytes(b"old")
    os.chown(path, 65534, 65534)

    write_whole(str(path), b"new")

    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_a_path_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    write_whole("imported.py", b"new")

    assert (tmp_path / "imported.py").read_bytes() == b"new"


def test_a_symbolic_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real.py").write_bytes(b"old")
    (tmp_path / "link.py").symlink_to("far/real.py")
    (tmp_path / "dangling.py").symlink_to("far/new.py")

    write_whole(str(tmp_path / "link.py"), b"one")
    write_whole(str(tmp_path / "dangling.py"), b"two")

    assert os.readlink(tmp_path / "link.py") == "far/real.py"
    assert (tmp_path / "far" / "real.py").read_bytes() == b"one"
    assert (tmp_path / "far" / "new.py").read_bytes() == b"two"
    assert sorted(os.listdir(tmp_path / "far")) == ["new.py", "real.py"]


def test_a_pipe_is_written_as_it_is(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()

    write_whole(str(path), b"new")
    reader.join()

    assert read == [b"new"]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_that_is_a_file_is_written_as_it_is(tmp_path, name):
    source = f"from django_wsgimatch.whole_files import write_whole\nwrite_whole({name!r}, b'new')"
    with open(tmp_path / "out", "wb") as out:
        before = os.fstat(out.fileno()).st_ino
        subprocess.run([sys.executable, "-c", source], stdout=out, cwd=ROOT, check=True)

    assert (tmp_path / "out").read_bytes() == b"new"
    assert (tmp_path / "out").stat().st_ino == before


FAILURES = [
    pytest.param("write", errno.ENOSPC, id="a full disk"),
    pytest.param("write", errno.EDQUOT, id="a quota that is used up"),
    pytest.param("fsync", errno.EIO, id="a disk that fails"),
    pytest.param("replace", errno.EACCES, id="a folder that changes hands"),
]


@pytest.mark.parametrize(("call", "number"), FAILURES)
@pytest.mark.parametrize("is_there", [True, False], ids=["an old file", "none"])
def test_an_error_leaves_what_was_there_and_names_the_path(
    tmp_path, monkeypatch, call, number, is_there
):
    path = tmp_path / "imported.py"
    if is_there:
        path.write_bytes(b"old")

    def fail(*args: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=r"imported\.py") as caught:
        write_whole(str(path), b"new")
    monkeypatch.undo()

    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    assert os.listdir(tmp_path) == (["imported.py"] if is_there else [])
    assert not is_there or path.read_bytes() == b"old"


def test_a_disk_that_becomes_full_in_the_middle(tmp_path):
    path = tmp_path / "imported.py"
    path.write_bytes(b"old")
    source = (
        "import resource, signal, sys\nfrom django_wsgimatch.whole_files import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    write_whole(sys.argv[1], b'new' * 1000)\n"
        "except OSError as error:\n    print(error.filename, error.strerror)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", source, str(path)], cwd=ROOT, capture_output=True, check=True
    )

    assert done.stdout.decode() == f"{path} File too large\n"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["imported.py"]


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_real_full_disk(small_disk):
    path = small_disk / "imported.py"
    path.write_bytes(b"old")

    with pytest.raises(OSError, match="No space left on device") as caught:
        write_whole(str(path), b"x" * 100_000)

    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(small_disk) == ["imported.py"]


def test_a_process_that_is_killed_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "imported.py"
    path.write_bytes(b"old")
    source = (
        "import os, sys\nfrom django_wsgimatch.whole_files import write_whole\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), 9)\nwrite_whole(sys.argv[1], b'new')\n"
    )

    done = subprocess.run([sys.executable, "-c", source, str(path)], cwd=ROOT, check=False)

    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"


def test_a_folder_that_is_not_there(tmp_path):
    path = tmp_path / "nowhere" / "imported.py"

    with pytest.raises(FileNotFoundError) as caught:
        write_whole(str(path), b"new")

    assert caught.value.filename == str(path)


AS_NOBODY = """
import os, sys
from django_wsgimatch.whole_files import write_whole
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    write_whole(sys.argv[1], b"new")
except OSError as error:
    print(error.filename, error.strerror)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode"),
    [
        pytest.param(0o755, 0o666, id="in a folder that is read only"),
        pytest.param(0o777, 0o444, id="a file that is read only"),
    ],
)
def test_what_may_not_be_written_is_left(open_folder, folder_mode, file_mode):
    folder = open_folder / "folder"
    folder.mkdir()
    path = folder / "imported.py"
    path.write_bytes(b"old")
    path.chmod(file_mode)
    folder.chmod(folder_mode)

    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(path)], cwd=ROOT, capture_output=True, check=True
    )

    assert done.stdout.decode() == f"{path} Permission denied\n"
    assert path.read_bytes() == b"old"
    assert os.listdir(folder) == ["imported.py"]


@pytest.mark.parametrize("has_links", [True, False], ids=["", "without hard links"])
def test_a_new_file_is_private_and_never_replaces_one(tmp_path, monkeypatch, has_links):
    path = tmp_path / "secret"
    if not has_links:
        refused = OSError(errno.EPERM, os.strerror(errno.EPERM))
        monkeypatch.setattr(os, "link", lambda *names: raise_(refused))

    write_new(str(path), b"first", 0o600)
    with pytest.raises(FileExistsError):
        write_new(str(path), b"second", 0o600)

    assert (path.read_bytes(), mode_of(path)) == (b"first", 0o600)
    assert os.listdir(tmp_path) == ["secret"]


def raise_(error: OSError) -> None:
    raise error


def test_a_secret_that_two_processes_draw_is_one(tmp_path, monkeypatch):
    path = tmp_path / "var" / "secret"

    def draw_twice(path: str, data: bytes, mode: int) -> None:
        write_new(path, b"the other's", mode)
        write_new(path, data, mode)

    monkeypatch.setattr(testproject.secret, "write_new", draw_twice)

    drawn = kept_secret(path)

    assert drawn == kept_secret(path) == "the other's"


@pytest.fixture
def sent(tmp_path):
    """Open a file of 100 bytes, of which a server is to send so many from its tenth on."""
    path = tmp_path / "sent"
    path.write_bytes(bytes(range(100)))
    opened = []

    def open_file(announced):
        descriptor = os.open(path, os.O_RDONLY)
        os.lseek(descriptor, 10, os.SEEK_SET)
        opened.append(SentFile(descriptor, announced, EOFError("cut short")))
        return opened[0]

    yield open_file
    for file in opened:
        file.abandon()


def test_a_server_that_reads_gets_what_is_announced_and_no_more(sent):
    file = sent(20)

    data = [file.read(15), file.read(), file.read()]

    file.close()
    assert data == [bytes(range(10, 25)), bytes(range(25, 30)), b""]


def test_a_server_that_tells_where_it_has_come_to_has_sent_that(sent):
    file = sent(20)

    file.seek(30)

    file.close()
    assert file.closed


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda file: file.read(19), id="reads too little"),
        pytest.param(lambda file: file.seek(29), id="tells of too little"),
    ],
)
def test_what_a_server_has_not_sent_is_complained_of_at_the_end(sent, act):
    file = sent(20)
    act(file)

    with pytest.raises(EOFError, match="cut short"):
        file.close()


def test_a_server_that_looks_ahead_and_goes_back_gets_all(sent):
    file = sent(20)

    # As waitress does: it reads, sends some of it, goes back, and reads that much.
    file.seek(0, os.SEEK_END)
    file.seek(10)
    ahead = file.read(15)
    file.seek(10)
    data = [file.read(8), file.read(20)]

    file.close()
    assert (ahead, data) == (bytes(range(10, 25)), [bytes(range(10, 18)), bytes(range(18, 30))])


def test_a_server_that_reads_what_is_no_longer_there_is_told_at_once(sent):
    file = sent(20)
    os.truncate(f"/proc/self/fd/{file.fileno()}", 12)

    data = file.read(20)
    with pytest.raises(EOFError, match="cut short"):
        file.read(18)

    assert data == bytes(range(10, 12))


def test_of_a_file_of_which_nothing_is_announced_all_is_sent(sent):
    file = sent(None)

    data = [file.read(), file.read(5)]

    file.close()
    assert data == [bytes(range(10, 100)), b""]
