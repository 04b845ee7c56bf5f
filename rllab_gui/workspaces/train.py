"""The Train workspace: choose, watch it learn."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from engine.contract.messages import Problem
from rllab_gui.forms.form import OptionForm
from rllab_gui.forms.gallery import Gallery
from rllab_gui.forms.preset_panel import PresetPanel
from rllab_gui.frame.recent import RecentList
from rllab_gui.lab import Lab
from rllab_gui.workspaces.base import Workspace

MIDDLE = (("agent", "train.agent.view"), ("qbars", "train.qbars"))
RIGHT = (("curve", "train.curve"), ("loss", "train.loss"))
TABBED = (
    ("priorities", "train.priorities"),
    ("embedding", "train.embedding"),
    ("cells", "train.cells"),
    ("exploration", "train.exploration"),
    ("returns", "train.returns"),
    ("memory", "train.memory"),
    ("account", "train.account"),
    ("events", "train.events"),
)


class TrainWorkspace(Workspace):
    """Presets and options at the left, the agent in the middle, curves at the right."""

    name = "train"
    title = "Train"
    _least = 0

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        self.gallery = Gallery(lab.presets, lab.draft, lab.theme)
        self.gallery.unusable.connect(self._on_unusable)
        self.form = OptionForm(
            lab.link,
            lab.draft,
            lab.costs,
            lab.live,
            lab.run,
            lab.commands,
            lab.theme,
        )
        super().__init__(lab, parent)

    def build(self) -> None:
        """Three columns; at the foot of the right one, tabs."""
        self.add_dock("setup", "Set-up", self._setup())
        self.add_columns(MIDDLE, RIGHT)
        self.add_tabs(TABBED)

    def arrange(self) -> None:
        """A narrow column of options; the picture larger than the bars."""
        wide, high = max(self.width(), 900), max(self.height(), 500)
        left = self.lab.theme.px(316)
        self.size_docks({"setup": left}, Qt.Orientation.Horizontal)
        rest = wide - left
        self.size_docks(
            {"setup": left, "agent": rest * 48 // 100, "curve": rest * 52 // 100},
            Qt.Orientation.Horizontal,
        )
        self.size_docks(
            {"agent": high * 58 // 100, "qbars": high * 42 // 100},
            Qt.Orientation.Vertical,
        )
        self.size_docks(
            {
                "curve": high * 34 // 100,
                "loss": high * 26 // 100,
                "priorities": high * 40 // 100,
            },
            Qt.Orientation.Vertical,
        )

    def event(self, event: QEvent) -> bool:
        """Rows may get their width long after the window has been arranged."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and "setup" in self.docks:
            least = self.docks["setup"].minimumSizeHint().width()
            if least != self._least:
                self._least = least
                self._arrange_soon()
        return done

    def _setup(self) -> QWidget:
        """Gallery and recent sessions over the options."""
        tabs = QTabWidget()
        tabs.setObjectName("train.start")
        tabs.setAccessibleName("Presets and recent sessions")
        tabs.tabBar().setObjectName("train.start.tabs")
        tabs.tabBar().setAccessibleName("Presets or recent sessions")
        panel = PresetPanel(self.gallery, self.lab.presets, self.lab.theme)
        tabs.addTab(panel, "Presets")
        tabs.addTab(RecentList(self.lab.sessions, self.lab.theme), "Recent sessions")
        tabs.setDocumentMode(True)
        panel.fitted.connect(
            lambda high: tabs.setFixedHeight(high + tabs.tabBar().sizeHint().height())
        )
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(tabs)
        column.addWidget(self.form, 1)
        return whole

    def _on_unusable(self, name: str) -> None:
        """A greyed card says what has to be installed."""
        card = self.lab.presets.get(name)
        if card is not None:
            self.lab.problems.report(
                Problem(
                    id="window.missing",
                    what=card.reason,
                    fixes=[(f"copy:{card.preset.install}", "Copy")],
                    severity="information",
                )
            )
