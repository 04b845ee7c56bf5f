"""Training: the loop that steps environments, remembers, learns and measures."""

from engine.training.loop import Drained, TrainingLoop
from engine.training.problems import TrainingProblem, known_problem

__all__ = ["Drained", "TrainingLoop", "TrainingProblem", "known_problem"]
