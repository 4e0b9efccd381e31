"""Signals where nothing is there to be saved, and a closed terminal at any moment. Those inside of
a save, a step and evaluation are in test_signals.py.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from ranks import SMALL, weights

from convatlas import interruption
from convatlas.cli import run
from convatlas.data import survey
from convatlas.errors import Error, Stopped
from convatlas.training import prepare, train
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import load_newest
from convatlas.training.signals import StopRequest

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def in_a_child(work: Callable[[], int]) -> tuple[int, str]:
    """The exit code of a process that does the work, and what it says on standard error."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(theirs, 2)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        code = 99
        try:
            code = work()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(theirs)
    with open(ours, encoding="utf-8") as said:
        text = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def interrupted(number: int, words: list[str], where: object, what: str) -> tuple[int, str]:
    """A command that gets the signal in the place of where.what."""

    def work() -> int:
        interruption.listen()
        setattr(where, what, lambda *_, **__: signal.raise_signal(number))
        return run(words)

    return in_a_child(work)


@pytest.mark.parametrize("number", ALL)
def test_a_signal_before_the_first_step_is_a_sentence_and_128_with_its_number(number, tmp_path):
    words = ["train", "lenet1989", "--output", str(tmp_path / "run")]
    code, said = interrupted(number, words, prepare, "open_data")
    assert code == 128 + number
    assert said == f"convatlas: interrupted by {number.name}; nothing new was saved\n"
    assert not (tmp_path / "run").exists()


def test_a_signal_in_another_command_too(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.new("L", (9, 9)).save(tmp_path / name / "0.png")
    code, said = interrupted(signal.SIGINT, ["check-data", str(tmp_path)], survey, "stream")
    assert (code, said) == (130, "convatlas: interrupted by SIGINT; nothing new was saved\n")


@pytest.mark.parametrize("number", ALL)
def test_a_signal_while_the_program_is_still_being_imported_has_its_sentence(number, tmp_path):
    (tmp_path / "cyclopts.py").write_text(
        f"import os, time\nos.kill(os.getpid(), {int(number)})\ntime.sleep(60)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(interruption.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "list"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 128 + number
    assert done.stderr == f"convatlas: interrupted by {number.name}; nothing new was saved\n"


def test_an_import_that_takes_the_interruption_for_its_own_failure_is_no_excuse(tmp_path):
    """As extension modules do, which turn any exception into an ImportError."""

    def fail(*_, **__):
        try:
            signal.raise_signal(signal.SIGTERM)
        except interruption.Interrupted:
            raise ImportError("numpy cannot be imported") from None

    def work() -> int:
        interruption.listen()
        prepare.open_data = fail
        return run(["train", "lenet1989", "--output", str(tmp_path / "run")])

    code, said = in_a_child(work)
    assert (code, said) == (143, "convatlas: interrupted by SIGTERM; nothing new was saved\n")


def test_a_signal_in_a_destructor_is_not_lost():
    class Slow:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def work() -> int:
        interruption.listen()
        Slow()
        time.sleep(60)
        return 0

    assert in_a_child(work) == (130, "convatlas: interrupted by SIGINT; nothing new was saved\n")


def test_a_second_signal_leaves_at_once():
    def work() -> int:
        interruption.listen()
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
        return 0

    assert in_a_child(work)[0] == 143


def test_when_all_is_done_a_signal_changes_nothing():
    def work() -> int:
        interruption.be_deaf()
        for number in ALL:
            signal.raise_signal(number)
        return 7

    assert in_a_child(work) == (7, "")


def test_what_nohup_ignores_stays_ignored(tmp_path):
    """In the program's first lines and in the loop: it trains on when its terminal is closed."""

    def work() -> int:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        interruption.listen()
        signal.raise_signal(signal.SIGHUP)
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            heard = stop.name
        kept = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        return 0 if heard is None and kept else 1

    assert in_a_child(work) == (0, "")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(SMALL.change(epochs=12), folder, callback=Callback())
    return folder


def hung_up(folder: Path, after: float) -> int:
    """The exit code of a run whose terminal is closed so many seconds after its first step."""

    class HangingUp(Callback):
        def begin(self, facts: dict) -> None:
            hang_up = threading.Timer(after, os.kill, (os.getpid(), signal.SIGHUP))
            hang_up.daemon = True
            hang_up.start()

    def work() -> int:
        interruption.listen()
        try:
            train(SMALL.change(epochs=12), folder, callback=HangingUp())
        except Error as error:
            return error.exit_code
        return 0

    return in_a_child(work)[0]


@pytest.mark.parametrize(
    "number", [*range(4), *(pytest.param(n, marks=pytest.mark.full) for n in range(4, 20))]
)
def test_a_closed_terminal_at_a_random_moment_is_saved_and_costs_no_bit(number, whole, tmp_path):
    code = hung_up(tmp_path, random.Random(number).uniform(0, 1))
    assert code in (0, Stopped.exit_code)
    assert (tmp_path / "metrics.json").exists() == (code == 0)
    assert load_newest(tmp_path / "checkpoints", pytest.fail).step >= 1
    train(SMALL.change(epochs=12), tmp_path, resume=True, callback=Callback())
    assert weights(tmp_path) == weights(whole)
