"""Q-values of the step at the cursor: which action looked best, and by how much."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtWidgets import QToolButton

from engine.contract.options import Configuration
from rllab_gui.episode import BRANCH
from rllab_gui.plots.bars import Bars
from rllab_gui.plots.numbers import count, short
from rllab_gui.plots.strip import HISTORY
from rllab_gui.resting import LONG_REST_MS, Resting
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import Key, Moment
from rllab_gui.views.guess import GuessPanel
from rllab_gui.views.qbars import QBars
from rllab_gui.views.step_words import no_step

SMALL, LARGE = 25, 75
"""Percentiles below and above which a number is small or large."""


class StepQBarsView(QBars):
    """Q-values of the step at the cursor, of a recorded episode."""

    view_id = "stepQbars"
    plot_id = "stepQbars"
    title = "Q-values at the cursor"
    needs = frozenset({"q"})
    urgent = True

    @property
    def options(self) -> Configuration:
        """Those of the episode that is looked at."""
        return self.context.episode.options(self.context.store)

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.moment: Moment | None = None
        self._episode: Key | None = None
        self.usual = Resting(context.link, "gaps", self, rest_ms=LONG_REST_MS)
        context.episode.leaving.connect(self.usual.drop)
        self.guess = GuessPanel(context)
        self.body_layout.insertWidget(0, self.guess)
        self._branch = self._make_branch()
        self.plot.header.set_title("Q at the cursor")
        self.plot.legend_waits = True
        self.plot.header.add(self._branch)
        self.plot.header.add(self._make_predict())
        self._connect()

    def _make_branch(self) -> QToolButton:
        """The offer that goes with *why not?*."""
        button = QToolButton(self)
        button.setObjectName("step.why.branch")
        button.setAccessibleName("Branch with the compared action")
        button.setToolTip("See what comes of it: a branch that takes this action here")
        button.setAutoRaise(True)
        button.setProperty("role", "text")
        button.clicked.connect(self._on_branch)
        button.hide()
        return button

    def _make_predict(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("step.why.predict")
        button.setText("Predict")
        button.setCheckable(True)
        button.setAccessibleName("Predict mode")
        self._predict = button
        self._name_keys()
        self.context.commands.keysChanged.connect(self._name_keys)
        predict = self.context.why.predict
        button.clicked.connect(self._on_predict_asked)
        predict.changed.connect(lambda: button.setChecked(predict.on))
        return button

    def _name_keys(self) -> None:
        key = self.context.commands.key_in_brackets("play.predict")
        tooltip = "Hide what the agent thinks until you have predicted it"
        self._predict.setToolTip(tooltip + key)

    def _on_predict_asked(self, on: bool) -> None:
        """The command is a state too, which menus show."""
        if "play.predict" in self.context.commands:
            self.context.commands.action("play.predict").setChecked(on)
        else:
            self.context.why.predict.set_on(on)

    def _connect(self) -> None:
        context = self.context
        context.episode.momentChanged.connect(self._on_moment)
        self.usual.changed.connect(self.refresh)
        context.why.compared.connect(self._on_compared)
        context.why.predict.changed.connect(self._on_predict)
        self.canvas.picked.connect(context.why.compare)
        self.canvas.setToolTip(
            f"Click the bar of an action for *why not this one?* {self.about}"
        )

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Without an episode, or without a network, there are no Q-values."""
        moment = self.context.episode.moment
        if moment is None:
            return no_step(self.context.episode)
        if not np.isfinite(moment.q).any():
            return "This episode has no Q-values.", moment.episode.note, ()
        return None

    def draw(self) -> None:
        """Show the Q-values of the moment that all views show, or ask for a guess."""
        moment = self.context.episode.moment
        assert moment is not None
        self.moment = moment
        hidden = self.context.why.predict.hidden
        self.guess.bring_up_to_date(moment)
        self.plot.setHidden(hidden)
        if hidden:
            self.setProperty("answerText", self.guess.words())
            self.describe(self.guess.words())
            self.plot.describe(self.guess.words())
        else:
            self._draw_bars(moment)

    def _begin_episode(self, moment: Moment) -> None:
        """See :meth:`fit_scale`."""
        key = moment.episode.key
        if key == self._episode or not self.plot.is_auto:
            return
        self._episode = key
        known = np.abs(moment.episode.q[np.isfinite(moment.episode.q)])
        self.fit_scale(float(known.max(initial=0.0)))

    def _draw_bars(self, moment: Moment) -> None:
        self._begin_episode(moment)
        episode, t = moment.episode, moment.t
        bars = Bars(
            names=tuple(episode.word(action) for action in range(episode.q.shape[1])),
            q=moment.q,
            advantage=episode.advantage[t],
            value_head=float(episode.value_head[t]),
            taken=moment.action,
            explored=moment.explored,
            history=episode.q[max(0, t - HISTORY + 1) : t + 1],
            liking=episode.liking[t],
        )
        why = "greedy" if moment.is_last else episode.why(t)
        where = f"{episode.key[2]} episode {episode.key[3]}, t {t}"
        judge = f"judged by checkpoint {episode.judged_by}"
        if episode.judged_by < 0:
            judge = "as recorded"
        self.show_bars(bars, why, f"{where}, {judge}; n = 1 seed.")

    # ---------------------------------------------------------------- sentences

    def further(self, bars: Bars) -> list[str]:
        """How the gap and the value compare, and why not another action."""
        end = self._at_the_end()
        return [it for it in (self._why_not(bars), end or self._how_usual(bars)) if it]

    def _at_the_end(self) -> str:
        """A state without a next action is in no good place, whatever is said of it."""
        moment = self.context.episode.moment
        if moment is None or not moment.is_last or moment.episode.ended != "terminated":
            return ""
        return (
            "The episode terminated here: nothing follows, so this state counts as 0 "
            "in every target, and what the network says of it is never corrected."
        )

    def _how_usual(self, bars: Bars) -> str:
        usual = self.usual.answer
        if not usual or self.usual.busy or len(bars.q) < 2:
            return ""
        ordered = np.sort(bars.q)
        gap = standing(float(ordered[-1] - ordered[-2]), usual["gaps"])
        value = standing(float(ordered[-1]), usual["values"])
        return (
            f"A {size_word(gap)} gap for this session ({ordinal(gap)} percentile of "
            f"{count(usual['states'])} states), in a {place_word(value)} place "
            f"(V(s): {ordinal(value)} percentile)."
        )

    def _why_not(self, bars: Bars) -> str:
        other = self.context.why.other
        best = bars.best
        if not 0 <= other < len(bars.q):
            return ""
        if other == best:
            return f"{bars.names[best]} is what it prefers."
        lower = float(bars.q[best] - bars.q[other])
        word = "lower" if lower >= 0 else "higher"
        sentence = (
            f"Why not {bars.names[other]}? Its Q is {short(abs(lower))} {word} than "
            f"that of {bars.names[best]}"
        )
        if math.isfinite(float(bars.advantage[other])):
            advantages = bars.advantage[other], bars.advantage[best]
            words = " against ".join(short(float(it)) for it in advantages)
            sentence += f"; advantage {words}"
        return f"{sentence}."

    # ------------------------------------------------------------ what happens

    def _on_moment(self) -> None:
        moment = self.context.episode.moment
        if moment is not None and self.isVisible() and moment.q.size > 1:
            session, checkpoint, kind, episode = moment.episode.key
            if kind == BRANCH:  # usual is what was seen round the episode it leaves
                place = self.context.cursor.position
                kind, episode = place.kind, place.episode
            which = {"kind": kind, "episode": episode}
            self.usual.want(session, which | {"checkpoint_step": checkpoint})
        self._offer_branch()
        self.refresh()

    def _on_compared(self) -> None:
        self.canvas.compared = self.context.why.other
        self._offer_branch()
        self.refresh()
        self.context.pulse.soon()

    def _offer_branch(self) -> None:
        """Whether the compared action could be tried here."""
        moment, other = self.context.episode.moment, self.context.why.other
        offered = moment is not None and other >= 0 and not moment.is_last
        offered &= not self.context.branches.refusal
        if offered and moment is not None:
            self._branch.setText(f"Branch: {moment.episode.word(other)}")
        self._branch.setVisible(offered)

    def _on_branch(self) -> None:
        if self.context.why.other >= 0:
            self.context.branches.make(self.context.why.other)

    def _on_predict(self) -> None:
        self.refresh()
        self.context.pulse.soon()


def standing(value: float, percentiles: np.ndarray) -> int:
    """The percentile of a value, 0 to 100."""
    found = int(np.searchsorted(np.asarray(percentiles), value, side="right")) - 1
    return min(max(found, 0), 100)


def size_word(percentile: int) -> str:
    """Small, usual or large."""
    if percentile < SMALL:
        return "small"
    return "large" if percentile > LARGE else "usual"


def place_word(percentile: int) -> str:
    """Bad, usual or good."""
    if percentile < SMALL:
        return "bad"
    return "good" if percentile > LARGE else "usual"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 12th."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
