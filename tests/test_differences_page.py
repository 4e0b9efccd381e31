"""docs/differences.md: what it shows of commands is what they print, and its code runs."""

import re
from pathlib import Path

import pytest

import convatlas
from convatlas.cli import run

PAGE = (Path(__file__).parents[1] / "docs" / "differences.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```console\n\$ convatlas (.+)\n((?:.*\n)+?)```", PAGE)


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("command", "shown"), SHOWN, ids=[command for command, _ in SHOWN])
def test_what_the_page_shows_is_what_is_printed(command, shown, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert run(command.split()) == 0
    assert lines(capsys.readouterr().out) == lines(shown)


def test_the_code_of_the_page_runs(capsys):
    (code,) = re.findall(r"```python\n((?:.*\n)+?)```", PAGE)
    exec(code, {"my_net": convatlas.create_model("resnet50_v15")})
    assert "conv3-5_x.0" in capsys.readouterr().out


def test_there_are_commands_on_the_page():
    assert [command.split()[0] for command, _ in SHOWN] == ["diff", "diff"]
