"""What goes with what, and the sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.contract.options import Configuration, ConfigurationError
from engine.contract.several_seeds import OF_SEVERAL_SEEDS

if TYPE_CHECKING:
    from engine.contract.catalogue import EnvironmentCard


Remedy = tuple[str, Any]
"""An option and the value that it could have instead."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that cannot be.

    Attributes:
      key: The option that the sentence stands beside.
      broken: Whether a configuration does it.
      sentence: What, why, and how to mend it; may name options as ``{key}``.
      remedies: Single changes that mend it, best first: as a rule doing without what
        asks for something, then giving it what it asks for. Whoever lets a person
        choose may make the first of them that is not about the option just chosen.
    """

    key: str
    broken: Callable[[Configuration], bool]
    sentence: str
    remedies: tuple[Remedy, ...] = ()


class Complaint(NamedTuple):
    """One thing that is wrong with a configuration; see :class:`Rule`."""

    key: str
    sentence: str
    remedies: tuple[Remedy, ...] = ()


def _recurrent(of: Configuration) -> bool:
    return of.network.recurrent != "none"


def _retrace(of: Configuration) -> bool:
    return of.agent.n_step_correction == "retrace"


def _offline(of: Configuration) -> bool:
    return bool(of.training.offline)


def _plans(of: Configuration) -> bool:
    return of.planning.kind != "none"


def _dreams(of: Configuration) -> bool:
    """Whether a network makes up the steps that are planned on."""
    return of.planning.kind == "dyna" and of.planning.model == "network"


def _window(of: Configuration) -> int:
    """Slots that a batch may need in a row, in all rings together."""
    pieces = of.replay.kind == "sequence"
    row = of.replay.sequence_length + of.replay.burn_in if pieces else 0
    row += of.agent.n_step + of.environment.frame_stack
    return row * of.training.environments


RULES = (
    Rule(
        "replay.capacity",
        lambda of: (
            of.replay.kind != "none" and of.replay.capacity < of.agent.batch_size
        ),
        "The replay holds {replay.capacity} transitions but a batch takes "
        "{agent.batch_size}: raise replay.capacity or lower agent.batch_size.",
    ),
    Rule(
        "environment.frame_max",
        lambda of: of.environment.frame_max and of.environment.frame_skip < 2,
        "The brighter of two frames is taken from those that an action is held for: "
        "set environment.frame_skip to 2 or more, or environment.frame_max to false.",
        (("environment.frame_max", False), ("environment.frame_skip", 4)),
    ),
    Rule(
        "agent.double",
        lambda of: (
            of.agent.double
            and of.agent.estimator != "sarsa"
            and of.target_network.kind == "none"
        ),
        "Double Q-learning needs a target network to value the action that the "
        "online network chose: set target_network.kind to periodic or polyak, or "
        "agent.double to false.",
        (("agent.double", False), ("target_network.kind", "periodic")),
    ),
    Rule(
        "agent.n_step",
        lambda of: (
            of.replay.kind != "none"
            and of.agent.n_step * of.training.environments >= of.replay.capacity
        ),
        "n-step returns over {agent.n_step} steps do not fit into a replay of "
        "{replay.capacity} transitions: lower agent.n_step.",
    ),
    Rule(
        "replay.capacity",
        lambda of: (
            of.replay.kind != "none"
            and of.agent.n_step * of.training.environments
            < of.replay.capacity
            <= _window(of)
        ),
        "A replay of {replay.capacity} observations, shared by the parallel "
        "environments, is too short for its frame stacks and sequences: raise "
        "replay.capacity.",
    ),
    Rule(
        "agent.bootstrap",
        lambda of: (
            of.agent.bootstrap == "trust_region" and of.target_network.kind == "none"
        ),
        "A trust region lies around the target network's values, and there is none: "
        "set target_network.kind to periodic or polyak.",
        (("agent.bootstrap", "target"), ("target_network.kind", "periodic")),
    ),
    Rule(
        "agent.n_step_correction",
        lambda of: _retrace(of) and of.head.kind != "scalar",
        "Retrace corrects expected values, not distributions: set head.kind to "
        "scalar, or agent.n_step_correction to greedy.",
        (("agent.n_step_correction", "greedy"), ("head.kind", "scalar")),
    ),
    Rule(
        "agent.n_step_correction",
        lambda of: _retrace(of) and of.replay.kind == "sequence",
        "Retrace is not made for pieces of episodes here: set replay.kind to uniform "
        "or prioritized, or agent.n_step_correction to greedy.",
        (("agent.n_step_correction", "greedy"), ("replay.kind", "uniform")),
    ),
    Rule(
        "agent.n_step_correction",
        lambda of: _retrace(of) and of.exploration.kind in ("noisy", "bootstrapped"),
        "Retrace needs to know how likely each action was, which a noisy network or "
        "an ensemble cannot tell: explore by epsilon_greedy or boltzmann, or set "
        "agent.n_step_correction to greedy.",
        (
            ("agent.n_step_correction", "greedy"),
            ("exploration.kind", "epsilon_greedy"),
        ),
    ),
    Rule(
        "network.recurrent",
        lambda of: _recurrent(of) and of.replay.kind != "sequence",
        "A recurrent memory learns from pieces of episodes: set replay.kind to "
        "sequence.",
        (("network.recurrent", "none"), ("replay.kind", "sequence")),
    ),
    Rule(
        "exploration.kind",
        lambda of: (
            of.replay.kind == "sequence" and of.exploration.kind == "bootstrapped"
        ),
        "Each member of an ensemble would need a memory of its own to learn from "
        "pieces of episodes: set exploration.kind to another one, or replay.kind to "
        "uniform or prioritized.",
        (("exploration.kind", "epsilon_greedy"), ("replay.kind", "uniform")),
    ),
    Rule(
        "head.architecture",
        lambda of: (
            of.head.architecture == "action_input" and of.agent.dueling != "none"
        ),
        "Dueling splits the outputs of all actions, and with the action as an input "
        "there is only one: set agent.dueling to none.",
        (("head.architecture", "all_actions"), ("agent.dueling", "none")),
    ),
    Rule(
        "head.architecture",
        lambda of: (
            of.head.architecture == "action_input"
            and (_recurrent(of) or of.exploration.kind == "bootstrapped")
        ),
        "The action cannot be an input of a recurrent network or of an ensemble "
        "here: set head.architecture to all_actions.",
        (
            ("head.architecture", "all_actions"),
            ("network.recurrent", "none"),
            ("exploration.kind", "epsilon_greedy"),
        ),
    ),
    Rule(
        "head.value_max",
        lambda of: of.head.kind == "c51" and of.head.value_min >= of.head.value_max,
        "The values of C51 go from {head.value_min:g} to {head.value_max:g}: raise "
        "head.value_max.",
    ),
    Rule(
        "head.risk",
        lambda of: of.head.kind == "scalar" and of.head.risk == "cvar",
        "One expected return says nothing about risk: set head.kind to c51, qr or "
        "mmd, or head.risk to mean.",
        (("head.risk", "mean"), ("head.kind", "qr")),
    ),
    Rule(
        "training.mode",
        lambda of: of.training.mode != "alternate" and of.replay.kind == "none",
        "Without a replay memory each step is learned from at once, so acting and "
        "learning cannot run side by side: set training.mode to alternate, or "
        "replay.kind to uniform or prioritized.",
        (("training.mode", "alternate"), ("replay.kind", "uniform")),
    ),
    Rule(
        "training.offline",
        lambda of: _offline(of) and of.replay.kind == "none",
        "Without a replay memory there is nothing to hold the recorded steps: set "
        "replay.kind to uniform or prioritized.",
        (("replay.kind", "uniform"),),
    ),
    Rule(
        "training.offline",
        lambda of: (
            _offline(of)
            and (of.training.mode != "alternate" or of.training.environments > 1)
        ),
        "Learning offline steps no environment: set training.mode to alternate and "
        "training.environments to 1.",
    ),
    Rule(
        "training.offline",
        lambda of: (
            _offline(of)
            and (_retrace(of) or (_recurrent(of) and of.replay.stored_state))
        ),
        "A recording does not say how likely each action was, nor what a recurrent "
        "network remembered: set agent.n_step_correction to greedy or none, and "
        "replay.stored_state to false.",
    ),
    Rule(
        "planning.kind",
        lambda of: _plans(of) and of.replay.kind == "sequence",
        "A model makes up single steps, and pieces of episodes are learned from: set "
        "replay.kind to none, uniform or prioritized, or planning.kind to none.",
        (("planning.kind", "none"), ("replay.kind", "uniform")),
    ),
    Rule(
        "planning.kind",
        lambda of: _plans(of) and of.agent.estimator == "sarsa",
        "A made-up step has no next action for SARSA to learn from: set "
        "agent.estimator to expected_sarsa, or planning.kind to none.",
        (("planning.kind", "none"), ("agent.estimator", "expected_sarsa")),
    ),
    Rule(
        "planning.kind",
        lambda of: _plans(of) and of.exploration.kind == "bootstrapped",
        "All members of an ensemble would learn from the same made-up steps and "
        "become alike: set exploration.kind to another one, or planning.kind to none.",
        (("planning.kind", "none"), ("exploration.kind", "epsilon_greedy")),
    ),
    Rule(
        "planning.kind",
        lambda of: _plans(of) and of.environment.frame_stack > 1,
        "A model predicts one observation from another, not from a stack of them: "
        "set environment.frame_stack to 1, or planning.kind to none.",
        (("planning.kind", "none"), ("environment.frame_stack", 1)),
    ),
    Rule(
        "planning.model",
        lambda of: _dreams(of) and of.replay.kind == "none",
        "The model network learns from the replay memory: set replay.kind to uniform "
        "or prioritized, or planning.model to table.",
        (("planning.model", "table"), ("replay.kind", "uniform")),
    ),
    *(Rule("training.seeds", *it) for it in OF_SEVERAL_SEEDS),
)


def check_combination(
    configuration: Configuration, card: EnvironmentCard | None = None
) -> None:
    """Refuse what cannot work together, before anything starts.

    Raises:
      ConfigurationError: With one sentence for each option concerned.
    """
    found: dict[str, str] = {}
    for it in complaints(configuration, card):
        found.setdefault(it.key, it.sentence)
    if found:
        raise ConfigurationError(found)


def complaints(
    configuration: Configuration, card: EnvironmentCard | None = None
) -> list[Complaint]:
    """Everything that cannot work together; empty where all is well."""
    found = [
        Complaint(it.key, _filled(it.sentence, configuration), it.remedies)
        for it in RULES
        if it.broken(configuration)
    ]
    if card is not None:
        against = _against_environment(configuration, card)
        found += [Complaint(*it, _IN_A_WORLD.get(it[0], ())) for it in against.items()]
    return found


_IN_A_WORLD: dict[str, tuple[Remedy, ...]] = {
    "planning.kind": (("planning.kind", "none"), ("planning.model", "network")),
    "planning.model": (("planning.model", "network"), ("planning.kind", "none")),
}
"""What may help where a world does not suit; an option itself may be the remedy."""


def _filled(sentence: str, configuration: Configuration) -> str:
    """The sentence with values of options in the place of their names."""
    return sentence.format(**configuration.__dict__)


def _against_environment(
    configuration: Configuration, card: EnvironmentCard
) -> dict[str, str]:
    if not card.suits:
        advice = card.install and f" Install it with: {card.install}"
        return {"environment.id": card.reason + advice}
    if configuration.network.torso == "conv" and card.observation != "image":
        return {
            "network.torso": f"{card.id} has no images, so convolutions have nothing "
            "to look at: set network.torso to auto or mlp."
        }
    if _plans(configuration) and card.observation != "onehot":
        return _no_model(configuration, card)
    return {}


def _no_model(configuration: Configuration, card: EnvironmentCard) -> dict[str, str]:
    """Why a world that is not tabular cannot be planned in; empty if it can."""
    if card.observation == "image":
        return {
            "planning.kind": f"{card.id} shows images, which no model here predicts: "
            "set planning.kind to none."
        }
    if _dreams(configuration):
        return {}
    key = "planning.model" if configuration.planning.kind == "dyna" else "planning.kind"
    return {
        key: f"{card.id} has no states that come back for a table to count: set "
        "planning.kind to dyna and planning.model to network."
    }
