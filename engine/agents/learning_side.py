"""An agent's memory, and the updates that are made from it in whatever form."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.agents import schedules
from engine.agents.acting import Actor
from engine.agents.compiled import CompiledUpdate
from engine.agents.devices import use_precision
from engine.agents.learner import Learner
from engine.agents.reports import Reported, Update
from engine.contract.account import SAMPLE, UNWATCHED, UPDATE, Watch
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.networks import Place

if TYPE_CHECKING:
    from engine.agents.captured import CapturedUpdate
    from engine.agents.planning import Planning
    from engine.replay import Batch, Memory


class LearningSide:
    """Learns from what was remembered; who acts fills the memory.

    Attributes:
      configuration: All options; live ones change while it learns.
      card: What the environment offers.
      learner: The networks, and how they get better.
      captured: What makes the updates on a device, if they are captured; of several
        agents that learn as one the first has it for all.
      capturing: Makes that, where it is not for this agent alone.
      replay_folder: For the file of the replay's frames; set before the memory is
        first used.
    """

    _actor: Actor

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        device: str,
        seed: int,
        place: Place,
    ) -> None:
        self.configuration = configuration
        self.card = card
        self._device = torch.device(device)
        self._seed = seed
        self.replay_folder: Path | None = None
        self.captured: CapturedUpdate | None = None
        self.capturing: Callable[[], CapturedUpdate] | None = None
        use_precision(configuration, self._device)
        self.learner = Learner(configuration, card, self._device, seed, place)

    @cached_property
    def _planning(self) -> Planning | None:
        """Learning from a model, where the options ask for it."""
        if self.configuration.planning.kind == "none":
            return None
        # It takes a while to import, as the memory does: players do without.
        from engine.agents.planning import make_planning

        of = self.configuration, self.card, self._seed, self._device
        return make_planning(*of, self._values_of)

    @cached_property
    def memory(self) -> Memory:
        """What the agent remembers; made when first used (players need none)."""
        # Its compiled kernels take a while to import: players do without them.
        from engine.replay import Memory

        extras, folder = self._actor.extras(), self.replay_folder
        return Memory(self.configuration, self.card, self._seed, extras, folder)

    def compile(self, library: Path, worked: Callable[[], None] | None = None) -> None:
        """Let this library make the updates from now on; see ``CompiledUpdate``."""
        how = self.configuration, self.learner.tensors, worked
        self.learner.compiled = CompiledUpdate(library, *how)

    def capture(self) -> None:
        """Let the device make the updates from now on; see ``CapturedUpdate``."""
        from engine.agents.captured import CapturedUpdate

        if self.capturing is not None:
            self.captured = self.capturing()
        else:
            alone = [self.learner]
            self.captured = CapturedUpdate(alone, self.memory, self._device)

    def settle(self, *, release: bool = False) -> None:
        """The host knows all that a device keeps; with ``release`` it goes on alone."""
        if self.captured is not None:
            self.captured.settle()
            if release:
                self.captured.let_go()
                self.captured = None

    @property
    def updates(self) -> int:
        """Gradient steps so far, those on made-up steps included."""
        return self.learner.updates

    def learn(self, step: int, watch: Watch = UNWATCHED) -> Reported | None:
        """One gradient step on one batch, or None where there is nothing to learn.

        Args:
          step: Environment step, for the schedules.
          watch: Who is told what took how long.

        Raises:
          NotFinite: If loss or gradient are not finite; nothing has changed then.
        """
        if self.captured is not None and len(self.memory):
            seen = self._actor.schedule(step), self.measured()
            return self.captured.learn(step, *seen, watch)
        options = self.configuration.agent
        beta = schedules.beta(self.configuration, step)
        batch = self.memory.sample(options.batch_size, options.discount, beta)
        watch.lap(SAMPLE)
        if batch is None:
            return None
        update = self.learn_from(batch, step)
        if self._planning is not None:
            update = self._plan(batch, update, step)
        watch.lap(UPDATE)
        return update

    def _plan(self, batch: Batch, update: Update, step: int) -> Update:
        """Learn from made-up steps after a real update, which is returned."""
        assert self._planning is not None
        for it in self._planning.batches(self.memory, batch.slots, step):
            self.learn_from(it, step)
        return update._replace(extras=update.extras | self._planning.measured())

    @torch.inference_mode()
    def _values_of(self, observations: np.ndarray) -> np.ndarray:
        """Q-values of the online network, [n, A]."""
        learner = self.learner
        numbers = learner.online_pass.values(learner.tensor(observations))
        return learner.rule.q(numbers).cpu().numpy()

    def measured(self) -> dict[str, float]:
        """What was measured of acting since the last update."""
        return self._actor.measured()

    def prepare(self) -> dict[str, float]:
        """Draw what an update needs that is made elsewhere; what is measured of it."""
        return self.measured() | self.learner.prepare()

    def learn_from(self, batch: Batch, step: int) -> Update:
        """One gradient step on these transitions; see :meth:`learn`."""
        seen = self._actor.schedule(step), self._actor.measured()
        update, surprise = self.learner.learn_from(batch, step, *seen)
        if surprise is not None and batch.slots[0] >= 0:
            self.memory.learned(batch.slots, surprise)
        return update
