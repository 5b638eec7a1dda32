"""What the manager waits for."""

from __future__ import annotations

import json
import socket

from django_wsgimatch.daemon.manager.loop import Loop
from django_wsgimatch.daemon.servers.listener import listen


def test_who_has_connected_to_a_socket_that_is_left_is_answered(tmp_path):
    loop = Loop(lambda connection, order: {"heard": order["do"]})
    listener = listen(str(tmp_path / "manager.sock"))
    loop.take_orders(listener)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "manager.sock"))
        loop.leave(listener)
        connection.sendall(b'{"do": "ping"}\n')
        loop.turn(5)
        answer = json.loads(connection.recv(1000))

    assert answer == {"heard": "ping"}
