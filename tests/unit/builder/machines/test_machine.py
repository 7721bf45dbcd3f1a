"""What a machine needs of the engineer's own: free ports, and an answer at its front door."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from builder.errors import MissingError, UsageError
from builder.machines.boot import parse_forward
from builder.machines.machine import require_port_free

pytestmark = pytest.mark.unit


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A program that listens on a port of the loopback."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_a_taken_port_is_named_before_the_machine_starts(listener: socket.socket) -> None:
    with pytest.raises(MissingError) as caught:
        require_port_free(port_of(listener))
    assert str(port_of(listener)) in caught.value.message
    assert "--forward" in caught.value.hint


def test_a_port_is_free_again_once_its_program_has_ended(listener: socket.socket) -> None:
    port = port_of(listener)
    listener.close()
    require_port_free(port)


def test_a_port_is_free_although_its_last_connection_is_still_remembered(
    listener: socket.socket,
) -> None:
    port = port_of(listener)
    with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as client:
        server, _ = listener.accept()
        server.close()
        assert client.recv(1) == b""
    listener.close()
    require_port_free(port)


@pytest.mark.parametrize(
    ("text", "expected"), [("8443:443", (8443, 443)), ("1:65535", (1, 65535)), ("080:80", (80, 80))]
)
def test_a_forwarded_port_is_two_numbers(text: str, expected: tuple[int, int]) -> None:
    assert parse_forward(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8443",
        "8443:",
        ":443",
        "8443:443:1",
        "0:443",
        "8443:65536",
        "a:b",
        "-1:443",
        pytest.param("²:443"),
    ],
)
def test_anything_else_is_wrong_usage_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_forward(text)
    assert caught.value.exit_code == 2
    assert repr(text) in caught.value.message
    assert "8443:443" in caught.value.hint
