"""Learning on a GPU: our updates against the bare captured graph, and the processor.

Updates come from a replay that was filled with made-up steps, with another step before
each of them. The peer of the first rows is the same captured graph, launched over and
over with nothing around it. The precisions are compared on one batch and the same
weights. Steps of sixteen seeds at once are compared with those of one, which they may
take three times as long as. It needs a GPU, and says so where there is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import torch

from engine.agents import ValueBasedAgent, build_agent
from engine.contract.catalogue import EnvironmentCard, find_preset
from engine.contract.options import Configuration, configuration_from_flat
from engine.training import Libraries, TrainingLoop
from tests.benchmarks.harness import Result, side_by_side
from tests.benchmarks.learner import PLAIN

OF_GRAPH = 0.70
"""Share of the bare graph's updates per second that ours have to reach."""
UPDATES, ROUNDS, STEPS = 500, 5, 2_000
NO_GPU = "it needs a GPU that torch can use, and there is none here"
SEEDS, LONGEST = 16, 3
VECTOR = EnvironmentCard("", observation="vector", shape=(8,), actions=4)
PIXELS = EnvironmentCard(
    "", observation="image", shape=(84, 84, 4), dtype="uint8", high=(255.0,), actions=6
)
SMALL = {"network.hidden": "64,64", "agent.batch_size": 64}
WIDE = {"network.hidden": "1024,1024", "agent.batch_size": 512}
CONVOLUTIONS = {
    "network.torso": "conv",
    "network.hidden": "512",
    "agent.batch_size": 32,
    "environment.frame_stack": 4,
}
CASES: dict[str, tuple[EnvironmentCard, dict[str, Any]]] = {
    "64-64, batch 64, uniform": (VECTOR, {"replay.kind": "uniform", **SMALL}),
    "64-64, batch 64, prioritized": (VECTOR, {"replay.kind": "prioritized", **SMALL}),
    "1024-1024, batch 512, uniform": (VECTOR, {"replay.kind": "uniform", **WIDE}),
    "84x84x4, uniform": (PIXELS, {"replay.kind": "uniform", **CONVOLUTIONS}),
    "84x84x4, prioritized": (PIXELS, {"replay.kind": "prioritized", **CONVOLUTIONS}),
}


def run() -> Iterator[Result]:
    """All rows, or why there are none."""
    if not torch.cuda.is_available():
        yield Result("gpu", "", skipped=NO_GPU)
        return
    for name in CASES:
        yield _of_graph(name)
    yield from map(_of_one_seed, ("cartpole", PLAIN))
    for name in CASES:
        yield _of_processor(name)
    yield from _precisions("84x84x4, uniform")
    yield _steps()


def configured(name: str, **options: Any) -> Configuration:
    """The options of a case; ``group__name`` stands for ``group.name``."""
    others = {key.replace("__", "."): value for key, value in options.items()}
    flat = {"replay.capacity": 20_000, "agent.learning_starts": 0}
    return configuration_from_flat(flat | CASES[name][1] | others)


