"""What does not fit into memory is refused before it begins."""

import re

import pytest

from engine.contract.catalogue import EnvironmentCard
from engine.contract.costs import USABLE, replay_bytes, replay_memory_bytes
from engine.contract.options import ConfigurationError, configuration_from_flat
from engine.service.disk_guard import WARN_BYTES
from engine.service.memory_check import (
    check_memory,
    check_room,
    free_bytes,
)

CARD = EnvironmentCard(id="CartPole-v1", observation="vector", shape=(4,), actions=2)


def configured(capacity):
    return configuration_from_flat({"replay.capacity": capacity})


def test_a_replay_that_fits_is_let_through():
    check_memory(configured(100_000), CARD)
    assert free_bytes() > replay_bytes(configured(100_000), CARD)


def test_one_that_does_not_is_refused_with_a_capacity_that_would():
    free = 10_000_000
    with pytest.raises(ConfigurationError) as told:
        check_memory(configured(1_000_000), CARD, free)
    sentence = told.value.complaints["replay.capacity"]
    fits = int(re.search(r"to ([\d,]+) or less", sentence)[1].replace(",", ""))
    check_memory(configured(fits), CARD, free)
    assert replay_bytes(configured(fits + 1000), CARD) > USABLE * free


def test_frames_on_disk_need_no_memory_and_are_what_is_advised():
    free = 10_000_000
    with pytest.raises(ConfigurationError, match=r"or replay\.storage to disk"):
        check_memory(configured(300_000), CARD, free)
    on_disk = configured(300_000).with_options({"replay.storage": "disk"})
    assert replay_memory_bytes(on_disk, CARD) < replay_bytes(on_disk, CARD)
    check_memory(on_disk, CARD, 2 * free)


def test_a_file_must_leave_room_for_the_session(tmp_path):
    on_disk = configured(1_000_000).with_options({"replay.storage": "disk"})
    check_room(configured(1_000_000), CARD, tmp_path, free=0)
    check_room(on_disk, CARD, tmp_path, free=WARN_BYTES + 16_000_000)
    with pytest.raises(ConfigurationError, match="to 500,000 or less, or free some"):
        check_room(on_disk, CARD, tmp_path, free=WARN_BYTES + 8_000_000)
