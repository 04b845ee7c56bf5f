"""The status bar: a message and the numbers take turns; a rate is of this run."""

import pytest
import script
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget


def numbers(window):
    """Texts of the fields that can be seen, by name."""
    fields = {name: window.findChild(QWidget, f"status.{name}") for name in FIELDS}
    return {name: it.text() for name, it in fields.items() if it.isVisible()}


FIELDS = ("step", "steps", "updates", "ui", "epsilon", "replay", "device", "durable")


@pytest.fixture
def bar(window, beat):
    configuration = window.lab.draft.configuration
    going = script.status("running", step=500, steps_per_s=5310, updates_per_s=5310)
    beat(going, script.session(configuration))
    window.statusBar().refresh()
    return window.statusBar()


def test_a_message_takes_the_place_of_the_numbers_until_it_goes(window, bar):
    seen = numbers(window)
    assert {"step", "steps", "durable"} <= set(seen)
    bar.showMessage("Film written: a.mp4")
    assert not numbers(window)
    window.lab.theme.set_scale(1.5)
    for _ in range(3):  # Qt lays the bar out anew, and shows what it hid itself
        QCoreApplication.sendPostedEvents()
    assert not numbers(window)
    window.lab.theme.set_scale(1.0)
    bar.clearMessage()
    assert set(numbers(window)) == set(seen)


def test_while_a_run_starts_no_rate_of_the_one_before_is_shown(window, bar, beat):
    assert "5\u202f310 steps/s" in numbers(window)["steps"]
    beat(script.status("starting", step=500, steps_per_s=5310, updates_per_s=5310))
    bar.refresh()
    assert not {"steps", "updates"} & set(numbers(window))
