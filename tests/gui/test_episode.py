"""The shown episode: frame, label and Q-values always belong to the same step."""

import random

import numpy as np
import pytest
import script
from pictures import judged, number_of, numbered, teach

from engine.contract.messages import Cancel, ProcessState, SessionStatus
from rllab_gui.episode_frames import (
    AHEAD,
    CHUNK,
    FRAMES_BYTES,
    NEAR,
    QUICK_EPISODE_S,
    QUICK_S,
    EpisodeFrames,
)


def settle(context, client, beats=3):
    for _ in range(beats):
        context.pulse.beat()


def open_episode(context, client, episode=4, t=0):
    context.cursor.show_episode("training", episode, t=t)
    settle(context, client)


def test_an_episode_is_asked_for_and_becomes_the_moment(context, client):
    teach(client, steps=50)
    open_episode(context, client)
    asked = client.questions("judge_episode")[0].arguments
    assert asked == {"kind": "training", "episode": 4, "checkpoint_step": -1}
    moment = context.episode.moment
    assert moment.episode.key == ("", -1, "training", 4)
    assert moment.t == 0
    assert number_of(moment.frame) == 0
    assert context.cursor.last == 50


def test_a_thousand_random_seeks_keep_frame_label_and_q_together(context, client):
    teach(client, steps=3_000)
    open_episode(context, client)
    shown = []
    context.episode.momentChanged.connect(lambda: shown.append(context.episode.moment))
    dice = random.Random(0)
    for _ in range(1_000):
        context.cursor.seek(dice.randrange(3_001))
        for _ in range(dice.randrange(3)):  # answers come late, or not yet
            context.pulse.beat()
    settle(context, client, 5)
    assert len(shown) > 300
    for moment in shown:
        if moment is None:
            continue
        assert moment.q[0] == moment.t
        if moment.frame is not None:
            assert number_of(moment.frame) == moment.t
    assert context.episode.moment.t == context.cursor.t
    assert number_of(context.episode.moment.frame) == context.cursor.t


def test_the_moment_waits_for_its_frame(context, client):
    client.answers["judge_episode"] = lambda arguments: judged(50)
    open_episode(context, client)
    assert context.episode.moment is None
    question = client.questions("frames")[0]
    client.reply(question.id, {"frames": numbered(0, 0)})
    context.pulse.beat()
    assert context.episode.moment.t == 0
    context.cursor.seek(30)
    context.pulse.beat()
    assert context.episode.moment.t == 0  # as a whole, or not at all


def test_another_episode_is_asked_for_with_its_picture_and_changes_as_a_whole(
    context, client
):
    teach(client, steps=50)
    open_episode(context, client, episode=4, t=7)
    client.answers.clear()
    seen = []
    context.episode.momentChanged.connect(lambda: seen.append(context.episode.moment))
    context.cursor.show_episode("training", 5, t=80)
    asked = client.sent[-2:]
    assert [it.question for it in asked] == ["judge_episode", "frames"]
    assert asked[1].arguments | {"first": 80, "last": 80} == asked[1].arguments
    context.pulse.beat()
    assert context.episode.moment.episode.key[3] == 4  # for a moment longer
    assert context.episode.data is None
    client.reply(asked[0].id, judged(30))
    context.pulse.beat()
    assert (context.cursor.t, context.cursor.last) == (30, 30)
    assert seen == []
    client.reply(asked[1].id, {"frames": numbered(30, 30), "first": 30})
    context.pulse.beat()
    moment = context.episode.moment
    assert (moment.episode.key[3], moment.t, number_of(moment.frame)) == (5, 30, 30)
    assert [it for it in seen if it is None] == []


def test_what_takes_long_leaves_no_other_episode_on_the_screen(context, client, qtbot):
    teach(client, steps=50)
    open_episode(context, client, episode=4)
    client.answers.clear()
    with qtbot.waitSignal(context.episode.momentChanged, timeout=2_000):
        context.cursor.show_episode("training", 5)
    assert context.episode.moment is None
    assert context.episode.waiting


