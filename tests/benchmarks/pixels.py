"""Atari pixels: environment steps per second of DQN, and what its replay takes.

Both learn from Pong as the preset prepares it, with the same network, batches of 32
and an update in every fourth step, on one thread; the peers, Stable-Baselines3 and
CleanRL, get the same prepared frames from the same environment, so that what differs is
the learning.
"""

from __future__ import annotations

import gc
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import psutil
import torch

from engine.contract.catalogue import EnvironmentCard, find_preset
from engine.contract.options import Configuration, EnvironmentOptions
from engine.environments import make
from engine.replay import Memory
from engine.training import Libraries, TrainingLoop
from tests.benchmarks.cleanrl_program import CleanRL
from tests.benchmarks.harness import Result, side_by_side

STEPS, WARM_UP, ROUNDS = 200, 300, 5
FRAMES, SIDE = 1_000_000, 84
BUDGET_BYTES = 1.1 * 7.06e9
SPARE_BYTES = 3e9
"""Memory that must be free beside a full replay to fill a whole one."""
SETTINGS: dict[str, Any] = {
    "agent.optimizer": "adam",
    "agent.learning_rate": 1e-4,
    "agent.learning_starts": 200,
    "agent.gradient_clip": 10.0,
    "exploration.epsilon": 0.05,
    "exploration.schedule": "constant",
    "replay.capacity": 10_000,
    "target_network.period": 1000,
    "recording.level": "scalars",
    "training.steps": 10**8,
}
COMMON: dict[str, Any] = {
    "agent.learning_starts": 200,
    "replay.capacity": 10_000,
    "recording.level": "scalars",
    "training.steps": 10**8,
}
"""For presets that differ in more than their speed."""
EXPLORED = {"exploration.epsilon": 0.1, "exploration.schedule": "constant"}
"""As after the first fiftieth of the preset's training: before, most actions are random
and cost nothing, while Rainbow asks its network from the first step on."""
AS_CLEANRL = SETTINGS | {"agent.gradient_clip": 0.0, "agent.loss": "squared"}
PEER_SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-4,
    "buffer_size": 10_000,
    "learning_starts": 200,
    "batch_size": 32,
    "train_freq": 4,
    "gradient_steps": 1,
    "target_update_interval": 4000,
    "exploration_initial_eps": 0.05,
    "exploration_final_eps": 0.05,
    "device": "cpu",
    "seed": 0,
}


def run() -> Iterator[Result]:
    """Speed where the games are installed, and the replay everywhere."""
    torch.set_num_threads(1)
    yield from _speeds()
    yield _replay_bytes()
    yield _from_a_file()


def _speeds() -> Iterator[Result]:
    names = {
        "never": "pixels: DQN on Pong, in times of SB3",
        "first": "pixels: the same, compiled updates",
    }
    missing = [it for it in ("ale_py", "stable_baselines3") if not _there(it)]
    with tempfile.TemporaryDirectory(prefix="rllab-bench-") as folder:
        peer = None if missing else _peer()
        for form, name in names.items():
            if peer is None:
                why = f"{' and '.join(missing)} not installed"
                yield Result(name, "steps/s", skipped=why)
                continue
            rates = side_by_side(_ours(form, Path(folder)), peer, ROUNDS)
            yield Result(name, "steps/s", *rates, limit=1.0)
        yield _rainbow(Path(folder))
    yield from _against_cleanrl()


def _rainbow(folder: Path) -> Result:
    """What its components cost where convolutions take most of the time."""
    name = "pixels: Rainbow on Pong, of our DQN"
    if not _there("ale_py"):
        return Result(name, "steps/s", skipped="ale_py not installed")
    forms = (
        _ours("first", folder, COMMON, preset="atari-rainbow"),
        _ours("first", folder, COMMON | EXPLORED, preset="atari-dqn"),
    )
    return Result(name, "steps/s", *side_by_side(*forms, ROUNDS), limit=0.5)


def _against_cleanrl() -> Iterator[Result]:
    """Beside CleanRL's own program, which clips no gradient and squares the error."""
    wanted = ("ale_py", "stable_baselines3", "cleanrl")
    missing = [it for it in wanted if not _there(it)]
    names = {
        "never": "pixels: DQN on Pong, in times of CleanRL",
        "first": "pixels: the same, compiled updates, CleanRL",
    }
    if missing:
        why = f"{' and '.join(missing)} not installed"
        yield from (Result(it, "steps/s", skipped=why) for it in names.values())
        return
    options = find_preset("atari-dqn").configuration.environment
    peer = CleanRL(lambda: _Prepared(options))
    try:
        peer(WARM_UP)
        with tempfile.TemporaryDirectory(prefix="rllab-bench-") as folder:
            for form, name in names.items():
                ours = _ours(form, Path(folder), AS_CLEANRL)
                yield Result(
                    name, "steps/s", *side_by_side(ours, peer, ROUNDS), limit=1.0
                )
    finally:
        peer.close()


