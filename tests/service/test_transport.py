"""Frames on their way between real sockets of this process."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from engine.contract.codec import MalformedMessage
from engine.contract.messages import PROTOCOL, Hello, Message, Rows, Weights
from engine.service.connection import Connection
from engine.service.switchboard import head_of
from engine.service.transport import Hub, Line, Parcel, unpack

WITHIN_S = 10.0


class Wire:
    """A hub, and lines to it."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.malformed: list[str] = []
        self._lines: list[Line] = []

    def connection(self) -> Connection:
        return Connection(
            endpoint=self.hub.endpoint,
            server_key=self.hub.server_key.decode(),
            client_key=self.hub.client_key.decode(),
            client_secret=self.hub.client_secret.decode(),
            pid=0,
            logs="",
            sessions="",
        )

    def line(self, name: str, connection: Connection | None = None) -> Line:
        def on_malformed(sender: str, error: MalformedMessage) -> None:
            self.malformed.append(sender)

        line = Line(connection or self.connection(), name, on_malformed)
        self._lines.append(line)
        return line

    def next_parcel(self, within_s: float = WITHIN_S) -> Parcel | None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            self.hub.wait(0.02)
            parcel = self.hub.receive()
            if parcel is not None:
                return parcel
        return None

    def close(self) -> None:
        for line in self._lines:
            line.close(0.0)
        self.hub.close(0.0)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def received(line: Line) -> tuple[str, Message]:
    while (parcel := line.receive()) is None:
        assert line.wait(WITHIN_S)
    return parcel


def test_a_message_with_arrays_goes_from_line_to_line(wire: Wire) -> None:
    trainer, stage = wire.line("trainer.1"), wire.line("stage.2")
    stage.send("supervisor", Hello("stage", 2))
    assert wire.next_parcel() is not None
    arrays = {"online/w": np.arange(90_000.0).reshape(300, 300)}
    trainer.send("stage", Weights(7, 3, arrays, evaluate=True))
    parcel = wire.next_parcel()
    assert parcel is not None
    assert (parcel.identity, parcel.destination) == (b"trainer.1", "stage")
    head = head_of(parcel.frames)
    assert (head.type, head.step, head.evaluate) == ("Weights", 7, True)
    assert wire.hub.forward(b"stage.2", "trainer", parcel.frames)
    sender, message = received(stage)
    assert sender == "trainer"
    assert isinstance(message, Weights)
    np.testing.assert_array_equal(message.arrays["online/w"], arrays["online/w"])


def test_a_short_wait_gives_the_core_away(wire: Wire) -> None:
    """Whoever waits again and again for less than a millisecond must not spin."""
    line = wire.line("stage")
    for wait in (line.wait, wire.hub.wait):
        began, spent = time.monotonic(), time.process_time()
        for _ in range(100):
            wait(0.0002)
        assert time.monotonic() - began >= 100 * 0.0002
        assert time.process_time() - spent < 0.5 * (time.monotonic() - began)


def test_empty_rows_survive_the_way(wire: Wire) -> None:
    wire.line("trainer.1").send("keeper", Rows("trainer", 0, 0))
    parcel = wire.next_parcel()
    assert parcel is not None
    assert unpack(parcel.frames) == Rows("trainer", 0, 0)


def test_who_has_not_the_key_of_this_launch_is_not_let_in(wire: Wire) -> None:
    foreign, secret = Hub(), wire.connection()
    stolen = msgspec.structs.replace(
        secret,
        client_key=foreign.client_key.decode(),
        client_secret=foreign.client_secret.decode(),
    )
    foreign.close(0.0)
    wire.line("window-1", stolen).send("supervisor", Hello("window", 1))
    assert wire.next_parcel(within_s=1.0) is None


def test_the_hub_listens_on_this_computer_only(wire: Wire) -> None:
    assert wire.hub.endpoint.startswith("tcp://127.0.0.1:")


def test_what_is_no_message_is_reported_and_dropped(wire: Wire) -> None:
    line = wire.line("window-1")
    line.send("supervisor", Hello("window", 1))
    assert wire.next_parcel() is not None
    wire.hub.forward(b"window-1", "stage", [b"\xffnonsense"])
    wire.hub.forward(b"window-1", "stage", [b"", b""])
    wire.hub.forward(b"window-1", "keeper", msgspec_hello())
    assert received(line)[0] == "keeper"
    assert wire.malformed == ["stage", "stage"]


def msgspec_hello() -> list[bytes]:
    return [msgspec.msgpack.encode(Hello("keeper", 1, PROTOCOL))]


def test_a_heartbeat_has_no_message_and_is_answered_in_kind(wire: Wire) -> None:
    line = wire.line("window-1")
    line.beat()
    parcel = wire.next_parcel()
    assert parcel is not None
    assert parcel.frames == []
    wire.hub.forward(b"window-1", "stranger", [])
    assert line.wait(WITHIN_S)
    assert line.receive() is None
    assert line.is_stranger


def test_nobody_of_a_name_is_told_apart(wire: Wire) -> None:
    assert not wire.hub.forward(b"window-9", "stage", [b"x"])
