"""Two programs that start together take different ports."""

import socket
from pathlib import Path

from daemon.adapters.starting import HOST, free_port
from daemon.wiring.network import Ports


def test_a_port_is_taken_once_even_before_anybody_listens(tmp_path: Path) -> None:
    wanted = free_port()
    one, two = Ports(tmp_path), Ports(tmp_path)
    assert one.take(wanted) == wanted
    assert two.take(wanted) != wanted
    one.release()
    assert two.take(wanted) == wanted
    two.release()


def test_a_port_where_somebody_listens_is_not_taken(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        ports = Ports(tmp_path)
        assert ports.take(port) != port
        ports.release()


def test_a_folder_that_cannot_be_written_costs_the_wish_alone(tmp_path: Path) -> None:
    wanted = free_port()
    ports = Ports(tmp_path / "missing")
    assert 0 < ports.take(wanted) <= 65_535
    ports.release()
