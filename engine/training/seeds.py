"""The agents of a run, one for each of its seeds, with environments of their own.

All take a step, then all make the updates that are due, as one program. None knows of
another: each is what it would be in a run with its seed alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine.agents import Decision, ValueBasedAgent, build_agent
from engine.agents.joint import JointAgents
from engine.contract.account import ACT, ENVIRONMENT, STORE, TELEMETRY, Watch
from engine.contract.arrays import State
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration
from engine.replay import IncompleteReplay
from engine.training.account import Account
from engine.training.lane import Lane
from engine.training.running import Book, InTurns, Running, make_running
from engine.training.stepping import Note, Stepping, Taken, choose, tell
from engine.training.stepping_choice import Choice

Replay = Mapping[str, np.ndarray]


class Seeds:
    """What acts and learns: the agent of ``training.seed``, and those of other seeds.

    Attributes:
      agents: All of them; the first is shown and recorded.
      joint: The same where there are several; they learn together.
      first: The first of them.
    """

    def __init__(
        self, configuration: Configuration, card: EnvironmentCard, device: str
    ) -> None:
        self.joint: JointAgents | None = None
        if configuration.training.seeds > 1:
            self.joint = JointAgents(configuration, card, device)
        self.agents: list[ValueBasedAgent] = (
            [build_agent(configuration, card, device)]
            if self.joint is None
            else self.joint.all
        )
        self._steppings = [Stepping(it) for it in self.agents]
        self.first, self._stepping = self.agents[0], self._steppings[0]
        self._choice: Choice | None = None

    def each(self) -> Iterator[tuple[ValueBasedAgent, Stepping]]:
        """Agents and their environments, the first one first."""
        return zip(self.agents, self._steppings, strict=True)

    def begin(self) -> None:
        """Start the first episode of each environment."""
        for agent, stepping in self.each():
            for it in stepping.begin():
                agent.store(it)

    @property
    def lanes(self) -> list[Lane]:
        """All environments."""
        return [lane for it in self._steppings for lane in it.lanes]

    @property
    def how(self) -> str:
        """How many seeds a step is of, and see :attr:`Stepping.how`; empty if plain."""
        if self.joint is None:
            return self._stepping.how
        several = f"Each step is one of {len(self.agents)} seeds."
        chosen = self._choice.text if self._choice is not None else ""
        return " ".join(filter(None, [several, chosen]))

    def running(self, book: Book, account: Account) -> Running:
        """What lets them act and learn."""
        if self.joint is not None:
            return Together(self, self.joint, book, account)
        return make_running(self.first, self._stepping, book, account)

    def settle(self, note: Note) -> None:
        """See :meth:`Stepping.settle`; several seeds choose together."""
        if self.joint is None:
            self._stepping.settle(note)
        elif self._choice is None and self.lanes:
            had = self._stepping.form
            self._choice = choose(self.first.configuration, self.lanes, had)
            tell(self._choice, had, note)
            if self._choice.text:
                self._stepping.form = self._choice.form

    def begin_step(self, decisions: Sequence[Decision], watch: Watch) -> None:
        """What each of them does next, where their environments step as one."""
        if self._choice is not None and self._choice.stepping is not None:
            actions = np.concatenate([it.actions for it in decisions])
            self._choice.stepping.begin(actions)
            watch.lap(ENVIRONMENT)

    def configure(self, configuration: Configuration) -> None:
        """Let all agents take over live options.

        Raises:
          ConfigurationError: If they are refused; nothing has changed then.
        """
        self.first.configure(configuration)
        if self.joint is not None:
            self.joint.follow()

    # ------------------------------------------------------------------- state

    def drain_log(self) -> dict[str, np.ndarray]:
        """Rows of all replay memories, as if they were one behind the other."""
        logs = [it.memory.drain_log() for it in self.agents]
        if len(logs) == 1:
            return logs[0]
        for index, log in enumerate(logs):
            log["slot"] = log["slot"] + index * self.first.memory.capacity
        return {name: np.concatenate([it[name] for it in logs]) for name in logs[0]}

    def contents(self) -> State:
        """What each replay memory holds."""
        found = enumerate(it.memory.contents() for it in self.agents)
        return {str(index): it for index, it in found}

    def state(self) -> State:
        """Everything to go on exactly, but the slots of the replay memories."""
        # First of all: it brings back what a device keeps of the others, too.
        own = {"agent": self.first.state(), **self._stepping.state()}
        others = {
            str(index): {"agent": agent.state(), **stepping.state()}
            for index, (agent, stepping) in enumerate(self.each())
            if index
        }
        return own | ({"seeds": others} if others else {})

    def restore(self, state: State, replay: Replay | None) -> None:
        """Inverse of :meth:`state`; ``replay`` holds all rows of the log so far.

        Raises:
          TrainingProblem: If an environment does not repeat itself.
          ValueError: If the state is that of another run.
        """
        for index, (agent, stepping) in enumerate(self.each()):
            own = state["seeds"][str(index)] if index else state
            agent.restore(own["agent"], self._rows_of(index, replay))
            stepping.restore(own)

    def _rows_of(self, index: int, replay: Replay | None) -> Replay | None:
        if not replay or self.joint is None:
            return replay
        owner, slot = np.divmod(replay["slot"], self.first.memory.capacity)
        if owner.min() < 0 or owner.max() >= len(self.agents):
            raise IncompleteReplay("The replay log belongs to other seeds.")
        mine = owner == index
        rows = {name: column[mine] for name, column in replay.items()}
        return rows | {"slot": slot[mine]}

    def close(self) -> None:
        """Let go of the environments."""
        for it in self._steppings:
            it.close()
        if self._choice is not None and self._choice.stepping is not None:
            self._choice.stepping.close()


class Together(InTurns):
    """All seeds decide, then all step, then they learn as one program, in turns."""

    def __init__(
        self, seeds: Seeds, joint: JointAgents, book: Book, account: Account
    ) -> None:
        super().__init__(joint, book, account)
        self._seeds, self._joint = seeds, joint

    def _take(self, watch: Watch) -> int:
        step = self._book.step
        each = [(*it, Taken(step)) for it in self._seeds.each()]
        newest = each[0][2]
        lanes = [stepping.lanes[0] for _, stepping, _ in each]
        looks = self._joint.look([it.observation for it in lanes], step)
        try:
            decisions = [
                seen or stepping.decide(step)
                for seen, (_, stepping, _) in zip(looks, each, strict=True)
            ]
        finally:
            self._joint.look_away()
        watch.lap(ACT)
        try:
            self._seeds.begin_step(decisions, watch)
            for (_, stepping, taken), decision in zip(each, decisions, strict=True):
                stepping.step(taken, watch, decision)
        finally:
            for agent, _, taken in each:
                for it in taken.experiences:
                    agent.store(it)
            watch.lap(STORE)
            self._book.on_taken(newest)
            for agent, _, taken in each[1:]:
                if taken.ended:
                    seed = agent.configuration.training.seed
                    self._book.on_others_ended(seed, taken.ended)
            watch.lap(TELEMETRY)
        return newest.step
