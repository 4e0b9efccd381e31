"""What a person sees of a study: lines in a pipe, bars on a terminal."""

import io

import pytest
from rich.console import Console
from runs_of_a_study import make, planned, seeds

from convatlas.study import bars, plan, watching


@pytest.fixture
def study(tmp_path):
    planned(tmp_path / "study", seeds(2), vary={"lr": 0.1})
    return tmp_path / "study"


def told(observer: watching.Observer, study) -> None:
    """One run is done, the other is killed, goes on, and fails."""
    first, second = plan.read(study)
    observer.begin([first, second], 0)
    observer.started(first)
    observer.started(second)
    observer.moved(first, 1, 3, 0.5)
    observer.tick()
    observer.ended(second, "again", "killed by SIGKILL")
    observer.ended(first, "trained")
    observer.started(second)
    observer.ended(second, "failed", "the loss became nan\x1b[2J")
    observer.tick()
    observer.end()


def test_a_pipe_gets_a_line_for_each_run_that_ends(study, capsys):
    told(watching.Lines(), study)
    first, second = plan.read(study)
    said = [row.partition("  ")[2] for row in capsys.readouterr().out.splitlines()]
    assert said == [
        f"0/2  {second.run} again: killed by SIGKILL",
        f"1/2  {first.run} trained",
        f"2/2  {second.run} failed: the loss became nan\\x1b[2J",
    ]


def test_a_terminal_shows_each_run_that_is_at_work_and_the_time_to_go(study, monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(bars, "Console", lambda **options: console)
    make(study, plan.read(study)[0], [0.4, 0.5])
    told(bars.Bars(study), study)
    shown = screen.getvalue()
    assert "lenet5 digits seed 0 lr=0.1" in shown and "lenet5 digits seed 1 lr=0.1" in shown
    assert "epoch 1/3  val 50.00 %" in shown
    assert "0/2  about 8.0 s to go" in shown  # two seconds an epoch, four epochs are left
    assert "failed: the loss became nan\\x1b[2J" in shown


def test_an_output_that_is_gone_stops_nothing(study, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    told(watching.Lines(), study)
    assert type(watching.observer(study)) is watching.Lines
