"""diff of any two networks of the atlas: its changes add up to the difference of their costs."""

import random
from functools import cache

import pytest
from changed_networks import assert_adds_up

import convatlas
from convatlas import registry
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.steps import Walk
from convatlas.shapes_only import shapes_only


@cache
def walk(name: str) -> Walk:
    with shapes_only():
        return Walk.of(convatlas.create_model(name))


SAMPLE = (
    "lenet5",
    "alexnet",
    "alexnet_owt",
    "nin_cifar10",
    "vgg11_lrn",
    "vgg16_bn",
    "googlenet",
    "googlenet_torchvision",
    "resnet18",
    "resnet18_option_a",
    "se_resnet50_pre",
    "squeezenet1_0_complex_bypass",
    "squeezenet1_1",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "shufflenet_v1_g3_x0_5",
    "shufflenet_v2_x0_5",
    "xception",
    "resnest14",
    "densenet_tutorial",
)


def pairs(count: int) -> list[tuple[str, str]]:
    order = random.Random(0)
    return [tuple(order.sample(SAMPLE, 2)) for _ in range(count)]


@pytest.mark.parametrize(("a", "b"), pairs(40))
def test_any_two_networks_add_up(a, b):
    found, back = compare(walk(a), walk(b)), compare(walk(b), walk(a))
    assert found
    for difference in (found, back):
        assert_adds_up(difference)
    assert found.b.params == registry.stored_facts()[b]["params"]
    assert found.b.macs == registry.stored_facts()[b]["macs"]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_network_is_the_same_as_itself(name):
    assert not compare(walk(name), walk(name))
