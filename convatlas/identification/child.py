"""The process that runs other people's code: `python -m convatlas.identification.child`, which only
`running.py` starts. It answers in lines of JSON on the stream that was its standard output, and
that code has neither that stream nor an input.

Limits on time, memory and what it may write keep a slip from harming the caller. They are no
sandbox: what the code may do on this machine, it can do.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path

MOST_SAID = 400  # letters of an error


def main() -> None:
    """Open what the first line of the input names; then a graph for each line that asks for one."""
    order = json.loads(sys.argv[1])
    asked, answers = _streams()
    _limit(order["memory"])
    gc.disable()  # it ends soon, and looking for garbage takes a sixth of the imports
    try:
        found, passed = _networks(order)
    except BaseException as error:
        _say(answers, {"error": explained(error, order)})
        return
    _say(answers, {"found": [made.call for made in found], "passed": passed})
    for line in asked:
        _say(answers, _graph(found, json.loads(line), order))


def _streams():
    """What we are asked and where we answer; the standard streams lead nowhere from here on."""
    asked, answers = (os.fdopen(os.dup(n), mode) for n, mode in ((0, "r"), (1, "w")))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return asked, answers


def _limit(memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # a system that sets no limits
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**24, 2**24))


def _networks(order: dict) -> tuple[list, list[str]]:
    if order["kind"] == "onnx":
        from convatlas.identification.onnx_module import Exported, OnnxNetwork

        return [Exported("", OnnxNetwork(order["target"]))], []
    sys.path[:] = [*order["path"], *sys.path]
    module = _namespace(order)
    from convatlas.identification import makers  # with torch, which not all code needs

    return makers.networks(module, order["call"], order["shown"])


def _namespace(order: dict):
    """The module of that file, or of that name, after its code has run."""
    sys.argv = [order["shown"]]
    if order["kind"] == "module":
        return importlib.import_module(order["target"])
    file = Path(order["target"])
    name = file.stem if file.stem.isidentifier() and file.stem not in sys.modules else "the_file"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _graph(found: list, wanted: dict, order: dict) -> dict:
    """The graph of a network at the first size that it runs on, and which that is."""
    try:
        from convatlas.identification.graph_json import dumped

        sizes = [tuple(size) for size in wanted["sizes"]]
        graph, habits = found[wanted["network"]].traced(sizes)
        return {"graph": dumped(graph), "habits": habits.to_record()}
    except BaseException as error:
        return {"error": explained(error, order)}


def _say(answers, value: dict) -> None:
    print(json.dumps(value), file=answers, flush=True)


def explained(error: BaseException, order: dict) -> str:
    """One sentence on what code of others, or the search for a network in it, ran into."""
    try:
        return _explained(error, order)
    except BaseException:  # an exception of theirs may raise where it is to say itself
        return f"it raises {type(error).__name__}"


def _explained(error: BaseException, order: dict) -> str:
    from convatlas.errors import IdentifyError

    said = " ".join(str(error).split())
    said = said if len(said) <= MOST_SAID else f"{said[:MOST_SAID]} ..."
    if isinstance(error, IdentifyError):
        return said
    where = _where(error, order)
    if isinstance(error, SystemExit):
        return f"it ends the program{where}; put that under if __name__ == '__main__':"
    if isinstance(error, MemoryError) or "allocate memory" in said:
        return f"it wants more memory than the {order['memory'] / 1e9:.0f} GB that it is given"
    if isinstance(error, SyntaxError):
        return f"it is no Python that can be run: line {error.lineno}: {error.msg}"
    if isinstance(error, ModuleNotFoundError):
        return f"it imports {error.name}{where}, which is not installed here"
    return f"{type(error).__name__}{where}: {said}"


def _where(error: BaseException, order: dict) -> str:
    """The last line of their file on the way to the error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == order["target"]]
    return f" in line {lines[-1]}" if lines else ""


if __name__ == "__main__":
    main()
