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
    state_tensors,
)
from engine.agents.learner import Learner
from engine.agents.reports import CannotCompile
from engine.agents.rounds import LateUpdate, Rounds, Told
from engine.contract.account import SAMPLE, UPDATE, Watch
from engine.contract.costs import USABLE, replay_device_bytes, size_text
from engine.contract.options import Configuration, specs
from engine.networks.layers import mean_sigma, noise_level
from engine.replay import Memory
from engine.replay.device_memory import DeviceMemory
from engine.replay.parcel import Field, Parcel


class CapturedUpdate:
    """Makes the updates of a learner on its device, and draws what they learn from.

    Args:
      learner: Who learns.
      memory: From what; the host fills it.
      device: Where the learner's networks are.

    Attributes:
      launch: Makes the update that was sent last, once more each time.

    Raises:
      CannotCompile: If it cannot be captured; nothing has changed then.
    """

    def __init__(self, learner: Learner, memory: Memory, device: torch.device) -> None:
        self._learner = learner
        learner.trust.square = learner.trust.square.to(device)
        self._state = [it.detach() for it in state_tensors(learner)]
        self._moved = count_moved(learner)
        self._configuration = configuration = learner.configuration
        self._asked = _asked(configuration)
        networks = {"online_noise": learner.online, "target_noise": learner.target}
        of_kind = configuration.exploration.kind == "noisy"
        self._noisy = networks if of_kind else {}
        self._layers = learner.online.noisy_layers() if of_kind else {}
        try:
            self._check_room(device)
            self._memory = DeviceMemory(memory, configuration, device)
            self._prepare(device)
        except RuntimeError as error:
            first = str(error).strip().splitlines()[0][:300]
            raise CannotCompile(f"The GPU could not capture it: {first}") from error
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
        for name, network in self._noisy.items():
            assert network.noise is not None
            fields[name] = Field(network.noise.shape, "float32")
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
        for name, network in self._noisy.items():
            of.parts[name][:] = network.draw_noise(learner.noise).numpy()
        watch.lap(SAMPLE)
        self._inbox.copy_(of.letter, non_blocking=True)
        self.launch()
        of.answer.copy_(self._answer, non_blocking=True)
        of.done.set()
        measures = schedules.measures_noise(configuration, learner.updates)
        read = partial(self._read, measures_noise=measures)
        learner.optimizer.moved()
        if learner.rule.trusts:
            learner.trust.moved()
        learner.conclude()
        number = learner.updates
        of.update = LateUpdate(of, read, number, rate, beta, measured)
        watch.lap(UPDATE)
        return of.update

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
        for name, network in self._noisy.items():
            assert network.noise is not None
            network.noise.copy_(mail[name])
        left = [mean_sigma(it) for it in self._layers.values()]
        batch = memory.batch(mail)
        recorded = Recorded(self._learner, batch)
        moves = recorded.moves(*self._state, *batch_arrays(batch), mail["dials"])
        found = Outputs(*moves[self._moved :])
        for it, moved_to in zip(self._state, moves[: self._moved], strict=False):
            it.copy_(torch.where(self._sound, moved_to, it))
        self._sound.logical_and_(torch.isfinite(found.numbers[:3]).all())
        slots: Any = batch.slots
        memory.learned(mail, slots, found.surprise, self._sound)
        sigmas = torch.stack(left) if left else found.error[:0]
        self._tell(found.numbers, found.error, found.q, sigmas)

    def _tell(self, *parts: Tensor) -> None:
        """Write down what the host may ask for."""
        answer = torch.cat([it.float().flatten() for it in parts])
        if len(self._answer) != len(answer):
            self._shapes = [it.shape for it in parts]
            self._answer = torch.zeros_like(answer)
        self._answer.copy_(answer)

    def _read(self, answer: np.ndarray, *, measures_noise: bool) -> tuple[Told, float]:
        """What :meth:`_tell` wrote, and the sum of the weights."""
        ends = np.cumsum([it.numel() for it in self._shapes])[:-1]
        each = zip(np.split(answer, ends), self._shapes, strict=True)
        numbers, error, q, sigmas = (it.reshape(shape) for it, shape in each)
        loss, norm, total, *extras = numbers.tolist()
        named = dict(zip(self._learner.rule.extras, extras, strict=True))
        if measures_noise:
            each_layer = zip(self._layers.items(), sigmas.tolist(), strict=True)
            for (name, layer), sigma in each_layer:
                named[f"noise/{name}"] = noise_level(layer, sigma)
        return Told(loss, norm, error, q, named), total


def _asked(of: Configuration) -> dict[str, Any]:
    """The options that it has to be made anew for, with their values."""
    of_replay = (key for key in specs() if key.startswith("replay."))
    return choices(of) | {key: of.get(key) for key in of_replay}
