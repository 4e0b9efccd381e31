"""Every network of the atlas as a drawing: nothing lies on anything else, wires lead where the
graph leads, and the figures are the index's.
"""

import pytest
from geometry import crossings, faults
from networks import SMALLEST, first
from tracing_wires import drawn_edges, expected_edges

from convatlas.anatomy import network_graph
from convatlas.drawing import draw
from convatlas.drawing.boxes import LONG_BAR
from convatlas.drawing.drawn import read
from convatlas.drawing.picture import whole_of
from convatlas.drawing.scene import Box, Rect
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
def test_bars_are_the_shares_of_the_multiply_adds(name):
    cards = [item for item in draw(name, level="stage").scene.items if isinstance(item, Box)]
    most = max(card.told.get("macs", 0) for card in cards)
    for card in cards:
        bars = [i.w for i in card.items if isinstance(i, Rect) and i.look.startswith("bar_")]
        if card.told.get("macs", 0) > 0.02 * most and bars:
            assert sum(bars) == pytest.approx(
                LONG_BAR * card.told["macs"] / most, abs=0.5 * len(bars)
            )


@first(FEW, stored_facts())
def test_what_is_folded_has_the_edges_of_the_graph(name):
    """Unfolded, the parts read each other as the boxes do, through those that no part shows; a
    concatenation that begins with another one reads that one.
    """
    from convatlas.drawing.sketch import pieces, plan

    graph, rows, ends = network_graph.stored(name), *read(name)[1:]
    made = plan(graph, rows, ends)
    owner = {place: number for number, step in enumerate(made.steps) for place in step.boxes}
    every = sorted(place for step in made.steps for place in step.boxes)
    assert every == list(range(len(graph.boxes)))
    shown = {_shown(graph, step): number for number, step in enumerate(made.steps)}
    behind: dict[int, int] = {}  # the step that is shown, or else the one that it comes from
    joined: dict[int, tuple[int, ...]] = {}  # what the boxes that concatenate read
    for place, box in enumerate(graph.boxes):
        if place in shown:
            behind[place] = number = shown[place]
            wanted, found = tuple(behind[source] for source in box.reads), made.reads[number]
            if box.kind == "concat":
                assert tuple(dict.fromkeys(wanted)) in {found, _unfolded(found, joined)}, box.name
                joined[number] = wanted
            else:
                assert found == tuple(dict.fromkeys(wanted)), box.name
        else:
            (source,) = box.reads
            behind[place] = behind[source]
            after = _next_shown(graph, shown, place)
            assert owner[place] in {behind[place], *after}, box.name
    names = [step.path for step in made.steps]
    steps = {(names[a], names[b]) for b in range(len(names) - 1) for a in made.reads[b]}
    assert {(_name(a), _name(b)) for a, b in expected_edges(pieces(made))} == {
        (_name(a), _name(b)) for a, b in steps
    }


def _shown(graph, step) -> int:
    """The place of the box that a step shows."""
    (place,) = (
        place
        for place in step.boxes
        if (graph.boxes[place].name, graph.boxes[place].kind) == (step.path, step.kind)
    )
    return place


def _unfolded(read: tuple[int, ...], joined: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    """What a concatenation reads that begins with one of those joined before, with what that one
    reads in its place.
    """
    return tuple(dict.fromkeys((*joined.get(read[0], read[:1]), *read[1:])))


def _next_shown(graph, shown: dict[int, int], place: int) -> set[int]:
    """The steps that read a box, through none that is shown."""
    found, waiting = set(), [*graph.readers[place]]
    while waiting:
        reader = waiting.pop()
        if reader in shown:
            found.add(shown[reader])
        else:
            waiting += graph.readers[reader]
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
