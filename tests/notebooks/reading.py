"""A notebook: its cells, and what they show when they are run one after the other."""

import ast
import contextlib
import io
import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"


def cells(name: str) -> list[dict]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))["cells"]


def code(name: str) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "code"]


def is_kept_without_outputs(name: str) -> bool:
    kept = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    fresh = all(cell["outputs"] == [] and cell["execution_count"] is None for cell in kept)
    return fresh and len({cell["id"] for cell in cells(name)}) == len(cells(name))


def run(sources: list[str]) -> list[tuple[object, str]]:
    """What each cell shows: the value of its last line, None where that is no expression; and what
    it prints.
    """
    scope: dict = {}
    shown = []
    for source in sources:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(tree, "cell", "exec"), scope)
            line = last and compile(ast.Expression(last.value), "cell", "eval")
            value = eval(line, scope) if line else None
        shown.append((value, printed.getvalue()))
    return shown


def verbs(sources: list[str]) -> set[str]:
    """The names of convatlas that the cells use."""
    return {
        node.attr
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "convatlas"
    }
