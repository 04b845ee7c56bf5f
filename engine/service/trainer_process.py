"""The trainer as a process: commands between slices of training.

Run as ``python -m engine.service.trainer_process CONNECTION_FILE IDENTITY``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from engine.contract.messages import (
    Advance,
    Answer,
    Ask,
    CheckpointStored,
    EvaluationFinished,
    Message,
    Pause,
    Problem,
    ProcessState,
    Resume,
    RowsStored,
    RunTraining,
    SaveSession,
    SetOption,
    Stop,
    Subscribe,
    TrainerStatus,
)
from engine.contract.options import ConfigurationError, configuration_from_json
from engine.service.home import compiled_folder
from engine.service.loop_state import restored_state
from engine.service.replay_files import whole_replay
from engine.service.run import Run, unexpected
from engine.service.transport import SUPERVISOR, WINDOWS, Line
from engine.service.worker import main

IDLE_S = 0.2


class Trainer:
    """The role: at most one run, and who wants to know what of it."""

    def __init__(self, line: Line) -> None:
        # Slow to import (torch), and done while nobody waits.
        from engine.environments import describe
        from engine.training import Libraries, TrainingLoop, known_problem

        self._line, self._describe = line, describe
        self._make, self._known = TrainingLoop, known_problem
        self._libraries = Libraries(compiled_folder())
        self._loop: TrainingLoop | None = None
        self._run: Run | None = None
        self._wanting: dict[str, set[str]] = {"priorities": set(), "account": set()}
        self._warm_up()

    def cycle(self) -> float:
        """A slice of the run, if there is one."""
        if self._run is None:
            return IDLE_S
        wanted = {topic: bool(who) for topic, who in self._wanting.items()}
        return self._run.cycle(
            priorities_wanted=wanted["priorities"], account_wanted=wanted["account"]
        )

    def close(self) -> None:
        """Let go of the environments."""
        loop, self._loop, self._run = self._loop, None, None
        if loop is not None:
            loop.close()

    def on_message(self, sender: str, message: Message) -> None:
        """A command, or news of another process."""
        match message:
            case Ask():
                self._line.send(sender, self._answer(message))
            case RunTraining():
                self._begin(message)
            case Subscribe():
                self._subscribe(sender, message)
            case _ if self._run is not None:
                self._command(self._run, message)

    def _command(self, run: Run, message: Message) -> None:
        simple = {Pause: run.pause, Resume: run.resume, Stop: run.stop}
        simple[SaveSession] = run.save
        match message:
            case Advance():
                run.advance(message)
            case SetOption():
                self._set_option(run, message)
            case _ if type(message) in simple:
                simple[type(message)]()
            case _:
                self._news(run, message)

    def _news(self, run: Run, message: Message) -> None:
        """What the other processes have done with what we sent."""
        match message:
            case RowsStored() | CheckpointStored():
                run.outbox.settle(message)
            case EvaluationFinished():
                run.on_evaluated(message.step)
            case ProcessState(role="keeper", state="ready"):
                run.on_keeper_back()
            case ProcessState(role="stage", state="ready"):
                run.on_stage_back()

    def _begin(self, message: RunTraining) -> None:
        """Build the loop, restore it where there is a state, and run."""
        self.close()
        self._line.send(SUPERVISOR, TrainerStatus("starting"))
        try:
            self._loop = loop = self._build(message)
        except Exception as error:
            # The environment's own code runs here too; whatever it raises is told.
            self._line.send(WINDOWS, self._failure(error))
            self._line.send(SUPERVISOR, TrainerStatus("failed"))
            return
        self._run = Run(
            self._line,
            loop,
            uuid=message.uuid,
            first_row=message.first_row,
            paused=message.paused,
            failure=self._failure,
        )
        if not message.values:
            self._run.begin()

    def _build(self, message: RunTraining) -> Any:
        configuration = configuration_from_json(message.configuration)
        with whole_replay(message) as replay:
            loop = self._make(
                configuration,
                offline_source=message.offline_source,
                libraries=self._libraries,
                replay_folder=Path(message.folder) if message.folder else None,
            )
            if message.values:
                state = restored_state(message.arrays, message.values)
                loop.restore(state, replay or None)
        budget = message.until_step
        if budget and budget != loop.configuration.training.steps:
            loop.set_option("training.steps", budget)
        return loop

    def _failure(self, error: Exception) -> Problem:
        loop = self._loop
        device, step = (loop.device, loop.step) if loop else ("cpu", 0)
        if known := self._known(error, device, step):
            return known
        if isinstance(error, ConfigurationError):
            return Problem("engine.configuration", str(error))
        return unexpected(error)

    def _set_option(self, run: Run, message: SetOption) -> None:
        try:
            run.set_option(message.key, json.loads(message.value))
        except ValueError as error:  # also ConfigurationError
            self._line.send(WINDOWS, Problem("engine.option", str(error)))

    def _subscribe(self, sender: str, message: Subscribe) -> None:
        for topic, who in self._wanting.items():
            if topic in message.topics:
                who.add(sender)
            else:
                who.discard(sender)

    # --------------------------------------------------------------- questions

    def _answer(self, ask: Ask) -> Answer:
        try:
            return Answer(ask.id, self._result(ask.question, ask.arguments))
        except ValueError as error:  # ConfigurationError, UnknownEnvironment
            return Answer(ask.id, error=str(error))
        except Exception as error:
            # An environment may raise anything when it is made.
            return Answer(ask.id, error=self._failure(error).sentence())

    def _result(self, question: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if question == "prepare":
            return self._prepare(str(arguments["configuration"]))
        if question == "sample_states":
            if self._loop is None:
                raise ValueError("No run is under way that could be sampled.")
            return self._loop.sample_states(int(arguments["count"]))
        if question == "familiarity":
            if self._loop is None:
                raise ValueError("No run is under way that has counted states.")
            return dict(self._loop.agent.familiarity(arguments["observation"]))
        raise ValueError(f"The trainer knows no question '{question}'.")

    def _prepare(self, text: str) -> dict[str, Any]:
        """Check a configuration against its environment and this computer."""
        from engine.agents import choose_device
        from engine.contract.catalogue import check_combination
        from engine.service.memory_check import check_memory

        configuration = configuration_from_json(text)
        card = self._describe(configuration.environment)
        check_combination(configuration, card)
        check_memory(configuration, card)
        choose_device(configuration, card)
        return {"card": card.to_dict()}

    def _warm_up(self) -> None:
        """Have everything loaded that the first update would wait for."""
        from engine.contract.options import configuration_from_flat

        small = {"replay.capacity": 256, "agent.learning_starts": 32}
        small |= {"agent.batch_size": 32, "training.steps": 64}
        loop = self._make(configuration_from_flat(small), device="cpu")
        loop.advance(steps=48)
        loop.drain()
        loop.close()


if __name__ == "__main__":
    sys.exit(main("trainer", Trainer, dies_with_parent=True))
