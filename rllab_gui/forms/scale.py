"""Between a number and the place of a slider, linear or in decades."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.contract.options import OptionSpec

STEPS = 1000
USEFUL_DECADES = 7
"""A logarithmic slider spans at most so many decades round the usual values."""


@dataclass(frozen=True, slots=True)
class SliderScale:
    """Maps ``low`` .. ``high`` to 0 .. ``STEPS``."""

    low: float
    high: float
    log: bool
    whole: bool
    zero: bool
    """The leftmost place means 0, which a logarithmic scale does not have."""

    def place(self, value: float) -> int:
        """Place of a value, clamped."""
        if self.zero and value <= 0:
            return 0
        value = min(max(value, self.low), self.high)
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return round(part * STEPS)

    def value(self, place: int) -> float | int:
        """Value at a place, rounded to what a person would write."""
        if self.zero and place <= 0:
            return 0
        part = place / STEPS
        if self.log:
            value = self.low * (self.high / self.low) ** part
        else:
            value = self.low + (self.high - self.low) * part
        value = min(max(self._rounded(value), self.low), self.high)
        return round(value) if self.whole else value

    def _rounded(self, value: float) -> float:
        if self.log:
            return float(f"{value:.2g}")
        digits = max(0, 3 - math.ceil(math.log10(self.high - self.low)))
        return round(value, digits)


def slider_scale(of: OptionSpec) -> SliderScale | None:
    """The scale of an option's slider; None where a slider would be no help."""
    if of.kind not in ("int", "float") or of.minimum is None or of.maximum is None:
        return None
    low, high = _useful_range(of)
    if of.scale == "linear" and high - low > 10_000:
        return None  # a seed, for example: one pixel would be thousands
    zero = of.scale == "log" and of.minimum == 0
    return SliderScale(low, high, of.scale == "log", of.kind == "int", zero)


def _useful_range(of: OptionSpec) -> tuple[float, float]:
    """The declared range, cut on a log scale to decades around the default."""
    assert of.minimum is not None
    assert of.maximum is not None
    if of.scale != "log":
        return of.minimum, of.maximum
    default = of.default if isinstance(of.default, int | float) else 1.0
    reach = 10.0 ** (USEFUL_DECADES / 2)
    low = max(of.minimum, default / reach, 1.0 if of.kind == "int" else 0.0)
    return low, min(of.maximum, default * reach)


def stepped(value: float, steps: int, of: OptionSpec) -> float | int:
    """The value after some steps of an arrow key: tenths of a decade, or a unit."""
    if of.scale == "log":
        if value <= 0:
            return 1 if steps > 0 else value
        new = float(f"{value * 10 ** (steps / 10):.2g}")
        if of.kind == "int" and round(new) == round(value):
            new = value + (1 if steps > 0 else -1)
    elif of.kind == "int":
        new = value + steps
    else:
        assert of.minimum is not None
        assert of.maximum is not None
        unit = 10 ** (math.floor(math.log10(of.maximum - of.minimum)) - 2)
        new = round(value + steps * unit, 12)
    low = of.minimum if of.minimum is not None else -math.inf
    high = of.maximum if of.maximum is not None else math.inf
    new = min(max(new, low), high)
    return round(new) if of.kind == "int" else new


def written(value: float | int, of: OptionSpec) -> str:
    """A number as the field shows it."""
    return f"{value:,d}".replace(",", "\u202f") if of.kind == "int" else f"{value:.6g}"


def read(text: str, of: OptionSpec) -> str:
    """What a person typed, without the thin spaces that :func:`written` puts in."""
    return text.replace("\u202f", "").replace(" ", "").strip()
