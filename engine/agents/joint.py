"""Several agents that learn the same with different seeds, updated as one program.

Each is an agent as any other, with its own memory and random numbers; only the update
is one for all of them. Its lines are those of a single update: they are recorded (see
``agents.graph``) and mapped over the axis of the seeds. On a GPU they are captured like
those of one (see ``agents.captured``), and so is what the networks say of the
observations that all act on next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.captured import CapturedUpdate
from engine.agents.compiled import fingerprint
from engine.agents.exploring import epsilon_greedy_of_each
from engine.agents.graph import (
    Dials,
    Outputs,
    batch_arrays,
    count_moved,
    record_moves,
)
from engine.agents.layouts import on_device
from engine.agents.learner import Learner, follow
from engine.agents.looking import Looks
from engine.agents.reports import (
    CannotCompile,
    Decision,
    NotFinite,
    Reported,
    Update,
    first_line,
)
from engine.agents.value_based import ValueBasedAgent, build_agent
from engine.contract.account import SAMPLE, UNWATCHED, UPDATE, Watch
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.networks.rows import RowOfEach
from engine.networks.stacks import Stacks, stacked
from engine.replay import Batch
from engine.replay.side_by_side import MemoriesSideBySide


def of_seed(configuration: Configuration, index: int) -> Configuration:
    """The options of a run with this one of the seeds alone; nothing is recorded."""
    seed = configuration.training.seed + index
    alone = {"training.seed": seed, "training.seeds": 1, "recording.level": "scalars"}
    return configuration.with_options(alone)


_newest: dict[str, Any] = {}
"""The graph that was recorded last, by what it depends on."""


class JointAgents:
    """Agents with the seeds of a run, from ``training.seed`` on.

    Attributes:
      all: The agents; the first has the options of the run, see :func:`of_seed` for
        the others.
    """

    def __init__(
        self, configuration: Configuration, card: EnvironmentCard, device: str = "cpu"
    ) -> None:
        count = configuration.training.seeds
        self._device = torch.device(device)
        stacks = Stacks(count)
        self.all = [
            build_agent(
                of_seed(configuration, index) if index else configuration,
                card,
                device,
                place=stacks.rows(index),
            )
            for index in range(count)
        ]
        each = [it.learner.tensors for it in self.all]
        self.first.learner.stacks = [stacked(it) for it in zip(*each, strict=True)]
        self._values = stacked([it.learner.values for it in self.all])
        self._targets = stacked([it.learner.target_values for it in self.all])
        self._memories = MemoriesSideBySide([it.memory for it in self.all])
        self._explorers = [it.explorer for it in self.all]
        self._rows: RowOfEach | None = None
        networks = [it.online for it in self.all]
        if configuration.training.environments == 1 and RowOfEach.suits(networks[0]):
            self._rows = rows = RowOfEach(networks)
            for index, agent in enumerate(self.all):
                agent.see_by(rows.of(index))
        self._graph: Callable[..., Any] | None = None
        self._looks: Looks | None = None
        self.first.capturing = self._captured

    @property
    def first(self) -> ValueBasedAgent:
        """The agent that is shown, recorded and evaluated."""
        return self.all[0]

    @property
    def configuration(self) -> Configuration:
        """All options of the run as they are now."""
        return self.first.configuration

    def follow(self) -> None:
        """The first agent has taken over other live options: so do the others."""
        configuration = self.configuration
        for index, agent in enumerate(self.all[1:], 1):
            agent.configure(of_seed(configuration, index))
        self._graph = None

    # ---------------------------------------------------------------- learning

    def learn(self, step: int, watch: Watch = UNWATCHED) -> Reported | None:
        """One gradient step of each; what the first saw.

        See :meth:`ValueBasedAgent.learn`; all of them have as much to learn from.
        """
        captured = self.first.captured
        if captured is not None and self._memories.filled:
            exploration = schedules.exploration(self.configuration, step)
            measured = [it.measured() for it in self.all]
            return captured.learn(step, exploration, measured[0], watch)
        batch = self.draw(schedules.beta(self.configuration, step))
        watch.lap(SAMPLE)
        if batch is None:
            return None
        update = self.learn_from(batch, step)
        watch.lap(UPDATE)
        return update

    def look(
        self, observations: Sequence[np.ndarray], step: int
    ) -> Sequence[Decision | None]:
        """Let all see the observation that each of them acts on next.

        Returns:
          What each does, as its ``act`` would say; None where it is to be asked.
        """
        undecided = [None] * len(self.all)
        if self._looks is not None and self.first.captured is not None:
            q, followed = self._looks(observations)
        elif self._rows is None:
            return undecided
        else:
            q = followed = self._rows.look(observations)
            if q.ndim != 2 or not self._explorers[0].epsilon_greedy_only:
                return undecided
        epsilon = schedules.epsilon(self.configuration, step)
        choice = epsilon_greedy_of_each(self._explorers, followed, epsilon)
        each = (slice(it, it + 1) for it in range(len(self.all)))
        return [
            Decision(choice.actions[it], choice.explored[it], q[it], choice.behaviour)
            for it in each
        ]

    def look_away(self) -> None:
        """All have acted."""
        if self._rows is not None:
            self._rows.look_away()

    def draw(self, beta: float) -> Batch | None:
        """A batch for each behind each other; None where there is nothing to draw."""
        options = self.configuration.agent
        how = options.batch_size, options.discount, beta, options.n_step
        greedy_only = options.n_step_correction == "greedy"
        return self._memories.sample(*how, greedy_only=greedy_only)

    def learn_from(self, batch: Batch, step: int) -> Update:
        """One gradient step of each agent on its part; what the first saw.

        Raises:
          NotFinite: If it is not for one of them, whose seed is told.
        """
        configuration, learner = self.configuration, self.first.learner
        exploration = schedules.exploration(configuration, step)
        learning_rate = schedules.learning_rate(configuration, step)
        measured = [it.prepare() for it in self.all]
        found = self._update(batch, learner.dials(exploration, learning_rate))
        self._conclude(found.numbers.tolist())
        if configuration.replay.kind == "prioritized":
            slots = batch.slots.reshape(len(self.all), -1)
            self._memories.learned(slots, found.surprise.cpu().numpy())
        loss, norm, _, *extras = found.numbers[0].tolist()
        named = dict(zip(learner.rule.extras, extras, strict=True))
        beta = schedules.beta(configuration, step)
        seen = found.error[0].cpu().numpy(), found.q[0].cpu().numpy()
        how = *seen, learning_rate, beta
        return Update(loss, norm, *how, measured[0] | named)

    def parts(self, batch: Batch) -> list[np.ndarray]:
        """Its arrays with an axis of agents in front, as a graph takes them."""
        count = len(self.all)
        return [it.reshape(count, -1, *it.shape[1:]) for it in batch_arrays(batch)]

    def record(self, batch: Batch) -> tuple[torch.fx.GraphModule, tuple[Tensor, ...]]:
        """The update on batches like this one; see :func:`record_joint`."""
        example = _first_of(batch, len(batch.slots) // len(self.all))
        return record_joint(self.first.learner, example, self.parts(batch))

    def _update(self, batch: Batch, dials: Dials) -> Outputs:
        arrays, compiled = self.parts(batch), self.first.learner.compiled
        if compiled is not None:
            return compiled(arrays, dials)
        if self._graph is None:
            self._graph = self._recorded(batch)
        with torch.inference_mode():
            tensors = [on_device(it, str(self._device)) for it in arrays]
            numbers = torch.tensor(dials, device=self._device)
            return Outputs(*self._graph(*self.first.learner.tensors, *tensors, numbers))

    def _recorded(self, batch: Batch) -> Any:
        """The graph for these options; the newest is kept for whoever is next."""
        of = f"{fingerprint(self.configuration, self.first.card)} {self._device}"
        if of not in _newest:
            _newest.clear()
            _newest[of] = self.record(batch)[0]
        return _newest[of]

    def _captured(self) -> CapturedUpdate:
        """All updates as the device makes them, and what it says of observations.

        Raises:
          CannotCompile: If they cannot be captured; nothing has changed then.
        """
        self._looks = None
        learners = [it.learner for it in self.all]
        moves = _Moves(self.first.learner, len(learners))
        captured = CapturedUpdate(learners, self._memories, self._device, moves)
        if Looks.suits(self.configuration):
            try:
                self._looks = Looks(learners, self._device)
            except RuntimeError as error:
                captured.let_go()
                raise CannotCompile(
                    f"The GPU could not capture acting: {first_line(error)}"
                ) from error
        return captured

    def _conclude(self, numbers: list[list[float]]) -> None:
        for agent, (loss, norm, total, *_) in zip(self.all, numbers, strict=True):
            try:
                agent.learner.moved(loss, norm, total)
            except NotFinite as error:
                seed = agent.configuration.training.seed
                raise NotFinite(f"{error} of seed {seed}") from error
            agent.learner.conclude(follow_up=False)
        first = self.first.learner
        follow(self._targets, self._values, first.configuration, first.updates)


class _Moves:
    """Where to an update moves all learners whose first this is; see ``captured``."""

    def __init__(self, learner: Learner, count: int) -> None:
        self._learner, self._count = learner, count
        self._each: Callable[..., tuple[Tensor, ...]] | None = None

    def __call__(
        self, state: Sequence[Tensor], batch: Batch, dials: Tensor
    ) -> Sequence[Tensor]:
        if self._each is None:
            count = len(batch.slots) // self._count
            self._each = _of_each(self._learner, _first_of(batch, count))[0]
        arrays = [it.unflatten(0, (self._count, -1)) for it in batch_arrays(batch)]
        return self._each(*state, *arrays, dials)


def _of_each(
    learner: Learner, example: Batch
) -> tuple[Callable[..., tuple[Tensor, ...]], Tensor]:
    """``graph.record_moves`` mapped over an axis of learners, and dials for it."""
    alone, inputs = record_moves(learner, example)
    each = torch.vmap(alone, in_dims=(*(0 for _ in inputs[:-1]), None))
    return each, inputs[-1]


def _first_of(batch: Batch, count: int) -> Batch:
    """The first so many of its transitions."""
    columns: list[Any] = [None if it is None else it[:count] for it in batch[:8]]
    columns.append({name: it[:count] for name, it in batch.extras.items()})
    return Batch(*columns)


def record_joint(
    learner: Learner, example: Batch, arrays: Sequence[np.ndarray]
) -> tuple[torch.fx.GraphModule, tuple[Tensor, ...]]:
    """The update of all learners whose first this is, and inputs for it.

    As :func:`graph.record`, but everything except the dials has an axis of seeds in
    front. The learners stay as they are.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    each, dials = _of_each(learner, example)
    moved = count_moved(learner)

    def update(*inputs: Tensor) -> tuple[Tensor, ...]:
        moves = each(*inputs)
        for it, moved_to in zip(inputs, moves[:moved], strict=False):
            it.copy_(moved_to)
        return tuple(moves[moved:])

    tensors = (on_device(it, str(dials.device)) for it in arrays)
    whole = (*learner.tensors, *tensors, dials)
    before = [it.clone() for it in learner.tensors]
    with torch.no_grad():
        graph: torch.fx.GraphModule = make_fx(update)(*whole)
        for tensor, was in zip(learner.tensors, before, strict=True):
            tensor.copy_(was)
    return _tidied(graph), whole


def _tidied(graph: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """Without the calls that mapping leaves behind and that change nothing."""
    aten = torch.ops.aten
    shaping = aten.view.default, aten._unsafe_view.default  # noqa: SLF001
    for node in graph.graph.nodes:
        if node.target not in (*shaping, aten.expand.default, aten.detach.default):
            continue
        source = node.args[0]
        if node.meta["val"].shape == source.meta["val"].shape:
            node.replace_all_uses_with(source)
        elif node.target in shaping and source.target in shaping:
            node.replace_input_with(source, source.args[0])
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph
