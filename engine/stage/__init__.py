"""The stage: the shown agent, evaluations, and answers to every question."""
