"""The notebook of the first hour is run from its first cell to its last, and its cells say what
they promise.
"""

from functools import cache

import pytest
import reading

import convatlas

NOTEBOOK = "first_hour.ipynb"


@cache
def values() -> list[object]:
    return [shown for shown, _ in reading.run(reading.code(NOTEBOOK))]


def value(part: str) -> object:
    """What the one cell shows whose code has this in it."""
    sources = reading.code(NOTEBOOK)
    (found,) = [shown for source, shown in zip(sources, values(), strict=True) if part in source]
    return found


def test_it_is_kept_without_outputs():
    assert reading.is_kept_without_outputs(NOTEBOOK)


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
    used = reading.verbs(reading.code(NOTEBOOK))
    assert len(used) >= 10
    assert used <= set(convatlas.__all__)
