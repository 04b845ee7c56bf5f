"""Somebody waits for an answer a moment, and no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from engine.contract.messages import Answer, Message, Solved
from engine.service import client as client_module
from engine.service.client import Client


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Without an engine: what arrives is delivered by hand."""
    monkeypatch.setattr(Client, "_open", lambda self: None)
    monkeypatch.setattr(client_module, "usable_cores", lambda: frozenset([1]))
    client = Client(None, None, "window")  # type: ignore[arg-type]
    client._posted.set()
    yield client
    client._wake.close()
    client._ready.close()


def test_the_answer_ends_the_wait_and_stays_to_be_polled(client: Client) -> None:
    arrives: list[Message] = [Solved("x"), Answer(7, {"frames": 1})]
    threading.Timer(0.02, lambda: client._deliver(arrives)).start()
    began = time.monotonic()
    client.hand_over(7, 20.0)
    assert time.monotonic() - began < 10.0
    assert client.poll() == arrives


def test_whoever_does_not_answer_is_waited_for_so_long_only(client: Client) -> None:
    client._deliver([Answer(6, {})])
    began = time.monotonic()
    client.hand_over(7, 0.05)
    assert time.monotonic() - began >= 0.05
    client.hand_over()
    assert client.poll() == [Answer(6, {})]


@pytest.mark.parametrize("cores", [(), (0, 1)])
def test_where_others_have_a_core_nobody_waits(
    client: Client, monkeypatch: pytest.MonkeyPatch, cores: tuple[int, ...]
) -> None:
    monkeypatch.setattr(client_module, "usable_cores", lambda: frozenset(cores))
    began = time.monotonic()
    client.hand_over(7, 20.0)
    assert time.monotonic() - began < 10.0
