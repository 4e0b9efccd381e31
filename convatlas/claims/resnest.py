"""What is printed of the networks of nets/resnest.py."""

from convatlas.claim import Claim, counted_otherwise, misprint, within_one_unit

WHY_5 = misprint(
    "Convolutions and fully connected layers take 4.369G. With one operation for each value "
    "that a batch norm gives out it would be 4.387G; five of the column's seven rows are just "
    "that, 4s2x40d and 1s4x24d are not, and what else they count is unknown."
)
WHY_6 = misprint(
    "Convolutions and fully connected layers take 4.400G. With one operation for each value "
    "that a batch norm gives out it would be 4.413G; five of the column's seven rows are just "
    "that, 4s2x40d and 1s4x24d are not, and what else they count is unknown."
)
NEAR_SIZE = within_one_unit(
    "26,217,896, and 26.27 million with the running statistics of batch norm; but with them the "
    "rows of 31.9M and 25.9M would be 32.0M and 26.0M."
)
WITH_NORMS = counted_otherwise(
    "With one operation for each value that a batch norm gives out, five of the column's seven "
    "rows hold; by the usual count none does."
)
NAMED_AFTER_RESNET = counted_otherwise(
    "The name is that of the ResNet whose 7x7 the three 3x3 convolutions of conv1 replace: with "
    "conv1 as one layer every such name holds. The longest way is two layers longer."
)
CLAIMS = {
    "resnest50": (
        Claim(
            "layers, conv1 as one",
            "50",
            "README, ResNeSt-50",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("size", "224x224", "README, crop size", "input", by="release"),
    ),
    "resnest101": (
        Claim(
            "layers, conv1 as one",
            "101",
            "README, ResNeSt-101",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("size", "256x256", "README, crop size", "input", by="release"),
    ),
    "resnest200": (
        Claim(
            "layers, conv1 as one",
            "200",
            "README, ResNeSt-200",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("size", "320x320", "README, crop size", "input", by="release"),
    ),
    "resnest269": (
        Claim(
            "layers, conv1 as one",
            "269",
            "README, ResNeSt-269",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("size", "416x416", "README, crop size", "input", by="release"),
    ),
    "resnest50_fast_1s1x64d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "26.3M", "Ablation.md, #P", by="release", remark=NEAR_SIZE),
        Claim("macs with norms", "4.34G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_2s1x64d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "27.5M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.34G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_4s1x64d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "31.9M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.35G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_1s2x40d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "25.9M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.38G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_2s2x40d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "26.9M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.38G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_4s2x40d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "30.4M", "Ablation.md, #P", by="release"),
        Claim("macs", "4.41G", "Ablation.md, GFLOPs", by="release", remark=WHY_5),
    ),
    "resnest50_fast_1s4x24d": (
        Claim(
            "layers, conv1 as one",
            "50",
            "ablation.md, ResNeSt-50-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
        Claim("params", "25.7M", "Ablation.md, #P", by="release"),
        Claim("macs", "4.42G", "Ablation.md, GFLOPs", by="release", remark=WHY_6),
    ),
    "resnest14": (
        Claim(
            "layers, conv1 as one",
            "14",
            "resnest14, the name",
            by="gluoncv",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
    "resnest26": (
        Claim(
            "layers, conv1 as one",
            "26",
            "resnest26, the name",
            by="gluoncv",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
    "resnest101_fast": (
        Claim(
            "layers, conv1 as one",
            "101",
            "ablation.md, ResNeSt-101-fast",
            by="release",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
}
