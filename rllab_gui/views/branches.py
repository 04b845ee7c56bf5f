"""The branches of an episode: try another action, and see what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Property, QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.action_keys import hint
from rllab_gui.branches import AS_RECORDED, AT_CURSOR, MANY, NEWEST, Branches
from rllab_gui.plain import PlainLabel
from rllab_gui.plots.narrow_box import NarrowBox
from rllab_gui.plots.scrolled import ScrolledPanel, ScrolledWords
from rllab_gui.plots.text import OneLine
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.branch_offer import BranchOffer
from rllab_gui.views.branch_tree import BranchTree
from rllab_gui.views.branch_words import answer

POLICIES = (
    ("as recorded", AS_RECORDED),
    ("the judging checkpoint", AT_CURSOR),
    ("the newest checkpoint", NEWEST),
)
HIGH = 600
"""Height of a window in pixels of normal size from which there is room for all rows."""
BY_HAND = ("Play it yourself", "Play")
"""What that button says, and what it says where there is little room."""
COUNTS = (("once", 1), (f"{MANY} times", MANY))
TOOLS = (
    ("byHand", "branch.byHand", BY_HAND[0]),
    ("ghost", "branch.ghost", "Ghost"),
    ("more", "", "More"),
)
MORE = (
    "branch.playSeed",
    "branch.explore",
    "branch.realTime",
    "branch.rename",
    "branch.delete",
    "branch.exportTable",
    "branch.exportFilm",
)


class BranchesView(View):
    """Buttons to branch, the tree of branches, and the answer in words."""

    view_id = "stepBranches"
    title = "Branches"
    answers = True
    about = (
        "What would have happened after another action? The step is restored by "
        "playing the episode again from its seed, each observation is compared with "
        "the recorded one, the action is forced, and the policy goes on. With 20 "
        "rollouts both arms of a pair have the same random numbers. ± is the 95 % "
        "interval of the mean difference."
    )

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._branches: Branches = context.branches
        self._answer = ""
        self.offer = BranchOffer(self)
        self.policy = self._box(
            "step.branches.policy",
            "Whose policy goes on after the forced action",
            POLICIES,
        )
        self.count = self._box(
            "step.branches.count",
            "Rollouts of each arm, in pairs with the same random numbers",
            COUNTS,
        )
        self.tree = BranchTree(self)
        words = self._label("step.branches.answer", "What came of the branch")
        self._words = ScrolledWords(words, self)
        self._why = OneLine(parent=self)
        self._why.setObjectName("step.branches.why")
        self._why.setAccessibleName("How it was made")
        self._choices, self._tools = QHBoxLayout(), QHBoxLayout()
        self._lay_out()
        self._connect()
        self.restyle()

    # -------------------------------------------------------------- construction

    def _label(self, name: str, title: str) -> QLabel:
        label = PlainLabel(parent=self)
        label.setObjectName(name)
        label.setAccessibleName(title)
        label.setWordWrap(True)
        return label

    def _box(
        self, name: str, title: str, entries: Sequence[tuple[str, int]]
    ) -> QComboBox:
        box = NarrowBox(self)
        box.setObjectName(name)
        box.setAccessibleName(title)
        box.setToolTip(title)
        for words, value in entries:
            box.addItem(words, value)
        return box

    def _lay_out(self) -> None:
        self._choices.addWidget(self.policy, 1)
        self._choices.addWidget(self.count)
        self._buttons = [self._tool(*it) for it in TOOLS]
        for button in self._buttons:
            self._tools.addWidget(button)
        self._tools.addStretch(1)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.offer)
        column.addLayout(self._choices)
        column.addWidget(self.tree, 1)
        column.addWidget(self._words)
        column.addWidget(self._why)
        column.addLayout(self._tools)
        self._scroll = ScrolledPanel(inside, self)
        self._scroll.setObjectName("step.branches.scroll")
        self._scroll.setAccessibleName(self.title)
        self._scroll.viewport().installEventFilter(self)
        self.body_layout.addWidget(self._scroll)

    def _tool(self, name: str, command: str, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"step.branches.{name}")
        button.setAutoRaise(True)
        if command in self.context.commands:
            button.setDefaultAction(self.context.commands.action(command))
        if name == "ghost":
            button.setChecked(self._branches.ghost.wanted)
        if name == "more":
            button.setToolTip("Play this seed again, rename, delete, export")
            button.setProperty("role", "menu")
            button.setMenu(self._more(button))
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        _write_on(button, title)
        button.setAccessibleName(title)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _more(self, button: QToolButton) -> QMenu:
        menu = QMenu(button)
        for command in MORE:
            if command in self.context.commands:
                menu.addAction(self.context.commands.action(command))
        return menu

    def _connect(self) -> None:
        branches, episode = self._branches, self.context.episode
        self.offer.chosen.connect(branches.make)
        self.policy.activated.connect(self._on_policy)
        self.count.activated.connect(self._on_count)
        self.tree.chosen.connect(self._on_chosen)
        self.tree.renamed.connect(branches.rename)
        for signal in (branches.changed, branches.hand.changed, branches.pad.changed):
            signal.connect(self.refresh)
        for signal in (episode.changed, episode.momentChanged):
            signal.connect(self.refresh)
        self.context.commands.keysChanged.connect(self.refresh)
        self.context.link.lostChanged.connect(self.refresh)

    # ---------------------------------------------------------------------- draw

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """There is no episode."""
        if self.context.episode.shows:
            return None
        return "No episode is looked at.", "Choose one in the list of episodes.", ()

    def draw(self) -> None:
        """Bring buttons, tree and words up to date."""
        if self.context.episode.data is None:
            return  # what is shown stays until the next episode is here
        branches = self._branches
        names = branches.hand.names
        self.offer.offer(names)
        able = not branches.hand.playing and not self.context.link.lost
        self.offer.setEnabled(able and not branches.refusal)
        self.offer.setToolTip(branches.refusal)
        inside = branches.current is not None
        place = self.context.cursor.position.branch if inside else ""
        self.tree.show_branches(branches.here, place)
        self._say(names)

    def _say(self, names: tuple[str, ...]) -> None:
        branches = self._branches
        branch, why = branches.current, ""
        if branches.hand.playing:
            words = f"{branches.hand.hint} {branches.pad.hint}".strip()
        elif branches.under_way:
            words = f"{branches.under_way}… Esc gives it up."
        elif branches.problem or branches.hand.problem:
            words = branches.problem or branches.hand.problem
        elif branch is not None:
            words, why = answer(branch, names), branch.why
        else:
            first = self.context.commands.with_keys("Press {branch.choose}")
            words = branches.refusal or f"What if? {first}, then {hint(names)}."
        self._answer = words
        self.offer.setProperty("answerText", words)
        self._words.say(f"{words}\n{why}" if why and self._is_low else words)
        self._why.setText(why)
        self._why.setVisible(bool(why) and not self._is_low)
        self.describe(words)

    def _get_answer(self) -> str:
        return self._answer

    answerText = Property(str, _get_answer)

    # ---------------------------------------------------------------- the person

    def _on_policy(self, index: int) -> None:
        self._branches.policy = int(self.policy.itemData(index))

    def _on_count(self, index: int) -> None:
        self._branches.count = int(self.count.itemData(index))

    def _on_chosen(self, place: str) -> None:
        if not place:
            self._branches.leave()
            return
        branch_id, _, rollout = place.partition("/")
        self._branches.enter(branch_id, int(rollout or 0))

    def rename(self) -> None:
        """Edit the name of the branch that is looked at."""
        branch = self._branches.current
        if branch is not None:
            self.tree.edit_name(branch.id)

    @property
    def _is_low(self) -> bool:
        """Whether the words are so large that rows have to be saved."""
        return self.window().height() < self.context.theme.px(HIGH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Save rows in a low window, and words in a narrow panel."""
        super().resizeEvent(event)
        self._save_room()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """In a window of another height it may ask for another height."""
        super().showEvent(event)
        self.window().installEventFilter(self)  # moved to its end if it is there

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window has another size, or a scroll bar has come or gone."""
        if event.type() == QEvent.Type.Resize:
            if watched is self._scroll.viewport():
                self._save_room()
            elif watched is self.window():
                self._scroll.updateGeometry()
        return super().eventFilter(watched, event)

    def _save_room(self) -> None:
        self.offer.set_headed(not self._is_low)
        by_hand = self._buttons[0]
        measure = by_hand.fontMetrics().horizontalAdvance
        needed = sum(it.sizeHint().width() for it in self._buttons)
        needed += measure(BY_HAND[0]) - measure(by_hand.text())
        needed += self._tools.spacing() * (len(self._buttons) + 1)
        _write_on(by_hand, BY_HAND[needed > self._scroll.viewport().width()])

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        theme = self.context.theme
        gap = theme.px(4)
        self.offer.set_gap(gap)
        self.tree.setMinimumHeight(theme.px(44))
        for row in (self._choices, self._tools):
            row.setContentsMargins(gap, gap, gap, gap)
            row.setSpacing(gap)
        self._words.label.setFont(theme.font(relative=0.9))
        self._why.setFont(theme.font(relative=0.8))
        self._why.setStyleSheet(f"color: {theme.tokens.muted}")
        for label in (self._words.label, self._why):
            label.setContentsMargins(gap, gap // 2, gap, 0)
        self._save_room()


def _write_on(button: QToolButton, words: str) -> None:
    """Let it say this, also once its action has changed and it asks that again."""
    action = button.defaultAction()
    if action is None:
        button.setText(words)
    else:
        action.setIconText(words)
