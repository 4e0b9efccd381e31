"""Training and eval say so where nothing was learnt."""

import pytest

from convatlas.cli import run as convatlas

COMMON = ["lenet1989", "--data", "digits", "--epochs", "1", "-b", "256", "--warmup-epochs", "0"]


@pytest.mark.parametrize(("rate", "said"), [("1e-9", True), ("4e-3", False)])
def test_at_chance_is_said(tmp_path, capsys, rate, said):
    run = str(tmp_path / "run")
    assert convatlas(["train", *COMMON, "--lr", rate, "--output", run]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("at chance: ") for line in lines) is said
    assert convatlas(["eval", run]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  at chance: ") for line in lines) is said
