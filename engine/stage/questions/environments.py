"""Which environments there are, and what one of them offers."""

from __future__ import annotations

from engine.contract.catalogue import check_combination
from engine.contract.options import configuration_from_json
from engine.environments import describe, registered
from engine.stage.context import Arguments, Asker, Context, Question
from engine.stage.jobs import Job


class EnvironmentsArguments(Arguments, frozen=True):
    """None."""


class DescribeArguments(Arguments, frozen=True):
    """``configuration`` as ``Configuration.to_json()``."""

    configuration: str


def _environments(context: Context, arguments: Arguments, asker: Asker) -> Job:
    yield None
    return {"rows": [row.to_dict() for row in registered()]}


def _describe(context: Context, arguments: DescribeArguments, asker: Asker) -> Job:
    """The card, and whether agent and environment go together."""
    yield None
    configuration = configuration_from_json(arguments.configuration)
    card = describe(configuration.environment)
    reason = ""
    try:
        check_combination(configuration, card)
    except ValueError as error:
        reason = str(error)
    return {"card": card.to_dict(), "reason": reason}


ENVIRONMENTS = Question("environments", EnvironmentsArguments, _environments)
DESCRIBE = Question("describe", DescribeArguments, _describe)
