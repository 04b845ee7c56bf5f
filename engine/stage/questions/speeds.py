"""How fast this network learns and acts on the devices of this computer, as written."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, configuration_from_json
from engine.environments import describe
from engine.stage.context import Arguments, Asker, Context, Question
from engine.stage.jobs import Job, Priority, Wish

if TYPE_CHECKING:
    from engine.agents import ValueBasedAgent

FEWEST_STEPS = 256
EPISODE = 50
LONG_BEFORE = 10**9
"""A step at which learning has begun, whatever the options say."""
WARM_UP = 3
ROUNDS = 200
WITHIN_S = 0.8
"""Time for all variants together, made-up experience not counted."""
SEED = 0


class SpeedsArguments(Arguments, frozen=True):
    """``configuration`` as ``Configuration.to_json()``."""

    configuration: str


def _answer(context: Context, arguments: SpeedsArguments, asker: Asker) -> Job:
    """``rows``, each with ``device``, ``batch_size``, ``update_s`` and ``act_s``.

    The first is as configured; then comes twice its batch, and the same on the other
    kind of device, where there is one. They are measured in turns, and other programs
    may be at work as well: of all times it is the first decile that is told.
    ``devices`` names what there is.
    """
    configuration = configuration_from_json(arguments.configuration)
    card = describe(configuration.environment)
    yield from context.minds.mind(configuration, card)  # torch has been imported
    variants = []
    for device, batch_size in _variants(configuration, card):
        variant = _Variant(configuration, card, device, batch_size)
        yield from variant.prepare()
        variants.append(variant)
    yield from _in_turns(variants)
    return {"rows": [it.row() for it in variants], "devices": _devices()}


def _variants(of: Configuration, card: EnvironmentCard) -> list[tuple[str, int]]:
    from engine.agents import choose_device

    own, batch = choose_device(of, card), of.agent.batch_size
    others = [it for it in _devices() if it != own.partition(":")[0]]
    return [(own, batch), (own, 2 * batch), *((it, batch) for it in others)]


def _devices() -> list[str]:
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


class _Variant:
    """An agent with made-up experience, and what its updates took so far."""

    def __init__(
        self, of: Configuration, card: EnvironmentCard, device: str, batch_size: int
    ) -> None:
        from engine.agents import build_agent

        self.device, self.batch_size = device, batch_size
        self._card = card
        self._steps = max(FEWEST_STEPS, 4 * of.replay.sequence_length)
        small = {"agent.batch_size": batch_size, "training.mode": "alternate"}
        small |= {"replay.capacity": 2 * self._steps, "training.environments": 1}
        self._of = of.with_options(small)
        self._agent: ValueBasedAgent = build_agent(self._of, card, device, SEED)
        self._updates: list[float] = []
        self._acts: list[float] = []

    def prepare(self) -> Generator[Wish, Any, None]:
        """Have it remember something; what it has seen makes no difference."""
        rng = np.random.default_rng(SEED)
        frame = self._frame(rng)
        self._agent.begin(0, frame)
        for step in range(self._steps):
            stacked = self._stacked(frame)
            action = int(self._agent.act(stacked, "explore", step).actions[0])
            ends = step % EPISODE == EPISODE - 1
            frame = self._frame(rng)
            self._agent.remember(0, action, 1.0, False, ends, frame)
            if ends:
                self._agent.begin(0, frame)
            yield None
        for _ in range(WARM_UP):
            self.measure()
            yield None
        self._updates.clear()
        self._acts.clear()

    def measure(self) -> None:
        """One update and one choice of an action."""
        seen = self._stacked(self._frame(np.random.default_rng(SEED)))
        agent = self._agent
        learn = self._timed(lambda: agent.learn(LONG_BEFORE))
        act = self._timed(lambda: agent.act(seen, "explore", LONG_BEFORE))
        self._updates.append(learn)
        self._acts.append(act)

    def row(self) -> dict[str, Any]:
        """What was measured."""
        return {
            "device": self.device,
            "batch_size": self.batch_size,
            "update_s": _undisturbed(self._updates),
            "act_s": _undisturbed(self._acts),
        }

    def _timed(self, work: Callable[[], object]) -> float:
        """Seconds, on as many threads as the trainer has."""
        import torch

        def settle() -> None:
            if self.device != "cpu":
                torch.cuda.synchronize()

        threads = torch.get_num_threads()
        torch.set_num_threads(self._of.training.threads)
        try:
            settle()
            begin = time.perf_counter()
            work()
            settle()
            return time.perf_counter() - begin
        finally:
            torch.set_num_threads(threads)

    def _frame(self, rng: np.random.Generator) -> np.ndarray:
        """A single frame of the right form."""
        stack = self._of.environment.frame_stack
        *shape, depth = self._card.shape
        drawn = rng.random((*shape, depth // stack))
        if self._card.dtype == "uint8":
            return (255 * drawn).astype(np.uint8)
        return drawn.astype(np.float32)

    def _stacked(self, frame: np.ndarray) -> np.ndarray:
        stack = self._of.environment.frame_stack
        return np.concatenate([frame] * stack, axis=-1)[None]


def _undisturbed(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 10]


def _in_turns(variants: list[_Variant]) -> Generator[Wish, Any, None]:
    """Each once in every round, so that what else is going on meets them all."""
    begin = time.perf_counter()
    for _ in range(ROUNDS):
        for variant in variants:
            variant.measure()
            yield None
        if time.perf_counter() - begin > WITHIN_S:
            return


# Somebody looks and it takes little, like the map: before evaluations, of which there
# may always be one.
SPEEDS = Question("speeds", SpeedsArguments, _answer, Priority.EMBEDDING)
