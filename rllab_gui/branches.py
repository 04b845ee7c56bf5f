"""Branches of the recorded episodes: made at the cursor, looked into, left again."""

from __future__ import annotations

from functools import partial
from string import ascii_uppercase
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from engine.contract.branches import beginning_of, parting, tried_in
from engine.contract.messages import JobProgress
from engine.contract.notes import Branch, Rollout
from rllab_gui.cursor import Cursor, Position
from rllab_gui.episode import ShownEpisode
from rllab_gui.ghost import Ghost
from rllab_gui.hand_play import HandPlay
from rllab_gui.link import Link
from rllab_gui.notes import Notes, new_id
from rllab_gui.pad_play import PadPlay
from rllab_gui.store import Store
from rllab_gui.views.episode_model import action_word

AS_RECORDED, NEWEST, AT_CURSOR = -1, -2, -3
"""Whose policy goes on: the one that played, the newest, the judging one."""
MANY = 20


def place_of(branch_id: str, rollout: int = 0) -> str:
    """What ``Position.branch`` says of a rollout of a branch."""
    return branch_id if not rollout else f"{branch_id}/{rollout}"


class Branches(QObject):
    """Has branches made by the stage, and keeps them among the notes.

    Attributes:
      policy: Who goes on after the forced action: one of the constants above.
      count: How many rollouts of each arm.
      explore: Whether the policy explores as much as it did in training.
      under_way: How far the one is that is being made; empty while none is.
      problem: Why the last one could not be made or looked into, or empty.
      ghost: The other arm of the branch that is looked at.
      hand: Playing on by hand.
      pad: The gamepad of whoever plays.

    Signals:
      changed(): There are others, another is looked at, or one has come further.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        store: Store,
        cursor: Cursor,
        episode: ShownEpisode,
        notes: Notes,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._cursor = link, cursor
        self._episode, self._notes = episode, notes
        self.policy, self.count, self.explore = AS_RECORDED, 1, False
        self.under_way = self.problem = ""
        self._question = -1
        self._where = Position()
        self.hand = HandPlay(link, store, cursor, episode, self, self)
        self.pad = PadPlay(self.hand, parent=self)
        self.ghost = Ghost(link, episode, self, self)
        notes.changed.connect(self._on_notes)
        cursor.changed.connect(self._on_cursor)
        link.jobProgressed.connect(self._on_progress)
        link.processChanged.connect(self._on_process)

    # -------------------------------------------------------------- what there is

    @property
    def here(self) -> list[Branch]:
        """Those of the episode at the cursor, by step."""
        position = self._cursor.position
        return self._notes.branches_of(position.kind, position.episode)

    @property
    def current(self) -> Branch | None:
        """The branch that is looked at."""
        wanted = self._cursor.position.branch.partition("/")[0]
        return self.find(wanted) if wanted else None

    @property
    def rollout(self) -> int:
        """Which of its rollouts."""
        return int(self._cursor.position.branch.partition("/")[2] or 0)

    def find(self, branch_id: str) -> Branch | None:
        """The branch of this id."""
        rows = self._notes.kept.branches
        return next((it for it in rows if it.id == branch_id), None)

    @property
    def refusal(self) -> str:
        """Why no branch can leave the step at the cursor, or empty."""
        data = self._episode.data
        if data is None or self._cursor.position.episode < 0:
            return "No episode is looked at."
        if self._cursor.t >= data.steps:
            return "The episode has ended here: go back to try another action."
        if self.rollout and self._cursor.t >= self._root:
            return "Branches leave the main line or the first rollout of a branch."
        return ""

    @property
    def _root(self) -> int:
        branch = self.current
        return branch.t if branch is not None else -1

    # ---------------------------------------------------------------------- made

    def make(self, action: int) -> None:
        """Try this action at the step of the cursor, and look at what follows."""
        data, t = self._episode.data, self._cursor.t
        if data is None or self.refusal:
            self._fail(self.refusal)
            return
        root, before = self.root_and_actions()
        taken = int(data.actions[t])
        word = action_word(data.action_names, action)
        self._ask(
            root,
            {"forced": [*before, action], "main": [*before, taken]},
            name=f"{word}@{t}",
            action=action,
            beginning=self._beginning(before, [len(before)] * (action != taken)),
        )

    def root_and_actions(self) -> tuple[int, list[int]]:
        """Where the line at the cursor leaves the main line, and its actions since."""
        branch, t = self.current, self._cursor.t
        if branch is None or t < branch.t:
            return t, []
        return branch.t, branch.rollouts[0].actions[: t - branch.t]

    def _beginning(self, actions: list[int], tried: list[int]) -> Rollout:
        """Who chose these first actions, by the branch that is left."""
        if not actions or self.current is None:
            return Rollout([], [], tried=tried)
        parent = self.current.rollouts[0]
        before = beginning_of(parent, tried_in(self.current, parent), len(actions))
        return replace(before, tried=[*before.tried, *tried])

    def play_seed(self) -> None:
        """Have the chosen policy play the seed of this episode from its start."""
        self._ask(0, {"forced": []}, name="same seed@0", action=-1)

    def hand_back(
        self, t: int, actions: list[int], beginning: Rollout, given: int
    ) -> None:
        """Have the chosen policy go on after these actions, some of a person.

        Args:
          t: Where they leave the main line.
          actions: All of them.
          beginning: Who chose them.
          given: How many there were before the person took over.
        """
        more = {"forced": actions, "count": 1}
        name = f"you@{t + given}"
        self._ask(t, more, name=name, action=actions[0], beginning=beginning)

    def set_explore(self, explore: bool) -> None:
        """Let the policy take random actions as in training, or be greedy."""
        self.explore = explore

    def cancel(self) -> None:
        """Give up the one that is being made."""
        self._link.cancel(self._question)
        self.under_way = ""
        self.changed.emit()

    def keep(self, branch: Branch, *, look: bool = True) -> None:
        """Keep one that was made, and look at it."""
        named = self._named(branch)
        if self._notes.add_branch(named) and look:
            self.enter(named.id)

    def _ask(self, t: int, more: dict[str, Any], **words: Any) -> None:
        position = self._cursor.position
        self._link.cancel(self._question)
        self._cursor.set_mode("paused")
        self._where = position
        self.under_way, self.problem = "Making the branch", ""
        arguments = {
            "kind": position.kind,
            "episode": position.episode,
            "t": t,
            "checkpoint": self._policy(position),
            "count": self.count if more.get("main") else 1,
            "explore": self.explore,
            **more,
        }
        facts = {"t": t, "kind": position.kind, "episode": position.episode, **words}
        self._question = self._link.ask(
            "branch", arguments, partial(self._on_made, facts), self._fail
        )
        self.changed.emit()

    def _policy(self, position: Position) -> int:
        return position.checkpoint if self.policy == AT_CURSOR else self.policy

    def _on_made(self, facts: dict[str, Any], answer: dict[str, Any]) -> None:
        self.under_way = ""
        beginning = facts.pop("beginning", Rollout([], []))
        branch = Branch(
            id=new_id(),
            checkpoint=int(answer["checkpoint_step"]),
            discount=float(answer["discount"]),
            exactness=answer["exactness"],
            why=f"{answer['chance']} {answer['why']}",
            rollouts=[_rollout(it, beginning) for it in answer["rollouts"]],
            main=[_rollout(it, Rollout([], [])) for it in answer["main"]],
            predicted=answer["predicted"],
            **facts,
        )
        now = self._cursor.position
        same = (self._where.session, self._where.kind, self._where.episode)
        if now.session == self._where.session:
            self.keep(branch, look=(now.session, now.kind, now.episode) == same)

    def _named(self, branch: Branch) -> Branch:
        """With a letter that no other branch of its episode has in front."""
        others = self._notes.branches_of(branch.kind, branch.episode)
        taken = {it.name.partition(" ")[0] for it in others}
        free = [it for it in ascii_uppercase if it not in taken]
        letter = free[0] if free else str(len(others) + 1)
        return replace(branch, name=f"{letter} {branch.name}")

    def _fail(self, sentence: str) -> None:
        self.under_way, self.problem = "", sentence
        self.changed.emit()

    def _on_progress(self, progress: JobProgress) -> None:
        if progress.job == f"branch.{self._question}" and self.under_way:
            if not progress.done:
                share = f"{100 * progress.fraction:.0f} %"
                self.under_way = f"Making the branch: {share} {progress.text}".strip()
            self.changed.emit()

    # ------------------------------------------------------------------ looked at

    def enter(self, branch_id: str, rollout: int = 0) -> None:
        """Look at a rollout of a branch, where it leaves the main line."""
        branch = self.find(branch_id)
        if branch is None or not 0 <= rollout < len(branch.rollouts):
            return
        place, position = place_of(branch_id, rollout), self._cursor.position
        if place == position.branch and not self._episode.problem:
            return
        self.problem = ""
        self._cursor.set_mode("paused")
        self.hold(
            branch,
            branch.rollouts[rollout],
            rollout,
            partial(self._on_held, branch, place, position),
        )

    def hold(self, branch: Branch, rollout: Rollout, number: int, then: Any) -> None:
        """Have the stage make an episode of a rollout; ``then`` gets the answer."""
        arguments = {
            "kind": branch.kind,
            "episode": branch.episode,
            "t": branch.t,
            "actions": rollout.actions,
            "rewards": rollout.rewards,
            "number": number,
            "checkpoint": branch.checkpoint,
            "human": rollout.human,
            "tried": tried_in(branch, rollout),
            "explored": rollout.explored,
        }
        self._link.ask("hold_branch", arguments, then, self._fail)

    def leave(self) -> bool:
        """Back to the main line; False where that is where the cursor is."""
        if not self._cursor.position.branch:
            return False
        branch = self.current
        t = self._cursor.t if branch is None else min(self._cursor.t, branch.t)
        self._cursor.set_mode("paused")
        self._cursor.place(branch="", t=t)
        return True

    def back(self, by: int) -> None:
        """Some steps back; at the root of a branch, or before it, out of it."""
        branch = self.current
        if branch is None:
            self._cursor.step(-by)
        elif self._cursor.t <= branch.t:
            self.leave()
        else:
            self._cursor.step(-min(by, self._cursor.t - branch.t))

    def _on_held(
        self, branch: Branch, place: str, asked: Position, answer: dict[str, Any]
    ) -> None:
        position = self._cursor.position
        if _line(position) != _line(asked):
            return  # the person has gone elsewhere since
        if (position.kind, position.episode) != (branch.kind, branch.episode):
            return
        self._episode.branch_numbers[place] = int(answer["episode"])
        inside = position.branch.partition("/")[0] == branch.id
        if not inside and position.t != asked.t:
            return  # or to another step
        start = branch.t + parting(branch)
        if place == position.branch:
            self._episode.fetch_again()
        self._cursor.place(branch=place, t=position.t if inside else start)
        self.problem = str(answer["note"])
        self.changed.emit()

    # --------------------------------------------------------------- what changes

    def rename(self, branch_id: str, name: str) -> None:
        """Call it something else."""
        self._notes.rename_branch(branch_id, name)

    def delete(self, branch_id: str) -> None:
        """Take it away; can be undone."""
        self._notes.delete_branch(branch_id)

    def _on_notes(self) -> None:
        place = self._cursor.position.branch
        if place and self.current is None and place in self._episode.branch_numbers:
            self.leave()
        self.changed.emit()

    def _on_cursor(self, position: Position) -> None:
        if (position.kind, position.episode) != (self._where.kind, self._where.episode):
            self.problem = ""
        self._where = position if not self.under_way else self._where
        self.changed.emit()

    def _on_process(self, process: Any) -> None:
        """A stage that begins anew holds nothing: back to the main line."""
        if process.role == "stage" and process.state == "ready":
            self._episode.branch_numbers.clear()
            self.under_way = ""
            if self.current is not None:
                self.leave()


def _line(position: Position) -> tuple[str, str, int, str]:
    return position.session, position.kind, position.episode, position.branch


def _rollout(answer: dict[str, Any], beginning: Rollout) -> Rollout:
    return Rollout(
        actions=[int(it) for it in answer["actions"]],
        rewards=[float(it) for it in answer["rewards"]],
        human=beginning.human,
        tried=beginning.tried,
        explored=[*beginning.explored, *map(int, answer.get("explored", ()))],
        terminated=bool(answer["terminated"]),
        truncated=bool(answer["truncated"]),
    )
