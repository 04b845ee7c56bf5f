"""Our worlds in gymnasium's registry."""

from __future__ import annotations

import gymnasium

_WORLDS: tuple[tuple[str, str, int, float | None], ...] = (
    ("GridWorld", "grid_world:GridWorld", 200, None),
    ("Cliff", "cliff:Cliff", 500, -13.0),
    ("Corridor", "corridor:Corridor", 500, 0.95),
    ("MaximizationBias", "maximization_bias:MaximizationBias", 10, None),
    ("DeepSea", "deep_sea:DeepSea", 100, 0.98),
    ("TMaze", "t_maze:TMaze", 200, 0.95),
    ("Tiger", "tiger:Tiger", 100, 4.5),
    ("Catch", "catch:Catch", 100, 0.9),
    ("Baird", "baird:Baird", 100, None),
    ("TwoState", "two_state:TwoState", 50, None),
    ("NoisyTV", "noisy_tv:NoisyTV", 200, 0.95),
)
"""Name, module and class, steps until an episode is truncated, mean return that
counts as solved."""


def register() -> None:
    """Make our worlds known to gymnasium; again does nothing."""
    package = __name__.rpartition(".")[0]
    for name, place, limit, threshold in _WORLDS:
        id = f"RLLab/{name}-v0"
        if id not in gymnasium.registry:
            gymnasium.register(
                id,
                entry_point=f"{package}.{place}",
                max_episode_steps=limit,
                reward_threshold=threshold,
            )
