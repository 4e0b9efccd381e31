"""The notebook of the first hour is run from its first cell to its last, and its cells say what
they promise.
"""

import ast
import json
from functools import cache
from pathlib import Path

import pytest

import convatlas

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "first_hour.ipynb"


def cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def code() -> list[str]:
    return ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]


@cache
def values() -> list[object]:
    """What each cell shows: the value of its last line, None where that is no expression."""
    scope: dict = {}
    shown = []
    for source in code():
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), scope)
        line = last and compile(ast.Expression(last.value), "cell", "eval")
        shown.append(eval(line, scope) if line else None)
    return shown


def value(part: str) -> object:
    """What the one cell shows whose code has this in it."""
    (found,) = [shown for source, shown in zip(code(), values(), strict=True) if part in source]
    return found


def test_it_is_kept_without_outputs():
    kept = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in kept)
    assert len({cell["id"] for cell in cells()}) == len(cells())


def test_its_cells_run_and_say_what_they_promise():
    assert "resnet50" in value("list_models")
    assert value("summary(lenet)").macs == 326_520
    assert "94.9 %" in value('cost("mobilenet_v1")')
    assert "<svg" in value("convatlas.draw(")._repr_svg_()
    assert "stride 2" in str(value("convatlas.diff("))
    assert {check.status for check in value("convatlas.verify(")} == {"misprint"}
    assert "lenet5_tutorial" in str(value("convatlas.identify("))


@pytest.mark.slow
def test_the_run_of_the_notebook_is_finished_and_looked_at():
    assert value("convatlas.train(") > 0.5
    assert {"recipe.toml", "log.jsonl", "model.safetensors"} <= set(value("RUN.iterdir"))
    assert "7" in str(value("convatlas.predict("))
    shape, largest = value("convatlas.explain(")
    assert len(shape) == 2
    assert 0 < largest <= 1


def test_every_verb_that_it_uses_is_there():
    used = {
        node.attr
        for source in code()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "convatlas"
    }
    assert len(used) >= 10
    assert used <= set(convatlas.__all__)
