"""Showing one configuration's agent to whoever looks."""

from __future__ import annotations

import math
import traceback
from collections.abc import Generator
from typing import Any

import numpy as np
from msgspec.structs import replace

from engine.contract.messages import Picture, Problem, SetViewer, Solved, Weights
from engine.contract.options import (
    Configuration,
    ConfigurationError,
    configuration_from_json,
    specs,
)
from engine.environments import UnknownEnvironment, UnsuitableEnvironment
from engine.media import MediaProblem
from engine.stage.archive import Archive
from engine.stage.audience import Audience
from engine.stage.jobs import JobQueue, Priority, Send, Wish
from engine.stage.live_film import LiveFilm
from engine.stage.minds import LearnerLibrary, Mind, WrongWeights
from engine.stage.player import INSIDE, NEVER, Player
from engine.stage.world import WorldProblem

OWNER = "show"
NOBODY_PAINTS_S = 1.0
PROBLEM = "stage.environment.failed"


class Show:
    """The player, its network, and the weights that it should have.

    First comes a picture of random actions, then torch, then the untrained network,
    then whatever weights are sent.
    """

    def __init__(
        self,
        send: Send,
        *,
        jobs: JobQueue,
        archive: Archive,
        audience: Audience,
        library: LearnerLibrary,
        film: LiveFilm,
    ) -> None:
        self._send, self._jobs, self._archive = send, jobs, archive
        self._audience, self._library, self._film = audience, library, film
        self._configuration: Configuration | None = None
        self._player: Player | None = None
        self._viewer = SetViewer()
        self._weights: Weights | None = None
        self._pinned = self._failed = False
        self._repeat = True
        self._painted_at = -math.inf

    @property
    def mind(self) -> Mind | None:
        """Who chooses for the shown agent; None before there is a network."""
        return self._player.mind if self._player else None

    @property
    def frame_rate(self) -> float:
        """Pictures per second; 0 where nothing is shown."""
        if self._player is None:
            return 0.0
        return self._player.world.frame_rate * (self._viewer.speed or 1.0)

    # ------------------------------------------------------------ what is shown

    def begin(self, text: str) -> Configuration | None:
        """Show this configuration's agent, untrained; None if that is impossible."""
        self.close()
        self._weights, self._pinned, self._repeat = None, False, True
        try:
            configuration = configuration_from_json(text)
            self._player = Player(
                configuration.environment, configuration.training.seed
            )
        except WorldProblem as error:
            self._fail(error.problem)
            return None
        except (ConfigurationError, UnknownEnvironment, UnsuitableEnvironment) as error:
            self._fail(Problem(PROBLEM, str(error)))
            return None
        if self._failed:
            self._failed = False
            self._send(Solved(PROBLEM), "windows")
        self._configuration = configuration
        self._player.viewer = self._viewer
        card = self._player.world.card
        self._film.title, self._film.action_names = card.id, card.action_names
        opened = self._archive.open
        if opened is not None and opened.was_run_with(configuration):
            self._jobs.start(
                self._newest_checkpoint(), Priority.QUESTION, _ignore, _ignore, OWNER
            )
        return configuration

    def close(self) -> None:
        """Show nothing."""
        self._jobs.cancel(OWNER)
        if self._film.running:
            self._end_film()
        if self._player is not None:
            self._player.close()
        self._player = self._configuration = None

    def set_viewer(self, viewer: SetViewer) -> None:
        """Change speed, pause or epsilon."""
        self._viewer = viewer
        if self._player is not None:
            self._player.viewer = viewer

    def repeat(self) -> None:
        """Send the present picture even if nothing has moved."""
        self._repeat = True

    # ------------------------------------------------------------------ weights

    def grow(self) -> bool:
        """Give the player a network if torch is there; whether it has one."""
        if self._player is None or self._configuration is None:
            return False
        if self._player.mind is not None:
            return True
        if self._library.error is not None or not self._library.ready:
            self._begin_import()
            return False
        self._player.mind = self.another_mind()
        if self._weights is not None:
            self._take(self._weights)
        return self._player.mind is not None

    def another_mind(self) -> Mind | None:
        """A network for the shown configuration, untrained; None where impossible."""
        assert self._player is not None
        assert self._configuration is not None
        try:
            return Mind(self._configuration, self._player.world.card)
        except ConfigurationError as error:
            self._fail(Problem(PROBLEM, str(error)))
            self._configuration = None
            return None

    def on_weights(self, weights: Weights) -> None:
        """The trainer has newer ones."""
        if not self._pinned:
            self._take(weights)

    def set_option(self, key: str, value: Any) -> None:
        """A live option of the run has changed."""
        if not self._pinned:
            self._set({key: value})

    def _set(self, changes: dict[str, Any]) -> None:
        if self._configuration is None:
            return
        try:
            changed = self._configuration.with_options(changes)
            if self.mind is not None:
                self.mind.configure(changed)
        except ConfigurationError:
            # Refused by who was asked to change it, or of an agent of another form.
            return
        self._configuration = changed

    def show_weights(
        self,
        step: int,
        arrays: dict[str, np.ndarray],
        pin: bool,
        configuration: Configuration,
    ) -> None:
        """Play with these, and with the live options of ``configuration``.

        Pinned ones stay when the trainer sends newer ones.
        """
        live = [key for key, it in specs().items() if it.applies == "live"]
        self._set({key: configuration.get(key) for key in live})
        self._pinned = pin
        self._take(Weights(step, 0, arrays))

    def follow_training(self) -> None:
        """Take the trainer's weights again."""
        self._pinned = False

    def _take(self, weights: Weights) -> None:
        self._weights = weights
        if self.mind is None:
            return
        try:
            self.mind.load(weights.step, weights.arrays)
        except WrongWeights:
            # The last words of a run that was shown before; its successor's come.
            self._weights = None

    def _newest_checkpoint(self) -> Generator[Wish, Any, None]:
        """An opened session's agent plays with its newest weights."""
        opened = self._archive.session()
        steps = yield from self._archive.checkpoint_steps()
        if not steps:
            return
        arrays = yield from self._archive.weights(opened, steps[-1])
        if self._weights is None:
            self._take(Weights(steps[-1], 0, arrays))

    def _begin_import(self) -> None:
        """Import torch, but not before the first picture is out.

        A window says what it wants a moment after it has said what to show, so
        nothing is imported for nobody, unless there are weights to be judged.
        """
        painted = self._painted_at > -math.inf
        elsewhere = self._audience.anybody and not self._audience.wants("picture")
        if painted or elsewhere or self._weights is not None:
            self._library.load()
        if self._library.error is not None and not self._failed:
            error = self._library.error
            details = "".join(traceback.format_exception(error))
            self._fail(
                Problem(
                    "stage.torch",
                    f"The learner could not be loaded: {error}.",
                    fix="Install the lab again.",
                    details=details,
                ),
                stop=False,
            )

    # ------------------------------------------------------------------ pictures

    def play(self, now: float) -> float:
        """Move on and send what is due; seconds until something is due again."""
        player = self._player
        if player is None or not self._looked_at(now):
            return NEVER
        try:
            moved = player.advance(now, self._film_step if self._film.running else None)
            ready = self._audience.ready()
            if ready and (moved or self._repeat):
                self._paint(player.picture(), ready, now)
        except WorldProblem as error:
            self._fail(error.problem)
            return NEVER
        return player.wait_s(now) if player.viewer.speed or ready else NEVER

    def _looked_at(self, now: float) -> bool:
        """Whether it is worth moving: somebody shows it and paints, or films it."""
        if self._audience.ready() or (self._film.running and self._viewer.speed):
            return True
        waits = self._audience.wants("picture") and self._viewer.speed
        return bool(waits) and now - self._painted_at < NOBODY_PAINTS_S

    def _paint(self, picture: Picture, windows: list[str], now: float) -> None:
        for window in windows:
            self._send(_for(picture, self._audience.topics(window)), window)
            self._audience.spend(window)
        self._repeat = False
        self._painted_at = now

    def _film_step(self) -> None:
        assert self._player is not None
        self._film.add(self._player.picture())

    def _end_film(self) -> None:
        """What was filmed so far is kept when the show changes."""
        try:
            self._film.stop()
        except MediaProblem as error:
            self._send(Problem("stage.film.failed", str(error)), "windows")

    def _fail(self, problem: Problem, *, stop: bool = True) -> None:
        self._failed = True
        self._send(problem, "windows")
        if stop and self._player is not None:
            self._player.close()
            self._player = None


def _for(picture: Picture, topics: frozenset[str]) -> Picture:
    """The picture with what is wanted of its inside: it may be large."""
    if not picture.inside:
        return picture
    inside = {k: it for k, it in picture.inside.items() if INSIDE[k] in topics}
    return replace(picture, inside=inside)


def _ignore(_: object) -> None:
    """Without a checkpoint the agent is shown untrained, which the badge says."""
