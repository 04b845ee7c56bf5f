"""Sessions for the tests: rows, checkpoints and whole runs, all from a seed."""

import json
import zlib

import numpy as np

from engine.contract.arrays import join, state_hash
from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import (
    Checkpoint,
    EpisodeFinished,
    EvaluationFinished,
    Event,
    Rows,
    Scalars,
)
from engine.contract.options import configuration_from_flat

CARD = EnvironmentCard(
    id="CartPole-v1", observation="vector", shape=(4,), low=(-1.0,) * 4, actions=2
)
CAPACITY = 64
SLOTS_PER_ROW = 7


def configuration(**options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return configuration_from_flat({"environment.id": "CartPole-v1", **flat}).to_json()


def rng(*keys):
    return np.random.default_rng(zlib.crc32(repr(keys).encode()))


def scalars(number, count=3):
    steps = np.arange(count) + number * SLOTS_PER_ROW + 1
    columns = {
        "series": np.arange(count, dtype=np.int16) % 2,
        "step": steps,
        "value": rng("value", number).normal(size=count),
        "wall_time": 1e9 + steps / 100,
        "update": steps // 2,
        "episode": steps // 50,
    }
    return Scalars(names=["loss", "q_mean"], columns=columns)


def replay(number):
    """Slots of a ring that is written in order, seven a row."""
    first = number * SLOTS_PER_ROW
    slot = np.arange(first, first + SLOTS_PER_ROW) % CAPACITY
    random = rng("replay", number)
    return {
        "slot": slot.astype(np.int64),
        "observation": random.normal(size=(SLOTS_PER_ROW, 4)).astype(np.float32),
        "action": random.integers(0, 2, SLOTS_PER_ROW),
        "reward": random.normal(size=SLOTS_PER_ROW),
        "terminated": random.random(SLOTS_PER_ROW) < 0.1,
    }


def record(episode, kind="training", length=11, frames=None):
    random = rng("record", episode, kind)
    found = {
        "kind": kind,
        "episode": episode,
        "environment": 0,
        "seed": 1000 + episode,
        "step0": 10 * episode,
        "actions": random.integers(0, 2, length),
        "rewards": np.ones(length),
        "terminations": np.arange(length) == length - 1,
        "truncations": np.zeros(length, bool),
        "explored": random.random(length) < 0.3,
        "q_values": random.normal(size=(length + 1, 2)).astype(np.float32),
        "observations": random.normal(size=(length + 1, 4)).astype(np.float32),
        "observation_crc": random.integers(0, 2**32, length + 1, dtype=np.uint32),
    }
    if kind == "evaluation":
        found["checkpoint_step"] = 10 * episode
    if frames is not None:
        found["frames"] = random.integers(
            0, 256, (length + 1, *frames, 3), dtype=np.uint8
        )
    return found


def finished(episode, kind="training", step=0):
    return EpisodeFinished(
        kind=kind,
        episode=episode,
        step=step,
        update=step // 2,
        length=11,
        episode_return=float(episode),
        terminated=True,
        seed=1000 + episode,
        wall_time=1e9 + step,
    )


def rows(number):
    """Row ``number`` of a run: three points, seven slots, at times an episode."""
    step = (number + 1) * SLOTS_PER_ROW
    episode = number // 3
    ends = number % 3 == 2
    return Rows(
        source="trainer",
        number=number,
        step=step,
        scalars=scalars(number),
        finished=[finished(episode, step=step)] if ends else [],
        episodes=[record(episode)] if ends else [],
        replay=replay(number),
        events=[Event("option", step, f"row {number}", 1e9 + step, {"key": "a.b"})]
        if number % 5 == 4
        else [],
    )


def evaluation_rows(number, step, returns):
    returns = np.array(returns, np.float64)
    lengths = returns.astype(np.int64)
    done = EvaluationFinished(step, step // 2, returns, lengths, wall_time=1e9)
    return Rows(
        source="stage",
        number=number,
        step=step,
        evaluation=done,
        finished=[finished(number, "evaluation", step)],
        episodes=[record(number, "evaluation", frames=(4, 6))],
    )


def state(step):
    random = rng("state", step)
    return {
        "agent": {
            "online": {"torso.0.weight": random.normal(size=(8, 4)).astype("f4")},
            "optimizer": {"state": {"0": {"exp_avg": {"deep": random.normal(size=3)}}}},
            "updates": step // 2,
        },
        "replay": {"priorities": random.random(CAPACITY), "head": 3 * step},
        "rng": {"numpy": [1, 2, 2**100], "mask": random.random(5) < 0.5},
        "scalar": np.array(step),
        "empty": np.zeros((0, 3), np.float32),
    }


def checkpoint(step, last_row, reason="periodic", more_bytes=0):
    from engine.contract.arrays import split

    noise = rng("more", step).integers(0, 256, more_bytes, np.uint8)
    arrays, values = split(state(step) | ({"more": noise} if more_bytes else {}))
    return Checkpoint(
        step=step,
        update=step // 2,
        episode=step // 30,
        reason=reason,
        rows=last_row,
        arrays=arrays,
        values=json.dumps(values),
        sha256=state_hash(join(arrays, values)),
    )


def ring_after(last_row):
    """What the replay memory holds after a row: the newest line of each slot."""
    ring = {}
    for number in range(last_row + 1):
        lines = replay(number)
        for i, slot in enumerate(lines["slot"]):
            ring[int(slot)] = {name: it[i] for name, it in lines.items()}
    return ring


def same_ring(arrays, ring):
    found = {int(slot): i for i, slot in enumerate(arrays.get("slot", []))}
    assert sorted(found) == sorted(ring)
    assert len(arrays.get("slot", [])) == len(ring)
    for slot, line in ring.items():
        for name, value in line.items():
            stored = arrays[name][found[slot]]
            assert np.array_equal(stored, value)
            assert np.asarray(stored).dtype == np.asarray(value).dtype


def same_record(stored, wanted):
    assert sorted(stored) == sorted(wanted)
    for name, value in wanted.items():
        if isinstance(value, np.ndarray):
            assert stored[name].dtype == value.dtype
            assert np.array_equal(stored[name], value), name
        else:
            assert stored[name] == value, name


def same_checkpoint(stored, wanted):
    assert stored.sha256 == wanted.sha256
    assert json.loads(stored.values) == json.loads(wanted.values)
    assert sorted(stored.arrays) == sorted(wanted.arrays)
    for name, array in wanted.arrays.items():
        assert stored.arrays[name].dtype == array.dtype
        assert np.array_equal(stored.arrays[name], array), name


def run(store, last_row=40, checkpoint_rows=(9, 19, 29)):
    """A run of so many rows, with evaluations at its checkpoints."""
    for number in range(last_row + 1):
        store.append(rows(number))
        if number in checkpoint_rows:
            step = (number + 1) * SLOTS_PER_ROW
            store.write_checkpoint(checkpoint(step, number))
            order = checkpoint_rows.index(number)
            store.append(evaluation_rows(order, step, [10.0 - abs(order - 1)] * 3))
    store.commit()
    return store
