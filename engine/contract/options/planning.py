"""Options of planning with a model."""

from __future__ import annotations

from typing import Literal

from engine.contract.options.declaration import OptionGroup, option

_PLANNING = {"planning.kind": ("dyna", "sweeping")}
_NETWORK = {"planning.kind": ("dyna",), "planning.model": ("network",)}


class PlanningOptions(OptionGroup):
    """Learning also from what a model of the environment says would happen."""

    kind: Literal["none", "dyna", "sweeping"] = option(
        "none",
        "Planning",
        help="After each update learn also from made-up steps: of states seen before "
        "(Dyna, Sutton 1990), or first of those whose value would change most "
        "(prioritized sweeping, Moore and Atkeson 1993).",
        effect="Planning needs fewer real steps and more computing.",
    )
    updates: int = option(
        10,
        "Planning updates",
        symbol="k",
        minimum=1,
        maximum=1000,
        scale="log",
        applies="live",
        help="Updates on made-up steps after each one on real steps.",
        effect="More spread what is known faster, and the errors of the model too.",
        when=_PLANNING,
    )
    model: Literal["table", "network"] = option(
        "table",
        "Model",
        help="What followed each action in each state (table), or a network that "
        "predicts the change of the observation, the reward and the end.",
        effect="A table suits worlds of few states only.",
        when={"planning.kind": ("dyna",)},
    )
    remembers: Literal["last", "counts"] = option(
        "counts",
        "Table keeps",
        help="Of each action in each state every outcome by how often it came "
        "(counts), or only the last one.",
        effect="The last one suits a world that changes, counts one with chance.",
        advanced=True,
        when=_PLANNING,
    )
    threshold: float = option(
        1e-4,
        "Sweeping threshold",
        symbol="θ",
        minimum=1e-9,
        maximum=1e3,
        scale="log",
        applies="live",
        help="Least TD error for which a step is queued.",
        effect="Lower sweeps further back and never rests.",
        advanced=True,
        when={"planning.kind": ("sweeping",)},
    )
    actions: Literal["random", "policy"] = option(
        "random",
        "Made-up actions",
        applies="live",
        help="What is tried in the network's mind: any action, or what the agent "
        "would do, exploration included.",
        effect="Random covers more; the policy's stay closer to what was seen.",
        advanced=True,
        when=_NETWORK,
    )
    width: int = option(
        128,
        "Model width",
        unit="units",
        minimum=1,
        maximum=4096,
        scale="log",
        help="Units in each of the two hidden layers of the model network.",
        effect="Wider predicts better and costs more time.",
        advanced=True,
        when=_NETWORK,
    )
    learning_rate: float = option(
        1e-3,
        "Model learning rate",
        minimum=1e-7,
        maximum=1.0,
        scale="log",
        applies="live",
        help="How far one update moves the weights of the model network (Adam).",
        effect="Higher follows faster and less steadily.",
        advanced=True,
        when=_NETWORK,
    )