def test_numbers_that_come_late_do_not_wait_for_a_later_picture(context, client, qtbot):
    teach(client, steps=50)
    open_episode(context, client, episode=4)
    client.answers.clear()
    with qtbot.waitSignal(context.episode.momentChanged, timeout=2_000):
        context.cursor.show_episode("training", 5, t=7)
    asked = client.questions("judge_episode")[-1]
    client.reply(asked.id, judged(30))
    context.pulse.beat()
    moment = context.episode.moment
    assert (moment.episode.key[3], moment.t, moment.frame) == (5, 7, None)
    assert "on its way" in moment.missing


def test_beyond_the_end_of_an_unknown_episode_is_asked_for_once(context, client):
    client.answers["frames"] = lambda arguments: {
        "frames": numbered(20, 20),
        "first": 20,
    }
    context.cursor.show_episode("training", 4, t=80)
    settle(context, client, 10)
    assert len(client.questions("frames")) == 1
    client.reply(client.questions("judge_episode")[0].id, judged(20))
    context.pulse.beat()
    assert number_of(context.episode.moment.frame) == context.cursor.t == 20


def test_a_frame_that_takes_long_does_not_hold_the_numbers_back(context, client, qtbot):
    client.answers["judge_episode"] = lambda arguments: judged(50)
    open_episode(context, client)
    with qtbot.waitSignal(context.episode.momentChanged, timeout=2_000):
        context.cursor.seek(30)
    moment = context.episode.moment
    assert moment.t == 30
    assert moment.frame is None
    assert "on its way" in moment.missing
    assert moment.last_picture is None  # there has been none
    reply(client, client.questions("frames")[0])
    context.pulse.beat()
    assert context.episode.moment.t == 30
    assert context.episode.moment.last_picture[0] == 0  # meanwhile, with its number
    (wanted,) = [it for it in client.questions("frames") if it.arguments["first"] == 30]
    reply(client, wanted)
    context.pulse.beat()
    assert number_of(context.episode.moment.frame) == 30
    assert context.episode.moment.missing == ""


def under_way(client):
    """Questions for frames that are neither answered nor cancelled, oldest first."""
    gone = {it.id for it in client.of(Cancel)} | client.answered
    return [it for it in client.questions("frames") if it.id not in gone]


def reply(client, question):
    first, last = question.arguments["first"], question.arguments["last"]
    client.answered = getattr(client, "answered", set()) | {question.id}
    client.reply(question.id, {"frames": numbered(first, last)})


def test_a_wanted_frame_waits_for_at_most_one_other_answer(context, client):
    client.answers["judge_episode"] = lambda arguments: judged(500)
    client.answered = set()
    open_episode(context, client)
    for t in range(1, 51):
        context.cursor.seek(3 * t)
    for _ in range(2):
        reply(client, under_way(client)[0])
        context.pulse.beat()
    assert number_of(context.episode.moment.frame) == 150


@pytest.mark.parametrize("by", [CHUNK, CHUNK + 1])
def test_who_jumps_does_not_wait_for_frames_that_were_asked_for_together(
    context, client, by
):
    client.answers["judge_episode"] = lambda arguments: judged(500)
    client.answered = set()
    open_episode(context, client, t=100)
    reply(client, under_way(client)[0])
    context.pulse.beat()
    context.cursor.seek(101)
    reply(client, under_way(client)[0])
    context.pulse.beat()
    before = under_way(client)
    assert any(101 + by in range(it["first"], it["last"] + 1) for it in spans(before))
    context.cursor.seek(101 + by)
    if by <= CHUNK:  # the way on: it is among the next
        assert under_way(client)[: len(before)] == before
    else:
        assert spans(under_way(client)) == [{"first": 101 + by, "last": 101 + by}]
        reply(client, under_way(client)[0])
        context.pulse.beat()
        assert context.episode.moment.t == 101 + by
        assert under_way(client) == []  # those round it come when it is looked at


def spans(questions):
    return [
        {it: asked.arguments[it] for it in ("first", "last")} for asked in questions
    ]


