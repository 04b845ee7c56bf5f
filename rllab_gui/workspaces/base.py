"""A workspace: a window within the window, in which views are docks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QTabWidget, QWidget

from rllab_gui.frame.widgets import DockTitle
from rllab_gui.lab import Lab
from rllab_gui.plots.header import PlotHeader
from rllab_gui.views.base import View
from rllab_gui.views.discover import all_views

Place = tuple[str, str]
"""Id of a view, and the object name that it gets in this workspace."""

LAYOUT_VERSION = 3
OVERLAP = 2
"""Pixels by which a tab bar may reach into a dock beside it."""
SETTLE_MS = 400


class Workspace(QMainWindow):
    """Base of the workspaces.

    Signals:
      arranged(): A dock has been moved, resized, closed or shown.
    """

    name = ""
    title = ""
    arranged = Signal()

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Widget)
        self.setObjectName(f"workspace.{self.name}")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.lab = lab
        self.docks: dict[str, QDockWidget] = {}
        self._last_column: QDockWidget | None = None
        self._foot: QDockWidget | None = None
        self.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
        )
        self.setTabPosition(
            Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North
        )
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._tidy)
        self._settle.timeout.connect(self.arranged)
        self._untouched = True
        self._kept = QByteArray()
        self._bars = 0
        self._left_over: list[QTabBar] = []
        self.build()
        self._initial = self.saveState(LAYOUT_VERSION)
        lab.theme.changed.connect(self._arrange_soon)

    def build(self) -> None:
        """Make the docks and arrange them; for subclasses."""

    def arrange(self) -> None:
        """Give the docks their sizes once the workspace has its own; likewise."""

    # ------------------------------------------------------------------- docks

    def add_view(self, view_id: str, object_name: str) -> QDockWidget | None:
        """A dock with the view of this id; None where there is no such view."""
        kind = all_views().get(view_id)
        if kind is None:
            return None
        view = kind(self.lab.context)
        view.setObjectName(object_name)
        headers = view.findChildren(PlotHeader)
        header = headers[0] if len(headers) == 1 else None
        return self.add_dock(view_id, view.title, view, header, view.tab)

    def add_dock(
        self,
        name: str,
        title: str,
        widget: QWidget,
        header: QWidget | None = None,
        tab: str = "",
    ) -> QDockWidget:
        """A dock round any widget; among tabs it may have a shorter title."""
        dock = QDockWidget(tab or title, self)
        dock.setObjectName(f"dock.{self.name}.{name}")
        dock.setAccessibleName(title)
        dock.setTitleBarWidget(DockTitle(dock, self.lab.theme, header))
        widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        dock.setWidget(widget)
        dock.installEventFilter(self)
        dock.topLevelChanged.connect(self._on_touched)  # also where it is dragged
        dock.dockLocationChanged.connect(self._settle.start)
        dock.visibilityChanged.connect(lambda visible: self._settle.start())
        if not self.docks:
            self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
            self._last_column = self._foot = dock
        self.docks[name] = dock
        return dock

    def add_columns(self, *columns: Sequence[Place]) -> None:
        """Columns of views, each (id, object name); a view that is not there is left.

        All columns are begun before any is filled: Qt splits the cell of the dock
        that is named, so that the other order would give a column within a row.
        """
        begun: list[tuple[QDockWidget, Sequence[Place]]] = []
        for places in columns:
            for number, place in enumerate(places):
                top = self.add_view(*place)
                if top is not None:
                    self._put(self._last_column, top, Qt.Orientation.Horizontal)
                    self._last_column = self._foot = top
                    begun.append((top, places[number + 1 :]))
                    break
        for above, places in begun:
            for place in places:
                below = self.add_view(*place)
                if below is not None:
                    self._put(above, below, Qt.Orientation.Vertical)
                    above = self._foot = below

    def add_tabs(self, places: Sequence[Place]) -> None:
        """Views behind each other, at the foot of the last column."""
        front: QDockWidget | None = None
        for place in places:
            dock = self.add_view(*place)
            if dock is None:
                continue
            if front is None:
                self._put(self._foot, dock, Qt.Orientation.Vertical)
                front = dock
            else:
                self.tabifyDockWidget(front, dock)
        if front is not None:
            front.raise_()

    def add_behind(self, front: str, places: Sequence[Place]) -> None:
        """Views as tabs behind the dock of this name, which stays in front."""
        ahead = self.docks.get(front)
        for place in places:
            dock = self.add_view(*place)
            if dock is not None and ahead is not None:
                self.tabifyDockWidget(ahead, dock)
        if ahead is not None:
            ahead.raise_()

    def _put(
        self, beside: QDockWidget | None, dock: QDockWidget, way: Qt.Orientation
    ) -> None:
        if beside is not None and beside is not dock:
            self.splitDockWidget(beside, dock, way)

    def size_docks(self, sizes: dict[str, int], direction: Qt.Orientation) -> None:
        """Sizes for the docks that exist."""
        there = {name: size for name, size in sizes.items() if name in self.docks}
        docks = [self.docks[name] for name in there]
        self.resizeDocks(docks, list(there.values()), direction)

    def dock_of(self, widget: QWidget) -> QDockWidget:
        """The dock that a widget is in."""
        return next(it for it in self.docks.values() if it.isAncestorOf(widget))

    def views(self) -> list[View]:
        """All views of this workspace."""
        return [
            it for dock in self.docks.values() if isinstance(it := dock.widget(), View)
        ]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice when a dock gets another size, and when a person closes one."""
        if event.type() == QEvent.Type.Resize:
            self._settle.start()
        elif event.type() == QEvent.Type.Close:
            self._on_touched()
        return super().eventFilter(watched, event)

    def childEvent(self, event: QChildEvent) -> None:
        """Qt makes the tab bars of docks itself; they get names like everything."""
        super().childEvent(event)
        bar = event.child()
        if event.polished() and isinstance(bar, QTabBar) and not bar.objectName():
            self._bars += 1
            bar.setObjectName(f"workspace.{self.name}.tabs{self._bars}")
            bar.setAccessibleName("Panels behind each other")
            bar.setElideMode(Qt.TextElideMode.ElideNone)  # "C…" says nothing
            bar.setUsesScrollButtons(True)

    def _tidy(self) -> None:
        """Qt leaves tab bars of earlier arrangements where they were: hide them.

        One that is used lies over none of its docks. All of these are looked at each
        time, in case that Qt takes one of them into use again.
        """
        docks = [it for it in self.docks.values() if not it.isFloating()]
        shown = [it.geometry() for it in docks if not it.visibleRegion().isEmpty()]
        for bar in self.findChildren(
            QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly
        ):
            inside = bar.geometry().adjusted(0, OVERLAP, 0, -OVERLAP)
            over = any(inside.intersects(it) for it in shown)
            if over and bar.isVisible():
                self._left_over.append(bar)
                bar.hide()
            elif not over and bar in self._left_over:
                self._left_over.remove(bar)
                bar.setVisible(bar.count() > 1)

    def event(self, event: QEvent) -> bool:
        """A press on the window itself is one on a separator between docks."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._on_touched()
        return super().event(event)

    def _on_touched(self) -> None:
        """What a person has arranged stays as it is."""
        self._untouched = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Until a person has moved something, the docks keep their proportions."""
        super().resizeEvent(event)
        self._arrange_soon()

    def _arrange_soon(self) -> None:
        if self._untouched:
            QTimer.singleShot(0, self, self.arrange)

    # ------------------------------------------------------------------ layout

    def layout_state(self) -> QByteArray:
        """The arrangement, to be kept."""
        return self.saveState(LAYOUT_VERSION)

    def restore_layout(self, state: QByteArray) -> bool:
        """Take over a kept arrangement; False where it cannot be used."""
        restored = not state.isEmpty() and self.restoreState(state, LAYOUT_VERSION)
        self._untouched &= not restored
        if restored and not self.isVisible():
            self._kept = state
        return restored

    def showEvent(self, event: QShowEvent) -> None:
        """Only a workspace of its own size can give docks the sizes that were kept."""
        super().showEvent(event)
        if not self._kept.isEmpty():
            QTimer.singleShot(0, self, self._restore_kept)

    @property
    def untouched(self) -> bool:
        """Whether nobody has arranged anything, so that docks keep proportions."""
        return self._untouched

    def put_back(self, state: QByteArray, *, untouched: bool) -> None:
        """The arrangement of before, that of a workspace behind when it is shown."""
        self.restoreState(state, LAYOUT_VERSION)
        if not self.isVisible():
            self._kept = state
        self._untouched = untouched
        self._arrange_soon()

    def _restore_kept(self) -> None:
        self.restoreState(self._kept, LAYOUT_VERSION)
        self._kept = QByteArray()

    def reset_layout(self) -> None:
        """Back to the arrangement of the beginning."""
        self.restoreState(self._initial, LAYOUT_VERSION)
        for dock in self.docks.values():
            dock.setFloating(False)
            dock.show()
        self._untouched = True
        self.arrange()
