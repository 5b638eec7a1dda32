"""What a forked process is, in a group that its arbiter knows already."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

from django_wsgimatch.daemon.board import Board
from django_wsgimatch.daemon.group.forking import ForkedGroup
from django_wsgimatch.daemon.group_spec import Descriptors, GroupSpec
from django_wsgimatch.daemon.place import Place
from tests.support.kept_places import OPTIONS, SHAPE


def test_a_forked_process_leaves_what_the_arbiter_has_said_on_the_board(tmp_path):
    (tmp_path / "board").write_bytes(bytes(SHAPE.size))
    file = os.open(tmp_path / "board", os.O_RDWR)
    board = Board(file, SHAPE)
    board.set_arbiter(4711)
    board.count_crash("process 4712 was killed by signal 9")
    before = board.report()
    spec = GroupSpec(Place("blog", ""), replace(OPTIONS))
    with socket.socket(socket.AF_UNIX) as listener:
        group = ForkedGroup(spec, {}, Descriptors(listener.detach(), file, -1), 4711, 0, {})

    assert board.report() == before
    assert (before.arbiter, before.crashes) == (4711, 1)
    assert group.pid == 4711
    group.listener.close()
