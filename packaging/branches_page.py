"""Writes the table of ``resources/docs/branches.md``: how each environment is restored.

Every bundled environment is tried out. Rows of optional packages that are not installed
here stay as they are. ``--check`` writes nothing, and exits with 1 where the page is
out of date.
"""

import sys
from pathlib import Path

from engine.contract.options import EnvironmentOptions
from engine.environments import prove, registered

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "resources" / "docs" / "branches.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
HEADER = "| environment | how a step is restored | proof | chance after it |\n"
CHANCE = {
    "none": "none found: all rollouts are equal",
    "drawn anew": "drawn anew for each pair of rollouts",
    "kept": "cannot be drawn anew: one rollout",
    "cannot be told": "none seen, but it may be drawn out of sight: one rollout",
}


def row(id: str) -> str:
    """The line of one environment, from trying it out."""
    found = prove(EnvironmentOptions(id=id))
    way = "replay from the seed" if found.exact else "not: branches are refused"
    proof = f"exact over {found.steps:,} steps" if found.exact else "differs"
    return f"| {id} | {way} | {proof} | {CHANCE[found.chance]} |\n"


def page(text: str) -> str:
    """The page with the table as it is found now."""
    head, _, rest = text.partition(BEGIN)
    table, _, foot = rest.partition(END)
    lines = {line.split("|")[1].strip(): f"{line}\n" for line in table.splitlines()[2:]}
    lines |= {it.id: row(it.id) for it in registered() if it.suits}
    rows = "".join(lines[id] for id in sorted(lines))
    return f"{head}{BEGIN}{HEADER}|---|---|---|---|\n{rows}{END}{foot}"


def main() -> int:
    """Write the page, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = page(text)
    if "--check" in sys.argv:
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
