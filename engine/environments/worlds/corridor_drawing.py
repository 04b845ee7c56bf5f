"""Drawing of Corridor."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contract.grid_layouts import Layout
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas
from engine.environments.worlds.grid_drawing import GridPainter, Tile, square


def corridor_painter(layout: Layout, rewards: Mapping[str, float]) -> GridPainter:
    """Corridors on empty ground; each end shows what it pays."""
    largest = max(rewards.values())
    tiles: dict[str, Tile] = {"#": lambda sheet, side: None}
    for kind, reward in rewards.items():
        tiles[kind] = _end(reward, reward / largest)
    return GridPainter(layout, tiles)


def _end(reward: float, share: float) -> Tile:
    def draw(sheet: Canvas, side: int) -> None:
        square(sheet, side, 0.02, canvas.tint(canvas.GOAL, 0.18))
        if side < 40:
            sheet.star((side / 2, 0.52 * side), 0.36 * side, _shade(share))
            return
        sheet.star((side / 2, 0.4 * side), 0.29 * side, _shade(share))
        sheet.text((side / 2, 0.84 * side), f"{reward:g}", 16, canvas.INK)

    return draw


def _shade(share: float) -> canvas.Colour:
    return canvas.tint(canvas.GOAL, 0.4 + 0.6 * share)
