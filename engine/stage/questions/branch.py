"""What would have happened after another action, compared with the recorded one."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from engine.contract.branches import MOST_ROLLOUTS, NO_CHANCE
from engine.environments.restoring import CHANCE_WORDS
from engine.stage.archive import Session
from engine.stage.branching import Line, Policy, Root, Run, continue_job
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import AS_RECORDED, Weights
from engine.stage.jobs import Job, Priority, Wish
from engine.stage.questions.judge_episode import judging_step, options_step

NEWEST = -2
MOST_STEPS = 2_000


class BranchArguments(Arguments, frozen=True, kw_only=True):
    """Where, which first actions, who goes on, and how often.

    ``forced`` are the first actions of the branch; with ``main`` (as long, and other
    in its last action) that is compared which goes on after those, by the same
    policy and with the same random numbers; without, the recorded episode.
    ``checkpoint`` -1 is the policy that played, -2 the newest. Rollouts are cut off
    ``horizon`` steps after the last forced action. ``explore`` has the policy take
    as many random actions as it took in training then.
    """

    kind: Literal["training", "evaluation"]
    episode: int
    t: int
    forced: list[int] = msgspec.field(default_factory=list)
    main: list[int] | None = None
    checkpoint: int = AS_RECORDED
    count: int = 1
    horizon: int = 200
    explore: bool = False


def _answer(context: Context, arguments: BranchArguments, asker: Asker) -> Job:
    """Both arms.

    Returns:
      ``rollouts``, ``main``: lists of ``actions``, ``rewards``, ``explored`` (numbers
      of the actions that chance chose), ``terminated``, ``truncated``, ``value`` (max q
      of each state acted in); ``q``, ``main_q`` [n, A] of the first of each;
      ``predicted`` (None, or Q of the branch's action minus Q of the other one where
      they part), ``checkpoint_step`` and ``policy`` (who went on), ``exactness``,
      ``why``, ``chance`` (words), ``discount``.
    """
    job = f"branch.{asker.id}"
    return (yield from context.told(job, _branch(context, arguments, job)))


def _branch(
    context: Context, arguments: BranchArguments, job: str
) -> Generator[Wish, Any, dict[str, Any]]:
    session = context.archive.session()
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    _check(session, record, arguments)
    session, weights = yield from policy_of(context, record, arguments.checkpoint)
    mind = yield from context.minds.mind(session.configuration, session.card)
    epsilon = _epsilon(session, weights.step, explore=arguments.explore)
    rollouts = _Rollouts(
        context,
        job,
        Root(session.configuration.environment, record, arguments.t),
        Policy(mind, weights, epsilon),
        arguments,
    )
    arms, chance = yield from rollouts.make()
    rest = _rest(record, arguments.t, arms[0][0])
    words = "greedy" if not epsilon else f"with {epsilon:.3g} random actions"
    exactness, why = how_restored(record, arguments.t)
    if session.configuration.environment.clip_rewards:
        why += (
            " Q-values are of rewards clipped to ±1, returns of the rewards as given."
        )
    return {
        "rollouts": [_plain(it[0]) for it in arms],
        "main": _main(record, arguments, arms) if arguments.main else [rest],
        "q": np.array(arms[0][0].q),
        "main_q": np.array(arms[0][1].q if arguments.main else ()),
        "predicted": _predicted(arms[0], arguments),
        "checkpoint_step": weights.step,
        "policy": f"the checkpoint of step {weights.step:,}, {words}",
        "exactness": exactness,
        "why": why,
        "chance": chance,
        "discount": session.configuration.agent.discount,
    }


class _Rollouts:
    """Pairs of rollouts: the branch, and where so asked the main line."""

    def __init__(
        self,
        context: Context,
        job: str,
        root: Root,
        policy: Policy,
        arguments: BranchArguments,
    ) -> None:
        self._context, self._job = context, job
        self._root, self._policy, self._arguments = root, policy, arguments
        self._told = 0.0

    def make(self) -> Generator[Wish, Any, tuple[list[list[Run]], str]]:
        """All pairs, and what chance had to do with them."""
        count = self._arguments.count
        first = yield from self._pairs(range(1), 0.0, 1.0 / count)
        explores = self._policy.epsilon > 0.0
        if not explores and first[0][0].kept:
            return first, CHANCE_WORDS["kept"]
        if not explores and not any(it.by_chance for it in first[0]):
            shown = all(it.shown for it in first[0])
            return first, NO_CHANCE if shown else CHANCE_WORDS["cannot be told"]
        if count == 1:
            return first, "One rollout, with the random numbers of the recording."
        rest = yield from self._pairs(range(1, count), 1.0 / count, 1.0)
        return [*first, *rest], _variety([*first, *rest])

    def _pairs(
        self, numbers: range, begin: float, end: float
    ) -> Generator[None, Any, list[list[Run]]]:
        arguments = self._arguments
        arms = [arguments.forced] + ([arguments.main] if arguments.main else [])
        lines = [Line(tuple(forced), n) for n in numbers for forced in arms]
        most = arguments.horizon + max(0, len(arguments.forced) - 1)

        def tell(share: float) -> None:
            done = begin + share * (end - begin)
            if done - self._told >= 0.05:
                self._told = done
                words = f"{arguments.count} of each arm" if arguments.count > 1 else ""
                self._context.progress(self._job, min(done, 0.99), words)

        runs = yield from continue_job(self._root, lines, self._policy, most, tell)
        return [runs[i : i + len(arms)] for i in range(0, len(runs), len(arms))]


def _variety(pairs: Sequence[Sequence[Run]]) -> str:
    seen = {
        tuple(tuple(run.rewards) + tuple(run.actions) for run in it) for it in pairs
    }
    if len(seen) == 1:
        return f"All {len(pairs)} rollouts are equal: chance made no difference."
    return (
        f"{len(pairs)} rollouts of each arm; both arms of a pair had the same random "
        "numbers, the first those of the recording."
    )


def _check(
    session: Session, record: Mapping[str, Any], arguments: BranchArguments
) -> None:
    steps, actions = len(record["actions"]), session.card.actions
    if not 0 <= arguments.t < steps:
        raise QuestionError(
            f"Episode {arguments.episode:,} has no action at step {arguments.t:,}: it "
            f"has {steps:,} steps. Choose one before its end."
        )
    asked = [*arguments.forced, *(arguments.main or ())]
    if any(not 0 <= it < actions for it in asked):
        raise QuestionError(
            f"{session.card.id} has the actions 0 to {actions - 1}, not "
            f"{', '.join(str(it) for it in asked if not 0 <= it < actions)}."
        )
    if arguments.main and len(arguments.main) != len(arguments.forced):
        raise QuestionError("Both arms of a branch force the same number of actions.")
    if not 1 <= arguments.count <= MOST_ROLLOUTS:
        raise QuestionError(f"The number of rollouts is 1 to {MOST_ROLLOUTS}.")
    if not 1 <= arguments.horizon <= MOST_STEPS:
        raise QuestionError(f"A rollout has 1 to {MOST_STEPS:,} steps.")


def policy_of(
    context: Context, record: Mapping[str, Any], checkpoint: int
) -> Generator[Wish, Any, tuple[Session, Weights]]:
    """Who goes on: this checkpoint, -1 who played, -2 the newest.

    Returns:
      The session with the options of then, and the weights.

    Raises:
      QuestionError: If the session has none.
    """
    wanted = 2**62 if checkpoint == NEWEST else checkpoint
    step = yield from judging_step(context, record, wanted)
    if step is None:
        raise QuestionError("There is no checkpoint yet whose policy could go on.")
    session = context.archive.session()
    arrays = yield from context.archive.weights(session, step)
    of = yield from options_step(context, record, checkpoint, step)
    session = yield from context.archive.as_of(session, of)
    return session, Weights(step, arrays)


def _epsilon(session: Session, step: int, *, explore: bool) -> float:
    if not explore:
        return 0.0
    from engine.agents import schedules

    epsilon = schedules.epsilon(session.configuration, step)
    if epsilon == 0.0:
        raise QuestionError(
            "This agent takes no random actions at that step, so there is nothing to "
            "explore with. Choose the greedy policy."
        )
    return epsilon


def how_restored(record: Mapping[str, Any], t: int) -> tuple[str, str]:
    """``exact`` or ``approximate``, and why, of a step that was gone to."""
    known = record.get("observation_crc") is not None or "observations" in record
    if known:
        return "exact", (
            f"Played again from seed {int(record['seed'])}: each of the {t + 1:,} "
            "observations up to the branch was the recorded one."
        )
    return "approximate", (
        f"Played again from seed {int(record['seed'])}, but the recording holds "
        "nothing by which the way there could be verified."
    )


def _main(
    record: Mapping[str, Any], arguments: BranchArguments, arms: Sequence[Sequence[Run]]
) -> list[dict[str, Any]]:
    """The other arms; what they have in common with the recording chance may have."""
    t, main = arguments.t, np.array(arguments.main)
    recorded = np.asarray(record["actions"][t : t + len(main)])
    same = np.logical_and.accumulate(main[: len(recorded)] == recorded)
    chance = same & np.asarray(record["explored"][t : t + len(main)], bool)
    before = np.flatnonzero(chance).tolist()
    plain = [_plain(it[1]) for it in arms]
    return [it | {"explored": [*before, *it["explored"]]} for it in plain]


def _rest(record: Mapping[str, Any], t: int, run: Run) -> dict[str, Any]:
    """The recorded episode from step ``t`` on; no longer than what was cut off."""
    steps = len(record["actions"])
    end = steps if run.ended else min(steps, t + len(run.actions))
    whole = end == steps
    return {
        "actions": [int(it) for it in record["actions"][t:end]],
        "rewards": [float(it) for it in record["rewards"][t:end]],
        "explored": np.flatnonzero(record["explored"][t:end]).tolist(),
        "terminated": whole and bool(record["terminations"][-1]),
        "truncated": whole and bool(record["truncations"][-1]),
    }


def _plain(run: Run) -> dict[str, Any]:
    return {
        "actions": run.actions,
        "rewards": run.rewards,
        "explored": run.explored,
        "terminated": run.terminated,
        "truncated": run.truncated,
        "value": np.array([it.max() for it in run.q]),
    }


def _predicted(arms: Sequence[Run], arguments: BranchArguments) -> float | None:
    """Q of the branch's action minus Q of the other, where the two arms part."""
    if not arguments.main:
        return None
    k = len(arguments.forced) - 1
    if k >= len(arms[0].q):
        return None
    q = arms[0].q[k]
    return float(q[arguments.forced[k]]) - float(q[arguments.main[k]])


BRANCH = Question("branch", BranchArguments, _answer, Priority.BRANCH)
