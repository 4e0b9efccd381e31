"""Networks that the atlas's papers name, and that no reading of their words makes as the paper
counts them: what each reading counts. docs/decisions.md tells of them.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from convatlas.registry import entries, stored_facts

DECISIONS = (Path(__file__).parents[1] / "docs" / "decisions.md").read_text(encoding="utf-8")


def lenet4(side: int, pooled: int, kernels: int, inputs: int) -> tuple[int, int]:
    """Parameters and connections of 4 maps, `pooled` subsampled ones, 16 maps of `kernels` 5x5
    kernels, 16 subsampled ones, 120 units that read `inputs` each, and 10 outputs.
    """
    c1 = side - 4
    s2 = c1 // 2
    c3 = s2 - 4
    s4 = c3 // 2
    layers = (  # shared parameters, places
        (4 * 26, c1 * c1),
        (25 * kernels + 16, c3 * c3),
        (120 * (inputs + 1), 1),
        (10 * 121, 1),
    )
    pools = 5 * (pooled * s2 * s2 + 16 * s4 * s4)  # four inputs and a bias for each place
    params = sum(count for count, _ in layers) + 2 * (pooled + 16)
    return params, sum(count * places for count, places in layers) + pools


def fit_lenet4(side: int, pooled: int, kernels: int, everything: int) -> int:
    """How many numbers of inputs give both printed totals, to their last printed digit."""
    params, connections = lenet4(side, pooled, kernels, inputs=0)
    return sum(
        16_500 <= params + more < 17_500 and 255_000 <= connections + more < 265_000
        for more in range(120, 120 * everything, 120)
    )


@pytest.mark.parametrize(
    ("side", "everything", "alone", "choices"), [(32, 400, 48_120, 67), (28, 256, 30_840, 109)]
)
def test_lenet_4_of_1998(side, everything, alone, choices):
    """Sec. III-C: about 260,000 connections and 17,000 free parameters. The 120 units, fully
    connected, have more by themselves, and with fewer inputs each the text leaves a choice.
    """
    bare = lenet4(side, 4, 16, 0)[0]
    assert lenet4(side, 4, 16, everything)[0] - bare + 120 == alone > 17_500
    ways = product((4, 8), range(16, 129))
    assert sum(fit_lenet4(side, *way, everything) for way in ways) == choices


def sknet29(groups: int, kernels: tuple[int, int], r: int, classes: int) -> int:
    """Parameters of ResNeXt-29, 16x32d, with an SK convolution for each 3x3: kernels of these
    sides in `groups`, and d = max(c / r, 32).
    """
    params, c_in = 27 * 64 + 2 * 64, 64
    for width in (64, 128, 256):
        c = 8 * width  # 16 x 32 in the first stage
        d = max(c // r, 32)
        branches = sum(c * (c // groups) * k * k + 2 * c for k in kernels)
        select = c * d + 2 * d + 2 * c * d
        for unit in range(3):
            params += c_in * c + 2 * c + branches + select + c * 4 * width + 8 * width
            params += c_in * 4 * width + 8 * width if unit == 0 else 0
            c_in = 4 * width
    return params + (c_in + 1) * classes


def readings() -> Iterator[tuple[tuple, float]]:
    """In millions, as printed."""
    choices = product((8, 16, 32, 64), ((3, 3), (3, 5)), (8, 16, 32), (10, 100))
    for choice in choices:
        yield choice, round(sknet29(*choice) / 1e6, 1)


def test_sknet_29():
    """Printed 27.7M, "based on ResNeXt-29, 16x32d". SK[2, 16, 16] and SK[2, 32, 16], with a dilated
    3x3, are others; one that fits has 64 groups and a true 5x5, of which the text says nothing.
    """
    assert sknet29(16, (3, 3), 16, 100) == 37_638_372
    assert sknet29(32, (3, 3), 16, 100) == 28_348_644
    assert sknet29(32, (3, 3), 32, 100) == 26_873_508
    assert [choice for choice, millions in readings() if millions == 27.7] == [
        (64, (3, 5), 16, 10),
    ]
    assert sknet29(64, (3, 5), 16, 100) == 27_832_548  # 27.8M on CIFAR-100


def test_se_inception_resnet_v2():
    """Printed 11.76 GFLOPs, without gates 11.75: neither of the two networks of that name."""
    billions = {
        name: stored_facts()[name]["macs"] / 1e9
        for name in ("inception_resnet_v2", "inception_resnet_v2_released")
    }
    assert {name: round(value, 2) for name, value in billions.items()} == {
        "inception_resnet_v2": 9.26,
        "inception_resnet_v2_released": 13.16,
    }


def test_they_are_told_of_and_not_in_the_atlas():
    for said in ("LeNet-4", "48,120", "SKNet-29", "37.6M", "28.3M", "SE-Inception-ResNet-v2"):
        assert DECISIONS.count(said), said
    assert not {"lenet4", "sknet29", "sknet29_cifar", "se_inception_resnet_v2"} & set(entries())
