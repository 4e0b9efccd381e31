"""The README keeps its word: every command is one, every output shown is what is printed today."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import convatlas
from convatlas.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^    \$ convatlas (.+)\n((?:    .*\n|\n(?=    ))+)", README, re.MULTILINE)
TYPED = re.findall(r"^    (?:torchrun .* -m )?convatlas (.+?)(?:  +#.*)?$", README, re.MULTILINE)
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
    *(f"docs/ship/{page.name}" for page in (ROOT / "docs" / "ship").glob("*.md")),
]


def printed(command: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", *command.split()],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "100", "PATH": ""},
    )
    return [line.rstrip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_an_output_that_is_shown_is_what_is_printed(command, output):
    """Whole, or a stretch of it: the lines shown follow one another."""
    shown = [line[4:].rstrip() for line in output.rstrip("\n").split("\n")]
    lines = printed(command)
    assert any(lines[i : i + len(shown)] == shown for i in range(len(lines)))


def test_three_outputs_are_shown():
    assert [command.split()[0] for command, _ in SHOWN] == ["diff", "show", "verify"]


@pytest.mark.parametrize("command", TYPED)
def test_a_command_that_is_shown_can_be_typed(command):
    """Its words are understood; whether the files are there is another matter."""
    words = command.replace("NAME", "lenet5").split()
    function, bound, *_ = app.parse_args(words, exit_on_error=False, print_error=False)
    assert callable(function)
    assert bound.args or bound.kwargs or words in (["list"], ["recipes"], ["explore"])


def test_every_verb_that_python_is_promised_is_there():
    for name in re.findall(r"convatlas\.([a-z_]+)\(", README):
        assert name in convatlas.__all__


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize("folder", ["docs", "docs/ship"])
def test_every_document_is_in_the_index(folder):
    index = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / folder).glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index
