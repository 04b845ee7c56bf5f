"""What is known of a step, in words, and as a tooltip with its picture."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage

from rllab_gui.episode import ShownEpisode
from rllab_gui.plain import tip
from rllab_gui.plots.numbers import short
from rllab_gui.views.episode_model import Episode

CHOOSE = "Choose an episode on the left."
PICTURE_PX = 96
"""The longer side of the picture in a tooltip."""


def no_step(episode: ShownEpisode, *otherwise: str) -> tuple[str, str, tuple[()]]:
    """Title and guidance while no step is shown.

    Args:
      episode: What is to be shown.
      otherwise: What a view says where none is chosen.
    """
    if episode.key is not None and not episode.problem:
        return "The episode is being judged.", "One moment.", ()
    title, guidance = otherwise or ("No step is looked at.", CHOOSE)
    return title, guidance, ()


def step_words(episode: Episode, t: int, notes: Sequence[str] = ()) -> list[str]:
    """Everything that the lanes show at this step; empty where there is no such."""
    if not 0 <= t <= episode.steps:
        return []
    parts = [f"t {t}: V(s) {short(float(episode.value[t]))}"]
    parts.append(f"importance {short(float(episode.importance[t]))}")
    if t < episode.steps:
        parts.append(f"reward {short(float(episode.rewards[t]))}")
        parts.append(f"δ {short(float(episode.td_error[t]))}")
        word = episode.word(int(episode.actions[t]))
        parts.append(f"{word} ({episode.why(t)})")
        if episode.marks[t]:
            parts.append(episode.mark_words(t))
    return [*parts, *notes]


def picture_tip(lines: Sequence[str], frame: np.ndarray | None) -> str:
    """A tooltip of these lines, below the picture of the step where it is here."""
    words = tip("\n".join(lines))
    if frame is None:
        return words
    if not words.startswith("<qt>"):
        words = "<qt>" + words.replace("&", "&amp;").replace("\n", "<br>") + "</qt>"
    picture = f'<img src="data:image/png;base64,{_png(frame)}"><br>'
    return words.replace("<qt>", f"<qt>{picture}", 1)


def _png(frame: np.ndarray) -> str:
    frame = np.ascontiguousarray(frame, np.uint8)
    high, wide = frame.shape[:2]
    image = QImage(frame.data, wide, high, 3 * wide, QImage.Format.Format_RGB888)
    small = image.scaled(
        PICTURE_PX,
        PICTURE_PX,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    small.save(buffer, "PNG")  # type: ignore[call-overload]
    return base64.b64encode(buffer.data().data()).decode()
