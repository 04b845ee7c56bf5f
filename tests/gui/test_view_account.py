"""Where the time goes: rows, sentences with numbers of the run, and the view."""

import msgspec
import numpy as np
import pytest
from showing import show

from engine.contract.account import COMPILED
from engine.contract.catalogue import find_preset
from engine.contract.messages import (
    Cancel,
    Event,
    MemoryReport,
    Subscribe,
    TimeReport,
    TrainerStatus,
)
from rllab_gui.views.account import AccountView
from rllab_gui.views.account_advice import Speed, advice, of_speeds
from rllab_gui.views.account_rows import (
    memory_group,
    memory_words,
    time_columns,
    time_groups,
    time_text,
)
from rllab_gui.views.account_speeds import SpeedsButton

PLAIN = find_preset("cartpole-plain-dqn").configuration
TURNS = TimeReport(
    step=50_000,
    steps=20_000,
    updates=10_000,
    seconds=4.0,
    acting={
        "act": 0.6,
        "environment": 0.4,
        "store": 0.2,
        "sample": 0.4,
        "update": 2.0,
        "telemetry": 0.1,
        "recording": 0.2,
        "other": 0.1,
    },
    timed=1_000,
    recorded_bytes=2_000_000,
)
THREADS = msgspec.structs.replace(
    TURNS,
    acting={"act": 1.0, "environment": 1.6, "waiting": 1.4},
    learning={"update": 3.0, "waiting": 1.0},
)
MEMORY = MemoryReport(
    step=50_000,
    allocated={"replay": 4_000_000, "networks": 100_000, "optimizer": 75_000},
    used={"replay": 1_000_000, "networks": 100_000, "optimizer": 75_000},
    process=300_000_000,
    weights=25_000,
)


def test_each_stage_is_told_by_the_step():
    (group,) = time_groups(TURNS)
    assert group.title == "200 µs per step, 5,000 steps/s"
    found = {it.name: (it.value, it.note) for it in group.rows}
    assert found["update"] == ("100 µs", "50 %")
    assert found["environment"] == ("20.0 µs", "10 %")
    assert sum(it.share for it in group.rows) == pytest.approx(1.0)
    assert "200 µs for each update" in group.rows[4].tip


def test_two_threads_are_two_wholes():
    acting, learning = time_groups(THREADS)
    assert acting.title.startswith("Acting: 200 µs per step")
    assert [it.name for it in learning.rows] == ["update", "waiting"]
    for group in (acting, learning):
        assert sum(it.share for it in group.rows) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("us", "text"),
    [(0.123, "0.12 µs"), (12.34, "12.3 µs"), (1234.0, "1.23 ms"), (2.5e6, "2.5 s")],
)
def test_times_in_words(us, text):
    assert time_text(us) == text


def test_most_of_a_step_and_what_half_of_it_would_give():
    first, recording = advice(TURNS, PLAIN)
    # 2.4 of 4 s; without half of that 20,000 steps in 2.8 s.
    assert "learning: 120 µs of 200 µs (60 %)" in first
    assert "One update takes 240 µs." in first
    assert "about 7,143 steps/s" in first
    assert recording == (
        "Recording (default) costs 10.0 µs of 200 µs (5 %), and 100 bytes of each "
        "step go to the session."
    )


def test_where_nothing_stands_out_the_largest_part_is_named():
    even = dict.fromkeys(("act", "store", "update", "other"), 0.8)
    even["environment"] = 0.9
    told = advice(msgspec.structs.replace(TURNS, acting=even), PLAIN)[0]
    assert told.startswith("The largest part of a step is “environment”: 45.0 µs")


def test_a_slow_environment_is_told_with_what_could_go_on_beside_it():
    spent = {"environment": 3.0, "update": 0.8, "other": 0.2}
    slow = msgspec.structs.replace(TURNS, acting=spent)
    first = advice(slow, PLAIN)[0]
    assert "150 µs of 200 µs (75 %)" in first
    assert "up to 40.0 µs off each step" in first
    alone = msgspec.structs.replace(TURNS, acting={"environment": 3.9, "act": 0.1})
    assert "Nothing that can be set here" in advice(alone, PLAIN)[0]
    slower = msgspec.structs.replace(alone, steps=1000)
    assert "processes of their own" in advice(slower, PLAIN)[0]
    several = PLAIN.with_options({"training.environments": 4})
    assert "Nothing that can be set here" in advice(slower, several)[0]


def test_acting_is_shared_by_more_environments_unless_there_are_many():
    acting = msgspec.structs.replace(TURNS, acting={"act": 3.2, "other": 0.8})
    assert "up to 140 µs less for each step" in advice(acting, PLAIN)[0]
    many = PLAIN.with_options({"training.environments": 8})
    assert "less" not in advice(acting, many)[0]


def test_of_two_threads_it_is_told_who_waits():
    first, second, *_ = advice(THREADS, PLAIN)
    assert "at work 75 % of the time and waits 25 %" in first
    assert "Acting waits for the learner 35 %" in second
    idle = {"update": 1.0, "waiting": 3.0}
    bored = msgspec.structs.replace(THREADS, acting={"act": 4.0}, learning=idle)
    assert "time for more updates" in advice(bored, PLAIN)[1]


def test_much_recording_and_telemetry_are_told():
    spent = {"recording": 1.0, "telemetry": 1.0, "act": 0.5, "environment": 0.5}
    told = " ".join(advice(msgspec.structs.replace(TURNS, acting=spent), PLAIN))
    assert "scalars keeps curves only" in told
    assert "close what you need not" in told


