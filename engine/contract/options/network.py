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

    kind: Literal["scalar"] = option(
        "scalar", "Head", help="One expected return per action."
    )
