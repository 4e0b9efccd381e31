"""The networks that a module of somebody's code holds: named by the caller, or whatever of its own
classes, functions and objects gives one without arguments.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType

import torch
from torch import nn

from convatlas.anatomy.habits import Habits
from convatlas.errors import IdentifyError
from convatlas.identification.sizes import first_that_runs, sizes_of
from convatlas.wiring import Graph

MOST = 24  # networks of one file
NAMED = 8  # of what a file defines, in a sentence


@dataclass(frozen=True)
class Made:
    """A network, and the call that gives it."""

    call: str
    net: nn.Module

    def sizes(self) -> list[tuple[int, ...]]:
        return sizes_of(self.net)

    def traced(self, sizes: list[tuple[int, ...]]) -> tuple[Graph, Habits]:
        """At the first of these sizes that it runs on; of none, of its own."""
        graph = first_that_runs(self.net, sizes or self.sizes())
        return graph, Habits.of(self.net, graph)


def networks(module: ModuleType, call: str, shown: str) -> tuple[list[Made], list[str]]:
    """The networks, and a sentence for each thing that may be one but wants arguments or fails.

    Raises IdentifyError where there is none.
    """
    torch.manual_seed(0)
    if call:
        return [Made(call, _called(module, call, shown))], []
    found, passed = [], []
    for name, thing in _candidates(module):
        if len(found) == MOST:
            passed.append(f"more than {MOST} networks; name those that you mean")
            break
        try:
            if missing := _missing(thing):
                passed.append(f"{name} wants {missing}")
                continue
            net = thing if isinstance(thing, nn.Module) else thing()
        except Exception as error:
            passed.append(f"{name} fails ({type(error).__name__})")
            continue
        if isinstance(net, nn.Module):
            found.append(Made(name if net is thing else f"{name}()", net))
    if found := _outermost(found):
        return found, passed
    reason = "; ".join(passed[:NAMED]) or "it defines no torch.nn.Module"
    remedy = f"; give them: `convatlas identify '{shown}:NAME(...)'`" if "wants" in reason else ""
    raise IdentifyError(f"no network of it can be made without arguments: {reason}{remedy}")


def _called(module: ModuleType, call: str, shown: str) -> nn.Module:
    name = call.partition("(")[0].strip()
    thing = module
    for part in name.split("."):
        if not hasattr(thing, part):
            raise IdentifyError(f"it has no {name}; it defines {_listed(module)}")
        thing = getattr(thing, part)
    if "(" in call:
        thing = eval(call, vars(module))  # the caller's own words, beside code that is run anyway
    elif not isinstance(thing, nn.Module) and callable(thing):
        if missing := _missing(thing):
            raise IdentifyError(
                f"{name} wants {missing}; give them: `convatlas identify '{shown}:{name}(...)'`"
            )
        thing = thing()
    if isinstance(thing, nn.Module):
        return thing
    raise IdentifyError(
        f"{name} is no network but {_a(type(thing).__name__)}; it defines {_listed(module)}"
    )


def _a(word: str) -> str:
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"


def _listed(module: ModuleType) -> str:
    names = [name for name, _ in _candidates(module)]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "") or "no network"


def _missing(thing) -> str:
    """The arguments that it cannot be called without: "block and num_blocks"."""
    if isinstance(thing, nn.Module):
        return ""
    needed = [
        parameter.name
        for parameter in inspect.signature(thing).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    return " and ".join([", ".join(needed[:-1]), needed[-1]] if len(needed) > 1 else needed)


def _candidates(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Objects, functions and classes of this module, in this order, that may be networks. Of its
    functions only those that return what one of them makes: none that trains is called.
    """
    own = {
        name: value
        for name, value in list(vars(module).items())
        if not name.startswith("__")
        and (isinstance(value, nn.Module) or getattr(value, "__module__", "") == module.__name__)
    }
    classes = {
        name: value
        for name, value in own.items()
        if isinstance(value, type) and issubclass(value, nn.Module)
    }
    functions = {name: value for name, value in own.items() if isinstance(value, FunctionType)}
    yield from ((name, value) for name, value in own.items() if isinstance(value, nn.Module))
    yield from ((name, functions[name]) for name in _giving(functions, {*classes, "Sequential"}))
    yield from classes.items()


def _giving(functions: dict[str, FunctionType], makers: set[str]) -> list[str]:
    """The functions all of whose values are a call of one of the makers, or of such a function."""
    trees = {}
    for name, function in functions.items():
        try:
            trees[name] = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        except (OSError, TypeError, SyntaxError, IndexError):
            continue
    found: set[str] = set()
    while new := {name for name in trees.keys() - found if _gives(trees[name], {*makers, *found})}:
        found |= new
    return [name for name in functions if name in found]


def _gives(tree: ast.AST, makers: set[str]) -> bool:
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def makes(value) -> bool:
        if isinstance(value, ast.Name) and value.id in assigned:
            value = assigned[value.id]
        if not isinstance(value, ast.Call):
            return False
        called = value.func
        word = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        return word in makers

    return bool(returned) and all(map(makes, returned))


def _outermost(found: list[Made]) -> list[Made]:
    """Without those whose class is a part of another one, or is what a function gives as well."""
    kinds = {type(made.net) for made in found if made.call.removesuffix("()") != _kind(made)}
    parts = {
        type(part)
        for made in found
        for part in made.net.modules()
        if part is not made.net and type(part) is not type(made.net)
    }
    general = (nn.Sequential, nn.ModuleList)
    return [
        made
        for made in found
        if isinstance(made.net, general)
        or not (type(made.net) in parts or (_is_class(made) and type(made.net) in kinds))
    ]


def _kind(made: Made) -> str:
    return type(made.net).__name__


def _is_class(made: Made) -> bool:
    return made.call == f"{_kind(made)}()"
