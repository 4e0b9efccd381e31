"""The command line: arguments in, text out. Nothing is decided here, and torch is imported by the
verb that needs it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 75 stopped and resumable.
"""

import io
import os
import sys

from cyclopts import App, CycloptsError

import convatlas
from convatlas.cli import atlas, checking, checkpoints, differences, evaluation, recipes, runs
from convatlas.errors import FAILED, WRONG_USAGE, Error

app = App(
    name="convatlas",
    help="The classic convolutional networks, exactly as their papers printed them.",
    version=convatlas.__version__,
    version_flags=["--version"],
    help_on_error=False,
)
app.command(atlas.list_, name="list")
app.command(atlas.show)
app.command(atlas.verify)
app.command(differences.diff)
app.command(checkpoints.convert)
app.command(checking.check_data, name="check-data")
app.command(runs.train)
app.command(evaluation.eval_, name="eval")
app.command(runs.predict)
app.command(recipes.recipes)


def main(words: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not every one knows every letter: Windows' pipes
            stream.reconfigure(errors="backslashreplace")
    if "RANK" in os.environ:
        _run_as(int(os.environ["RANK"]), words, debug)
    sys.exit(run(words, debug))


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
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(words: list[str], debug: bool = False) -> int:
    """One command; its exit code. Every failure is one sentence on standard error, with a traceback
    only if asked.
    """
    words = [_at_home(word) for word in words]
    try:
        return app(words, exit_on_error=False, print_error=False, result_action="return_value") or 0
    except BrokenPipeError:  # the reader of our output, head or less, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _say("interrupted", FAILED)
    except Exception as error:
        if debug:
            raise
        sentence, code = _explain(error)
        return (
            code if getattr(error, "quiet", False) else _say(sentence, code)
        )  # quiet: another process says it


def _at_home(word: str) -> str:
    """~/runs and --output=~/runs as paths, wherever the shell leaves them as they are."""
    flag, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
    return flag + equals + os.path.expanduser(value)


def _explain(error: Exception) -> tuple[str, int]:
    """The sentence and the exit code for what went wrong."""
    if isinstance(error, Error):
        return str(error), error.exit_code
    if isinstance(error, CycloptsError):
        return str(error), WRONG_USAGE
    if isinstance(error, ValueError):
        return str(error), FAILED
    return f"{type(error).__name__}: {error} (--debug shows where)", FAILED


def _say(sentence: str, code: int) -> int:
    print(f"convatlas: {sentence}", file=sys.stderr)
    return code
