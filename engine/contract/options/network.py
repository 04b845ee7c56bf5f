"""Options of the network: torso and head."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator

from engine.contract.options.declaration import OptionGroup, option


def _integers(value: Any) -> Any:
    """Accept ``"64,64"`` as well as a sequence of integers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not all(part.isdigit() for part in parts):
        raise ValueError("write whole numbers with commas, for example 64,64")
    return tuple(int(part) for part in parts)


Integers = Annotated[tuple[int, ...], BeforeValidator(_integers)]


class NetworkOptions(OptionGroup):
    """What stands between an observation and its Q-values."""

    torso: Literal["auto", "mlp", "conv"] = option(
        "auto",
        "Torso",
        help="Layers below the head; auto takes convolutions for images and "
        "fully connected layers for everything else.",
        advanced=True,
    )
    hidden: Integers = option(
        (64, 64),
        "Hidden layers",
        unit="units",
        help="Width of each fully connected hidden layer; empty means linear.",
        effect="Wider fits more, costs more, and needs more data.",
    )
    conv: str = option(
        "16x3x1",
        "Convolutions",
        help="Each layer as channels x kernel x stride, with commas between.",
        effect="More channels see more features and cost more time.",
        advanced=True,
    )
    activation: Literal["relu", "tanh", "silu"] = option(
        "relu",
        "Activation",
        help="The nonlinearity after each hidden layer.",
        advanced=True,
    )

    recurrent: Literal["none", "lstm", "gru"] = option(
        "none",
        "Recurrent memory",
        help="A layer that carries what was seen before from step to step (DRQN, "
        "Hausknecht and Stone 2015), where one observation does not tell the state.",
        effect="Remembers; learns from sequences and slower.",
    )
    recurrent_units: int = option(
        64,
        "Memory units",
        unit="units",
        minimum=1,
        maximum=1024,
        scale="log",
        help="Width of the recurrent layer.",
        effect="More units remember more and cost more.",
        when={"network.recurrent": ("lstm", "gru")},
    )
    previous_action: bool = option(
        True,
        "Previous action as input",
        help="The recurrent layer also sees which action was taken before.",
        advanced=True,
        when={"network.recurrent": ("lstm", "gru")},
    )

    @field_validator("hidden")
    @classmethod
    def _sensible_widths(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) > 8 or any(not 1 <= width <= 4096 for width in value):
            raise ValueError("at most 8 layers of 1 to 4096 units")
        return value

    @field_validator("conv")
    @classmethod
    def _sensible_convolutions(cls, value: str) -> str:
        layers = [layer.strip() for layer in value.split(",")]
        if not all(re.fullmatch(r"[1-9]\d*x[1-9]\d*x[1-9]\d*", it) for it in layers):
            raise ValueError(
                "write channels x kernel x stride, for example 32x8x4,64x4x2"
            )
        return ",".join(layers)

    def conv_layers(self) -> list[tuple[int, int, int]]:
        """The convolutions as (channels, kernel, stride), first layer first."""
        rows = [layer.split("x") for layer in self.conv.split(",")]
        return [(int(c), int(k), int(s)) for c, k, s in rows]


class HeadOptions(OptionGroup):
    """What the network predicts for each action."""

    kind: Literal["scalar", "c51", "qr", "mmd"] = option(
        "scalar",
        "Head",
        help="One expected return per action, or its distribution: as probabilities "
        "of fixed values (C51, Bellemare et al. 2017), as quantiles (QR-DQN, Dabney "
        "et al. 2018) or as particles (MMD-DQN, Nguyen-Tang et al. 2021).",
        effect="A distribution shows risk, and often learns more steadily.",
    )
    architecture: Literal["all_actions", "action_input"] = option(
        "all_actions",
        "Actions",
        help="All actions come out of one pass (DQN), or the action is an input and "
        "each one takes a pass of its own.",
        effect="As an input, similar actions can share; it costs more.",
        advanced=True,
    )
    atoms: int = option(
        51,
        "Atoms",
        symbol="N",
        minimum=2,
        maximum=401,
        help="How many values, quantiles or particles describe the return of an "
        "action.",
        effect="More describe it more finely and cost more.",
        when={"head.kind": ("c51", "qr", "mmd")},
    )
    value_min: float = option(
        0.0,
        "Least return",
        symbol="Vₘᵢₙ",
        minimum=-1e6,
        maximum=1e6,
        help="The lowest value of C51; returns below it are cut off.",
        when={"head.kind": ("c51",)},
    )
    value_max: float = option(
        100.0,
        "Greatest return",
        symbol="Vₘₐₓ",
        minimum=-1e6,
        maximum=1e6,
        help="The highest value of C51; returns above it are cut off.",
        when={"head.kind": ("c51",)},
    )
    kappa: float = option(
        1.0,
        "Quantile Huber threshold",
        symbol="κ",
        minimum=0.0,
        maximum=1e3,
        applies="live",
        help="Where the quantile loss turns from squared to linear.",
        effect="0 is the pure quantile loss.",
        advanced=True,
        when={"head.kind": ("qr",)},
    )
    bandwidths: Integers = option(
        (1, 10, 100, 1000, 10_000),
        "Kernel bandwidths",
        symbol="h",
        help="Widths of the Gaussian kernels exp(−(x−y)²/h) that compare particles. "
        "The published 1 to 10 are for clipped rewards, with returns below 10.",
        effect="They should cover the squared distances between returns: particles "
        "much further apart than √h do not feel each other.",
        advanced=True,
        when={"head.kind": ("mmd",)},
    )
    risk: Literal["mean", "cvar"] = option(
        "mean",
        "Choose actions by",
        applies="live",
        help="The mean return, or the mean of its worst share (CVaR).",
        effect="CVaR avoids actions that sometimes end badly.",
        when={"head.kind": ("c51", "qr", "mmd")},
    )
    risk_level: float = option(
        0.25,
        "Worst share",
        minimum=0.01,
        maximum=1.0,
        applies="live",
        help="Which share of the worst returns CVaR averages over; 1 is the mean.",
        effect="Lower is more careful.",
        when={"head.kind": ("c51", "qr", "mmd"), "head.risk": ("cvar",)},
    )

    @field_validator("bandwidths")
    @classmethod
    def _some_bandwidths(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(value) <= 32 or min(value) < 1:
            raise ValueError("1 to 32 whole numbers from 1")
        return value
