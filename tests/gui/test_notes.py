"""Bookmarks, loop ranges and branches: undoable, kept at once, of one session only."""

from itertools import pairwise

import msgspec
import pytest

from engine.contract.messages import ProcessState, SessionStatus
from engine.contract.notes import (
    MOST_NOTES,
    Bookmark,
    Branch,
    LoopRange,
    Rollout,
)
from rllab_gui.cursor import Position
from rllab_gui.history import History
from rllab_gui.notes import Notes
from rllab_gui.problems import Problems

HERE = Position(session="s1", kind="training", episode=3, t=7)
OLD = Bookmark("old", "training", 1, 2, text="before")
BRANCH = Branch(
    "b1", "A", "training", 3, 7, 0, 100, 0.99, "exact", "", [Rollout([0], [1.0])]
)


class Lab:
    """The model with its neighbours, and what the keeper would have."""

    def __init__(self, context, client):
        self.client, self.link, self.store = client, context.link, context.store
        self.history = History()
        self.problems = Problems(self.link)
        self.notes = Notes(self.link, self.store, self.history, self.problems)
        self.stored = {}
        self.refusal = ""
        client.answers["views"] = lambda _: {"views": self.stored}
        client.answers["keep_views"] = self._keep

    def _keep(self, arguments):
        if self.refusal:
            return self.refusal
        self.stored = arguments["views"]
        return {}

    def open(self, uuid="s1"):
        self.client.play(SessionStatus(uuid=uuid, name="run"))
        self.settle()

    def settle(self):
        while self.link.poll():
            pass


@pytest.fixture
def lab(context, client):
    lab = Lab(context, client)
    lab.stored = {"notes": {"bookmarks": [msgspec.to_builtins(OLD), {"id": 3}]}}
    lab.open()
    return lab


def kept(lab):
    return lab.stored["notes"]


def test_notes_of_the_session_are_read_and_a_bookmark_is_added_and_kept(lab, qtbot):
    assert lab.notes.bookmarks == [OLD]
    with qtbot.waitSignal(lab.notes.changed):
        made = lab.notes.add_bookmark(HERE, "about to fall")
    lab.settle()
    assert lab.notes.bookmarks == [OLD, made]
    assert lab.notes.bookmarks_of("training", 3) == [made]
    assert [it["text"] for it in kept(lab)["bookmarks"]] == ["before", "about to fall"]
    assert lab.notes.add_bookmark(HERE) == made  # one for a moment


def test_every_change_is_undone_and_done_again(lab):
    notes, history = lab.notes, lab.history
    made = notes.add_bookmark(HERE)
    steps = [
        lambda: notes.rename_bookmark(made.id, "now"),
        lambda: notes.set_loop(LoopRange("training", 3, 4, 9)),
        lambda: notes.set_loop(LoopRange("training", 3, 5, 9)),
        lambda: notes.add_branch(BRANCH),
        lambda: notes.rename_branch("b1", "left"),
        lambda: notes.delete_branch("b1"),
        lambda: notes.delete_loop("training", 3),
        lambda: notes.delete_bookmark(made.id),
    ]
    states = [notes.kept]
    for step in steps:
        step()
        states.append(notes.kept)
    assert all(one != two for one, two in pairwise(states))
    for state in reversed(states[:-1]):
        history.undo()
        assert sorted_notes(notes.kept) == sorted_notes(state)
    for state in states[1:]:
        history.redo()
        assert sorted_notes(notes.kept) == sorted_notes(state)
    lab.settle()
    assert kept(lab) == msgspec.to_builtins(notes.kept)


def sorted_notes(found):
    return [sorted(map(repr, it)) for it in msgspec.structs.astuple(found)]


def test_what_is_added_before_the_old_ones_have_come_joins_them(context, client):
    lab = Lab(context, client)
    lab.stored = {"notes": {"bookmarks": [msgspec.to_builtins(OLD)]}}
    del client.answers["views"]
    lab.open()
    made = lab.notes.add_bookmark(HERE)
    assert not client.questions("keep_views")  # it would wipe out the old ones
    client.reply(client.questions("views")[-1].id, {"views": lab.stored})
    lab.settle()
    assert lab.notes.bookmarks == [OLD, made]
    assert len(kept(lab)["bookmarks"]) == 2
    lab.history.undo()
    lab.settle()
    assert lab.notes.bookmarks == [OLD]
    assert len(kept(lab)["bookmarks"]) == 1


def test_many_changes_are_one_question_at_a_time_and_the_last_one_counts(lab, client):
    for t in range(20):
        lab.notes.add_bookmark(Position("s1", -1, "training", 3, t))
    assert len(client.questions("keep_views")) == 1
    lab.settle()
    assert len(client.questions("keep_views")) == 2
    assert len(kept(lab)["bookmarks"]) == 21


def test_what_cannot_be_kept_is_said_once_and_clears(lab):
    lab.refusal = "The notes of 'run' could not be kept: Permission denied."
    lab.notes.add_bookmark(HERE)
    lab.settle()
    entry = lab.problems.get("window.notes")
    assert entry.problem.what.endswith("They stay in this window until it is closed.")
    assert len(lab.notes.bookmarks) == 2
    lab.refusal = ""
    lab.open()  # the session says something: it is tried again
    assert len(kept(lab)["bookmarks"]) == 2
    assert lab.problems.get("window.notes") is None


def test_another_session_has_its_own_and_old_deeds_do_not_reach_it(lab, client):
    lab.notes.add_bookmark(HERE)
    lab.settle()
    lab.stored = {}
    lab.open("s2")
    assert lab.notes.bookmarks == []
    asked = len(client.questions("keep_views"))
    lab.history.undo()
    lab.history.redo()
    assert (lab.notes.bookmarks, len(client.questions("keep_views"))) == ([], asked)


def test_there_is_a_limit_and_nowhere_there_is_nothing_to_mark(lab):
    assert lab.notes.add_bookmark(Position(session="s1")) is None
    rows = [msgspec.structs.replace(OLD, id=str(t), t=t) for t in range(MOST_NOTES)]
    lab.stored = {"notes": {"bookmarks": msgspec.to_builtins(rows)}}
    lab.open("s3")
    assert lab.notes.add_bookmark(HERE) is None
    assert "1,000 bookmarks at most" in lab.problems.get("window.notes").problem.what


def test_texts_are_cut_where_no_file_would_hold_them(lab):
    made = lab.notes.add_bookmark(HERE, "x" * 5_000)
    assert len(made.text) == 2_000


def test_a_keeper_that_died_is_asked_again_when_the_next_one_has_the_session(
    lab, client
):
    answers = client.answers.pop("keep_views")
    lab.notes.add_bookmark(HERE)
    lab.settle()
    client.answers["keep_views"] = answers
    client.play(ProcessState("keeper", "ready"))
    lab.settle()
    assert len(client.questions("keep_views")) == 1  # it has not opened it yet
    lab.open()
    assert len(kept(lab)["bookmarks"]) == 2


def test_notes_that_could_not_be_read_are_asked_for_again(context, client):
    lab = Lab(context, client)
    lab.stored = {"notes": {"bookmarks": [msgspec.to_builtins(OLD)]}}
    answer = client.answers["views"]
    client.answers["views"] = lambda _: "The keeper has gone."
    lab.open()
    made = lab.notes.add_bookmark(HERE)
    assert not client.questions("keep_views")
    client.answers["views"] = answer
    lab.open()  # the session says something: it is tried again
    assert lab.notes.bookmarks == [OLD, made]
    assert len(kept(lab)["bookmarks"]) == 2
