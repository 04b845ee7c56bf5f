"""The real engine: starting, training, stopping, attaching, ending."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import psutil
import pytest

from engine.contract.messages import (
    JobProgress,
    Message,
    OpenSession,
    Pause,
    Problem,
    ProcessState,
    Resume,
    ResumeTraining,
    SaveSession,
    SessionStatus,
    Shutdown,
    StartTraining,
    Stop,
    Subscribe,
    TimeReport,
    TrainerStatus,
)
from engine.contract.options import configuration_from_flat
from engine.service.client import Client, EngineProblem
from engine.service.connection import write_connection
from engine.service.cores import ALL
from engine.service.processes import ROLES
from service.engine_lab import Lab, end, expect, order, run_python, sealed, status

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


def cores_of(lab: Lab) -> dict[str, frozenset[int]]:
    """Where each process of the engine may run now."""
    if not ALL:
        return dict.fromkeys(ROLES, ALL)
    commands = {it.pid: " ".join(it.cmdline()) for it in lab.processes()}
    return {
        role: frozenset(os.sched_getaffinity(pid))
        for role in ROLES
        for pid, command in commands.items()
        if f"{role}_process" in command
    }


def test_train_stop_and_find_the_session_file(lab: Lab) -> None:
    client = lab.attach()
    client.send(Subscribe(["scalars", "account"]))
    while client._outbox:  # returns when all has left, or 2 ms later
        client.hand_over()
    lab.start(client)
    expect(client, status("running", 1_500))
    # One step in sixteen is taken apart: the first report may be without an update.
    stages = {"act", "environment", "update", "recording"}
    expect(client, lambda it: isinstance(it, TimeReport) and stages <= it.acting.keys())
    # Where there are two cores, the run has one of them for itself.
    others = ALL - {min(ALL)} if len(ALL) == 2 else ALL
    assert cores_of(lab) == {"trainer": ALL, "stage": others, "keeper": others}
    order(client, Stop())
    stopped = expect(client, status("idle"), 5)
    assert isinstance(stopped, TrainerStatus)
    session = expect(client, sealed)
    assert cores_of(lab) == dict.fromkeys(ROLES, ALL)
    assert isinstance(session, SessionStatus)
    assert session.durable_step == stopped.step >= 1_500
    assert Path(session.path) == lab.home / "sessions" / "run.h5"
    assert Path(session.path).is_file()
    assert not Path(session.path).with_suffix(".live").exists()
    summary = client.request("summary")
    assert summary["steps"] == stopped.step
    history = client.request("history", {"series": "return"})
    assert len(history["step"]) == summary["episodes"] > 0
    end(lab, client)


@pytest.mark.slow
def test_a_session_is_forked_while_it_runs_and_certified_when_it_rests(
    lab: Lab,
) -> None:
    client = lab.attach()
    lab.start(client)
    expect(client, status("running", 1_500))
    order(client, SaveSession())
    expect(client, lambda it: isinstance(it, SessionStatus) and it.sealed_at > 0)
    words = {"target": "arm", "step": -1, "overwrite": False}
    made = client.request("fork", words, target="keeper")
    assert made["step"] >= 1_000
    assert made["exact"]
    assert Path(made["path"]) == lab.home / "sessions" / "arm.h5"
    with pytest.raises(EngineProblem, match="already a session"):
        client.request("fork", words)
    with pytest.raises(EngineProblem, match="still being written"):
        client.request("certify", {"updates": 20})
    client.poll()
    order(client, Stop())
    expect(client, lambda it: isinstance(it, JobProgress) and it.done)
    found = client.request("certify", {"updates": 20}, timeout=120)
    assert found["exact"], found["sentence"]
    about = client.request("configuration_of", {"path": "arm"})
    assert about["recorded"] > 0
    end(lab, client)


@pytest.mark.slow
def test_a_second_start_attaches_and_is_told_everything(lab: Lab) -> None:
    first = lab.attach()
    lab.start(first)
    second = lab.attach()
    assert second.connection.pid == first.connection.pid
    session = expect(second, lambda it: isinstance(it, SessionStatus))
    assert isinstance(session, SessionStatus)
    assert session.path.endswith("run.h5")
    expect(second, status("running", 1))
    second.send(Shutdown())  # not the last window: the engine stays
    expect(first, status("running", 1))
    third = lab.attach()
    third.close()  # says good-bye, so that the next one is the last
    end(lab, first)


@pytest.mark.slow
def test_two_starts_at_once_make_one_engine(lab: Lab) -> None:
    found: list[Client] = []
    threads = [
        threading.Thread(target=lambda: found.append(lab.attach())) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({client.connection.pid for client in found}) == 1
    supervisors = [it for it in lab.processes() if "supervisor" in it.cmdline()[2]]
    engine = psutil.Process(found[0].connection.pid)
    # On Linux its parent waits to clear up after it.
    ours = {engine.pid, engine.ppid()}
    others = [it for it in supervisors if it.pid not in ours]
    assert psutil.wait_procs(others, timeout=15)[1] == []


@pytest.mark.slow
def test_the_file_of_a_dead_engine_is_replaced(lab: Lab) -> None:
    client = lab.attach()
    old = client.connection
    for process in lab.processes():
        process.kill()
    assert lab.wait_for_end(5) == []
    write_connection(lab.home / "engine.json", old)
    assert lab.attach().connection.pid != old.pid


DIES_WHEN_REACHED = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
listener.accept()
"""


