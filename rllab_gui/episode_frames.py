"""Frames round a step of one episode: asked for, kept while near, never in a queue."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.messages import ProcessState
from rllab_gui.link import Link
from rllab_gui.views.episode_model import Key

AHEAD = 64
"""Frames kept on each side of the cursor, as long as they are not too large."""
NEAR = 8
"""Frames fetched at first on each side of where the cursor has jumped to."""
LANDED_MS = 250
"""They are fetched after so long, or with the next step: whoever jumps about looks at
none of them, and drawing them keeps a core from the frame that is looked at."""
REST_MS = 300
"""After so long at one step all are fetched."""
FRAMES_BYTES = 96 << 20
CHUNK = 4
"""Frames in one question, where they come fast: a seek waits behind one at most."""
CHUNK_S = 0.2
"""A question takes no longer than about this, so that slow frames come evenly."""
AT_ONCE = 2
"""Questions for frames under way; more would keep the stage from a seek."""
QUICK_S = 0.012
"""A frame that comes this soon is worth waiting for where the stage has no other core
than the window: it is not kept from it, and all that moves is painted once."""
QUICK_EPISODE_S = 0.03
"""The same for the first frame of another episode, which is judged before."""
IN_VAIN = 2
"""After so many that did not come as soon nobody waits, until one does."""
NOWHERE = -1 - CHUNK
"""To get to any step from here is a jump."""
UNKNOWN = -1
"""Length of an episode that is not here yet: only what is wanted is asked for."""


class EpisodeFrames(QObject):
    """Asks for the wanted frame first, then for those that are wanted next.

    Answers come in the order of the questions. So at most one question for a single
    frame is under way: where the person has gone on meanwhile, the newest step is
    asked for when it returns, and nothing waits in front of that. Where the window
    would only keep the stage from its core, it waits a moment for a single frame.

    Args:
      looked_at_first: Whether a person looks at this frame before any other picture.

    Attributes:
      refused: Why no frame can be had, or empty.

    Signals:
      arrived(range): The frames of these steps are here now.
      gaveUp(): ``refused`` says why no frame comes.
    """

    arrived = Signal(object)
    gaveUp = Signal()

    def __init__(
        self,
        link: Link,
        parent: QObject | None = None,
        clock: Callable[[], float] = monotonic,
        *,
        looked_at_first: bool = True,
    ) -> None:
        super().__init__(parent)
        self._link, self._clock, self._looked_at_first = link, clock, looked_at_first
        self._key: Key | None = None
        self._steps = 0
        self._frames: dict[int, np.ndarray] = {}
        self._notes: dict[int, str] = {}
        self._asked: dict[int, range] = {}
        self._seeking = -1
        self._wanted, self._forward = NOWHERE, True
        self._near = NEAR
        self._landing = QTimer(self, singleShot=True, interval=LANDED_MS)
        self._landing.timeout.connect(self._ask_on)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._on_rest)
        self._chunk_size = CHUNK
        self._answered_at = -np.inf
        self._in_vain, self._soon_s = 0, QUICK_S
        self.refused = ""
        link.processChanged.connect(self._on_process)

    def begin(self, key: Key | None, steps: int = UNKNOWN) -> None:
        """Frames of this episode from now on; all others are forgotten."""
        self._cancel(list(self._asked))
        self._frames.clear()
        self._notes.clear()
        self._key, self._steps, self._wanted = key, steps, NOWHERE
        self._near = NEAR
        self._landing.stop()
        self._rest.stop()
        self.refused = ""

    def learn_length(self, steps: int) -> None:
        """The episode has so many actions."""
        self._steps = steps

    def frame(self, t: int) -> np.ndarray | None:
        """Frame of the observation at ``t``, None until it has arrived."""
        return self._frames.get(t)

    def has(self, t: int) -> bool:
        """Whether the frame of this step has arrived."""
        return t in self._frames

    def note(self, t: int) -> str:
        """Why the frame of this step is not exactly what was seen, or empty."""
        return self._notes.get(t, "")

    def put(self, t: int, frame: np.ndarray) -> None:
        """A frame that came another way."""
        self._frames[t] = frame
        self._drop_far(t)

    def refuse(self, sentence: str) -> None:
        """Nothing is asked for: other frames than those put here cannot be had."""
        self.refused = sentence

    def hold(self) -> None:
        """Something else is more urgent: what is asked for is asked for again later."""
        self._landing.stop()
        self._rest.stop()
        self._cancel(list(self._asked))

    def want(self, t: int, *, forward: bool) -> None:
        """This step is looked at; the next one is probably in this direction."""
        distance = abs(t - self._wanted)
        if distance > CHUNK:
            self._near = NEAR
            self._landing.start()
            self._drop_batch_of(t)
        elif distance:  # with each step that is made from there twice as many
            self._near = min(AHEAD, 2 * self._near)
            self._landing.stop()
        self._rest.start()
        self._wanted, self._forward = t, forward
        self._drop_far(t)
        self._ask_on()

    def is_coming(self, t: int) -> bool:
        """The frame of this step is here or under way."""
        return t in self._frames or any(t in it for it in self._asked.values())

    # -------------------------------------------------------------- questions

    def _ask_on(self) -> None:
        """What is looked at before what may be looked at next."""
        if self.refused or self._key is None or self._wanted == NOWHERE:
            return
        if not self.is_coming(self._wanted):
            self._cancel([it for it in self._asked if it != self._seeking])
            if self._seeking in self._asked:
                return  # when it returns, what is wanted then is asked for
            self._seeking = self._ask(range(self._wanted, self._wanted + 1))
            self._soon_s = QUICK_EPISODE_S if self._steps == UNKNOWN else QUICK_S
            waits = self._looked_at_first and self._in_vain < IN_VAIN
            if not self._link.hand_over(self._seeking, self._soon_s if waits else 0.0):
                self._in_vain += 1
        if not self._landing.isActive():
            self._prefetch(self._wanted)

    def _drop_batch_of(self, t: int) -> None:
        """Who jumps to a step does not wait for those that were asked for with it."""
        if t not in self._frames:
            asked = self._asked.items()
            self._cancel([it for it, steps in asked if t in steps and len(steps) > 1])

    def _on_rest(self) -> None:
        self._near = AHEAD
        self._ask_on()

    def _reach(self) -> int:
        """Frames to each side that are kept: fewer where they are large."""
        size = next((it.nbytes for it in self._frames.values()), 0)
        return min(AHEAD, max(NEAR, FRAMES_BYTES // (2 * size))) if size else AHEAD

    def _drop_far(self, t: int) -> None:
        reach = self._reach()
        for far in [it for it in self._frames if abs(it - t) > reach]:
            del self._frames[far]
            self._notes.pop(far, None)
        stale = [
            number
            for number, steps in self._asked.items()
            if steps.stop <= t - reach or steps.start > t + reach
        ]
        self._cancel(stale)

    def _prefetch(self, t: int) -> None:
        """Ask for what lacks, in the direction of the last move first."""
        if self._steps == UNKNOWN:
            return
        reach = min(self._reach(), self._near)
        ahead = range(t, min(t + reach, self._steps) + 1)
        behind = range(t, max(t - reach, 0) - 1, -1)
        for steps in (ahead, behind) if self._forward else (behind, ahead):
            while len(self._asked) < AT_ONCE:
                lacking = next((it for it in steps if not self.is_coming(it)), None)
                if lacking is None:
                    break
                self._ask(self._chunk(lacking, steps))

    def _chunk(self, start: int, within: range) -> range:
        """Some steps from ``start`` that nobody has asked for yet."""
        step, at = within.step, start
        while (
            abs(at + step - start) < self._chunk_size
            and at + step in within
            and not self.is_coming(at + step)
        ):
            at += step
        return range(min(start, at), max(start, at) + 1)

    def _ask(self, steps: range) -> int:
        key, began = self._key, self._clock()
        assert key is not None
        number = self._link.ask(
            "frames",
            {
                "kind": key[2],
                "episode": key[3],
                "first": steps.start,
                "last": steps.stop - 1,
                "max_size": 0,
            },
            lambda answer: self._on_frames(number, steps, began, answer),
            lambda sentence: self._on_none(number, sentence),
        )
        self._asked[number] = steps
        return number

    def _cancel(self, numbers: list[int]) -> None:
        for number in numbers:
            self._link.cancel(number)
            del self._asked[number]

    # ---------------------------------------------------------------- answers

    def _on_frames(
        self, number: int, steps: range, began: float, answer: dict[str, Any]
    ) -> None:
        del self._asked[number]
        if number == self._seeking and self._clock() - began < self._soon_s:
            self._in_vain = 0
        frames = answer["frames"]
        if len(frames) < len(steps):
            self.refused = "The environment drew fewer pictures than there are steps."
        # Beyond the end of an episode of unknown length comes its last picture.
        first = int(answer.get("first", steps.start))
        if self._steps == UNKNOWN and first < steps.start:
            self._wanted = min(self._wanted, first)
        steps = range(first, first + len(steps))
        self._frames.update(zip(steps, frames, strict=False))
        if not answer.get("exact", True):
            self._notes |= dict.fromkeys(steps, str(answer["note"]))
        self._learn_speed(began, len(frames))
        self.arrived.emit(steps[: len(frames)])
        self._drop_far(self._wanted)
        self._ask_on()

    def _learn_speed(self, began: float, count: int) -> None:
        """Fewer frames in one question where each takes long."""
        now = self._clock()
        each = (now - max(began, self._answered_at)) / max(1, count)
        self._answered_at = now
        self._chunk_size = int(min(CHUNK, max(1, CHUNK_S / max(each, 1e-6))))

    def _on_process(self, process: ProcessState) -> None:
        """A stage that begins again knows nothing of what the old one was asked."""
        if process.role == "stage" and process.state == "ready" and self._asked:
            self._cancel(list(self._asked))
            self._ask_on()

    def _on_none(self, number: int, sentence: str) -> None:
        """This environment cannot be shown again; numbers still can."""
        del self._asked[number]
        self.refused = sentence
        self.gaveUp.emit()
