"""A recorded episode as a film, alone or with its panels."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from engine.media import Panels, Scene, compose, open_film
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import AS_RECORDED
from engine.stage.jobs import Job, Priority, Wish
from engine.stage.questions.frames import episode_frames
from engine.stage.questions.judge_episode import judge

AT_ONCE = 8


class RecordArguments(Arguments, frozen=True):
    """Which episode, where to, and how.

    ``format`` is mp4, gif or png; empty takes the suffix of ``path``. ``panels`` are
    words with commas out of title, q and value, or True for all of them; False or
    empty records the picture alone.
    ``speed`` is in times of the environment's own frame rate.
    """

    kind: Literal["training", "evaluation", "branch"]
    episode: int
    path: str
    format: str = ""
    panels: bool | str = True
    theme: Literal["light", "dark"] = "light"
    checkpoint_step: int = AS_RECORDED
    first: int = 0
    last: int = -1
    speed: float = 1.0


def _answer(context: Context, arguments: RecordArguments, asker: Asker) -> Job:
    job = f"record.{asker.id}"
    work = _film(context, arguments, job)
    count = yield from context.told(job, work, arguments.path)
    return {"path": arguments.path, "frames": count, "job": job}


def _film(
    context: Context, arguments: RecordArguments, job: str
) -> Generator[Wish, Any, int]:
    panels = chosen_panels(arguments.panels)
    session = context.archive.session()
    if not 0.05 <= arguments.speed <= 50:
        raise QuestionError("The speed of a film is a number from 0.05 to 50.")
    context.progress(job, 0.0, "looking at the episode")
    judged = yield from judge(
        context, arguments.kind, arguments.episode, arguments.checkpoint_step
    )
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    end = len(record["actions"])
    last = end if arguments.last < 0 else min(arguments.last, end)
    steps = range(max(0, arguments.first), last + 1)
    title = f"{session.card.id}, {arguments.kind} episode {arguments.episode:,}"
    fps = session.card.frame_rate * arguments.speed
    with open_film(Path(arguments.path), fps, arguments.format) as film:
        for start in range(0, len(steps), AT_ONCE):
            part = steps[start : start + AT_ONCE]
            frames, _, _ = yield from episode_frames(context, session, record, part)
            for t, frame in zip(part, frames, strict=True):
                scene = episode_scene(judged, t, title)
                film.add(compose(frame, scene, panels, arguments.theme))
                yield None
            share = film.frames / len(steps)
            text = f"{film.frames:,} of {len(steps):,} pictures"
            context.progress(job, min(share, 0.99), text)
    return film.frames


def chosen_panels(wanted: bool | str) -> Panels:
    """Panels by words, or all or none of them; raises MediaProblem."""
    if isinstance(wanted, str):
        return Panels.of(wanted)
    return Panels() if wanted else Panels.of("")


def episode_scene(judged: Mapping[str, Any], t: int, title: str) -> Scene:
    """What belongs to step ``t`` of a judged episode."""
    q, actions = judged["q"], judged["actions"]
    finite = q[np.isfinite(q)]
    ended = t >= len(actions)
    silent = ended or not judged["explored_known"]
    reason = "" if silent else "explored" if judged["explored"][t] else "greedy"
    by = judged["judged_by"]
    weights = "as recorded" if judged["recorded"][t] else f"checkpoint {by:,}"
    end = (
        "" if not ended else "truncated" if judged["truncations"][-1] else "terminated"
    )
    total = float(judged["rewards"][:t].sum())
    why = reason or end or "action as recorded"
    caption = f"t {t:,} · rewards so far {total:.4g} · {why} · {weights}"
    return Scene(
        title=title,
        caption=caption,
        q=q[t] if np.isfinite(q[t]).any() else np.zeros(0, np.float32),
        q_range=(float(finite.min()), float(finite.max())) if finite.size else (0, 1),
        action=-1 if ended else int(actions[t]),
        reason=reason,
        action_names=tuple(judged["action_names"]),
        values=judged["value"],
        t=t,
    )


RECORD = Question("record", RecordArguments, _answer, Priority.FILM)
