"""The update of one step of an episode: as configured, and with parts switched.

The learner itself computes it (``ValueBasedAgent.explain``), from a transition that
the replay memory's own windows have made.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, configuration_from_json
from engine.stage.episodes import Weights
from engine.stage.judging import bootstraps_online, returns_ended
from engine.stage.minds import Mind

if TYPE_CHECKING:
    from engine.agents.reports import Explanation
    from engine.replay import Batch, Streams

LENGTHS = (1, 3, 5)
"""Windows that are compared with the one of the options."""
RECURRENT = (
    "The networks remember from the start of the episode on; learning goes through "
    "pieces of episodes that begin with a memory of then, so that its own numbers "
    "differ somewhat."
)
RETRACE = (
    "Retrace weighs later steps by how likely each action was when it was taken, "
    "which a recorded episode does not say: the rows are without it, n = 1 where "
    "nothing else is said."
)


class Variant(NamedTuple):
    """Options with something switched.

    Attributes:
      name: ``current``, ``double``, ``n=3``, ``target``.
      title: The same for people.
    """

    name: str
    title: str
    configuration: Configuration


def variants(configuration: Configuration) -> list[Variant]:
    """The options as they are, where an episode tells enough, and switched."""
    return list(_variants_of(configuration.to_json()))


@lru_cache(maxsize=8)
def _variants_of(text: str) -> tuple[Variant, ...]:
    """Kept, for checking options takes longer than an update."""
    configuration = configuration_from_json(text)
    options = configuration.agent
    if options.n_step_correction == "retrace":
        changes = {"agent.n_step_correction": "none", "agent.n_step": 1}
        plain = configuration.with_options(changes)
        found = [Variant("n=1", "n = 1", plain)]
    else:
        plain = configuration
        found = [Variant("current", "as configured", configuration)]
    online = bootstraps_online(configuration)
    if not online:
        switched = plain.with_options({"agent.double": not options.double})
        words = "double off" if options.double else "double on"
        found.append(Variant("double", words, switched))
    for n in LENGTHS:
        if n != plain.agent.n_step:
            longer = plain.with_options({"agent.n_step": n})
            found.append(Variant(f"n={n}", f"n = {n}", longer))
    if options.bootstrap == "trust_region":
        older = plain.with_options({"agent.bootstrap": "target"})
        found.append(Variant("target", "target network values", older))
    elif not online:
        alone = {"target_network.kind": "none", "agent.double": False}
        found.append(Variant("target", "no target network", plain.with_options(alone)))
    return tuple(found)


def recorded(
    configuration: Configuration,
    card: EnvironmentCard,
    record: Mapping[str, Any],
    observations: np.ndarray,
    t: int,
    width: int = 0,
) -> Streams:
    """A replay memory that begins with step ``t``, as long as these observations.

    Of a recurrent network ``width`` is that of its memory, and ``t`` is 0.
    """
    from engine.stage.few_steps import FewSteps

    rewards = learned_rewards(configuration, record["rewards"])
    ended, over = returns_ended(record), record["terminations"]
    extras = {"state": ((width,), "float32")} if width else None
    size = len(observations) + 2
    streams = FewSteps(size, 1, card.shape, card.dtype, extras=extras)
    streams.begin(0, observations[0])
    for at, observation in enumerate(observations[1:], start=t):
        streams.append(
            0,
            int(record["actions"][at]),
            float(rewards[at]),
            bool(ended[at]),
            bool(record["truncations"][at]),
            observation,
            explored=bool(record["explored"][at]),
            goes_on=bool(ended[at] and not over[at]),
        )
    return streams


def learned_rewards(configuration: Configuration, rewards: np.ndarray) -> np.ndarray:
    """Rewards as the agent learns from them."""
    return np.sign(rewards) if configuration.environment.clip_rewards else rewards


def transition(configuration: Configuration, streams: Streams, slot: int) -> Batch:
    """The transition that begins in this slot, for a batch of one.

    A recurrent network goes through all slots before it.
    """
    from engine.replay.batches import read_sequences, read_transitions

    options = configuration.agent
    window = streams, np.full(1, slot, np.int64), options.n_step, options.discount
    greedy_only = options.n_step_correction == "greedy"
    if "state" in streams.extras:
        return read_sequences(
            *window,
            length=1,
            burn_in=slot,
            stored_state=False,
            greedy_only=greedy_only,
        )
    batch = read_transitions(*window, greedy_only=greedy_only)
    if configuration.exploration.kind != "bootstrapped":
        return batch
    everyone = np.ones((1, configuration.exploration.members), bool)
    return batch._replace(extras={"members": everyone})


def explained(
    mind: Mind, weights: Weights, streams: Streams, slot: int = 0
) -> Generator[None, Any, list[dict[str, Any]]]:
    """One row for each variant; see ``questions.explain_update``."""
    offered = variants(mind.configuration)
    batches = [transition(it.configuration, streams, slot) for it in offered]
    cases = ((it.configuration, of) for it, of in zip(offered, batches, strict=True))
    explanations = mind.agent.learner.explain_each(cases, weights.step)
    rows = []
    for variant, batch in zip(offered, batches, strict=True):
        # Minds are shared between jobs, so each slice takes its weights along.
        mind.load(weights.step, weights.arrays)
        rows.append(_row(variant, batch, next(explanations)))
        yield
    return rows


def _row(variant: Variant, batch: Batch, said: Explanation) -> dict[str, Any]:
    options = variant.configuration
    double = options.agent.double and not bootstraps_online(options)
    chooser = said.online_liking if double else said.valued_liking
    best = int(chooser[0].argmax())
    taken = {"q_learning": best, "sarsa": int(batch.next_action[0])}
    surprise = abs(float(said.surprise[0]))
    return {
        "name": variant.name,
        "title": variant.title,
        "n_step": options.agent.n_step,
        "double": double,
        "bootstraps_online": bootstraps_online(options),
        "reward": float(batch.reward[0]),
        "discount": float(batch.discount[0]),
        "next_action": taken.get(options.agent.estimator, -1),
        "online_action": int(said.online_liking[0].argmax()),
        "valuing_action": int(said.valued_liking[0].argmax()),
        "bootstrap": float(said.bootstrap[0]),
        "target": float(said.target[0]),
        "estimate": float(said.estimate[0]),
        "td_error": float(said.td_error[0]),
        "surprise": surprise,
        "priority": surprise + options.replay.priority_epsilon,
    }
