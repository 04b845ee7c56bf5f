"""Where points of a map start and how they stay put; numpy only."""

from __future__ import annotations

import numpy as np

NEIGHBOURS = 10
SAME = 1e-4
"""Of the spread of all: states that differ by less are one to the network."""


def alike(activations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows [k] that differ from each other, in their order, and of each which, [n].

    A world of few states is met in the same ones again and again. t-SNE pushes a
    state that has more copies than it has neighbours away from all others.
    """
    spread = float(activations.std()) or 1.0
    steps = np.round(activations.astype(np.float64) / (SAME * spread)).astype(np.int64)
    seen: dict[bytes, int] = {}
    which = np.array([seen.setdefault(it.tobytes(), len(seen)) for it in steps])
    return np.unique(which, return_index=True)[1], which


def principal_plane(activations: np.ndarray) -> np.ndarray:
    """Projection on the two main axes, float32 [n, 2]; signs are fixed.

    The eigenvectors of the covariance matrix [H, H] are enough, and quick.
    """
    centred = activations.astype(np.float64) - activations.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes = np.zeros((activations.shape[1], 2))
    found = vectors[:, ::-1][:, :2]
    axes[:, : found.shape[1]] = found
    # An eigenvector's sign is arbitrary; its largest part is made positive, so
    # that the same states never come out mirrored.
    largest = np.abs(axes).argmax(axis=0)
    signs = np.sign(axes[largest, [0, 1]])
    projected: np.ndarray = centred @ (axes * np.where(signs == 0, 1.0, signs))
    return projected.astype(np.float32)


def normalised(positions: np.ndarray) -> np.ndarray:
    """Centred, with both axes scaled alike so that all lies within -1 and 1."""
    centred = positions - (positions.min(axis=0) + positions.max(axis=0)) / 2
    size = float(np.abs(centred).max())
    scaled: np.ndarray = centred / size if size > 0 else centred
    return scaled.astype(np.float32)


def placed(
    activations: np.ndarray, positions: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Positions of all points: known ones stay, new ones go beside their likes.

    Args:
      activations: float [n, H].
      positions: float [n, 2]; rows of unknown points are ignored.
      known: bool [n].
    """
    result = positions.astype(np.float32)
    new = np.flatnonzero(~known)
    if not new.size:
        return result
    kept, kept_positions = activations[known], positions[known]
    count = min(NEIGHBOURS, len(kept))
    norms = (kept**2).sum(axis=1)
    for rows in np.array_split(new, -(-new.size // 256)):
        distances = norms - 2.0 * activations[rows] @ kept.T
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        result[rows] = np.median(kept_positions[nearest], axis=1)
    return result
