"""The shown agent: a picture, and words that say what the picture is."""

from __future__ import annotations

from PySide6.QtCore import Property, Signal

from engine.contract.messages import Picture
from rllab_gui.plots.numbers import count, short
from rllab_gui.plots.picture import PictureBox
from rllab_gui.plots.text import OneLine
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import action_phrase

DICE = "⚄"
NO_PICTURE = "This environment draws no picture; its numbers are beside it."


class AgentView(View):
    """Plays what the stage plays: another environment than the one trained in.

    Signals:
      frameShown(int t): The picture of this step has been painted.
    """

    view_id = "agent"
    title = "Agent"
    about = (
        "An agent with the newest network plays in an environment of its own, so that "
        "drawing does not slow training down. The line below the picture says which "
        "checkpoint plays, how many of its actions are random (ε), and how fast."
    )
    topics = frozenset({"picture"})

    frameShown = Signal(int)
    badgeChanged = Signal(str)

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.picture = PictureBox(context.theme, self)
        self.picture.setObjectName("train.agent.picture")
        self.picture.setAccessibleName("Picture of the agent")
        self.picture.shown.connect(self.frameShown)
        self._badge = self._line("train.agent.badge")
        self._status = self._line("train.agent.status")
        self._action = self._line("train.agent.action")
        self.body_layout.addWidget(self.picture, 1)
        self.body_layout.addWidget(self._badge)
        self.body_layout.addWidget(self._status)
        self.body_layout.addWidget(self._action)
        context.store.pictureChanged.connect(self.refresh)
        context.store.cardChanged.connect(self.refresh)
        self.restyle()

    def _line(self, name: str) -> OneLine:
        label = OneLine(parent=self)
        label.setObjectName(name)
        return label

    def _get_badge(self) -> str:
        return self._badge.text()

    badge = Property(str, _get_badge, notify=badgeChanged)

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Before the first picture: the stage is still making its environment."""
        if self.context.store.picture is not None:
            return None
        return "The first picture is on its way.", "The stage is starting.", ()

    def draw(self) -> None:
        """Show the newest picture and say what it is."""
        picture = self.context.store.picture
        assert picture is not None
        drawn = bool(picture.frame.size)
        self.picture.set_frame(
            picture.frame,
            picture.t,
            "" if drawn else NO_PICTURE,
            explored=picture.reason == "explored",
        )
        options = self.context.store.configuration.training
        badge = badge_of(picture, options.seed if options.seeds > 1 else None)
        if badge != self._badge.text():
            self._badge.setText(badge)
            self.badgeChanged.emit(badge)
        status, action = status_of(picture), action_of(picture, self._actions())
        self._status.setText(status)
        self._action.setText(action)
        self.picture.setAccessibleDescription(f"{badge}. {status}. {action}")

    def restyle(self) -> None:
        """Take over fonts and colours."""
        theme = self.context.theme
        tokens, gap = theme.tokens, theme.px(6)
        self._badge.setFont(theme.font(relative=0.9, bold=True))
        self._badge.setStyleSheet(
            f"color: {tokens.text}; background: {tokens.raised};"
            f"padding: {gap // 2}px {gap}px;"
        )
        self._status.setFont(theme.mono(relative=0.9))
        self._status.setStyleSheet(f"padding: {gap // 2}px {gap}px 0px {gap}px;")
        self._action.setFont(theme.font(relative=0.9))
        self._action.setStyleSheet(f"padding: 0px {gap}px {gap // 2}px {gap}px;")

    def _actions(self) -> tuple[str, ...]:
        card = self.context.store.live_card or self.context.store.card
        return card.action_names if card is not None else ()


def badge_of(picture: Picture, seed: int | None = None) -> str:
    """Source, checkpoint, share of random actions and speed, in words.

    Args:
      picture: What is shown.
      seed: Of the agent; None where there is one only.
    """
    source = {"viewer": "viewer environment"}.get(picture.source, picture.source)
    speed = f"{picture.speed:g}×" if picture.speed > 0.0 else "as fast as drawn"
    if picture.checkpoint_step == -2:
        who = "random actions until the network is there"
        return f"{source} · {who} · {speed}"
    if picture.checkpoint_step < 0:
        who = "untrained network"
    else:
        who = f"checkpoint {count(picture.checkpoint_step)}"
        who += "" if seed is None else f" of seed {seed}"
    how = f"ε {picture.epsilon:g}" + (" (greedy)" if picture.epsilon == 0.0 else "")
    return f"{source} · {who} · {how} · {speed}"


def status_of(picture: Picture) -> str:
    """Episode, step and return so far."""
    where = f"episode {count(picture.episode)} · t {count(picture.t)}"
    return f"{where} · reward so far {short(picture.reward_sum)} (undiscounted)"


def action_of(picture: Picture, names: tuple[str, ...]) -> str:
    """What was done for which reason, and whether the episode ended."""
    if picture.action < 0:
        return f"the episode was {picture.ended}" if picture.ended else "no action yet"
    mark = "" if picture.reason == "greedy" else f"{DICE} "
    said = f"{action_phrase(names, picture.action)} ({mark}{picture.reason})"
    return f"{said} · {picture.ended}" if picture.ended else said
