"""A session of very many recorded steps, made in a minute instead of ten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.catalogue import find_preset
from engine.contract.messages import EpisodeFinished, Rows
from engine.environments import describe, make, observation_crc
from engine.service.loop_state import checkpoint_of
from engine.sessions import LiveStore
from engine.sessions.session_writer import write_session
from engine.training import TrainingLoop

LEARNED = 1_200
"""Steps that are really trained, for a network and a checkpoint."""
AT_ONCE = 50
"""Episodes in one message to the store."""
CHANCE = 0.1
"""Share of random actions of the hand-written policy that plays the rest."""


def write_long_session(path: Path, steps: int) -> None:
    """CartPole: trained for a moment, then played on, with the values of that network.

    Each episode is recorded as training records it: seed, actions, rewards, Q-values
    of every state, observations and their fingerprints.
    """
    preset = find_preset("cartpole").configuration
    configuration = preset.with_options({"training.steps": steps})
    loop = TrainingLoop(configuration)
    card = describe(configuration.environment)
    live = path.with_name(f"made-{path.name}")
    with LiveStore.create(live, configuration.to_json(), card) as store:
        loop.advance(steps=LEARNED)
        drained = loop.drain()
        store.append(
            Rows(
                "trainer",
                0,
                loop.step,
                drained.scalars,
                drained.finished,
                drained.episodes,
                drained.replay,
                drained.events,
            )
        )
        store.write_checkpoint(checkpoint_of(loop, "stop", 0))
        _play_on(store, loop, steps)
        store.commit()
        write_session(store, path)
    loop.close()


def _play_on(store: LiveStore, loop: TrainingLoop, steps: int) -> None:
    world = make(loop.configuration.environment)
    rng = np.random.default_rng(0)
    step, episode, number = loop.step, loop.episode, 1
    finished: list[EpisodeFinished] = []
    records: list[dict[str, Any]] = []
    while step < steps:
        record = play_episode(world, loop, rng, episode, step)
        length = len(record["actions"])
        step, episode = step + length, episode + 1
        records.append(record)
        finished.append(finished_of_record(record, step, loop.update))
        if len(records) == AT_ONCE or step >= steps:
            rows = Rows("trainer", number, step, finished=finished, episodes=records)
            store.append(rows)
            store.commit()
            finished, records, number = [], [], number + 1
    world.close()


def play_episode(
    world: Any, loop: TrainingLoop, rng: np.random.Generator, number: int, step0: int
) -> dict[str, Any]:
    seed = 10_000 + number
    seen, actions, rewards = [world.reset(seed)], [], []
    terminated = truncated = False
    while not (terminated or truncated):
        angle, velocity = seen[-1][2:4]
        steady = int(angle + 0.3 * velocity > 0)
        action = int(rng.integers(2)) if rng.random() < CHANCE else steady
        observation, _, terminated, truncated, reward = world.step(action)
        seen.append(observation)
        actions.append(action)
        rewards.append(reward)
    observations = np.stack(seen)
    last = np.arange(len(actions)) == len(actions) - 1
    return {
        "kind": "training",
        "episode": number,
        "environment": 0,
        "seed": seed,
        "step0": step0,
        "actions": np.array(actions, np.int64),
        "rewards": np.array(rewards, np.float64),
        "terminations": last & terminated,
        "truncations": last & truncated,
        "explored": np.zeros(len(actions), np.bool_),
        "q_values": loop.agent.insight(observations)["q"].astype(np.float32),
        "observation_crc": np.array([observation_crc(it) for it in seen], np.uint32),
        "observations": observations,
    }


def finished_of_record(
    record: dict[str, Any], step: int, update: int
) -> EpisodeFinished:
    return EpisodeFinished(
        kind="training",
        episode=record["episode"],
        step=step,
        update=update,
        length=len(record["actions"]),
        episode_return=float(record["rewards"].sum()),
        terminated=bool(record["terminations"].any()),
        seed=record["seed"],
    )
