"""What is told before a run, held against the arrays that it really has."""

import numpy as np
import pytest
from cards import IMAGE, VECTOR

from engine.agents import build_agent
from engine.contract.costs import Probe
from engine.contract.memory_costs import memory_bytes
from engine.contract.options import configuration_from_flat
from engine.training import TrainingLoop
from engine.training.memory_account import memory_report

SLOTS = 20_000
KINDS = {
    "scalar": (VECTOR, {"replay.kind": "uniform", "agent.optimizer": "rmsprop"}),
    "prioritized": (VECTOR, {"replay.kind": "prioritized"}),
    "ranked": (VECTOR, {"replay.kind": "prioritized", "replay.priority": "rank"}),
    "pixels": (IMAGE, {"environment.frame_stack": 2, "network.torso": "conv"}),
    "sequences": (VECTOR, {"replay.kind": "sequence", "network.recurrent": "lstm"}),
    "ensemble": (
        VECTOR,
        {"exploration.kind": "bootstrapped", "exploration.members": 5},
    ),
    "a copy that acts": (VECTOR, {"training.mode": "synchronized"}),
}


@pytest.mark.parametrize(("card", "options"), KINDS.values(), ids=KINDS)
def test_what_was_expected_is_what_is_allocated(card, options):
    configuration = configuration_from_flat({"replay.capacity": SLOTS} | options)
    agent = build_agent(configuration, card, device="cpu", seed=0)
    report = memory_report([agent], [], 0)
    expected = memory_bytes(configuration, card, Probe(weights_bytes=report.weights))
    for part in ("replay", "networks"):
        assert report.allocated[part] == pytest.approx(expected[part], rel=0.1), part
    # An optimizer may have a vector to compute in.
    more = report.allocated["optimizer"] - expected["optimizer"]
    assert more in (0, report.weights)
    weights = [it.nbytes for it in agent.weights().values()]
    assert 2 * report.weights == sum(weights)
    assert report.process > report.allocated["replay"]


def test_frames_in_a_file_are_told_apart_from_memory(tmp_path):
    flat = {"replay.capacity": SLOTS, "replay.storage": "disk"}
    configuration = configuration_from_flat(flat)
    loop = TrainingLoop(configuration, device="cpu", replay_folder=tmp_path)
    loop.advance(steps=99)
    report = loop.memory()
    expected = memory_bytes(configuration, loop.card, Probe(report.weights))
    frames = loop.agent.memory.streams.observation.nbytes
    assert report.allocated["file"] == expected["file"] == frames == SLOTS * 16
    assert report.allocated["replay"] == pytest.approx(expected["replay"], rel=0.1)
    assert report.used["file"] == pytest.approx(frames / 200, rel=0.1)
    loop.close()


def test_what_is_filled_is_told_apart_from_what_is_allocated():
    configuration = configuration_from_flat({"replay.capacity": 1000})
    loop = TrainingLoop(configuration, device="cpu")
    loop.advance(steps=249)
    report = loop.memory()
    assert report.used["replay"] == pytest.approx(
        0.25 * report.allocated["replay"], rel=0.1
    )
    assert report.used["networks"] == report.allocated["networks"]
    loop.close()


def test_pictures_of_the_running_episode_are_expected_and_found():
    options = {"environment.id": "RLLab/GridWorld-v0", "recording.level": "everything"}
    configuration = configuration_from_flat(options)
    loop = TrainingLoop(configuration, device="cpu")
    loop.advance(until_episode_end=True)
    lane = loop.seeds.lanes[0]
    loop.advance(steps=3)
    pictures = lane._frames
    found = loop.memory().allocated["recording"]
    assert found >= sum(it.nbytes for it in pictures) > 0
    probe = Probe(episode_steps=lane.length, picture_bytes=pictures[0].nbytes)
    expected = memory_bytes(configuration, loop.card, probe)["recording"]
    assert expected == pytest.approx(found, rel=0.2)
    loop.close()


def test_an_array_counts_once_however_often_it_is_held():
    configuration = configuration_from_flat({"replay.capacity": 1000})
    loop = TrainingLoop(configuration, device="cpu")
    before = loop.memory().allocated
    shared = np.zeros(1000)
    loop.agent.memory.one, loop.agent.memory.other = shared, shared[10:]
    after = loop.memory().allocated
    assert after["replay"] - before["replay"] == shared.nbytes
    loop.close()
