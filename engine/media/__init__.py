"""Pictures and films: encode, compose, scale; numpy, pillow and PyAV only."""

from engine.media.compose import compose
from engine.media.film import KINDS, Film, encode_video, open_film
from engine.media.frames import even, fitted, scaled
from engine.media.problems import MediaCancelled, MediaProblem
from engine.media.scene import Panels, Scene

__all__ = [
    "KINDS",
    "Film",
    "MediaCancelled",
    "MediaProblem",
    "Panels",
    "Scene",
    "compose",
    "encode_video",
    "even",
    "fitted",
    "open_film",
    "scaled",
]
