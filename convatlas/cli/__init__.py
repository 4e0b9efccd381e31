"""The command line: arguments in, text out. Nothing is decided here, and torch is imported by the
verb that needs it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 75 stopped and resumable; 129, 130 and 143 (128 and the
signal's number) interrupted by SIGHUP, SIGINT or SIGTERM with nothing to save.
"""

import contextlib
import os
import sys

from cyclopts import App, CycloptsError, Group, Parameter

import convatlas
from convatlas import interruption
from convatlas.cli import (
    adapting,
    atlas,
    benchmarks,
    checking,
    checkpoints,
    claims,
    compression,
    costs,
    differences,
    drawing,
    evaluation,
    examples,
    explaining,
    exploring,
    exporting,
    identifying,
    output,
    packing,
    publishing,
    rates,
    recipes,
    reports,
    runs,
    scaling,
    serving,
    studies,
    usage,
)
from convatlas.errors import FAILED, WRONG_USAGE, Error
from convatlas.printable import printable_lines
from convatlas.training import torchrun

COMMANDS = {  # in the order of work
    "The networks": {
        "list": atlas.list_,
        "show": atlas.show,
        "draw": drawing.draw,
        "cost": costs.cost,
        "diff": differences.diff,
        "identify": identifying.identify,
        "verify": claims.verify,
        "scale": scaling.scale,
        "explore": exploring.explore,
    },
    "Training and using one": {
        "recipes": recipes.recipes,
        "check-data": checking.check_data,
        "pack": packing.pack,
        "lr-find": rates.lr_find,
        "train": runs.train,
        "eval": evaluation.eval_,
        "predict": runs.predict,
        "explain": explaining.explain,
        "bench": benchmarks.bench,
    },
    "Which network is better": {
        "compare": studies.compare,
        "study": studies.study,
        "report": reports.report,
    },
    "Files of weights, and for other programs": {
        "export": exporting.export,
        "serve": serving.serve,
        "convert": checkpoints.convert,
        "compress": compression.compress,
        "netadapt": adapting.netadapt,
        "card": publishing.card,
        "push": publishing.push,
    },
}
app = App(
    name="convatlas",
    help="The classic convolutional networks, exactly as their papers printed them.",
    help_epilogue=examples.under(""),
    version=convatlas.__version__,
    version_flags=["--version"],
    help_on_error=False,
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=()),
)
for number, (title, commands) in enumerate(COMMANDS.items()):
    group = Group(title, sort_key=number)
    for name, function in commands.items():
        app.command(
            function,
            name=name,
            group=group,
            sort_key=list(commands).index(name),
            help_epilogue=examples.under(name),
        )
REST = Group("Help", sort_key=len(COMMANDS))
app["--help"].group = app["--version"].group = (REST,)
app.register_install_completion_command(
    group=REST, help="Let the Tab key complete commands and flags in this shell."
)


@app.command(name="help", group=REST, sort_key=-1)
def help_(command: str | None = None) -> int:
    """The help of a command; without one, what you see here.

    Parameters
    ----------
    command: str
        A command, such as train.
    """
    return run([command, "--help"] if command else ["--help"])


def main(words: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    output.open_streams()
    output.forget_impossible_width()
    rank = _rank() if words[:1] == ["train"] else None
    if rank is not None:
        _run_as(rank, words, debug)
    sys.exit(run(words, debug))


def _rank() -> int | None:
    """This process's number among those of torchrun; the run itself says what is wrong with it."""
    try:
        process = torchrun.launched()
    except Error:
        return None
    return process.rank if process else None


def _run_as(rank: int, words: list[str], debug: bool) -> None:
    """Run as one of several processes that torchrun started, of which the first one prints.

    torch would warn each of them that looking for unused parameters takes time; ProcessGroup.joined
    says why we look. A thread of gloo that wakes while the interpreter is being taken down aborts
    the process, so it is left at once.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if rank:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    code = run(words, debug)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def run(words: list[str], debug: bool = False) -> int:
    """One command; its exit code. Every failure is one sentence on standard error, with a traceback
    only if asked.
    """
    words = [_at_home(word) for word in words]
    try:
        words = usage.translated(app, words)
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()  # a reader that has left is met here, not while Python ends
        return code or 0
    except (BrokenPipeError, SystemExit) as left:
        if not _reader_left(left):
            raise
        return 0
    except output.OutputLost as error:
        return _say(f"standard output cannot be written ({error.strerror}); it is cut off", FAILED)
    except KeyboardInterrupt:
        return _say(*interruption.last_words())
    except Exception as error:
        if interruption.was_asked():
            return _say(*interruption.last_words())
        if debug:
            raise
        sentence, code = _explain(error)
        return (
            code if getattr(error, "quiet", False) else _say(sentence, code)
        )  # quiet: another process says it
    finally:
        output.settle()


def _at_home(word: str) -> str:
    """~/runs and --output=~/runs as paths, wherever the shell leaves them as they are."""
    flag, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return flag + equals + os.path.expanduser(value)


def _reader_left(error: BaseException) -> bool:
    """Whether the reader of our output, head or less, has read enough. rich turns that into an exit
    of its own with code 1.
    """
    return isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError)


def _explain(error: Exception) -> tuple[str, int]:
    """The sentence and the exit code for what went wrong."""
    if isinstance(error, Error):
        return str(error), error.exit_code
    if isinstance(error, CycloptsError):
        return usage.sentence(app, error), WRONG_USAGE
    if isinstance(error, ValueError):
        return str(error), FAILED
    return f"{type(error).__name__}: {error} (--debug shows where)", FAILED


def _say(sentence: str, code: int) -> int:
    output.say_error(f"convatlas: {printable_lines(sentence)}")
    return code
