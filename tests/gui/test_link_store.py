"""What arrives becomes signals and series; what is asked is answered once."""

from time import thread_time

import numpy as np
import pytest
import script
from msgspec.structs import replace

from engine.contract.messages import (
    Answer,
    Cancel,
    Event,
    FrameCredit,
    MemoryReport,
    Picture,
    PriorityReport,
    ProcessState,
    Solved,
    Subscribe,
    TimeReport,
    TrainerStatus,
)
from engine.contract.options import Configuration
from rllab_gui.pulse import Pulse
from rllab_gui.series import Series


def rows(steps, values=None):
    steps = np.asarray(steps, np.int64)
    values = steps.astype(float) if values is None else np.asarray(values, float)
    return {"step": steps, "value": values}


def picture():
    empty = np.zeros(0, np.float32)
    frame = np.zeros((4, 4, 3), np.uint8)
    return Picture(frame, "viewer", -2, 0, 1, 0, 0, empty, empty, empty, 0.0, 0, "", 0)


# ---------------------------------------------------------------------- series


def test_a_series_grows_and_keeps_order():
    series = Series()
    for first in range(0, 1000, 100):
        series.append(**rows(range(first, first + 100)))
    assert np.array_equal(series.columns().step, np.arange(1000))


def test_a_series_is_bounded_and_keeps_peaks():
    series = Series(limit=1000)
    values = np.zeros(5000)
    values[137], values[2501] = 9.0, -9.0
    for first in range(0, 5000, 250):
        part = slice(first, first + 250)
        series.append(**rows(np.arange(5000)[part], values[part]))
    columns = series.columns()
    assert len(series) <= 1000
    assert columns.value.max() == 9.0
    assert columns.value.min() == -9.0
    assert np.all(np.diff(columns.step) > 0)
    assert columns.step[-1] == 4999


@pytest.mark.parametrize("limit", [1, 2, 7, 8, 9])
def test_a_series_of_very_few_rows_still_takes_more(limit):
    series = Series(limit=limit)
    for first in range(0, 100, 20):
        series.append(**rows(range(first, first + 20)))
    assert len(series) <= max(limit, 7)
    assert series.columns().step[-1] == 99


def test_history_goes_in_front_without_doubles():
    series = Series()
    series.append(**rows([50, 60]))
    series.prepend(**rows([10, 40, 50]))
    assert series.columns().step.tolist() == [10, 40, 50, 60]


def test_a_cut_forgets_what_is_measured_again():
    series = Series()
    series.append(**rows([10, 20, 30, 40]))
    series.cut(20)
    series.append(**rows([25, 35], [1.0, 2.0]))
    assert series.columns().step.tolist() == [10, 20, 25, 35]
    assert series.columns().value.tolist() == [10.0, 20.0, 1.0, 2.0]


def test_columns_cannot_be_written():
    series = Series()
    series.append(**rows([1]))
    with pytest.raises(ValueError, match="read-only"):
        series.columns().value[0] = 5


# ----------------------------------------------------------------------- store


def test_scalars_arrive_in_their_series(context, client, qtbot):
    client.play(script.scalars("loss", [1, 2], [0.5, 0.25]))
    with qtbot.waitSignal(context.store.seriesChanged) as changed:
        context.pulse.beat()
    assert changed.args == ["loss"]
    assert context.store.series("loss").value.tolist() == [0.5, 0.25]
    assert len(context.store.series("unheard")) == 0


def test_another_session_empties_the_store_and_fetches_its_history(context, client):
    client.play(script.scalars("loss", [1], [1.0]))
    context.pulse.beat()
    client.play(script.session(Configuration()))
    context.pulse.beat()
    assert len(context.store.series("loss")) == 0
    asked = {it.arguments["series"]: it.id for it in client.questions("history")}
    client.play(script.scalars("loss", [30], [0.3]))
    client.reply(asked["loss"], {"step": [10, 20], "value": [1.0, 0.5]})
    context.pulse.beat()
    assert context.store.series("loss").value.tolist() == [1.0, 0.5, 0.3]


def test_series_that_only_some_methods_have_are_fetched_by_name(context, client):
    client.play(script.session(Configuration()))
    context.pulse.beat()
    names = {"series": ["loss", "masked", "noise.head"]}
    client.reply(client.questions("series")[-1].id, names)
    context.pulse.beat()
    asked = [it.arguments["series"] for it in client.questions("history")]
    assert asked.count("loss") == 1
    assert asked[-2:] == ["masked", "noise.head"]
    question = client.questions("history")[-2].id
    client.reply(question, {"step": [10], "value": [0.25]})
    context.pulse.beat()
    assert context.store.series("masked").value.tolist() == [0.25]


def test_an_answer_about_the_old_session_is_dropped(context, client):
    client.play(script.session(Configuration(), uuid="old"))
    context.pulse.beat()
    old = {it.arguments["series"]: it.id for it in client.questions("history")}
    client.play(script.session(Configuration(), uuid="new"))
    context.pulse.beat()
    client.reply(old["loss"], {"step": [1], "value": [1.0]})
    context.pulse.beat()
    assert len(context.store.series("loss")) == 0


