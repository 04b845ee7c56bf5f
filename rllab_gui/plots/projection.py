"""C51's projection as a film of one step: what follows, moved, shared, compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen

from rllab_gui.plots.numbers import short
from rllab_gui.plots.returns import ValueAxis
from rllab_gui.theme import Theme

PHASES = 3.0
"""0 to 1 the distribution moves, to 2 it is shared by the values, to 3 compared."""


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Projection:
    """What the stage says of one step; see its question ``project_returns``."""

    t: int = 0
    support: np.ndarray = field(default_factory=_empty)
    current: np.ndarray = field(default_factory=_empty)
    projected: np.ndarray = field(default_factory=_empty)
    next_values: np.ndarray = field(default_factory=_empty)
    target_values: np.ndarray = field(default_factory=_empty)
    target_probs: np.ndarray = field(default_factory=_empty)
    reward: float = 0.0
    discount: float = 0.0
    terminated: bool = False
    action: int = 0
    next_action: int = -1
    checkpoint_step: int = -1

    @classmethod
    def from_answer(cls, answer: dict[str, Any]) -> Projection:
        """The answer of the stage."""
        return cls(**{name: answer[name] for name in cls.__dataclass_fields__})

    def words(self, names: tuple[str, ...], phase: float) -> str:
        """What is happening, in a sentence."""
        if phase <= 0.0:
            if self.terminated:
                return "1 Nothing follows, for the episode ends here."
            if self.next_action < 0:
                return "1 What follows: a mixture over the next actions."
            return f"1 What follows: {names[self.next_action]} in the next state."
        if phase <= 1.0:
            if self.terminated:
                return f"2 It ends here: all of it is the reward, {short(self.reward)}."
            return (
                f"2 Moved: z becomes r + γz, r = {short(self.reward)}, "
                f"γ = {self.discount:g}."
            )
        if phase <= 2.0:
            return "3 Projected: each share goes to the two values beside it."
        return f"4 Compared: the estimate of {names[self.action]} (line) moves there."


class ProjectionCanvas(ValueAxis):
    """Paints one moment of a :class:`Projection`.

    Attributes:
      phase: 0 to :data:`PHASES`.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.projection: Projection | None = None
        self.names: tuple[str, ...] = ()
        self.phase = PHASES

    def show_projection(self, projection: Projection, names: tuple[str, ...]) -> None:
        """Paint this."""
        self.projection, self.names, self.note = projection, names, ""
        self.update()

    def show_note(self, note: str) -> None:
        """Nothing is to be seen now; say why."""
        self.projection, self.note = None, note
        self.update()

    def set_phase(self, phase: float) -> None:
        """Paint this moment of it."""
        self.phase = phase
        self.update()

    def moved(self) -> np.ndarray:
        """Where the values of the target are at this moment."""
        assert self.projection is not None
        way = min(max(self.phase, 0.0), 1.0)
        start, end = self.projection.next_values, self.projection.target_values
        return np.asarray(start + way * (end - start))

    # ------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what moves, what is shared, and what is compared."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
            if self.projection is None:
                self._paint_note(painter)
                return
            self._paint_axis(painter)
            self._paint_support(painter)
            self._paint_words(painter)
            top = self._top()
            if self.phase < PHASES:
                self._paint_moving(painter, top)
            if self.phase > 1.0:
                self._paint_projected(painter, top)
            if self.phase > 2.0:
                self._paint_current(painter, top)

    def _body(self) -> QRectF:
        left, right = self.ends()
        head = self._theme.px(18)
        return QRectF(left, head, right - left, max(self.floor() - head, 4.0))

    def _top(self) -> float:
        """The probability that reaches to the ceiling."""
        it = self.projection
        assert it is not None
        gathered = float(it.projected.max())
        return 1.05 * max(
            gathered, float(it.current.max()), float(it.target_probs.max())
        )

    def _wide(self) -> float:
        assert self.projection is not None
        xs = self._xs(self.projection.support)
        return max(1.0, 0.8 * float(np.diff(xs).min()))

    def _paint_support(self, painter: QPainter) -> None:
        """The fixed values as ticks, so that it is seen what is between them."""
        assert self.projection is not None
        floor, high = self.floor(), self._theme.px(3)
        painter.setPen(QPen(QColor(self._theme.tokens.axis), 1))
        xs = self._xs(self.projection.support)
        painter.drawLines([QLineF(x, floor, x, floor - high) for x in xs])

    def _paint_words(self, painter: QPainter) -> None:
        assert self.projection is not None
        painter.setPen(QColor(self._theme.tokens.text))
        painter.setFont(self._theme.font(relative=0.85))
        words = self.projection.words(self.names, self.phase)
        left, right = self.ends()
        place = QRectF(left, 0, right - left, self._theme.px(18))
        words = painter.fontMetrics().elidedText(
            words, Qt.TextElideMode.ElideRight, int(place.width())
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_moving(self, painter: QPainter, top: float) -> None:
        it = self.projection
        assert it is not None
        which = it.next_action if it.next_action >= 0 else it.action
        colour = QColor(self._theme.colour(which))
        gone = min(max(self.phase - 1.0, 0.0), 1.0)
        colour.setAlphaF(0.55 * (1.0 - 0.8 * gone) if self.phase <= 2.0 else 0.11)
        low, high = it.support[0], it.support[-1]
        values = self.moved()
        if self.phase > 1.0:  # beyond the ends it gathers at the ends
            values = values + gone * (np.clip(values, low, high) - values)
        colour.setAlphaF(min(1.0, 1.6 * colour.alphaF()))
        self._bars(painter, values, it.target_probs, top, colour, hollow=True)

    def _paint_projected(self, painter: QPainter, top: float) -> None:
        it = self.projection
        assert it is not None
        colour = QColor(self._theme.colour(it.action))
        colour.setAlphaF(0.6)
        grown = min(self.phase - 1.0, 1.0)
        self._bars(painter, it.support, it.projected * grown, top, colour)

    def _paint_current(self, painter: QPainter, top: float) -> None:
        it = self.projection
        assert it is not None
        body, wide = self._body(), self._wide()
        colour = QColor(self._theme.tokens.text)
        colour.setAlphaF(min(self.phase - 2.0, 1.0))
        painter.setPen(QPen(colour, 1.4))
        for x, prob in zip(self._xs(it.support), it.current, strict=True):
            y = body.bottom() - float(prob) / top * body.height()
            painter.drawLine(QLineF(x - wide / 2, y, x + wide / 2, y))

    def _bars(
        self,
        painter: QPainter,
        values: np.ndarray,
        probs: np.ndarray,
        top: float,
        colour: QColor,
        *,
        hollow: bool = False,
    ) -> None:
        body, wide = self._body(), self._wide()
        painter.setPen(QPen(colour, 1.2) if hollow else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if hollow else colour)
        for x, prob in zip(self._xs(values), probs, strict=True):
            high = float(prob) / top * body.height()
            if high >= 0.5:
                painter.drawRect(QRectF(x - wide / 2, body.bottom() - high, wide, high))
