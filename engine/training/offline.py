"""Learning from a recorded session; no environment is stepped.

The replay memory is filled once, before the first update, with the recorded training
episodes, oldest first. From then on a step of the run is one update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.agents import ValueBasedAgent
from engine.agents.experience import Experience
from engine.contract.account import STORE, TELEMETRY
from engine.contract.arrays import State
from engine.contract.options import EnvironmentOptions, configuration_from_json
from engine.environments import make, observation_crc
from engine.training.account import Account
from engine.training.problems import not_offline
from engine.training.running import Book, Bounds
from engine.training.stepping import Taken


class Notes(Book, Protocol):
    """A book that also takes a sentence."""

    def on_filled(self, text: str) -> None:
        """The memory was filled."""


class Offline:
    """Updates only; see :class:`engine.training.running.Running`."""

    def __init__(
        self, agent: ValueBasedAgent, book: Notes, source: str, account: Account
    ) -> None:
        self._agent, self._book, self._source = agent, book, source
        self._side = account.acting

    @property
    def held(self) -> int:
        """Steps of the run that are no steps of an environment."""
        return self._book.step - len(self._agent.memory)

    def run(self, bounds: Bounds) -> None:
        """One update.

        Raises:
          TrainingProblem: If the recording cannot be learned from.
          NotFinite: If the update cannot be made.
        """
        if not len(self._agent.memory):
            around = self._side.around()
            self._fill()
            around.rest(STORE)
        watch = self._side.step()
        step = self._book.step + 1
        update = self._agent.learn(step, watch)
        self._book.on_taken(Taken(step))
        if update is not None:
            self._book.on_learned(update)
        watch.lap(TELEMETRY)

    def _fill(self) -> None:
        agent = self._agent
        options = agent.configuration
        steps = episodes = 0
        for record in recorded_episodes(self._source, options.environment):
            for it in experiences(agent, record, options.environment):
                agent.store(it)
            steps += len(record["actions"])
            episodes += 1
        agent.memory.streams.count_on()
        name, kept = Path(self._source).name, len(agent.memory)
        if not kept:
            raise not_offline(name, "It holds no recorded training episode.")
        text = f"Learns from {steps:,} steps of {episodes:,} episodes of '{name}'"
        if kept < steps:
            text += f", of which the replay memory holds the last {kept:,}"
        self._book.on_filled(f"{text}; each step is one update.")

    def state(self) -> State:
        """Nothing: the memory says what it holds."""
        return {}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""


def recorded_episodes(
    path: str, environment: EnvironmentOptions
) -> Iterator[dict[str, Any]]:
    """The recorded training episodes of a session, oldest first.

    Raises:
      TrainingProblem: If there is no such session, or it is of another environment.
    """
    from engine.sessions import SessionProblem, open_session

    name = Path(path).name
    try:
        source = open_session(Path(path).expanduser())
        try:
            _check_environment(name, source.configuration(), environment)
            table = source.episodes()
            columns = (table[it] for it in ("kind", "episode", "recorded"))
            for kind, episode, recorded in zip(*columns, strict=True):
                if kind == "training" and recorded:
                    yield source.episode(kind, int(episode))
        finally:
            source.close()
    except (SessionProblem, OSError) as error:
        raise not_offline(name, str(error)) from error


def _check_environment(name: str, text: str, environment: EnvironmentOptions) -> None:
    """Stacks of frames and signs of rewards are made of what is recorded."""
    free = {"frame_stack", "clip_rewards"}
    theirs = configuration_from_json(text).environment.model_dump(exclude=free)
    for option, ours in environment.model_dump(exclude=free).items():
        if theirs[option] != ours:
            why = f"There environment.{option} is {theirs[option]}, here {ours}."
            raise not_offline(name, why)


def experiences(
    agent: ValueBasedAgent, record: Mapping[str, Any], options: EnvironmentOptions
) -> Iterator[Experience]:
    """A recorded episode, as the agent would have lived it.

    Raises:
      TrainingProblem: If it has to be played again and goes another way.
    """
    frames = observations(record, options)
    yield Experience(0, frames[0], 0)
    rewards = np.asarray(record["rewards"], np.float64)
    if options.clip_rewards:
        rewards = np.sign(rewards)
    names = ("actions", "terminations", "truncations", "explored")
    columns = (np.asarray(record[it]).tolist() for it in names)
    lost = np.broadcast_to(record.get("life_lost", False), len(rewards)).tolist()
    rows = zip(*columns, rewards.tolist(), frames[1:], lost, strict=True)
    for action, terminated, truncated, explored, reward, frame, life_lost in rows:
        how = terminated, truncated, frame, explored
        yield agent.experience(0, action, reward, *how, life_lost=life_lost)


def observations(record: Mapping[str, Any], options: EnvironmentOptions) -> np.ndarray:
    """Single observations of an episode, [T + 1, ...].

    Where they are not recorded the episode is played again from its seed and
    actions, and each observation is held against its fingerprint.

    Raises:
      TrainingProblem: If the environment does not repeat itself.
    """
    if "observations" in record:
        return np.asarray(record["observations"])
    environment = make(options)
    try:
        frames = [environment.reset(int(record["seed"]))]
        for action in np.asarray(record["actions"]).tolist():
            frames.append(environment.step(action)[0])
    finally:
        environment.close()
    for t, (frame, crc) in enumerate(
        zip(frames, record["observation_crc"], strict=True)
    ):
        if observation_crc(frame) != int(crc):
            why = (
                f"'{options.id}' does not go the way it was recorded: step {t} of "
                f"episode {record['episode']} differs."
            )
            raise not_offline(options.id, why)
    return np.array(frames)
