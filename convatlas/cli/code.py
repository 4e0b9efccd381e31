"""A network out of somebody's code, in this process: FILE.py:NAME or
package.module:NAME(arguments).
"""

import importlib
import importlib.util
import sys
from pathlib import Path

from convatlas.cli.identifying import sizes_asked
from convatlas.cli.output import say_error
from convatlas.errors import DrawingError, Error, IdentifyError
from convatlas.printable import printable


def module_at(word: str, verb: str):
    """The torch.nn.Module that the word names, after the code has run. Raises DrawingError, whose
    remedy is a command with this verb.
    """
    from convatlas.identification import target

    try:
        wanted = target.parse(word)
    except IdentifyError as error:
        raise DrawingError(_spoken(error, verb)) from None
    if wanted.kind not in ("file", "module") or not wanted.call:
        raise DrawingError(
            f"{printable(word)} is no code of a network; give FILE.py:NAME, such as net.py:ResNet18"
        )
    say_error("note: the code that is given is run")
    from convatlas.identification import makers

    try:
        made, _ = makers.networks(_run(wanted), wanted.call, wanted.path)
    except Error as error:
        raise DrawingError(f"{printable(word)}: {_spoken(error, verb)}") from None
    except Exception as error:  # code of anybody's may raise anything
        said = " ".join(str(error).split())
        raise DrawingError(
            f"{printable(word)}: {type(error).__name__}: {printable(said)}"
        ) from None
    return made[0].net


def _spoken(error: Error, verb: str) -> str:
    return str(error).replace("convatlas identify", f"convatlas {verb}")


def _run(wanted):
    """The module of the file or of the name. Files beside it can be imported, as where it is run
    itself.
    """
    if wanted.kind == "module":
        sys.path.insert(0, "")
        return importlib.import_module(wanted.path)
    file = Path(wanted.path)
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(f"drawn_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def size_of(net, size: str | None) -> tuple[int, ...]:
    """(C, H, W): the first that the network runs on of those that were asked for, or else that are
    usual.
    """
    from convatlas.identification.sizes import first_that_runs, sizes_of

    sizes = sizes_asked(size) or sizes_of(net)
    try:
        graph = first_that_runs(net, sizes)
    except IdentifyError as error:
        raise DrawingError(str(error)) from None
    return tuple(graph.size)
