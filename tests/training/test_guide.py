"""The commands of docs/distributed.md are ones that the program takes."""

import shlex
from pathlib import Path

import pytest

from convatlas.cli import app
from convatlas.training import Recipe

GUIDE = Path(__file__).parents[2] / "docs" / "distributed.md"


def commands() -> list[list[str]]:
    """The words after `convatlas` of every indented command."""
    text = GUIDE.read_text().replace("\\\n", " ")
    lines = [
        line.strip()
        for line in text.splitlines()
        if line.startswith("    ") and "convatlas" in line
    ]
    return [shlex.split(line.partition("convatlas")[2].partition(" > ")[0]) for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_of_the_guide_names_a_network_and_flags_that_exist(words):
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    given = {
        name: value for name, value in vars(bound.arguments["flags"]).items() if value is not None
    }
    recipe = Recipe(network=bound.arguments["network"]).change(**given)
    assert recipe.data == given["data"]


def test_the_guide_holds_commands():
    assert len(commands()) >= 6
