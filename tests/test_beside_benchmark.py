"""`python -m benchmarks.beside`: a command that became slower is found."""

import sys

import pytest

from benchmarks import beside
from convatlas.timing import summarised


def checkout(folder, seconds):
    """A program that takes so long."""
    package = folder / "convatlas"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(f"import time\ntime.sleep({seconds})\n")
    return beside.Checkout(folder, folder / "place")


@pytest.mark.parametrize(("ours", "theirs", "slower"), [(0.3, 0.0, True), (0.0, 0.3, False)])
def test_a_slower_command_is_found(tmp_path, ours, theirs, slower):
    found = beside.measured(
        "start", checkout(tmp_path / "ours", ours), checkout(tmp_path / "theirs", theirs), 5
    )
    assert beside.is_slower(found) is slower
    assert ("SLOWER" in beside.line("start", found)) is slower


def test_a_busy_moment_is_no_slower_command():
    calm, disturbed = summarised([1.0] * 7), summarised([1.0, 1.0, 1.0, 1.5, 1.5, 1.5, 1.5])
    assert not beside.is_slower({"ours": disturbed, "theirs": calm})
    assert beside.is_slower({"ours": summarised([1.04] * 7), "theirs": calm})
    assert not beside.is_slower({"ours": summarised([1.02] * 7), "theirs": calm})


def test_a_command_that_fails_says_what_it_said(tmp_path):
    one = checkout(tmp_path / "ours", 0)
    (tmp_path / "ours" / "convatlas" / "__main__.py").write_text("raise SystemExit('no such run')")
    with pytest.raises(SystemExit, match=r"eval .*: no such run"):
        beside.JOBS["eval"](one)


def test_a_folder_that_is_no_checkout(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["beside", str(tmp_path)])
    with pytest.raises(SystemExit):
        beside.main()
    assert "is no checkout; git worktree add" in capsys.readouterr().err
