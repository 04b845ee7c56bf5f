"""The training loop: environment, transition, replay, batch, loss, telemetry."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.agents import NotFinite, Reported, choose_device
from engine.agents.schedules import BUCKET, epsilon, temperature
from engine.contract.account import Spent
from engine.contract.arrays import State
from engine.contract.catalogue import check_combination
from engine.contract.costs import LARGEST_FILM
from engine.contract.messages import (
    EpisodeFinished,
    Event,
    MemoryReport,
    PriorityReport,
    TrainerStatus,
)
from engine.contract.options import Configuration, configuration_from_json
from engine.contract.plain_text import visible
from engine.contract.randomness import generator
from engine.contract.several_seeds import returns_of
from engine.environments import describe
from engine.replay import IncompleteReplay
from engine.training.account import make_account
from engine.training.compiler import Libraries
from engine.training.memory_account import memory_report
from engine.training.offline import Offline
from engine.training.priority_report import priority_report
from engine.training.problems import diverged, known_problem, not_restored
from engine.training.running import Bounds, Running
from engine.training.sampled_states import sample_states
from engine.training.seeds import Seeds
from engine.training.stepping import Ended, Taken
from engine.training.telemetry import (
    Clocks,
    Drained,
    Rows,
    Speed,
    UpdateBucket,
)
from engine.training.tier import Tier

STATES = 5
"""Purpose of the loop's seeds (see ``contract.randomness``)."""
NOT_EXACT = (
    "Acting and learning run side by side without a fixed order: this run cannot be "
    "repeated to the bit."
)


_NOT_OF_THIS_RUN = (
    IncompleteReplay,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
)
"""What parts raise that are given a state of other names, shapes or types."""


