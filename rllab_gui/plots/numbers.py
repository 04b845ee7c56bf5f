"""Small pure computations of the plots: smoothing, log values, numbers as text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SMOOTHING_LIMIT = 0.99
_BLOCK = 64


def smoothed(values: npt.ArrayLike, factor: float) -> Floats:
    """De-biased exponential moving average of a series, float64 [n].

        m_t = factor · m_(t-1) + (1 - factor) · x_t,   m_(-1) = 0
        s_t = m_t / (1 - factor^(t+1))

    so that the first value is the first datum and not pulled towards zero. Values
    that are not finite are passed over: they keep the average as it was.
    """
    return smoothed_on(values, factor, Momentum())[0]


@dataclass(frozen=True, slots=True)
class Momentum:
    """What a moving average carries on: Σ factor^(t-k) · x_k, and the same of ones."""

    total: float = 0.0
    weight: float = 0.0


def smoothed_on(
    values: npt.ArrayLike, factor: float, before: Momentum
) -> tuple[Floats, Momentum]:
    """:func:`smoothed` of the rows that follow others, float64 [n]."""
    data = np.asarray(values, dtype=np.float64)
    factor = min(max(factor, 0.0), SMOOTHING_LIMIT)
    known = np.isfinite(data)
    if factor < 1e-3 or not (known.any() or before.weight):
        return data.copy(), before
    fade = factor ** np.arange(1.0, np.count_nonzero(known) + 1.0)
    total = _decaying_sum(data[known], factor) + before.total * fade
    weight = (1.0 - fade) / (1.0 - factor) + before.weight * fade
    start = before.total / before.weight if before.weight else np.nan
    mean = np.concatenate([[start], total / weight])[np.cumsum(known)]
    if not len(fade):
        return mean, before
    return mean, Momentum(float(total[-1]), float(weight[-1]))


def _decaying_sum(data: Floats, factor: float) -> Floats:
    """Σ_k factor^(t-k) · data[k], in blocks short enough not to overflow."""
    count = len(data)
    rows = -(-count // _BLOCK)
    blocks = np.zeros((rows, _BLOCK))
    blocks.reshape(-1)[:count] = data
    decay = factor ** np.arange(_BLOCK)
    sums = np.cumsum(blocks / decay, axis=1) * decay
    carry, carries, ends = 0.0, np.empty(rows), sums[:, -1].tolist()
    for row, end in enumerate(ends):
        carries[row] = carry
        carry = end + factor**_BLOCK * carry
    sums += carries[:, None] * (factor * decay)[None, :]
    return cast(Floats, sums.reshape(-1)[:count])


def log_with_zero(values: npt.ArrayLike, floor: float) -> Floats:
    """log10 of the positive values; zeros and below sit at ``floor``; NaN stays."""
    data = np.asarray(values, dtype=np.float64)
    out = np.full(data.shape, float(floor))
    positive = data > 0.0
    np.log10(data, out=out, where=positive)
    out[np.isnan(data)] = np.nan
    return out


def log_extent(values: npt.ArrayLike) -> tuple[float, float] | None:
    """Smallest and largest log10 of the positive finite values, or None."""
    data = np.asarray(values, dtype=np.float64)
    positive = data[(data > 0.0) & np.isfinite(data)]
    if positive.size == 0:
        return None
    return math.log10(float(positive.min())), math.log10(float(positive.max()))


def extent(values: npt.ArrayLike) -> tuple[float, float] | None:
    """Smallest and largest finite value, or None where there is none."""
    data = np.asarray(values, dtype=np.float64)
    finite = data[np.isfinite(data)]
    if finite.size == 0:
        return None
    return float(finite.min()), float(finite.max())


SHORTEST = 6
"""Characters; of the numbers of size 1e100 it takes one more."""


def short(value: float, digits: int = 3) -> str:
    """A number for the eye: 64.0, 0.0125, 1.2e-5, with a true minus sign."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size != 0 and (size < 10 ** -(digits + 1) or size >= 10**7):
        text = _exponent(value, digits - 1)
    elif size >= 10 ** (digits - 1):
        text = f"{value:,.0f}" if size >= 10**digits else f"{value:,.1f}"
    else:
        places = digits - 1 - (math.floor(math.log10(size)) if size else 0)
        text = f"{value:.{min(max(places, 1), digits + 2)}f}"
    return _truly_signed(text)


def shortest(value: float) -> str:
    """In six characters at most, for the smallest places: 0.12, 8.5e-4, −9e-4."""
    text = short(value, 2)
    return text if len(text) <= SHORTEST else _truly_signed(_exponent(value, 0))


LONGEST = "−12,345"
"""What a narrow column has room for."""


def fitting(value: float) -> str:
    """A number no longer than :data:`LONGEST`: 12,345, 0.0125, −1.2e6."""
    text = count(value) if float(value).is_integer() else short(value)
    for places in (2, 1, 0):
        if len(text) > len(LONGEST):
            text = _truly_signed(_exponent(value, places))
    return text


def _truly_signed(text: str) -> str:
    return "−" + text[1:] if text.startswith("-") else text


def _exponent(value: float, places: int) -> str:
    """As Python writes it, but without a plus and zeros in the exponent."""
    return _without_zeros(f"{value:.{places}e}")


def _without_zeros(text: str) -> str:
    number, e, power = text.partition("e")
    return f"{number}e{int(power)}" if e else text


def count(value: float) -> str:
    """A whole number with thousands separated and a true minus sign: 12,400."""
    return _truly_signed(f"{round(value):,}")


def tick(value: float) -> str:
    """A tick label of a counting axis: 500, 20k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return _truly_signed(f"{value / size:g}{letter}")
    return _truly_signed(_without_zeros(f"{value:g}"))


def as_columns(model: dict[str, Any]) -> list[tuple[str, list[float]]]:
    """The one-dimensional arrays of a model, by name, for a table of values.

    Whole numbers stay such; true and false are 1 and 0.
    """
    columns = [(name, np.asarray(it)) for name, it in model.items() if np.ndim(it) == 1]
    return [
        (name, it.astype(np.int64 if it.dtype.kind in "biu" else np.float64).tolist())
        for name, it in columns
    ]
