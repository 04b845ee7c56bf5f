"""Options of the replay memory and of the target network."""

from __future__ import annotations

from typing import Literal

from engine.contract.options.declaration import OptionGroup, option


class ReplayOptions(OptionGroup):
    """Which transitions are kept, and which of them an update sees."""

    kind: Literal["none", "uniform", "prioritized", "sequence"] = option(
        "uniform",
        "Replay",
        applies="live",
        help="none learns online from the newest transitions, uniform from random "
        "old ones, prioritized from those with large TD errors, sequence from "
        "pieces of episodes (for recurrent memory).",
        effect="Uniform and prioritized can be exchanged while training runs.",
    )
    capacity: int = option(
        50_000,
        "Capacity",
        symbol="N",
        unit="transitions",
        minimum=100,
        maximum=10_000_000,
        scale="log",
        help="How many transitions the memory holds before the oldest go.",
        effect="Larger is more varied and older.",
        when={"replay.kind": ("uniform", "prioritized", "sequence")},
    )
    storage: Literal["memory", "disk"] = option(
        "memory",
        "Frames are kept in",
        help="disk keeps the observations in a file beside the session, which is gone "
        "when another run begins or the lab is closed, and everything else in memory: "
        "for a replay that is larger than the memory.",
        effect="From disk, batches wait for what has not been used lately.",
        advanced=True,
        when={"replay.kind": ("uniform", "prioritized", "sequence")},
    )
    priority: Literal["proportional", "rank"] = option(
        "proportional",
        "Priority by",
        applies="live",
        help="The TD error itself, or its rank among all (Schaul et al. 2016).",
        effect="Ranks do not care how large the largest errors are.",
        advanced=True,
        when={"replay.kind": ("prioritized",)},
    )
    sequence_length: int = option(
        20,
        "Sequence length",
        symbol="L",
        unit="steps",
        minimum=1,
        maximum=500,
        help="Steps of each sequence that the loss counts.",
        effect="Longer learns longer dependencies and costs more.",
        when={"replay.kind": ("sequence",)},
    )
    burn_in: int = option(
        0,
        "Burn-in",
        unit="steps",
        minimum=0,
        maximum=500,
        help="Steps before each sequence that only fill the memory "
        "(Kapturowski et al. 2019).",
        effect="More steps: a better memory at the start of the sequence.",
        advanced=True,
        when={"replay.kind": ("sequence",)},
    )
    stored_state: bool = option(
        True,
        "Start from the stored memory",
        help="A sequence begins with the recurrent memory that the agent had then; "
        "off: with an empty one (zero state).",
        advanced=True,
        when={"replay.kind": ("sequence",), "network.recurrent": ("lstm", "gru")},
    )
    alpha: float = option(
        0.6,
        "Priority exponent",
        symbol="α",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="How strongly the TD error rules the sampling (Schaul et al. 2016).",
        effect="0 samples uniformly, 1 in proportion to |δ|, or to 1/rank.",
        when={"replay.kind": ("prioritized",)},
    )
    beta: float = option(
        0.4,
        "Correction at start",
        symbol="β",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="How much importance weights correct for prioritized sampling.",
        effect="1 corrects fully; below 1 keeps some bias for speed.",
        when={"replay.kind": ("prioritized",)},
    )
    beta_final: float = option(
        1.0,
        "Correction at the end",
        symbol="β₁",
        minimum=0.0,
        maximum=1.0,
        applies="live",
        help="Value that β reaches, linearly, at the end of the step budget.",
        effect="1 removes the bias by the end of training.",
        advanced=True,
        when={"replay.kind": ("prioritized",)},
    )
    priority_epsilon: float = option(
        1e-3,
        "Least priority",
        symbol="ε",
        minimum=1e-9,
        maximum=1.0,
        scale="log",
        applies="live",
        help="Added to |δ| so that no transition is lost for ever.",
        effect="Higher makes sampling more uniform.",
        advanced=True,
        when={"replay.kind": ("prioritized",)},
    )


class TargetNetworkOptions(OptionGroup):
    """The slower copy of the network that targets come from."""

    kind: Literal["none", "periodic", "polyak"] = option(
        "periodic",
        "Target network",
        applies="live",
        help="none bootstraps on the online network, periodic copies it every so "
        "often, polyak follows it a little at every update.",
        effect="A slower target is steadier and learns later.",
    )
    period: int = option(
        500,
        "Copy period",
        symbol="C",
        unit="updates",
        minimum=1,
        maximum=1_000_000,
        scale="log",
        applies="live",
        help="Updates between two copies of the weights (periodic); those of planning "
        "count too.",
        effect="Longer is steadier and slower.",
        when={"target_network.kind": ("periodic",)},
    )
    tau: float = option(
        0.005,
        "Polyak rate",
        symbol="τ",
        minimum=1e-5,
        maximum=1.0,
        scale="log",
        applies="live",
        help="Share of the online weights that enters at each update (polyak).",
        effect="Higher follows faster; 1 has no delay at all.",
        when={"target_network.kind": ("polyak",)},
    )