def opened_by_a_clock(context, client):
    """An episode, and the time by which its frames come; they are given by hand."""
    client.answers["judge_episode"] = lambda arguments: judged(500)
    client.answered = set()
    now = [0.0]
    context.episode._frames._clock = lambda: now[0]
    open_episode(context, client)
    return now


def test_a_frame_that_comes_soon_is_waited_for_and_no_other(context, client):
    now = opened_by_a_clock(context, client)
    waits = []
    for took in (0.004, 0.3, 0.3, 0.004, 0.004):
        (asked,) = under_way(client)
        waits += [seconds for number, seconds in client.waits if number == asked.id]
        now[0] += took
        reply(client, asked)
        context.pulse.beat()
        context.cursor.seek(context.cursor.t + 50)
    assert waits == [QUICK_EPISODE_S, QUICK_S, QUICK_S, 0.0, QUICK_S]
    assert len(client.waits) == len(waits) + 1


def test_whose_frames_do_not_come_is_waited_for_twice(context, client):
    client.answers["judge_episode"] = lambda arguments: judged(5_000)
    open_episode(context, client)
    for t in range(1, 20):
        context.cursor.seek(200 * t)  # each takes back what was asked for before
    waits = [seconds for _, seconds in client.waits]
    assert waits == [QUICK_EPISODE_S, QUICK_S] + 18 * [0.0]


def test_nothing_is_asked_for_before_anything_is_wanted(context, client):
    frames = EpisodeFrames(context.link)
    frames.begin(("", -1, "training", 4), steps=100)
    frames._on_rest()
    frames._ask_on()
    assert client.questions("frames") == []
    frames.want(30, forward=True)
    assert spans(client.questions("frames")) == [{"first": 30, "last": 30}]


def test_those_of_another_trajectory_are_not_waited_for(context, client):
    frames = EpisodeFrames(context.link, looked_at_first=False)
    frames.begin(("", -1, "training", 4), steps=100)
    frames.want(30, forward=True)
    assert [seconds for _, seconds in client.waits] == [0.0]


def test_frames_that_take_long_are_asked_for_in_smaller_numbers(context, client):
    now = opened_by_a_clock(context, client)
    context.cursor.seek(1)  # from now on those ahead are asked for too
    for _ in range(3):
        asked = under_way(client)[0]
        now[0] += 0.2 * (asked.arguments["last"] - asked.arguments["first"] + 1)
        reply(client, asked)
        context.pulse.beat()
    newest = under_way(client)[-1].arguments
    assert newest["first"] == newest["last"]


def test_frames_ahead_are_fetched_before_they_are_wanted(context, client):
    teach(client, steps=500)
    open_episode(context, client, t=0)
    for t in range(1, 4):
        context.cursor.seek(t)
        settle(context, client, 12)
    assert all(context.episode.frame(t) is not None for t in range(AHEAD + 4))
    assert context.episode.frame(AHEAD + 40) is None
    context.cursor.seek(20)
    assert context.episode.moment.t == 20  # at once, nothing had to be asked
    assert number_of(context.episode.moment.frame) == 20
    assert len(client.questions("frames")) <= 30


def test_few_frames_are_fetched_round_a_jump_and_all_where_it_rests(
    context, client, qtbot
):
    teach(client, steps=500)
    context.episode._frames._rest.setInterval(1_500)  # however slow this machine is
    open_episode(context, client, t=100)
    settle(context, client, 12)

    def here():
        settle(context, client, 2)
        return [t for t in range(501) if context.episode.frame(t) is not None]

    assert here() == [100]  # nothing keeps the cores from what is looked at
    qtbot.waitUntil(lambda: len(here()) > NEAR)
    settle(context, client, 12)
    assert here() == list(range(100 - NEAR, 100 + NEAR + 1))

    def rested():
        settle(context, client, 2)
        return context.episode.frame(100 + AHEAD) is not None

    qtbot.waitUntil(rested)
    settle(context, client, 30)
    assert context.episode.frame(100 - AHEAD) is not None


def test_going_back_fetches_what_is_before(context, client):
    teach(client, steps=500)
    open_episode(context, client, t=300)
    settle(context, client, 12)
    for t in (299, 298, 297):
        context.cursor.seek(t)
        settle(context, client, 6)
    assert all(context.episode.frame(t) is not None for t in range(240, 298))


