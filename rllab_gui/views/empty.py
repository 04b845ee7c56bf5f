"""What a view shows while it has nothing: a title, guidance, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from rllab_gui.commands import Commands
from rllab_gui.theme import Theme


class EmptyState(QWidget):
    """Title, guidance and buttons, in the middle of a view.

    They are made when there is something to say first: most views never say it.

    Attributes:
      prefix: Begins the names of the buttons; views that offer the same have others.
    """

    def __init__(
        self, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._commands = commands
        self._theme = theme
        self.prefix = "empty"
        self._offered: tuple[tuple[str, str], ...] = ()
        theme.changed.connect(self._restyle)

    def _make(self) -> None:
        self._title = self._label("empty.title")
        self._guidance = self._label("empty.guidance")
        self._buttons = _Buttons(self)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addWidget(self._title)
        layout.addWidget(self._guidance)
        layout.addWidget(self._buttons)
        layout.addStretch(3)
        self._restyle()

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label

    def say(
        self, title: str, guidance: str = "", offers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Show this; offers are (command id, label), unknown commands are left out."""
        if self.layout() is None:
            self._make()
        self._title.setText(title)
        self._guidance.setText(guidance)
        known = tuple(it for it in offers if it[0] in self._commands)
        if known != self._offered:
            self._offered = known
            self._rebuild()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low panel the guidance makes room for the buttons."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is None:
            return
        margins = layout.contentsMargins()
        wide = self.width() - margins.left() - margins.right()
        needed = sum(it.heightForWidth(wide) for it in (self._title, self._guidance))
        needed += self._buttons.height_in(wide) + 2 * layout.spacing()
        needed += margins.top() + margins.bottom()
        words = self._guidance.text()
        fits = needed <= self.height() or not self._offered
        self._guidance.setVisible(bool(words) and fits)
        self._title.setToolTip("" if fits else words)

    def _rebuild(self) -> None:
        self._buttons.hold([self._button(*it) for it in self._offered])

    def _button(self, command_id: str, label: str) -> QPushButton:
        action = self._commands.action(command_id)
        button = QPushButton(label, self)
        button.setObjectName(f"{self.prefix}.{command_id}")
        button.setAccessibleName(label)
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        button.setEnabled(action.isEnabled())
        action.enabledChanged.connect(button.setEnabled)
        return button

    def _restyle(self) -> None:
        if self.layout() is None:
            return
        self._title.setFont(self._theme.font(relative=1.1, bold=True))
        self._guidance.setFont(self._theme.font())
        self._guidance.setStyleSheet(f"color: {self._theme.tokens.muted}")


class _Buttons(QWidget):
    """Buttons beside each other; where they have no room for that, below each other.

    A view behind others would else make all of them as wide as its two buttons.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._held: list[QPushButton] = []
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)

    def hold(self, buttons: Sequence[QPushButton]) -> None:
        """These, in place of those that were here."""
        while self._row.takeAt(0) is not None:
            pass
        for button in self._held:
            button.hide()  # it may be drawn once more before it goes
            button.deleteLater()
        self._held = list(buttons)
        self._row.addStretch(1)
        for button in self._held:
            self._row.addWidget(button)
        self._row.addStretch(1)
        self._turn()

    def minimumSizeHint(self) -> QSize:
        """As wide as the widest of them."""
        wide = max((it.sizeHint().width() for it in self._held), default=0)
        return QSize(wide, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may have room for more, or for less."""
        super().resizeEvent(event)
        self._turn()

    def height_in(self, wide: int) -> int:
        """What they need in this width, in pixels."""
        each = [it.sizeHint().height() for it in self._held]
        if self._fits(wide):
            return max(each, default=0)
        return sum(each) + self._row.spacing() * (len(each) - 1)

    def _fits(self, wide: int) -> bool:
        needed = sum(it.sizeHint().width() for it in self._held)
        return needed + self._row.spacing() * (len(self._held) - 1) <= wide

    def _turn(self) -> None:
        way, beside = QBoxLayout.Direction, self._fits(self.width())
        self._row.setDirection(way.LeftToRight if beside else way.TopToBottom)
