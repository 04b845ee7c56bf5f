"""The style sheet, written from the tokens."""

from __future__ import annotations

from collections.abc import Callable

from engine.contract.catalogue import RESOURCES
from rllab_gui.theme.tokens import Tokens

_IMAGES = (RESOURCES / "icons").as_posix()

Length = Callable[[float], str]


def style_sheet(tokens: Tokens, scale: float) -> str:
    """Style of all widgets for these colours at this size."""

    def px(size: float) -> str:
        return f"{round(size * scale)}px"

    parts = (_frames, _buttons, _train_button, _fields, _lists, _bars)
    return "\n".join(part(tokens, px) for part in parts)


def _frames(t: Tokens, px: Length) -> str:
    return f"""
QToolTip {{ color: {t.text}; background: {t.raised}; border: 1px solid {t.edge};
  padding: {px(5)}; }}
QMainWindow, QStatusBar {{ background: {t.window}; }}
QMainWindow::separator {{ background: {t.window}; width: 6px; height: 6px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QSplitter::handle {{ background: {t.window}; }}
QSplitter::handle:hover {{ background: {t.accent}; }}
QDockWidget > QWidget {{ background: {t.panel}; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: {t.panel}; border: none; }}
QFrame[role="line"] {{ background: {t.border}; border: none; max-height: 1px; }}
QFrame[role="divider"] {{ background: {t.border}; border: none; }}
QLabel {{ background: transparent; }}
QLabel[role="muted"] {{ color: {t.muted}; }}
QLabel[role="complaint"] {{ color: {t.bad}; }}
QWidget[role="strip"] {{ background: {t.raised}; border-bottom: 1px solid {t.border}; }}
QWidget[role="overlay"] {{ background: {t.panel}; border: 1px solid {t.edge};
  border-radius: {px(8)}; }}
QMenuBar {{ background: {t.window}; color: {t.text}; }}
QMenuBar::item {{ padding: {px(4)} {px(8)}; background: transparent; }}
QMenuBar::item:selected {{ background: {t.selection}; border-radius: {px(4)}; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.border}; padding: {px(4)}; }}
QMenu::item {{ padding: {px(5)} {px(24)}; border-radius: {px(4)}; }}
QMenu::item:selected {{ background: {t.selection}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.disabled}; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: {px(4)}; }}
"""


def _buttons(t: Tokens, px: Length) -> str:
    return f"""
QToolButton, QPushButton {{ background: {t.raised}; border: 1px solid {t.border};
  border-radius: {px(4)}; padding: {px(3)} {px(8)}; color: {t.text};
  min-height: {px(18)}; }}
QToolButton {{ padding: {px(3)}; min-width: {px(18)}; }}
QToolButton[role="menu"] {{ padding-right: {px(14)}; }}
QToolButton:hover, QPushButton:hover {{ border-color: {t.accent}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {t.selection}; }}
QToolButton:checked {{ background: {t.selection}; border-color: {t.accent}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {t.disabled}; }}
QToolButton:focus, QPushButton:focus {{ border: 2px solid {t.accent};
  padding: {px(2)} {px(7)}; }}
QToolButton:focus {{ padding: {px(2)}; }}
QToolButton[role="menu"]:focus {{ padding-right: {px(13)}; }}
QToolButton[flat="true"] {{ background: transparent; border-color: transparent; }}
QToolButton[flat="true"]:hover {{ border-color: {t.border}; background: {t.raised}; }}
QToolButton[flat="true"]:checked {{ background: {t.selection};
  border-color: {t.accent}; }}
QToolButton[role="fold"]:checked {{ background: transparent;
  border-color: transparent; }}
QToolButton[flat="true"]:focus {{ border-color: {t.accent}; }}
QPushButton:default:enabled {{ background: {t.accent}; color: {t.on_accent};
  border-color: {t.accent}; }}
QPushButton[role="link"] {{ background: transparent; border: none; color: {t.link};
  text-align: left; padding: {px(2)} {px(4)}; }}
QPushButton[role="link"]:hover {{ text-decoration: underline; }}
QPushButton[role="link"]:focus {{ border: 1px solid {t.accent}; }}
QToolButton[role="rail"] {{ background: transparent; border: none; border-radius: 0;
  border-left: 3px solid transparent; padding: {px(8)} {px(2)}; color: {t.muted}; }}
QToolButton[role="rail"]:hover {{ color: {t.text}; background: {t.raised}; }}
QToolButton[role="rail"]:checked {{ color: {t.text}; background: {t.panel};
  border-left: 3px solid {t.accent}; }}
QToolButton[role="rail"]:focus {{ border: 2px solid {t.accent}; }}
"""


def _train_button(t: Tokens, px: Length) -> str:
    name = "QToolButton#main\\.train\\.button"
    return f"""
{name} {{ background: {t.accent}; color: {t.on_accent}; border: 2px solid {t.accent};
  font-weight: bold; padding: {px(4)} {px(14)}; min-width: {px(92)}; }}
{name}:hover {{ border-color: {t.text}; }}
{name}:focus {{ border: 2px solid {t.text}; padding: {px(4)} {px(14)}; }}
{name}[state="running"], {name}[state="pausing"], {name}[state="stopping"],
{name}[state="starting"] {{ background: {t.raised}; color: {t.text};
  border-color: {t.edge}; }}
{name}[state="running"]:focus {{ border-color: {t.accent}; }}
{name}[state="starting"], {name}[state="pausing"], {name}[state="stopping"] {{
  color: {t.muted}; border-color: {t.border}; }}
"""


