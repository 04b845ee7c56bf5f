"""Writes ``resources/docs/options.md`` from the declarations of the options.

``--check`` writes nothing, and exits with 1 where the page is out of date.
"""

import sys
from itertools import groupby
from pathlib import Path

from engine.commands.lists import shown_default
from engine.contract.options import Configuration, OptionSpec, describe_range, specs

PAGE = Path(__file__).resolve().parent.parent / "resources" / "docs" / "options.md"
HEAD = """\
# Options

Every option of a run, by group. On the command line an option is set with
`--set KEY=VALUE`, in a preset under `[options]`, and in the window in the form of the
Train workspace; all three check it in the same way.

*Applies* says when a change takes effect: **live** options act at once while a run
goes on and leave a marker on every curve; **restart** options need a new run.

This page is made by `packaging/options_reference.py`; do not edit it.
"""


def reference() -> str:
    """The whole page."""
    parts = [HEAD]
    for group, options in groupby(specs().values(), _group):
        about = Configuration.model_fields[group].annotation.__doc__
        parts.append(f"\n## {group}\n\n{about.strip().splitlines()[0]}\n")
        parts += [_entry(of) for of in options]
    return "".join(parts)


def _group(of: OptionSpec) -> str:
    return of.key.split(".")[0]


def _entry(of: OptionSpec) -> str:
    title = f"{of.title} {of.symbol}".strip()
    unit = f", in {of.unit}" if of.unit else ""
    scale = ", slider in decades" if of.scale == "log" else ""
    default = shown_default(of)
    facts = [
        f"takes {describe_range(of)}{unit}{scale}",
        f"default `{default}`" if default else "default empty",
        f"applies **{of.applies}**",
    ]
    text = " ".join(it for it in (of.help, of.effect) if it)
    needs = [f"`{key}` {' or '.join(values)}" for key, values in of.when.items()]
    text += f" Only with {' and '.join(needs)}." if needs else ""
    return f"\n### `{of.key}`\n\n{title}: {'; '.join(facts)}.\n\n{text}\n"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    text = reference()
    if arguments == ["--check"]:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        if not same:
            print(f"{PAGE.name} is out of date: run packaging/options_reference.py")
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
