"""The branches of an episode: try another action, and see what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Property, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from engine.contract.branches import returned, rollout_pairs
from engine.contract.notes import Branch
from rllab_gui.action_keys import action_letters, hint
from rllab_gui.branches import (
    AS_RECORDED,
    AT_CURSOR,
    MANY,
    NEWEST,
    Branches,
    place_of,
)
from rllab_gui.plain import PlainLabel, tip
from rllab_gui.plots.numbers import short
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.branch_words import answer, tree_words, who

BUTTONS = 6
"""More actions than this are a menu."""
PLACE = Qt.ItemDataRole.UserRole
POLICIES = (
    ("as it was recorded", AS_RECORDED),
    ("the judging checkpoint", AT_CURSOR),
    ("the newest checkpoint", NEWEST),
)
TOOLS = (
    ("byHand", "branch.byHand", "Play it yourself"),
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
    answers = True

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._branches: Branches = context.branches
        self._tried: tuple[str, ...] = ()
        self._known: list[Branch] = []
        self._answer = ""
        self._try = QWidget(self)
        self._try.setObjectName("step.why.branch")
        self._try.setAccessibleName("Branch from here")
        self._grid = QGridLayout(self._try)
        self._policy, self._count = self._make_policy(), self._make_count()
        self.tree = self._make_tree()
        self._words = self._label("step.branches.answer", "What came of the branch")
        self._why = self._label("step.branches.why", "How it was made")
        self._lay_out()
        self._branches.changed.connect(self.refresh)
        self._branches.hand.changed.connect(self.refresh)
        context.episode.changed.connect(self.refresh)
        context.episode.momentChanged.connect(self.refresh)
        self.restyle()

    # -------------------------------------------------------------- construction

    def _label(self, name: str, title: str) -> QLabel:
        label = PlainLabel(parent=self)
        label.setObjectName(name)
        label.setAccessibleName(title)
        label.setWordWrap(True)
        return label

    def _box(self, name: str, title: str, entries: Sequence[tuple[str, int]]) -> Any:
        box = QComboBox(self)
        box.setObjectName(name)
        box.setAccessibleName(title)
        box.setToolTip(title)
        for words, value in entries:
            box.addItem(words, value)
        return box

    def _make_policy(self) -> QComboBox:
        title = "Whose policy goes on after the forced action (greedy)"
        box: QComboBox = self._box("step.branches.policy", title, POLICIES)
        box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        box.setMinimumContentsLength(8)
        box.activated.connect(self._on_policy)
        return box

    def _make_count(self) -> QComboBox:
        title = "Rollouts of each arm, in pairs with the same random numbers"
        box: QComboBox = self._box(
            "step.branches.count", title, [("once", 1), (f"{MANY} times", MANY)]
        )
        box.activated.connect(self._on_count)
        return box

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setObjectName("step.branches.tree")
        tree.setAccessibleName("Branches of this episode")
        tree.setHeaderLabels(["branch", "Δ return"])
        tree.headerItem().setToolTip(
            1, "Undiscounted return of the branch minus that of the main line"
        )
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        tree.currentItemChanged.connect(self._on_chosen)
        tree.itemChanged.connect(self._on_edited)
        return tree

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self._policy, 1)
        row.addWidget(self._count)
        self._rows = row
        self._tools = QHBoxLayout()
        for name, command, title in TOOLS:
            self._tools.addWidget(self._tool(name, command, title))
        self._tools.addStretch(1)
        self.body_layout.addWidget(self._try)
        self.body_layout.addLayout(row)
        self.body_layout.addWidget(self.tree, 1)
        self.body_layout.addWidget(self._words)
        self.body_layout.addWidget(self._why)
        self.body_layout.addLayout(self._tools)

    def _tool(self, name: str, command: str, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"step.branches.{name}")
        button.setAutoRaise(True)
        known = command in self.context.commands
        if known:
            button.setDefaultAction(self.context.commands.action(command))
            if name == "ghost":
                button.setChecked(self._branches.ghost.wanted)
        button.setText(title)
        button.setAccessibleName(title)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if name == "more":
            button.setToolTip("Play this seed again, rename, delete, export")
            button.setProperty("role", "menu")
            button.setMenu(self._more(button))
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _more(self, button: QToolButton) -> QMenu:
        menu = QMenu(button)
        for command in MORE:
            if command in self.context.commands:
                menu.addAction(self.context.commands.action(command))
        return menu

    # ---------------------------------------------------------------------- draw

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """There is no episode."""
        if self.context.episode.data is not None:
            return None
        return "No episode is looked at.", "Choose one in the list of episodes.", ()

    def draw(self) -> None:
        """Bring buttons, tree and words up to date."""
        data = self.context.episode.data
        assert data is not None
        names = tuple(data.word(it) for it in range(data.q.shape[1]))
        if names != self._tried:
            self._tried = names
            self._offer(names)
        refusal = self._branches.refusal
        playing = self._branches.hand.playing
        self._try.setEnabled(not refusal and not playing)
        self._try.setToolTip(refusal)
        self._fill()
        self._say(names)

    def _offer(self, names: tuple[str, ...]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        columns = min(3, len(names))
        self._grid.addWidget(PlainLabel("Branch from here:"), 0, 0, 1, columns)
        if len(names) > BUTTONS:
            self._grid.addWidget(self._action_menu(names), 1, 0, 1, columns)
            return
        letters = action_letters(names)
        for action, (word, letter) in enumerate(zip(names, letters, strict=True)):
            button = self._action_button(action, word, letter)
            self._grid.addWidget(button, 1 + action // columns, action % columns)

    def _action_button(self, action: int, word: str, letter: str) -> QToolButton:
        button = QToolButton(self._try)
        button.setObjectName(f"step.why.branch.{action}")
        button.setText(word)
        button.setAccessibleName(f"Branch with {word}")
        button.setToolTip(tip(f"What if the action were {word}? (C, then {letter})"))
        button.setSizePolicy(self._policy.sizePolicy())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._branches.make(action))
        return button

    def _action_menu(self, names: tuple[str, ...]) -> QToolButton:
        button = QToolButton(self._try)
        button.setObjectName("step.why.branch.menu")
        button.setText("Choose an action")
        button.setAccessibleName(button.text())
        button.setProperty("role", "menu")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for action, word in enumerate(names):
            entry = menu.addAction(word)
            entry.setObjectName(f"act.step.why.branch.{action}")
            entry.setToolTip(f"What if the action were {word}?")
            entry.setStatusTip(entry.toolTip())
            entry.triggered.connect(
                lambda checked=False, which=action: self._branches.make(which)
            )
        button.setMenu(menu)
        return button

    def _fill(self) -> None:
        """Rows of the tree where there are others; which one is looked at."""
        tree, here = self.tree, self._branches.here
        tree.blockSignals(True)
        if here != self._known or not tree.topLevelItemCount():
            self._known = here
            tree.clear()
            root = self._row(None, "main line", "", "")
            for branch in here:
                self._add(root, branch)
            root.setExpanded(True)
        place = self.context.cursor.position.branch
        item = self._item(place if self._branches.current is not None else "")
        if item is not None and item is not tree.currentItem():
            tree.setCurrentItem(item)
        tree.blockSignals(False)

    def _add(self, root: QTreeWidgetItem, branch: Branch) -> None:
        name, gain = tree_words(branch)
        item = self._row(root, name, gain, branch.id)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setToolTip(0, tip(f"{who(branch)}. {branch.why}"))
        for number, (ours, theirs) in enumerate(rollout_pairs(branch)):
            if len(branch.rollouts) > 1:
                more = returned(ours, 1.0) - returned(theirs, 1.0)
                words = f"rollout {number + 1}"
                self._row(item, words, short(more), place_of(branch.id, number))

    def _row(
        self, parent: QTreeWidgetItem | None, name: str, gain: str, place: str
    ) -> QTreeWidgetItem:
        item = QTreeWidgetItem([name, gain])
        item.setData(0, PLACE, place)
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
        if parent is None:
            self.tree.addTopLevelItem(item)
        else:
            parent.addChild(item)
        return item

    def _item(self, place: str) -> QTreeWidgetItem | None:
        """The row of a place; the first rollout is the branch itself."""
        root = self.tree.topLevelItem(0)
        rows = [root]
        while rows:
            item = rows.pop(0)
            if item is not None and item.data(0, PLACE) == place:
                return item
            if item is not None:
                rows += [item.child(it) for it in range(item.childCount())]
        return None

    def _say(self, names: tuple[str, ...]) -> None:
        branches = self._branches
        branch = branches.current
        if branches.hand.playing:
            words = branches.hand.hint
        elif branches.under_way:
            words = f"{branches.under_way}… Esc gives it up."
        elif branches.problem or branches.hand.problem:
            words = branches.problem or branches.hand.problem
        elif branch is not None:
            words = answer(branch, names)
        else:
            words = branches.refusal or f"What if? Press C, then {hint(names)}."
        self._answer = words
        self._words.setText(words)
        self._try.setProperty("answerText", words)
        shows = branch is not None and words == answer(branch, names)
        self._why.setText(branch.why if shows and branch is not None else "")
        self._why.setVisible(shows)
        self.describe(words)

    def _get_answer(self) -> str:
        return self._answer

    answerText = Property(str, _get_answer)

    # ---------------------------------------------------------------- the person

    def _on_policy(self, index: int) -> None:
        self._branches.policy = int(self._policy.itemData(index))

    def _on_count(self, index: int) -> None:
        self._branches.count = int(self._count.itemData(index))

    def _on_chosen(self, item: QTreeWidgetItem | None, _: object) -> None:
        place = str(item.data(0, PLACE)) if item is not None else ""
        if not place:
            self._branches.leave()
            return
        branch_id, _, rollout = place.partition("/")
        self._branches.enter(branch_id, int(rollout or 0))

    def _on_edited(self, item: QTreeWidgetItem, column: int) -> None:
        name, place = item.text(0).strip(), str(item.data(0, PLACE))
        if column == 0 and name and place:
            self._branches.rename(place, name)

    def rename(self) -> None:
        """Edit the name of the branch that is looked at."""
        branch = self._branches.current
        item = self._item(branch.id) if branch is not None else None
        if item is not None:
            self.tree.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.tree.editItem(item, 0)

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        theme = self.context.theme
        gap = theme.px(4)
        self._grid.setContentsMargins(gap, gap, gap, 0)
        self._grid.setSpacing(gap)
        for row in (self._rows, self._tools):
            row.setContentsMargins(gap, gap, gap, gap)
            row.setSpacing(gap)
        self._words.setFont(theme.font(relative=0.9))
        self._why.setFont(theme.font(relative=0.8))
        self._why.setStyleSheet(f"color: {theme.tokens.muted}")
        for label in (self._words, self._why):
            label.setContentsMargins(gap, gap // 2, gap, 0)
