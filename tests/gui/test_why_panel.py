"""The rows of the Why panel, for each kind of agent: an answer, or an offer."""

import numpy as np
import pytest
import script
from pictures import judged
from test_view_bellman import answer as update
from test_view_neighbours import answer as neighbours
from test_view_returns import answer as returns
from test_view_saliency import bars, squares

from engine.contract.catalogue import EnvironmentCard
from rllab_gui import resting

CELLS = EnvironmentCard(id="cells", observation="onehot", shape=(25,), actions=2)
PLANES = EnvironmentCard(id="planes", observation="image", shape=(10, 10, 4), actions=2)
RECURRENT = {"network.recurrent": "gru", "replay.kind": "sequence"}
ROWS = ("stepQbars", "stepReturns", "stepSaliency", "stepNeighbours", "stepBellman")
AGENTS = {
    "scalar": ({}, script.CARD, {"stepReturns"}),
    "c51": ({"head.kind": "c51"}, script.CARD, set()),
    "planes": ({}, PLANES, {"stepReturns"}),
    "recurrent": (RECURRENT, script.CARD, {"stepReturns"}),
    "cells": ({"agent.dueling": "none"}, CELLS, {"stepReturns", "stepSaliency"}),
}


@pytest.fixture
def stepping(window, client, beat, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    usual = {"gaps": np.arange(101.0), "values": np.arange(101.0), "states": 99}
    client.answers |= {
        "judge_episode": lambda arguments: judged(20),
        "inside_episode": returns,
        "explain_update": update,
        "neighbours": neighbours,
        "gaps": lambda arguments: usual,
    }
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    window.lab.cursor.show_episode("training", 1, t=6)
    return window


def test_each_row_answers_or_offers_for_each_kind_of_agent(
    stepping, client, beat, qtbot
):
    workspace, lab = stepping.workspaces["step"], stepping.lab
    plain = lab.store.configuration
    for name, (changes, card, silent) in AGENTS.items():
        client.answers["saliency"] = squares if card is PLANES else bars
        lab.store.set_card(card)
        lab.store.set_configuration(plain.with_options(changes))
        for row in ROWS:
            dock = workspace.docks[row]
            dock.show()
            dock.raise_()
            view = dock.widget()

            def settled(view=view):
                beat()
                missing = view.emptiness()
                return missing is None or missing[0] != "One moment."

            qtbot.waitUntil(settled)
            beat()
            beat()
            assert view.property("answerText"), (name, row)
            assert (view.emptiness() is not None) == (row in silent), (name, row)
            if row in silent:
                offers = view.emptiness()[2]
                assert offers, (name, row)
                assert all(it in lab.commands for it, _ in offers), (name, row)


def test_in_front_beside_the_q_values_each_kind_of_agent_is_answered(
    stepping, client, beat, qtbot
):
    lab = stepping.lab
    docks = stepping.workspaces["step"].docks
    below = [docks[it].widget() for it in ROWS if it != "stepQbars"]

    def seen():
        return [it for it in below if not it.visibleRegion().isEmpty()]

    qtbot.waitUntil(lambda: len(seen()) == 1)
    (front,) = seen()
    plain = lab.store.configuration
    for changes, card, _ in AGENTS.values():
        lab.store.set_card(card)
        lab.store.set_configuration(plain.with_options(changes))
        qtbot.waitUntil(lambda: beat() or front.emptiness() is None)


def test_why_not_another_action_is_said_in_each_row(stepping, client, beat, qtbot):
    workspace, lab = stepping.workspaces["step"], stepping.lab
    lab.store.set_configuration(
        lab.store.configuration.with_options({"head.kind": "c51"})
    )
    returned = workspace.docks["stepReturns"].widget()
    workspace.docks["stepReturns"].raise_()
    qtbot.waitUntil(lambda: beat() or "highest" in str(returned.property("answerText")))
    other = 1 - returned.canvas.returns.best
    lab.why.compare(other)
    beat()
    beat()
    word = ("left", "right")[other]
    assert f"{word} instead: mean" in returned.property("answerText")
    bars_of = workspace.docks["stepQbars"].widget()
    said = str(bars_of.property("answerText"))
    best = int(np.argmax(lab.episode.moment.q))
    asked = f"Why not {word}?" if other != best else f"{word} is what it prefers."
    assert asked in said
