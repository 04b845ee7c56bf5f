"""What recording would cost, measured on the environment and the network."""

import numpy as np
import pytest
from theatre import Theatre, tiny

from engine.contract.costs import Probe
from engine.stage.questions.probe import film_bytes


@pytest.fixture
def theatre():
    theatre = Theatre()
    yield theatre
    theatre.stage.close()


def probed(theatre, **options):
    configuration = tiny(**options)
    return Probe(**theatre.result("probe", configuration=configuration.to_json()))


def test_environment_and_network_are_measured(theatre):
    found = probed(theatre, network__hidden=(16,), agent__dueling="none")
    assert found.weights_bytes == 4 * (4 * 16 + 16 + 16 * 2 + 2)
    # A picture of 600 x 400 that is mostly white; the film of 501 is drawn smaller.
    assert 0 < found.film_bytes < found.frame_bytes < 600 * 400 * 3 / 20
    assert 0 < found.frame_s < 0.5
    assert found.episode_steps == 500


def test_films_too_long_for_pictures_take_nothing():
    picture = np.zeros((40, 60, 3), np.uint8)
    assert film_bytes(picture, 1000) > 0
    assert film_bytes(picture, 1001) == 0


def test_an_environment_that_does_not_suit_is_refused_in_a_sentence(theatre):
    configuration = tiny(environment__id="Pendulum-v1").to_json()
    answer = theatre.ask("probe", configuration=configuration)
    assert "continuous" in answer.error
