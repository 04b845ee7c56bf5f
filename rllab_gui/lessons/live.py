"""The numbers of the equations as they are now, and where in the window they stand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.contract.options import Configuration, specs
from rllab_gui.lab import Lab
from rllab_gui.plots.numbers import short
from rllab_gui.views.episode_model import Moment

Number = float | None

STATUS = (
    "step",
    "update",
    "episode",
    "epsilon",
    "replay_size",
    "steps_per_s",
    "updates_per_s",
)
SERIES = {
    "return": "train.curve",
    "length": "train.curve",
    "loss": "train.loss",
    "td_error": "train.loss",
    "td_error_max": "train.loss",
    "gradient_norm": "train.loss",
    "q_mean": "train.loss",
    "q_max": "train.loss",
    "epsilon": "train.exploration",
    "learning_rate": "train.param.agent.learning_rate",
    "beta": "train.param.replay.beta",
}
"""Where each measured series is drawn."""


LASTING = frozenset({"step", "update", "episode"})
"""What the status of a run that has ended still says."""
COUNTS = frozenset(
    {
        *("status:step", "status:update", "status:episode", "status:replay_size"),
        *("moment:t", "moment:steps", "derived:actions", "series:length"),
    }
)
"""Whole numbers, besides options."""


class LiveNumbers:
    """What a symbol is worth now, by its source; see ``resources/lessons``.

    Args:
      lab: All models.
      stepping: Whether *Step through* is in front: all numbers are then those of the
        session that is looked at. Else options are those of the form, and what is
        measured counts only where the form says what the session has: one line never
        mixes the two.
    """

    def __init__(self, lab: Lab, stepping: Callable[[], bool]) -> None:
        self._lab, self._stepping = lab, stepping

    @property
    def configuration(self) -> Configuration:
        """Whose options are meant."""
        lab = self._lab
        if self._looking:
            return lab.episode.options(lab.store)
        return lab.draft.configuration

    @property
    def _looking(self) -> bool:
        return self._stepping() and bool(self._lab.store.session.uuid)

    @property
    def measured(self) -> bool:
        """Whether what the session has measured belongs to these options."""
        return self._looking or (
            self._lab.draft.configuration == self._lab.store.options_at()
        )

    def value(self, source: str) -> Number:
        """The number, or None where there is none now.

        Raises:
          KeyError: If there is no such source.
        """
        kind, _, name = source.partition(":")
        found = getattr(self, f"_{kind}", _no_kind)(name)
        return found if found is not None and math.isfinite(found) else None

    def words(self, source: str) -> str:
        """The number as it is written, counts without a point; empty for none."""
        number = self.value(source)
        if number is None:
            return ""
        kind, _, name = source.partition(":")
        counts = specs()[name].kind == "int" if kind == "option" else source in COUNTS
        return f"{int(number):,}" if counts else short(number)

    def place(self, source: str) -> str:
        """Object name of the widget that shows it."""
        kind, _, name = source.partition(":")
        if kind == "option":
            return f"train.param.{name}"
        if kind == "series":
            return SERIES[name]
        if kind == "moment":
            return MOMENT[name][1]
        if kind == "derived":
            return DERIVED[name][1]
        return {
            "epsilon": "status.epsilon",
            "replay_size": "status.replay",
            "updates_per_s": "status.updates",
            "steps_per_s": "status.steps",
        }.get(name, "status.step")

    # ----------------------------------------------------------------- sources

    def _option(self, key: str) -> Number:
        value = self.configuration.flat()[key]
        return float(value) if isinstance(value, (bool, int, float)) else None

    def _status(self, name: str) -> Number:
        if name not in STATUS:
            raise KeyError(name)
        if name == "epsilon":
            return self.epsilon
        if not self.measured:
            return None
        status = self._lab.store.status
        known = self._lab.run.active or (status.step and name in LASTING)
        return float(getattr(status, name)) if known else None

    def _series(self, name: str) -> Number:
        if name not in SERIES:
            raise KeyError(name)
        values = self._lab.store.series(name).value
        return float(values[-1]) if len(values) and self.measured else None

    def _moment(self, name: str) -> Number:
        read = MOMENT[name][0]
        moment = self._lab.episode.moment
        hidden = self._lab.why.predict.hidden
        if moment is None or not self._stepping() or (hidden and name not in SEEN):
            return None
        return read(moment, self.configuration)

    def _derived(self, name: str) -> Number:
        return DERIVED[name][0](self)

    @property
    def actions(self) -> Number:
        """How many actions there are."""
        lab = self._lab
        card = lab.store.card if self._stepping() else lab.draft.card
        return float(card.actions) if card is not None else None

    @property
    def epsilon(self) -> Number:
        """Share of random actions: of the run, else where the next one would begin."""
        exploration = self.configuration.exploration
        if exploration.kind != "epsilon_greedy":
            return None
        if self.measured and self._lab.run.active:
            return self._lab.store.status.epsilon
        return self._series("epsilon") or exploration.epsilon


def _no_kind(name: str) -> Number:
    raise KeyError(name)


def _discount(moment: Moment, configuration: Configuration) -> float:
    """Nothing is bootstrapped behind a termination, or a life that counts as one."""
    episode, t = moment.episode, moment.t
    ended = t == episode.steps - 1 and episode.ended == "terminated"
    lost = t < len(episode.life_lost) and bool(episode.life_lost[t])
    return 0.0 if ended or lost else configuration.agent.discount


def _learned_reward(moment: Moment, configuration: Configuration) -> float:
    """What is learned from: the sign, where rewards are clipped."""
    clips = configuration.environment.clip_rewards
    return float(np.sign(moment.reward)) if clips else moment.reward


def _return_to_go(moment: Moment, configuration: Configuration) -> float:
    rewards = moment.episode.rewards[moment.t :]
    discounts = configuration.agent.discount ** np.arange(len(rewards))
    return float(np.sum(rewards * discounts))


def _next_value(moment: Moment, _: Configuration) -> float:
    return math.nan if moment.is_last else float(moment.episode.value[moment.t + 1])


def _q_taken(moment: Moment, _: Configuration) -> float:
    return math.nan if moment.is_last else float(moment.q[moment.action])


def _target(moment: Moment, configuration: Configuration) -> float:
    return _q_taken(moment, configuration) + moment.td_error


def _advantage(moment: Moment, _: Configuration) -> float:
    if moment.is_last:
        return math.nan
    return float(moment.episode.advantage[moment.t, moment.action])


SEEN = frozenset({"t", "reward_sum"})
"""What predict mode does not hide: neither what the agent thinks nor what comes."""

MOMENT: dict[str, tuple[Callable[[Moment, Configuration], float], str]] = {
    "t": (lambda it, _: float(it.t), "transport.spinT"),
    "steps": (lambda it, _: float(it.episode.steps), "transport.spinT"),
    "reward": (lambda it, _: it.reward, "step.frame.action"),
    "learned_reward": (_learned_reward, "step.frame.action"),
    "reward_sum": (lambda it, _: it.reward_sum, "step.frame.action"),
    "return_to_go": (_return_to_go, "step.timeline"),
    "discount": (_discount, "train.param.agent.discount"),
    "q_taken": (_q_taken, "step.why"),
    "value": (lambda it, _: float(it.episode.value[it.t]), "step.evalbar"),
    "next_value": (_next_value, "step.timeline"),
    "value_head": (lambda it, _: float(it.episode.value_head[it.t]), "step.why"),
    "advantage_taken": (_advantage, "step.why"),
    "td_error": (lambda it, _: it.td_error, "step.frame.action"),
    "target": (_target, "step.why.bellman"),
    "gap": (lambda it, _: float(it.episode.gaps[it.t]), "step.why"),
    "importance": (lambda it, _: float(it.episode.importance[it.t]), "step.timeline"),
}
"""How the numbers of the step at the cursor are read, and where they stand."""


def _horizon(numbers: LiveNumbers) -> Number:
    discount = numbers.configuration.agent.discount
    return 1.0 / (1.0 - discount) if discount < 1.0 else None


def _greedy_probability(numbers: LiveNumbers) -> Number:
    actions, epsilon = numbers.actions, numbers.epsilon
    if actions is None or epsilon is None:
        return None
    return 1.0 - epsilon + epsilon / actions


def _atom_distance(numbers: LiveNumbers) -> Number:
    head = numbers.configuration.head
    return (head.value_max - head.value_min) / (head.atoms - 1)


def _samples_per_step(numbers: LiveNumbers) -> Number:
    agent = numbers.configuration.agent
    return agent.batch_size * agent.updates_per_step


DERIVED: dict[str, tuple[Callable[[LiveNumbers], Number], str]] = {
    "actions": (lambda it: it.actions, "train.qbars"),
    "horizon": (_horizon, "train.param.agent.discount"),
    "discount_n": (
        lambda it: it.configuration.agent.discount**it.configuration.agent.n_step,
        "train.param.agent.n_step",
    ),
    "greedy_probability": (_greedy_probability, "train.param.exploration.epsilon"),
    "atom_distance": (_atom_distance, "train.param.head.atoms"),
    "polyak_updates": (
        lambda it: 1.0 / it.configuration.target_network.tau,
        "train.param.target_network.tau",
    ),
    "samples_per_step": (_samples_per_step, "train.param.agent.batch_size"),
    "quantile_width": (
        lambda it: 1.0 / it.configuration.head.atoms,
        "train.param.head.atoms",
    ),
}
"""What is computed from options, and whose field it belongs to."""


def sources() -> set[str]:
    """All sources but those of options."""
    return {
        *(f"status:{it}" for it in STATUS),
        *(f"series:{it}" for it in SERIES),
        *(f"moment:{it}" for it in MOMENT),
        *(f"derived:{it}" for it in DERIVED),
    }
