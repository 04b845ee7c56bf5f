"""The value-based agent: one composition of the improvements on Q-learning.

Estimator (Q-learning, SARSA, Expected SARSA, soft) x double x n-step and its
correction x head (scalar, dueling, C51, QR, MMD) x memory (none, uniform,
prioritized, sequences) x target network (none, periodic, Polyak) x bootstrapping
(target network, trust region) x exploration x torso (MLP, convolutions, LSTM). The
DQN of Mnih et al. (2015), https://doi.org/10.1038/nature14236, is one setting of it;
:meth:`ValueBasedAgent.learn` is its algorithm box.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from engine.agents import schedules
from engine.agents.acting import Actor
from engine.agents.acting_copy import ActingCopy
from engine.agents.experience import BEGINS, Experience
from engine.agents.insight import look
from engine.agents.layouts import Layout, make_layout, on_device
from engine.agents.losses import Judged, judge_by_graph, judge_directly
from engine.agents.optimizers import make_optimizer
from engine.agents.recollection import Recollection
from engine.agents.reports import Decision, NotFinite, Update
from engine.agents.targets import (
    Following,
    WindowRows,
    distributional_target,
    retrace_target,
    scalar_target,
)
from engine.agents.trust_region import TrustRegion
from engine.agents.weights import load_arrays, named_arrays
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard, check_combination
from engine.contract.options import Configuration, ConfigurationError, live_changes
from engine.contract.randomness import derived_seed
from engine.networks import (
    Distribution,
    Pass,
    build_q_network,
    fastest_pass,
    flatten_parameters,
    noise_level,
    return_model,
)
from engine.networks.passes import DirectPass

if TYPE_CHECKING:
    from engine.agents.planning import Planning
    from engine.replay import Batch, Memory

WEIGHTS, NOISE, ACTING = 1, 7, 1
"""Purposes of the agent's seeds (see ``contract.randomness``)."""


def build_agent(
    configuration: Configuration,
    card: EnvironmentCard,
    device: str = "cpu",
    seed: int | None = None,
) -> ValueBasedAgent:
    """An untrained agent; ``seed`` is that of the run where none is given.

    Raises:
      ConfigurationError: If the options do not go together or with the environment.
    """
    check_combination(configuration, card)
    seed = configuration.training.seed if seed is None else seed
    return ValueBasedAgent(configuration, card, device, seed)


