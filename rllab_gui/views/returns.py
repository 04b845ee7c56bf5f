"""The distribution of the return of each action: of the shown agent, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import ClassVar

import numpy as np

from engine.contract.options import Configuration
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import short
from rllab_gui.plots.ranges import FINE, GrowingSpan
from rllab_gui.plots.return_shapes import EDGE_MASS, Returns
from rllab_gui.plots.returns import ReturnsCanvas
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import action_word

Offers = Sequence[tuple[str, str]]

FORMS = {
    "c51": "bars: probabilities of fixed values, the tallest of this step fills a row",
    "qr": "steps: share of returns up to a value, from its quantiles",
    "mmd": "ticks: particles, with their density",
}


class ReturnsBase(View):
    """What both views share: the rows, their scale and their words."""

    plot_id: ClassVar[str] = "returns"
    about = (
        "What the agent expects of each action is not one number but a distribution "
        "of discounted returns. C51 learns probabilities of fixed values, QR the "
        "values of fixed quantiles, MMD free particles. The whole line is the mean, "
        "which is Q(s,a); the dotted one CVaR, the mean of the worst share, where "
        "head.risk chooses by it. The distribution is of chance in the world, not of "
        "what the agent does not know."
    )

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.plot = PlotFrame(self.plot_id, self.title, context.theme)
        self.canvas = ReturnsCanvas(context.theme)
        self.plot.set_canvas(self.canvas)
        self._scale = GrowingSpan(anchor=None, steps=FINE)
        self.adopt(self.plot)
        self.plot.axisModeChanged.connect(self.refresh)
        context.store.cardChanged.connect(self.refresh)
        context.store.configurationChanged.connect(self._start_again)
        context.store.optionsChanged.connect(self.refresh)
        context.store.wasReset.connect(self._start_again)

    def _start_again(self) -> None:
        self._scale.reset()
        self.plot.set_auto(True)
        self.refresh()

    @property
    def _kind(self) -> str:
        return self.context.store.configuration.head.kind

    @property
    def options(self) -> Configuration:
        """What the returns are judged by."""
        return self.context.store.options_at()

    def scalar(self) -> tuple[str, str, Offers]:
        """What is said of a head without distributions."""
        self.setProperty("answerText", "Only a mean is learned.")
        words = "C51 learns the distribution of the return, of which Q is the mean."
        offer = [("head.distribution", "Learn distributions (C51)")]
        return "Only a mean is learned.", words, offer

    def returns_of(
        self,
        values: np.ndarray,
        probs: np.ndarray,
        liking: np.ndarray,
        names: tuple[str, ...],
        taken: int,
        explored: bool,
    ) -> Returns:
        """The arrays of the stage as what is drawn."""
        head = self.options.head
        return Returns(
            kind=head.kind,
            names=names,
            values=np.asarray(values, np.float64),
            probs=np.asarray(probs, np.float64),
            liking=np.asarray(liking, np.float64),
            level=head.risk_level if head.risk == "cvar" else 1.0,
            taken=taken,
            explored=explored,
        )

    def show_returns(self, returns: Returns, where: str) -> None:
        """Draw these and say what they mean."""
        self._scale.include(*self._reach(returns))
        if self.plot.is_auto:
            self.canvas.range = self._scale.range
        self.canvas.show_returns(returns)
        self.plot.set_model(
            values=returns.values,
            probs=returns.probs,
            mean=returns.mean,
            liking=returns.liking,
            taken=np.array([returns.taken]),
        )
        sentence = self.sentence(returns)
        legend = f"{escape(sentence)}<br>{legend_html(self._units(returns))}"
        self.plot.set_legend(legend)
        self.plot.set_caption(f"{sentence} {where}; n = 1 seed.")
        self.plot.describe(sentence)
        self.setProperty("answerText", sentence)

    def _reach(self, returns: Returns) -> tuple[float, float]:
        """What has to be seen: all values, but those of no weight."""
        return float(returns.values.min()), float(returns.values.max())

    def sentence(self, returns: Returns) -> str:
        """Which action is liked best, and how far the returns of it spread."""
        best = returns.best
        word, level = returns.names[best], f"{100 * returns.level:g} %"
        by = f"CVaR of the worst {level}" if returns.averse else "mean"
        said = f"{word} has the highest {by}: {short(float(returns.liking[best]))}"
        said += f", spread ± {short(float(returns.deviation[best]))}"
        if returns.taken in (-1, best):
            return f"{said}."
        why = "explored" if returns.explored else "greedy"
        return f"{said}; taken was {returns.names[returns.taken]} ({why})."

    def _units(self, returns: Returns) -> list[tuple[str, str, str]]:
        options, tokens = self.options, self.context.theme.tokens
        clipped = ", rewards clipped to ±1" if options.environment.clip_rewards else ""
        unit = f"discounted return, γ {options.agent.discount:g}{clipped}"
        marks = [("", tokens.muted, unit), ("", tokens.muted, FORMS[returns.kind])]
        marks += [("│", tokens.text, "mean ± spread")]
        if returns.averse:
            marks.append(("┊", tokens.text, f"CVaR {100 * returns.level:g} %"))
        marks += [("▶", tokens.muted, "greedy"), ("■", tokens.muted, "taken")]
        if returns.edge_mass > EDGE_MASS:
            words = (
                f"⚠ {100 * returns.edge_mass:.0f} % at an end of the support: widen "
                "head.value_min and head.value_max"
            )
            marks.append(("", tokens.warning, words))
        return marks


class ReturnsView(ReturnsBase):
    """Distributions of the agent that is shown in the agent view, step by step."""

    view_id = "returns"
    title = "Return distribution"
    tab = "Returns"
    topics = frozenset({"picture", "returns"})
    needs = frozenset({"distribution"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        context.store.pictureChanged.connect(self.refresh)

    def emptiness(self) -> tuple[str, str, Offers] | None:
        """A scalar head has no distribution; before a network there is none."""
        if self._kind == "scalar":
            return self.scalar()
        picture = self.context.store.picture
        if picture is None or "return_values" not in picture.inside:
            return (
                "No distributions yet.",
                "They come with the network, in a moment.",
                (),
            )
        return None

    def draw(self) -> None:
        """Show the distributions of the newest picture."""
        picture = self.context.store.picture
        assert picture is not None
        inside, store = picture.inside, self.context.store
        card = store.live_card or store.card
        words = card.action_names if card is not None else ()
        returns = self.returns_of(
            inside["return_values"],
            inside["return_probs"],
            inside.get("preference", picture.q),
            tuple(action_word(words, it) for it in range(len(picture.q))),
            picture.action,
            picture.reason in ("explored", "random"),
        )
        where = f"Episode {picture.episode}, t {picture.t} of the viewer environment"
        self.show_returns(returns, where)
