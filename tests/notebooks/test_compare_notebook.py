"""The notebook on comparing is run from its first cell to its last, shorter than it is, and its
cells say what they promise.
"""

import re

import pytest
import reading

import convatlas

NOTEBOOK = "compare.ipynb"
LENGTHS = {"SEEDS": 3, "EPOCHS": 1}


def shorter() -> list[str]:
    """Its cells, with fewer seeds and epochs."""
    text = "\0".join(reading.code(NOTEBOOK))
    for name, number in LENGTHS.items():
        text, changed = re.subn(rf"^{name} = \d+$", f"{name} = {number}", text, flags=re.MULTILINE)
        assert changed == 1
    return text.split("\0")


def test_it_is_kept_without_outputs():
    assert reading.is_kept_without_outputs(NOTEBOOK)


def test_every_verb_that_it_uses_is_there():
    used = reading.verbs(reading.code(NOTEBOOK))
    assert {"ConvClassifier", "compare", "report", "Recipe"} == used
    assert used <= set(convatlas.__all__)


def test_one_number_each_is_one_number_each():
    install, constants, scores, *_ = shorter()
    found, _ = reading.run([install, constants, scores])[-1]
    assert set(found) == {"lenet5", "lenet_caffe"}
    assert all(0 <= score <= 1 for score in found.values())


@pytest.mark.full
def test_its_cells_run_and_say_what_they_promise():
    *_, files, whole, three, chosen = [shown for shown, _ in reading.run(shorter())]
    assert {"study.json", "plan.jsonl", "runs", "report.html", "report.md"} <= set(files)
    for answer in (whole, three):
        assert "six are the fewest" in answer._repr_markdown_()  # of seeds that decide
    assert set(chosen) == {"lenet5", "lenet_caffe"}
    assert all(setting["lr"] in (1e-3, 5e-3) for setting in chosen.values())
