"""A session opens where it was left."""

import pytest
from msgspec.structs import replace

from engine.contract.messages import SessionStatus
from engine.contract.notes import Place
from rllab_gui import whereabouts
from rllab_gui.settings import Settings
from rllab_gui.whereabouts import MOST_SESSIONS, Whereabouts


@pytest.fixture
def kept():
    """What the keeper has been told to keep, by session."""
    return {}


@pytest.fixture
def open_lab(context, client, kept, tmp_path):
    """Opens a session beside the model, which is made anew as by another start."""
    client.answers["views"] = lambda _: {"views": {}}

    def keep(arguments):
        kept[arguments["uuid"]] = arguments["views"]
        return {}

    client.answers["keep_views"] = keep

    def open(uuid="s1", *, live=False):
        client.play(SessionStatus(uuid=uuid, name="run", live=live))
        while context.link.poll():
            pass
        settings = Settings(tmp_path)
        found = Whereabouts(settings, context.store, context.cursor, context.notes)
        context.cursor.place(session=uuid, episode=-1)
        context.cursor.set_mode("following" if live else "paused")
        return found

    return open


def test_where_the_cursor_rested_is_known_after_another_start(open_lab, context):
    model = open_lab()
    assert model.of("s1") is None
    context.cursor.show_episode("evaluation", 400, t=7, checkpoint=300)
    model.keep()
    assert open_lab().of("s1") == Place("evaluation", 400, 7, 300)
    assert open_lab().of("other") is None


def test_it_is_kept_by_itself_once_the_cursor_rests(
    open_lab, context, qtbot, monkeypatch
):
    monkeypatch.setattr(whereabouts, "REST_MS", 10)
    model = open_lab()
    context.cursor.show_episode("training", 3)
    qtbot.waitUntil(lambda: model.of("s1") == Place("training", 3, 0))


def test_another_session_ends_what_was_remembered_of_the_last(open_lab, context):
    model = open_lab()
    context.cursor.show_episode("training", 3, t=5)
    open_lab("s2")  # lets go of the episode before it says which session it is
    context.cursor.place(session="s1", episode=3, t=0)
    context.cursor.place(session="s2", episode=-1)
    assert model.of("s1") == Place("training", 3, 5)
    assert model.of("s2") is None


def test_what_follows_a_run_or_is_on_a_branch_is_no_place(open_lab, context):
    model = open_lab(live=True)
    context.cursor.place(kind="training", episode=9)
    model.keep()
    assert model.of("s1") is None
    context.cursor.show_episode("training", 4, t=2)
    context.cursor.place(branch="b1", t=30)
    model.keep()
    assert model.of("s1") == Place("training", 4, 2)


def test_to_look_at_a_file_does_not_change_it_but_a_note_takes_the_place_along(
    open_lab, context, kept
):
    model = open_lab()
    context.cursor.show_episode("training", 3, t=5)
    model.keep()
    assert kept == {}
    context.notes.add_bookmark(context.cursor.position)
    assert kept["s1"]["place"] == {
        "kind": "training", "episode": 3, "t": 5, "checkpoint": -1
    }  # fmt: skip


def test_a_run_keeps_the_place_with_what_it_writes(open_lab, context, kept):
    model = open_lab(live=True)
    context.cursor.show_episode("training", 3, t=5)
    model.keep()
    assert kept["s1"]["place"]["t"] == 5


def test_a_file_of_somebody_else_opens_where_they_left_it(open_lab, context, client):
    place = {"kind": "training", "episode": 8, "t": 4, "checkpoint": 200}
    open_lab()
    client.answers["views"] = lambda _: {"views": {"place": place}}
    assert open_lab("s2").of("s2") == Place("training", 8, 4, 200)


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"s1": {"kind": 3}}'])
def test_damaged_settings_are_no_obstacle(open_lab, context, tmp_path, text):
    settings = Settings(tmp_path)
    settings.set("places", text)
    settings.flush()
    model = open_lab()
    assert model.of("s1") is None
    context.cursor.show_episode("training", 3)
    model.keep()
    assert model.of("s1") == Place("training", 3, 0)


def test_only_so_many_sessions_are_remembered(open_lab, context):
    model = open_lab()
    for number in range(MOST_SESSIONS + 5):
        status = replace_uuid(context, f"s{number}")
        context.cursor.place(session=status, episode=1, t=1)
        model.keep()
    assert model.of("s0") is None
    assert model.of(f"s{MOST_SESSIONS + 4}") == Place("training", 1, 1)


def replace_uuid(context, uuid):
    context.store.session = replace(context.store.session, uuid=uuid)
    return uuid
