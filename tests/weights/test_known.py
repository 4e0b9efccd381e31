"""The stored catalogue of checkpoints is what the networks and the tables of names give today."""

from collections import defaultdict

import pytest

from convatlas.index.checkpoints import kinds
from convatlas.registry import entries
from convatlas.weights import known
from convatlas.weights.sources import TABLES

STORED = defaultdict(list)
for names, group in known.known_checkpoints().items():
    for kind in group:
        STORED[kind.ours].append((names, kind))


@pytest.mark.parametrize("name", entries())
def test_a_network_reads_the_checkpoints_that_it_did(name):
    measured = kinds(name)
    assert sorted(map(str, STORED[name])) == sorted(map(str, measured)), (
        "if this is meant, `make index` renews it"
    )


def test_no_table_names_a_network_that_is_not_there():
    assert {twin.ours for table in TABLES.values() for twin in table.values()} <= set(entries())
    assert set(STORED) == set(entries())


def test_classes_and_channels_do_not_matter_and_nothing_else_is_forgotten():
    shapes = {
        "a.weight": (8, 3, 3, 3),
        "b.weight": (8, 8, 3, 3),
        "fc.weight": (10, 8),
        "fc.bias": (10,),
        "bn.num_batches_tracked": (),
    }
    print_of = known.shapes_of(shapes, ("fc.weight", "fc.bias"), "a.weight")
    alike = [
        shapes | {"fc.weight": (3, 8), "fc.bias": (3,)},
        shapes | {"a.weight": (8, 1, 3, 3)},
        {name: shape for name, shape in shapes.items() if "tracked" not in name},
    ]
    other = [
        shapes | {"fc.weight": (10, 9)},
        shapes | {"a.weight": (9, 3, 3, 3)},
        shapes | {"b.weight": (8, 1, 3, 3)},
    ]
    assert {known.shapes_of(like, ("fc.weight", "fc.bias"), "a.weight") for like in alike} == {
        print_of
    }
    assert print_of not in {
        known.shapes_of(like, ("fc.weight", "fc.bias"), "a.weight") for like in other
    }
    assert (
        known.names_of(alike[2]) == known.names_of(shapes) != known.names_of([*shapes, "c.weight"])
    )
