"""MP4 films (H.264) by PyAV.

While it grows the film is written in fragments of a second, which a player can
open even if the process was killed; at the end its packets are copied, not encoded
again, into an MP4 with one index in front, and that takes the name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engine.media.frames import checked, even
from engine.media.leftovers import growing, part
from engine.media.problems import MediaProblem

if TYPE_CHECKING:
    import av.container
    import av.video.stream

CODEC = "libx264"
QUALITY = {"preset": "veryfast", "crf": "18"}
FRAGMENTS = {
    "movflags": "+empty_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
INDEX_IN_FRONT = {"movflags": "+faststart"}


class Mp4Encoder:
    """H.264 in yuv420p, the form that every player and slide program takes."""

    def __init__(self, path: Path, fps: Fraction) -> None:
        self._av = _library()
        self._path, self._fps = path, fps
        self._growing, self._complete = growing(path), part(path)
        self._stream: av.video.stream.VideoStream | None = None
        self._output: av.container.OutputContainer | None = None
        # Opening says at once, before anything is drawn, whether we may write.
        self._growing.open("wb").close()

    def add(self, frame: np.ndarray) -> None:
        """Append a picture."""
        picture = even(checked(frame))
        if self._output is None or self._stream is None:
            self._begin(picture.shape[1], picture.shape[0])
        assert self._output is not None
        assert self._stream is not None
        video = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
        self._output.mux(self._stream.encode(video))

    def _begin(self, width: int, height: int) -> None:
        self._output = self._av.open(
            str(self._growing), "w", format="mp4", options=FRAGMENTS
        )
        stream = cast(
            "av.video.stream.VideoStream",
            self._output.add_stream(CODEC, rate=self._fps, options=QUALITY),
        )
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        # One thread: the other cores belong to the trainer.
        stream.codec_context.thread_count = 1
        self._stream = stream

    def finish(self) -> None:
        """Close the growing file, copy it into the MP4, put that in place."""
        assert self._output is not None
        assert self._stream is not None
        self._output.mux(self._stream.encode(None))
        self._close()
        self._remux()
        with self._complete.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(self._complete, self._path)
        self._growing.unlink()

    def _remux(self) -> None:
        with (
            self._av.open(str(self._growing)) as source,
            self._av.open(
                str(self._complete), "w", format="mp4", options=INDEX_IN_FRONT
            ) as target,
        ):
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:  # the last one only says that the file ends
                    packet.stream = stream
                    target.mux(packet)

    def _close(self) -> None:
        if self._output is not None:
            output, self._output = self._output, None
            output.close()

    def abandon(self) -> None:
        """Close and remove both unfinished files."""
        try:
            self._close()
        except OSError:
            # The disk that is full for the film is full for its trailer, too;
            # the file goes away with the next line.
            self._output = None
        for path in (self._growing, self._complete):
            path.unlink(missing_ok=True)


def _library() -> Any:
    try:
        import av
    except ImportError as error:
        raise MediaProblem(
            "MP4 films need the package 'av', which is not installed. Install it "
            "with 'pip install av', or record a GIF or pictures."
        ) from error
    # FFmpeg's own messages would go to stderr; what matters comes as exceptions.
    set_level: Callable[[Any], None] = av.logging.set_level
    set_level(None)
    if CODEC not in av.codecs_available:
        raise MediaProblem(
            f"MP4 films need the encoder {CODEC}, which the installed 'av' was "
            "built without. Install 'av' from its wheel, or record a GIF."
        )
    return av