def _fields(t: Tokens, px: Length) -> str:
    return f"""
QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit, QTextBrowser {{
  background: {t.sunken}; color: {t.text}; border: 1px solid {t.edge};
  border-radius: {px(4)}; padding: {px(1)} {px(4)}; min-height: {px(20)};
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit QToolButton {{ border: none; padding: 0; min-width: 0; min-height: 0;
  background: transparent; }}
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus {{
  border: 2px solid {t.accent}; padding: 0 {px(3)}; }}
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {{
  color: {t.disabled}; border-color: {t.border}; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"], QAbstractSpinBox[wrong="true"] {{
  border: 2px solid {t.bad}; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ border: none; padding: 0;
  min-height: 0; background: transparent; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0;
  border: none; }}
QComboBox::drop-down {{ border: none; width: {px(18)}; }}
QComboBox::down-arrow {{ image: url({_IMAGES}/arrow-{t.name}.svg);
  width: {px(12)}; height: {px(12)}; }}
QComboBox QAbstractItemView {{ background: {t.raised}; color: {t.text};
  border: 1px solid {t.edge}; selection-background-color: {t.selection};
  selection-color: {t.text}; }}
QCheckBox {{ color: {t.text}; spacing: {px(6)}; }}
QCheckBox::indicator {{ width: {px(14)}; height: {px(14)}; border-radius: {px(3)};
  border: 1px solid {t.edge}; background: {t.sunken}; }}
QCheckBox::indicator:checked {{ image: url({_IMAGES}/check-{t.name}.svg);
  border-color: {t.accent}; }}
QCheckBox::indicator:focus {{ border: 2px solid {t.accent}; }}
QSlider {{ min-height: {px(20)}; }}
QSlider::groove:horizontal {{ height: {px(4)}; background: {t.border};
  border-radius: {px(2)}; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: {px(2)}; }}
QSlider::handle:horizontal {{ background: {t.panel}; border: 2px solid {t.accent};
  width: {px(10)}; height: {px(10)}; margin: -{px(5)} 0; border-radius: {px(6)}; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QSlider::sub-page:horizontal:disabled {{ background: {t.border}; }}
QSlider::handle:horizontal:disabled {{ border-color: {t.disabled}; }}
"""


def _lists(t: Tokens, px: Length) -> str:
    return f"""
QAbstractItemView {{ background: {t.sunken}; color: {t.text};
  border: 1px solid {t.border}; alternate-background-color: {t.raised};
  selection-background-color: {t.selection}; selection-color: {t.text}; }}
QAbstractItemView:focus {{ border: 2px solid {t.accent}; }}
QAbstractItemView:disabled {{ color: {t.disabled};
  selection-color: {t.disabled}; }}
QAbstractItemView[flat="true"] {{ border: none; background: {t.panel}; }}
QListView#welcome\\.recent\\.list::item {{ padding: {px(4)} {px(6)}; }}
QListView#main\\.palette\\.list::item {{ padding: {px(5)} {px(6)}; }}
QHeaderView::section {{ background: {t.raised}; color: {t.muted}; border: none;
  border-bottom: 1px solid {t.border}; padding: {px(3)} {px(5)}; }}
QTableCornerButton::section {{ background: {t.raised}; border: none; }}
QTabBar::tab {{ background: {t.window}; color: {t.muted}; padding: {px(4)} {px(10)};
  border: none; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent};
  background: {t.panel}; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::scroller {{ width: {px(22)}; }}
QTabBar::tear {{ width: 0; border: none; }}
QTabBar QToolButton {{ padding: 0; min-width: 0; min-height: 0;
  border-radius: 0; }}
QTabBar QToolButton::left-arrow, QTabBar QToolButton::right-arrow {{
  width: {px(14)}; height: {px(14)}; }}
QTabBar QToolButton::left-arrow {{ image: url({_IMAGES}/arrow-left-{t.name}.svg); }}
QTabBar QToolButton::right-arrow {{ image: url({_IMAGES}/arrow-right-{t.name}.svg); }}
QTabBar:focus {{ border: 1px solid {t.accent}; }}
QTabWidget::pane {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: {px(10)}; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {px(10)}; margin: 0; }}
QScrollBar::handle {{ background: {t.edge}; border-radius: {px(4)};
  min-height: {px(24)}; min-width: {px(24)}; margin: 2px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _bars(t: Tokens, px: Length) -> str:
    return f"""
QProgressBar {{ background: {t.sunken}; border: 1px solid {t.edge};
  border-radius: {px(4)}; text-align: center; color: {t.text};
  min-height: {px(20)}; }}
QProgressBar::chunk {{ background: {t.selection}; border-radius: {px(3)}; }}
QStatusBar {{ color: {t.muted}; border-top: 1px solid {t.border}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {t.muted}; padding: 0 {px(4)}; }}
QWidget[role="bar"] {{ background: {t.window}; }}
"""
