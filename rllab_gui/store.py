"""What has arrived from the engine; the only place that views read live data from."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import (
    EmbeddingReport,
    EpisodeFinished,
    EvaluationFinished,
    Event,
    MemoryReport,
    Picture,
    PriorityReport,
    Scalars,
    SessionStatus,
    TimeReport,
    TrainerStatus,
)
from engine.contract.options import (
    Configuration,
    OptionHistory,
    configuration_from_json,
)
from rllab_gui.link import Link
from rllab_gui.series import Columns, Series

EVENTS_KEPT = 5_000
TIMES_KEPT = 600
HISTORY = (
    "return",
    "length",
    "loss",
    "td_error",
    "td_error_max",
    "gradient_norm",
    "epsilon",
    "learning_rate",
    "beta",
    "q_mean",
    "q_max",
    "replay_size",
)
"""Series that are fetched when a session is opened or attached; others that it has
are asked for by name."""
NOTHING = Series()


class Store(QObject):
    """Rings of everything live, filled from the keeper's history on opening.

    Attributes:
      configuration: That the open session was started with; before one is open, what
        the form says. Live options may be others since: see :meth:`options_at`.
      card: Describes the environment of ``configuration``, None until known.
      live_card: Describes the environment of ``picture``; the same, except while
        another preset is tried out beside an open session.
      status, session, picture, priorities, embedding, memory: Newest of their kind.
      times: Where the time went, oldest first, as long as somebody looked.
      episodes: Finished episodes, oldest first; events likewise.
      evaluations: By ascending step of the weights.

    Signals:
      seriesChanged(str): This series has got rows.
      episodesChanged(), evaluationsChanged(), eventsChanged(): Lists have grown.
      statusChanged(), sessionChanged(), pictureChanged(), prioritiesChanged(),
      embeddingChanged(), accountChanged(), cardChanged(), configurationChanged():
      Newest is another.
      optionsChanged(): A live option has changed, or it is known that one had.
      wasReset(): Another session is open; everything before it is gone.
      wentBack(int): The run is back at this step; what came after it comes again.
    """

    seriesChanged = Signal(str)
    episodesChanged = Signal()
    evaluationsChanged = Signal()
    eventsChanged = Signal()
    statusChanged = Signal()
    sessionChanged = Signal()
    pictureChanged = Signal()
    prioritiesChanged = Signal()
    embeddingChanged = Signal()
    accountChanged = Signal()
    cardChanged = Signal()
    configurationChanged = Signal()
    optionsChanged = Signal()
    wasReset = Signal()
    wentBack = Signal(int)

    def __init__(self, link: Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.status = TrainerStatus("idle")
        self.session = SessionStatus()
        self.picture: Picture | None = None
        self.card: EnvironmentCard | None = None
        self.live_card: EnvironmentCard | None = None
        self.configuration = Configuration()
        self._clear()
        link.statusChanged.connect(self._on_status)
        link.sessionChanged.connect(self._on_session)
        link.pictureArrived.connect(self._on_picture)
        link.scalarsArrived.connect(self._on_scalars)
        link.episodeFinished.connect(self._on_episode)
        link.evaluationFinished.connect(self._on_evaluation)
        link.eventHappened.connect(self._on_event)
        link.priorityReported.connect(self._on_priorities)
        link.embeddingReported.connect(self._on_embedding)
        link.timeReported.connect(self._on_times)
        link.memoryReported.connect(self._on_memory)

    def _clear(self) -> None:
        self._series: dict[str, Series] = {}
        self.episodes: deque[EpisodeFinished] = deque(maxlen=EVENTS_KEPT)
        self.evaluations: list[EvaluationFinished] = []
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._options = OptionHistory(self.configuration)
        self.priorities: PriorityReport | None = None
        self.embedding: EmbeddingReport | None = None
        self.times: deque[TimeReport] = deque(maxlen=TIMES_KEPT)
        self.memory: MemoryReport | None = None

    def series(self, name: str) -> Columns:
        """Rows of a measured series; empty where nothing has arrived yet."""
        return self._series.get(name, NOTHING).columns()

    def series_names(self) -> list[str]:
        """Series of which something has arrived."""
        return list(self._series)

    def set_card(self, card: EnvironmentCard | None) -> None:
        """Say what is known of the environment of ``configuration``."""
        self.card = card
        self.cardChanged.emit()

    def set_live_card(self, card: EnvironmentCard | None) -> None:
        """Say what is known of the environment that pictures come from."""
        self.live_card = card
        self.cardChanged.emit()

    def set_configuration(self, configuration: Configuration) -> None:
        """Say which configuration is looked at."""
        if configuration != self.configuration:
            self.configuration = configuration
            self._options = OptionHistory(configuration, self.events)
            self.configurationChanged.emit()

    def options_at(self, step: int | None = None) -> Configuration:
        """The options in force after this training step; without: those of now."""
        return self._options.at(step)

    # ------------------------------------------------------------ what arrives

    def _on_status(self, status: TrainerStatus) -> None:
        self.status = status
        self.statusChanged.emit()

    def _on_picture(self, picture: Picture) -> None:
        self.picture = picture
        self.pictureChanged.emit()

    def _on_scalars(self, scalars: Scalars) -> None:
        index = scalars.columns["series"]
        for number, name in enumerate(scalars.names):
            rows = index == number
            if rows.any():
                picked = {
                    key: column[rows]
                    for key, column in scalars.columns.items()
                    if key != "series"
                }
                if name not in self._series:
                    self._series[name] = Series()
                self._series[name].append(**picked)
                self.seriesChanged.emit(name)

    def _on_episode(self, episode: EpisodeFinished) -> None:
        self.episodes.append(episode)
        self.episodesChanged.emit()

    def _on_evaluation(self, evaluation: EvaluationFinished) -> None:
        """The newest weights are evaluated first, so older ones may come later."""
        # Arrays as they come keep the whole message.
        own = {it: getattr(evaluation, it).copy() for it in ("returns", "lengths")}
        insort(self.evaluations, replace(evaluation, **own), key=lambda it: it.step)
        self.evaluationsChanged.emit()

    def _on_event(self, event: Event) -> None:
        self.events.append(event)
        self.eventsChanged.emit()
        self._note_options([event])

    def _note_options(self, events: Iterable[Event]) -> None:
        before = self._options.count()
        for event in events:
            self._options.note(event)
        if self._options.count() != before:
            self.optionsChanged.emit()

    def _cut(self, step: int) -> None:
        """The run is back at this step, and measures what came after it again."""
        for name, series in self._series.items():
            series.cut(step)
            self.seriesChanged.emit(name)
        kept = [it for it in self.episodes if it.step <= step]
        self.episodes = deque(kept, maxlen=EVENTS_KEPT)
        self.evaluations = [it for it in self.evaluations if it.step <= step]
        self._options.cut(step)
        self.episodesChanged.emit()
        self.evaluationsChanged.emit()
        self.optionsChanged.emit()
        self.wentBack.emit(step)

    def _is_of_session(self, run: str) -> bool:
        """Whether a report is about the open session; see ``TimeReport.run``."""
        return run == self.session.uuid

    def _on_priorities(self, report: PriorityReport) -> None:
        if self._is_of_session(report.run):
            self.priorities = report
            self.prioritiesChanged.emit()

    def _on_embedding(self, report: EmbeddingReport) -> None:
        self.embedding = report
        self.embeddingChanged.emit()

    def _on_times(self, report: TimeReport) -> None:
        if not self._is_of_session(report.run):
            return
        if not self.times or self.times[-1] != report:  # a pause repeats itself
            self.times.append(report)
        self.accountChanged.emit()

    def _on_memory(self, report: MemoryReport) -> None:
        if self._is_of_session(report.run):
            self.memory = report
            self.accountChanged.emit()

    # -------------------------------------------------------- another session

    def _on_session(self, session: SessionStatus) -> None:
        another = session.uuid != self.session.uuid
        back = session.cuts != self.session.cuts
        self.session = session
        if another:
            self._clear()
            if session.configuration:
                self.set_configuration(configuration_from_json(session.configuration))
            self.wasReset.emit()
            if session.uuid:
                self._fetch()
        elif back:
            self._cut(session.durable_step)
        self.sessionChanged.emit()

    def _fetch(self) -> None:
        """Ask the keeper for what was measured before this window looked."""
        uuid = self.session.uuid
        self._fetch_series(HISTORY)
        self._link.ask(
            "series",
            {},
            partial(self._on_names, uuid),
            lambda sentence: None,  # nothing was measured
        )
        self._link.ask("events", {}, partial(self._on_old_events, uuid))
        self._link.ask(
            "evaluations",
            {},
            partial(self._on_old_evaluations, uuid),
            lambda sentence: None,  # none was made
        )

    def _on_names(self, uuid: str, answer: dict[str, Any]) -> None:
        if uuid == self.session.uuid:
            names = map(str, answer.get("series", ()))
            self._fetch_series(it for it in names if it not in HISTORY)

    def _fetch_series(self, names: Iterable[str]) -> None:
        uuid = self.session.uuid
        for name in names:
            self._link.ask(
                "history",
                {"series": name},
                partial(self._on_history, uuid, name),
                lambda sentence: None,  # a series that was never measured
            )

    def _on_history(self, uuid: str, name: str, rows: dict[str, Any]) -> None:
        if uuid != self.session.uuid or not len(rows.get("step", ())):
            return
        columns = {key: np.asarray(it) for key, it in rows.items() if key != "series"}
        self._series.setdefault(name, Series()).prepend(**columns)
        self.seriesChanged.emit(name)

    def _on_old_evaluations(self, uuid: str, rows: dict[str, Any]) -> None:
        if uuid != self.session.uuid or not len(rows.get("step", ())):
            return
        known = {it.step for it in self.evaluations}
        clocks = zip(rows["step"], rows["update"], rows["wall_time"], strict=True)
        old = [
            EvaluationFinished(
                int(step),
                int(update),
                np.array(rows["returns"][at], np.float64),  # no view: it keeps all
                np.array(rows["lengths"][at]),
                bool(rows["best"][at]),
                float(wall_time),
            )
            for at, (step, update, wall_time) in enumerate(clocks)
        ]
        self.evaluations += [it for it in old if it.step not in known]
        self.evaluations.sort(key=lambda it: it.step)
        self.evaluationsChanged.emit()

    def _on_old_events(self, uuid: str, rows: dict[str, Any]) -> None:
        if uuid != self.session.uuid:
            return
        old = [Event(**row) for row in rows.get("events", ())]
        first = self.events[0].wall_time if self.events else float("inf")
        self.events.extendleft(it for it in reversed(old) if it.wall_time < first)
        self.eventsChanged.emit()
        self._note_options(old)
