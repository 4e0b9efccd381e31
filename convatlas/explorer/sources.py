"""The code of each network, and which of its lines name a unit: read as text, never run."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from convatlas import registry

NETS = Path(__file__).parent.parent / "nets"
FEW = 4  # lines that a unit lights


def files() -> dict[str, Callable[[], bytes]]:
    families = {facts["family"] for facts in registry.stored_facts().values()}
    return {where(family): partial(_text, family) for family in sorted(families | _parents())}


def where(family: str) -> str:
    return f"data/sources/{family}.py.txt"


def lines(family: str, unit: str) -> tuple[str, list[int]]:
    """The file, the network's own or one that it builds on, and its lines, from 1, that name the
    unit: its own name, or the stage's where that is a number. No lines where none does.
    """
    name = next((part for part in reversed(unit.split(".")) if not part.isdigit()), unit)
    for file in (family, *parents(family)):
        exact = [line for line, pattern in _named(file) if pattern == name]
        formed = [
            line
            for line, pattern in _named(file)
            if not isinstance(pattern, str) and pattern.fullmatch(name)
        ]
        if found := exact or formed:
            return file, sorted(set(found))[:FEW]
    return family, []


@cache
def rounded_up(family: str) -> frozenset[tuple[str, int, int]]:
    """The pools whose sizes are rounded up (ceil_mode=True) in the file or those it builds on:
    class, kernel, stride. A layer table does not say so where the printed size divides evenly.
    """
    found = set()
    for file in (family, *parents(family)):
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Call) and _rounds_up(node):
                found |= _pool(node)
    return frozenset(found)


def _rounds_up(node: ast.Call) -> bool:
    return any(
        word.arg == "ceil_mode" and getattr(word.value, "value", False) is True
        for word in node.keywords
    )


def _pool(node: ast.Call) -> set[tuple[str, int, int]]:
    """What `nn.MaxPool2d(3, stride=2, ...)` makes, where its numbers are written out."""
    given = [*node.args, *(word.value for word in node.keywords if word.arg == "stride")]
    sizes = [each.value for each in given[:2] if isinstance(each, ast.Constant)]
    kind = getattr(node.func, "attr", "")
    return {(kind, sizes[0], sizes[-1])} if sizes and len(sizes) == len(given[:2]) else set()


@cache
def parents(family: str) -> tuple[str, ...]:
    """The files of nets that it imports from, and theirs."""
    found: list[str] = []
    for node in ast.walk(_tree(family)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("convatlas.nets."):
            parent = node.module.rpartition(".")[2]
            found += [parent, *parents(parent)]
    return tuple(dict.fromkeys(found))


def _parents() -> set[str]:
    families = {facts["family"] for facts in registry.stored_facts().values()}
    return {parent for family in families for parent in parents(family)}


@cache
def _named(family: str) -> tuple[tuple[int, str | re.Pattern], ...]:
    """Every name that the text gives, or the pattern of those it forms, with its line."""
    return tuple(_names(_tree(family)))


def _names(tree: ast.AST) -> Iterator[tuple[int, str | re.Pattern]]:
    told: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _lists_names(node):
            told |= {each.lineno for each in ast.walk(node.value) if hasattr(each, "lineno")}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.lineno not in told:
                yield node.lineno, node.value
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.value.lineno, node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.JoinedStr) and (pattern := _pattern(node)):
            yield node.lineno, pattern


def _lists_names(node: ast.Assign) -> bool:
    """`stages = (...)` and `cam_path = ...`, which only repeat names."""
    return any(isinstance(to, ast.Name) and to.id in ("stages", "cam_path") for to in node.targets)


def _pattern(node: ast.JoinedStr) -> re.Pattern | None:
    """f"conv{n}_x" as a pattern; None for one that has no letter of its own."""
    parts = [
        re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in node.values
    ]
    own = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    return re.compile("".join(parts)) if re.search("[A-Za-z]", own) else None


def _text(family: str) -> bytes:
    return (NETS / f"{family}.py").read_bytes()


@cache
def _tree(family: str) -> ast.AST:
    return ast.parse(_text(family))
