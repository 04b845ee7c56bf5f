"""Pictures of recorded episodes are the very pictures, wherever one looks."""

import numpy as np
import pytest
from test_judging import longest
from theatre import tiny

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import EnvironmentOptions
from engine.environments import LabEnvironment, describe, make, observation_crc
from engine.stage.cache import ByteCache
from engine.stage.films import FilmLibrary
from engine.stage.jobs import Priority, finish
from engine.stage.questions.frames import drawn
from engine.stage.replays import STRIDE, reach
from engine.stage.world import World


def truth(theatre, episode: int) -> list[np.ndarray]:
    """All pictures of an episode, drawn one after the other."""
    record = theatre.source.episode("training", episode)
    world = make(tiny().environment, render=True)
    world.reset(record["seed"])
    frames = [world.render()]
    for action in record["actions"]:
        world.step(int(action))
        frames.append(world.render())
    world.close()
    return frames


def records_say(theatre, monkeypatch, change) -> None:
    """From now on every record of an episode reads as ``change`` makes it."""
    source = type(theatre.source)
    recorded = source.episode

    def changed(*which, **how):
        return change(recorded(*which, **how))

    monkeypatch.setattr(source, "episode", changed)


def test_a_range_of_frames_is_exact(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    expected = truth(theatre, episode)
    found = theatre.result("frames", kind="training", episode=episode, first=3, last=9)
    assert found["exact"] is True
    np.testing.assert_array_equal(found["frames"], np.stack(expected[3:10]))


def test_seeking_back_and_forth_gives_the_same_pictures(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    expected = truth(theatre, episode)
    for t in (20, 5, 6, 21, 0, len(expected) - 1, 12):
        found = theatre.result(
            "frames", kind="training", episode=episode, first=t, last=t
        )
        np.testing.assert_array_equal(found["frames"][0], expected[t])
        assert found["first"] == t


def test_nobody_plays_the_way_to_a_step_twice(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    expected = truth(theatre, episode)
    last = {"first": len(expected) - 1, "last": len(expected) - 1}
    theatre.result("frames", kind="training", episode=episode, **last)
    played = []
    step = World.step
    monkeypatch.setattr(
        World, "step", lambda self, action: (played.append(0), step(self, action))[1]
    )
    for t in (3, 33, 17, len(expected) - 1):
        found = theatre.result(
            "frames", kind="training", episode=episode, first=t, last=t
        )
        np.testing.assert_array_equal(found["frames"][0], expected[t])
    assert len(played) < 4 * STRIDE


def test_the_rest_of_an_episode_is_surveyed_for_the_next_jump(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    expected = truth(theatre, episode)
    t = len(expected) - 1
    surveyed = watch_the_survey(theatre, monkeypatch)
    theatre.result("frames", kind="training", episode=episode, first=0, last=0)
    theatre.run(until=lambda: surveyed and not surveying(theatre))
    played = []
    step = World.step
    monkeypatch.setattr(
        World, "step", lambda self, action: (played.append(0), step(self, action))[1]
    )
    found = theatre.result("frames", kind="training", episode=episode, first=t, last=t)
    np.testing.assert_array_equal(found["frames"][0], expected[t])
    assert len(played) < STRIDE <= t


def test_an_episode_that_goes_another_way_is_surveyed_once(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)

    def wrong_at_its_end(record):
        crc = np.array(record["observation_crc"])
        crc[-1] += 1
        return record | {"observation_crc": crc}

    records_say(theatre, monkeypatch, wrong_at_its_end)
    surveyed = watch_the_survey(theatre, monkeypatch)
    for t in (0, 1, 2):
        theatre.result("frames", kind="training", episode=episode, first=t, last=t)
        theatre.run(until=lambda: surveyed and not surveying(theatre))
    assert len(surveyed) == 1


def surveying(theatre):
    return theatre.stage._jobs.count(Priority.FRAMES)


def watch_the_survey(theatre, monkeypatch):
    """The episodes whose survey has been started."""
    films, started = theatre.stage._context.films, []
    survey = films._survey
    monkeypatch.setattr(
        films, "_survey", lambda name, *of: (started.append(name), survey(name, *of))[1]
    )
    return started


def test_two_who_want_the_same_episode_do_not_disturb_each_other():
    options = tiny().environment
    record = {"seed": 5, "actions": np.arange(40) % 2}
    films = FilmLibrary()
    with films.lent("e", options, record) as one:
        finish(reach(one, 7))
        with films.lent("e", options, record) as other:
            finish(reach(other, 5))
            assert one.t == 7
        here = one.observation.copy()
        finish(reach(one, 9))
        finish(reach(one, 7))
    np.testing.assert_array_equal(one.observation, here)
    assert len(films._open) == 1
    films.close()


@pytest.mark.parametrize("id", ["LunarLander-v3", "CartPole-v1"])
def test_worlds_are_used_again_and_draw_the_same(id):
    options = tiny(environment__id=id).environment
    films, actions = FilmLibrary(), np.arange(20) % 2
    records = [{"seed": it, "actions": actions} for it in range(5)]
    for number in (0, 1, 2, 3, 4, 0, 3):
        asked = number, options, records[number], [2, 15]
        fresh = FilmLibrary()
        again, expected = finish(films.frames_job(*asked)), fresh.frames_job(*asked)
        np.testing.assert_array_equal(again, finish(expected))
        fresh.close()
    assert films._idle
    films.close()
    assert not films._idle


@pytest.mark.parametrize("has_snapshots", [True, False])
def test_an_episode_that_was_recorded_anew_is_another(monkeypatch, has_snapshots):
    """A run that goes on from a checkpoint records later episodes once more."""
    if not has_snapshots:
        monkeypatch.setattr(World, "has_snapshots", False)
    options, actions = tiny().environment, np.arange(40) % 2
    films, fresh = FilmLibrary(), FilmLibrary()
    swapped = np.append(1 - actions[:2], actions[2:])
    before, now = ({"seed": 5, "actions": it} for it in (actions, swapped))
    finish(films.frames_job("e", options, before, [34]))
    found = finish(films.frames_job("e", options, now, [34]))
    expected = finish(fresh.frames_job("e", options, now, [34]))
    np.testing.assert_array_equal(found, expected)
    with films.lent("e", options, before) as one:
        finish(reach(one, 34))
    with films.lent("e", options, now) as other, fresh.lent("e", options, now) as true:
        finish(reach(other, 34))
        finish(reach(true, 34))
        np.testing.assert_array_equal(other.observation, true.observation)
    films.close()
    fresh.close()


def test_every_so_many_and_smaller_for_thumbnails(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    count = len(truth(theatre, episode))
    found = theatre.result(
        "frames", kind="training", episode=episode, every=10, max_size=90
    )
    assert found["frames"].shape == (-(-count // 10), 60, 90, 3)


def test_steps_beyond_the_end_are_the_end(theatre):
    theatre.open(tiny(), live=False)
    found = theatre.result("frames", kind="training", episode=0, first=9999, last=9999)
    expected = truth(theatre, 0)
    assert found["first"] == len(expected) - 1
    np.testing.assert_array_equal(found["frames"][0], expected[-1])


def test_too_many_pictures_at_once_are_refused(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    monkeypatch.setattr("engine.stage.questions.frames.MOST_BYTES", 2_000_000)
    found = theatre.ask("frames", kind="training", episode=0)
    assert "ask for at most 2 at once, or for smaller ones" in found.error


def test_a_world_that_goes_another_way_shows_no_wrong_picture(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    step = LabEnvironment.step

    def stronger(self, action):
        observation, *rest = step(self, action)
        return observation * np.float32(1.0001), *rest

    monkeypatch.setattr(LabEnvironment, "step", stronger)

    def without_observations(record):
        return {name: it for name, it in record.items() if name != "observations"}

    records_say(theatre, monkeypatch, without_observations)
    found = theatre.ask("frames", kind="training", episode=0, first=4, last=4)
    assert "does not go the way it was recorded" in found.error
    assert "No pictures of this episode were stored either" in found.error


def test_what_was_seen_is_drawn_where_no_seed_is_known(theatre, monkeypatch):
    """As in episodes that come from elsewhere."""
    theatre.open(tiny(), live=False)
    records_say(theatre, monkeypatch, lambda record: record | {"seed": -1})
    found = theatre.result("frames", kind="training", episode=0, first=2, last=3)
    assert found["exact"] is False
    assert "names no seed" in found["note"]
    seen = theatre.source.episode("training", 0)["observations"]
    card = describe(tiny().environment)
    wanted = [drawn(card, it) for it in seen[2:4]]
    np.testing.assert_array_equal(found["frames"], wanted)
    assert not np.array_equal(*wanted)
    planes = np.zeros((10, 10, 4), np.uint8)
    assert drawn(EnvironmentCard("X", high=(1.0,)), planes).shape[2] == 3


def test_stored_pictures_stand_in_for_a_world_that_is_not_there(theatre, monkeypatch):
    stored = np.arange(3 * 2 * 2 * 3, dtype=np.uint8).reshape(3, 2, 2, 3)
    theatre.open(tiny(), live=False)
    monkeypatch.setattr(type(theatre.source), "frames", lambda *_: stored)
    monkeypatch.setattr(
        LabEnvironment, "step", lambda *_: (np.ones(4, np.float32), 1.0, 0, 0, 1.0)
    )
    found = theatre.result("frames", kind="training", episode=0, first=2, last=4)
    assert found["exact"] is False
    np.testing.assert_array_equal(found["frames"], stored)


def test_kept_frames_are_compressed_and_bounded(theatre, monkeypatch):
    monkeypatch.setattr(World, "has_snapshots", False)  # else they are drawn anew
    record = theatre.source.episode("training", longest(theatre))
    films = FilmLibrary()
    for _ in films.frames_job("e", tiny().environment, record, range(20)):
        pass
    assert 0 < films._frames.bytes < 20 * 20_000
    films.close()


class TestByteCache:
    def test_what_was_not_used_for_longest_goes_first(self):
        cache = ByteCache[str](10)
        cache.put("a", "A", 4)
        cache.put("b", "B", 4)
        cache.get("a")
        cache.put("c", "C", 4)
        assert [key in cache for key in "abc"] == [True, False, True]
        assert cache.bytes == 8

    def test_a_value_larger_than_everything_is_not_kept(self):
        cache = ByteCache[str](10)
        cache.put("a", "A", 4)
        cache.put("big", "B", 11)
        assert ["a" in cache, "big" in cache, cache.bytes] == [True, False, 4]

    def test_replacing_counts_once(self):
        cache = ByteCache[str](10)
        cache.put("a", "A", 4)
        cache.put("a", "AA", 6)
        assert (cache.get("a"), cache.bytes, len(cache)) == ("AA", 6, 1)


def test_sparks_of_the_lander_are_the_same_after_a_jump():
    """LunarLander draws what fades only while it is drawn."""
    options = tiny(environment__id="LunarLander-v3").environment
    rng = np.random.default_rng(0)
    record = {"seed": 5, "actions": rng.integers(4, size=60)}
    films, jumping = FilmLibrary(), FilmLibrary()

    def frames(library, steps):
        job = library.frames_job("e", options, record, steps)
        while True:
            try:
                next(job)
            except StopIteration as end:
                return end.value

    whole = frames(films, range(50))
    np.testing.assert_array_equal(frames(jumping, [45])[0], whole[45])
    films.close()
    jumping.close()


def test_the_first_picture_of_an_episode_needs_no_way(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    expected = truth(theatre, episode)
    t = len(expected) - 2
    surveyed, played = [], []
    films = theatre.stage._context.films
    monkeypatch.setattr(films, "survey", lambda *of: surveyed.append(of))
    monkeypatch.setattr(World, "step", lambda self, action: played.append(action))
    found = theatre.result("frames", kind="training", episode=episode, first=t, last=t)
    assert found["exact"] is True
    np.testing.assert_array_equal(found["frames"][0], expected[t])
    assert not played
    assert len(surveyed) == 1


def test_numbers_that_are_no_state_are_left_to_the_replay(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)

    def strange(record):
        seen = np.array(record["observations"])[:, :1] * np.float32(np.nan)
        crc = np.array([observation_crc(it) for it in seen], np.uint32)
        return record | {"observations": seen, "observation_crc": crc}

    records_say(theatre, monkeypatch, strange)
    found = theatre.result("frames", kind="training", episode=episode, first=5, last=5)
    assert found["exact"] is False
    assert "does not go the way it was recorded" in found["note"]
    assert len(found["frames"]) == 1


def test_worlds_that_cannot_be_stood_in_are_surveyed_by_nobody():
    options = EnvironmentOptions(id="LunarLander-v3")
    world, library = make(options), FilmLibrary()
    seen, actions = [world.reset(3)], [0, 1, 2, 3]
    seen += [world.step(it)[0] for it in actions]
    crc = np.array([observation_crc(it) for it in seen], np.uint32)
    record = {"seed": 3, "actions": np.array(actions), "observation_crc": crc}
    record["observations"] = np.stack(seen)
    finish(library.frames_job("lander", options, record, [2]))
    assert library.survey("lander", options, record) is None
    for number in range(5):  # its world is needed elsewhere, its picture is kept
        finish(library.frames_job(number, options, record | {"seed": 3}, [1]))
    finish(library.frames_job("lander", options, record, [2]))
    assert library.survey("lander", options, record) is None
    library.close()
