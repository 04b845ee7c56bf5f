"""Compiles an update: ``python -m engine.agents.compiling``, the order on stdin.

The order is a line of JSON: ``configuration``, ``card`` and ``library``, where the
result goes. The answer is a line of JSON on stdout: ``problem``, a sentence, or how far
both forms of the update were apart and how long each took.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch

from engine.agents.compiled import ENDING
from engine.agents.graph import record, state_tensors
from engine.agents.reports import CannotCompile
from engine.agents.value_based import ValueBasedAgent, build_agent
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, configuration_from_json
from engine.replay import Batch

TOLERANCE = 1e-4
"""How far apart weights, errors and values may be after :data:`TRIED` updates,
relative to the largest of each."""
TRIED, WARMED = 8, 4
ROUNDS, TIMED = 5, 40
SEED = 20_261_121


class Judgement(NamedTuple):
    """How the compiled update compares.

    Attributes:
      difference: The largest relative difference after :data:`TRIED` updates.
      eager_s, compiled_s: What one update takes, the least of :data:`ROUNDS`.
    """

    difference: float
    eager_s: float
    compiled_s: float


def compile_update(
    configuration: Configuration, card: EnvironmentCard, library: Path
) -> Judgement:
    """Write the library, and what is known of it, once it is known to do the same.

    Raises:
      CannotCompile: If there is no compiler, or it fails, or the results differ.
    """
    torch.set_num_threads(configuration.training.threads)
    small = configuration.with_options(
        {"replay.capacity": max(1000, 4 * configuration.agent.batch_size)}
    )
    agents = [_experienced(small, card) for _ in range(2)]
    for agent in agents * WARMED:
        # Priorities, moments and importance weights differ from their beginnings.
        agent.learn(1)
    batches = [[_draw(agent) for _ in range(TRIED)] for agent in agents]
    unfinished = library.with_suffix(f".{os.getpid()}{ENDING}")
    try:
        _build(agents[1], batches[1][0], unfinished)
        agents[1].compile(unfinished)
        difference = _difference(agents, batches)
        if not difference <= TOLERANCE:
            raise CannotCompile(
                f"The compiled update differs by {difference:.1e}, more than "
                f"{TOLERANCE:g}: it is not used."
            )
        times = [_seconds(*it) for it in zip(agents, batches, strict=True)]
        found = Judgement(difference, *times)
        _publish(unfinished, library, found)
    finally:
        unfinished.unlink(missing_ok=True)
    return found


def _publish(unfinished: Path, library: Path, found: Judgement) -> None:
    """In this order: what is known of a library is never there before it."""
    unfinished.replace(library)
    written = unfinished.with_suffix(".json")
    written.write_text(json.dumps(found._asdict()), encoding="utf-8")
    written.replace(library.with_suffix(".json"))


def _experienced(
    configuration: Configuration, card: EnvironmentCard
) -> ValueBasedAgent:
    """An agent that remembers two batches of made-up steps."""
    agent = build_agent(configuration, card, "cpu", SEED)
    rng = np.random.default_rng(SEED)
    frames = configuration.environment.frame_stack
    shape = (*card.shape[:-1], card.shape[-1] // frames)
    count = configuration.training.environments

    def seen(*lead: int) -> np.ndarray:
        drawn = rng.random((*lead, *shape), np.float32)
        largest = max(card.high, default=255.0) if card.dtype == "uint8" else 1.0
        return (drawn * largest).round(3).astype(card.dtype)

    for stream in range(count):
        agent.begin(stream, seen())
    steps = 2 * configuration.agent.batch_size + 2 * configuration.agent.n_step
    for t in range(math.ceil(steps / count)):
        stacked = np.concatenate([seen(count)] * frames, -1)
        agent.act(stacked, "explore", 0)
        for stream in range(count):
            action, reward = int(rng.integers(card.actions)), float(rng.normal())
            terminated = t % 7 == 6
            agent.remember(stream, action, reward, terminated, False, seen())
            if terminated:
                agent.begin(stream, seen())
    return agent


def _draw(agent: ValueBasedAgent) -> Batch:
    options = agent.configuration.agent
    batch = agent.memory.sample(options.batch_size, options.discount, 0.5)
    assert batch is not None, "there are enough steps for a batch"
    return batch


def _build(agent: ValueBasedAgent, example: Batch, library: Path) -> None:
    """Write the library; its folder exists."""
    if not any(map(shutil.which, _compilers())):
        raise CannotCompile(
            "There is no C++ compiler here: install g++ or clang++ to have it compiled."
        )
    from torch._inductor import aoti_compile_and_package
    from torch.export import export

    graph, inputs = record(agent.learner, example)
    try:
        with torch.no_grad():
            aoti_compile_and_package(export(graph, inputs), package_path=str(library))
    except Exception as error:
        # The compiler is a large foreign program: whatever it raises, updates go on.
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else ""
        name = type(error).__name__
        raise CannotCompile(f"The compiler failed: {name}: {first}") from error


def _compilers() -> tuple[str, ...]:
    named = os.environ.get("CXX")
    return (named,) if named else ("g++", "clang++", "c++", "cl")


def _difference(agents: list[ValueBasedAgent], batches: list[list[Batch]]) -> float:
    """The largest relative difference after the same updates."""
    found = 0.0
    for pair in zip(*batches, strict=True):
        told = [_told(*it) for it in zip(agents, pair, strict=True)]
        for one, other in zip(*told, strict=True):
            found = max(found, _apart(one, other))
    return found


def _told(agent: ValueBasedAgent, batch: Batch) -> list[np.ndarray]:
    """All that an update says, and all that it has moved."""
    update, surprise = agent.learner.learn_from(batch, 1, 0.1, {})
    single = [update.loss, update.gradient_norm, *update.extras.values()]
    arrays = [update.td_error, update.q, np.array(single)]
    moved = [it.detach().numpy() for it in state_tensors(agent.learner)]
    return [*arrays, *([] if surprise is None else [surprise]), *moved]


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the largest; infinite where a number is not finite."""
    if not one.size:
        return 0.0
    scale = max(float(np.abs(one).max()), 1e-6)
    apart = float(np.abs(one - other).max()) / scale
    return apart if math.isfinite(apart) else math.inf


def _seconds(agent: ValueBasedAgent, batches: list[Batch]) -> float:
    best = math.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for number in range(TIMED):
            agent.learn_from(batches[number % TRIED], 1)
        best = min(best, (time.perf_counter() - start) / TIMED)
    return best


def main() -> int:
    """Carry out the order; 0 also where it cannot be."""
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    card = msgspec.convert(order["card"], EnvironmentCard)
    configuration = configuration_from_json(order["configuration"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.Thread(target=_end_with_whoever_asked, daemon=True).start()
    out, sys.stdout = sys.stdout, sys.stderr
    with tempfile.TemporaryDirectory(prefix="rllab-compile-") as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        try:
            found = compile_update(configuration, card, Path(order["library"]))
            answer: dict[str, Any] = found._asdict()
        except (CannotCompile, OSError) as problem:
            answer = {"problem": str(problem)}
    out.write(json.dumps(answer) + "\n")
    out.flush()
    return 0


def _end_with_whoever_asked() -> None:
    """Their end of stdin stays open for as long as they live and want it."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
