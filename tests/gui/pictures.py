"""Pictures and judged episodes for the views, small and easy to check by hand."""

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import Picture

CARD = EnvironmentCard(
    id="CartPole-v1",
    observation="vector",
    shape=(4,),
    observation_names=("position", "velocity", "angle", "angular velocity"),
    actions=2,
    action_names=("left", "right"),
    max_episode_steps=500,
)


def picture(**changes):
    """One step of the shown agent."""
    q = np.asarray(changes.pop("q", [61.2, 64.0]), np.float32)
    given = {
        "frame": np.full((40, 60, 3), 200, np.uint8),
        "source": "viewer",
        "checkpoint_step": 12_400,
        "epsilon": 0.0,
        "speed": 1.0,
        "episode": 3,
        "t": 5,
        "observation": np.zeros(4, np.float32),
        "q": q,
        "advantage": q - q.mean() if len(q) else q,
        "value_head": float(q.mean()) if len(q) else float("nan"),
        "action": 1,
        "reason": "greedy",
        "reward_sum": 5.0,
    }
    return Picture(**(given | changes))


def judged(steps=50, actions=2, **changes):
    """What the stage says of an episode; the Q-values name their step: q[t] ~ t."""
    t = np.arange(steps + 1, dtype=np.float32)
    q = t[:, None] + np.linspace(0, 0.5, actions, dtype=np.float32)
    answer = {
        "q": q,
        "value": q.max(axis=1),
        "advantage": q - q.mean(axis=1, keepdims=True),
        "value_head": q.mean(axis=1),
        "td_error": np.linspace(-1.0, 1.0, steps),
        "rewards": np.ones(steps),
        "actions": np.arange(steps) % actions,
        "explored": np.arange(steps) % 7 == 3,
        "terminations": np.zeros(steps, bool),
        "truncations": np.arange(steps) == steps - 1,
        "observations": np.stack([t, -t, t / 10, t / 100], axis=1),
        "action_names": ["left", "right"][:actions],
        "observation_names": list(CARD.observation_names),
        "exact": True,
        "note": "",
        "checkpoint_step": 12_000,
    }
    return answer | changes


def numbered(first, last):
    """Frames that carry the number of their step in their pixels."""
    frames = np.zeros((last - first + 1, 8, 12, 3), np.uint8)
    for offset in range(len(frames)):
        t = first + offset
        frames[offset, 0, 0] = (t // 65536, t // 256 % 256, t % 256)
    return frames


def number_of(frame):
    """The step that a frame is of."""
    high, middle, low = (int(v) for v in frame[0, 0])
    return 65536 * high + 256 * middle + low


def teach(client, steps=50, **changes):
    """Let the stage judge an episode and draw its frames."""
    client.answers["judge_episode"] = lambda arguments: judged(steps, **changes)
    client.answers["frames"] = lambda arguments: {
        "frames": numbered(arguments["first"], arguments["last"])[
            :: arguments.get("every", 1)
        ]
    }
