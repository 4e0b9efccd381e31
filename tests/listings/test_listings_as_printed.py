"""Each listing here is the one that its tutorial prints: parameters, multiply-adds and shapes are
those that the source, or others who ran it, give for it.
"""

from functools import cache

import pytest
import torch
import torch.nn as nn
from every import FAMILIES, LISTINGS
from listing import TRAINING
from resnets import BROKEN

from convatlas import registry
from convatlas.anatomy import Summary, summary

META = torch.device("meta")


@cache
def counted(name: str) -> tuple[nn.Module, Summary]:
    listing = LISTINGS[name]
    with META:
        net = listing.build().eval()
    return net, summary(net, listing.size)


def test_there_are_as_many_listings_as_were_promised():
    assert len(LISTINGS) >= 40
    assert len(LISTINGS) == sum(len(family.LISTINGS) for family in FAMILIES), "two of one name"


@pytest.mark.parametrize("listing", LISTINGS)
def test_it_has_the_counts_of_the_listing(listing):
    told = LISTINGS[listing]
    net, found = counted(listing)
    assert sum(p.numel() for p in net.parameters()) == found.params == told.params
    assert told.macs in (None, found.macs)


@pytest.mark.parametrize("listing", [name for name in LISTINGS if LISTINGS[name].printed])
def test_its_source_prints_that_count(listing):
    printed = LISTINGS[listing].printed.removesuffix("M")
    places = len(printed.partition(".")[2])
    millions = LISTINGS[listing].params / 1e6
    cut = int(millions * 10**places) / 10**places
    assert float(printed) in (round(millions, places), cut)


@pytest.mark.parametrize("listing", [name for name in LISTINGS if LISTINGS[name].shapes])
def test_its_maps_have_the_printed_shapes(listing):
    net, _ = counted(listing)
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


@pytest.mark.parametrize("listing", [name for name in LISTINGS if LISTINGS[name].same])
def test_the_same_network_has_as_many_parameters(listing):
    """In the atlas network with the listing's classes and channels."""
    told = LISTINGS[listing]
    net, _ = counted(listing)
    classes = net(torch.empty(2, *told.size, device=META)).shape[1]
    with META:
        ours = registry.create_model(told.atlas, num_classes=classes, in_channels=told.size[0])
    heads = {path.partition(".")[0] for path in getattr(ours, "auxiliary_paths", ())}
    if any((each.group, each.op) == (TRAINING, "auxiliary head") for each in told.differences):
        for head in heads:
            ours.set_submodule(head, nn.Identity())
    assert sum(p.numel() for p in ours.parameters()) == told.params


def test_the_unpadded_bottleneck_cannot_run():
    with META:
        net = BROKEN.build().eval()
    assert sum(p.numel() for p in net.parameters()) == BROKEN.params
    with pytest.raises(ValueError, match="does not run on an input of 3x32x32"):
        summary(net, BROKEN.size)