class TrainingLoop:
    """A run: environments that are stepped side by side, and one agent that learns.

    Attributes:
      configuration: All options; live ones change with :meth:`set_option`.
      card: What the environment offers.
      agent: The learner; of several seeds the first.
      seeds: All agents, and their environments.
      account: Where the time goes.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        device: str | None = None,
        offline_source: str = "",
        libraries: Libraries | None = None,
        replay_folder: Path | None = None,
    ) -> None:
        torch.set_num_threads(configuration.training.threads)
        self.card = describe(configuration.environment)
        check_combination(configuration, self.card)
        self.device = device or choose_device(configuration, self.card)
        self.seeds = Seeds(configuration, self.card, self.device)
        self.agent = self.seeds.first
        self.agent.replay_folder = replay_folder
        self._tier = Tier(self.agent, self.device, libraries, self._note)
        self._clocks = Clocks()
        self._rows = Rows(self._clocks)
        self._bucket = UpdateBucket()
        self._finished: list[EpisodeFinished] = []
        self._records: list[dict[str, Any]] = []
        self._events: list[Event] = []
        self._speed = Speed()
        self.account = make_account(self.device)
        self._running: Running
        if configuration.training.offline:
            source = offline_source or configuration.training.offline
            self._running = Offline(self.agent, self, source, self.account)
        else:
            self._running = self.seeds.running(self, self.account)
        self.seeds.begin()
        if configuration.training.mode == "asynchronous":
            self._note("state", NOT_EXACT)

    @property
    def configuration(self) -> Configuration:
        """All options as they are now."""
        return self.agent.configuration

    @property
    def step(self) -> int:
        """Environment steps so far, summed over the environments."""
        return self._clocks.step

    @property
    def update(self) -> int:
        """Gradient steps so far."""
        return self._clocks.update

    @property
    def episode(self) -> int:
        """Finished episodes so far."""
        return self._clocks.episode

    @property
    def finished(self) -> bool:
        """Whether the step budget is used up."""
        return self.step >= self.configuration.training.steps

    def advance(
        self,
        steps: int | None = None,
        seconds: float | None = None,
        until_episode_end: bool = False,
    ) -> None:
        """Train until the first of the bounds, or the budget, is reached.

        Raises:
          TrainingProblem: If it cannot go on.
        """
        last_step = math.inf if steps is None else self.step + steps
        deadline = math.inf if seconds is None else time.perf_counter() + seconds
        if not self._tier.may_train(deadline):
            return
        self._tier.look(self._seconds_left)
        self.seeds.settle(self._note)
        budget, episode = self.configuration.training.steps, self.episode
        counted = steps is not None or seconds is None
        bounds = Bounds(min(last_step, budget), deadline, until_episode_end, counted)
        self._speed.stamp(self.step, self.update)
        self.account.acting.begin()
        while self.step < bounds.step:
            self._run(bounds)
            if until_episode_end and self.episode > episode:
                break
            if time.perf_counter() >= deadline:
                break
        self.account.acting.end()
        self._speed.stamp(self.step, self.update)

    def _run(self, bounds: Bounds) -> None:
        try:
            self._running.run(bounds)
        except NotFinite as error:
            raise diverged(error, self.update + 1) from error

    def on_taken(self, taken: Taken) -> None:
        """Note a step of each environment; see ``running.Book``."""
        for it in taken.ended:
            self._clocks.step = it.step
            self._finish(it)
        self._clocks.step = taken.step

    def on_others_ended(self, seed: int, ended: list[Ended]) -> None:
        """Note episodes of the agent with another seed; see ``running.Book``."""
        for it in ended:
            values = {returns_of(seed): it.episode_return}
            self._rows.add(values, it.step, it.episode)

    def on_learned(self, update: Reported) -> None:
        """Note an update; see ``running.Book``."""
        self._clocks.update += 1
        self._bucket.add(update)
        if len(self._bucket) == BUCKET:
            self._measure(update.learning_rate, update.beta)

    def on_filled(self, text: str) -> None:
        """Note that the memory was filled; see ``offline.Notes``."""
        self._note("state", text)

    def _measure(self, learning_rate: float, beta: float) -> None:
        values = self._bucket.close()
        values["epsilon"] = epsilon(self.configuration, self.step)
        if self.configuration.exploration.kind == "boltzmann":
            values["temperature"] = temperature(self.configuration, self.step)
        values["learning_rate"] = learning_rate
        values["replay_size"] = len(self.agent.memory)
        if self.configuration.replay.kind == "prioritized":
            values["beta"] = beta
        self._rows.add(values)

    def _finish(self, ended: Ended) -> None:
        self._clocks.episode += 1
        self._rows.add({"return": ended.episode_return, "length": ended.length})
        self._finished.append(
            EpisodeFinished(
                kind="training",
                episode=ended.episode,
                step=self.step,
                update=self.update,
                length=ended.length,
                episode_return=ended.episode_return,
                terminated=ended.terminated,
                seed=ended.seed,
                environment=ended.environment,
                wall_time=time.time(),
            )
        )
        if ended.record is not None:
            self._records.append(ended.record)
        if ended.film_bytes > LARGEST_FILM:
            text = (
                f"Episode {ended.episode} is recorded without pictures: they would "
                f"take {ended.film_bytes / 2**20:.0f} MB. They are drawn again when "
                "needed."
            )
            self._note("problem", text)

    def drain(self) -> Drained:
        """What has happened since the last call."""
        drained = Drained(
            scalars=self._rows.drain(),
            finished=self._finished,
            episodes=self._records,
            replay=self.seeds.drain_log(),
            events=self._events,
        )
        self._finished, self._records, self._events = [], [], []
        return drained

    def status(self) -> TrainerStatus:
        """Where the run is; the caller knows better whether it is paused."""
        steps_per_s, updates_per_s = self._speed.rates()
        return TrainerStatus(
            state="finished" if self.finished else "running",
            step=self.step,
            update=self.update,
            episode=self.episode,
            steps_budget=self.configuration.training.steps,
            steps_per_s=steps_per_s,
            updates_per_s=updates_per_s,
            epsilon=epsilon(self.configuration, self.step),
            replay_size=len(self.agent.memory),
            replay_capacity=self.agent.memory.capacity,
            remaining_s=self._seconds_left(),
            device=self.device,
        )

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of both networks (``ValueBasedAgent.weights``)."""
        return self.agent.weights()

    def set_option(self, key: str, value: Any) -> None:
        """Change one live option, from the next step on.

        Raises:
          ConfigurationError: If it is refused; nothing has changed then.
        """
        old = self.configuration
        self.seeds.configure(old.with_options({key: value}))
        was, now = old.get(key), self.configuration.get(key)
        if was == now:
            return
        text = f"{key} changed from {was} to {now}."
        self._note("option", text, {"key": key, "old": was, "new": now})

    def priorities(self) -> PriorityReport:
        """What the replay memory holds, measured now."""
        return priority_report(self.agent, self.step)

    def spent(self) -> tuple[Spent, Spent | None]:
        """Time of acting, and of learning where it has a thread of its own."""
        return self.account.spent()

    @property
    def compiled(self) -> bool:
        """Whether updates are made by their compiled form."""
        return self._tier.compiled

    def is_ready(self) -> bool:
        """Whether a step could be made at once; if not, something is on its way."""
        return self._tier.may_train(0.0)

    def notes(self) -> list[str]:
        """Sentences on how it computes, to stand with where the time goes."""
        return [self._tier.how, *filter(None, [self.seeds.how])]

    def memory(self) -> MemoryReport:
        """What its parts take, measured now."""
        return memory_report(self.seeds.agents, self.seeds.lanes, self.step)

    def sample_states(self, count: int) -> dict[str, np.ndarray]:
        """Up to ``count`` different remembered states, drawn evenly.

        It uses no random number of the training itself.

        Returns:
          ``observation`` [n, ...] as the agent sees it, ``slot`` int64 [n] and
          ``explored`` bool [n]; and when it was: ``environment``, ``t`` within its
          episode, and ``begun``, the steps of this environment before that episode.
          Of a recurrent agent also its memory before each, ``state`` [n, W] as it was
          when it acted, and the action before, ``previous`` int64 [n] or -1.
        """
        rng = generator(self.configuration.training.seed, STATES, self.step)
        step = self.step - self._running.held
        return sample_states(self.agent.memory.streams, rng, step, count)

    def state(self) -> State:
        """Everything to go on exactly, but the slots of the replay.

        Those come out of :meth:`drain`, which is to be called first.

        Raises:
          TrainingProblem: If an update that was under way turns out to be none.
        """
        try:
            bucket = self._bucket.state()
        except NotFinite as error:
            raise diverged(error, self.update + 1) from error
        return {
            "configuration": self.configuration.to_json(),
            **self.seeds.state(),
            **self._running.state(),
            "compiled": self._tier.form,
            "bucket": bucket,
            "step": self.step,
            "update": self.update,
            "episode": self.episode,
        }

    def restore(
        self, state: State, replay: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """Go on from a state; ``replay`` holds all rows of the replay log up to it.

        The options are those of the state. Without rows the memory starts empty,
        and an event says so.

        Raises:
          TrainingProblem: If it does not belong to this run, or an environment does
            not repeat itself.
        """
        try:
            self.seeds.configure(configuration_from_json(state["configuration"]))
            self.seeds.restore(state, replay)
            self._bucket.restore(state["bucket"])
            clocks = self._clocks
            clocks.step, clocks.update = int(state["step"]), int(state["update"])
            clocks.episode = int(state["episode"])
            self._running.restore(state)
            if state.get("compiled"):
                self._tier.need()
        except _NOT_OF_THIS_RUN as error:
            if known_problem(error, self.configuration.training.device, self.step):
                raise
            raise not_restored(self.card.id, visible(str(error), 300)) from error
        self._rows, self._speed = Rows(clocks), Speed()
        self._finished, self._records, self._events = [], [], []
        offline = self.configuration.training.offline
        if self.step and not len(self.agent.memory) and not offline:
            text = (
                "The replay memory was not kept: it fills anew, and the run goes "
                "another way than without the interruption."
            )
            self._note("recovery", text)

    def close(self) -> None:
        """Let go of the environments."""
        self._tier.close()
        self.seeds.close()

    def _note(self, kind: str, text: str, data: dict[str, Any] | None = None) -> None:
        self._events.append(Event(kind, self.step, text, time.time(), data or {}))

    def _seconds_left(self) -> float:
        """0 where it is not known: steps without learning take a tenth of the time."""
        last, first = self.configuration.training.steps, self.configuration.agent
        if self.step <= first.learning_starts < last:
            return 0.0
        return self._speed.seconds_for(last - self.step)
