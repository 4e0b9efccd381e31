"""The listings of the tutorials: each is the one that its tutorial prints, by the counts and shapes
that are known of it; which are an atlas network in other clothes; and what sets the others apart,
whose differences account for every operation that one side has and the other has not, and are those
that `diff` tells.
"""

import pytest
import torch
import torch.nn as nn
from every import FAMILIES, LISTINGS
from listing import TRAINING
from resnets import BROKEN
from tallies import (
    EDGES,
    balanced,
    changes,
    of_diff,
    of_graph,
    of_listing,
    trained,
    trained_in_diff,
)
from tracing import META, answer, beside, difference, listing_net, listing_walk

from convatlas import registry, wiring
from convatlas.anatomy import summary
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.steps import Walk

SAME = [name for name in LISTINGS if LISTINGS[name].same]
OTHER = [name for name in LISTINGS if not LISTINGS[name].same]


def test_there_are_as_many_listings_as_were_promised():
    assert len(LISTINGS) >= 40
    assert len(LISTINGS) == sum(len(family.LISTINGS) for family in FAMILIES), "two of one name"


@pytest.mark.parametrize("listing", LISTINGS)
def test_it_has_the_counts_of_the_listing(listing):
    told = LISTINGS[listing]
    assert sum(p.numel() for p in listing_net(listing).parameters()) == told.params
    macs = sum(node.macs for node in listing_walk(listing).graph.nodes)
    assert told.macs in (None, macs)


@pytest.mark.parametrize("listing", [name for name in LISTINGS if LISTINGS[name].printed])
def test_its_source_prints_that_count(listing):
    printed = LISTINGS[listing].printed.removesuffix("M")
    places = len(printed.partition(".")[2])
    millions = LISTINGS[listing].params / 1e6
    cut = int(millions * 10**places) / 10**places
    assert float(printed) in (round(millions, places), cut)


@pytest.mark.parametrize("listing", [name for name in LISTINGS if LISTINGS[name].shapes])
def test_its_maps_have_the_printed_shapes(listing):
    net = listing_net(listing)
    seen = {}
    hooks = [
        net.get_submodule(path).register_forward_hook(
            lambda module, given, out, path=path: seen.update({path: tuple(out.shape[1:])})
        )
        for path in LISTINGS[listing].shapes
    ]
    net(torch.empty(2, *LISTINGS[listing].size, device=META))
    for hook in hooks:
        hook.remove()
    assert seen == LISTINGS[listing].shapes


@pytest.mark.parametrize("listing", LISTINGS)
def test_it_is_held_against_a_network_of_the_atlas(listing):
    told = LISTINGS[listing]
    assert told.atlas in registry.stored_facts()
    assert all(each.here != each.there for each in told.differences)
    assert all(each.times > 0 for each in told.differences)


@pytest.mark.parametrize("listing", SAME)
def test_the_same_network_has_as_many_parameters(listing):
    """In the atlas network with the listing's classes and channels."""
    told = LISTINGS[listing]
    classes = answer(listing_walk(listing).graph)
    with META:
        ours = registry.create_model(told.atlas, num_classes=classes, in_channels=told.size[0])
    if any((each.group, each.op) == (TRAINING, "auxiliary head") for each in told.differences):
        for path in ours.auxiliary_paths:
            ours.set_submodule(path.partition(".")[0], nn.Identity())
    assert sum(p.numel() for p in ours.parameters()) == told.params


def test_the_unpadded_bottleneck_cannot_run():
    with META:
        net = BROKEN.build().eval()
    assert sum(p.numel() for p in net.parameters()) == BROKEN.params
    with pytest.raises(ValueError, match="does not run on an input of 3x32x32"):
        summary(net, BROKEN.size)


def uneven(listing: str) -> set[str]:
    """Operations of which one side has more: their settings cannot be balanced."""
    return {op for op in of_listing(LISTINGS[listing].differences) if isinstance(op, str)}


@pytest.mark.parametrize("listing", SAME)
def test_it_is_the_network_of_the_atlas(listing):
    here, there = beside(listing)
    assert wiring.match(here.graph, there.graph) is not None
    assert wiring.signature(here.graph) == wiring.signature(there.graph)
    assert difference(listing).same


@pytest.mark.parametrize(
    "listing",
    [
        pytest.param(name, marks=[] if LISTINGS[name].params < 100_000 else [pytest.mark.full])
        for name in SAME
        if LISTINGS[name].params < 3_000_000
    ],
)
@torch.no_grad()
def test_with_its_weights_the_atlas_network_answers_alike(listing):
    told = LISTINGS[listing]
    torch.manual_seed(0)
    net = told.build().double().eval()
    x = torch.randn(2, *told.size, dtype=torch.float64)
    wanted = net(x)
    ours = registry.create_model(
        told.atlas, num_classes=wanted.shape[1], in_channels=told.size[0]
    ).double()
    pairs = wiring.match(wiring.of(ours, told.size), wiring.of(net, told.size)).weights
    theirs = net.state_dict()
    for name, tensor in ours.state_dict().items():
        if name in pairs:
            tensor.copy_(theirs[pairs[name]].reshape(tensor.shape))
    assert (ours.eval()(x) - wanted).abs().max() < 1e-10


@pytest.mark.parametrize("listing", OTHER)
def test_its_differences_account_for_every_operation(listing):
    here, there = beside(listing)
    assert wiring.match(here.graph, there.graph) is None
    found = of_graph(here.graph)
    found.subtract(of_graph(there.graph))
    wanted = of_listing(LISTINGS[listing].differences)
    assert balanced(found, uneven(listing)) == balanced(wanted, uneven(listing))


@pytest.mark.parametrize("listing", OTHER)
def test_its_differences_are_those_that_are_told(listing):
    """Padding is left out where a kernel changes, which changes it too."""
    found = difference(listing)
    assert not found.same
    told = LISTINGS[listing].differences
    leave = ("padding",) if any(each.what == "kernel" for each in told) else ()
    assert balanced(of_diff(found), uneven(listing), leave) == balanced(
        of_listing(told), uneven(listing), leave
    )


@pytest.mark.parametrize(
    "listing",
    [
        pytest.param(name, marks=[] if LISTINGS[name].params < 100_000 else [pytest.mark.full])
        for name in LISTINGS
        if LISTINGS[name].params < 1_000_000
    ],
)
def test_first_weights_that_are_drawn_otherwise_are_told(listing):
    told = LISTINGS[listing]
    net = told.build().eval()
    channels = told.size[0]
    classes = answer(listing_walk(listing).graph)
    ours = registry.create_model(told.atlas, num_classes=classes, in_channels=channels).eval()
    found = compare(Walk.of(ours, (channels, ours.side, ours.side)), Walk.of(net, told.size))
    drawn = [change for change in changes(found) if change.group == "initialisation"]
    assert (not drawn) == told.starts_alike


@pytest.mark.parametrize("listing", LISTINGS)
def test_what_only_trains_is_told(listing):
    assert trained_in_diff(difference(listing)) == trained(LISTINGS[listing].differences)


@pytest.mark.parametrize(
    "listing",
    [name for name in OTHER if {each.what for each in LISTINGS[name].differences} <= EDGES],
)
def test_networks_of_the_same_operations_differ_by_an_edge(listing):
    """As many of each operation, with the same settings, and yet another network."""
    here, there = beside(listing)
    assert of_graph(here.graph) == of_graph(there.graph)
    assert wiring.signature(here.graph) != wiring.signature(there.graph)
