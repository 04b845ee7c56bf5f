"""CleanRL's DQN for pixels as a peer: its own program, taken a few steps at a time.

Its loop is not to be called: it stands in a program, which begins where it is loaded.
So it runs in a thread of its own that goes on only while it is measured, and rests
where it writes its own rate. Not a line of it is changed. It gets prepared frames
in the place of its wrappers, nobody to print to, and nobody who draws its curves.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from unittest import mock

import gymnasium
import numpy as np

PROGRAM = "cleanrl.dqn_atari"
ENVIRONMENT = "Prepared-v0"
CURVES = "torch.utils.tensorboard"
RATE = "charts/SPS"
EVERY = 100
"""So many steps after one another it tells its rate."""
OPTIONS: dict[str, Any] = {
    "env-id": ENVIRONMENT,
    "total-timesteps": 10**8,
    "learning-rate": 1e-4,
    "buffer-size": 10_000,
    "learning-starts": 200,
    "batch-size": 32,
    "train-frequency": 4,
    "target-network-frequency": 4000,
    "start-e": 0.05,
    "end-e": 0.05,
    "cuda": False,
}


def is_there() -> bool:
    """Whether its program can be found."""
    return importlib.util.find_spec("cleanrl") is not None


class _Ended(BaseException):
    """Nobody measures any more."""


class CleanRL:
    """The program, which goes on for some steps when it is called.

    Args:
      environment: Makes an environment of prepared frames, uint8 [H, W, 1].
    """

    def __init__(self, environment: Callable[[], gymnasium.Env[Any, Any]]) -> None:
        self._go, self._rests = threading.Semaphore(0), threading.Semaphore(0)
        self._ends, self._error = False, ""
        self._environment = _Plain(environment())
        self._until_it_runs = ExitStack()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __call__(self, steps: int = 200) -> int:
        """Take so many steps, a multiple of a hundred; returns their number.

        The first time it goes on until it learns.

        Raises:
          RuntimeError: If the program has ended, with its reason.
        """
        for _ in range(steps // EVERY):
            self._go.release()
            self._rests.acquire()
            if self._error:
                raise RuntimeError(f"CleanRL's program has ended: {self._error}")
        return steps

    def close(self) -> None:
        """End it."""
        self._ends = True
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._program()
            self._error = "it was done"
        except _Ended:
            return
        except Exception as error:
            self._error = f"{type(error).__name__}: {error}"
        self._rests.release()

    def _program(self) -> None:
        from stable_baselines3.common import atari_wrappers

        spec = importlib.util.find_spec(PROGRAM)
        assert spec is not None
        assert spec.origin is not None
        words = [f"--{name}={value}" for name, value in OPTIONS.items()]
        with self._until_it_runs as until:
            sys.modules[CURVES] = self._writer()
            until.callback(sys.modules.pop, CURVES)
            for patch in (
                mock.patch.object(sys, "argv", [spec.origin, *words]),
                mock.patch.multiple(atari_wrappers, **dict.fromkeys(THEIRS, _as_it_is)),
                mock.patch.multiple(gymnasium.wrappers, create=True, **WRAPPERS),
                mock.patch.object(gymnasium, "make", return_value=self._environment),
            ):
                until.enter_context(patch)
            silent = {"print": lambda *words: None}
            runpy.run_path(spec.origin, silent, run_name="__main__")

    def _writer(self) -> ModuleType:
        """What it tells its rate to."""
        rest = self._rest

        class SummaryWriter:
            def __init__(self, folder: str) -> None:
                pass

            def add_text(self, name: str, text: str) -> None:
                pass

            def add_scalar(self, name: str, value: Any, step: int) -> None:
                if name == RATE:
                    rest()

        module = ModuleType(CURVES)
        module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
        return module

    def _rest(self) -> None:
        self._until_it_runs.close()  # others need these modules as they are
        self._rests.release()
        self._go.acquire()
        if self._ends:
            raise _Ended


def _as_it_is(environment: Any, *_: Any, **__: Any) -> Any:
    """A wrapper whose work is done already."""
    return environment


class _Plain(gymnasium.Wrapper[np.ndarray, Any, np.ndarray, Any]):
    """Frames without their channel, [H, W]; no key has to be pressed to begin."""

    def __init__(self, environment: gymnasium.Env[Any, Any]) -> None:
        super().__init__(environment)
        assert isinstance(environment.observation_space, gymnasium.spaces.Box)
        shape = environment.observation_space.shape[:2]
        self.observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)

    @property
    def unwrapped(self) -> Any:
        return self

    def get_action_meanings(self) -> list[str]:
        """None that would have to be pressed."""
        return []

    def reset(self, **given: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        frame, info = self.env.reset(**given)
        return frame[..., 0], info

    def step(self, action: Any) -> Any:
        """Act once."""
        frame, *rest = self.env.step(action)
        return frame[..., 0], *rest


THEIRS = (
    "ClipRewardEnv",
    "EpisodicLifeEnv",
    "FireResetEnv",
    "MaxAndSkipEnv",
    "NoopResetEnv",
)
WRAPPERS = {
    "ResizeObservation": _as_it_is,
    "GrayScaleObservation": _as_it_is,
    "FrameStack": gymnasium.wrappers.FrameStackObservation,
}
