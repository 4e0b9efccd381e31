"""Names of authors' releases, against lists that are written here from what their code defines,
module by module.
"""

import re

import pytest
import timm
import torch
import torchvision

from convatlas import create_model
from convatlas.weights.authors import CONVNEXTS, RES2NETS, RESNESTS, SOURCES, WSL
from convatlas.weights.names import Twin

Shapes = dict[str, tuple[int, ...]]
DEPTHS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "200": (3, 24, 36, 3), "269": (3, 30, 48, 8)}


def norm(name: str, c: int) -> Shapes:
    return {
        f"{name}.{part}": (c,) for part in ("weight", "bias", "running_mean", "running_var")
    } | {f"{name}.num_batches_tracked": ()}


def conv(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape}


def biased(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def plain_stem() -> Shapes:
    return conv("conv1", 64, 3, 7, 7) | norm("bn1", 64)


def deep_stem(c: int) -> Shapes:
    return (
        conv("conv1.0", c, 3, 3, 3)
        | norm("conv1.1", c)
        | conv("conv1.3", c, c, 3, 3)
        | norm("conv1.4", c)
        | conv("conv1.6", 2 * c, c, 3, 3)
        | norm("bn1", 2 * c)
    )


def resnet(stem: Shapes, c: int, depths: tuple[int, ...], unit, downsample: int) -> Shapes:
    """`unit`: (name, c_in, planes) -> shapes; `downsample`: the place of the convolution, 1 after a
    pool.
    """
    shapes = dict(stem)
    for stage, (depth, planes) in enumerate(zip(depths, (64, 128, 256, 512), strict=True), start=1):
        shapes |= conv(f"layer{stage}.0.downsample.{downsample}", 4 * planes, c, 1, 1)
        shapes |= norm(f"layer{stage}.0.downsample.{downsample + 1}", 4 * planes)
        for i in range(depth):
            shapes |= unit(f"layer{stage}.{i}", c, planes)
            c = 4 * planes
    return shapes | biased("fc", 1000, c)


def bottle2neck(base_width: int, scale: int, groups: int = 1):
    def unit(name: str, c_in: int, planes: int) -> Shapes:
        width = planes * base_width // 64 * groups
        shapes = conv(f"{name}.conv1", scale * width, c_in, 1, 1) | norm(
            f"{name}.bn1", scale * width
        )
        for i in range(scale - 1):
            shapes |= conv(f"{name}.convs.{i}", width, width // groups, 3, 3) | norm(
                f"{name}.bns.{i}", width
            )
        return (
            shapes
            | conv(f"{name}.conv3", 4 * planes, scale * width, 1, 1)
            | norm(f"{name}.bn3", 4 * planes)
        )

    return unit


def split_attention(radix: int, groups: int, width: int):
    def unit(name: str, c_in: int, planes: int) -> Shapes:
        c = planes * width // 64 * groups
        inside = max(c * radix // 4, 32)
        return (
            conv(f"{name}.conv1", c, c_in, 1, 1)
            | norm(f"{name}.bn1", c)
            | conv(f"{name}.conv2.conv", radix * c, c // groups // radix, 3, 3)
            | norm(f"{name}.conv2.bn0", radix * c)
            | biased(f"{name}.conv2.fc1", inside, c // groups, 1, 1)
            | norm(f"{name}.conv2.bn1", inside)
            | biased(f"{name}.conv2.fc2", radix * c, inside // groups, 1, 1)
            | conv(f"{name}.conv3", 4 * planes, c, 1, 1)
            | norm(f"{name}.bn3", 4 * planes)
        )

    return unit


def dla(timms: str) -> Shapes:
    """timm's port keeps all names; the projections that it dropped are in the release."""
    unused = {
        "level3.project": (128, 256),
        "level4.project": (256, 512),
        "level4.tree1.project": (256, 512),
    }
    return meta(lambda: timm.create_model(timms)) | {
        key: shape
        for name, (c_in, c_out) in unused.items()
        for key, shape in (conv(f"{name}.0", c_out, c_in, 1, 1) | norm(f"{name}.1", c_out)).items()
    }


def meta(make) -> Shapes:
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in make().state_dict().items()}


def res2net(base_width: int, scale: int, depths: str = "50") -> Shapes:
    return resnet(plain_stem(), 64, DEPTHS[depths], bottle2neck(base_width, scale), downsample=0)


def res2net_v1b(depths: str) -> Shapes:
    return resnet(deep_stem(32), 64, DEPTHS[depths], bottle2neck(26, 4), downsample=1)


def resnest(depths: str, stem: int, radix: int = 2, groups: int = 1, width: int = 64) -> Shapes:
    return resnet(
        deep_stem(stem),
        2 * stem,
        DEPTHS[depths],
        split_attention(radix, groups, width),
        downsample=1,
    )


def convnext_block(name: str, c: int, scaled: bool = True) -> Shapes:
    return (
        biased(f"{name}.dwconv", c, 1, 7, 7)
        | biased(f"{name}.norm", c)
        | biased(f"{name}.pwconv1", 4 * c, c)
        | biased(f"{name}.pwconv2", c, 4 * c)
        | ({f"{name}.gamma": (c,)} if scaled else {})
    )


def convnext(c: int, third: int) -> Shapes:
    """models/convnext.py; `third`: blocks of the third stage."""
    shapes = biased("downsample_layers.0.0", c, 3, 4, 4) | biased("downsample_layers.0.1", c)
    for stage, depth in enumerate((3, 3, third, 3)):
        if stage:
            shapes |= biased(f"downsample_layers.{stage}.0", c)
            shapes |= biased(f"downsample_layers.{stage}.1", 2 * c, c, 2, 2)
            c = 2 * c
        for i in range(depth):
            shapes |= convnext_block(f"stages.{stage}.{i}", c)
    return shapes | biased("norm", c) | biased("head", 1000, c)


def convnext_isotropic(c: int, depth: int, scaled: bool = False) -> Shapes:
    """models/convnext_isotropic.py; the file of L holds scales, for only S and B were trained
    without.
    """
    shapes = biased("stem", c, 3, 16, 16) | biased("norm", c) | biased("head", 1000, c)
    for i in range(depth):
        shapes |= convnext_block(f"blocks.{i}", c, scaled)
    return shapes


RELEASED = {
    "convnext_tiny": lambda: convnext(96, 9),
    "convnext_small": lambda: convnext(96, 27),
    "convnext_base": lambda: convnext(128, 27),
    "convnext_large": lambda: convnext(192, 27),
    "convnext_xlarge": lambda: convnext(256, 27),
    "convnext_isotropic_small": lambda: convnext_isotropic(384, 18),
    "convnext_isotropic_base": lambda: convnext_isotropic(768, 18),
    "convnext_isotropic_large": lambda: convnext_isotropic(1024, 36, scaled=True),
    "res2net50_26w_4s": lambda: res2net(26, 4),
    "res2net50_48w_2s": lambda: res2net(48, 2),
    "res2net50_14w_8s": lambda: res2net(14, 8),
    "res2net50_26w_6s": lambda: res2net(26, 6),
    "res2net50_26w_8s": lambda: res2net(26, 8),
    "res2net101_26w_4s": lambda: res2net(26, 4, "101"),
    "res2next50": lambda: resnet(
        plain_stem(), 64, DEPTHS["50"], bottle2neck(4, 4, 8), downsample=0
    ),
    "res2net50_v1b_26w_4s": lambda: res2net_v1b("50"),
    "res2net101_v1b_26w_4s": lambda: res2net_v1b("101"),
    "res2net_dla60": lambda: dla("dla60_res2net"),
    "res2next_dla60": lambda: dla("dla60_res2next"),
    "resnest50": lambda: resnest("50", 32),
    "resnest101": lambda: resnest("101", 64),
    "resnest200": lambda: resnest("200", 64),
    "resnest269": lambda: resnest("269", 64),
    "resnest50_fast_1s1x64d": lambda: resnest("50", 32, 1, 1, 64),
    "resnest50_fast_2s1x64d": lambda: resnest("50", 32, 2, 1, 64),
    "resnest50_fast_4s1x64d": lambda: resnest("50", 32, 4, 1, 64),
    "resnest50_fast_1s2x40d": lambda: resnest("50", 32, 1, 2, 40),
    "resnest50_fast_2s2x40d": lambda: resnest("50", 32, 2, 2, 40),
    "resnest50_fast_4s2x40d": lambda: resnest("50", 32, 4, 2, 40),
    "resnest50_fast_1s4x24d": lambda: resnest("50", 32, 1, 4, 24),
    "resnext101_32x8d_wsl": lambda: meta(torchvision.models.resnext101_32x8d),
}
TWINS = CONVNEXTS | RES2NETS | RESNESTS | WSL


def kept(twin: Twin, shapes: Shapes) -> Shapes:
    return {
        key: shape
        for key, shape in shapes.items()
        if not (twin.surplus and re.search(twin.surplus, key))
    }


def test_every_release_has_a_list_here():
    assert (
        RELEASED.keys()
        == TWINS.keys()
        == {name for source, table in SOURCES.items() if source != "akamaster" for name in table}
    )


@pytest.mark.parametrize("name", TWINS)
def test_names_and_shapes_are_the_releases(name):
    twin = TWINS[name]
    shapes = meta(lambda: create_model(twin.ours))
    assert {
        theirs: twin.shape(theirs, shapes[key]) for key, theirs in twin.names(shapes).items()
    } == kept(twin, RELEASED[name]())


@pytest.mark.parametrize("name", ["res2net_dla60", "res2next_dla60"])
def test_what_is_thrown_away_is_three_projections(name):
    """297,472 parameters: the departure that the network's own file names."""
    shapes = RELEASED[name]()
    unused = [
        key
        for key in shapes.keys() - kept(TWINS[name], shapes).keys()
        if key.endswith(("weight", "bias"))
    ]
    assert sum(torch.Size(shapes[key]).numel() for key in unused) == 297_472
