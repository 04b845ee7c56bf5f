"""Start and stop filming the shown agent."""

from __future__ import annotations

from typing import Literal

from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.jobs import Job
from engine.stage.live_film import JOB
from engine.stage.questions.record import chosen_panels


class RecordLiveArguments(Arguments, frozen=True):
    """``start`` needs a path; see the question ``record`` for the others."""

    do: Literal["start", "stop", "cancel"]
    path: str = ""
    format: str = ""
    panels: bool | str = True
    theme: Literal["light", "dark"] = "light"


def _answer(context: Context, arguments: RecordLiveArguments, asker: Asker) -> Job:
    yield None
    if arguments.do == "cancel":
        context.live_film.cancel()
        return {"job": JOB}
    if arguments.do == "stop":
        path, frames = context.live_film.stop()
        return {"job": JOB, "path": path, "frames": frames}
    rate = context.frame_rate()
    if not rate:
        raise QuestionError("No agent is shown that could be filmed.")
    panels = chosen_panels(arguments.panels)
    context.live_film.start(
        arguments.path, arguments.format, rate, panels, arguments.theme
    )
    return {"job": JOB}


RECORD_LIVE = Question("record_live", RecordLiveArguments, _answer)
