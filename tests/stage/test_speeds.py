"""Updates of a network timed on what this computer has."""

import pytest
import torch
from theatre import Theatre, tiny

from engine.stage.jobs import Priority


@pytest.mark.parametrize(
    "options",
    [
        {"replay__kind": "prioritized"},
        {"replay__kind": "sequence", "network__recurrent": "gru"},
        {"replay__kind": "none"},
    ],
)
def test_updates_are_timed_with_the_batch_and_twice_of_it(options, monkeypatch):
    monkeypatch.setattr("engine.stage.questions.speeds.WITHIN_S", 0.05)
    theatre = Theatre()
    configuration = tiny(agent__batch_size=16, **options)
    answer = theatre.result("speeds", configuration=configuration.to_json())
    theatre.stage.close()
    assert answer["devices"][0] == "cpu"
    assert ("cuda" in answer["devices"]) == torch.cuda.is_available()
    first, second, *others = answer["rows"]
    assert (first["batch_size"], second["batch_size"]) == (16, 32)
    assert len(others) == len(answer["devices"]) - 1
    assert all(0 < it["update_s"] < 5 and 0 < it["act_s"] < 5 for it in answer["rows"])


def test_evaluations_without_end_do_not_keep_the_answer_waiting(monkeypatch):
    monkeypatch.setattr("engine.stage.questions.speeds.WITHIN_S", 0.01)
    theatre = Theatre()
    endless, nobody = iter(lambda: None, 0), [].append
    evaluations = (None for _ in endless)
    theatre.stage._jobs.start(evaluations, Priority.EVALUATION, nobody, nobody)
    assert theatre.result("speeds", configuration=tiny().to_json())["rows"]
    theatre.stage.close()
