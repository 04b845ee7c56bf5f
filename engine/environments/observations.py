"""What an observation becomes before the agent sees it.

Three forms: a float32 vector [n], a uint8 image [H, W, C], and a discrete state as
a one-hot float32 vector [n].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium import spaces
from PIL import Image

from engine.contract.options import EnvironmentOptions

LARGEST_ONEHOT = 20_000
LARGEST_VECTOR = 20_000
_UNKNOWN_BOUND = 1e6

Encoder = Callable[[Any], np.ndarray]


class Unsuitable(ValueError):
    """No agent of the lab can learn here; the sentence says why."""


class Unusable(ValueError):
    """What an environment returned cannot be used; the sentence says why."""


def describe_value(value: Any) -> str:
    """What kind of thing this is, in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, tuple):
        return f"{len(value)} values"
    return f"{value!r:.40}"


@dataclass(frozen=True, slots=True)
class ObservationForm:
    """A single observation as the lab sees it, and how to make one.

    Attributes:
      kind: ``vector``, ``image`` or ``onehot``.
      shape: Of one observation, without frame stack.
      low, high: Bounds per element of a vector; for images of bit planes 0 and 1,
        for images of bytes empty.
      encode: Turns what the environment returned into a fresh array.
    """

    kind: str
    shape: tuple[int, ...]
    encode: Encoder
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @property
    def dtype(self) -> str:
        """Numpy name of the element type."""
        return "uint8" if self.kind == "image" else "float32"


def observation_form(
    space: spaces.Space[Any], options: EnvironmentOptions
) -> ObservationForm:
    """How observations of this space are shown to the agent.

    Raises:
      Unsuitable: If they cannot be.
    """
    form = _bare_form(space)
    if form.kind == "image":
        form = _grayscale(form) if options.grayscale else form
        return _resized(form, options.image_size) if options.image_size else form
    if form.kind == "vector" and options.scale_observations:
        return _scaled(form)
    return form


def _bare_form(space: spaces.Space[Any]) -> ObservationForm:
    if isinstance(space, spaces.Discrete):
        return _onehot(space)
    if isinstance(space, spaces.Box):
        return _image(space) if _is_image(space) else _vector(space)
    if isinstance(space, spaces.MultiBinary):
        size = int(np.prod(space.shape))
        return _numbers(np.zeros(size), np.ones(size))
    if isinstance(space, spaces.MultiDiscrete):
        first = np.asarray(space.start).ravel()
        return _numbers(first, first + np.asarray(space.nvec).ravel() - 1)
    if isinstance(space, spaces.Tuple) and all(
        isinstance(part, spaces.Discrete) for part in space.spaces
    ):
        parts = [part for part in space.spaces if isinstance(part, spaces.Discrete)]
        low = np.array([part.start for part in parts])
        return _numbers(low, low + np.array([part.n for part in parts]) - 1)
    raise Unsuitable(_why_not(space))


def _why_not(space: spaces.Space[Any]) -> str:
    words = {
        spaces.Dict: "a dictionary of several parts",
        spaces.Tuple: "a tuple of several parts",
        spaces.Text: "text",
        spaces.Graph: "a graph",
        spaces.Sequence: "a sequence of varying length",
    }
    what = words.get(type(space), f"of the kind {type(space).__name__}")
    return f"its observation is {what}; the lab's networks read vectors and images."


def _onehot(space: spaces.Discrete[Any]) -> ObservationForm:
    count, start = int(space.n), int(space.start)
    if count > LARGEST_ONEHOT:
        raise Unsuitable(
            f"it has {count:,} discrete states; the lab shows at most "
            f"{LARGEST_ONEHOT:,} of them to a network, one input for each."
        )

    def encode(observation: Any) -> np.ndarray:
        state = _state(observation) - start
        if not 0 <= state < count:
            raise Unusable(
                f"It is in state {state + start}; there are {count} from {start} on."
            )
        row = np.zeros(count, np.float32)
        row[state] = 1.0
        return row

    return ObservationForm("onehot", (count,), encode, (0.0,) * count, (1.0,) * count)


def _state(observation: Any) -> int:
    """The number of a discrete state, which no fraction is."""
    if isinstance(observation, (int, np.integer)):
        return int(observation)
    number = np.asarray(observation)
    if number.size != 1 or number.dtype.kind not in "iu":
        what = describe_value(observation)
        raise Unusable(f"Its observation is {what}, not the number of a state.")
    return int(number.reshape(()))


