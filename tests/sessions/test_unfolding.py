import numpy as np
import session_samples as samples

from engine.sessions import LiveStore, SessionFile


def same_content(first, second):
    for name in first.series():
        one, two = first.series_lines(name), second.series_lines(name)
        assert all(np.array_equal(one[it], two[it]) for it in one if it != "series")
    one, two = first.finished_lines(), second.finished_lines()
    assert all(np.array_equal(one[it], two[it]) for it in one)
    assert first.numbered_events() == second.numbered_events()
    assert first.checkpoints() == second.checkpoints()
    assert first.progress() == second.progress()
    assert first.views() == second.views()


def test_a_run_goes_on_from_its_file_as_if_it_had_never_been_closed(tmp_path):
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        store.set_views({"bookmarks": [1, 2]})
        store.seal(tmp_path / "first.h5")
        store.close(fold=True)
    with LiveStore.open(path) as store:
        assert store.is_sealed
        store.seal(tmp_path / "second.h5")
        point = store.resume_point()
        samples.same_ring(point.replay, samples.ring_after(29))
        for number in range(5):
            wanted = samples.record(number)
            samples.same_record(store.episode("training", number), wanted)
        store.truncate_after(point)
        for number in range(30, 50):
            store.append(samples.rows(number))
        store.write_checkpoint(samples.checkpoint(350, 49))
        samples.same_ring(store.resume_point().replay, samples.ring_after(49))
    first = SessionFile.open(tmp_path / "first.h5")
    second = SessionFile.open(tmp_path / "second.h5")
    same_content(first, second)
    first.close()
    second.close()


def test_opening_for_writing_and_closing_again_leaves_only_the_file(tmp_path):
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store).close(fold=True)
    before = path.read_bytes()
    LiveStore.open(path).close(fold=True)
    assert [it.name for it in tmp_path.iterdir()] == ["run.h5"]
    assert path.read_bytes() == before