def test_what_is_far_away_is_forgotten_and_stale_questions_are_cancelled(
    context, client
):
    client.answers["judge_episode"] = lambda arguments: judged(5_000)
    open_episode(context, client)
    stale = {it.id for it in client.questions("frames")}
    assert stale
    context.cursor.seek(4_000)
    assert {it.id for it in client.of(Cancel)} >= stale
    client.answers["frames"] = lambda arguments: {
        "frames": numbered(arguments["first"], arguments["last"])
    }
    context.cursor.seek(2_000)
    settle(context, client, 12)
    kept = [t for t in range(5_001) if context.episode.frame(t) is not None]
    assert kept
    assert min(kept) >= 2_000 - AHEAD
    assert max(kept) <= 2_000 + AHEAD


def test_large_frames_are_kept_in_smaller_numbers(context, client):
    client.answers["judge_episode"] = lambda arguments: judged(500)
    client.answers["frames"] = lambda arguments: {
        "frames": np.zeros(
            (arguments["last"] - arguments["first"] + 1, 1000, 1000, 3), np.uint8
        )
    }
    open_episode(context, client, t=250)
    settle(context, client, 12)
    kept = sum(context.episode.frame(t) is not None for t in range(501))
    assert kept * 3_000_000 <= 1.1 * FRAMES_BYTES


def test_an_environment_that_cannot_be_drawn_still_has_numbers(context, client):
    teach(client)
    client.answers["frames"] = lambda arguments: "It cannot be played again exactly."
    open_episode(context, client)
    context.cursor.seek(30)
    settle(context, client)
    moment = context.episode.moment
    assert moment.t == 30
    assert moment.missing == "It cannot be played again exactly."
    assert len(client.questions("frames")) <= 3  # it is not asked again and again


def test_an_episode_that_cannot_be_judged_says_why(context, client):
    client.answers["judge_episode"] = lambda arguments: "There is no such episode."
    open_episode(context, client)
    assert context.episode.problem == "There is no such episode."
    assert context.episode.moment is None
    teach(client)
    open_episode(context, client, episode=5)
    assert context.episode.problem == ""
    assert context.episode.moment is not None


def test_an_episode_that_was_not_there_is_shown_once_it_is_recorded(context, client):
    client.answers["judge_episode"] = lambda arguments: "There is no such episode."
    open_episode(context, client)
    teach(client)
    kind, number = context.episode.key[2:]
    context.link.episodeFinished.emit(script.episode(number + 1, kind))
    settle(context, client)
    assert context.episode.problem == "There is no such episode."
    context.link.episodeFinished.emit(script.episode(number, kind))
    settle(context, client)
    assert context.episode.problem == ""
    assert context.episode.moment is not None


def test_a_refused_episode_takes_the_other_one_off_the_screen(context, client):
    teach(client)
    open_episode(context, client, episode=4)
    client.answers["judge_episode"] = lambda arguments: "There is no such episode."
    seen = []
    context.episode.momentChanged.connect(lambda: seen.append(context.episode.moment))
    open_episode(context, client, episode=5)
    assert seen == [None]


def test_answers_for_an_episode_that_was_left_are_dropped(context, client):
    teach(client)
    client.answers["judge_episode"] = lambda arguments: judged(
        50 if arguments["episode"] == 4 else 9
    )
    context.cursor.show_episode("training", 4)
    context.cursor.show_episode("training", 5)  # before anything was answered
    settle(context, client)
    assert context.episode.data.key[3] == 5
    assert context.episode.data.steps == 9


def test_another_checkpoint_judges_anew(context, client):
    teach(client)
    open_episode(context, client)
    context.cursor.show_checkpoint(8_000)
    settle(context, client)
    asked = client.questions("judge_episode")[-1].arguments
    assert asked["checkpoint_step"] == 8_000
    assert context.episode.moment.episode.key[1] == 8_000


