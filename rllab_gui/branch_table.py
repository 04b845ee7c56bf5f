"""Every step of both arms of a branch as a table for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from engine.contract.branches import tried_in
from engine.contract.notes import Branch
from rllab_gui.views.branch_words import answer

COLUMNS = ("arm", "rollout", "t", "action", "action_name", "reward", "chosen_by")


def branch_csv(branch: Branch, names: Sequence[str]) -> bytes:
    """One row for each step; the answer and how it was restored stand above them."""
    text = io.StringIO()
    for line in (answer(branch, names), branch.why):
        text.write(f"# {' '.join(line.split())}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for arm, rollouts in (("branch", branch.rollouts), ("main", branch.main)):
        for number, rollout in enumerate(rollouts):
            who = dict.fromkeys(rollout.explored, "chance")
            who |= dict.fromkeys(tried_in(branch, rollout), "tried instead")
            who |= dict.fromkeys(rollout.human, "by hand")
            steps = zip(rollout.actions, rollout.rewards, strict=False)
            for k, (action, reward) in enumerate(steps):
                word = names[action] if 0 <= action < len(names) else ""
                row = [arm, number, branch.t + k, action, word, repr(reward)]
                writer.writerow([*row, who.get(k, "agent")])
    return text.getvalue().encode("utf-8")
