"""Where a program's words go: a full disk, a closed stream, a reader or a terminal that has left.
Real processes with real streams; a run is on disk whatever becomes of them.
"""

import errno
import io
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ranks import SMALL, weights
from rich.console import Console

import convatlas
from convatlas.cli import output
from convatlas.errors import RunError
from convatlas.training import train
from convatlas.training.callbacks import Callback, Guarded
from convatlas.training.progress import Bar, Lines

TRAIN = "train lenet1989 --data digits --epochs 2 -b 256 --output"
HIDDEN_CURSOR = b"\33[?25l"
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def shell(line: str, **variables: str) -> subprocess.CompletedProcess:
    words = ["bash", "-o", "pipefail", "-c", line.replace("convatlas", "$PYTHON -m convatlas", 1)]
    environment = os.environ | {"PYTHON": sys.executable} | variables
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirected", "why"),
    [
        pytest.param("> /dev/full", "No space left on device", marks=FULL),
        pytest.param("> /dev/full 2> /dev/full", "", marks=(FULL, pytest.mark.full)),
        pytest.param(">&-", "", marks=pytest.mark.full),
        (">&- 2>&- <&-", ""),
        ("| head -1", "Broken pipe"),
    ],
)
def test_a_run_whose_output_goes_away_ends_well_and_is_on_disk(redirected, why, tmp_path):
    done = shell(f"convatlas {TRAIN} {tmp_path / 'run'} {redirected}")
    said = [line for line in done.stderr.splitlines() if line]
    assert done.returncode == 0, done.stderr
    warning = f"convatlas: warning: standard output cannot be written ({why}); the run goes on"
    assert said == ([warning] if why else [])
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["epochs"] == 2
    assert convatlas.load_model(tmp_path / "run").network == "lenet1989"


@pytest.mark.slow
def test_a_terminal_that_is_closed_does_not_end_the_run(tmp_path):
    """As a window that is closed, for a program that was told to outlive it."""
    ours, theirs = pty.openpty()
    train = TRAIN.replace("--epochs 2", "--epochs 20")  # longer than it takes to close the window
    words = [sys.executable, "-m", "convatlas", *train.split(), str(tmp_path / "run")]
    process = subprocess.Popen(words, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    seen = b""
    while HIDDEN_CURSOR not in seen:  # the bar is there, and takes what is printed
        seen += os.read(ours, 100)
    os.close(ours)
    _, error = process.communicate(timeout=120)
    assert seen.startswith(b"lenet1989, ")
    assert process.returncode == 0, error
    assert error.startswith("convatlas: warning: standard output cannot be written (")
    assert error.count("\n") == 1
    assert (tmp_path / "run" / "metrics.json").exists()


@FULL
@pytest.mark.parametrize("words", ["list", "show lenet5", "--help", "recipes modern", "list -h"])
def test_an_answer_that_finds_no_room_is_one_sentence_and_exit_code_1(words):
    done = shell(f"convatlas {words} > /dev/full")
    assert done.returncode == 1
    assert done.stderr == (
        "convatlas: standard output cannot be written (No space left on device); it is cut off\n"
    )


@pytest.mark.parametrize("redirected", [">&-", ">&- 2>&-", "2>&-", "<&-"])
def test_streams_that_are_closed_from_the_start_are_no_error(redirected):
    done = shell(f"convatlas recipes --json {redirected}")
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout != "") == (">&-" not in redirected.replace("2>&-", ""))


@pytest.mark.parametrize("width", ["0", "-5", "wide", ""])
def test_a_width_that_cannot_be_is_not_taken_for_one(width):
    done = shell("convatlas --help", COLUMNS=width)
    assert (done.returncode, done.stderr) == (0, "")
    assert "128 and the signal" in " ".join(done.stdout.split())


def test_an_error_goes_to_standard_error_or_nowhere(capsys, monkeypatch):
    """print(file=None) would put it among the answers."""
    monkeypatch.setattr(sys, "stderr", None)
    output.say_error("convatlas: an error")
    Lines().warn("a warning")
    assert capsys.readouterr().out == ""


class FullDisk(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_only_a_failure_of_standard_output_is_called_one():
    stream = output.Output(io.BufferedWriter(FullDisk()), encoding="utf-8")
    with pytest.raises(output.OutputLost, match="No space left"):
        print("word", file=stream, flush=True)
    stream.buffer.raw.write = len  # so that its end is quiet
    stream.flush()


class Failing(Callback):
    """Fails wherever it is called; the run must not."""

    def __init__(self):
        self.calls: list[str] = []
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


def _fails(method: str):
    def fail(self, *_) -> None:
        self.calls.append(method)
        raise ConnectionError(f"the tracker is down in {method}")

    return fail


for _method in ("begin", "preparing", "tried", "step", "epoch", "end"):
    setattr(Failing, _method, _fails(_method))


def test_a_callback_that_fails_everywhere_is_warned_of_once_a_method_and_costs_no_bit(tmp_path):
    callback = Failing()
    train(SMALL, tmp_path / "failing", callback=callback)
    train(SMALL, tmp_path / "whole", callback=Callback())
    assert weights(tmp_path / "failing") == weights(tmp_path / "whole")
    told = [text for text in callback.warned if text.startswith("Failing.")]
    assert [text.split(" ")[0] for text in told] == [
        f"Failing.{method}" for method in ("begin", "step", "epoch", "end")
    ]
    assert told[1] == (
        "Failing.step failed (ConnectionError: the tracker is down in step); training goes on "
        "without it"
    )
    assert callback.calls.count("step") == 8


def test_a_callback_whose_warning_fails_is_told_of_on_standard_error(capsys):
    class Mute(Callback):
        def warn(self, text: str) -> None:
            raise RuntimeError("mute")

    guarded = Guarded(Mute())
    guarded.warn("first")
    guarded.warn("second")
    assert capsys.readouterr().err == (
        "convatlas: warning: Mute.warn failed (RuntimeError: mute); training goes on without it\n"
    )


@pytest.mark.parametrize("error", [RunError("enough"), KeyboardInterrupt(), SystemExit(3)])
def test_a_callback_can_end_a_run_on_purpose(error, tmp_path):
    class Ending(Callback):
        def epoch(self, record: dict) -> None:
            raise error

    with pytest.raises(type(error)):
        train(SMALL, tmp_path, callback=Ending())
    assert not (tmp_path / "metrics.json").exists()


def test_a_bar_has_no_thread_whose_failure_nobody_could_catch(monkeypatch):
    bar = Bar()
    bar.console = Console(file=io.StringIO(), force_terminal=True, markup=False)
    bar.bar.live.console = bar.console
    before = threading.active_count()
    bar.bar.start()
    assert threading.active_count() == before
    bar.bar.stop()


def test_rich_does_not_leave_the_program_when_its_reader_has_left():
    class Left(io.StringIO):
        def write(self, _) -> int:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    bar = Bar()
    bar.console.file = Left()
    warned: list[str] = []
    bar.warn = warned.append
    bar.print("a line")
    bar.print("another")
    assert warned == ["standard output cannot be written (Broken pipe); the run goes on"]
