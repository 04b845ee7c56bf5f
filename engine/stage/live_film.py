"""A film of the shown agent as it plays."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np

from engine.contract.messages import JobProgress, Picture, Problem
from engine.media import Film, MediaProblem, Panels, Scene, compose, open_film
from engine.stage.jobs import Send

JOB = "record.live"
TELL_EVERY = 25
SHOWN_VALUES = 400


class LiveFilm:
    """Takes each picture of the shown agent while it runs.

    Attributes:
      action_names, title: Of the shown environment.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._film: Film | None = None
        self._panels, self._theme = Panels(), "light"
        self._values: deque[float] = deque(maxlen=SHOWN_VALUES)
        self._range = (0.0, 0.0)
        self.action_names: tuple[str, ...] = ()
        self.title = ""

    @property
    def running(self) -> bool:
        """Whether pictures are wanted."""
        return self._film is not None

    def start(
        self, path: str, kind: str, fps: float, panels: Panels, theme: str
    ) -> None:
        """Begin; raises MediaProblem if it cannot be written or one runs already."""
        if self._film is not None:
            raise MediaProblem(
                f"The film '{self._film.path.name}' is being recorded. Stop it first."
            )
        self._film = open_film(Path(path), fps, kind)
        self._panels, self._theme = panels, theme
        self._values.clear()
        self._range = (0.0, 0.0)
        self._tell("recording")

    def add(self, picture: Picture) -> None:
        """Take a picture; a film that cannot go on ends with a problem."""
        if self._film is None:
            return
        scene = self._scene(picture)
        try:
            self._film.add(compose(picture.frame, scene, self._panels, self._theme))
        except MediaProblem as error:
            self._give_up(error)
            return
        if self._film.frames % TELL_EVERY == 0:
            self._tell(f"{self._film.frames:,} pictures")

    def stop(self) -> tuple[str, int]:
        """Complete it; its path and number of pictures.

        Raises:
          MediaProblem: If nothing was recorded or it cannot be written.
        """
        if self._film is None:
            raise MediaProblem("Nothing is being recorded.")
        film, self._film = self._film, None
        try:
            film.finish()
        except MediaProblem as error:
            self._done(str(error))
            raise
        self._done("done", str(film.path))
        return str(film.path), film.frames

    def cancel(self) -> None:
        """Throw it away; does nothing where none runs."""
        if self._film is not None:
            film, self._film = self._film, None
            film.abandon()
            self._done("cancelled")

    def _give_up(self, error: MediaProblem) -> None:
        self._film = None
        self._done(str(error))
        self._send(Problem("stage.film.failed", str(error)), "windows")

    def _scene(self, picture: Picture) -> Scene:
        if picture.t == 0:
            self._values.clear()
        self._values.append(float(picture.q.max()) if picture.q.size else np.nan)
        finite = picture.q[np.isfinite(picture.q)]
        if finite.size:
            low, high = self._range
            self._range = min(low, float(finite.min())), max(high, float(finite.max()))
        words = {-2: "no network yet", -1: "untrained"}
        which = words.get(
            picture.checkpoint_step, f"checkpoint {picture.checkpoint_step:,}"
        )
        caption = (
            f"t {picture.t:,} · rewards so far {picture.reward_sum:.4g} · "
            f"{picture.ended or picture.reason} · {which}"
        )
        return Scene(
            title=self.title,
            caption=caption,
            q=picture.q,
            q_range=self._range,
            action=picture.action,
            reason=picture.reason,
            action_names=self.action_names,
            values=np.array(self._values),
            t=len(self._values) - 1,
        )

    def _tell(self, text: str) -> None:
        self._send(JobProgress(JOB, 0.0, text), "windows")

    def _done(self, text: str, result: str = "") -> None:
        progress = JobProgress(JOB, 1.0 if result else 0.0, text, True, result)
        self._send(progress, "windows")
