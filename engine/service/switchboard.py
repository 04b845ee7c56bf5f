"""Who gets what: the hub's parcels, passed on by role and by topic."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.contract.codec import encode
from engine.contract.messages import Answer, Message
from engine.service.audience import Audience
from engine.service.transport import SUPERVISOR, Hub

BACKLOG = 5_000
"""Messages that wait for a process that is being started."""

REPEATED = frozenset({"Rows", "Checkpoint", "Weights", "RunTraining"})
"""Kinds that are sent again when their receiver is back, so that they need not wait."""


class Head(msgspec.Struct):
    """The few fields that are looked at when a message passes through."""

    type: str
    id: int | str = 0
    step: int = 0
    evaluate: bool = False


_HEAD = msgspec.msgpack.Decoder(Head)


def head_of(frames: Sequence[Any]) -> Head:
    """Kind of a message, without decoding the rest; raises msgspec.MsgspecError."""
    return _HEAD.decode(frames[0].buffer)


class Switchboard:
    """Passes messages on; those for a process that is not there yet wait."""

    def __init__(self, hub: Hub, audience: Audience) -> None:
        self._hub, self._audience = hub, audience
        self._lines: dict[str, bytes] = {}
        self._backlog: dict[str, deque[tuple[str, list[Any]]]] = {}
        self._asked: dict[str, dict[tuple[str, int], None]] = {}
        self._closed: set[str] = set()

    def connect(self, role: str, identity: str) -> None:
        """From now on this process plays the role."""
        self._lines[role] = identity.encode()
        self._closed.discard(role)

    def hand_over(self, role: str) -> None:
        """Give a process what has waited for it."""
        for sender, frames in self._backlog.pop(role, ()):
            self._hub.forward(self._lines[role], sender, frames)

    def disconnect(self, role: str) -> None:
        """The process is gone; those who wait for its answers are told."""
        self._lines.pop(role, None)
        sentence = f"The {role} ended before it could answer. Ask again in a moment."
        for asker, number in self._asked.pop(role, {}):
            if asker != SUPERVISOR:
                self.send(asker, Answer(number, error=sentence))

    def close(self, role: str) -> None:
        """It is not started again by itself: who asks it now is told."""
        self._closed.add(role)

    def send(
        self, destination: str, message: Message, sender: str = SUPERVISOR
    ) -> None:
        """Send a message of our own, or one in the name of somebody."""
        self.pass_on(sender, destination, encode(message), type(message).__name__)

    def pass_on(
        self, sender: str, destination: str, frames: Sequence[Any], kind: str
    ) -> bool:
        """Hand frames to a role, to all windows that want the kind, or to one.

        False where a role has no process now and the message does not wait for it.
        """
        if destination == "windows":
            for name in self._audience.readers(kind):
                self._to_client(name, sender, frames)
        elif destination in self._lines:
            return self._hub.forward(self._lines[destination], sender, frames)
        elif destination in ("trainer", "stage", "keeper"):
            if kind in REPEATED or (kind == "Ask" and destination in self._closed):
                return False
            waiting = self._backlog.setdefault(destination, deque(maxlen=BACKLOG))
            waiting.append((sender, list(frames)))
        else:
            self._to_client(destination, sender, frames)
        return True

    def note_question(self, asker: str, role: str, number: int) -> None:
        """Somebody asks this role; the answer must come, or a sentence why not."""
        if role in self._closed and asker != SUPERVISOR:
            sentence = f"The {role} ended too often and is not started again. "
            sentence += "Start the engine again."
            self.send(asker, Answer(number, error=sentence))
            return
        self._asked.setdefault(role, {})[(asker, number)] = None

    def note_answer(self, role: str, asker: str, number: int) -> None:
        """The answer has come."""
        self._asked.get(role, {}).pop((asker, number), None)

    def greet(self, identity: str, *, known: bool) -> None:
        """Answer a heartbeat."""
        sender = SUPERVISOR if known else "stranger"
        self._hub.forward(identity.encode(), sender, [])

    def _to_client(self, name: str, sender: str, frames: Sequence[Any]) -> None:
        # One that cannot take any more hangs: it has to say hello again, and then
        # hears everything from the start.
        if not self._hub.forward(name.encode(), sender, frames):
            self._audience.dismiss(name)
