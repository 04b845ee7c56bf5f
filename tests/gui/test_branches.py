"""Branches in the window: keys, tree, ghost, leaving, undo, and playing by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import script
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from engine.contract.branches import NO_CHANCE, beginning_of, tried_in
from engine.contract.notes import Branch, Rollout
from rllab_gui.action_keys import action_letters, hint, idle_action, key_table
from rllab_gui.branch_table import branch_csv
from rllab_gui.episode import BY_HAND
from rllab_gui.frame.checkpoint_slider import CheckpointSlider
from rllab_gui.gamepad import BACK
from rllab_gui.pad_play import STEADY
from rllab_gui.views.branch_words import answer, tree_words, who
from rllab_gui.views.episode_model import episode_from

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
STEPS = 20
"""Of the recorded episode; the branch is made longer."""


def run_of(actions, rewards, *, terminated=True):
    return {
        "actions": actions,
        "rewards": rewards,
        "terminated": terminated,
        "truncated": False,
        "value": np.zeros(len(actions)),
    }


def teach(client):
    """The stage makes branches of three steps, holds them and plays by hand."""

    def branch(arguments):
        forced = arguments["forced"]
        return {
            "rollouts": [run_of([*forced, 0, 1], [1.0] * (len(forced) + 2))],
            "main": [run_of([0], [1.0])],
            "predicted": 0.5,
            "checkpoint_step": 100,
            "policy": "the checkpoint of step 100, greedy",
            "exactness": "exact",
            "why": "Played again from seed 7.",
            "chance": "One rollout.",
            "discount": 0.5,
        }

    def hold(arguments):
        steps = arguments["t"] + len(arguments["actions"])
        return {"episode": 1000 + steps, "steps": steps, "exact": True, "note": ""}

    def judge(arguments):
        steps = STEPS
        if arguments["kind"] == "branch":
            steps = arguments["episode"] - 1000
        return script.judged(steps) | {"action_names": ["left", "right"]}

    def by_hand(arguments):
        count = len(arguments["actions"])
        return {
            "frame": np.full((40, 60, 3), count, np.uint8),
            "q": np.array([1.0, 2.0 + count]),
            "advantage": np.array([-1.0, 0.0]),
            "liking": np.array([1.0, 2.0 + count]),
            "value_head": 1.5,
            "rewards": [1.0] * count,
            "td_error": 0.25 if count else np.nan,
            "terminated": count == 4,
            "truncated": False,
            "checkpoint_step": 100,
            "exactness": "exact",
            "why": "Played again from seed 7.",
        }

    client.answers |= {
        "branch": branch,
        "hold_branch": hold,
        "judge_episode": judge,
        "play_by_hand": by_hand,
        "views": lambda arguments: {"views": {}},
        "keep_views": lambda arguments: {},
        "checkpoints": lambda _: {"step": np.arange(2), "best": np.zeros(2, bool)},
    }


@pytest.fixture
def stepping(window, client, beat):
    """The window steps through an episode, at step 8."""
    teach(client)
    step_through(window, beat)
    window.activateWindow()
    return window


def step_through(window, beat):
    """Look at an episode, at step 8."""
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    for _ in range(4):
        beat()
    window.lab.cursor.set_mode("paused")
    window.lab.cursor.seek(8)
    beat()


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)


def panel(window):
    views = window.workspaces["step"].views()
    return next(it for it in views if it.view_id == "stepBranches")


def settle(beat):
    for _ in range(6):
        beat()


def test_a_branch_from_key_to_undo(stepping, client, beat, qtbot):
    lab, window = stepping.lab, stepping
    branches, cursor = lab.branches, lab.cursor
    press(qtbot, window, Key.Key_C)
    assert "L left" in window.statusBar().currentMessage()
    press(qtbot, window, Key.Key_Escape)
    assert not client.questions("branch")
    press(qtbot, window, Key.Key_C)
    press(qtbot, window, Key.Key_R)
    settle(beat)
    (asked,) = client.questions("branch")
    assert (asked.arguments["t"], asked.arguments["forced"]) == (8, [1])
    assert asked.arguments["main"] == [0]
    (branch,) = branches.here
    held = [it.arguments for it in client.questions("hold_branch")]
    main = [it["tried"] for it in held if it["actions"] == [0]]
    assert (held[0]["tried"], main) == ([0], [[]]), "the ghost's is the agent's own"
    assert cursor.position.branch == branch.id
    assert cursor.last == 11
    assert lab.episode.key[2:] == ("branch", 1011)
    view = panel(window)
    item = view.tree.topLevelItem(0).child(0)
    # 1 + 0.5 + 0.25 against 1, undiscounted 3 against 1.
    assert (item.text(0), item.text(1)) == ("A right@8", "+2.00")
    assert "discounted return +0.750" in view.property("answerText")
    assert "predicted +0.500" in view.property("answerText")
    assert len(branches.ghost.value) == 10
    item.setText(0, "≈ a better idea")
    settle(beat)
    assert branches.current.name == "a better idea"
    one_that_was_let_go_of(lab, client, branches.current, beat)
    leave_and_delete(window, client, branch, beat, qtbot)


def test_on_a_branch_usual_is_what_was_seen_round_the_episode_that_it_leaves(
    stepping, client, beat, qtbot
):
    client.answers["gaps"] = lambda _: {
        "gaps": np.arange(101.0),
        "values": np.arange(101.0),
        "states": 2_000,
        "source": "",
    }
    stepping.show_view("step", "stepQbars")
    press(qtbot, stepping, Key.Key_C)
    press(qtbot, stepping, Key.Key_R)
    settle(beat)
    assert stepping.lab.episode.key[2] == "branch"
    view = next(
        it for it in stepping.workspaces["step"].views() if it.view_id == "stepQbars"
    )
    qtbot.waitUntil(lambda: beat() or "percentile" in view.property("answerText"))
    asked = [it.arguments for it in client.questions("gaps")]
    assert {(it["kind"], it["episode"]) for it in asked} == {("training", 1)}


def one_that_was_let_go_of(lab, client, branch, beat):
    branches, cursor, before = lab.branches, lab.cursor, lab.cursor.position
    branches.enter(branch.id)
    held = len(client.questions("hold_branch"))
    lab.episode.problem = "This branch was let go of."
    branches.enter(branch.id)
    settle(beat)
    assert len(client.questions("hold_branch")) == held + 1
    assert lab.episode.problem == ""
    assert lab.episode.data.key[2] == "branch"
    elsewhere = replace(before, session="another")
    branches._on_held(branch, "late", elsewhere, {"episode": 7, "note": ""})
    assert cursor.position == before


def leave_and_delete(window, client, branch, beat, qtbot):
    lab, cursor, branches = window.lab, window.lab.cursor, window.lab.branches
    press(qtbot, window, Key.Key_Right)
    press(qtbot, window, Key.Key_Left, SHIFT)
    assert (cursor.t, bool(cursor.position.branch)) == (8, True)
    press(qtbot, window, Key.Key_Left, SHIFT)
    assert (cursor.t, cursor.position.branch) == (8, "")
    settle(beat)
    assert (cursor.last, branches.ghost.value) == (STEPS, None)
    branches.enter(branch.id)
    settle(beat)
    press(qtbot, window, Key.Key_Home)  # before its root: on the way out as well
    assert (cursor.t, bool(cursor.position.branch)) == (0, True)
    press(qtbot, window, Key.Key_Left, SHIFT)
    assert (cursor.t, cursor.position.branch) == (0, "")
    settle(beat)
    cursor.seek(8)
    hold = client.answers.pop("hold_branch")
    branches.enter(branch.id)
    cursor.seek(3)  # whoever has gone on is not called back
    client.reply(client.questions("hold_branch")[-1].id, {"episode": 7, "note": ""})
    settle(beat)
    assert (cursor.t, cursor.position.branch) == (3, "")
    client.answers["hold_branch"] = hold
    branches.enter(branch.id)
    settle(beat)
    press(qtbot, window, Key.Key_Escape)
    assert cursor.position.branch == ""
    branches.enter(branch.id)
    settle(beat)
    lab.commands.run("branch.delete")
    settle(beat)
    assert (branches.here, cursor.position.branch) == ([], "")
    lab.history.undo()
    settle(beat)
    assert [it.name for it in branches.here] == ["a better idea"]


def test_a_key_that_a_person_has_chosen_is_an_actions_key_too(
    stepping, client, beat, qtbot
):
    keys, cursor = stepping.key_map, stepping.lab.cursor
    assert keys.choose("transport.stepFwd", QKeySequence("R")) == ""
    assert keys.choose("branch.choose", QKeySequence("L")) != ""  # of another command
    assert keys.choose("transport.follow", QKeySequence("C")) != ""
    assert keys.choose("branch.choose", QKeySequence("X")) == ""
    press(qtbot, stepping, Key.Key_R)
    assert cursor.t == 9
    press(qtbot, stepping, Key.Key_X)
    press(qtbot, stepping, Key.Key_R)
    settle(beat)
    (asked,) = client.questions("branch")
    assert (asked.arguments["t"], asked.arguments["forced"]) == (9, [1])


def test_while_a_person_plays_a_dialog_has_its_keys(stepping, beat, qtbot):
    hand = stepping.lab.branches.hand
    stepping.key_map.choose("transport.stepFwd", QKeySequence("R"))
    stepping.lab.commands.run("branch.byHand")
    settle(beat)
    press(qtbot, stepping, Key.Key_R)
    settle(beat)
    assert (hand.playing, stepping.lab.cursor.t) == (True, 9)
    assert stepping.lab.cursor.position.branch == BY_HAND
    stepping.open_preferences()
    table = stepping.findChild(QWidget, "pref.keys.table")
    table.setFocus()
    for key in (Key.Key_Right, Key.Key_Return):
        qtbot.keyClick(table, key)
    settle(beat)
    assert (hand.playing, stepping.lab.cursor.t) == (True, 9)
    words = stepping.findChild(QWidget, "pref.keys.sentence").text()
    assert words.startswith("Press the new key")
    stepping.findChild(QWidget, "dlg.preferences").close()


def test_a_key_that_is_let_go_in_a_dialog_is_held_no_more(stepping, beat, qtbot):
    hand = stepping.lab.branches.hand
    stepping.lab.commands.run("branch.byHand")
    settle(beat)
    qtbot.keyPress(stepping, Key.Key_R)
    assert hand._held == 1
    stepping.open_preferences()
    table = stepping.findChild(QWidget, "pref.keys.table")
    qtbot.keyRelease(table, Key.Key_R)
    assert hand._held is None
    stepping.findChild(QWidget, "dlg.preferences").close()


def test_a_key_in_a_dialog_ends_the_choice_of_an_action(stepping, client, beat, qtbot):
    press(qtbot, stepping, Key.Key_C)
    stepping.open_preferences()
    table = stepping.findChild(QWidget, "pref.keys.table")
    qtbot.keyClick(table, Key.Key_Down)
    stepping.findChild(QWidget, "dlg.preferences").close()
    press(qtbot, stepping, Key.Key_R)
    settle(beat)
    assert not client.questions("branch")


def test_a_person_takes_over_and_hands_back(stepping, client, beat, qtbot):
    lab, window = stepping.lab, stepping
    hand, cursor = lab.branches.hand, lab.cursor
    lab.commands.run("branch.byHand")
    settle(beat)
    assert hand.playing
    slider = window.findChild(CheckpointSlider)
    assert not slider.isEnabled()
    assert (cursor.t, cursor.last, cursor.position.branch) == (8, 8, BY_HAND)
    for key in (Key.Key_Right, Key.Key_R, Key.Key_L):
        press(qtbot, window, key)
        settle(beat)
    press(qtbot, window, Key.Key_Backspace)
    settle(beat)
    data = lab.episode.data
    assert (cursor.t, data.steps, lab.episode.moment.frame[0, 0, 0]) == (10, 10, 2)
    assert data.q[10].tolist() == [1.0, 4.0]
    assert [data.why(it) for it in (7, 8)] == ["greedy", "by hand"]
    assert data.actions[8:].tolist() == [1, 1]
    assert lab.episode.frame(3) is None
    a_beat_passes(window, beat, qtbot)
    a_pad_is_plugged_in(window, beat)
    press(qtbot, window, Key.Key_Return)
    settle(beat)
    assert not hand.playing
    assert slider.isEnabled()
    (asked,) = client.questions("branch")
    assert asked.arguments["forced"] == [1, 1]
    assert lab.branches.current.rollouts[0].human == [0, 1]
    press(qtbot, window, Key.Key_Escape)
    settle(beat)
    lab.commands.run("branch.byHand")
    settle(beat)
    for _ in range(4):
        press(qtbot, window, Key.Key_Left)
        settle(beat)
    assert hand.ended == "terminated"
    press(qtbot, window, Key.Key_Escape)
    settle(beat)
    kept = lab.branches.current
    assert (kept.checkpoint, kept.rollouts[0].terminated) == (-1, True)
    one_takes_over_from_the_training(window, beat)
    assert len(kept.main[0].actions) == STEPS - 8


def one_takes_over_from_the_training(window, beat):
    """In the newest episode, from its start where nobody has looked at its end."""
    lab, cursor = window.lab, window.lab.cursor
    cursor.place(branch="")
    settle(beat)
    cursor.seek(cursor.last)
    settle(beat)
    window.show_workspace("train")
    cursor.set_mode("following")
    lab.commands.run("branch.byHand")
    settle(beat)
    assert window.current_workspace().name == "step"
    assert (lab.branches.hand.playing, cursor.t, cursor.mode) == (True, 0, "paused")


def test_what_was_played_is_kept_when_something_else_is_looked_at(
    stepping, client, beat, qtbot
):
    lab = stepping.lab
    lab.branches.hand.begin()
    settle(beat)
    lab.branches.hand.press(1)
    settle(beat)
    lab.cursor.show_episode("training", 2)
    settle(beat)
    assert not lab.branches.hand.playing
    (kept,) = lab.notes.kept.branches
    assert (kept.name, kept.rollouts[0].actions) == ("A you@8", [1])
    # Cut as the game was: one step each.
    assert len(kept.main[0].actions) == 1
    assert lab.cursor.position.branch == ""
    client.play(script.session(lab.draft.configuration, uuid="u2", live=False))
    settle(beat)
    assert lab.notes.kept.branches == []


def test_a_game_ends_when_something_else_is_chosen_before_it_began(stepping, beat):
    lab = stepping.lab
    lab.branches.hand.begin()
    lab.cursor.show_episode("training", 2)
    settle(beat)
    assert not lab.branches.hand.playing
    assert (lab.cursor.position.episode, lab.cursor.position.branch) == (2, "")
    assert lab.episode.key[2:] == ("training", 2)


def test_a_step_that_was_just_taken_back_is_not_kept(stepping, beat):
    lab = stepping.lab
    hand = lab.branches.hand
    hand.begin()
    settle(beat)
    for _ in range(4):
        hand.press(1)
        settle(beat)
    assert hand.ended == "terminated"
    hand.take_back()
    assert hand.ended == ""
    hand.stop()
    settle(beat)
    (rollout,) = lab.branches.current.rollouts
    assert (rollout.actions, rollout.rewards) == ([1] * 3, [1.0] * 3)
    assert (rollout.human, rollout.terminated) == ([0, 1, 2], False)
    lab.branches.leave()
    settle(beat)
    hand.begin()
    settle(beat)
    hand.press(1)
    settle(beat)
    hand.take_back()
    hand.stop()
    assert len(lab.notes.kept.branches) == 1


def a_beat_passes(window, beat, qtbot):
    hand = window.lab.branches.hand
    hand.real_time = True
    hand._on_beat()  # nobody holds a key: the first action, for none does nothing
    hand.real_time = False
    settle(beat)
    assert window.lab.episode.data.actions[8:].tolist() == [1, 1, 0]
    press(qtbot, window, Key.Key_Backspace)
    settle(beat)


def a_pad_is_plugged_in(window, beat):
    """Its cross does what the arrow keys do, and the panel says so."""
    pad = window.lab.branches.pad
    held = frozenset({"right"})
    real = pad.source
    pad.source = SimpleNamespace(
        name="Pad",
        problem="",
        labels={},
        open=real.open,
        read=lambda: held,
        close=real.close,
    )
    for _ in range(STEADY):
        pad._on_beat()
    settle(beat)
    assert window.lab.episode.data.actions[8:].tolist() == [1, 1, 1]
    words = panel(window).findChild(QLabel, "step.branches.answer").text()
    assert "← or L left" in words
    assert "Gamepad: ← left, → right" in words
    held = frozenset({BACK})
    pad._on_beat()
    settle(beat)


def test_text_fields_keep_their_keys(stepping, client, qtbot):
    stepping.lab.branches.hand.begin()
    stepping.panels.filter()
    field = QApplication.focusWidget()
    qtbot.keyClicks(field, "ret>1 l")
    assert field.text() == "ret>1 l"
    stepping.lab.branches.hand.stop()


def test_a_refused_branch_says_why(stepping, client, beat):
    client.answers["branch"] = lambda arguments: "The recording names no seed."
    stepping.lab.branches.make(1)
    settle(beat)
    assert panel(stepping).property("answerText") == "The recording names no seed."
    assert stepping.lab.branches.here == []


# ------------------------------------------------------------- models without Qt


def branch(**more) -> Branch:
    mine = Rollout([1, 0], [2.0, 4.0], [0], terminated=True)
    other = Rollout([0], [1.0], [], terminated=False)
    given = {"rollouts": [mine], "main": [other], "predicted": -1.0, "why": "So."}
    return Branch(
        **{
            "id": "a",
            "name": "A right@5",
            "kind": "training",
            "episode": 1,
            "t": 5,
            "action": 1,
            "checkpoint": 200,
            "discount": 0.5,
            "exactness": "approximate",
            **given,
            **more,
        }
    )


def test_one_rollout_that_tells_all_is_no_small_sample():
    one = branch(rollouts=[Rollout([1, 0], [2.0, 4.0], [], terminated=True)])
    sure = branch(rollouts=one.rollouts, why=f"{NO_CHANCE} Played again.")
    assert "nothing here is left to chance" in answer(sure, ("left", "right"))
    assert "n = 1, no interval" in answer(one, ("left", "right"))


def test_the_answer_names_everything_that_a_number_needs():
    one = branch(rollouts=[Rollout([1, 0], [2.0, 4.0], [], terminated=True)])
    assert answer(one, ("left", "right")) == (
        "Right at t 5 against left: discounted return +3.00 (4.00 against 1.00; n = 1, "
        "no interval), undiscounted +5.00. The agent had predicted −1.00. 1 of 2 were "
        "cut off, still going on. The checkpoint of step 200 goes on."
    )
    assert tree_words(one) == ("≈ A right@5", "+5.00")
    by_hand = branch(predicted=None)
    assert "By hand from t 5 against" in answer(by_hand, ("left", "right"))
    same = branch(rollouts=[Rollout([0], [1.0])], action=0)
    assert answer(same, ("left", "right")).startswith("Left is what was done")
    later = Rollout([0, 1, 1], [1.0] * 3), Rollout([0, 0], [1.0] * 2)
    deep = branch(rollouts=[later[0]], main=[later[1]])
    assert "Right at t 6 against left" in answer(deep, ("left", "right"))


def test_a_table_has_every_step_of_both_arms():
    lines = branch_csv(branch(), ("left", "right")).decode().splitlines()
    assert lines[1:] == [
        "# So.",
        "arm,rollout,t,action,action_name,reward,chosen_by",
        "branch,0,5,1,right,2.0,by hand",
        "branch,0,6,0,left,4.0,agent",
        "main,0,5,0,left,1.0,agent",
    ]


def test_a_table_of_a_strangers_branch_has_the_steps_that_are_whole():
    odd = branch(rollouts=[Rollout([-3, 0, 1], [2.0, 4.0])], main=[Rollout([], [1.0])])
    lines = branch_csv(odd, ("left", "right")).decode().splitlines()
    assert lines[3:] == [
        "branch,0,5,-3,,2.0,tried instead",
        "branch,0,6,0,left,4.0,agent",
    ]


def test_who_chose_is_known_of_branches_that_leave_a_branch():
    """By what is kept, and of an older file by where the arms part."""
    arms = Rollout([1, 0, 1, 0], [1.0] * 4), Rollout([1, 0, 0, 0], [1.0] * 4)
    old = branch(rollouts=[arms[0]], main=[arms[1]])
    assert tried_in(old, arms[0]) == [0, 2]
    assert tried_in(old, arms[1]) == []
    same = branch(rollouts=[arms[0]], main=[arms[0]])
    assert tried_in(same, arms[0]) == []
    kept = Rollout([1, 0, 1, 0], [1.0] * 4, human=[1], tried=[0, 2], explored=[3])
    new = branch(rollouts=[kept], main=[arms[1]])
    assert tried_in(new, kept) == [0, 2]
    chosen = [
        it.rsplit(",", 1)[1] for it in branch_csv(new, ()).decode().split("\n")[3:7]
    ]
    assert chosen == ["tried instead", "by hand", "tried instead", "chance"]
    before = beginning_of(kept, tried_in(new, kept), 2)
    assert (before.human, before.tried, before.explored) == ([1], [0], [])


def test_steps_by_hand_are_those_of_one_rollout():
    again = [Rollout([1, 0, 0], [1.0] * 3, [0, 1])] * 20
    assert who(branch(rollouts=again)).startswith("by hand for 2 steps, then")
    assert who(branch(rollouts=[], main=[])) == "the checkpoint of step 200 goes on"


def test_keys_are_initials_where_they_differ_and_arrows_where_words_say_so():
    assert action_letters(("left", "right")) == ["L", "R"]
    assert action_letters(("up", "upper")) == ["0", "1"]
    assert action_letters(("torque -1", "no torque", "torque +1")) == ["0", "1", "2"]
    table = key_table(("nothing", "left engine", "main engine", "right engine"))
    assert (table[Key.Key_Left], table[Key.Key_Up], table[Key.Key_N]) == (1, 2, 0)
    assert hint(("left", "right")) == "← or L left, → or R right"
    assert idle_action(("left", "coast", "right")) == 1
    assert key_table(("left", "left again"))[Key.Key_0] == 0


def test_human_actions_are_marked():
    data = script.judged(3) | {"human": np.array([False, True, False])}
    episode = episode_from(("s", -1, "branch", 1), data)
    assert episode.marks[1] == "P"
    assert [episode.why(t) for t in range(3)] == ["greedy", "by hand", "greedy"]
    forced = np.array([False, False, True])
    tried = episode_from(("s", -1, "branch", 1), data | {"forced": forced})
    words = ["greedy", "by hand", "tried instead"]
    assert [tried.why(t) for t in range(3)] == words
    # Whoever judges may not be the one that played.
    later = replace(episode, key=("s", 200, "branch", 1))
    assert later.why(0) == "greedy then"


def test_while_the_next_episode_is_under_way_the_panel_stays(stepping, client, beat):
    beat(script.episode(2))
    view = panel(stepping)
    said = view.property("answerText")
    assert view.offer.isEnabled()
    del client.answers["judge_episode"]
    stepping.lab.cursor.show_episode("training", 2)
    beat()
    assert stepping.lab.episode.waiting
    assert stepping.lab.episode.shows
    assert view.property("answerText") == said
    assert view.offer.isEnabled()
