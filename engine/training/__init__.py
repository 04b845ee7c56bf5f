"""Training: the loop that steps environments, remembers, learns and measures."""

from engine.training.compiler import Libraries
from engine.training.loop import TrainingLoop
from engine.training.problems import TrainingProblem, known_problem

__all__ = ["Libraries", "TrainingLoop", "TrainingProblem", "known_problem"]