def test_an_episode_that_was_recorded_anew_is_asked_for_anew(context, client):
    """A run that went back: neither what is shown nor what was remembered holds."""
    teach(client, steps=50)
    client.play(SessionStatus(uuid="s", durable_step=900, live=True))
    settle(context, client)
    open_episode(context, client)
    context.cursor.show_checkpoint(8_000)
    settle(context, client)
    context.cursor.show_checkpoint(-1)
    settle(context, client)
    teach(client, steps=9)
    client.play(SessionStatus(uuid="s", durable_step=950, live=True))
    settle(context, client)
    assert context.episode.data.steps == 50
    client.play(SessionStatus(uuid="s", durable_step=100, live=True, cuts=1))
    settle(context, client)
    assert context.episode.data.steps == 9
    asked = len(client.questions("judge_episode"))
    context.cursor.show_checkpoint(8_000)
    settle(context, client)
    assert len(client.questions("judge_episode")) == asked + 1


@pytest.mark.parametrize("t", [0, 49, 50])
def test_the_ends_of_an_episode_can_be_shown(context, client, t):
    teach(client, steps=50)
    open_episode(context, client)
    context.cursor.seek(t)
    settle(context, client)
    moment = context.episode.moment
    assert moment.t == t
    assert moment.is_last == (t == 50)
    assert moment.action == (-1 if t == 50 else t % 2)


def test_a_new_stage_is_asked_what_the_old_one_did_not_answer(context, client):
    client.answers["judge_episode"] = lambda arguments: judged(50)
    open_episode(context, client)
    lost = client.questions("frames")
    assert lost
    client.play(ProcessState("stage", "ready", 1))
    context.pulse.beat()
    again = client.questions("frames")[len(lost) :]
    assert again[0].arguments["first"] == 0
    client.reply(again[0].id, {"frames": numbered(0, again[0].arguments["last"])})
    context.pulse.beat()
    assert number_of(context.episode.moment.frame) == 0


def test_another_judgement_goes_before_pictures_that_nobody_waits_for(context, client):
    """The pictures on their way are asked for again once it is here."""
    teach(client, steps=300)
    open_episode(context, client)
    frames = client.answers.pop("frames")
    context.cursor.seek(150)
    under_way = {it.id for it in client.questions("frames")[-1:]}
    context.cursor.show_checkpoint(500)
    assert under_way <= {it.id for it in client.of(Cancel)}
    client.answers["frames"] = frames
    settle(context, client, 5)
    assert context.episode.moment.episode.key[1] == 500
    assert number_of(context.episode.moment.frame) == 150


def test_a_late_judgement_asks_again_for_the_picture_it_held_up(context, client, qtbot):
    teach(client, steps=300)
    open_episode(context, client)
    client.answers.clear()
    context.cursor.seek(150)
    context.cursor.show_checkpoint(500)
    qtbot.waitUntil(lambda: context.episode.data is None, timeout=2_000)
    before = len(client.questions("frames"))
    client.reply(client.questions("judge_episode")[-1].id, judged(300))
    context.pulse.beat()
    assert not context.episode.waiting
    assert (context.episode.moment.t, context.episode.moment.frame) == (150, None)
    again = client.questions("frames")[before]
    assert again.arguments["first"] == 150
    reply(client, again)
    context.pulse.beat()
    assert number_of(context.episode.moment.frame) == 150


def test_before_a_jump_asks_heavy_questions_give_way(context, client):
    teach(client, steps=50)
    open_episode(context, client)
    gave_way = []
    context.episode.leaving.connect(lambda: gave_way.append(len(client.sent)))
    del client.answers["frames"]
    asked = len(client.sent)
    context.cursor.seek(40)
    assert gave_way == [asked]
    context.cursor.show_episode("training", 5, t=3)
    assert len(gave_way) == 2
    assert len(client.sent) > gave_way[1] > asked


def test_what_was_shown_stays_while_the_next_is_under_way(context, client):
    teach(client, steps=50)
    open_episode(context, client)
    del client.answers["judge_episode"]
    assert context.episode.shows
    context.cursor.show_episode("training", 5, t=3)
    assert context.episode.data is None
    assert context.episode.shows
    context.episode.forget()
    assert not context.episode.shows