class ValueBasedAgent:
    """Acts, remembers, and learns action values from what it remembers.

    Attributes:
      configuration: All options; live ones change with :meth:`set_option`.
      updates: Gradient steps so far, those on made-up steps included.
    """

    def __init__(
        self,
        configuration: Configuration,
        card: EnvironmentCard,
        device: str,
        seed: int,
    ) -> None:
        self.configuration = configuration
        self.card = card
        self.updates = 0
        self._device = torch.device(device)
        self._seed = seed
        self._noise = torch.Generator().manual_seed(derived_seed(seed, NOISE))
        weights_seed = derived_seed(seed, WEIGHTS)
        self.online = build_q_network(configuration, card, weights_seed)
        self.target = build_q_network(configuration, card, weights_seed)
        self.online.to(self._device)
        self.target.to(self._device).requires_grad_(False)
        self._values, self._gradients = flatten_parameters(self.online)
        self._target_values, unused = flatten_parameters(self.target)
        self._online = fastest_pass(self.online, self._gradients)
        self._target_pass = fastest_pass(self.target, unused)
        learning = configuration.agent
        self._optimizer = make_optimizer(
            learning.optimizer, self._values, self._gradients, learning.adam_epsilon
        )
        self._model = return_model(configuration)
        self._trust = TrustRegion()
        self._copy: ActingCopy | None = None
        if configuration.training.mode != "alternate":
            twin = build_q_network(configuration, card, weights_seed)
            noise = derived_seed(seed, NOISE, ACTING)
            self._copy = ActingCopy(twin.to(self._device), noise)
        behaving = None if self._copy is None else self._copy.network_and_pass
        self._actor = Actor(
            configuration, card, seed, self.online, self._online, behaving
        )

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

        extras = self._actor.extras()
        return Memory(self.configuration, self.card, self._seed, extras)

    def recollection(self, count: int) -> Recollection | None:
        """What a recurrent network carries through so many episodes; else None."""
        return self._actor.recollection(count)

    @torch.inference_mode()
    def act(
        self,
        observations: np.ndarray,
        mode: Literal["explore", "greedy"] = "greedy",
        step: int = 0,
        epsilon: float | None = None,
        *,
        all_values: bool = True,
        recollection: Recollection | None = None,
    ) -> Decision:
        """Choose an action for each observation [E, ...]; of equal ones the first.

        Args:
          observations: As the network sees them, frame stack included.
          mode: ``explore`` follows the exploration options and goes on with the
            training episodes, ``greedy`` has ε = 0.
          step: Environment step, for the schedule.
          epsilon: Takes the place of both.
          all_values: Compute values also where every action is random.
          recollection: What a recurrent network remembers of the episodes that are
            played in ``greedy`` mode; without one each observation is the first.
        """
        seen = self._tensor(observations)
        if mode == "explore":
            noise = self._noise if self._copy is None else self._copy.noise
            return self._actor.explore(
                seen, observations, step, noise, epsilon, all_values=all_values
            )
        return self._actor.play(seen, epsilon or 0.0, recollection)

    def begin(self, stream: int, observation: np.ndarray) -> None:
        """An episode begins in this environment; ``observation`` is one frame."""
        self.store(self.beginning(stream, observation))

    def remember(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        next_observation: np.ndarray,
        explored: bool = False,
    ) -> None:
        """A step was taken in this environment, as :meth:`act` chose."""
        how = terminated, truncated, next_observation, explored
        self.store(self.experience(stream, action, reward, *how))

    def beginning(self, stream: int, observation: np.ndarray) -> Experience:
        """What :meth:`begin` stores; touches nothing that learning touches."""
        self._actor.begin(stream)
        return Experience(stream, observation, self.version)

    def experience(
        self,
        stream: int,
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
        next_observation: np.ndarray,
        explored: bool = False,
    ) -> Experience:
        """What :meth:`remember` stores; touches nothing that learning touches."""
        return Experience(
            stream,
            next_observation,
            self.version,
            action,
            reward,
            terminated,
            truncated,
            explored,
            self._actor.bonus(next_observation),
            self._actor.of_step(stream),
        )

    def store(self, it: Experience) -> None:
        """Put what happened into the memory, and into the model if there is one."""
        planning = self._planning
        if it.action == BEGINS:
            self.memory.begin(it.stream, it.observation)
            if planning is not None:
                planning.begin(it.stream, it.observation)
            return
        reward, seen = it.reward + it.bonus, it.observation
        self._actor.credit(it.bonus)
        if planning is not None:
            planning.observe(it.stream, it.action, reward, it.terminated, seen)
        step = it.stream, it.action, reward, it.terminated, it.truncated, seen
        self.memory.append(*step, it.explored, it.extras)

    @property
    def version(self) -> int:
        """How many updates the network has seen that acts in training episodes."""
        return self.updates if self._copy is None else self._copy.version

    def refresh(self) -> None:
        """Act like the online network of now on, where a copy of it acts."""
        if self._copy is not None:
            self._copy.take(self._values, self.updates)

    def learn(self, step: int) -> Update | None:
        """One gradient step on one batch, or None where there is nothing to learn.

        Args:
          step: Environment step, for the schedules.

        Raises:
          NotFinite: If loss or gradient are not finite; nothing has changed then.
        """
        options = self.configuration.agent
        beta = schedules.beta(self.configuration, step)
        batch = self.memory.sample(options.batch_size, options.discount, beta)
        if batch is None:
            return None
        update = self.learn_from(batch, step)
        return update if self._planning is None else self._plan(batch, update, step)

    def _plan(self, batch: Batch, update: Update, step: int) -> Update:
        """Learn from made-up steps after a real update, which is returned."""
        assert self._planning is not None
        for it in self._planning.batches(self.memory, batch.slots, step):
            self.learn_from(it, step)
        return update._replace(extras=update.extras | self._planning.measured())

    @torch.inference_mode()
    def _values_of(self, observations: np.ndarray) -> np.ndarray:
        """Q-values of the online network, [n, A]."""
        numbers = self._online.values(self._tensor(observations))
        return self._q(numbers).cpu().numpy()

    def learn_from(self, batch: Batch, step: int) -> Update:
        """One gradient step on these transitions; see :meth:`learn`."""
        # What inference mode makes cannot be part of a graph, but it is quicker.
        with torch.inference_mode() if self._spelled_out else torch.no_grad():
            return self._improve(batch, step)

    @property
    def _spelled_out(self) -> bool:
        """Whether no graph is needed from the observations to the loss."""
        options = self.configuration
        direct = isinstance(self._online, DirectPass) and self._model is None
        return (
            direct
            and not options.agent.conservative
            and options.replay.kind != "sequence"
        )

    def _improve(self, batch: Batch, step: int) -> Update:
        layout = make_layout(self.configuration, batch, str(self._device))
        self._make_noise()
        numbers = layout.forward(self._online)
        target = self._target(layout, batch, numbers, step)
        extras = self._extras(numbers)
        layout.rows = self._trusted(layout, numbers, target, extras)
        judged = self._judge(layout, numbers, target)
        self._online.backward(judged.gradient)
        learning_rate = schedules.learning_rate(self.configuration, step)
        gradient_norm = self._descend(judged.loss, learning_rate)
        self._make_noise(quiet=True)
        self.updates += 1
        self._follow()

        surprise = layout.per_transition(judged.surprise)
        if surprise is not None and batch.slots[0] >= 0:
            self.memory.learned(batch.slots, surprise)
        q = self._q(layout.current(numbers)).cpu().numpy()
        error = judged.error.cpu().numpy()
        if batch.sequences is not None:
            valid = batch.sequences.valid.reshape(-1)
            q, error = q[valid], error[valid]
        beta = schedules.beta(self.configuration, step)
        return Update(judged.loss, gradient_norm, error, q, learning_rate, beta, extras)

    def _target(
        self, layout: Layout, batch: Batch, numbers: Tensor, step: int
    ) -> Tensor | Distribution:
        """What the estimates are moved towards: [R], or a distribution of each."""
        configuration = self.configuration
        exploration = self._actor.schedule(step)
        if batch.windows is not None:
            return self._retrace(batch, exploration)
        valued = layout.following(self._bootstrap, self._known(numbers))
        chosen_by = valued
        if configuration.agent.double and self._bootstrap is not self._online:
            chosen_by = layout.following(self._online, numbers)
        following = Following(valued, chosen_by)
        rows = layout.rows
        if self._model is None:
            return scalar_target(configuration, rows, following, exploration)
        return distributional_target(
            configuration, self._model, rows, following, exploration
        )

    def _known(self, numbers: Tensor) -> Tensor | None:
        """The online network's numbers, where it is the one that bootstraps."""
        return numbers if self._bootstrap is self._online else None

    def _retrace(self, batch: Batch, exploration: float) -> Tensor:
        windows = batch.windows
        assert windows is not None
        count, steps = windows.action.shape
        seen = self._tensor(windows.observation.reshape(-1, *self.card.shape))
        of_steps = [
            it.values(seen) for it in dict.fromkeys((self._bootstrap, self._online))
        ]
        members = of_steps[0].numel() // (count * steps * self.card.actions)
        shape = (members * count, steps, self.card.actions)
        valued, online = of_steps[0].reshape(shape), of_steps[-1].reshape(shape)
        tensors = [self._tensor(it) for it in windows[1:]]
        rows = WindowRows(*(it.repeat(members, 1) for it in tensors))
        double = self.configuration.agent.double
        following = Following(valued, online if double else valued)
        return retrace_target(self.configuration, rows, following, exploration)

    def _trusted(
        self,
        layout: Layout,
        numbers: Tensor,
        target: Tensor | Distribution,
        extras: dict[str, float],
    ) -> Any:
        """The rows, without those that would leave the trust region."""
        rows = layout.rows
        if self.configuration.agent.bootstrap != "trust_region":
            return rows
        towards = target if isinstance(target, Tensor) else target.mean
        taken = rows.action.unsqueeze(1)
        online, older = (
            self._q(layout.current(it)).gather(1, taken).squeeze(1)
            for it in (numbers, layout.values(self._target_pass))
        )
        counted = torch.ones_like(online) if rows.weight is None else rows.weight
        keep = self._trust.keep(self.configuration, online, older, towards, counted)
        kept = counted * keep
        extras["masked"] = 1.0 - float(kept.sum() / counted.sum().clamp(min=1e-12))
        return rows._replace(weight=kept)

    def _judge(
        self, layout: Layout, numbers: Tensor, target: Tensor | Distribution
    ) -> Judged:
        penalised = self.configuration.agent.conservative > 0
        if layout.plain and isinstance(target, Tensor) and not penalised:
            return judge_directly(self.configuration, numbers, layout.rows, target)
        return judge_by_graph(self.configuration, self._model, layout, numbers, target)

    def _q(self, numbers: Tensor) -> Tensor:
        """Expected returns, without the axis of a distribution."""
        return numbers if self._model is None else self._model.mean(numbers)

    def _make_noise(self, *, quiet: bool = False) -> None:
        """New noise in both networks for an update, or none."""
        if self.configuration.exploration.kind != "noisy":
            return
        for network in (self.online, self.target):
            if quiet:
                network.silence()
            else:
                network.resample(self._noise)

    def _extras(self, numbers: Tensor) -> dict[str, float]:
        """Measured beside loss and errors, where there is such a thing."""
        kind = self.configuration.exploration.kind
        found = self._actor.measured()
        if kind == "noisy":
            layers = self.online.noisy_layers()
            found |= {f"noise/{name}": noise_level(it) for name, it in layers.items()}
        if kind == "bootstrapped":
            spread = self._q(numbers).std(0, unbiased=False)
            found["disagreement"] = float(spread.mean())
        return found

    def _descend(self, loss: float, learning_rate: float) -> float:
        """Follow the clipped gradient; its length before clipping.

        Raises:
          NotFinite: If the loss or the gradient is not; the weights are untouched.
        """
        norm = math.sqrt(self._gradients.dot(self._gradients).item())
        if not math.isfinite(loss + norm):
            raise NotFinite("gradient" if math.isfinite(loss) else "loss")
        longest = self.configuration.agent.gradient_clip
        if 0 < longest < norm:
            self._gradients.mul_(longest / norm)
        self._optimizer.step(learning_rate)
        return norm

    @property
    def _bootstrap(self) -> Pass:
        """What values the next observation: the target network, where there is one."""
        online = self.configuration.target_network.kind == "none"
        online |= self.configuration.agent.bootstrap == "trust_region"
        return self._online if online else self._target_pass

    def _follow(self) -> None:
        """Let the target network follow the online network."""
        options = self.configuration.target_network
        if options.kind == "polyak":
            self._target_values.lerp_(self._values, options.tau)
        elif options.kind == "periodic" and self.updates % options.period == 0:
            self._target_values.copy_(self._values)

    @torch.inference_mode()
    def insight(
        self,
        observations: np.ndarray,
        previous: np.ndarray | None = None,
        recollection: Recollection | None = None,
    ) -> dict[str, np.ndarray]:
        """What the online network says about observations [n, ...].

        Args:
          observations: As the network sees them.
          previous: The action before each of them, int64 [n]; a recurrent network
            then takes them as one episode, else each as one of an episode of its own.
          recollection: What a recurrent network remembers before them, and after;
            without it each of these episodes begins.

        Returns:
          See :func:`engine.agents.insight.look`.
        """
        seen = self._tensor(observations)
        found = look(self.online, self._model, seen, previous, recollection)
        return {name: values.cpu().numpy() for name, values in found.items()}

    def familiarity(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """How often these states were met; see :meth:`Explorer.familiarity`."""
        return self._actor.explorer.familiarity(observations)

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of both networks: ``online/<parameter>``, ``target/<parameter>``."""
        found: dict[str, np.ndarray] = {}
        for name, arrays in self._networks().items():
            found |= {f"{name}/{parameter}": it for parameter, it in arrays.items()}
        return found

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over what :meth:`weights` of an agent of this form returned.

        Raises:
          ValueError: If a parameter is missing or has another shape.
        """
        load_arrays(self.online, weights, "online/")
        load_arrays(self.target, weights, "target/")

    def set_option(self, key: str, value: Any) -> None:
        """Change one live option.

        Raises:
          ConfigurationError: If the option or value is refused, or needs a new run.
        """
        self.configure(self.configuration.with_options({key: value}))

    def configure(self, configuration: Configuration) -> None:
        """Change live options to those of this configuration.

        Raises:
          ConfigurationError: If something differs that needs a new run, or the
            options do not go together; nothing has changed then.
        """
        changes = live_changes(self.configuration, configuration)
        check_combination(configuration, self.card)
        if "replay.kind" in changes:
            _check_swap(self.configuration.replay.kind, configuration.replay.kind)
        if changes.get("agent.n_step_correction") == "retrace":
            raise ConfigurationError({"agent.n_step_correction": _NOT_KEPT})
        if self.configuration.target_network.kind == "none":
            self._target_values.copy_(self._values)
        self.configuration = configuration
        self._model = return_model(configuration)
        self._actor.configure(configuration)
        if self._planning is not None:
            self._planning.configure(configuration)
        if any(key.startswith(("replay.", "agent.")) for key in changes):
            self.memory.configure(configuration)

    def state(self) -> State:
        """Everything that is needed to go on exactly, but the slots of the replay."""
        planning = self._planning
        return {
            **self._networks(),
            **({} if planning is None else {"planning": planning.state()}),
            **({} if self._copy is None else {"copy": self._copy.state()}),
            "optimizer": self._optimizer.state(),
            "actor": self._actor.state(),
            "noise": self._noise.get_state().numpy().copy(),
            "trust": self._trust.state(),
            "updates": self.updates,
            "memory": self.memory.state(),
        }

    def restore(
        self, state: State, replay: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Become what :meth:`state` described; ``replay`` holds all rows so far.

        Raises:
          ValueError: If the state belongs to an agent of another form.
          IncompleteReplay: If rows of the replay are missing.
        """
        self.load_weights(
            {
                f"{prefix}/{name}": array
                for prefix in ("online", "target")
                for name, array in state[prefix].items()
            }
        )
        self._optimizer.restore(state["optimizer"])
        if "actor" in state:
            self._actor.restore(state["actor"])
            self._noise.set_state(torch.from_numpy(np.array(state["noise"])))
            self._trust.restore(state["trust"])
        else:  # as written before exploration had kinds
            self._actor.explorer.restore(state["exploration"])
        if self._planning is not None:
            self._planning.restore(state["planning"])
        if self._copy is not None:
            self._copy.restore(state["copy"])
        self.updates = int(state["updates"])
        self.memory.restore(state["memory"], replay or {})

    def _networks(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of the parameters of both networks, by name."""
        shared = self.configuration.target_network.kind == "none"
        target = self._values if shared else self._target_values
        return {
            "online": named_arrays(self.online, self._values),
            "target": named_arrays(self.target, target),
        }

    def _tensor(self, array: np.ndarray) -> Tensor:
        return on_device(array, str(self._device))


_NOT_KEPT = (
    "Retrace needs to know how likely each action was, and this run has not kept "
    "that: press Train again."
)


def _check_swap(old: str, new: str) -> None:
    if "none" in (old, new):
        sentence = (
            "Learning with and without replay keep different things: changing "
            f"from {old} to {new} needs a new run."
        )
        raise ConfigurationError({"replay.kind": sentence})
