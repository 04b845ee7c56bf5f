"""Points of two arrays as Qt draws them."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QPolygonF


def polygon(x: np.ndarray, y: np.ndarray) -> QPolygonF:
    """These points in their order, [n] and [n]; none are no points at all.

    pyqtgraph writes into the memory of a polygon, which an empty one does not have.
    """
    if not len(x):
        return QPolygonF()
    made: QPolygonF = pg.functions.arrayToQPolygonF(x, y)
    return made
