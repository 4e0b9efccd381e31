"""That the checks of a drawing's geometry see what they are for."""

import pytest
from geometry import crossings, faults
from tracing_wires import drawn_edges

from convatlas.drawing.scene import Box, Rect, Scene, Text, Wire

A = Box("a", (Rect(20, 20, 80, 24, "conv"), Text(30, 36, "3x3 64", 12)))
B = Box("b", (Rect(20, 80, 80, 24, "conv"), Text(30, 96, "3x3 64", 12)))
FRAME = Box("f", (Rect(10, 60, 120, 60, "stage"),), frame=True)
DOWN = Wire(((60, 44), (60, 80)), ends=True)


def scene(*items) -> Scene:
    return Scene("test", 200, 200, items)


def test_a_sound_scene_has_no_fault():
    sound = scene(FRAME, A, B, DOWN)
    assert faults(sound) == [] and crossings(sound) == []
    assert drawn_edges(sound) == {("a", "b")}


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (Text(35, 40, "on it", 12), "text on text"),
        (Box("c", (Rect(90, 30, 40, 24, "conv"),)), "box on box"),
        (
            Box("c", (Rect(120, 150, 30, 24, "conv"), Text(122, 166, "too long a text", 12))),
            "out of its box",
        ),
        (Wire(((60, 10), (60, 130))), "wire through box: 'a'"),
        (Wire(((10, 92), (190, 92))), "wire through text"),
        (Wire(((125, 50), (125, 130))), "wire through frame"),
        (Box("g", (Rect(100, 100, 60, 60, "stage"),), frame=True), "frame on frame"),
        (Text(180, 190, "outside", 12), "out of the picture"),
        (Box("c", (Rect(20, 180, 40, 24, "conv"),)), "below the picture"),
    ],
)
def test_a_planted_fault_is_seen(planted, said):
    assert any(said in fault for fault in faults(scene(FRAME, A, B, DOWN, planted)))


def test_wires_that_cross_are_seen_outside_of_frames():
    crossing = (Wire(((150, 10), (150, 50))), Wire(((140, 30), (160, 30))))
    assert crossings(scene(*crossing)) == [(150, 30)]
    assert crossings(scene(Box("f", (Rect(130, 5, 60, 60, "stage"),), frame=True), *crossing)) == []


def test_a_wire_that_ends_short_of_a_box_leads_nowhere():
    assert drawn_edges(scene(A, B, Wire(((60, 44), (60, 70))))) == set()
