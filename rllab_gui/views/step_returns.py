"""The distribution of the return at the cursor, and C51's projection of that step."""

from __future__ import annotations

from PySide6.QtCore import Qt, QVariantAnimation
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QDockWidget, QSlider, QToolButton

from engine.contract.options import Configuration
from rllab_gui.commands import Command
from rllab_gui.inside import Inside
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import count, short
from rllab_gui.plots.projection import PHASES, Projection, ProjectionCanvas
from rllab_gui.plots.return_shapes import Returns
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import Key
from rllab_gui.views.returns import Offers, ReturnsBase
from rllab_gui.views.step_words import no_step

REACH = 32
"""Steps to each side of the cursor that are asked for."""
FILM_MS = 4200
TICKS = 100
"""Steps of the slider in one phase."""


class StepReturnsView(ReturnsBase):
    """Distributions of the step at the cursor, and C51's projection of that step."""

    view_id = "stepReturns"
    plot_id = "stepReturns"
    title = "Return distribution at the cursor"
    tab = "Returns"
    needs = frozenset({"distribution"})
    answers = True

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.empty.prefix = "empty.step"
        self.inside = Inside(context.link, context.episode, "returns", REACH, self)
        self.film = ProjectionCanvas(context.theme)
        self._asked: tuple[Key, int] | None = None
        self._question = -1
        self._motion = QVariantAnimation(self)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(PHASES)
        self._motion.setDuration(FILM_MS)
        self._furnish()
        self.inside.changed.connect(self.refresh)
        context.store.configurationChanged.connect(self._on_head)
        self._on_head()
        context.episode.momentChanged.connect(self.refresh)
        context.episode.changed.connect(self._on_episode)
        context.why.compared.connect(self._on_compared)

    @property
    def options(self) -> Configuration:
        """Those of the episode that is looked at."""
        return self.context.episode.options(self.context.store)

    # ---------------------------------------------------------------- making

    def _furnish(self) -> None:
        """The film lies in the place of the rows while it is wanted."""
        self.plot.set_canvas(self.film)
        self.film.setObjectName("plot.stepReturns.film")
        self.film.setAccessibleName("Projection of C51")
        self.film.hide()
        self.plot.canvas = self.canvas
        self.again = self._button("plot.stepReturns.again", "↻")
        self.again.setAccessibleName("Show the projection from its beginning")
        self.again.setToolTip(self.again.accessibleName())
        self.slider = self._make_slider()
        self.open = self._button("plot.stepReturns.projection", "Projection")
        self.open.setCheckable(True)
        self.open.setToolTip(
            "Projection: how C51 makes the target of this step, as a short film"
        )
        for control in (self.open, self.slider, self.again):
            self.plot.header.add(control)
        self.again.hide()
        self.slider.hide()
        self.film.zoomed.connect(lambda: self.plot.set_auto(False))
        self.film.autoAsked.connect(lambda: self.plot.set_auto(True))
        self.open.toggled.connect(self._on_mode)
        self.again.clicked.connect(self._play)
        self._motion.valueChanged.connect(self._on_motion)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.sliderPressed.connect(self._motion.stop)
        if "returns.projection" not in self.context.commands:
            self.context.commands.add(
                Command(
                    "returns.projection",
                    "Show the projection of C51",
                    "How C51 makes the target of the step at the cursor, as a film",
                    self.show_projection,
                )
            )

    def show_projection(self) -> None:
        """Come forward, and show the film where there is one."""
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()
        self.open.setChecked(self._kind == "c51")

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setText(text)
        button.setAccessibleName(text)
        button.setAutoRaise(True)
        return button

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setObjectName("plot.stepReturns.phase")
        slider.setAccessibleName("Moment of the projection")
        slider.setToolTip(
            "Moment of the projection: follows, moved, projected, compared"
        )
        slider.setRange(0, round(PHASES * TICKS))
        slider.setPageStep(TICKS)
        slider.setValue(slider.maximum())
        slider.setMinimumWidth(self.context.theme.px(70))
        return slider

    # ---------------------------------------------------------------- drawing

    def emptiness(self) -> tuple[str, str, Offers] | None:
        """No episode, a scalar head, or nothing that could be looked into."""
        if self._kind == "scalar":
            return self.scalar()
        if self.context.episode.moment is None:
            return no_step(self.context.episode)
        if self.inside.problem:
            return "There are no distributions here.", self.inside.problem, ()
        return None

    def draw(self) -> None:
        """Show the moment that all views show."""
        moment = self.context.episode.moment
        assert moment is not None
        if self.open.isChecked():
            self._draw_projection()
            return
        row = self.inside.want(moment.t)
        if row is None:
            self.canvas.show_note("One moment.")
            return
        arrays, episode = self.inside.arrays, moment.episode
        returns = self.returns_of(
            arrays["return_values"][row],
            arrays["return_probs"][row],
            arrays["liking"][row],
            self._names(len(arrays["liking"][row])),
            moment.action,
            moment.explored,
        )
        judge = f"by checkpoint {count(self.inside.checkpoint_step)}"
        where = f"{episode.key[2]} episode {episode.key[3]}, t {moment.t}, {judge}"
        self.show_returns(returns, where)

    def sentence(self, returns: Returns) -> str:
        """Which is liked best, and how another one differs that is asked about."""
        return " ".join((super().sentence(returns), self._why_not(returns))).strip()

    def _why_not(self, returns: Returns) -> str:
        other, best = self.context.why.other, returns.best
        if not 0 <= other < len(returns.names) or other == best:
            return ""
        mean = float(returns.mean[other] - returns.mean[best])
        spread = short(float(returns.deviation[other]))
        sign = "+" if mean > 0 else ""
        return f"{returns.names[other]} instead: mean {sign}{short(mean)}, ± {spread}."

    def _on_compared(self) -> None:
        self.refresh()
        self.context.pulse.soon()

    def _units(self, returns: Returns) -> list[tuple[str, str, str]]:
        judge = f"by checkpoint {self.inside.checkpoint_step:,}"
        return [("", self.context.theme.tokens.muted, judge), *super()._units(returns)]

    def _names(self, actions: int) -> tuple[str, ...]:
        moment = self.context.episode.moment
        assert moment is not None
        return tuple(moment.episode.word(it) for it in range(actions))

    # ------------------------------------------------------------- projection

    def _on_head(self) -> None:
        """Only C51 projects."""
        self.open.setVisible(self._kind == "c51")
        if self._kind != "c51":
            self.open.setChecked(False)

    def _on_mode(self, projecting: bool) -> None:
        self.canvas.setVisible(not projecting)
        self.plot.canvas = self.film if projecting else self.canvas
        for it in (self.film, self.slider, self.again):
            it.setVisible(projecting)
        self.plot.set_auto(True)
        self._asked = None
        self._motion.stop()
        self.refresh()
        self.context.pulse.soon()

    def _on_episode(self) -> None:
        self._asked = None
        self.refresh()

    def _draw_projection(self) -> None:
        moment = self.context.episode.moment
        assert moment is not None
        wanted = (moment.episode.key, moment.t)
        if moment.is_last:
            self._asked = None
            self.film.show_note("After the last state nothing follows.")
        elif wanted != self._asked:
            self._asked = wanted
            self._ask_projection(moment.episode.key, moment.t)
        if self.film.projection is not None:
            self._fit_film(self.film.projection)

    def _ask_projection(self, key: Key, t: int) -> None:
        self.context.link.cancel(self._question)
        self._question = self.context.link.ask(
            "project_returns",
            {"kind": key[2], "episode": key[3], "checkpoint_step": key[1], "t": t},
            lambda answer: self._on_projection(
                (key, t), Projection.from_answer(answer)
            ),
            self.film.show_note,
        )

    def _on_projection(self, asked: tuple[Key, int], projection: Projection) -> None:
        if asked != self._asked:
            return
        self.film.show_projection(projection, self._names(self._actions(projection)))
        self._fit_film(projection)
        self.plot.set_model(
            support=projection.support,
            next_values=projection.next_values,
            target_values=projection.target_values,
            target_probs=projection.target_probs,
            projected=projection.projected,
            current=projection.current,
        )
        self._explain(projection)
        if self.context.cursor.mode == "playing":
            self.slider.setValue(self.slider.maximum())
        else:
            self._play()

    def _actions(self, projection: Projection) -> int:
        moment = self.context.episode.moment
        assert moment is not None
        least = max(projection.action, projection.next_action) + 1
        return max(least, int(moment.episode.q.shape[1]))

    def _explain(self, projection: Projection) -> None:
        theme = self.context.theme
        names, action = self.film.names, projection.action
        moved = max(projection.next_action, 0)
        marks = [
            ("□", theme.colour(moved), "target, as it moves"),
            ("■", theme.colour(action), f"projected target of {names[action]}"),
            ("─", theme.tokens.text, "estimate now"),
            ("", theme.tokens.muted, "one step; discounted return"),
            ("", theme.tokens.muted, f"by checkpoint {projection.checkpoint_step:,}"),
        ]
        self.plot.set_legend(legend_html(marks))
        mean = float((projection.projected * projection.support).sum())
        now = float((projection.current * projection.support).sum())
        sentence = (
            f"The target of {names[action]} has the mean {short(mean)}, its estimate "
            f"{short(now)}: a TD error of {short(mean - now)}."
        )
        self.plot.set_caption(f"{sentence} t {projection.t}; one step, no n-step.")
        self.plot.describe(sentence)

    def _fit_film(self, projection: Projection) -> None:
        if not self.plot.is_auto:
            return
        values = (projection.support, projection.target_values, projection.next_values)
        low = min(float(it.min()) for it in values)
        high = max(float(it.max()) for it in values)
        margin = 0.02 * (high - low)
        self.film.range = (low - margin, high + margin)
        self.film.update()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves while nobody can see it."""
        super().hideEvent(event)
        self._motion.stop()

    def _play(self) -> None:
        self._motion.stop()
        self._motion.start()

    def _on_motion(self, phase: float) -> None:
        self.slider.setValue(round(phase * TICKS))

    def _on_slider(self, value: int) -> None:
        self.film.set_phase(value / TICKS)
