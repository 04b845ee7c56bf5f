"""What a run would cost is said in the form before it starts."""

from dataclasses import asdict

import pytest

from engine.contract.costs import Probe

PROBE = Probe(
    weights_bytes=70_000,
    frame_bytes=4_000.0,
    film_bytes=1_000.0,
    frame_s=0.005,
    episode_steps=500.0,
)


@pytest.fixture
def measured(window, client, beat, qtbot):
    """The window once environment and network have been measured."""
    client.answers["probe"] = lambda arguments: asdict(PROBE)
    with qtbot.waitSignal(window.lab.costs.changed):
        window.lab.draft.set("network.hidden", (64,))
        qtbot.waitUntil(lambda: bool(client.questions("probe")))
        beat()
    return window


def said(window):
    return window.train.form.rows["recording.level"].remark


def test_room_and_time_stand_below_the_choice(measured):
    assert "on disk" in said(measured)
    assert said(measured).endswith("hardly slows training")
    steps = measured.lab.draft.configuration.training.steps
    measured.lab.draft.set("recording.level", "everything")
    minutes = round(steps * PROBE.frame_s / 60)
    assert said(measured).endswith(f"pictures take {minutes} min")
    assert "films" in said(measured)
    memory = measured.train.form.rows["replay.capacity"].remark
    assert memory.endswith(" with networks and recording")


def test_more_steps_need_more_room_without_measuring_again(measured, client):
    asked, before = len(client.questions("probe")), said(measured)
    steps = measured.lab.draft.configuration.training.steps
    measured.lab.draft.set("training.steps", 10 * steps)
    assert said(measured) != before
    assert len(client.questions("probe")) == asked


def test_for_another_network_nothing_is_claimed_before_it_is_measured(measured):
    measured.lab.draft.set("network.hidden", (32, 32))
    assert said(measured) == ""


def test_what_cannot_be_measured_is_not_claimed(measured, client, beat, qtbot):
    del client.answers["probe"]
    measured.lab.draft.set("network.hidden", (32, 32))
    asked = len(client.questions("probe"))
    qtbot.waitUntil(lambda: len(client.questions("probe")) > asked)
    client.reply(client.questions("probe")[-1].id, "This environment has no pictures.")
    beat()
    assert said(measured) == ""
