"""Every network of the atlas as a drawing: nothing lies on anything else, wires lead where the
graph leads, and the figures are the index's.
"""

import pytest
from geometry import crossings, faults
from networks import SMALLEST, first
from tracing_wires import drawn_edges, expected_edges

from convatlas.anatomy import network_graph
from convatlas.drawing import draw
from convatlas.drawing.drawn import read
from convatlas.drawing.picture import whole_of
from convatlas.drawing.scene import Box
from convatlas.drawing.sketch import Into, Piece
from convatlas.registry import stored_facts

LEVELS = ("stage", "unit")
HARD = ("nasnet_a_4_1056", "dla60", "dpn92", "inception_v3", "res2net50_14w8s", "densenet264")
FEW = {*SMALLEST.values(), *HARD}
MOST_BYTES = 60_000
WIDEST = 1320


def wholes(name: str) -> dict[str, Piece]:
    return {level: whole_of(*read(name), level) for level in LEVELS}


@first(FEW, stored_facts())
def test_nothing_lies_on_anything_else_and_it_fits_a_page(name):
    for level in LEVELS:
        drawing = draw(name, level=level)
        assert faults(drawing.scene) == []
        assert crossings(drawing.scene) == []
        assert len(drawing.svg.encode()) <= MOST_BYTES
        assert drawing.scene.width <= WIDEST
    assert faults(draw(name, style="volumes").scene) == []


@first(FEW, stored_facts())
def test_wires_lead_where_the_graph_leads(name):
    for level, whole in wholes(name).items():
        edges = expected_edges(whole, stages=level == "stage")
        assert drawn_edges(draw(name, level=level).scene) == edges


@first(FEW, stored_facts())
def test_layers_and_sums_are_those_of_the_index(name):
    facts, rows = stored_facts()[name], read(name)[1]
    for level, whole in wholes(name).items():
        assert sorted(row for part in whole.parts for row in part.rows) == list(range(len(rows)))
        assert (whole.params, whole.macs) == (facts["params"] - facts["idle"], facts["macs"])
        boxes: dict[str, Box] = {}
        for item in draw(name, level=level).scene.items:
            if isinstance(item, Box) and not item.join:
                boxes.setdefault(item.path, item)
        for part in whole.parts:
            if part.last or not part.path:
                assert part.last or not part.params + part.macs
                continue
            mine = [row for row in rows if f"{row.name}.".startswith(f"{part.path}.")]
            told = boxes[part.path].told
            assert told.get("params", 0) == sum(row.params for row in mine), (level, part.path)
            assert told.get("macs", 0) == sum(row.macs for row in mine), (level, part.path)


@first(FEW, stored_facts())
def test_what_is_folded_has_the_edges_of_the_graph(name):
    """Unfolded, the parts read each other as the boxes do; a concatenation that begins with another
    one reads that one.
    """
    from convatlas.drawing.sketch import pieces, plan

    graph, rows, ends = network_graph.stored(name), *read(name)[1:]
    made = plan(graph, rows, ends)
    step_of = {place: number for number, step in enumerate(made.steps) for place in step.boxes}
    assert sorted(step_of) == list(range(len(graph.boxes)))
    for place, box in enumerate(graph.boxes):
        for source in box.reads:
            assert step_of[source] in {step_of[place], *_read(made, step_of[place])}
    names = [step.path for step in made.steps]
    steps = {(names[a], names[b]) for b in range(len(names) - 1) for a in made.reads[b]}
    assert {(_name(a), _name(b)) for a, b in expected_edges(pieces(made))} == {
        (_name(a), _name(b)) for a, b in steps
    }


def _read(made, number: int) -> set[int]:
    """What a step reads, and in its place what a concatenation reads that it begins with."""
    found, waiting = set(), [number]
    while waiting:
        for each in made.reads[waiting.pop()]:
            if each not in found:
                found.add(each)
                waiting += [each] if made.steps[each].kind == "concat" else []
    return found


def _name(path: str) -> str:
    """Stages that are a single step are boxes of the stage's name."""
    return path.partition(".")[0]


def test_a_repeat_stands_for_all_of_them():
    stage = next(
        part for part in whole_of(*read("resnet50"), "unit").parts if part.path == "conv4_x"
    )
    first_one, others = stage.parts
    assert (others.path, others.last, others.repeats) == ("conv4_x.1", "conv4_x.5", 5)
    assert first_one.params + others.params == stage.params
    assert stage.reads == ((Into(0),), (0,))


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "nasnet_a_4_1056"])
def test_a_drawing_is_the_same_each_time(name):
    assert draw(name).svg == draw(name).svg
