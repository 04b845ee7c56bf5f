"""README and user guide say what is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.command_line import build_parser

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "resources" / "docs").glob("*.md")])
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda it: it.name)


@pytest.mark.parametrize(
    "name", ["options_reference.py", "results_page.py", "branches_page.py"]
)
def test_pages_that_are_made_are_up_to_date(name):
    script = ROOT / "packaging" / name
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True)
    assert done.returncode == 0, done.stdout


@every_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@every_page
def test_only_commands_that_exist_are_named(page):
    _, names = build_parser()
    text = page.read_text(encoding="utf-8")
    for word in re.findall(r"^\s*(?:.*`)?rllab ([a-z-]+)(?=[`\s])", text, re.MULTILINE):
        assert word in names, word


@every_page
def test_pages_name_no_folder_of_one_machine(page):
    text = page.read_text(encoding="utf-8")
    assert re.search(r"(?<![\w.])/(work|root|home|tmp)/", text) is None


def test_the_readme_has_its_two_commands_and_pictures():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 packaging/bootstrap.py\n" in text
    assert "python3 packaging/bootstrap.py test\n" in text
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+\.png)\)", text)
    assert len(pictures) == 2
    assert all((ROOT / it).stat().st_size < 300_000 for it in pictures)


def test_every_command_is_in_the_guide():
    guide = (ROOT / "resources" / "docs" / "command-line.md").read_text()
    _, names = build_parser()
    for name in set(names) - {"open"}:
        assert f"`rllab {name}" in guide or f"`{name}`" in guide, name