def test_a_run_that_has_ended_says_nothing_of_a_session_that_is_looked_at(
    context, client
):
    store = context.store
    of = {"run": "trained"}
    time = TimeReport(9, 5, 5, 1.0, {"act": 1.0}, **of)
    memory = MemoryReport(9, {}, {}, **of)
    none = np.zeros(0)
    rows = (none, none, 0, none, none, none, none)
    waits = PriorityReport("none", 9, 0, 1, 0, 0, *rows, **of)
    # A window that attaches when it was over.
    client.play(script.session(Configuration(), uuid="trained", live=False))
    client.play(TrainerStatus("idle"), time, memory, waits)
    context.pulse.beat()
    assert (*store.times, store.memory, store.priorities) == (time, memory, waits)
    client.play(script.session(Configuration(), uuid="looked at"))
    client.play(TrainerStatus("running"), time, memory, waits)
    context.pulse.beat()
    assert (*store.times, store.memory, store.priorities) == (None, None)


def test_old_events_come_before_new_ones(context, client):
    client.play(script.session(Configuration()))
    context.pulse.beat()
    client.play(Event("state", 9, "new", 90.0))
    old = [{"kind": "state", "step": 1, "text": "old", "wall_time": 10.0, "data": {}}]
    client.reply(client.questions("events")[-1].id, {"events": old})
    context.pulse.beat()
    assert [it.text for it in context.store.events] == ["old", "new"]


def test_a_run_that_went_back_is_not_drawn_twice(context, client):
    client.play(script.session(Configuration()))
    context.pulse.beat()
    client.play(script.scalars("loss", [10, 20, 30], [1.0, 0.5, 0.2]))
    client.play(script.session(Configuration(), durable_step=20, cuts=1))
    client.play(script.scalars("loss", [30], [0.2]))
    context.pulse.beat()
    assert context.store.series("loss").step.tolist() == [10, 20, 30]


# ------------------------------------------------------------------------ link


def test_an_answer_comes_once_and_a_cancelled_one_never(context, client):
    heard = []
    first = context.link.ask("a", {}, heard.append)
    second = context.link.ask("b", {}, heard.append)
    context.link.cancel(second)
    client.play(Answer(first, {"x": 1}), Answer(first, {"x": 2}), Answer(second, {}))
    context.link.poll()
    assert heard == [{"x": 1}]
    assert client.of(Cancel) == [Cancel(second)]


def test_an_error_goes_to_who_asked(context, client):
    heard = []
    number = context.link.ask("a", {}, heard.append, heard.append)
    client.reply(number, "No.")
    context.link.poll()
    assert heard == ["No."]


def test_solved_is_told(context, client, qtbot):
    client.play(Solved("x"))
    with qtbot.waitSignal(context.link.problemSolved) as solved:
        context.link.poll()
    assert solved.args == ["x"]


def test_pictures_are_paid_for_with_credit(context, client):
    context.link.want("view", {"picture"})
    context.pulse.beat()
    assert [it.pictures for it in client.of(FrameCredit)] == [2]
    client.play(picture())
    context.pulse.beat()
    assert [it.pictures for it in client.of(FrameCredit)] == [2, 1]
    context.link.want("view", ())
    client.play(picture())
    context.pulse.beat()
    assert len(client.of(FrameCredit)) == 2


def test_a_restarted_stage_hears_again_what_is_wanted(context, client):
    context.link.want("view", {"picture"})
    context.pulse.beat()
    client.play(ProcessState("stage", "ready"))
    context.pulse.beat()
    assert len(client.of(Subscribe)) == 2
    assert [it.pictures for it in client.of(FrameCredit)] == [2, 2]


# ----------------------------------------------------------------------- pulse


def test_painting_between_two_beats_slows_them_down_too(context):
    pulse = Pulse(context.link)
    for _ in range(16):
        pulse.beat()
        painted = thread_time() + 0.025
        while thread_time() < painted:
            continue
    assert pulse.rate == 15


def test_the_beat_slows_down_under_load_and_recovers(context, qtbot):
    pulse = Pulse(context.link)
    for expected in (15, 5):
        for _ in range(15):
            pulse._adapt(0.9)
        assert pulse.rate == expected
    for _ in range(15):
        pulse._adapt(0.01)
    assert pulse.rate == 15


def test_a_person_is_not_kept_waiting_for_the_beat(context, qtbot):
    with qtbot.waitSignal(context.pulse.ticked):
        context.pulse.soon()
        context.pulse.soon()


def test_the_options_of_each_step_are_known(context, client, qtbot):
    def change(step, value, wall_time):
        data = {"key": "agent.discount", "old": 0, "new": value}
        return Event("option", step, "", wall_time, data)

    store = context.store
    old = {"kind": "option", "step": 10, "text": "", "wall_time": 1.0}
    told = [{**old, "data": {"key": "agent.discount", "old": 0.9, "new": 0.8}}]
    client.answers["events"] = lambda arguments: {"events": told}
    start = Configuration().with_options({"agent.discount": 0.9})
    session = script.session(start)
    client.play(session)
    context.pulse.beat()
    with qtbot.waitSignal(store.optionsChanged):
        client.play(change(20, 0.7, 2.0))
        context.pulse.beat()
    steps = (10, 11, 21, None)
    found = [store.options_at(it).agent.discount for it in steps]
    assert found == [0.9, 0.8, 0.7, 0.7]
    client.play(replace(session, cuts=1, durable_step=15))
    context.pulse.beat()
    assert store.options_at().agent.discount == 0.8
