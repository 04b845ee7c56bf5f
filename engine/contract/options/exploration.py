"""Options of exploration."""

from __future__ import annotations

from typing import Literal

from engine.contract.options.declaration import OptionGroup, option


class ExplorationOptions(OptionGroup):
    """How actions are chosen while training."""

    kind: Literal["epsilon_greedy"] = option(
        "epsilon_greedy",
        "Exploration",
        help="With probability ε a random action, otherwise the best one.",
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
    )
    schedule: Literal["constant", "linear", "exponential"] = option(
        "linear",
        "Schedule",
        applies="live",
        help="How ε moves from its start to its end.",
        effect="Exponential falls fast first, linear evenly, constant not at all.",
        advanced=True,
    )
    decay_steps: int = option(
        10_000,
        "Schedule length",
        unit="steps",
        minimum=1,
        maximum=100_000_000,
        scale="log",
        applies="live",
        help="Environment steps from the first ε to the last.",
        effect="Longer explores for longer.",
    )
