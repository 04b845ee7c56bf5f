"""Frames in a file: the same memory, and nothing left behind."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from engine.contract.arrays import state_hash
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import ConfigurationError, configuration_from_flat
from engine.replay import Memory
from engine.replay.storage import frame_array, lies_in_file

CARD = EnvironmentCard("", "image", (6, 6, 2), "uint8", actions=2)


def memory(folder, **options):
    flat = {"replay.capacity": 120, "environment.frame_stack": 2}
    flat |= {name.replace("__", "."): value for name, value in options.items()}
    return Memory(configuration_from_flat(flat), CARD, 0, folder=folder)


def fill(of, steps, first=0):
    rng = np.random.default_rng(first)
    for t in range(first, first + steps):
        if t == first:
            of.begin(0, rng.integers(256, size=(6, 6, 1), dtype=np.uint8))
        frame = rng.integers(256, size=(6, 6, 1), dtype=np.uint8)
        of.append(0, t % 2, float(t), t % 20 == 19, False, frame)
        if t % 20 == 19:
            of.begin(0, frame)


def test_a_memory_in_a_file_is_the_memory_in_memory(tmp_path):
    in_memory, in_file = memory(tmp_path), memory(tmp_path, replay__storage="disk")
    assert not lies_in_file(in_memory.streams.observation)
    assert lies_in_file(in_file.streams.observation)
    for it in (in_memory, in_file):
        fill(it, 300)
    for _ in range(20):
        np.testing.assert_equal(
            in_memory.sample(16, 0.9, 1.0), in_file.sample(16, 0.9, 1.0)
        )
    assert state_hash(in_memory.state()) == state_hash(in_file.state())


def test_a_memory_in_a_file_is_restored_from_its_log_exactly(tmp_path):
    whole, restored = (memory(tmp_path, replay__storage="disk") for _ in range(2))
    fill(whole, 100)
    restored.restore(whole.state(), whole.drain_log())
    for it in (whole, restored):
        fill(it, 60, first=100)
    np.testing.assert_equal(whole.sample(64, 0.9, 1.0), restored.sample(64, 0.9, 1.0))
    np.testing.assert_equal(whole.contents(), restored.contents())


def test_only_the_frames_lie_in_the_file(tmp_path):
    streams = memory(tmp_path, replay__storage="disk").streams
    columns = (streams.action, streams.reward, streams.elapsed, streams.sampleable)
    assert not any(lies_in_file(it) for it in columns)


def test_without_replay_nothing_lies_in_a_file(tmp_path):
    kept = memory(tmp_path, replay__kind="none", replay__storage="disk")
    assert not lies_in_file(kept.streams.observation)


def test_nothing_is_left_in_the_folder_even_by_a_killed_process(tmp_path):
    code = (
        "import os, signal, sys, pathlib\n"
        "from engine.replay.storage import frame_array\n"
        "array = frame_array((100, 84, 84), 'uint8', pathlib.Path(sys.argv[1]))\n"
        "array[:] = 7\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=False)
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_made_is_told_in_a_sentence(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"replay of .* No such file|could not"
    ):
        frame_array((10, 10), "uint8", tmp_path / "missing")


def test_the_room_on_the_disk_is_taken_before_the_run_begins(tmp_path):
    too_large = 2 * shutil.disk_usage(tmp_path).total
    with pytest.raises(ConfigurationError, match=r"lower replay\.capacity"):
        frame_array((too_large,), "uint8", tmp_path)
    assert os.listdir(tmp_path) == []
