"""Updates as one captured graph of a device, from the replay to the priorities.

New rows of the replay, the numbers of the draw and those of the schedules go to the
device as one block; one launch stores the rows, draws a batch, makes the update that
``agents.graph`` records (the same lines as everywhere), and changes the priorities;
loss, errors and values come back as one block. The host waits for nothing in between.
Where there is no GPU the same calls run one after the other.

An update that is not finite moves nothing, and nor does any after it: the host hears of
it at most :data:`rounds.DEPTH` updates later.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.compiled import choices
from engine.agents.device_graph import capture
from engine.agents.graph import (
    ANY_DIALS,
    Dials,
    Outputs,
    Recorded,
    batch_arrays,
    count_moved,
)
from engine.agents.learner import Learner, follow
from engine.agents.reports import CannotCompile, first_line
from engine.agents.rounds import LateUpdate, Rounds, Told
from engine.contract.account import SAMPLE, UPDATE, Watch
from engine.contract.costs import USABLE, replay_device_bytes, size_text
from engine.contract.options import Configuration, specs
from engine.networks import QNetwork
from engine.networks.layers import mean_sigma, noise_level
from engine.networks.stacks import stacked
from engine.replay import Batch, Memory
from engine.replay.device_memory import DeviceMemory
from engine.replay.parcel import Field, Parcel
from engine.replay.side_by_side import MemoriesSideBySide

Moves = Callable[[Sequence[Tensor], Batch, Tensor], Sequence[Tensor]]
"""See ``graph.Recorded.moves``: of the state, a batch of tensors, and the dials."""


_NOISY = "online", "target"
"""Networks of a learner; noise is drawn in this order."""


class CapturedUpdate:
    """Makes the updates of learners on their device, and draws what they learn from.

    Args:
      learners: Who learns: one, or several whose tensors lie side by side.
      memory: From what; the host fills it. That of several has as many parts.
      device: Where the networks are.
      moves: Where to an update moves several learners, with an axis of them in front.

    Attributes:
      launch: Makes the update that was sent last, once more each time.

    Raises:
      CannotCompile: If it cannot be captured; nothing has changed then.
    """

    def __init__(
        self,
        learners: Sequence[Learner],
        memory: Memory | MemoriesSideBySide,
        device: torch.device,
        moves: Moves | None = None,
    ) -> None:
        self._learners = learners
        self._learner = learner = learners[0]
        self._moves = self._alone if moves is None else moves
        self._state = [it.detach() for it in learner.tensors]
        self._moved = count_moved(learner)
        self._values = stacked([it.values for it in learners])
        self._targets = stacked([it.target_values for it in learners])
        self._configuration = configuration = learner.configuration
        self._asked = _asked(configuration)
        self._noise: dict[str, Tensor] = {}
        self._layers = {}
        if configuration.exploration.kind == "noisy":
            for name in _NOISY:
                networks = [getattr(it, name) for it in learners]
                self._noise[name] = stacked([it.noise for it in networks])
            self._layers = learner.online.noisy_layers()
        try:
            self._check_room(device)
            self._memory = DeviceMemory(memory, configuration, device)
            self._prepare(device)
        except RuntimeError as error:
            raise CannotCompile(
                f"The GPU could not capture it: {first_line(error)}"
            ) from error
        self._memory.begin()

    def _check_room(self, device: torch.device) -> None:
        """A device that is used up could not do anything else either."""
        if device.type != "cuda":
            return
        gc.collect()  # the replay of a graph before this one, with what points at it
        torch.cuda.empty_cache()
        needed = replay_device_bytes(self._configuration, self._learner.card)
        free = torch.cuda.mem_get_info(device)[0]
        if needed > USABLE * free:
            raise CannotCompile(
                f"A full replay needs {size_text(needed)} on the GPU, which has "
                f"{size_text(free)} left: lower replay.capacity to have it there"
            )

    def _prepare(self, device: torch.device) -> None:
        fields = {"dials": Field((len(Dials._fields),), "float32")}
        for name, noise in self._noise.items():
            fields[name] = Field(noise.shape, "float32")
        parcel = Parcel(self._memory.fields | fields)
        block = np.zeros(parcel.size, np.uint8)
        parts = parcel.arrays(block)
        self._memory.write_nothing(parts)
        parts["dials"][:] = ANY_DIALS
        self._inbox = torch.from_numpy(block).to(device)
        self._mail = parcel.tensors(self._inbox)
        self._sound = torch.ones((), dtype=torch.bool, device=device)
        self._answer = torch.zeros(0, device=device)
        self._shapes: list[torch.Size] = []
        changes = [*self._state[: self._moved], *self._memory.state, self._sound]
        self.launch = capture(self._work, changes, device)
        self._rounds = Rounds(parcel, len(self._answer), device)

    def suits(self, configuration: Configuration) -> bool:
        """Whether it does what these options ask for."""
        return _asked(configuration) == self._asked

    def learn(
        self, step: int, exploration: float, measured: dict[str, float], watch: Watch
    ) -> LateUpdate:
        """One gradient step; there is something to learn from.

        Raises:
          NotFinite: If an earlier one was none; nothing has changed since.
        """
        learner, configuration = self._learner, self._learner.configuration
        beta = schedules.beta(configuration, step)
        rate = schedules.learning_rate(configuration, step)
        of = self._rounds.next()
        self._memory.write(of.parts, configuration.agent.discount, beta)
        of.parts["dials"][:] = learner.dials(exploration, rate)
        if self._noise:
            self._draw_noise(of.parts)
        watch.lap(SAMPLE)
        self._inbox.copy_(of.letter, non_blocking=True)
        self.launch()
        of.answer.copy_(self._answer, non_blocking=True)
        of.done.set()
        measures = schedules.measures_noise(configuration, learner.updates)
        read = partial(self._read, measures_noise=measures)
        self._conclude()
        number = learner.updates
        of.update = LateUpdate(of, read, number, rate, beta, measured)
        watch.lap(UPDATE)
        return of.update

    def _draw_noise(self, into: Mapping[str, np.ndarray]) -> None:
        """As much as an update takes, of each learner in its turn."""
        for index, it in enumerate(self._learners):
            for name in self._noise:
                network: QNetwork = getattr(it, name)
                into[name][index] = network.draw_noise(it.noise).numpy()

    def _conclude(self) -> None:
        """All have been told to move: go on with what follows that."""
        for it in self._learners:
            it.optimizer.moved()
            if it.rule.trusts:
                it.trust.moved()
            it.updates += 1
        first = self._learner
        follow(self._targets, self._values, first.configuration, first.updates)

    def settle(self) -> None:
        """Wait for all updates, and let the host know all that it keeps of them."""
        self._rounds.settle()
        self._memory.give_back()

    def let_go(self) -> None:
        """Make no more updates; what was not settled is lost."""
        self._memory.let_go()

    @torch.no_grad()
    def _work(self) -> None:
        """What is captured."""
        mail, memory = self._mail, self._memory
        memory.take(mail)
        for name, noise in self._noise.items():
            noise.copy_(mail[name])
        left = [mean_sigma(it) for it in self._layers.values()]
        batch = memory.batch(mail)
        moves = self._moves(self._state, batch, mail["dials"])
        found = Outputs(*moves[self._moved :])
        for it, moved_to in zip(self._state, moves[: self._moved], strict=False):
            it.copy_(torch.where(self._sound, moved_to, it))
        for noise in self._noise.values():
            noise.zero_()
        count = len(self._learners)
        numbers = found.numbers.view(count, -1)
        self._sound.logical_and_(torch.isfinite(numbers[:, :3]).all())
        slots: Any = batch.slots
        memory.learned(mail, slots, found.surprise.flatten(), self._sound)
        error = found.error.reshape(count, -1)[0]
        q = found.q.reshape(count, len(error), -1)[0]
        self._tell(numbers, error, q, torch.stack(left) if left else error[:0])

    def _alone(
        self, state: Sequence[Tensor], batch: Batch, dials: Tensor
    ) -> Sequence[Tensor]:
        """See :data:`Moves`."""
        recorded = Recorded(self._learner, batch)
        return recorded.moves(*state, *batch_arrays(batch), dials)

    def _tell(self, *parts: Tensor) -> None:
        """Write down what the host may ask for."""
        answer = torch.cat([it.float().flatten() for it in parts])
        if len(self._answer) != len(answer):
            self._shapes = [it.shape for it in parts]
            self._answer = torch.zeros_like(answer)
        self._answer.copy_(answer)

    def _read(self, answer: np.ndarray, *, measures_noise: bool) -> tuple[Told, str]:
        """What :meth:`_tell` wrote, and what of it is not finite, if anything."""
        ends = np.cumsum([it.numel() for it in self._shapes])[:-1]
        each = zip(np.split(answer, ends), self._shapes, strict=True)
        numbers, error, q, sigmas = (it.reshape(shape) for it, shape in each)
        loss, norm, _, *extras = numbers[0].tolist()
        named = dict(zip(self._learner.rule.extras, extras, strict=True))
        if measures_noise:
            each_layer = zip(self._layers.items(), sigmas.tolist(), strict=True)
            for (name, layer), sigma in each_layer:
                named[f"noise/{name}"] = noise_level(layer, sigma)
        return Told(loss, norm, error, q, named), self._wrong(numbers)

    def _wrong(self, numbers: np.ndarray) -> str:
        """What is not finite, and of which of several; empty if all is."""
        finite = np.isfinite(numbers[:, :3])
        if finite.all():
            return ""
        index = int(finite.all(1).argmin())
        loss, norm, _ = finite[index].tolist()
        what = "loss" if not loss else "weight" if norm else "gradient"
        if len(finite) == 1:
            return what
        return f"{what} of seed {self._learners[index].configuration.training.seed}"


def _asked(of: Configuration) -> dict[str, Any]:
    """The options that it has to be made anew for, with their values."""
    of_replay = (key for key in specs() if key.startswith("replay."))
    return choices(of) | {key: of.get(key) for key in of_replay}
