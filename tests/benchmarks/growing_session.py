"""A session that grows by rows as training makes them, but as fast as one likes."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from engine.contract.catalogue import find_preset
from engine.contract.messages import Rows, Scalars
from engine.environments import describe, make
from engine.service.loop_state import checkpoint_of
from engine.sessions import LiveStore
from engine.training import TrainingLoop
from tests.benchmarks.long_session import (
    finished_of_record,
    play_episode,
)

LEARNED = 1_000
"""Steps that are really trained; their curves are those of all others."""
BATCH = 1_000
"""Steps, or a few more, of one message to the store."""
TEMPLATES = 40


class GrowingSession:
    """CartPole: trained for a moment, then continued with copies of what came of it.

    Attributes:
      store: What it is kept in.
      step, episodes: So far.
    """

    def __init__(self, path: Path) -> None:
        options = {
            "agent.learning_starts": 100,
            "training.steps": 10**9,
            "training.device": "cpu",
        }
        configuration = find_preset("cartpole").configuration.with_options(options)
        loop = TrainingLoop(configuration)
        card = describe(configuration.environment)
        self.store = LiveStore.create(path, configuration.to_json(), card)
        loop.advance(steps=LEARNED)
        drained = loop.drain()
        assert drained.scalars is not None
        self._scalars, self._update = drained.scalars, loop.update
        told = drained.scalars, drained.finished, drained.episodes, drained.replay
        self.store.append(Rows("trainer", 0, loop.step, *told))
        self.store.write_checkpoint(checkpoint_of(loop, "stop", 0))
        self.store.commit()
        self.step, self.episodes, self._number = loop.step, loop.episode, 1
        world, rng = make(configuration.environment), np.random.default_rng(0)
        records = [play_episode(world, loop, rng, it, 0) for it in range(TEMPLATES)]
        self._records = cycle(records)
        world.close()
        loop.close()

    def grow(self, steps: int) -> None:
        """Up to so many steps."""
        while self.step < steps:
            self.append()

    def append(self) -> None:
        """Make a batch of further steps durable."""
        first, records = self.step, []
        while self.step < first + BATCH:
            record = next(self._records) | {
                "episode": self.episodes,
                "step0": self.step,
            }
            records.append(record)
            self.step += len(record["actions"])
            self.episodes += 1
        update = self._update + (self.step - LEARNED) // 4
        rows = Rows(
            "trainer",
            self._number,
            self.step,
            self._shifted(first),
            [finished_of_record(it, _end(it), update) for it in records],
            records,
        )
        self._number += 1
        self.store.append(rows)
        self.store.commit()

    def _shifted(self, first: int) -> Scalars:
        """The curves of a batch, as those of the steps that were really trained."""
        columns = self._scalars.columns
        some = slice(0, len(columns["step"]) * BATCH // LEARNED)
        columns = {name: it[some] for name, it in columns.items()}
        moved = columns | {
            "step": columns["step"] % BATCH + first,
            "update": columns["update"] + first // 4,
            "episode": np.full_like(columns["episode"], self.episodes),
        }
        moved["step"] = np.sort(moved["step"])
        return replace(self._scalars, columns=moved)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def _end(record: dict[str, Any]) -> int:
    return int(record["step0"]) + len(record["actions"])
