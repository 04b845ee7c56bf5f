"""Drawing 64 of 1,000,000 transitions by priority, and updating their priorities."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import torch

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.replay import Memory
from tests.benchmarks.harness import Result, side_by_side

NAME = "prioritized: sample + update 64 of 1,000,000"
SIZE, BATCH, REPEATS, ROUNDS = 1_000_000, 64, 5_000, 5
LIMIT = 2.0


def run() -> Result:
    """Both return whole transitions of four numbers with importance weights."""
    if importlib.util.find_spec("cpprb") is None:
        return Result(NAME, "batches/s", skipped="cpprb is not installed")
    torch.set_num_threads(1)
    memory, buffer = _ours(), _peer()
    errors = np.random.default_rng(0).random(BATCH).astype(np.float32)

    def ours() -> int:
        for _ in range(REPEATS):
            batch = memory.sample(BATCH, 0.99, 0.4)
            assert batch is not None
            memory.learned(batch.slots, errors)
        return REPEATS

    def peer() -> int:
        for _ in range(REPEATS):
            batch = buffer.sample(BATCH, 0.4)
            buffer.update_priorities(batch["indexes"], errors)
        return REPEATS

    ours(), peer()
    rates = side_by_side(ours, peer, ROUNDS)
    return Result(NAME, "batches/s", *rates, limit=LIMIT)


def _ours() -> Memory:
    card = EnvironmentCard("", observation="vector", shape=(4,), actions=2)
    options = {"replay.kind": "prioritized", "replay.capacity": SIZE}
    memory = Memory(configuration_from_flat(options), card, seed=0)
    observations = np.random.default_rng(0).random((SIZE, 4)).astype(np.float32)
    memory.begin(0, observations[0])
    for row in observations[1:]:
        memory.append(0, 1, 1.0, False, False, row)
    slots = np.flatnonzero(memory.streams.sampleable)
    memory.learned(slots, np.random.default_rng(1).random(len(slots)))
    return memory


def _peer() -> Any:
    from cpprb import PrioritizedReplayBuffer

    columns = {
        "obs": {"shape": 4},
        "act": {"shape": 1, "dtype": np.int64},
        "rew": {},
        "next_obs": {"shape": 4},
        "done": {},
    }
    buffer = PrioritizedReplayBuffer(SIZE, columns, alpha=0.6)
    rng = np.random.default_rng(0)
    observations = rng.random((SIZE, 4)).astype(np.float32)
    buffer.add(
        obs=observations,
        act=np.ones((SIZE, 1), np.int64),
        rew=np.ones(SIZE),
        next_obs=np.roll(observations, -1, 0),
        done=np.zeros(SIZE),
        priorities=rng.random(SIZE) + 1e-3,
    )
    return buffer
