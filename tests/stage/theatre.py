"""A stage with a real session behind it, and messages that go through the codec."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.contract.codec import decode, encode
from engine.contract.messages import (
    Answer,
    Ask,
    FrameCredit,
    Message,
    Picture,
    Rows,
    RowsStored,
    SessionStatus,
    ShowAgent,
    Subscribe,
)
from engine.contract.options import Configuration, configuration_from_flat
from engine.environments import describe
from engine.service.keeper_questions import answer
from engine.service.loop_state import checkpoint_of
from engine.sessions import LiveStore, SessionProblem, SessionSource
from engine.stage.stage import Stage
from engine.training import TrainingLoop

WINDOW = "window-1"
PATIENCE_S = 60.0


def carried(message: Message) -> Message:
    """The message as it arrives: arrays are read-only, tuples are lists."""
    return decode([bytes(frame) for frame in encode(message)])


class Theatre:
    """Runs a stage until something has happened.

    Attributes:
      sent: All messages with their destinations, in order.
      source, uuid: The session that the keeper has open, or None.
      loop: The training that answers ``sample_states``, or None.
      paint, stored: Whether the window and the keeper say that they are done.
    """

    def __init__(self, source: SessionSource | None = None) -> None:
        self.sent: list[tuple[Message, str]] = []
        self.source, self.loop = source, None
        self.uuid = ""
        self.paint = self.stored = True
        self._inbox: deque[tuple[Message, str]] = deque()
        self._asked = 0
        self.stage = Stage(self._send)

    def _send(self, message: Message, destination: str) -> None:
        message = carried(message)
        self.sent.append((message, destination))
        if isinstance(message, Ask):
            self._inbox.append((self._answer(message, destination), destination))
        elif isinstance(message, Rows) and self.stored:
            stored = RowsStored(message.source, message.number, message.step)
            self._inbox.append((stored, "keeper"))
        elif isinstance(message, Picture) and self.paint:
            self._inbox.append((FrameCredit(1), destination))

    def _answer(self, ask: Ask, destination: str) -> Answer:
        try:
            if destination == "trainer":
                if self.loop is None:
                    raise ValueError("No run is under way.")
                return Answer(ask.id, self._train(ask.question, **ask.arguments))
            found = answer(self.source, ask.question, ask.arguments, uuid=self.uuid)
            return Answer(ask.id, found)
        except (SessionProblem, ValueError) as error:
            return Answer(ask.id, error=str(error))

    def _train(self, question: str, **arguments: Any) -> dict[str, Any]:
        """What the trainer's loop says."""
        if question == "familiarity":
            return self.loop.agent.familiarity(arguments["observation"])
        return self.loop.sample_states(arguments["count"])

    def tell(self, message: Message, sender: str = WINDOW) -> None:
        """Give the stage a message; the keeper has the session that is told of."""
        if isinstance(message, SessionStatus):
            self.uuid = message.uuid
        self.stage.on_message(carried(message), sender)

    def look(self, topics: tuple[str, ...] = ("picture",)) -> None:
        """A window shows the agent."""
        self.tell(Subscribe(list(topics)))
        self.tell(FrameCredit(2))

    def open(self, configuration: Configuration, *, live: bool) -> None:
        """The supervisor says that a session is open, and shows its agent."""
        text = configuration.to_json()
        status = SessionStatus("s", "/s.h5", "uuid-1", live, configuration=text)
        self.tell(status, "supervisor")
        self.tell(ShowAgent(text), "supervisor")

    def tick(self) -> None:
        """One turn: what has arrived, then a slice."""
        while self._inbox:
            message, sender = self._inbox.popleft()
            self.stage.on_message(carried(message), sender)
        self.stage.tick()

    def run(self, until: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Turn until the condition holds; returns what it returned."""
        deadline = time.monotonic() + patience_s
        while not (found := until()):
            if time.monotonic() > deadline:
                kinds = [type(it).__name__ for it, _ in self.sent[-20:]]
                raise AssertionError(f"it did not happen; last messages: {kinds}")
            self.tick()
        return found

    def of(self, kind: type[Message]) -> list[Any]:
        """All messages of a kind that were sent."""
        return [it for it, _ in self.sent if type(it) is kind]

    def ask(self, question: str, **arguments: Any) -> Answer:
        """Ask and wait for the answer."""
        self._asked += 1
        number = self._asked
        self.tell(Ask(number, question, arguments))

        def arrived() -> Answer | None:
            found = [it for it in self.of(Answer) if it.id == number]
            return found[-1] if found else None

        return self.run(arrived)

    def result(self, question: str, **arguments: Any) -> dict[str, Any]:
        """The result of a question that can be answered."""
        found = self.ask(question, **arguments)
        assert not found.error, found.error
        return found.result


CVAR = {"head__risk": "cvar", "head__risk_level": 0.25}
KINDS = {
    "plain": {},
    "lstm": {"network__recurrent": "lstm", "replay__kind": "sequence"},
    "gru": {"network__recurrent": "gru", "replay__kind": "sequence"},
    "c51": {"head__kind": "c51", **CVAR},
    "qr": {"head__kind": "qr", "head__atoms": 11},
    "mmd": {"head__kind": "mmd", "head__atoms": 11, **CVAR},
    "ensemble": {"exploration__kind": "bootstrapped"},
    "noisy": {"exploration__kind": "noisy"},
}
"""Agents of every kind that the stage has to play and to judge."""


def tiny(**changes: Any) -> Configuration:
    """A configuration that learns nothing much, quickly."""
    flat = {
        "environment.id": "CartPole-v1",
        "agent.dueling": "mean",
        "agent.learning_starts": 50,
        "agent.batch_size": 16,
        "agent.updates_per_step": 0.25,
        "network.hidden": (16,),
        "replay.capacity": 1000,
        "target_network.period": 20,
        "training.steps": 300,
        "evaluation.episodes": 3,
        "recording.checkpoint_period": 100,
    }
    given = {key.replace("__", "."): value for key, value in changes.items()}
    return configuration_from_flat({**flat, **given})


def trained(
    path: Path, configuration: Configuration, loop: TrainingLoop | None = None
) -> LiveStore:
    """A live store with a short real run, a checkpoint every hundred steps."""
    card = describe(configuration.environment)
    store = LiveStore.create(path, configuration.to_json(), card)
    own = loop is None
    loop = loop or TrainingLoop(configuration)
    number = 0
    try:
        while not loop.finished:
            loop.advance(steps=100)
            drained = loop.drain()
            store.append(
                Rows(
                    "trainer",
                    number,
                    loop.step,
                    drained.scalars,
                    drained.finished,
                    drained.episodes,
                    drained.replay,
                    drained.events,
                )
            )
            store.write_checkpoint(checkpoint_of(loop, "periodic", number))
            number += 1
    finally:
        if own:
            loop.close()
    store.commit()
    return store


@dataclass
class Played:
    """A short real run whose loop still answers.

    Attributes:
      loop: What was trained; the last checkpoint is its present state.
      store: What was recorded.
    """

    configuration: Configuration
    loop: TrainingLoop
    store: LiveStore

    @contextmanager
    def on_stage(self, *, live: bool = False) -> Iterator[Theatre]:
        """A stage of one's own to whom the keeper shows this run."""
        theatre = Theatre(self.store)
        theatre.open(self.configuration, live=live)
        try:
            yield theatre
        finally:
            theatre.stage.close()


class PlayedRuns:
    """Runs by their options, each trained once however many tests ask about it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, Played] = {}

    def run(self, **changes: Any) -> Played:
        """The run of ``tiny`` with these changes; it stays as it is for others."""
        configuration = tiny(**changes)
        key = configuration.to_json()
        if key not in self._runs:
            loop = TrainingLoop(configuration)
            store = trained(self._folder / f"{len(self._runs)}.h5", configuration, loop)
            self._runs[key] = Played(configuration, loop, store)
        return self._runs[key]

    def close(self) -> None:
        """Let go of all of them."""
        for played in self._runs.values():
            played.loop.close()
            played.store.close()