def _floats(observation: Any) -> np.ndarray:
    """A fresh array of what is made of numbers."""
    try:
        if isinstance(observation, np.ndarray) and observation.dtype.kind not in "fiub":
            raise TypeError
        return np.array(observation, np.float32)
    except (TypeError, ValueError) as error:
        what = describe_value(observation)
        raise Unusable(f"Its observation is {what}, not a list of numbers.") from error


def _bytes(observation: Any) -> np.ndarray:
    """A fresh array of what is made of bytes already."""
    image = np.asarray(observation)
    if image.dtype == np.uint8 or image.dtype == np.bool_:
        return np.array(image, np.uint8)
    whole = image.dtype.kind in "iu" and image.size > 0
    if not whole or image.min() < 0 or image.max() > 255:
        what = describe_value(image)
        raise Unusable(f"Its observation is {what}, not an image of bytes.")
    return image.astype(np.uint8)


def check_shape(observation: np.ndarray, announced: tuple[int, ...]) -> None:
    """Refuse an observation of another shape."""
    if observation.shape != announced:
        raise Unusable(
            f"Its observation's shape is {observation.shape}, announced was "
            f"{announced}."
        )


def _vector(space: spaces.Box) -> ObservationForm:
    size = int(np.prod(space.shape))
    if size > LARGEST_VECTOR:
        raise Unsuitable(
            f"its observation has {size:,} numbers and is no uint8 image; the lab "
            f"reads vectors of at most {LARGEST_VECTOR:,}."
        )
    return _numbers(space.low, space.high, flat=len(space.shape) == 1)


def _numbers(
    low: np.ndarray, high: np.ndarray, *, flat: bool = False
) -> ObservationForm:
    """A vector form from bounds of any shape; ``flat`` skips the reshaping."""

    def encode_any(observation: Any) -> np.ndarray:
        return _floats(observation).reshape(-1)

    bounds = [np.asarray(bound, np.float64).ravel() for bound in (low, high)]
    bounds = [
        np.where(np.abs(it) < _UNKNOWN_BOUND, it, np.copysign(np.inf, it))
        for it in bounds
    ]
    return ObservationForm(
        "vector",
        bounds[0].shape,
        _floats if flat else encode_any,
        tuple(bounds[0].tolist()),
        tuple(bounds[1].tolist()),
    )


def _scaled(form: ObservationForm) -> ObservationForm:
    """Known finite bounds become -1 and 1; other elements stay as they are."""
    low, high = np.array(form.low), np.array(form.high)
    known = np.isfinite(low) & np.isfinite(high) & (high > low)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(known, (low + high) / 2, 0.0).astype(np.float32)
        factor = np.where(known, 2 / (high - low), 1.0).astype(np.float32)
    encode = form.encode

    def scaled(observation: Any) -> np.ndarray:
        row = encode(observation)
        check_shape(row, middle.shape)
        row -= middle
        row *= factor
        return row

    return replace(
        form,
        encode=scaled,
        low=tuple(np.where(known, -1.0, low).tolist()),
        high=tuple(np.where(known, 1.0, high).tolist()),
    )


def _is_image(space: spaces.Box) -> bool:
    """Bytes in two or three dimensions, or bit planes in three."""
    if space.dtype == np.uint8:
        return len(space.shape) in (2, 3) and min(space.shape[:2]) >= 3
    return space.dtype == np.bool_ and len(space.shape) == 3


def _image(space: spaces.Box) -> ObservationForm:
    shape = space.shape if len(space.shape) == 3 else (*space.shape, 1)

    def encode(observation: Any) -> np.ndarray:
        image = _bytes(observation)
        check_shape(image, space.shape)
        return image.reshape(shape)

    if space.dtype == np.bool_:
        return ObservationForm("image", shape, encode, (0.0,), (1.0,))
    return ObservationForm("image", shape, encode)


def _grayscale(form: ObservationForm) -> ObservationForm:
    """Luma of three channels (ITU-R 601); other images stay as they are."""
    height, width, channels = form.shape
    if channels != 3:
        return form
    encode = form.encode

    def gray(observation: Any) -> np.ndarray:
        image = Image.fromarray(encode(observation)).convert("L")
        return np.array(image, np.uint8)[:, :, None]

    return replace(form, shape=(height, width, 1), encode=gray)


def _resized(form: ObservationForm, size: int) -> ObservationForm:
    """Each channel resized to a square by averaging areas."""
    encode, channels = form.encode, form.shape[2]

    def resized(observation: Any) -> np.ndarray:
        image = encode(observation)
        planes = [
            Image.fromarray(image[:, :, channel]).resize(
                (size, size), Image.Resampling.BOX
            )
            for channel in range(channels)
        ]
        return np.stack([np.asarray(plane, np.uint8) for plane in planes], axis=-1)

    return replace(form, shape=(size, size, channels), encode=resized)
