"""A run that went back records the same numbers anew: nothing old is shown of them."""

from typing import Any

import numpy as np
import pytest
from theatre import Theatre, tiny

from engine.contract.messages import SessionStatus
from engine.stage.identity import content_of

SAME = {"kind": "training", "episode": 0}


class _Anew:
    """The session after its run went back: another episode under each number."""

    def __init__(self, source: Any, record: dict[str, Any]) -> None:
        self._source, self._record = source, record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def episode(self, kind: str, index: int, *, frames: bool) -> dict[str, Any]:
        """The one record, whatever is asked for."""
        return self._record | {"kind": kind, "episode": index}


def _opened(theatre: Theatre, cuts: int, **changes: Any) -> None:
    text = tiny(**changes).to_json()
    status = SessionStatus("s", "/s.h5", "uuid-1", False, configuration=text, cuts=cuts)
    theatre.tell(status, "supervisor")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(_same(one[name], other[name]) for name in one)
    return bool(np.array_equal(one, other, equal_nan=isinstance(one, np.ndarray)
                               and one.dtype.kind == "f"))  # fmt: skip


@pytest.mark.parametrize(
    ("question", "more"),
    [
        ("judge_episode", {}),
        ("saliency", {"t": 3}),
        ("test_saliency", {"t": 3, "feature": 0, "share": 0.5}),
        ("play_by_hand", {"t": 3, "actions": [1]}),
        ("frames", {"first": 5, "last": 6}),
    ],
)
def test_an_episode_that_was_recorded_anew_is_judged_anew(theatre, question, more):
    other = theatre.source.episode("training", 1)
    _opened(theatre, cuts=0)
    before = theatre.result(question, **SAME, **more)
    theatre.source = _Anew(theatre.source, other)
    _opened(theatre, cuts=1)
    now = theatre.result(question, **SAME, **more)
    fresh = Theatre(theatre.source)
    _opened(fresh, cuts=0)
    assert _same(now, fresh.result(question, **SAME, **more))
    assert not _same(now, before)
    fresh.stage.close()


def test_what_goes_on_inside_is_that_of_the_new_one(played):
    run = played.run(network__recurrent="lstm", replay__kind="sequence")
    wanted = {"what": "memory", "first": 0, "last": 5, **SAME}
    with run.on_stage() as theatre:
        before = theatre.result("inside_episode", **wanted)
        theatre.source = _Anew(theatre.source, theatre.source.episode("training", 1))
        _opened(theatre, 1, network__recurrent="lstm", replay__kind="sequence")
        now = theatre.result("inside_episode", **wanted)
        assert not _same(now, before)


def test_weights_of_a_checkpoint_that_was_made_again_are_read_again(theatre):
    _opened(theatre, cuts=0)
    asked = []
    answers = theatre._answer
    theatre._answer = lambda ask, to: asked.append(ask.question) or answers(ask, to)
    for cuts, reads in ((0, 1), (0, 0), (1, 1)):
        _opened(theatre, cuts=cuts)
        asked.clear()
        theatre.result("judge_episode", **SAME, checkpoint_step=100)
        assert asked.count("checkpoint") == reads


def test_who_chose_is_a_part_of_what_happened():
    record = {"seed": 1, "actions": np.zeros(3, np.int64)}
    mine = record | {"human": np.array([True, False, False])}
    theirs = record | {"human": np.zeros(3, bool)}
    others = record | {"actions": np.ones(3, np.int64)}
    each = [content_of(it) for it in (record, mine, theirs, others)]
    assert len(set(each)) == len(each)
