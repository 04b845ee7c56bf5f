"""What a scripted engine says: a card, statuses, episodes, answers to questions."""

from typing import Any

import numpy as np
from fake_client import FakeClient

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import (
    EpisodeFinished,
    Scalars,
    SessionStatus,
    TrainerStatus,
)
from engine.contract.options import Configuration

CARD = EnvironmentCard(
    id="CartPole-v1",
    observation="vector",
    shape=(4,),
    low=(-4.8, -9.0, -0.4, -9.0),
    high=(4.8, 9.0, 0.4, 9.0),
    observation_names=("x", "v", "θ", "ω"),
    actions=2,
    action_names=("left", "right"),
    max_episode_steps=500,
    frame_rate=50,
)

ENVIRONMENTS = [
    {"id": "CartPole-v1", "suits": True, "reason": "", "install": ""},
    {
        "id": "Pendulum-v1",
        "suits": False,
        "reason": "Pendulum-v1 has continuous actions.",
        "install": "",
    },
]


def teach(client: FakeClient) -> None:
    """Let a fake engine answer everything that the window asks at its start."""
    client.answers["describe"] = lambda arguments: CARD.to_dict()
    client.answers["environments"] = lambda arguments: {"rows": ENVIRONMENTS}
    client.answers["recent"] = lambda arguments: {"rows": []}
    client.answers["history"] = lambda arguments: {}
    client.answers["episodes"] = lambda arguments: {}
    client.answers["evaluations"] = lambda arguments: {}
    client.answers["events"] = lambda arguments: {"events": []}
    client.answers["judge_episode"] = lambda arguments: judged(20)
    client.answers["frames"] = lambda arguments: {
        "frames": np.zeros(
            (arguments["last"] - arguments["first"] + 1, 40, 60, 3), np.uint8
        )[:: arguments.get("every", 1)]
    }


def judged(steps: int) -> dict[str, Any]:
    """An episode as the stage judges it."""
    q = np.linspace(0, 1, 2 * (steps + 1), dtype=np.float32).reshape(-1, 2)
    return {
        "q": q,
        "value": q.max(axis=1),
        "advantage": q - q.mean(axis=1, keepdims=True),
        "value_head": q.mean(axis=1),
        "td_error": np.linspace(-1, 1, steps),
        "rewards": np.ones(steps),
        "actions": np.zeros(steps, np.int64),
        "explored": np.zeros(steps, bool),
        "terminations": np.zeros(steps, bool),
        "truncations": np.zeros(steps, bool),
        "exact": True,
        "note": "",
    }


def status(state: str, **more: Any) -> TrainerStatus:
    """The trainer says where it is."""
    return TrainerStatus(state, **({"step": 100, "steps_budget": 1000} | more))


def session(configuration: Configuration, **more: Any) -> SessionStatus:
    """A session is open."""
    given = {"name": "run", "path": "/data/run.h5", "uuid": "u1", "live": True}
    return SessionStatus(**(given | {"configuration": configuration.to_json()} | more))


def episode(number: int, kind: str = "training") -> EpisodeFinished:
    """An episode has ended."""
    return EpisodeFinished(
        kind, number, 20 * number, 20 * number, 20, 20.0, True, number
    )


def scalars(name: str, steps: list[int], values: list[float]) -> Scalars:
    """Rows of one series."""
    columns = {
        "series": np.zeros(len(steps), np.int16),
        "step": np.array(steps, np.int64),
        "value": np.array(values),
        "wall_time": np.array(steps, np.float64),
        "update": np.array(steps, np.int64),
        "episode": np.array(steps, np.int64),
    }
    return Scalars([name], columns)
