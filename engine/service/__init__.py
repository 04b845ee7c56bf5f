"""Starting, supervising and reaching the engine's processes.

    window, command line ── client.py ─┐            supervisor.py
                                       ├─ ROUTER ── hub, session state, restarts
    trainer, stage, keeper ─ worker.py ┘

**Reaching it.** ``client.ensure_engine()`` attaches to the engine of this user's home
(``home.py``; ``RLLAB_HOME`` moves it) or starts one: a detached supervisor that
starts the other processes. How to reach it stands in ``engine.json`` (only the user
may read it): a loopback address, CURVE keys of this launch, the supervisor's process
id.

**Messages.** A process sends ``[destination, message frames...]`` and gets ``[sender,
message frames...]``. Destinations: ``supervisor``, ``trainer``, ``stage``,
``keeper``, one client by its name, or ``windows`` (all clients, those that subscribed
where the kind has a topic, see ``audience.py``). Commands of a session go to the
supervisor, which knows what is legal (``states.py``) and what follows
(``session.py``). A refused command is a ``Problem`` and then the ``TrainerStatus``
that still holds.

**Who says what.** ``TrainerStatus`` and ``SessionStatus`` come from the supervisor
only, with its state in them; what a run measures comes from the trainer, pictures and
answers from the stage, answers about the past and ``JobProgress("save")`` from the
keeper. A new window is told ``ProcessState`` of all, session, status, and all
unsolved problems.

**Life.** ``Shutdown`` of the last client ends everything, a run stopped and saved.
``Shutdown(keep_training=True)``, or a client that is killed, leaves a run alone. An
idle engine without clients ends after 20 s, a paused one after ten minutes (saved), a
private one (of the command line) with its client. A client beats once a second.

**Deaths.** A process that ends is noticed within 0.1 s: ``ProcessState(died)``, a
``Problem("engine.ROLE.died")`` that is solved when it is back, at most three times in
ten minutes, then ``engine.ROLE.gone``. The trainer goes back to the newest durable
checkpoint: an ``Event(kind="recovery", step)`` says so, and what was measured after
that step comes again. Rows and checkpoints that a dead keeper had not confirmed are
sent again (``outbox.py``); numbers tell what is known already.
"""
