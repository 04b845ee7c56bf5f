"""Several checkpoints on the seed of one episode, side by side in one film."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from engine.media import Panels, Scene, compose, even, fitted, open_film, scaled
from engine.stage.archive import Session
from engine.stage.branching import Line, Policy, Root, Run, continue_job
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import Weights
from engine.stage.jobs import Job, Priority, Wish
from engine.stage.replays import Replay

MOST = 6
"""Checkpoints in one film."""
WIDEST = 1920
LINE, GREY = 2, 128
MOST_STEPS = 10_000
PANE = Panels(title=True, q=False, value=False)


class SideBySideArguments(Arguments, frozen=True):
    """Whose seed, by which checkpoints, and where to; see ``RecordArguments``.

    Each checkpoint plays greedily from the first step of the episode, with the random
    numbers of the environment as they were there.
    """

    kind: Literal["training", "evaluation"]
    episode: int
    checkpoints: list[int]
    path: str
    format: str = ""
    theme: Literal["light", "dark"] = "light"
    speed: float = 1.0


class _Pane(NamedTuple):
    """What one checkpoint did, and the environment in which it is drawn."""

    step: int
    run: Run
    replay: Replay

    @property
    def length(self) -> int:
        return len(self.run.actions)


def _answer(context: Context, arguments: SideBySideArguments, asker: Asker) -> Job:
    job = f"record.{asker.id}"
    work = _film(context, arguments, job)
    result = yield from context.told(job, work, arguments.path)
    return result | {"path": arguments.path, "job": job}


def _film(
    context: Context, arguments: SideBySideArguments, job: str
) -> Generator[Wish, Any, dict[str, Any]]:
    """Returns ``frames``, and ``steps`` and ``returns`` of the checkpoints."""
    session = context.archive.session()
    if not 0.05 <= arguments.speed <= 50:
        raise QuestionError("The speed of a film is a number from 0.05 to 50.")
    steps = yield from _steps(context, arguments.checkpoints)
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    fps = session.card.frame_rate * arguments.speed
    with ExitStack() as open_worlds:
        panes = []
        for step in steps:
            context.progress(job, 0.0, f"checkpoint {step:,} plays")
            run = yield from _played(context, session, record, step)
            replay = Replay(
                session.configuration.environment,
                {"seed": record["seed"], "actions": run.actions},
                render=True,
            )
            open_worlds.callback(replay.close)
            panes.append(_Pane(step, run, replay))
        count = max(it.length for it in panes) + 1
        with open_film(Path(arguments.path), fps, arguments.format) as film:
            latest: list[np.ndarray] = [np.empty(0)] * len(panes)
            for t in range(count):
                for index, pane in enumerate(panes):
                    if t <= pane.length:
                        latest[index] = _drawn(pane, t, arguments.theme)
                        yield None
                film.add(_beside(latest))
                text = f"{film.frames:,} of {count:,} pictures"
                context.progress(job, min(film.frames / count, 0.99), text)
    returns = [float(sum(it.run.rewards)) for it in panes]
    return {"frames": count, "steps": steps, "returns": returns}


def _steps(context: Context, wanted: Sequence[int]) -> Generator[Wish, Any, list[int]]:
    """The kept checkpoints that were named, in their order.

    Raises:
      QuestionError: If there are too few or too many, or one is not kept.
    """
    steps = sorted(set(wanted))
    if not 2 <= len(steps) <= MOST:
        raise QuestionError(f"Side by side stand 2 to {MOST} checkpoints.")
    kept = yield from context.archive.checkpoint_steps()
    missing = [it for it in steps if it not in kept]
    if missing:
        near = sorted(kept, key=lambda it: abs(it - missing[0]))[:3]
        raise QuestionError(
            f"There is no checkpoint of step {missing[0]:,}; the nearest are of steps "
            f"{', '.join(f'{it:,}' for it in sorted(near))}."
        )
    return steps


def _played(
    context: Context, session: Session, record: dict[str, Any], step: int
) -> Generator[Wish, Any, Run]:
    arrays = yield from context.archive.weights(session, step)
    session = yield from context.archive.as_of(session, step)
    mind = yield from context.minds.mind(session.configuration, session.card)
    root = Root(session.configuration.environment, record, 0)
    policy = Policy(mind, Weights(step, arrays))
    most = session.card.max_episode_steps or MOST_STEPS
    runs = yield from continue_job(root, [Line(())], policy, most, lambda share: None)
    return runs[0]


def _drawn(pane: _Pane, t: int, theme: str) -> np.ndarray:
    pane.replay.go_on()
    total = sum(pane.run.rewards[:t])
    end = "" if t < pane.length else _end(pane.run)
    scene = Scene(
        title=f"step {pane.step:,}", caption=f"t {t:,} · return {total:.4g}{end}"
    )
    return compose(pane.replay.world.render(), scene, PANE, theme)


def _end(run: Run) -> str:
    if run.terminated:
        return " · terminated"
    return " · truncated" if run.truncated else " · cut off"


def _beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """With a thin line between them, no wider than a screen."""
    line = np.full((pictures[0].shape[0], LINE, 3), GREY, np.uint8)
    lined = [line] * (2 * len(pictures) - 1)
    lined[::2] = pictures
    whole = np.concatenate(lined, axis=1)
    return even(scaled(whole, fitted((whole.shape[0], whole.shape[1]), WIDEST)))


RECORD_SIDE_BY_SIDE = Question(
    "record_side_by_side", SideBySideArguments, _answer, Priority.FILM
)
