"""What the benchmarks do to the window, by clicks and keys, and what they then see."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QToolButton, QWidget

from rllab_gui.main_window import MainWindow
from rllab_gui.views.agent import AgentView
from rllab_gui.views.curve import CurveView
from rllab_gui.views.frame import FrameView
from rllab_gui.views.qbars import QBarsView
from rllab_gui.views.step_qbars import StepQBarsView
from tests.benchmarks.window_process import (
    BETWEEN_KEYS_S,
    FRESH_S,
    Steps,
    after,
    pause,
)

FIRST_SEEKS = 5
SCRUB, SCRUB_S = 6, 0.033
"""A scrub goes over so many steps, at this pace."""


class Painted(QObject):
    """Calls once, when the window has painted what it had to, this widget among it.

    Not when the event loop comes round next: it may draw other views before that.
    """

    waiting: ClassVar[list[Painted]] = []

    def __init__(self, widget: QWidget, then: Callable[[], None]) -> None:
        super().__init__(widget)
        self._widget, self._then = widget, then
        self._window, self._seen = widget.window(), False
        self.waiting.append(self)
        for watched in (self._widget, self._window):
            watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched is self._widget:
            self._seen = True
        if event.type() != QEvent.Type.UpdateRequest or watched is not self._window:
            return False
        handled = self._window.event(event)
        # Of several that wait only one is given the event.
        for it in [it for it in self.waiting if it._seen]:
            it._end()
        return handled

    def _end(self) -> None:
        self.waiting.remove(self)
        for watched in (self._widget, self._window):
            watched.removeEventFilter(self)
        self.deleteLater()
        self._then()


class Hands:
    """Every method is one order; ``marks`` says when what was seen first."""

    def __init__(self, window: MainWindow) -> None:
        self.window, self.lab = window, window.lab
        self.seen: dict[str, float] = {}
        self.cost: dict[str, float] = {}
        self.train = window.workspaces["train"]
        step = window.workspaces["step"]
        self.agent = _view(self.train, AgentView)
        self.qbars = _view(self.train, QBarsView)
        self.curve = _view(self.train, CurveView)
        self.frame = _view(step, FrameView)
        self.step_qbars = _view(step, StepQBarsView)
        self.heavy: Any = None
        self._walking = QTimer(self.window)
        self._walking.timeout.connect(self._on_walk)
        self._first_t = -1
        self.see("made")
        self.agent.frameShown.connect(self._on_picture)
        self.qbars.painted.connect(self._on_q)

    def see(self, what: str) -> None:
        """It is to be seen from now on; only the first time counts."""
        if what not in self.seen:
            self.seen[what] = time.monotonic()
            self.cost[what] = time.process_time()

    def _on_picture(self, t: int) -> None:
        if self.agent.picture.frame() is None:
            return
        self.see("picture")
        if self._first_t not in (-1, t):
            self.see("moving")
        self._first_t = t

    def _on_q(self, view_id: str, revision: int) -> None:
        if "q" not in self.seen and len(self.qbars.model().get("q", ())):
            Painted(self.qbars.canvas, lambda: self.see("q"))

    # ------------------------------------------------------------------- orders

    def marks(self, wanted: list[str]) -> Steps:
        """When these things were first seen, what that cost, what the window says."""
        yield lambda: self.seen.keys() >= set(wanted)
        names = ("startupMs", "firstFrameMs")
        told = {name: self.window.property(name) for name in names}
        return {"at": self.seen, "cpu": self.cost, "told": told}

    def wait_for_trainer(self) -> Steps:
        """Until the engine would answer a click at once."""
        lab = self.lab
        yield lambda: lab.draft.card is not None and not lab.draft.complaints
        yield after(0.5)

    def everything(self) -> Steps:
        """Have all views of the workspace in sight at once, each with something.

        The first layout of the map, seconds of a process that steps back for all
        others, is over when this is done; its refinements go on.
        """
        window, docks = self.window, self.train.docks
        window.resize(1760, 1040)
        aside, below = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        for host, name, where in (
            ("priorities", "embedding", aside),
            ("embedding", "events", aside),
            ("priorities", "cells", below),
            ("embedding", "exploration", below),
            ("events", "memory", below),
            ("qbars", "returns", aside),
            ("loss", "account", aside),
        ):
            self.train.splitDockWidget(docks[host], docks[name], where)
        views = self.train.views()
        yield lambda: all(not it.visibleRegion().isEmpty() for it in views)
        self.lab.commands.action("embedding.collect").trigger()
        yield self._laid_out
        yield after(1.0)
        return [it.view_id for it in views]

    def _laid_out(self) -> bool:
        """Whether the map has its first layout."""
        report = self.lab.store.embedding
        return report is not None and report.final

    def minimize(self) -> Steps:
        """Put the window away."""
        self.window.showMinimized()
        yield after(1.0)
        return self.window.isMinimized()

    def click_train(self) -> Steps:
        """Click on Train; when it says *starting*, and when there is a point."""
        old, seen = self.lab.store.session.uuid, {}

        def mark(what: str) -> None:
            seen.setdefault(what, time.monotonic())

        def on_state(state: str) -> None:
            if state == "starting":
                Painted(button, lambda: mark("starting"))

        def on_status(status: Any) -> None:
            if status.state in ("starting", "running"):
                mark(f"engine {status.state}")

        def on_curve(view_id: str, revision: int) -> None:
            store = self.lab.store
            if store.session.uuid != old and len(store.series("return")):
                mark("point known")
                Painted(self.curve.plot.canvas.viewport(), lambda: mark("point"))

        button = self.window.findChild(QToolButton, "main.train.button")
        assert button is not None
        self.lab.run.stateChanged.connect(on_state)
        self.lab.link.statusChanged.connect(on_status)
        self.curve.painted.connect(on_curve)
        clicked = time.monotonic()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        yield lambda: "point" in seen
        self.lab.run.stateChanged.disconnect(on_state)
        self.lab.link.statusChanged.disconnect(on_status)
        self.curve.painted.disconnect(on_curve)
        return {what: at - clicked for what, at in seen.items()}

    def stop(self) -> Steps:
        """Stop the run; it is over when its file can be looked at."""
        self.lab.run.stop()
        yield lambda: not self.lab.run.active
        yield after(1.5)

    def look_at(self, kind: str, episode: int) -> Steps:
        """Show an episode step by step; returns its last step."""
        yield lambda: self.lab.store.session.uuid
        self.window.show_workspace("step")
        self.window.activateWindow()
        cursor, shown = self.lab.cursor, self.lab.episode
        began = time.monotonic()
        cursor.show_episode(kind, episode)
        yield (
            lambda: (
                shown.moment is not None
                and shown.moment.episode.key[2:] == (kind, episode)
                and shown.moment.frame is not None
            )
        )
        self.frame.setFocus()
        return {"last": cursor.last, "seconds": time.monotonic() - began}

    def press_right(self, keys: int, pauses: Sequence[float] = BETWEEN_KEYS_S) -> Steps:
        """Right, many times; seconds until frame and bars of each step are painted."""
        rng, times = random.Random(0), []
        spent = time.process_time()
        for _ in range(keys):
            if self.lab.cursor.t >= self.lab.cursor.last:
                self.lab.cursor.seek(0)
                yield lambda: self._shows(0)
            yield pause(rng, pauses)
            wanted, painted = self.lab.cursor.t + 1, {}
            self._watch_step(wanted, painted)
            pressed = time.monotonic()
            QTest.keyClick(self.window.windowHandle(), Qt.Key.Key_Right)
            late = after(FRESH_S)
            yield lambda late=late, painted=painted: len(painted) == 2 or late()  # type: ignore[misc]
            both = len(painted) == 2
            times.append(max(painted.values()) - pressed if both else FRESH_S)
        return {"times": times, "cpu": (time.process_time() - spent) / keys}

    def panel(self, view_id: str) -> Steps:
        """Bring a panel of *Step through* to the front; until it has something."""
        step = self.window.workspaces["step"]
        self.window.show_workspace("step")
        step.docks[view_id].show()
        step.docks[view_id].raise_()
        view = next(it for it in step.views() if it.view_id == view_id)
        self.heavy = view
        yield lambda: not view.asked.busy and (view.asked.answer or view.asked.problem)
        return view.asked.problem

    def rest_anywhere(self, rests: int) -> Steps:
        """Scrub, and rest; seconds until the panel in front has painted that step."""
        rng, cursor, times = random.Random(0), self.lab.cursor, []
        for _ in range(rests):
            yield pause(rng)
            for _ in range(SCRUB):
                cursor.seek(rng.randrange(cursor.last))
                yield after(SCRUB_S)
            t = rng.randrange(cursor.last)
            while t == self.heavy.asked.arguments.get("t"):
                t = rng.randrange(cursor.last)
            painted: dict[str, float] = {}
            self._watch_panel(t, painted)
            cursor.seek(t)
            began = time.monotonic()
            late = after(FRESH_S)
            yield lambda late=late, painted=painted: painted or late()  # type: ignore[misc]
            times.append(painted.get("panel", began + FRESH_S) - began)
        return times

    def _watch_panel(self, t: int, painted: dict[str, float]) -> None:
        """Note when the heavy panel shows this step."""
        view = self.heavy

        def on_painted(view_id: str, revision: int) -> None:
            if view.asked.busy or view.asked.arguments.get("t") != t:
                return
            view.painted.disconnect(on_painted)
            canvas = view.plot.canvas
            Painted(
                canvas.viewport()
                if isinstance(canvas, QAbstractScrollArea)
                else canvas,
                lambda: painted.setdefault("panel", time.monotonic()),
            )

        view.painted.connect(on_painted)

    def walk(self, every_s: float) -> Steps:
        """From now on make a step each time, round and round; 0 ends it."""
        yield after(0.0)
        self._walking.stop()
        if every_s:
            self._walking.start(round(1000 * every_s))

    def _on_walk(self) -> None:
        cursor = self.lab.cursor
        if cursor.t >= cursor.last:
            cursor.seek(0)
        else:
            QTest.keyClick(self.window.windowHandle(), Qt.Key.Key_Right)

    def seek_anywhere(self, seeks: int, read_ahead_s: float) -> Steps:
        """Go to random steps, in turns of another episode and of the same one.

        The first ones come while the stage still imports what it judges by, those to
        other episodes after them while it reads these ahead; they are kept apart, as
        ``first`` and ``early``.
        """
        yield lambda: self.lab.store.session.uuid
        self.window.show_workspace("step")
        known: dict[str, Any] = {}
        self.lab.link.ask("episodes", {}, known.update)
        yield lambda: known
        kinds, numbers = known["kind"], known["episode"]
        recorded = np.flatnonzero(known["recorded"]).tolist()
        rng, cursor = random.Random(0), self.lab.cursor
        names = ("first", "early", "across", "inside")
        found: dict[str, list[float]] = {name: [] for name in names}
        turn, settled = -2 * FIRST_SEEKS - 1, time.monotonic() + read_ahead_s
        while len(found["across"]) < seeks:
            yield pause(rng)
            turn += 1
            where, painted = "inside" if turn % 2 else "across", {}
            row = rng.choice(recorded)
            length = int(known["length"][row]) if turn % 2 == 0 else cursor.last
            t = rng.randrange(length + 1)
            if turn % 2 and t == cursor.t:
                t = (t + 1) % (length + 1)
            self._watch_step(t, painted)
            began = time.monotonic()
            if turn % 2:
                cursor.seek(t)
            else:
                cursor.show_episode(str(kinds[row]), int(numbers[row]), t=t)
            late = after(FRESH_S)
            yield lambda late=late, painted=painted: len(painted) == 2 or late()  # type: ignore[misc]
            both = len(painted) == 2
            if turn < 0:
                where = "first"
            elif where == "across" and began < settled:
                where = "early"
            found[where].append(max(painted.values()) - began if both else FRESH_S)
        return found

    def _shows(self, t: int) -> bool:
        moment = self.frame.moment
        return moment is not None and moment.t == t

    def _watch_step(self, t: int, painted: dict[str, float]) -> None:
        """Note when the picture of this step, and its bars, are on the screen."""

        def see(what: str) -> None:
            painted.setdefault(what, time.monotonic())

        def on_frame(view_id: str, revision: int) -> None:
            moment = self.frame.moment
            if moment is not None and moment.t == t and moment.frame is not None:
                self.frame.painted.disconnect(on_frame)
                Painted(self.frame.picture, lambda: see("frame"))

        def on_bars(view_id: str, revision: int) -> None:
            moment = self.step_qbars.moment
            if moment is not None and moment.t == t:
                self.step_qbars.painted.disconnect(on_bars)
                Painted(self.step_qbars.canvas, lambda: see("bars"))

        self.frame.painted.connect(on_frame)
        self.step_qbars.painted.connect(on_bars)

    def info(self) -> Steps:
        """How often it draws, and what it has cost."""
        yield after(0.0)
        pulse = self.lab.pulse
        return {
            "rate": pulse.rate,
            "measured": pulse.measured_rate,
            "cpu": time.process_time(),
            "episodes": [
                (it.kind, it.episode, it.length) for it in self.lab.store.episodes
            ],
        }

    def leave(self, keep_training: bool) -> Steps:
        """Close the window."""
        yield after(0.0)
        self.window.leave(keep_training=keep_training)
        QTimer.singleShot(0, self.window.close)


def _view(workspace: Any, kind: type) -> Any:
    return next(it for it in workspace.views() if isinstance(it, kind))
