"""Q-values of one step as bars: of the shown agent, or of the step at the cursor."""

from __future__ import annotations

from collections import deque
from html import escape
from typing import ClassVar

import numpy as np

from engine.contract.options import Configuration
from rllab_gui.plots.bars import Bars, BarsCanvas
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import short
from rllab_gui.plots.ranges import FINE, GrowingSpan
from rllab_gui.plots.strip import HISTORY
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import action_word, preference

FAR_SMALLER = 8.0
"""So many times smaller than what a scale was for, bars have hardly a length."""
LATELY = 300
"""Pictures, some ten seconds, in which all values have to be so small: near the start
of an episode they may always be."""

NAMING = (
    "V(s) means max_a Q(s,a) everywhere in the lab. The value stream of a dueling "
    "network is called V-head: with mean-centred advantages it equals the mean of "
    "Q(s,a) over the actions, not V(s). Without such a stream the advantages are "
    "derived: A = Q − max Q."
)


class QBars(View):
    """What both views share: the bars, their scale and their words."""

    plot_id: ClassVar[str] = "qbars"
    about = NAMING

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.plot = PlotFrame(self.plot_id, self.title, context.theme)
        self.canvas = BarsCanvas(context.theme)
        self.canvas.setToolTip(NAMING)
        self.plot.set_canvas(self.canvas)
        self._scale = GrowingSpan(anchor=0.0, steps=FINE)
        self.adopt(self.plot)
        self.plot.axisModeChanged.connect(self.refresh)
        context.store.cardChanged.connect(self.refresh)
        context.store.configurationChanged.connect(self._start_again)
        context.store.optionsChanged.connect(self.refresh)
        context.store.wasReset.connect(self._start_again)

    def _start_again(self) -> None:
        self._scale.reset()
        self.canvas.start_again()
        self.plot.set_auto(True)
        self.refresh()

    @property
    def options(self) -> Configuration:
        """What the Q-values are judged by."""
        return self.context.store.options_at()

    def fit_scale(self, largest: float) -> None:
        """Values far smaller than those before have a scale of their own."""
        low, high = self.canvas.range
        if self.plot.is_auto and FAR_SMALLER * largest < max(-low, high):
            self._scale.reset()
            self.canvas.start_again()

    def show_bars(self, bars: Bars, why: str, caption: str) -> None:
        """Draw these and say what they mean."""
        known = bars.q[np.isfinite(bars.q)]
        if len(known):
            low, high = float(known.min()), float(known.max())
            if bars.dueling:
                low, high = min(low, bars.value_head), max(high, bars.value_head)
            self._scale.include(low, high)
        if self.plot.is_auto:
            self.canvas.range = self._scale.range
        self.canvas.show_bars(bars)
        self.plot.set_model(
            q=bars.q,
            advantage=bars.advantage,
            value_head=np.array([bars.value_head]),
            taken=np.array([bars.taken]),
            history=bars.history,
        )
        sentence = preference(bars.q, bars.names, bars.taken, why)
        if len(bars.q) and bars.best != int(np.argmax(bars.q)):
            word = bars.names[bars.best]
            sentence += f" The greedy action by CVaR is {word}."
        sentence = " ".join((sentence, *self.further(bars))).strip()
        self.plot.set_legend(f"{escape(sentence)}<br>{legend_html(self._units(bars))}")
        self.plot.set_caption(f"{sentence} {caption}")
        self.plot.describe(sentence)
        self.setProperty("answerText", sentence)

    def further(self, bars: Bars) -> list[str]:
        """More sentences about these bars."""
        return []

    def _units(self, bars: Bars) -> list[tuple[str, str, str]]:
        options = self.options
        clipped = ", rewards clipped to ±1" if options.environment.clip_rewards else ""
        tokens = self.context.theme.tokens
        q = f"Q: discounted return, γ {options.agent.discount:g}{clipped}"
        marks = [("▬", tokens.muted, q), ("▶", tokens.muted, "greedy")]
        marks += [("■", tokens.muted, "taken"), ("⚄", tokens.warning, "exploratory")]
        if len(bars.q):
            best = float(bars.q.max())
            marks.append(("", tokens.muted, f"V(s) = max Q = {short(best)}"))
        return marks


class QBarsView(QBars):
    """Q-values of the agent that is shown in the agent view, step by step."""

    view_id = "qbars"
    title = "Q-values of the shown agent"
    topics = frozenset({"picture"})
    needs = frozenset({"q"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._past: deque[np.ndarray] = deque(maxlen=HISTORY)
        self._sizes: deque[float] = deque(maxlen=LATELY)
        self._at = (-1, -1)
        context.store.pictureChanged.connect(self._on_picture)

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Before there is a network there are no Q-values."""
        picture = self.context.store.picture
        if picture is not None and len(picture.q):
            return None
        return "No Q-values yet.", "They come with the network, in a moment.", ()

    def draw(self) -> None:
        """Show the Q-values of the newest picture."""
        picture = self.context.store.picture
        assert picture is not None
        if len(self._sizes) == LATELY:
            self.fit_scale(max(self._sizes))
        bars = Bars(
            names=self._names(len(picture.q)),
            q=np.asarray(picture.q, np.float64),
            advantage=np.asarray(picture.advantage, np.float64),
            value_head=picture.value_head,
            taken=picture.action,
            explored=picture.reason in ("explored", "random"),
            history=np.array(self._past, np.float64),
            liking=np.asarray(picture.inside.get("preference", ()), np.float64),
        )
        where = f"Episode {picture.episode}, t {picture.t} of the viewer environment"
        self.show_bars(bars, picture.reason, f"{where}; n = 1 seed.")

    def _names(self, actions: int) -> tuple[str, ...]:
        store = self.context.store
        card = store.live_card or store.card
        words = card.action_names if card is not None else ()
        return tuple(action_word(words, action) for action in range(actions))

    def _on_picture(self) -> None:
        picture = self.context.store.picture
        if picture is None:
            return
        at = (picture.episode, picture.t)
        stale = len(self._past) and self._past[-1].shape != picture.q.shape
        if at[0] != self._at[0] or at[1] < self._at[1] or stale:
            self._past.clear()
        self._at = at
        if len(picture.q):
            self._past.append(np.asarray(picture.q, np.float64))
            self._sizes.append(float(np.abs(picture.q).max()))
        self.refresh()