@pytest.mark.slow
def test_an_engine_that_ends_while_it_is_reached_is_replaced(lab: Lab) -> None:
    old = lab.attach().connection
    for process in lab.processes():
        process.kill()
    assert lab.wait_for_end(5) == []
    with subprocess.Popen(
        [sys.executable, "-c", DIES_WHEN_REACHED], stdout=subprocess.PIPE, text=True
    ) as ending:
        assert ending.stdout is not None
        endpoint = f"tcp://127.0.0.1:{int(ending.stdout.readline())}"
        looks_alive = msgspec.structs.replace(old, endpoint=endpoint, pid=ending.pid)
        write_connection(lab.home / "engine.json", looks_alive)
        assert lab.attach().connection.pid != ending.pid


@pytest.mark.slow
def test_a_killed_window_leaves_training_and_the_next_start_attaches(
    lab: Lab,
) -> None:
    code = (
        "import os, signal\n"
        "from engine.service.client import ensure_engine\n"
        "from engine.contract.messages import StartTraining, TrainerStatus\n"
        "from engine.contract.options import Configuration\n"
        "c = ensure_engine()\n"
        "c.send(StartTraining(Configuration().to_json(), 'run.h5'))\n"
        "def runs(m): return isinstance(m, TrainerStatus) and m.state == 'running'\n"
        "assert c.wait(runs, 120)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run_python(code, lab.home).returncode == -9
    client = lab.attach()
    session = expect(client, lambda it: isinstance(it, SessionStatus) and it.live)
    assert isinstance(session, SessionStatus)
    reached = expect(client, status("running"))
    assert isinstance(reached, TrainerStatus)
    expect(client, status("running", reached.step + 100))
    end(lab, client)
    assert Path(session.path).is_file()


@pytest.mark.slow
def test_training_goes_on_in_the_background_when_that_is_wanted(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    client.send(Shutdown(keep_training=True))
    client.close()
    again = lab.attach()
    assert again.connection.pid == client.connection.pid
    expect(again, status("running", 1))
    end(lab, again)


@pytest.mark.slow
@pytest.mark.long  # twenty seconds in which nothing may happen
def test_an_idle_engine_without_clients_ends_by_itself(lab: Lab) -> None:
    client = lab.attach()
    lab.pid(client, "trainer")
    assert len(lab.processes()) >= 4, "and one that waits to become a trainer"
    client.close()
    assert lab.wait_for_end(45) == []


@pytest.mark.slow
def test_pause_save_as_go_on_and_resume_the_file_later(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    order(client, Pause())
    paused = expect(client, status("paused"))
    assert isinstance(paused, TrainerStatus)
    order(client, SaveSession("copy.h5"))
    copy = lab.home / "sessions" / "copy.h5"
    expect(client, lambda it: getattr(it, "result", "") == str(copy))
    assert copy.is_file()
    order(client, Resume())
    expect(client, status("running", paused.step + 100))
    order(client, Stop())
    stopped = expect(client, status("idle"))
    assert isinstance(stopped, TrainerStatus)
    expect(client, sealed)
    order(client, ResumeTraining("run.h5", steps=300))
    finished = expect(client, status("finished"), 90)
    assert isinstance(finished, TrainerStatus)
    assert finished.step == stopped.step + 300
    end(lab, client)


@pytest.mark.slow
def test_looking_back_needs_no_run_and_changes_nothing(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client, **{"training.steps": 600})
    expect(client, status("finished"), 90)
    expect(client, sealed)
    path = lab.home / "sessions" / "run.h5"
    before = path.read_bytes()
    order(client, OpenSession(str(path)))
    expect(client, status("idle"))
    names = [row["name"] for row in client.request("recent")["rows"]]
    assert names == ["run"]
    table = client.request("episodes")
    assert table["kind"].count("training") > 0
    order(client, OpenSession(str(path.with_name("other.h5"))))
    problem = expect(client, lambda it: isinstance(it, Problem))
    assert isinstance(problem, Problem)
    assert "other" in problem.what
    assert path.read_bytes() == before
    end(lab, client)


@pytest.mark.slow
def test_a_request_that_is_wrong_gets_a_sentence_and_nothing_is_made(
    lab: Lab,
) -> None:
    client = lab.attach()

    def refusal(**options: object) -> str:
        configuration = configuration_from_flat(options).to_json()
        order(client, StartTraining(configuration, "no.h5"))
        found = expect(client, lambda it: isinstance(it, Problem), 120)
        expect(client, status("idle"))
        assert isinstance(found, Problem)
        return found.sentence()

    assert "CartPole" in refusal(**{"environment.id": "CartPole-v99"})
    assert "gpu" in refusal(**{"training.device": "cuda"}).lower()
    assert not (lab.home / "sessions" / "no.live").exists()
    order(client, Stop())
    problem = expect(client, lambda it: isinstance(it, Problem))
    assert isinstance(problem, Problem)
    assert "nothing to stop" in problem.what.lower()


@pytest.mark.slow
def test_another_version_is_refused_with_a_sentence(lab: Lab) -> None:
    lab.attach()
    path = lab.home / "engine.json"
    connection = json.loads(path.read_bytes())
    path.write_text(json.dumps(connection | {"protocol": 99}))
    with pytest.raises(EngineProblem, match="another version"):
        lab.attach()


@pytest.mark.slow
def test_the_last_window_stops_and_saves_a_run(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    end(lab, client)
    assert (lab.home / "sessions" / "run.h5").is_file()
    assert not (lab.home / "sessions" / "run.live").exists()


@pytest.mark.slow
def test_a_terminated_supervisor_stops_and_saves_too(lab: Lab) -> None:
    client = lab.attach()
    lab.start(client)
    psutil.Process(client.connection.pid).terminate()

    def gone(message: Message) -> bool:
        return isinstance(message, ProcessState) and message.state == "gone"

    expect(client, gone)
    assert lab.wait_for_end(3.0) == []
    assert (lab.home / "sessions" / "run.h5").is_file()
