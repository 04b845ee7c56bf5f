"""The episode at the cursor over its steps: value, reward, surprise, importance."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtWidgets import QMenu, QToolButton, QToolTip

from engine.contract.plain_text import visible
from rllab_gui.action_keys import action_letters
from rllab_gui.episode import BY_HAND
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.lane_film import FilmLane
from rllab_gui.plots.lane_kinds import (
    AnchoredLane,
    LineLane,
    MarkLane,
    RibbonLane,
    StemLane,
)
from rllab_gui.plots.lane_notes import Note, NotesLane
from rllab_gui.plots.lanes import Lane, TimeScale
from rllab_gui.plots.timeline import TimelineCanvas
from rllab_gui.resting import LONG_REST_MS, Resting
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import Episode, Key
from rllab_gui.views.limits import GLYPHS
from rllab_gui.views.step_words import no_step, picture_tip, step_words


class TimelineView(View):
    """Lanes over the steps; a click seeks, a drag scrubs, the pointer tells."""

    view_id = "timeline"
    title = "Timeline"
    about = (
        "The episode over its steps: V(s) = max_a Q(s,a), the reward, the surprise |δ| "
        "(how far the target was from the estimate) and the importance max Q − min Q "
        "(how much the choice of the action matters). Dice, and strokes where dice "
        "would meet, are actions that chance chose; where actions are too many to be "
        "told apart, their lane shows how often each was taken. Flags are bookmarks, "
        "forks are branches. Click seeks, drag scrubs, Shift and drag select steps to "
        "loop over, whose ends can be dragged; Ctrl and wheel zoom."
    )
    answers = True

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.plot = PlotFrame("timeline", self.title, context.theme)
        scale, theme = TimeScale(), context.theme
        self._film = FilmLane(theme, scale)
        self._pictures = Resting(context.link, "frames", self, rest_ms=LONG_REST_MS)
        context.episode.leaving.connect(self._pictures.drop)
        self._strip: dict[str, int] = {}
        self._value = LineLane("value", "V(s)\ndiscounted", theme, scale)
        self._reward = StemLane("reward", "reward", theme, scale)
        self._surprise = StemLane("surprise", "surprise\n|δ|", theme, scale)
        self._importance = AnchoredLane(
            "importance", "importance\nmax Q − min Q", theme, scale
        )
        self._actions = RibbonLane("actions", "actions", theme, scale)
        self._marks = MarkLane("marks", "marks", theme, scale)
        self._notes = NotesLane(theme, scale)
        self._reward.weight = 1
        lanes: tuple[Lane, ...] = (self._film, self._value, self._reward)
        lanes = (*lanes, self._surprise, self._importance, self._actions)
        lanes = (*lanes, self._marks, self._notes)
        self.canvas = TimelineCanvas(theme, lanes, scale)
        self.plot.set_canvas(self.canvas)
        self.plot.header.add(self._lane_button())
        self.adopt(self.plot)
        self._shown: Episode | None = None
        self._ghost: np.ndarray | None = None
        self._connect()

    def _connect(self) -> None:
        canvas, cursor = self.canvas, self.context.cursor
        canvas.seekAsked.connect(cursor.seek)
        canvas.selected.connect(cursor.select)
        canvas.selectionEnded.connect(self.context.noting.keep_loop)
        canvas.rangeShown.connect(self.refresh)
        canvas.hovered.connect(self._on_pointed)
        cursor.changed.connect(self._on_moved)
        cursor.playChanged.connect(lambda: canvas.set_loop(cursor.selection))
        self.context.notes.changed.connect(self._take_notes)
        self._pictures.changed.connect(self._on_pictures)
        self.plot.axisModeChanged.connect(self._on_mode)
        cursor.hovered.connect(self._on_ghost)
        self.context.episode.momentChanged.connect(self.refresh)
        self.context.episode.changed.connect(self.refresh)
        self.context.branches.ghost.changed.connect(self.refresh)

    def _lane_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("plot.timeline.lanes")
        button.setText("lanes")
        button.setProperty("role", "menu")
        button.setAutoRaise(True)
        button.setAccessibleName("Which lanes are shown")
        button.setToolTip("Choose which lanes are shown")
        menu = QMenu(button)
        for lane in self.canvas.lanes:
            action = menu.addAction(lane.title.replace("\n", " "))
            action.setObjectName(f"act.plot.timeline.lane.{lane.name}")
            action.setToolTip(f"Show the lane {lane.name}")
            action.setStatusTip(action.toolTip())
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(lane.setVisible)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def posOf(self, t: int) -> QPoint:
        """Where step ``t`` is, in pixels of this view; a click there seeks it."""
        return self.canvas.mapTo(self, self.canvas.posOf(t))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the view is one on the lanes."""
        at = self.canvas.mapFrom(self, event.position().toPoint())
        if self.canvas.rect().contains(at) and self._shown is not None:
            self.context.cursor.seek(self.canvas.step_at(QPointF(at)))

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """There is no judged episode."""
        if self.context.episode.moment is not None:
            return None
        guidance = "The timeline shows value, reward and surprise of every step."
        return no_step(self.context.episode, "No episode is chosen.", guidance)

    def draw(self) -> None:
        """Follow the moment; take in another episode."""
        moment = self.context.episode.moment
        assert moment is not None
        if moment.episode is not self._shown:
            self._take(moment.episode)
        self._show_ghost(self.context.branches.ghost.value)
        self._keep_in_view(moment.t)
        self._want_pictures(moment.episode)
        self.canvas.set_cursors(moment.t)
        self.plot.describe(self.words(moment.t))

    def _take(self, episode: Episode) -> None:
        another = self._shown is None or self._shown.key[2:] != episode.key[2:]
        self._shown = episode
        if another:
            self._film.clear()
        self._film.set_values(np.arange(episode.steps + 1))
        self._value.set_values(episode.value)
        self._reward.set_values(episode.rewards)
        self._surprise.signs = episode.td_error
        self._surprise.set_values(np.abs(episode.td_error))
        self._importance.set_values(episode.importance)
        self._actions.explored = episode.explored
        words = [episode.word(it) for it in range(episode.q.shape[1])]
        self._actions.letters = action_letters(words)
        self._actions.set_values(episode.actions)
        self._marks.marks = episode.marks
        self._marks.set_values(np.arange(episode.steps))
        self.canvas.overview.set_values(episode.value)
        self.canvas.set_last(episode.steps)
        self.plot.set_auto(True)
        self._explain(episode)
        self._take_notes()

    def _take_notes(self) -> None:
        """Bookmarks and branches of the recorded episode that is shown."""
        if self._shown is None:
            return
        notes, position = self.context.notes, self.context.cursor.position
        where = (position.kind, position.episode)
        found = [Note(it.t, visible(it.text)) for it in notes.bookmarks_of(*where)]
        forks = notes.branches_of(*where)
        found += [Note(it.t, visible(it.name), True) for it in forks]
        self._notes.set_values(np.arange(self._shown.steps + 1))
        self._notes.set_notes(found)

    def _want_pictures(self, episode: Episode) -> None:
        """Ask for the film strip once no person moves any more, if it can be seen."""
        session, _, kind, number = episode.key
        if not self._film.isVisible() or self._by_hand():
            return
        self._strip = self._film.wanted(episode.steps)
        which = {"kind": kind, "episode": number} | self._strip
        here = self._pictures.want(session, which)
        if here and not self._film.steps:
            self._on_pictures()  # asked for before another episode was looked at

    def _on_moved(self) -> None:
        """The picture that a person wants now comes before the strip."""
        if self._pictures.busy and self.context.cursor.mode == "paused":
            self._pictures.drop()
            self.refresh()

    def _by_hand(self) -> bool:
        return self.context.cursor.position.branch == BY_HAND

    def _on_pictures(self) -> None:
        found = self._pictures.answer
        if self._pictures.problem:
            self._film.refuse(self._pictures.problem)
        elif found:
            self._film.take(self._strip["first"], self._strip["every"], found["frames"])

    def _show_ghost(self, value: np.ndarray | None) -> None:
        """V(s) of the other arm of a branch, dashed."""
        if value is not self._ghost:
            self._ghost = value
            self._value.other = np.empty(0) if value is None else value
            self._value.redraw()

    def _explain(self, episode: Episode) -> None:
        self.plot.set_model(
            t=np.arange(len(episode.value)),
            value=episode.value,
            reward=episode.rewards,
            surprise=np.abs(episode.td_error),
            importance=episode.importance,
            action=episode.actions,
            explored=episode.explored,
        )
        tokens = self.context.theme.tokens
        found = set(episode.marks)
        legend = [
            ("│", tokens.good, "δ ≥ 0: better"),
            ("│", tokens.bad, "δ < 0: worse"),
        ]
        legend += [("⚄│", tokens.warning, "exploratory")]
        legend += [
            (glyph, tokens.text, words.split(":")[0])
            for glyph, words in GLYPHS.items()
            if glyph in found and glyph not in "?="
        ]
        self.plot.set_legend(legend_html(legend))
        self.canvas.setAccessibleName("Timeline of the episode")
        kind, number = episode.key[2], episode.key[3]
        self.plot.set_caption(
            f"{kind} episode {number}, {episode.steps} steps; V(s) = max Q is a "
            f"discounted return, rewards are raw; n = 1 episode. {episode.note}"
        )

    def words(self, t: int) -> str:
        """Everything that the lanes show at this step, in one line."""
        if self._shown is None:
            return ""
        return ", ".join(step_words(self._shown, t, self._notes.words(t)))

    def _keep_in_view(self, t: int) -> None:
        """Turn the page where the cursor has left a zoomed timeline."""
        scale = self.canvas.scale
        span = scale.last - scale.first
        if t < scale.first:
            self.canvas.show_range(max(t - 0.9 * span, 0.0), max(t + 0.1 * span, span))
        elif t > scale.last:
            end = min(t + 0.9 * span, float(self.canvas.last))
            self.canvas.show_range(end - span, end)

    def _on_pointed(self, t: int) -> None:
        self.context.cursor.hover(t)
        if t >= 0 and self._shown is not None:
            lines = step_words(self._shown, t, self._notes.words(t))
            words = picture_tip(lines, self._picture_of(t))
            QToolTip.showText(QCursor.pos(), words, self.canvas)

    def _picture_of(self, t: int) -> np.ndarray | None:
        """The very picture of this step, if it has been fetched for something else."""
        here = self.context.episode.data
        same = here is not None and here.key == self._shown_key()
        return self.context.episode.frame(t) if same else None

    def _shown_key(self) -> Key | None:
        return self._shown.key if self._shown is not None else None

    def _on_ghost(self, t: int) -> None:
        at = self.context.episode.moment
        ghost = float(t) if t >= 0 else math.nan
        self.canvas.set_cursors(at.t if at is not None else math.nan, ghost)

    def _on_mode(self, mode: str) -> None:
        if mode == "auto":
            self.canvas.show_range(0, self.canvas.last)

    def restyle(self) -> None:
        """Take over sizes and colours."""
        self.canvas.restyle()
        if self._shown is not None:
            self._explain(self._shown)
