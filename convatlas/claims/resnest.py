"""What is printed of the networks of nets/resnest.py."""

from convatlas.claim import Claim, counted_otherwise, not_explained, within_one_unit

MORE_4S2X40D = not_explained(
    "Convolutions and fully connected layers take 4.369G, with the values of the norms 4.387G; the "
    "five rows above hold so. Activations and pools, tried too, leave it at 4.396."
)
MORE_1S4X24D = not_explained(
    "Convolutions and fully connected layers take 4.400G, with the values of the norms 4.413G; the "
    "first five rows hold so. With those of activations too it is 4.418, but then 2s1x64d would be "
    "4.35."
)
NEAR_SIZE = within_one_unit(
    "26,217,896, and 26.27 million with the running statistics of batch norm; but with them the "
    "rows of 31.9M and 25.9M would be 32.0M and 26.0M."
)
WITH_NORMS = counted_otherwise(
    "With one operation for each value that a batch norm gives out, five of the column's seven "
    "rows hold; by the usual count none does."
)
TABLE_3 = "Table 3 (not read: docs/sources.md)"
TABLE_3_WITH_NORMS = counted_otherwise(
    "With one operation for each value that a batch norm gives out, as in the authors' ablation.md."
)
NAMED_AFTER_RESNET = counted_otherwise(
    "The name is that of the ResNet whose 7x7 the three 3x3 convolutions of conv1 replace: with "
    "conv1 as one layer every such name holds. The longest way is two layers longer."
)


def depth(layers: str, source: str, by: str = "release") -> Claim:
    return Claim("layers, conv1 as one", layers, source, by=by, remark=NAMED_AFTER_RESNET)


CLAIMS = {
    "resnest50": (
        Claim("size", "224x224", "README, crop size", "input", by="release"),
        Claim("params", "27.5M", TABLE_3),
        Claim("macs with norms", "5.39G", TABLE_3, remark=TABLE_3_WITH_NORMS),
        depth("50", "README, ResNeSt-50"),
    ),
    "resnest101": (
        Claim("size", "256x256", "README, crop size", "input", by="release"),
        Claim("params", "48.3M", TABLE_3),
        Claim("macs", "10.2G", TABLE_3, at="224x224"),
        depth("101", "README, ResNeSt-101"),
    ),
    "resnest200": (
        Claim("size", "320x320", "README, crop size", "input", by="release"),
        depth("200", "README, ResNeSt-200"),
    ),
    "resnest269": (
        Claim("size", "416x416", "README, crop size", "input", by="release"),
        depth("269", "README, ResNeSt-269"),
    ),
    "resnest50_fast_1s1x64d": (
        Claim("params", "26.3M", "ablation.md, #P", by="release", remark=NEAR_SIZE),
        Claim("macs with norms", "4.34G", "ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest50_fast_2s1x64d": (
        Claim("params", "27.5M", "ablation.md, #P", by="release"),
        Claim("macs with norms", "4.34G", "ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest50_fast_4s1x64d": (
        Claim("params", "31.9M", "ablation.md, #P", by="release"),
        Claim("macs with norms", "4.35G", "ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest50_fast_1s2x40d": (
        Claim("params", "25.9M", "ablation.md, #P", by="release"),
        Claim("macs with norms", "4.38G", "ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest50_fast_2s2x40d": (
        Claim("params", "26.9M", "ablation.md, #P", by="release"),
        Claim("macs with norms", "4.38G", "ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest50_fast_4s2x40d": (
        Claim("params", "30.4M", "ablation.md, #P", by="release"),
        Claim("macs", "4.41G", "ablation.md, GFLOPs", by="release", remark=MORE_4S2X40D),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest50_fast_1s4x24d": (
        Claim("params", "25.7M", "ablation.md, #P", by="release"),
        Claim("macs", "4.42G", "ablation.md, GFLOPs", by="release", remark=MORE_1S4X24D),
        depth("50", "ablation.md, ResNeSt-50-fast"),
    ),
    "resnest14": (depth("14", "resnest14, the name", by="gluoncv"),),
    "resnest26": (depth("26", "resnest26, the name", by="gluoncv"),),
    "resnest101_fast": (depth("101", "ablation.md, ResNeSt-101-fast"),),
}
