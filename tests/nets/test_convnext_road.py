"""The road from a ResNet to ConvNeXt, Tables 10 and 11: the multiply-adds of every step, counted
here by hand from Secs. 2.2 to 2.6 and App. C, and at both ends by the networks of the atlas.
"""

import pytest

from convatlas.registry import stored_facts

SIDES = (56, 28, 14, 7)
TINY, BASE = (3, 3, 9, 3), (3, 3, 27, 3)


def head(c: int) -> int:
    return 8 * c * 1000


def bottlenecks(c: int, blocks: tuple[int, ...], depthwise: bool = False) -> int:
    """1x1, 3x3 and 1x1 of widths w, w and 4w, the 3x3 striding; a projection in each stage."""
    macs, c_in = 0, c
    for stage, (count, side) in enumerate(zip(blocks, SIDES, strict=True)):
        w = c << stage
        for i in range(count):
            before = 2 * side if i == 0 and stage else side
            macs += before**2 * c_in * w + side**2 * 9 * w * (1 if depthwise else w)
            macs += side**2 * 4 * w * w + (side**2 * c_in * 4 * w if i == 0 else 0)
            c_in = 4 * w
    return macs + 4 * head(c)


def resnet(c: int, blocks: tuple[int, ...]) -> int:
    return 112**2 * 49 * 3 * c + bottlenecks(c, blocks)


def patches(c: int) -> int:
    """4x4, stride 4 (Sec. 2.2)."""
    return 56**2 * 16 * 3 * c


def inverted(c: int, blocks: tuple[int, ...], k: int = 0, separate: bool = False) -> int:
    """Figure 3(b), or for a k its (c), whose kxk comes first and strides; with `separate` 2x2
    convolutions stride, else the first block of a stage, which then has a projection.
    """
    macs, c_in = patches(c) + head(c), c
    for stage, (count, side) in enumerate(zip(blocks, SIDES, strict=True)):
        w = c << stage
        if stage and separate:
            macs += side**2 * 4 * c_in * w
            c_in = w
        for i in range(count):
            strides = i == 0 and stage > 0 and not separate
            before = 2 * side if strides and not k else side
            macs += before**2 * c_in * 4 * w + side**2 * 4 * w * w
            macs += side**2 * (k * k * c_in if k else 9 * 4 * w)
            macs += side**2 * c_in * w if strides else 0
            c_in = w
    return macs


TABLE_10 = {
    "ResNet-50": ("4.09", resnet(64, (3, 4, 6, 3))),
    "stage ratio": ("4.53", resnet(64, TINY)),
    "patchify stem": ("4.42", patches(64) + bottlenecks(64, TINY)),
    "depthwise conv": ("2.35", patches(64) + bottlenecks(64, TINY, depthwise=True)),
    "increase width": ("5.27", patches(96) + bottlenecks(96, TINY, depthwise=True)),
    "inverting dimensions": ("4.64", inverted(96, TINY)),
    "move up depthwise conv": ("4.07", inverted(96, TINY, 3)),
    "kernel size 5": ("4.10", inverted(96, TINY, 5)),
    "kernel size 7": ("4.15", inverted(96, TINY, 7)),
    "kernel size 9": ("4.21", inverted(96, TINY, 9)),
    "kernel size 11": ("4.29", inverted(96, TINY, 11)),
}
TABLE_11 = {
    "ResNet-200": ("15.01", resnet(64, (3, 24, 36, 3))),
    "stage ratio and increase width": ("14.52", resnet(84, BASE)),
    "patchify stem": ("14.38", patches(84) + bottlenecks(84, BASE)),
    "depthwise conv": ("7.23", patches(84) + bottlenecks(84, BASE, depthwise=True)),
    "increase width": ("16.76", patches(128) + bottlenecks(128, BASE, depthwise=True)),
    "inverting dimensions": ("15.68", inverted(128, BASE)),
    "move up depthwise conv": ("14.63", inverted(128, BASE, 3)),
    "kernel size 5": ("14.70", inverted(128, BASE, 5)),
    "kernel size 7": ("14.81", inverted(128, BASE, 7)),
    "kernel size 9": ("14.95", inverted(128, BASE, 9)),
    "kernel size 11": ("15.13", inverted(128, BASE, 11)),
    "separate d.s. conv": ("15.35", inverted(128, BASE, 7, separate=True)),
}


@pytest.mark.parametrize("steps", [TABLE_10, TABLE_11], ids=["Table 10", "Table 11"])
def test_every_step_costs_what_is_printed(steps):
    printed = {step: number for step, (number, _) in steps.items()}
    assert {step: f"{macs / 1e9:.2f}" for step, (_, macs) in steps.items()} == printed


def test_the_ends_of_the_road_are_networks_here():
    macs = {name: facts["macs"] for name, facts in stored_facts().items()}
    assert macs["resnet50_v15"] == TABLE_10["ResNet-50"][1]
    assert macs["convnext_base"] == TABLE_11["separate d.s. conv"][1]
    assert macs["convnext_tiny"] == inverted(96, TINY, 7, separate=True) == 4_455_531_264


def test_table_10_prints_the_last_network_one_row_too_high():
    """4.46 stands beside the step before the last, whose network takes no more than the 4.15 above
    it: a layer norm has no products, and Table 11 prints 14.81 before and after. The last row's
    4.49 is no count of either.
    """
    last = inverted(96, TINY, 7, separate=True)
    assert (f"{last / 1e9:.2f}", f"{inverted(96, TINY, 7) / 1e9:.2f}") == ("4.46", "4.15")
