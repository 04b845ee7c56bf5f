"""The style sheet, written from the tokens."""

from __future__ import annotations

from rllab_gui.theme.tokens import Tokens


def style_sheet(tokens: Tokens, scale: float) -> str:
    """Style of all widgets for these colours at this size."""
    return "\n".join((_frames(tokens, scale), _controls(tokens, scale)))


def _frames(t: Tokens, scale: float) -> str:
    return f"""
QToolTip {{ color: {t.text}; background: {t.raised}; border: 1px solid {t.edge};
            padding: {round(4 * scale)}px; }}
QMainWindow::separator {{ background: {t.window}; width: 6px; height: 6px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QDockWidget {{ color: {t.text}; font-weight: bold; }}
QDockWidget::title {{ background: {t.window}; padding: {round(4 * scale)}px; }}
"""


def _controls(t: Tokens, scale: float) -> str:
    return f"""
*:focus {{ outline: 2px solid {t.accent}; }}
"""
