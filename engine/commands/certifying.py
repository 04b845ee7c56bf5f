"""``rllab certify``: whether a run that is saved and reloaded goes on exactly."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine.commands.arguments import Commands, add_json, command, positive
from engine.commands.output import write, write_facts, write_json, write_table
from engine.commands.problems import DONE, FAILED, CommandProblem, Refused
from engine.contract.catalogue import find_preset
from engine.contract.options import Configuration, configuration_from_json

if TYPE_CHECKING:
    from engine.contract.arrays import State
    from engine.contract.messages import Checkpoint
    from engine.sessions import LiveStore
    from engine.training import TrainingLoop
    from engine.training.certificate import Certificate, Saved

UPDATES = 100
HASH_DIGITS = 12


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = command(
        commands, "certify", certify, "prove that a run resumes exactly, to the bit"
    )
    parser.add_argument(
        "session",
        metavar="SESSION.h5|PRESET",
        help="a session, or a preset from its start",
    )
    parser.add_argument(
        "--updates",
        type=positive,
        default=UPDATES,
        metavar="N",
        help=f"length of the stretch that is trained twice (default {UPDATES})",
    )
    add_json(parser)


def certify(arguments: argparse.Namespace) -> int:
    """Train a stretch straight and through a file; exit status 1 if they differ."""
    with tempfile.TemporaryDirectory(prefix="rllab-certify-") as folder:
        place = Path(folder) / "certificate.h5"
        if arguments.session.endswith(".h5"):
            found = _of_session(Path(arguments.session), place, arguments.updates)
        else:
            preset = find_preset(arguments.session)
            found = certify_configuration(
                preset.configuration, place, arguments.updates
            )
    if arguments.json:
        write_json(found.facts())
    else:
        _print(arguments.session, found)
    return DONE if found.exact else FAILED


def _of_session(path: Path, place: Path, updates: int) -> Certificate:
    """From the newest checkpoint of a session, which is not touched."""
    from engine.sessions import LiveStore, open_session
    from engine.sessions.live_folder import live_path
    from engine.training.certificate import Saved

    path = path.expanduser().absolute()
    if live_path(path).is_dir():
        raise Refused(
            f"'{path.name}' is running or was cut off: save it, or resume and stop "
            "it, then certify the file."
        )
    open_session(path).close()  # refuses what is damaged, before anything is copied
    shutil.copyfile(path, place)
    with LiveStore.open(place) as store:
        configuration = configuration_from_json(store.configuration())
        point = store.resume_point()
        if not point.exact:
            raise CommandProblem(f"'{path.name}' cannot go on exactly: {point.note}")
        store.truncate_after(point)
        begin = Saved(_state_of(point.checkpoint), point.replay)
    return _certify(configuration, begin, place, updates, point.first_row)


def certify_configuration(
    configuration: Configuration, place: Path, updates: int
) -> Certificate:
    """Train a new run twice, straight and through a session file at ``place``.

    Raises:
      CommandProblem: If it cannot be trained, or not be saved exactly.
    """
    from engine.environments import describe
    from engine.sessions import LiveStore

    card = describe(configuration.environment)
    LiveStore.create(place, configuration.to_json(), card).close()
    return _certify(configuration, None, place, updates, 0)


def _certify(
    configuration: Configuration,
    begin: Saved | None,
    place: Path,
    updates: int,
    first_row: int,
) -> Certificate:
    from engine.service.home import compiled_folder
    from engine.sessions import LiveStore
    from engine.training import Libraries, TrainingLoop, TrainingProblem
    from engine.training.certificate import certify as compare

    libraries = Libraries(compiled_folder(), unasked=False)

    def through_a_file(loop: TrainingLoop) -> Saved:
        with LiveStore.open(place) as store:
            return _through_a_file(loop, store, first_row)

    try:
        return compare(
            lambda: TrainingLoop(configuration, libraries=libraries),
            begin,
            through_a_file,
            updates,
        )
    except TrainingProblem as problem:
        raise CommandProblem(str(problem)) from problem


def _through_a_file(loop: TrainingLoop, store: LiveStore, number: int) -> Saved:
    """As the keeper does it: rows, checkpoint, sealed file, and back from that."""
    from engine.contract.messages import Rows
    from engine.service.loop_state import checkpoint_of
    from engine.sessions import LiveStore
    from engine.training.certificate import Saved

    drained = loop.drain()
    store.append(
        Rows(
            source="trainer",
            number=number,
            step=loop.step,
            scalars=drained.scalars,
            finished=drained.finished,
            episodes=drained.episodes,
            replay=drained.replay,
            events=drained.events,
        )
    )
    store.write_checkpoint(checkpoint_of(loop, "save", number))
    store.close(fold=True)
    with LiveStore.open(store.path) as again:
        point = again.resume_point()
    if not point.exact:
        raise CommandProblem(f"What was saved cannot go on exactly: {point.note}")
    return Saved(_state_of(point.checkpoint), point.replay)


def _state_of(checkpoint: Checkpoint) -> State:
    from engine.service.loop_state import restored_state

    return restored_state(dict(checkpoint.arrays), checkpoint.values)


def _print(run: str, found: Certificate) -> None:
    cut = f"step {found.cut:,}, {found.episode_steps:,} steps into an episode"
    facts: dict[str, object] = {
        "run": run,
        "device": found.device,
        "begun at": f"step {found.first:,}",
        "cut at": cut,
        "compared at": f"step {found.last:,}, after {found.updates:,} updates",
    }
    write_facts(facts)
    write()
    rows = [("part", "straight", "reloaded", "")]
    for it in found.parts:
        hashes = it.straight[:HASH_DIGITS], it.reloaded[:HASH_DIGITS]
        rows.append((it.name, *hashes, "equal" if it.equal else "DIFFERENT"))
    write_table(rows)
    write()
    write(found.sentence())