def _there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _ours(
    form: str,
    folder: Path,
    settings: dict[str, Any] = SETTINGS,
    preset: str = "atari-dqn",
) -> Callable[[], int]:
    options = settings | {"training.compile": form}
    configuration = find_preset(preset).configuration.with_options(options)
    loop = TrainingLoop(configuration, libraries=Libraries(folder))

    def advance(steps: int = STEPS) -> int:
        loop.advance(steps=steps)
        loop.drain()
        return steps

    advance(WARM_UP)
    return advance


class _Prepared(gymnasium.Env[np.ndarray, int]):
    """The lab's prepared frames, for others."""

    def __init__(self, options: EnvironmentOptions) -> None:
        self._lab, self._seed = make(options), 0
        box = gymnasium.spaces.Box
        self.observation_space = box(0, 255, self._lab.frame_shape, np.uint8)
        self.action_space = gymnasium.spaces.Discrete(self._lab.card.actions)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin the next episode."""
        self._seed += 1
        return self._lab.reset(self._seed), {}

    def step(self, action: Any) -> Any:
        """Act once."""
        frame, reward, terminated, truncated, _ = self._lab.step(int(action))
        return frame, reward, terminated or self._lab.life_lost, truncated, {}


def _peer() -> Callable[[], int]:
    from stable_baselines3 import DQN
    from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

    options = find_preset("atari-dqn").configuration.environment
    stacked = VecFrameStack(DummyVecEnv([lambda: _Prepared(options)]), 4)
    model = DQN("CnnPolicy", stacked, **PEER_SETTINGS)

    def advance(steps: int = STEPS) -> int:
        model.learn(steps, reset_num_timesteps=False)
        return steps

    advance(WARM_UP)
    return advance


def _replay_bytes() -> Result:
    """The memory that a process takes more for a replay that has been filled."""
    enough = psutil.virtual_memory().available > BUDGET_BYTES + SPARE_BYTES
    frames = FRAMES if enough else FRAMES // 10
    gc.collect()
    before = psutil.Process().memory_info().rss
    memory = _filled({"replay.capacity": frames}, frames)
    taken = psutil.Process().memory_info().rss - before
    assert len(memory) > 0.99 * frames
    measured = f"filled with {frames:,} frames: {taken / frames:,.0f} bytes each"
    scaled = "" if enough else "; scaled to 1,000,000, for want of memory"
    return Result(
        "pixels: bytes of a replay of 1,000,000 frames",
        "MB",
        taken * FRAMES / frames / 1e6,
        BUDGET_BYTES / 1e6,
        limit=1.0,
        less_is_better=True,
        notes=(f"{measured}{scaled}; the budget is 1.1 x 7.06 GB",),
    )


def _from_a_file() -> Result:
    """Batches from a file that the system has in memory too, against plain memory."""
    frames = FRAMES // 20
    rates = []
    with tempfile.TemporaryDirectory(prefix="rllab-bench-") as folder:
        for storage in ("disk", "memory"):
            options = {"replay.capacity": frames, "replay.storage": storage}
            memory = _filled(options, frames, Path(folder))
            rates.append(_drawing(memory))
    name = "pixels: batches from a file, of those from memory"
    return Result(name, "batches/s", *side_by_side(*rates, ROUNDS), limit=0.5)


def _drawing(memory: Memory) -> Callable[[], int]:
    def draw(batches: int = 500) -> int:
        for _ in range(batches):
            memory.sample(32, 0.99, 0.4)
        return batches

    draw()
    return draw


def _filled(options: dict[str, Any], frames: int, folder: Path | None = None) -> Memory:
    configuration: Configuration = find_preset("atari-dqn").configuration
    card = EnvironmentCard("", "image", (SIDE, SIDE, 4), "uint8", actions=6)
    memory = Memory(configuration.with_options(options), card, 0, folder=folder)
    frame = np.random.default_rng(0).integers(256, size=(SIDE, SIDE, 1), dtype=np.uint8)
    memory.begin(0, frame)
    for t in range(frames):
        ends = t % 1000 == 999
        memory.append(0, t % 6, 0.0, ends, False, frame)
        if ends:
            memory.begin(0, frame)
    return memory