def test_devices_are_compared_by_their_times():
    cpu, double = Speed("cpu", 64, 3e-4, 5e-5), Speed("cpu", 128, 3.6e-4, 5e-5)
    gpu = Speed("cuda", 64, 7e-4, 2e-4)
    device, batch = of_speeds([cpu, double, gpu])
    assert device == (
        "This network is faster on the CPU here: 300 µs against 700 µs for an update; "
        "that is where it is."
    )
    assert batch.endswith("20 % more for twice the batch.")
    other = of_speeds([gpu, cpu])[0]
    assert "CPU here: 300 µs against 700 µs" in other
    assert other.endswith("cpu).")
    assert "equally fast" in of_speeds([cpu, Speed("cuda", 64, 3.1e-4, 1e-4)])[0]
    assert of_speeds([cpu, double])[0] == (
        "Only the CPU was measured: there is no GPU here."
    )


def test_of_compiled_updates_no_device_is_advised():
    own, double = Speed("cpu", 64, 3e-4, 5e-5), Speed("cpu", 128, 3.6e-4, 5e-5)
    gpu = Speed("cuda", 64, 2e-4, 1e-4)
    written = advice(TURNS, PLAIN, [own, double, gpu])
    assert written[-2].startswith("This network is faster on the GPU here: 200 µs")
    compiled = msgspec.structs.replace(TURNS, notes=[COMPILED])
    device, batch = advice(compiled, PLAIN, [own, double, gpu])[-2:]
    assert device == (
        "As written, an update takes 300 µs on the CPU and 200 µs on the GPU; those "
        "of this run are compiled, which only the CPU can do."
    )
    assert batch.startswith("As written, an update of 128 takes 360 µs")


def test_memory_now_and_at_its_fullest():
    group = memory_group(MEMORY, {"replay": 4_000_000.0, "recording": 20_000.0})
    replay, networks, optimizer, recording = group.rows
    assert (replay.value, replay.note) == ("1 MB", "of 4 MB")
    assert (replay.share, replay.outline) == (0.25, 1.0)
    assert (networks.value, networks.note) == ("100 kB", "")
    assert (recording.value, recording.note) == ("0 bytes", "of 20 kB")
    assert group.title == "1.18 MB of data"
    assert memory_words(MEMORY) == "The trainer's process has 300 MB in all."
    assert optimizer.name == "optimizer"


def test_a_file_has_a_row_for_each_report():
    columns = time_columns([TURNS, THREADS])
    np.testing.assert_allclose(columns["acting_act_us"], [30.0, 50.0])
    np.testing.assert_allclose(columns["learning_update_us"], [0.0, 150.0])
    assert "acting_loop_us" not in columns


def test_the_view_by_its_names(context, client, qtbot, theme, tmp_path):
    context.store.set_configuration(PLAIN)
    view = show(qtbot, AccountView(context), 540, 260)
    context.pulse.beat()
    assert "account" in client.of(Subscribe)[-1].topics
    assert view.emptiness()[0] == "Nothing has been measured yet."
    client.play(TrainerStatus("running"))
    context.pulse.beat()
    assert view.emptiness()[0] == "Measuring."
    client.play(TURNS, MEMORY, TURNS)
    context.pulse.beat()
    assert len(context.store.times) == 1  # a pause repeats itself
    words = view.findChild(object, "train.account.advice")
    assert "Most of a step is learning" in view.answer.text()
    assert "1,000 of 20,000 steps" in view.time.legend()
    rows = list(view.time_canvas.row_rects())
    assert [row.name for row, _ in rows][:2] == ["act", "environment"]
    assert view.time.export(str(tmp_path / "time.csv"))
    assert "acting_update_us" in (tmp_path / "time.csv").read_text()
    theme.set_choice("dark")
    context.pulse.beat()
    assert not view.grab().isNull()
    _compares(view, words, client, context)
    view.hide()
    context.pulse.beat()
    assert "account" not in client.of(Subscribe)[-1].topics


def test_an_answer_for_other_options_is_not_waited_for(context, client, qtbot):
    button = SpeedsButton(context.link, context.store)
    qtbot.addWidget(button)
    row = {"device": "cpu", "batch_size": 64, "update_s": 7e-4, "act_s": 1e-4}
    button.click()
    context.store.set_configuration(PLAIN)
    (first,) = client.questions("speeds")
    assert client.of(Cancel)[-1].id == first.id
    client.reply(first.id, {"rows": [row]})
    context.pulse.beat()
    assert not button.speeds
    button.click()
    client.reply(client.questions("speeds")[-1].id, {"rows": [row]})
    context.pulse.beat()
    assert button.speeds == [Speed(**row)]
    change = {"key": "agent.batch_size", "old": 64, "new": 96}
    client.play(Event("option", 9, "", 0.0, change))
    context.pulse.beat()
    assert not button.speeds


def _compares(view, words, client, context):
    button = view.findChild(object, "train.account.measure")
    button.click()
    assert not button.isEnabled()
    rows = [
        {"device": "cuda", "batch_size": 64, "update_s": 7e-4, "act_s": 1e-4},
        {"device": "cpu", "batch_size": 64, "update_s": 3e-4, "act_s": 1e-4},
    ]
    asked = client.questions("speeds")[-1]
    client.reply(asked.id, {"rows": rows, "devices": ["cpu", "cuda"]})
    context.pulse.beat()
    assert button.isEnabled()
    assert "300 µs against 700 µs" in words.text()
