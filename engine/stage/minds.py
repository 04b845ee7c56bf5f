"""Networks with the weights of one training step; torch is imported late."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.garbage import kept_for_good
from engine.contract.options import Configuration, live_changes

if TYPE_CHECKING:
    from engine.agents import ValueBasedAgent
    from engine.agents.recollection import Recollection

UNTRAINED = -1
NO_NETWORK = -2
MOST_MINDS = 3
CHUNK_BYTES = 8 * 2**20
CHUNK_ROWS = 512


class WrongWeights(ValueError):
    """These weights belong to another network."""


class Mind:
    """An agent that only judges: nothing it does changes its weights.

    Attributes:
      configuration, card: What it was made for.
      step: Training step of its weights; -1 untrained.
      agent: The agent itself.
    """

    def __init__(self, configuration: Configuration, card: EnvironmentCard) -> None:
        from engine.agents import build_agent

        self.configuration, self.card = configuration, card
        self.step = UNTRAINED
        self.agent: ValueBasedAgent = build_agent(
            configuration, card, device="cpu", seed=configuration.training.seed
        )
        self._shapes = {k: v.shape for k, v in self.agent.weights().items()}
        # Weak: who looks for the same weights again holds them, and the archive's
        # bound is for all that are held.
        self._loaded: dict[str, ref[np.ndarray]] | None = None

    def configure(self, configuration: Configuration) -> None:
        """Judge by these live options from now on.

        Only the risk that it takes is up to a network that learns nothing.

        Raises:
          ConfigurationError: If another option differs that needs a new run.
        """
        changes = live_changes(self.configuration, configuration)
        own = {key: it for key, it in changes.items() if key.startswith("head.")}
        if own:
            self.agent.configure(self.agent.configuration.with_options(own))
        self.configuration = configuration

    def load(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the networks of this training step; at once if they are here.

        Nobody changes arrays in place: the same arrays hold the same weights.

        Raises:
          WrongWeights: If they do not fit; the old ones stay.
        """
        if self._has_loaded(arrays):
            self.step = step
            return
        fitting = {name: arrays[name] for name in self._shapes if name in arrays}
        if {name: it.shape for name, it in fitting.items()} != self._shapes:
            raise WrongWeights(
                f"The weights of step {step:,} belong to another network than the "
                "one that is shown. Open the session they come from."
            )
        self._loaded = None  # neither these nor those, should it fail half-way
        self.agent.load_weights(fitting)
        self.step = step
        self._loaded = {name: ref(array) for name, array in fitting.items()}

    def _has_loaded(self, arrays: Mapping[str, np.ndarray]) -> bool:
        if self._loaded is None:
            return False
        held = ((arrays.get(name), loaded()) for name, loaded in self._loaded.items())
        return all(given is not None and given is it for given, it in held)

    def recollection(self, count: int) -> Recollection | None:
        """What a recurrent network remembers of so many episodes; else None."""
        return self.agent.recollection(count)

    def insight(
        self,
        observations: np.ndarray,
        previous: np.ndarray | None = None,
        recollection: Recollection | None = None,
    ) -> dict[str, np.ndarray]:
        """``q`` [n, A], ``advantage`` [n, A], ``value_head`` [n], ``embedding``.

        And what else the network has to say; see ``ValueBasedAgent.insight``.
        """
        # Arrays that came in a message are read-only, which torch does not like.
        seen: dict[str, np.ndarray] = self.agent.insight(
            _writable(observations),
            None if previous is None else _writable(previous),
            recollection,
        )
        return seen

    def greedy(
        self, observations: np.ndarray, recollection: Recollection | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Best action [n] and Q-values [n, A] of each observation.

        A recurrent network goes on with what it remembers of these n episodes;
        without a recollection each observation is the first of one.
        """
        decision = self.agent.act(
            _writable(observations), mode="greedy", recollection=recollection
        )
        return decision.actions, decision.q


def _writable(array: np.ndarray) -> np.ndarray:
    return array if array.flags.writeable else array.copy()


def liking(seen: Mapping[str, np.ndarray]) -> np.ndarray:
    """What actions are chosen by, [n, A]: Q-values, or CVaR of their distribution."""
    return seen.get("preference", seen["q"])


def target_as_online(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights with the target network in the place of the online network."""
    swapped = dict(arrays)
    for name, array in arrays.items():
        if name.startswith("target/"):
            swapped[f"online/{name.removeprefix('target/')}"] = array
    return swapped


class LearnerLibrary:
    """Imports torch and the agents in the background, once.

    The first picture must not wait for them; it takes a second or two.

    Attributes:
      module: The last one that it imports.
    """

    module: ClassVar[str] = "engine.agents"

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._done = threading.Event()
        self.error: BaseException | None = None

    def load(self) -> None:
        """Begin importing; later calls do nothing."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._import, name="learner-import", daemon=True
            )
            self._thread.start()

    @property
    def loading(self) -> bool:
        """Whether the import has begun and is not done."""
        return self._thread is not None and not self._done.is_set()

    @property
    def ready(self) -> bool:
        """Whether minds can be made."""
        return self._done.is_set() and self.error is None

    def wait(self) -> None:
        """Block until the import is done; raises what it raised."""
        self.load()
        self._done.wait()
        if self.error is not None:
            raise self.error

    def _import(self) -> None:
        try:
            # Only where something is imported: else what comes and goes would be kept.
            new = self.module not in sys.modules
            with kept_for_good() if new else nullcontext():
                self._import_modules()
        except BaseException as error:  # whatever it was, who waits raises it again
            self.error = error
        finally:
            self._done.set()

    def _import_modules(self) -> None:
        import torch

        import engine.agents  # noqa: F401

        # The other cores belong to the trainer.
        torch.set_num_threads(1)


class MemoryLibrary(LearnerLibrary):
    """Imports what reads transitions out of a replay memory, in the background.

    It brings a compiler along, so that it takes some tenths of a second; who only
    watches an agent play does without.
    """

    module = "engine.replay"

    def _import_modules(self) -> None:
        import engine.replay  # noqa: F401


class MindShelf:
    """Minds that answer questions, apart from the one that plays.

    Args:
      library: Imports what minds need.
    """

    def __init__(self, library: LearnerLibrary) -> None:
        self._library, self._memory_library = library, MemoryLibrary()
        self._minds: OrderedDict[str, Mind] = OrderedDict()

    def expect_questions(self) -> None:
        """Somebody looks at steps, and may want to know more of them: be ready."""
        if self._library.ready:
            self._memory_library.load()
        else:
            self._library.load()

    def learner(
        self, configuration: Configuration, card: EnvironmentCard
    ) -> Generator[float, Any, Mind]:
        """A mind that can also be asked about updates."""
        mind = yield from self.mind(configuration, card)
        yield from _imported(self._memory_library)
        return mind

    def mind(
        self, configuration: Configuration, card: EnvironmentCard
    ) -> Generator[float, Any, Mind]:
        """A mind for this configuration, once torch has been imported."""
        yield from _imported(self._library)
        key = configuration.to_json()
        mind = self._minds.pop(key, None) or Mind(configuration, card)
        self._minds[key] = mind
        while len(self._minds) > MOST_MINDS:
            self._minds.popitem(last=False)
        return mind


def _imported(library: LearnerLibrary) -> Generator[float, Any, None]:
    library.load()
    while library.loading:
        yield 0.02
    library.wait()


def insight_job(
    mind: Mind,
    step: int,
    weights: Mapping[str, np.ndarray],
    observations: np.ndarray,
    previous: np.ndarray | None = None,
    recollection: Recollection | None = None,
) -> Generator[None, Any, dict[str, np.ndarray]]:
    """What these weights say about observations [n, ...], in slices.

    Minds are shared between jobs, so each slice takes its weights along. With the
    action before each of them they are one episode, whose recollection goes on; else
    a recollection holds one episode for each, and stays as it is.
    """
    size = max(1, int(observations[0].nbytes)) if len(observations) else 1
    rows = max(1, min(CHUNK_ROWS, CHUNK_BYTES // size))
    if previous is not None and recollection is None:
        recollection = mind.recollection(1)
    parts = []
    for start in range(0, max(1, len(observations)), rows):
        of = slice(start, start + rows)
        before = None if previous is None else previous[of]
        memory = recollection
        if before is None and recollection is not None:
            memory = recollection.picked(range(len(observations))[of])
        mind.load(step, weights)
        parts.append(mind.insight(observations[of], before, memory))
        yield
    return {name: np.concatenate([it[name] for it in parts]) for name in parts[0]}
