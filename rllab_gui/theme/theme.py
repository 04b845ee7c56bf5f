"""The theme in force: palette, style sheet and fonts; follows the system if asked."""

from __future__ import annotations

from typing import Literal, cast

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from rllab_gui.theme.sheet import style_sheet
from rllab_gui.theme.tokens import DARK, LIGHT, Tokens

Choice = Literal["system", "light", "dark"]
SCALES = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)


class Theme(QObject):
    """Colours, fonts and distances that all widgets take from one place.

    Signals:
      changed(): Colours or sizes are other ones; redraw.
    """

    changed = Signal()

    def __init__(
        self,
        choice: str = "system",
        scale: float = 1.0,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._choice = _known(choice)
        self._scale = scale
        self._base = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        self._fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        hints = QGuiApplication.styleHints()
        self._system_is_dark = hints.colorScheme() == Qt.ColorScheme.Dark
        hints.colorSchemeChanged.connect(self._on_system_changed)

    @property
    def choice(self) -> Choice:
        """What the person wants: ``system``, ``light`` or ``dark``."""
        return self._choice

    @property
    def tokens(self) -> Tokens:
        """The colours in force."""
        return DARK if self.is_dark else LIGHT

    @property
    def is_dark(self) -> bool:
        """Whether light text stands on a dark ground."""
        # Painting asks a thousand times; the system says when it changes its mind.
        system = self._choice == "system"
        return self._system_is_dark if system else self._choice == "dark"

    @property
    def scale(self) -> float:
        """Size of everything, 1 is normal."""
        return self._scale

    @property
    def spacing(self) -> int:
        """The unit distance in pixels; use multiples of it."""
        return round(6 * self._scale)

    def px(self, size: float) -> int:
        """A length at normal size as pixels at this scale."""
        return round(size * self._scale)

    def colour(self, index: int) -> str:
        """Line colour number ``index``, round again beyond the last."""
        order = self.tokens.categorical
        return order[index % len(order)]

    def font(self, *, relative: float = 1.0, bold: bool = False) -> QFont:
        """The text font, at a size relative to normal text."""
        font = QFont(self._base)
        font.setPointSizeF(max(6.0, self._base.pointSizeF() * self._scale * relative))
        font.setBold(bold)
        return font

    def mono(self, *, relative: float = 1.0) -> QFont:
        """Digits of equal width, for numbers that change."""
        font = QFont(self._fixed)
        font.setPointSizeF(max(6.0, self._base.pointSizeF() * self._scale * relative))
        return font

    def set_choice(self, choice: str) -> None:
        """Take ``system``, ``light`` or ``dark``; anything else is system."""
        self._choice = _known(choice)
        self.apply()

    def set_scale(self, scale: float) -> None:
        """Make everything larger or smaller, within the offered range."""
        scale = min(max(scale, SCALES[0]), SCALES[-1])
        if scale != self._scale:
            self._scale = scale
            self.apply()

    def toggle(self) -> None:
        """Light becomes dark and dark becomes light."""
        self.set_choice("light" if self.is_dark else "dark")

    def apply_font(self) -> None:
        """The size of the words alone, for widgets that are still to be made.

        Those that have not been shown yet keep the font they were made with.
        """
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setFont(self.font())

    def apply(self) -> None:
        """Dress the application."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(palette(self.tokens))
        application.setFont(self.font())
        # In place of another sheet, Qt dresses a widget once for each that it lies in,
        # which takes three times as long: over a second in our window.
        application.setStyleSheet("")
        application.setStyleSheet(style_sheet(self.tokens, self._scale))
        self.changed.emit()

    def _on_system_changed(self) -> None:
        scheme = QGuiApplication.styleHints().colorScheme()
        self._system_is_dark = scheme == Qt.ColorScheme.Dark
        if self._choice == "system":
            self.apply()


def _known(choice: str) -> Choice:
    return cast(Choice, choice) if choice in ("light", "dark") else "system"


def palette(tokens: Tokens) -> QPalette:
    """The colours as Qt's roles."""
    role = QPalette.ColorRole
    table = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.sunken,
        role.AlternateBase: tokens.raised,
        role.Text: tokens.text,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.bad,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.muted,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Link: tokens.link,
        role.Mid: tokens.border,
        role.Dark: tokens.edge,
        role.Light: tokens.raised,
        role.Midlight: tokens.border,
        role.Accent: tokens.accent,
    }
    made = QPalette()
    for which, colour in table.items():
        made.setColor(which, QColor(colour))
    for which in (role.Text, role.WindowText, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.disabled))
    return made
