"""Two networks side by side: every unit of both once, in order, with the changes of their
difference.
"""

import random
from collections import Counter

import pytest

from convatlas import registry
from convatlas.anatomy.beside import beside
from convatlas.anatomy.comparing import compare
from convatlas.stored_walks import stored

PAIRS = [
    ("resnet50", "resnet50_v15"),
    ("resnet50", "se_resnet50"),
    ("mobilenet_v1", "mobilenet_v2"),
    ("vgg16", "vgg16_bn"),
    ("lenet5", "alexnet"),
    *random.Random(15).sample([(a, b) for a in registry.stored_facts() for b in ("resnet18",)], 8),
]


def test_strides_moved_are_three_changed_units():
    pairs = beside(stored("resnet50"), stored("resnet50_v15"))
    changed = [f"conv{n}_x.0" for n in (3, 4, 5)]
    assert [pair.a for pair in pairs if pair.mark != "same"] == changed
    assert all(pair.a == pair.b for pair in pairs)
    assert [pair.b for pair in pairs[:4]] == ["conv1", "pool1", "conv2_x.0", "conv2_x.1"]


def test_more_units_stand_alone():
    pairs = beside(stored("resnet50"), stored("resnet101"))
    assert Counter(pair.mark for pair in pairs) == {"same": 20, "alone": 17}
    assert all(pair.a is None for pair in pairs if pair.mark == "alone")


def test_what_only_trains_changes_no_mark():
    pairs = beside(stored("mobilenet_v1"), stored("mobilenet_v2"))
    dropout = next(pair for pair in pairs if pair.a == "dropout")
    assert dropout.mark == "same" and [change.group for change in dropout.changes] == ["training"]
    assert next(pair.mark for pair in pairs if pair.a == "fc") == "follows"


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_costs_add_up_and_nothing_is_left_out(a, b):
    one, other = stored(a), stored(b)
    pairs = beside(one, other)
    for figure in ("params", "macs"):
        total = sum(getattr(change, figure) for pair in pairs for change in pair.changes)
        assert total == getattr(other, figure) - getattr(one, figure)
    places = {place for block in compare(one, other).blocks for place in block.places}
    if one.size == other.size:
        assert {(pair.a, pair.b) for pair in pairs if pair.changes} >= places - {
            ("top level", "top level"),
            ("output", "output"),
        }
