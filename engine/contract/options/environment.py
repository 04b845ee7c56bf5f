"""Options of the environment and of what the agent gets to see of it."""

from __future__ import annotations

import math
from typing import Any

from pydantic import field_validator

from engine.contract.options.declaration import OptionGroup, option

Scalar = bool | int | float | str


class EnvironmentOptions(OptionGroup):
    """Which world, and how its observations are prepared."""

    id: str = option(
        "CartPole-v1",
        "Environment",
        help="The registered name of the environment, as gymnasium knows it.",
    )
    kwargs: dict[str, Scalar] = option(
        {},
        "Arguments",
        help="Arguments of the environment itself: a map name, a layout, a slip.",
        advanced=True,
    )
    frame_stack: int = option(
        1,
        "Frame stack",
        unit="frames",
        minimum=1,
        maximum=8,
        help="How many successive observations the agent sees at once.",
        effect="More frames show velocity, and cost memory and time.",
        advanced=True,
    )
    image_size: int = option(
        0,
        "Image size",
        unit="pixels",
        minimum=0,
        maximum=256,
        help="Images are resized to this width and height; 0 keeps their size.",
        effect="Smaller images train faster and show less.",
        advanced=True,
    )
    grayscale: bool = option(
        False,
        "Grayscale",
        help="Turn colour images into shades of gray.",
        effect="One channel in place of three: a third of the memory.",
        advanced=True,
    )
    frame_skip: int = option(
        0,
        "Frame skip",
        unit="frames",
        minimum=0,
        maximum=60,
        help="Each action is held for so many frames, whose rewards are added up "
        "(Mnih et al. 2015 hold it for 4); 0 leaves it to the environment.",
        effect="More frames: faster games and coarser actions.",
        advanced=True,
    )
    frame_max: bool = option(
        False,
        "Brighter of two frames",
        help="Each pixel is the maximum of the last two frames, for games that draw "
        "some things in every other frame only; needs a frame skip of 2 or more.",
        effect="Nothing flickers; what moves leaves a short trail.",
        advanced=True,
    )
    no_op_start: int = option(
        0,
        "No-op start",
        unit="frames",
        minimum=0,
        maximum=1000,
        help="Each episode begins with 1 to so many frames of the first action, which "
        "does nothing in Atari games; how many follows from its seed. 0 has none.",
        effect="More frames: more different beginnings.",
        advanced=True,
    )
    life_loss_ends: bool = option(
        False,
        "A lost life ends the return",
        help="For learning, a lost life ends the return as the end of the game does "
        "(Mnih et al. 2015); the episode and its return on the curves go on.",
        effect="Lives become dear; what follows a lost life no longer counts for it.",
        advanced=True,
    )
    scale_observations: bool = option(
        False,
        "Scale observations",
        help="Map observations with known finite bounds to the range -1 to 1.",
        effect="Helps where one coordinate is far smaller than the others.",
        advanced=True,
    )
    clip_rewards: bool = option(
        False,
        "Clip rewards",
        help="The agent learns from the sign of each reward (Mnih et al. 2015).",
        effect="One learning rate suits many games; sizes of rewards are lost.",
        advanced=True,
    )
    time_limit: int = option(
        0,
        "Time limit",
        unit="steps",
        minimum=0,
        maximum=1_000_000,
        help="Episodes are truncated after this many steps; 0 keeps the limit "
        "that the environment brings.",
        effect="A longer limit lets an episode show more, and end later.",
        advanced=True,
    )

    @field_validator("kwargs")
    @classmethod
    def _only_plain_values(cls, value: dict[str, Any]) -> dict[str, Any]:
        reserved = sorted(set(value) & {"render_mode", "vector_kwargs", "entry_point"})
        if reserved:
            raise ValueError(f"the lab sets {', '.join(reserved)} itself; leave it out")
        if any(isinstance(v, float) and not math.isfinite(v) for v in value.values()):
            raise ValueError("its numbers must be finite")
        return value
