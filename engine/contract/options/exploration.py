"""Options of exploration."""

from __future__ import annotations

from typing import Literal

from engine.contract.options.declaration import OptionGroup, option

_EPSILON = {"exploration.kind": ("epsilon_greedy",)}
_BOLTZMANN = {"exploration.kind": ("boltzmann",)}
_SCHEDULED = {"exploration.kind": ("epsilon_greedy", "boltzmann")}
_MOVING = {**_SCHEDULED, "exploration.schedule": ("linear", "exponential")}
_ENSEMBLE = {"exploration.kind": ("bootstrapped",)}


class ExplorationOptions(OptionGroup):
    """How actions are chosen while training."""

    kind: Literal["epsilon_greedy", "boltzmann", "ucb", "noisy", "bootstrapped"] = (
        option(
            "epsilon_greedy",
            "Exploration",
            help="Sometimes a random action (ε-greedy), better ones more often "
            "(Boltzmann), seldom tried ones first (UCB), a network whose weights are "
            "noisy (NoisyNet, Fortunato et al. 2018), or one of several networks per "
            "episode (bootstrapped ensemble, Osband et al. 2018).",
            effect="Noise and ensembles explore over whole episodes.",
        )
    )
    epsilon: float = option(
        1.0,
        "ε at start",
        symbol="ε",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="Share of random actions at the beginning.",
        effect="Higher explores more and earns less.",
        when=_EPSILON,
    )
    epsilon_final: float = option(
        0.05,
        "ε at the end",
        symbol="ε₁",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="Share of random actions after the schedule has run out.",
        effect="Higher keeps exploring; 0 trusts the values fully.",
        when={**_MOVING, **_EPSILON},
    )
    temperature: float = option(
        1.0,
        "Temperature at start",
        symbol="T",
        minimum=1e-4,
        maximum=1e4,
        scale="log",
        applies="live",
        help="How little better values matter at the beginning (Boltzmann).",
        effect="Higher is more random.",
        when=_BOLTZMANN,
    )
    temperature_final: float = option(
        0.05,
        "Temperature at the end",
        symbol="T₁",
        minimum=1e-4,
        maximum=1e4,
        scale="log",
        applies="live",
        help="How little better values matter after the schedule has run out.",
        effect="Lower comes closer to greedy.",
        when={**_MOVING, **_BOLTZMANN},
    )
    schedule: Literal["constant", "linear", "exponential"] = option(
        "linear",
        "Schedule",
        applies="live",
        help="How ε or the temperature moves from its start to its end.",
        effect="Exponential falls fast first, linear evenly, constant not at all.",
        advanced=True,
        when=_SCHEDULED,
    )
    decay_steps: int = option(
        10_000,
        "Schedule length",
        unit="steps",
        minimum=1,
        maximum=100_000_000,
        scale="log",
        applies="live",
        help="Environment steps from the start of the schedule to its end.",
        effect="Longer explores for longer.",
        when=_MOVING,
    )
    ucb_scale: float = option(
        1.0,
        "Confidence",
        symbol="c",
        minimum=0.0,
        maximum=1e4,
        applies="live",
        help="How much a seldom tried action gains: c·√(ln t / n) (Auer et al. 2002).",
        effect="Higher tries every action more often.",
        when={"exploration.kind": ("ucb",)},
    )
    bonus: float = option(
        0.0,
        "Count bonus",
        symbol="β",
        minimum=0.0,
        maximum=1e4,
        applies="live",
        help="Reward of β/√n for reaching a state for the n-th time (Bellemare et "
        "al. 2016); 0 gives none. Returns are shown without it.",
        effect="Higher seeks new states more.",
    )
    counts: Literal["table", "hash", "density"] = option(
        "hash",
        "Counted by",
        help="Each observation by itself (table), groups of similar ones by a random "
        "hash (Tang et al. 2017), or pseudo-counts of a density model (Bellemare et "
        "al. 2016).",
        effect="A table suits small discrete worlds only.",
        advanced=True,
    )
    noisy_sigma: float = option(
        0.5,
        "Noise at start",
        symbol="σ₀",
        minimum=0.0,
        maximum=10.0,
        help="Noise of the weights at the beginning; it is learned from then on.",
        effect="Higher explores more at first.",
        when={"exploration.kind": ("noisy",)},
    )
    members: int = option(
        10,
        "Ensemble members",
        symbol="K",
        minimum=2,
        maximum=64,
        help="How many networks learn side by side; each episode follows one.",
        effect="More represent doubt better and cost more.",
        when=_ENSEMBLE,
    )
    prior_scale: float = option(
        3.0,
        "Prior scale",
        minimum=0.0,
        maximum=100.0,
        help="Weight of the fixed random network that is added to each member.",
        effect="Higher keeps members apart where there is no data.",
        when=_ENSEMBLE,
    )
    mask_probability: float = option(
        0.5,
        "Share of the data",
        minimum=0.01,
        maximum=1.0,
        help="Probability that a transition is shown to a member.",
        effect="Lower makes the members more different.",
        when=_ENSEMBLE,
    )
