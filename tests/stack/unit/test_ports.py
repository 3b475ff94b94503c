import socket

import pytest

from stack.ports import LOOPBACK, PortReservations, PortTaken, require_free


def test_a_reserved_port_is_nobody_elses() -> None:
    with PortReservations() as one, PortReservations() as other:
        ports = [reservations.take() for reservations in (one, other) for _ in range(20)]
    assert len(set(ports)) == 40


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    with PortReservations() as reservations:
        assert 10_240 <= reservations.take() < 32_768


def test_a_port_somebody_listens_on_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            require_free(port)
    require_free(port)
