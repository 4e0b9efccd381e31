"""Folded graphs: parts, edges and sums are those of the network, whatever is folded."""

from functools import cache

import pytest

from convatlas import registry
from convatlas.anatomy import Layer, fold, network_graph
from convatlas.anatomy.folded_graph import LEVELS, Part, folded
from convatlas.anatomy.network_graph import NetworkGraph

KNOWN_UNREAD = {"joining"}  # NASNet's reduction cells make it and concatenate other maps


@cache
def stored(name: str):
    table = registry.describe(name)["layers"]
    return network_graph.stored(name), [*map(Layer.from_row, table["rows"])], table["ends"]


def whole(name: str, level: str, **more) -> Part:
    return folded(*stored(name), level, **more)


def told(part: Part) -> list[tuple]:
    """Title, repeats, what it is made of and what it reads, of each part."""
    return [(each.title, each.repeats, each.made_of, each.reads) for each in part.parts]


def test_resnet50_reads_as_table_1():
    stages = whole("resnet50", "stage")
    assert [part.title for part in stages.parts] == [
        *("input", "conv1", "pool1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "mean", "fc"),
        "output",
    ]
    assert [part.reads for part in stages.parts] == [(), *((i,) for i in range(9))]
    conv3_x = whole("resnet50", "unit").parts[4]
    assert told(conv3_x) == [
        ("0", 1, "1x1 128 /2, 3x3 128, 1x1 512, shortcut 1x1 512 /2", (None,)),
        ("1-3", 3, "1x1 128, 3x3 128, 1x1 512", (0,)),
    ]
    assert (conv3_x.parts[1].name, conv3_x.parts[1].last) == ("conv3_x.1", "conv3_x.3")
    unit = whole("resnet50", "layer").parts[4].parts[0]
    assert [(part.title, part.reads) for part in unit.parts] == [
        *(("branch", (None,)), ("shortcut", (None,)), ("add", (0, 1)), ("relu", (2,))),
    ]


def test_branches_stand_side_by_side_before_their_concat():
    assert told(whole("googlenet", "unit").parts[7]) == [
        ("1x1", 1, "1x1 64", (None,)),
        ("3x3", 1, "1x1 96, 3x3 128", (None,)),
        ("5x5", 1, "1x1 16, 5x5 32", (None,)),
        ("pool", 1, "max 3x3, 1x1 32", (None,)),
        ("concat", 1, "concat", (0, 1, 2, 3)),
    ]


def test_layers_that_read_all_before_them_repeat_too():
    block = whole("densenet121", "unit").parts[3]
    assert [(part.title, part.repeats, part.reads) for part in block.parts] == [
        ("layer1", 1, (None,)),
        ("layer2-layer6", 5, (None, 0)),
        ("concat", 1, (None, 0, 1)),
    ]


def test_a_stage_of_equal_units_is_one_part():
    stage = whole("resnet110_cifar", "unit").parts[2]
    assert (stage.title, stage.repeats, stage.made_of, stage.parts) == (
        *("stage1", 18, "3x3 16 (x2)"),
        (),
    )
    conv3 = whole("vgg16", "unit").parts[5]
    assert (conv3.title, conv3.repeats, conv3.made_of) == ("conv3", 3, "3x3 256")


def test_without_repeats_every_unit_stands_for_itself():
    conv3_x = whole("resnet50", "unit", repeats=False).parts[4]
    assert [part.title for part in conv3_x.parts] == ["0", "1", "2", "3"]
    assert [part.reads for part in conv3_x.parts] == [(None,), (0,), (1,), (2,)]


def test_there_is_no_other_level():
    with pytest.raises(ValueError, match="no level 'block'; give one of stage, unit, layer"):
        whole("lenet5", "block")


def walk(part: Part):
    for each in part.parts:
        yield part, each
        yield from walk(each)


def check_edges(graph: NetworkGraph, parent: Part) -> None:
    """Siblings cover their parent once, and read what their boxes read."""
    owner = {place: i for i, part in enumerate(parent.parts) for place in part.boxes}
    for i, part in enumerate(parent.parts):
        reads = {r for p in part.boxes for r in graph.boxes[p].reads} - {*part.boxes}
        assert {owner.get(read) for read in reads} == {*part.reads}
        assert {*part.sources} <= reads
        assert all(owner.get(s) == r for s, r in zip(part.sources, part.reads, strict=True))
        assert all(read is None or read < i for read in part.reads)


def check_sums(parent: Part) -> None:
    """Of what a part shows of itself: of its first repeat."""
    inner = sorted(place for part in parent.parts for place in part.boxes)
    assert len({*inner}) == len(inner)
    assert len(inner) * parent.repeats == len(parent.boxes)
    if parent.repeats == 1:
        assert inner == sorted(parent.boxes)
        assert sum(part.params for part in parent.parts) == parent.params
        assert sum(part.macs for part in parent.parts) == parent.macs


@pytest.mark.parametrize("name", registry.stored_facts())
def test_every_network_is_whole_at_every_level(name):
    graph, rows, ends = stored(name)
    facts = registry.stored_facts()[name]
    assert [box.row for box in graph.boxes if box.row is not None] == [*range(len(rows))]
    unread = {box.name.rpartition(".")[2] for box in not_read(graph)}
    assert unread <= KNOWN_UNREAD
    for level in LEVELS:
        root = whole(name, level)
        assert root.boxes == tuple(range(len(graph.boxes)))
        assert (root.params, root.macs) == (facts["params"] - facts["idle"], facts["macs"])
        assert not any(part.parts for part in root.parts) or level != "stage"
        for parent in [root, *(part for _, part in walk(root) if part.parts)]:
            check_edges(graph, parent)
            check_sums(parent)
    stages = {part.name: part for part in whole(name, "stage").parts}
    for line in fold(rows, ends):
        if not line.indent and line.params:
            part = stages[line.name]
            assert (part.params, part.macs) == (line.params, line.macs)


def not_read(graph: NetworkGraph) -> list:
    """Boxes that the output does not come from, and those that do not come from the input."""
    ahead, behind = {0}, {len(graph.boxes) - 1}
    for place, box in enumerate(graph.boxes):
        ahead |= {place} if {*box.reads} & ahead else set()
    for place in reversed(range(len(graph.boxes))):
        behind |= {*graph.boxes[place].reads} if place in behind else set()
    return [box for place, box in enumerate(graph.boxes) if place not in ahead & behind]
