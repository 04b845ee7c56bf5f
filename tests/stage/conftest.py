"""A short real run, once for all tests of the stage."""

from collections.abc import Iterator

import pytest
from theatre import PlayedRuns, Theatre, tiny, trained

from engine.sessions import LiveStore


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStore]:
    """A run of CartPole with a checkpoint every 100 steps."""
    path = tmp_path_factory.mktemp("sessions") / "cartpole.h5"
    found = trained(path, tiny())
    yield found
    found.close()


@pytest.fixture
def theatre(store: LiveStore) -> Iterator[Theatre]:
    """A stage to whom the keeper shows that run."""
    found = Theatre(store)
    yield found
    found.stage.close()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedRuns]:
    """Runs of other options, each trained when somebody asks for it, and kept."""
    found = PlayedRuns(tmp_path_factory.mktemp("played"))
    yield found
    found.close()
