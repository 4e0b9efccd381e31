"""Checkpoints that authors published themselves, by the names in their own code.

Files of some of them are wrapped: {"state_dict": ...}, and `module.` before each name. That is the
file's, not the network's, and is not part of these names.
"""

from convatlas.weights.names import Ones, Reordered, Rules, Table, Twin, counted
from convatlas.weights.timm import RES2NET, RES2NET_D, RES2NET_DLA, RESNEST
from convatlas.weights.torchvision import RESNET, STEM, UNITS

# github.com/Res2Net/Res2Net-PretrainedModels: res2net.py, res2net_v1b.py, res2next.py, dla.py. Each
# tree of trees there holds a projection whose result is thrown away
UNUSED_PROJECTIONS = r"^(level3|level4|level4\.tree1)\.project\."
RES2NETS: Table = {
    **{
        f"res2net50_{w}w_{s}s": Twin(f"res2net50_{w}w{s}s", RES2NET)
        for w, s in ((26, 4), (48, 2), (14, 8), (26, 6), (26, 8))
    },
    "res2net101_26w_4s": Twin("res2net101_26w4s", RES2NET),
    "res2next50": Twin("res2next50", RES2NET),
    **{f"res2net{n}_v1b_26w_4s": Twin(f"res2net{n}_v1b_26w4s", RES2NET_D) for n in (50, 101)},
    **{
        name: Twin(name, RES2NET_DLA, surplus=UNUSED_PROJECTIONS)
        for name in ("res2net_dla60", "res2next_dla60")
    },
}

# github.com/zhanghang1989/ResNeSt: resnest/torch/models
RESNESTS: Table = {
    name: Twin(name, RESNEST)
    for name in (
        "resnest50",
        "resnest101",
        "resnest200",
        "resnest269",
        "resnest50_fast_1s1x64d",
        "resnest50_fast_2s1x64d",
        "resnest50_fast_4s1x64d",
        "resnest50_fast_1s2x40d",
        "resnest50_fast_2s2x40d",
        "resnest50_fast_4s2x40d",
        "resnest50_fast_1s4x24d",
    )
}

# github.com/facebookresearch/WSL-Images: hubconf.py builds torchvision's class
WSL: Table = {"resnext101_32x8d_wsl": Twin("resnext101_32x8d", RESNET)}


def surrounded(places: tuple[int, ...], c: int) -> tuple[int, ...]:
    """Zeros for new channels stand half before and half after the old ones there, all after them
    here.
    """
    half = (c - len(places)) // 2
    return (*(half + place for place in places), *range(half), *range(c - half, c))


STAGE2 = surrounded(tuple(range(16)), 32)
STAGE3 = surrounded(STAGE2, 64)
WRITES = r"\.\d+\.branch\.conv2\.(conv\.weight|bn\.(weight|bias|running_mean|running_var))$"
READS = r"\.[1-9]\d*\.branch\.conv1\.conv\.weight$"  # all units but the first

# github.com/akamaster/pytorch_resnet_cifar10: resnet.py
CIFAR_RESNETS: Table = {
    f"resnet{n}": Twin(
        f"resnet{n}_cifar",
        (*STEM, (r"^stage", "layer"), *UNITS, (r"^fc\.", "linear.")),
        reordered=(
            Reordered(r"^stage2" + WRITES, 0, STAGE2),
            Reordered(r"^stage2" + READS, 1, STAGE2),
            Reordered(r"^stage3\.0\.branch\.conv1\.conv\.weight$", 1, STAGE2),
            Reordered(r"^stage3" + WRITES, 0, STAGE3),
            Reordered(r"^stage3" + READS, 1, STAGE3),
            Reordered(r"^fc\.weight$", 1, STAGE3),
        ),
    )
    for n in (20, 32, 44, 56, 110, 1202)
}
# github.com/facebookresearch/ConvNeXt: models/convnext.py, convnext_isotropic.py
CONVNEXT: Rules = (
    (r"^fc\.", "head."),
    (r"^res(\d)\.block(\d+)\.", lambda m: f"stages.{int(m[1]) - 2}.{int(m[2]) - 1}."),
    (r"^res(\d)\.downsample\.norm\.", counted("downsample_layers.{}.0.", -2)),
    (r"^res(\d)\.downsample\.conv\.", counted("downsample_layers.{}.1.", -2)),
    (r"^stem\.conv\.", "downsample_layers.0.0."),
    (r"^stem\.norm\.", "downsample_layers.0.1."),
    (r"\.branch\.depthwise\.", ".dwconv."),
    (r"\.branch\.norm\.", ".norm."),
    (r"\.branch\.expand\.", ".pwconv1."),
    (r"\.branch\.project\.", ".pwconv2."),
    (r"\.branch\.scale\.weight$", ".gamma"),
)
MATRICES = (Ones(r"\.pwconv\d\.weight$", -2),)
CONVNEXTS: Table = {
    name: Twin(name, CONVNEXT, ones=MATRICES)
    for name in (
        *(f"convnext_{size}" for size in ("tiny", "small", "base", "large", "xlarge")),
        *(f"convnext_isotropic_{size}" for size in ("small", "base", "large")),
    )
}
SOURCES: dict[str, Table] = {
    "res2net": RES2NETS,
    "resnest": RESNESTS,
    "wsl": WSL,
    "akamaster": CIFAR_RESNETS,
    "convnext": CONVNEXTS,
}
