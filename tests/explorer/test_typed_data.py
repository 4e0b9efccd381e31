"""What is typed for the chart and the family tree: each figure stands in the notes of its paper,
each step leads from an older network to a newer one.
"""

import re

import pytest

from convatlas import registry
from convatlas.explorer import chart, tree

FACTS = registry.stored_facts()


def typed_wrong(points: tuple[chart.Point, ...]) -> list[str]:
    """The points whose figure the note on results does not hold."""
    return [
        f"{point.network} {point.printed}"
        for point in points
        if not re.search(
            rf"(?<![\d.]){re.escape(point.printed)}(?!\.?\d)",
            FACTS[point.network]["paper"]["results"],
        )
    ]


def test_every_accuracy_stands_in_the_notes_of_its_paper():
    assert len(chart.points()) > 150
    assert typed_wrong(chart.points()) == []


@pytest.mark.parametrize("printed", ["40.6", "0.7", "40.71", "4"])
def test_an_accuracy_that_is_not_printed_is_seen(printed):
    wrong = chart.Point("alexnet", "imagenet", "error", printed, "one network", "")
    assert typed_wrong((wrong,)) == [f"alexnet {printed}"]


def test_an_accuracy_is_shown_as_the_error():
    shown = {point.network: point.error for point in chart.points()}
    assert (shown["alexnet"], shown["bn_inception"]) == ("40.7", "25.2")
    assert all(0 < float(point.error) < 100 for point in chart.points())
    assert {point.set for point in chart.points()} == {"imagenet", "cifar10"}
    assert {point.prints for point in chart.points()} == {"error", "accuracy"}


def test_a_network_has_one_point_for_a_set_and_a_way_of_testing():
    keys = [(point.network, point.set, point.how) for point in chart.points()]
    assert len(keys) == len(set(keys))


def test_the_tree_joins_networks_that_are_there():
    lanes, edges = tree.lineage()
    assert set(lanes) <= FACTS.keys()
    assert set(lanes.values()) == set(tree.LANES)
    assert {name for older, newer, _ in edges for name in (older, newer)} == set(lanes)
    assert len({(older, newer) for older, newer, _ in edges}) == len(edges)
    assert all(step.strip() for _, _, step in edges)


def test_the_tree_grows_from_one_network_and_forward_in_time():
    lanes, edges = tree.lineage()
    assert [edge for edge in edges if tree.year(edge[0]) > tree.year(edge[1])] == []
    reached = {min(lanes, key=tree.year)}
    while more := {newer for older, newer, _ in edges if older in reached} - reached:
        reached |= more
    assert reached == set(lanes)


def test_each_network_of_the_tree_stands_below_all_it_builds_on():
    places, (lanes, edges) = tree.places(), tree.lineage()
    assert places.keys() == lanes.keys() and len(set(places.values())) == len(places)
    assert [edge for edge in edges if places[edge[0]].row >= places[edge[1]].row] == []
