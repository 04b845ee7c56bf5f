"""The campaigns at small counts; ``python -m tests.faults`` runs more of them."""

import os
import sys

import canaries
import damage_live
import damage_sealed
import failing_saves
import io_faults
import kill_writer
import lock_races
import not_finite
import out_of_memory
import power_cuts
import pytest
from trials import Trials

KILLS = int(os.environ.get("RLLAB_KILLS", "4"))


@pytest.fixture
def held(capsys):
    def check(result):
        line = f"\n{result.promise}: {result.count} trials, {result.worst}\n"
        with capsys.disabled():
            sys.stdout.write(line)
        assert result.count or "skipped" in result.worst
        assert result.failures == []

    return check


@pytest.mark.slow
@pytest.mark.alone
def test_a_killed_writer_loses_a_quarter_of_a_second_at_most(tmp_path, held):
    held(kill_writer.run(tmp_path, KILLS))


def test_a_killed_writer_twice(tmp_path, held):
    held(kill_writer.run(tmp_path, 2, seed=7))


def test_a_writer_killed_while_it_writes_loses_nothing_that_was_confirmed(
    tmp_path, held
):
    held(io_faults.run(tmp_path, "P1", stride=600))


def test_a_power_cut_takes_nothing_confirmed_unless_the_disk_lies_about_syncs(
    tmp_path, held
):
    calls = power_cuts.record(tmp_path)
    if not calls:
        pytest.skip("this needs Linux and a C compiler")
    result, of_a_liar = Trials("P2", "power cuts"), Trials("P2", "a disk that lies")
    power_cuts.cut(result, calls, 6)
    held(result)
    power_cuts.cut(of_a_liar, calls, 4, lies=True)
    assert of_a_liar.failures


def test_numbers_that_are_not_finite_are_caught_in_their_step(tmp_path, held):
    held(not_finite.run(tmp_path, stride=13))


def test_an_update_that_finds_no_memory_leaves_the_last_checkpoint_whole(
    tmp_path, held
):
    held(out_of_memory.run(tmp_path, stride=50))


def test_every_damage_to_a_session_file_is_noticed(tmp_path, held):
    held(damage_sealed.run(tmp_path, 15))


def test_damage_to_a_live_store_costs_only_the_damaged_records(tmp_path, held):
    held(damage_live.run(tmp_path, 2))


@pytest.mark.slow
def test_a_failed_save_leaves_the_old_file_or_the_new_one(tmp_path, held):
    held(failing_saves.run(tmp_path, stride=60))


def test_a_save_where_nobody_may_write_is_told_and_another_disk_is_as_good(
    tmp_path, held
):
    held(failing_saves.places(tmp_path))


def test_of_several_openers_one_writes(tmp_path, held):
    held(lock_races.run(tmp_path, 4))


def test_a_session_file_names_no_folder_user_or_machine(tmp_path, held):
    held(canaries.run(tmp_path))
