"""The Step through workspace: one recorded episode, step by step."""

from __future__ import annotations

from PySide6.QtCore import Qt

from rllab_gui.workspaces.base import Workspace

LEFT = (("episodes", "step.episodes"), ("stepBranches", "step.branches"))
MIDDLE = (("frame", "step.frame"), ("timeline", "step.timeline"))
RIGHT = (("stepQbars", "step.why"), ("stepBellman", "step.why.bellman"))
"""In front beside the Q-values is what has an answer for every agent."""
BELOW = (("stepReplay", "step.replay"), ("stepMemory", "step.memory"))
BEHIND = (
    ("stepReturns", "step.why.dist"),
    ("stepSaliency", "step.why.saliency"),
    ("stepNeighbours", "step.why.neighbours"),
    ("stepSlice", "step.slice"),
)
MARKED = (("bookmarks", "step.bookmarks"),)


class StepThroughWorkspace(Workspace):
    """Episodes at the left, frame over timeline, and why it acted so at the right."""

    name = "step"
    title = "Step through"

    def build(self) -> None:
        """Three columns; at the foot of the right one, what goes on inside."""
        self.add_columns(LEFT, MIDDLE, RIGHT)
        self.add_behind("stepBellman", BEHIND)
        self.add_behind("stepBranches", MARKED)
        self.add_behind("timeline", BELOW)

    def arrange(self) -> None:
        """The middle gets the most: the frame, and below it room for all lanes."""
        wide, high = max(self.width(), 900), max(self.height(), 500)
        # Large words make the columns at the sides wider, but not at any price.
        left = min(self.lab.theme.px(280), wide * 27 // 100)
        right = min(self.lab.theme.px(360), wide * 39 // 100)
        middle = max(wide - left - right, self.lab.theme.px(200))
        self.size_docks(
            {"episodes": left, "frame": middle, "stepQbars": right},
            Qt.Orientation.Horizontal,
        )
        self.size_docks(
            {"episodes": high * 40 // 100, "stepBranches": high * 60 // 100},
            Qt.Orientation.Vertical,
        )
        self.size_docks(
            {"frame": high * 45 // 100, "timeline": high * 55 // 100},
            Qt.Orientation.Vertical,
        )
        self.size_docks(
            {"stepQbars": high * 45 // 100, "stepBellman": high * 55 // 100},
            Qt.Orientation.Vertical,
        )
