"""CartPole solved, in processor seconds, beside Stable-Baselines3's tuned DQN.

Each run is a process of its own, and everything that it starts counts: imports, the
compiler, evaluations. Ours trains the preset as the lab does, evaluates it as the
preset says, and ends when a checkpoint whose evaluation reached 475 has a mean return
of 475 or more over 100 fresh greedy episodes. The peer learns for its 50,000 steps with
the hyperparameters of rl-baselines3-zoo, and is not evaluated at all.

python -m tests.benchmarks.solved            # 10 seeds
python -m tests.benchmarks.solved --seeds 2
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.harness import HEAD, Result, load

QUICK, FULL = 2, 10
TIMES = 2.0
"""The peer takes at least so many times as long as our slowest seed."""
SOLVED, FRESH_EPISODES, FRESH_SEED = 475.0, 100, 5_000_000
PEER_STEPS = 50_000
PEER_SETTINGS: dict[str, Any] = {
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1_000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": 256,
    "gradient_steps": 128,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
    "policy_kwargs": {"net_arch": [256, 256]},
    "device": "cpu",
}


class Told(NamedTuple):
    """What came of one process.

    Attributes:
      cpu_s: Its processor seconds and those of what it started.
      facts: What it printed.
    """

    cpu_s: float
    facts: dict[str, Any]


def run(seeds: int = QUICK) -> Iterator[Result]:
    """One row: the slowest seed. Of each seed a note."""
    name = f"solved: CartPole, the slowest of {seeds} seeds"
    if importlib.util.find_spec("stable_baselines3") is None:
        yield Result(name, "CPU s", skipped="stable_baselines3 is not installed")
        return
    peers = [_told("peer", 0)]
    ours = [_told("ours", seed) for seed in range(seeds)]
    peers.append(_told("peer", 1))
    peer_s = statistics.mean(it.cpu_s for it in peers)
    times = [it.cpu_s if it.facts["solved"] else float("inf") for it in ours]
    notes = [_note(seed, it) for seed, it in enumerate(ours)]
    solved = sum(it.facts["solved"] for it in ours)
    whole = ", ".join(f"{it.cpu_s:.1f}" for it in peers)
    notes.append(
        f"{solved} of {seeds} solved, median {statistics.median(times):.1f} CPU s; the "
        f"peer's {PEER_STEPS:,} steps: {whole} CPU s; {load()}"
    )
    yield Result(name, "CPU s", max(times), peer_s, TIMES, "", True, tuple(notes))


def _note(seed: int, told: Told) -> str:
    facts = told.facts
    how = "solved" if facts["solved"] else "not solved"
    return (
        f"seed {seed}: {how} at step {facts['step']:,} ({facts['mean']:.1f}), "
        f"{told.cpu_s:.1f} CPU s, of them {facts['evaluating_s']:.1f} evaluating and "
        f"{facts['children_s']:.1f} in other processes"
    )


def _told(what: str, seed: int) -> Told:
    """Run one in a process of its own and wait for it."""
    command = [sys.executable, "-m", "tests.benchmarks.solved", "--only", what]
    process = subprocess.Popen(
        [*command, "--seed", str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{what} with seed {seed} failed: {text}")
    return Told(used.ru_utime + used.ru_stime, json.loads(text.splitlines()[-1]))


def ours(seed: int) -> dict[str, Any]:
    """Train the preset until it is solved, or to the end of its budget."""
    from engine.contract.catalogue import find_preset
    from engine.environments import describe
    from engine.stage.evaluation import evaluate
    from engine.stage.minds import Mind
    from engine.training import Libraries, TrainingLoop

    options = {"training.seed": seed, "training.device": "cpu"}
    preset = find_preset("cartpole").configuration.with_options(options)
    world, evaluation = preset.environment, preset.evaluation
    mean, evaluating_s = 0.0, 0.0
    with tempfile.TemporaryDirectory(prefix="rllab-solved-") as folder:
        loop = TrainingLoop(preset, libraries=Libraries(Path(folder)))
        mind = Mind(preset, describe(world))
        while not loop.finished and mean < SOLVED:
            loop.advance(steps=evaluation.period)
            loop.drain()
            begun = os.times().user
            mind.load(loop.step, loop.weights())
            periodic = evaluate(mind, world, evaluation.episodes, evaluation.seed).mean
            if periodic >= SOLVED:
                first = FRESH_SEED + FRESH_EPISODES * seed
                mean = evaluate(mind, world, FRESH_EPISODES, first).mean
            evaluating_s += os.times().user - begun
        step = loop.step
        loop.close()
    return {
        "solved": mean >= SOLVED,
        "step": step,
        "mean": mean,
        "evaluating_s": evaluating_s,
        "children_s": os.times().children_user + os.times().children_system,
    }


def peer(seed: int) -> dict[str, Any]:
    """Learn for the peer's budget."""
    import torch
    from stable_baselines3 import DQN

    torch.set_num_threads(1)
    model = DQN("MlpPolicy", "CartPole-v1", seed=seed, **PEER_SETTINGS)
    model.learn(PEER_STEPS)
    return {"steps": model.num_timesteps}


def main() -> int:
    """Print the table, or what one process found; 1 where the limit is missed."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.solved")
    options.add_argument("--seeds", type=int, default=FULL)
    options.add_argument("--only", choices=["ours", "peer"])
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    if chosen.only:
        print(json.dumps({"ours": ours, "peer": peer}[chosen.only](chosen.seed)))
        return 0
    print(HEAD)
    results = list(run(chosen.seeds))
    for it in results:
        print(it.row(), flush=True)
    return 0 if all(it.passed for it in results) else 1


if __name__ == "__main__":
    sys.exit(main())
