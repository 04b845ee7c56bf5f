"""Icons from SVG files, in the colour of the theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from engine.contract.catalogue import RESOURCES
from rllab_gui.theme.theme import Theme

FOLDER = RESOURCES / "icons"
SIZES = (16, 20, 24, 32, 48)


@cache
def _source(name: str) -> str:
    path = FOLDER / f"{name}.svg"
    return path.read_text(encoding="utf-8")


@cache
def _pixmap(name: str, colour: str, size: int) -> QPixmap:
    svg = _source(name).replace("currentColor", colour).encode()
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def icon(name: str, theme: Theme, *, colour: str = "") -> QIcon:
    """The icon of this name; drawn in ``colour`` or in that of text."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(_pixmap(name, colour or theme.tokens.text, size))
        made.addPixmap(_pixmap(name, theme.tokens.disabled, size), QIcon.Mode.Disabled)
    return made


def pixmap(name: str, colour: str, size: int) -> QPixmap:
    """The drawing itself, square."""
    return _pixmap(name, colour, size)


def world_icon(environment_id: str) -> str:
    """Name of the little drawing of a world; a globe for those without one."""
    family = environment_id.rsplit("/", 1)[-1].partition("-v")[0].partition("-")[0]
    name = f"world-{family.lower()}"
    return name if (FOLDER / f"{name}.svg").exists() else "world-other"
