"""Folded tables read like the papers' own and lose nothing."""

import subprocess
import sys

import pytest

from convatlas import registry
from convatlas.anatomy import Layer, fold


def folded(name: str):
    layers = registry.describe(name)["layers"]
    return fold(map(Layer.from_row, layers["rows"]), layers["ends"])


def test_resnet50_folds_to_table_1():
    lines = [
        ("  " * line.indent + line.name, line.repeats, line.made_of, line.output)
        for line in folded("resnet50")
    ]
    assert lines[:7] == [
        ("conv1", 1, "7x7 64 /2", (64, 112, 112)),
        ("pool1", 1, "max 3x3 /2", (64, 56, 56)),
        ("conv2_x", 1, "", (256, 56, 56)),
        ("  0", 1, "1x1 64, 3x3 64, 1x1 256, shortcut 1x1 256", (256, 56, 56)),
        ("  1-2", 2, "1x1 64, 3x3 64, 1x1 256", (256, 56, 56)),
        ("conv3_x", 1, "", (512, 28, 28)),
        ("  0", 1, "1x1 128 /2, 3x3 128, 1x1 512, shortcut 1x1 512 /2", (512, 28, 28)),
    ]
    assert [line.repeats for line in folded("resnet50") if line.indent] == [1, 2, 1, 3, 1, 5, 1, 2]


def test_a_stage_of_equal_units_is_one_line():
    line = next(line for line in folded("resnet110_cifar") if line.name == "stage1")
    assert (line.repeats, line.made_of) == (18, "3x3 16 (x2)")


def test_depthwise_and_grouped_convolutions_say_so():
    assert (
        next(line for line in folded("mobilenet_v2") if line.name == "bottleneck1").made_of
        == "3x3 32 dw, 1x1 16"
    )
    assert next(line for line in folded("alexnet") if line.name == "conv2").made_of == "5x5 256 g2"


@pytest.mark.parametrize("name", registry.stored_facts())
def test_stages_add_up_to_the_network(name):
    top = [line for line in folded(name) if line.indent == 0]
    facts = registry.stored_facts()[name]
    assert sum(line.macs for line in top) == facts["macs"]
    assert sum(line.params for line in top) <= facts["params"]
    stages = {line.name: [line] for line in top}
    current = None
    for line in folded(name):
        current = line.name if line.indent == 0 else current
        stages[current].append(line)
    for whole, _, *units in stages.values():
        assert not units or sum(unit.macs for unit in units) == whole.macs


def test_folding_needs_no_torch():
    code = "import sys; from convatlas.anatomy import Layer, fold; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
