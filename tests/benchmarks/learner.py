"""Environment steps per second with one update per step, against peers.

CartPole, an MLP of 64-64, batches of 64 and one thread everywhere; the peers are
Stable-Baselines3 and its contributed QR-DQN with the same settings, the same algorithm
as a bare loop around one compiled function, and our own plain DQN.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from engine.contract.catalogue import find_preset
from engine.training import Libraries, TrainingLoop
from tests.benchmarks.bare_loop import BareLoop
from tests.benchmarks.harness import Result, side_by_side

STEPS, PEER_STEPS = 4_000, 1_000
ROUNDS = 5
PLAIN = "cartpole-plain-dqn"
PEERS = {"dqn": "stable_baselines3", "qr": "sb3_contrib"}
SETTINGS: dict[str, Any] = {
    "agent.learning_starts": 100,
    "agent.batch_size": 64,
    "agent.updates_per_step": 1.0,
    "exploration.epsilon": 0.05,
    "exploration.schedule": "constant",
    "network.hidden": "64,64",
    "recording.level": "scalars",
    "target_network.period": 500,
    "training.environments": 1,
    "training.steps": 10**8,
    "training.compile": "first",
}
QUANTILES = {"head.kind": "qr", "head.atoms": 200, "network.hidden": "64,64"}
COPIED = {"target_network.kind": "periodic"}
"""As in DQN and in Rainbow; the preset moves its target network with every update."""
PEER_SETTINGS: dict[str, Any] = {
    "learning_rate": 1e-3,
    "buffer_size": 50_000,
    "learning_starts": 100,
    "batch_size": 64,
    "train_freq": 1,
    "gradient_steps": 1,
    "target_update_interval": 500,
    "exploration_initial_eps": 0.05,
    "exploration_final_eps": 0.05,
    "device": "cpu",
    "seed": 0,
}


def run() -> Iterator[Result]:
    """The rows of design.md, section 7, that need no GPU."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="rllab-bench-") as folder:
        ours = _Ours(Path(folder))
        plain, dqn = ours.stepper(), _peer("dqn")
        yield _row("learner: DQN, in times of SB3", plain, dqn, 4.0)
        kept = ours.stepper({"recording.level": "default"})
        yield _row("learner: the same, default recording", kept, dqn, 3.0)
        eager = ours.stepper({"training.compile": "never"})
        yield _row("learner: updates as written, in times of SB3", eager, dqn, 1.8)
        bare = _Stepper(BareLoop().advance, STEPS)
        yield _row("learner: DQN, of a bare compiled loop", plain, bare, 0.9)
        quantiles = ours.stepper(QUANTILES, STEPS // 4)
        yield _row("learner: QR-DQN, in times of SB3's", quantiles, _peer("qr"), 4.0)
        rainbow = ours.stepper(COPIED, STEPS // 4, "cartpole-rainbow")
        yield _row("learner: Rainbow, of our plain DQN", rainbow, plain, 0.5)


class _Stepper:
    """Takes so many steps each time it is called."""

    def __init__(self, advance: Callable[[int], Any], steps: int) -> None:
        self._advance, self._steps = advance, steps
        self._advance(1_000 if steps > 200 else steps)

    def __call__(self) -> int:
        self._advance(self._steps)
        return self._steps


class _Ours:
    """Our loops, whose compiled updates are kept in a folder."""

    def __init__(self, libraries: Path) -> None:
        self._libraries = libraries

    def stepper(
        self,
        options: dict[str, Any] | None = None,
        steps: int = STEPS,
        preset: str = PLAIN,
    ) -> _Stepper:
        """A run of these options; it is compiled when this returns."""
        plain = {"agent.double": False} if preset == PLAIN else {}
        chosen = SETTINGS | plain | (options or {})
        configuration = find_preset(preset).configuration.with_options(chosen)
        loop = TrainingLoop(configuration, libraries=Libraries(self._libraries))

        def advance(count: int) -> None:
            loop.advance(steps=count)
            loop.drain()

        return _Stepper(advance, steps)


def _peer(kind: str) -> _Stepper | str:
    """A peer's run; or why there is none."""
    if importlib.util.find_spec(PEERS[kind]) is None:
        return f"{PEERS[kind]} is not installed"
    settings, steps = PEER_SETTINGS, PEER_STEPS
    policy: dict[str, Any] = {"net_arch": [64, 64]}
    if kind == "dqn":
        from stable_baselines3 import DQN as METHOD
    else:
        from sb3_contrib import QRDQN as METHOD

        policy, steps = policy | {"n_quantiles": 200}, 100
    model = METHOD("MlpPolicy", "CartPole-v1", policy_kwargs=policy, **settings)

    def advance(count: int) -> None:
        model.learn(count, reset_num_timesteps=False)

    return _Stepper(advance, steps)


def _row(name: str, ours: _Stepper, peer: _Stepper | str, limit: float) -> Result:
    if isinstance(peer, str):
        return Result(name, "steps/s", skipped=peer)
    return Result(name, "steps/s", *side_by_side(ours, peer, ROUNDS), limit=limit)
