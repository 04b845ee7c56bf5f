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
from engine.agents.graph import record
from engine.agents.joint import JointAgents
from engine.agents.reports import CannotCompile
from engine.agents.value_based import ValueBasedAgent, build_agent
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, configuration_from_json
from engine.replay import Batch

TOLERANCE = 1e-4
"""How far apart weights, errors and values may be after :data:`TRIED` updates,
relative to the largest of each."""
TRIED, WARMED = 8, 4
NARROW = 8
"""Columns of a matrix that is called narrow; from 16 on it makes no difference."""
ROUNDS, TIMED = 9, 40
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
    pupils = [Pupils(small, card) for _ in range(2)]
    for it in pupils * WARMED:
        # Priorities, moments and importance weights differ from their beginnings.
        it.learn_from(it.draw())
    batches = [[it.draw() for _ in range(TRIED)] for it in pupils]
    unfinished = library.with_suffix(f".{os.getpid()}{ENDING}")
    try:
        _build(pupils[1], batches[1][0], unfinished)
        pupils[1].first.compile(unfinished)
        difference = _difference(pupils, batches)
        if not difference <= TOLERANCE:
            raise CannotCompile(
                f"The compiled update differs by {difference:.1e}, more than "
                f"{TOLERANCE:g}: it is not used."
            )
        found = Judgement(difference, *_seconds(pupils, batches))
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


class Pupils:
    """Those for whom an update is compiled: an agent, or several as one.

    Attributes:
      first: The agent, or the first of them.
    """

    def __init__(self, configuration: Configuration, card: EnvironmentCard) -> None:
        self._joint: JointAgents | None = None
        if configuration.training.seeds > 1:
            self._joint = JointAgents(configuration, card)
            self._agents = self._joint.all
        else:
            self._agents = [build_agent(configuration, card, "cpu", SEED)]
        self.first = self._agents[0]
        for number, agent in enumerate(self._agents):
            _give_experience(agent, SEED + number)

    def draw(self) -> Batch:
        """What they learn from next."""
        options = self.first.configuration.agent
        if self._joint is not None:
            batch = self._joint.draw(0.5)
        else:
            how = options.batch_size, options.discount, 0.5
            batch = self.first.memory.sample(*how)
        assert batch is not None, "there are enough steps for a batch"
        return batch

    def learn_from(self, batch: Batch) -> list[np.ndarray]:
        """One gradient step; all that it says of the first."""
        update = (self._joint or self.first).learn_from(batch, 1)
        single = [update.loss, update.gradient_norm, *update.extras.values()]
        return [update.td_error, update.q, np.array(single)]

    def moved(self) -> list[np.ndarray]:
        """All that an update moves and reads, and the priorities that it left."""
        state = [it.detach().numpy() for it in self.first.learner.tensors]
        raw = [it.memory.priorities.state()["raw"] for it in self._agents]
        return [*state, *raw]

    def record(self, batch: Batch) -> tuple[Any, tuple[Any, ...]]:
        """The update as a graph, and inputs for it."""
        if self._joint is not None:
            return self._joint.record(batch)
        return record(self.first.learner, batch)


def _give_experience(agent: ValueBasedAgent, seed: int) -> None:
    """Let it remember two batches of made-up steps."""
    configuration, card = agent.configuration, agent.card
    rng = np.random.default_rng(seed)
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


def _build(pupils: Pupils, example: Batch, library: Path) -> None:
    """Write the library; its folder exists."""
    if not any(map(shutil.which, _compilers())):
        raise CannotCompile(
            "There is no C++ compiler here: install g++ or clang++ to have it compiled."
        )
    from torch._inductor import aoti_compile_and_package
    from torch.export import export

    graph, inputs = pupils.record(example)
    turn_narrow(graph)
    try:
        with torch.no_grad():
            aoti_compile_and_package(export(graph, inputs), package_path=str(library))
    except Exception as error:
        # The compiler is a large foreign program: whatever it raises, updates go on.
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else ""
        name = type(error).__name__
        raise CannotCompile(f"The compiler failed: {name}: {first}") from error


def turn_narrow(graph: torch.fx.GraphModule) -> None:
    """Say AᵀB of several as (BᵀA)ᵀ where B is narrow, as the gradients of few inputs.

    Libraries take up to six times as long for the former: for sixteen networks of
    four inputs and 64 units, as long as for half a layer of 64 by 64.
    """
    aten = torch.ops.aten
    for node in list(graph.graph.nodes):
        if node.target is not aten.bmm.default:
            continue
        left, right = node.args
        if left.target is not aten.transpose.int or 0 in left.args[1:]:
            continue
        wide, narrow = (it.meta["val"].shape for it in (left, right))
        if wide[1] <= NARROW or narrow[2] > NARROW:
            continue
        with graph.graph.inserting_before(node):
            call = graph.graph.call_function
            turned = call(aten.transpose.int, (right, 1, 2))
            product = call(aten.bmm.default, (turned, left.args[0]))
            back = call(aten.transpose.int, (product, 1, 2))
            layout: dict[str, Any] = {"memory_format": torch.contiguous_format}
            node.replace_all_uses_with(call(aten.clone.default, (back,), layout))
    graph.graph.eliminate_dead_code()
    graph.recompile()


def _compilers() -> tuple[str, ...]:
    named = os.environ.get("CXX")
    return (named,) if named else ("g++", "clang++", "c++", "cl")


def _difference(pupils: list[Pupils], batches: list[list[Batch]]) -> float:
    """The largest relative difference after the same updates."""
    found = 0.0
    for pair in zip(*batches, strict=True):
        told = [_told(*it) for it in zip(pupils, pair, strict=True)]
        for one, other in zip(*told, strict=True):
            found = max(found, _apart(one, other))
    return found


def _told(pupils: Pupils, batch: Batch) -> list[np.ndarray]:
    """All that an update says, and all that it has moved."""
    return [*pupils.learn_from(batch), *pupils.moved()]


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the largest; infinite where a number is not finite."""
    if not one.size:
        return 0.0
    scale = max(float(np.abs(one).max()), 1e-6)
    apart = float(np.abs(one - other).max()) / scale
    return apart if math.isfinite(apart) else math.inf


def _seconds(pupils: list[Pupils], batches: list[list[Batch]]) -> list[float]:
    """What an update of each takes, in turns: others use the computer as well."""
    best = [math.inf] * len(pupils)
    for _ in range(ROUNDS):
        for which, (pupil, drawn) in enumerate(zip(pupils, batches, strict=True)):
            start = time.perf_counter()
            for number in range(TIMED):
                pupil.learn_from(drawn[number % TRIED])
            taken = (time.perf_counter() - start) / TIMED
            best[which] = min(best[which], taken)
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
