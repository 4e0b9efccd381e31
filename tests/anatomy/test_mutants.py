"""diff of a network of the atlas and one that differs from it in one thing: it is never called the
same, and the place is named.
"""

from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from mutants import KINDS, Mutant, mutants, places

import convatlas
from convatlas.anatomy import Difference
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.steps import Walk
from convatlas.shapes_only import shapes_only

FEW = ("alexnet", "nin_cifar10", "resnet20_cifar", "squeezenet1_1", "densenet_tutorial")
NAMES = (
    *FEW,
    *(
        "lenet5",
        "lenet5_tutorial",
        "alexnet_owt",
        "vgg11_lrn",
        "googlenet",
        "googlenet_torchvision",
    ),
    *("resnet18", "resnet18_option_a", "resnet50", "preresnet110_cifar", "resnext50_32x4d"),
    *("se_resnet50", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mnasnet_a1"),
    *("shufflenet_v1_g3_x0_5", "shufflenet_v2_x0_5", "efficientnet_b0", "xception"),
    *(
        "inception_v3",
        "densenet40_k12_cifar",
        "regnety_400mf",
        "res2net50_26w4s",
        "resnet110_cifar",
    ),
)
TRIES = 12  # places of one network that are tried until a mutant runs
CHEAP = {"derandomize": True, "deadline": None, "phases": (Phase.generate,), "database": None}
SLOW = [HealthCheck.filter_too_much, HealthCheck.too_slow]


@cache
def original(name: str) -> tuple:
    with shapes_only():
        net = convatlas.create_model(name).eval()
    return net, places(net, net.input_size), Walk.of(net)


def planted(name: str, kind: str, start: int, form: int) -> tuple[Mutant, Walk] | None:
    """The first mutant of a kind that runs."""
    net, seen, _ = original(name)
    for _, mutant in zip(range(TRIES), mutants(net, seen, kind, start, form), strict=False):
        try:
            return mutant, Walk.of(mutant.net, net.input_size)
        except ValueError:  # a map of another size fits nowhere, or there is nothing to change
            continue
    return None


def names_the_place(found: Difference, mutant: Mutant) -> bool:
    """Whether a line that is no consequence is about the module that was changed, or about the one
    whose result it read before.
    """
    told = [change for block in found.blocks for change in block.changes if not change.follows]
    return any(
        path == place or path.startswith(f"{place}.")
        for change in told
        for path in change.paths
        for place in mutant.places
    )


def tell(names: tuple[str, ...], count: int) -> tuple[int, list[str], list[str]]:
    """Of so many mutants: how many were planted, which were called the same, whose place was not
    named.
    """
    total = 0
    same = []
    unnamed = []

    @settings(max_examples=count, suppress_health_check=SLOW, **CHEAP)
    @given(
        st.sampled_from(names),
        st.sampled_from(KINDS),
        st.integers(0, 999),
        st.integers(0, 9),
    )
    def plant(name, kind, start, form):
        nonlocal total
        made = planted(name, kind, start, form)
        assume(made is not None)
        mutant, walk = made
        found = compare(original(name)[2], walk)
        total += 1
        told = f"{name}: {mutant.told}"
        if found.same or not found:
            same.append(told)
        elif not names_the_place(found, mutant):
            unnamed.append(told)

    plant()
    return total, same, unnamed


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (FEW, 40),
        pytest.param(NAMES, 500, marks=pytest.mark.full),
    ],
)
def test_no_mutant_is_called_the_same_and_nearly_every_place_is_named(names, count):
    """Of a few small networks, by the same draw; of all in `make test-all`, which takes long."""
    total, same, unnamed = tell(names, count)
    print(total, same, unnamed)
    assert total >= count * 0.9
    assert same == []
    assert len(unnamed) <= total * 0.05, unnamed
