"""Environment steps per second with one update per step, against a peer's DQN."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch

from engine.contract.catalogue import find_preset
from engine.training import TrainingLoop
from tests.benchmarks.harness import Result, side_by_side

NAME = "learner: CartPole, MLP 64-64, batch 64"
STEPS = 2_000
ROUNDS = 5
LIMIT = 1.8


def run() -> Result:
    """Both learn from the same settings on one thread."""
    if importlib.util.find_spec("stable_baselines3") is None:
        return Result(NAME, "steps/s", skipped="stable-baselines3 is not installed")
    torch.set_num_threads(1)
    loop, model = _ours(), _peer()

    def ours() -> int:
        loop.advance(steps=STEPS)
        loop.drain()
        return STEPS

    def peer() -> int:
        model.learn(STEPS, reset_num_timesteps=False)
        return STEPS

    ours(), peer()
    rates = side_by_side(ours, peer, ROUNDS)
    return Result(NAME, "steps/s", *rates, limit=LIMIT)


def _ours() -> TrainingLoop:
    preset = find_preset("cartpole-plain-dqn").configuration
    return TrainingLoop(
        preset.with_options(
            {
                "agent.learning_starts": 100,
                "agent.batch_size": 64,
                "agent.double": False,
                "agent.updates_per_step": 1.0,
                "exploration.epsilon": 0.05,
                "exploration.schedule": "constant",
                "network.hidden": "64,64",
                "recording.level": "scalars",
                "target_network.period": 500,
                "training.environments": 1,
                "training.steps": 1_000_000,
            }
        )
    )


def _peer() -> Any:
    from stable_baselines3 import DQN

    return DQN(
        "MlpPolicy",
        "CartPole-v1",
        learning_rate=1e-3,
        buffer_size=50_000,
        learning_starts=100,
        batch_size=64,
        train_freq=1,
        gradient_steps=1,
        target_update_interval=500,
        exploration_initial_eps=0.05,
        exploration_final_eps=0.05,
        policy_kwargs={"net_arch": [64, 64]},
        device="cpu",
        seed=0,
    )