class Pupil:
    """An agent that remembers made-up steps, and learns one update at a time."""

    def __init__(self, name: str, device: str, **options: Any) -> None:
        self.card = CASES[name][0]
        self.agent: ValueBasedAgent = build_agent(
            configured(name, **options), self.card, device, seed=0
        )
        self._rng, self._device = np.random.default_rng(0), torch.device(device)
        self._frames = [self._frame() for _ in range(64)]
        self.agent.begin(0, self._frames[0])
        for _ in range(2_000):
            self.step()

    def _frame(self) -> np.ndarray:
        stack = 4 if self.card is PIXELS else 1
        shape = (*self.card.shape[:-1], self.card.shape[-1] // stack)
        drawn = self._rng.random(shape)
        large = 255 if self.card.dtype == "uint8" else 1
        return (large * drawn).astype(self.card.dtype)

    def step(self) -> None:
        """Remember one more; every thirtieth ends an episode."""
        kind, frame = self._rng.integers(30), self._frames[self._rng.integers(64)]
        action = int(self._rng.integers(self.card.actions))
        self.agent.remember(0, action, 1.0, kind == 0, False, frame)
        if kind == 0:
            self.agent.begin(0, frame)

    def learn(self) -> int:
        """So many updates, each after another step."""
        for _ in range(UPDATES):
            self.step()
            self.agent.learn(10**6)
        self.wait()
        return UPDATES

    def graph(self) -> int:
        """So many launches of the graph that makes the updates."""
        captured = self.agent.captured
        assert captured is not None, "capture() comes first"
        for _ in range(UPDATES):
            captured.launch()
        self.wait()
        return UPDATES

    def wait(self) -> None:
        """Until the device has done all that it was told."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _captured(name: str, **options: Any) -> Pupil:
    pupil = Pupil(name, "cuda", **options)
    pupil.agent.capture()
    pupil.learn()
    return pupil


def _rates(ours: Callable[[], int], peer: Callable[[], int]) -> tuple[float, float]:
    return side_by_side(ours, peer, ROUNDS, clock=time.perf_counter)


def _of_graph(name: str) -> Result:
    ours, peer = _captured(name), _captured(name)
    rates = _rates(ours.learn, peer.graph)
    return Result(f"gpu: {name}, of its graph", "updates/s", *rates, limit=OF_GRAPH)


def _of_processor(name: str) -> Result:
    """A table, not a demand: which is quicker depends on the network."""
    ours, peer, eager = _captured(name), Pupil(name, "cpu"), Pupil(name, "cuda")
    rates = _rates(ours.learn, peer.learn)
    as_written = _rates(eager.learn, peer.learn)[0]
    note = f"as written on the GPU: {as_written:,.0f} updates/s"
    title = f"gpu: {name}, of the processor"
    return Result(title, "updates/s", *rates, notes=(note,))


def _precisions(name: str) -> Iterator[Result]:
    """Speed in times of float32's, and how far the numbers are apart."""
    full = _captured(name)
    for precision in ("tf32", "bf16"):
        ours = _captured(name, training__precision=precision)
        note = _apart(name, precision)
        title = f"gpu: {name}, {precision}, of float32"
        # Each capture keeps the way of multiplying that it was made with.
        rates = _rates(ours.learn, full.learn)
        yield Result(title, "updates/s", *rates, notes=(note,))


def _apart(name: str, precision: str) -> str:
    found = []
    for it in ("float32", precision):
        pupil = Pupil(name, "cuda", training__precision=it)
        update = pupil.agent.learn(10**6)
        assert update is not None
        found.append((update.q, pupil.agent.learner.gradients.cpu().numpy()))
    each = zip(*found, strict=True)
    apart = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in each]
    return f"relative error of Q {apart[0]:.1e}, of the gradient {apart[1]:.1e}"


def _steps() -> Result:
    """The whole loop: acting waits for the network in each step, learning does not."""
    runs = [_loop(it) for it in ("cuda", "cpu")]

    def advance(loop: TrainingLoop) -> Callable[[], int]:
        def some() -> int:
            loop.advance(steps=STEPS)
            loop.drain()
            return STEPS

        some()
        return some

    rates = _rates(*map(advance, runs))
    return Result("gpu: CartPole, of the processor as written", "steps/s", *rates)


def _of_one_seed(preset: str) -> Result:
    """Steps of all seeds are counted."""
    loops = {it: _loop("cuda", preset, it) for it in (SEEDS, 1)}

    def advance(seeds: int) -> Callable[[], int]:
        def some() -> int:
            loops[seeds].advance(steps=STEPS // seeds)
            loops[seeds].drain()
            return STEPS // seeds * seeds

        loops[seeds].advance(steps=1_000)
        return some

    rates = _rates(advance(SEEDS), advance(1))
    note = f"16 seeds take {SEEDS * rates[1] / rates[0]:.1f} times as long as one"
    name = f"gpu: {SEEDS} seeds at once, of one: {preset}"
    limit = SEEDS / LONGEST
    return Result(name, "steps/s", *rates, limit=limit, notes=(note,))


def _loop(device: str, preset: str = "cartpole", seeds: int = 1) -> TrainingLoop:
    compiles = "auto" if device == "cuda" else "never"
    options = {"training.device": device, "training.compile": compiles}
    options |= {"training.steps": 10**8, "recording.level": "scalars"}
    options["training.seeds"] = seeds
    configuration = find_preset(preset).configuration.with_options(options)
    return TrainingLoop(configuration, libraries=Libraries(Path(gettempdir())))
