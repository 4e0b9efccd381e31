"""`identify` on the listings: it names the network that each is, or is nearest to, with nothing but
the listing and its size.
"""

import pytest
from every import LISTINGS
from tracing import listing_net

from convatlas import identify

FEW = {
    *("lenet_d2l", "alexnet_little_dropout", "vgg16_cifar100", "nin_cifar"),
    *("resnet18_strides_late", "resnet50_keras", "resnet20_akamaster", "se_resnet18_timm"),
    *("densenet_d2l", "mobilenet_v2_tonylins", "shufflenet_v2_of_the_post"),
    *("se_resnet18_cifar100", "squeezenet_cifar100"),  # a profile alone names others
}


def marks(listing: str) -> list[pytest.MarkDecorator]:
    return [] if listing in FEW else [pytest.mark.full]


@pytest.mark.parametrize("listing", [pytest.param(name, marks=marks(name)) for name in LISTINGS])
def test_identify_names_it(listing):
    told = LISTINGS[listing]
    found = identify(listing_net(listing), told.size)
    assert bool(found) == told.same, str(found)
    named = {found.network, *found.also}
    assert named & {told.atlas, *told.near}, found.sentence()
