"""docs/cost.md: what it shows is what the commands print, and what its code answers."""

import re
from pathlib import Path

import pytest

from convatlas.cli import run

PAGE = Path(__file__).parents[1] / "docs" / "cost.md"
COLUMNS = "88"  # of the terminal that the page shows
MORE = "..."  # stands for what the page leaves out
BLOCKS = re.findall(r"```\n\$ convatlas ([^\n]*)\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL)
[CODE] = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), BLOCKS)
def test_the_page_shows_what_is_printed(command, shown, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", COLUMNS)
    assert run(command.split()) == 0
    printed = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    for part in filter(None, (part.strip("\n") for part in shown.split(MORE))):
        assert part in printed


def test_no_block_is_missed():
    assert len(BLOCKS) == PAGE.read_text("utf-8").count("\n$ ") == 4


def test_the_code_answers_what_it_says():
    scope: dict = {}
    checked = 0
    for line in CODE.splitlines():
        expression, _, told = line.partition("#")
        if re.match(r"found = |import ", expression):
            exec(expression, scope)
        elif figures := re.match(r"\s*(\(.*\)|[\d.]+)", told):
            value = eval(expression, scope)
            expected = eval(figures[1])
            assert (value if isinstance(expected, tuple) else round(value, 4)) == expected
            checked += 1
    assert checked == 3
