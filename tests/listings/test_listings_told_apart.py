"""Which listings are an atlas network in other clothes, and that the differences of the others
account for every operation that one side has and the other has not.
"""

from collections import Counter
from collections.abc import Iterable

import pytest
from every import LISTINGS
from listing import TRAINING, Difference
from tracing import beside

from convatlas import wiring

SAME = [name for name in LISTINGS if LISTINGS[name].same]
OTHER = [name for name in LISTINGS if not LISTINGS[name].same]
MOVEMENTS = {"constant", "input", "rearrange", "reshape"}  # what is joined to what
EDGES = {"order", "reads", "zeros"}  # differences that move no count
KINDS = {"activation", "pool"}  # their `here` and `there` are operations
PARTS = {"dropout": ("aten.bernoulli_.float", "multiply number", "multiply")}
SETTINGS = ("kernel", "stride", "padding", "groups", "bias", "eps", "ceil", "channels")


def settings(node: wiring.Node) -> dict[str, object]:
    """In the words of the differences: one number where both axes have it, "half" for a convolution
    that is padded by half its kernel.
    """
    own = dict(node.own)
    if node.op in ("conv", "linear"):
        own["channels"] = node.output[0]
    if "stride" in own and len(set(own["stride"])) == 1:
        own["stride"] = own["stride"][0]
    if "padding" in own and len(set(sum(own["padding"], ()))) == 1:
        own["padding"] = own["padding"][0][0]
        if node.op == "conv" and {side // 2 for side in own["kernel"]} == {own["padding"]}:
            own["padding"] = "half"
    if "groups" in own and own["groups"] == own["channels"]:
        own["groups"] = "depthwise"
    return {key: own[key] for key in SETTINGS if key in own}


def tally(graph: wiring.Graph) -> Counter:
    found = Counter()
    for node in graph.nodes:
        if node.op not in MOVEMENTS:
            found[node.op] += 1
            found.update((node.op, *item) for item in settings(node).items())
    return found


def told(differences: Iterable[Difference]) -> Counter:
    found = Counter()
    for each in differences:
        if each.group == TRAINING or each.what in EDGES or each.op in ("pad", *MOVEMENTS):
            continue
        if each.op in KINDS:
            found[each.here] += each.times
            found[each.there] -= each.times
        elif each.what:
            found[each.op, each.what, each.here] += each.times
            found[each.op, each.what, each.there] -= each.times
        else:
            for op in PARTS.get(each.op, (each.op,)):
                found[op] += each.times if each.there is None else -each.times
    return found


def resized(differences: Iterable[Difference]) -> set[str]:
    """Operations of which one side has more: their settings cannot be balanced."""
    return {op for op in told(differences) if isinstance(op, str)}


@pytest.mark.parametrize("listing", SAME)
def test_it_is_the_network_of_the_atlas(listing):
    here, there = beside(listing, at=LISTINGS[listing].size[1])
    assert wiring.match(here, there) is not None
    assert wiring.signature(here) == wiring.signature(there)


@pytest.mark.parametrize("listing", OTHER)
def test_its_differences_account_for_every_operation(listing):
    here, there = beside(listing)
    assert wiring.match(here, there) is None
    differences = LISTINGS[listing].differences
    uneven = resized(differences)
    found = tally(here)
    found.subtract(tally(there))
    wanted = told(differences)

    def open_in(counts: Counter) -> dict:
        return {
            key: count
            for key, count in counts.items()
            if count and (isinstance(key, str) or key[0] not in uneven)
        }

    assert open_in(found) == open_in(wanted)


@pytest.mark.parametrize(
    "listing",
    [name for name in OTHER if {each.what for each in LISTINGS[name].differences} <= EDGES],
)
def test_networks_of_the_same_operations_differ_by_an_edge(listing):
    """As many of each operation, with the same settings, and yet another network."""
    here, there = beside(listing)
    assert tally(here) == tally(there)
    assert wiring.signature(here) != wiring.signature(there)
