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
CLAIMS = {
    "resnest50": (Claim("size", "224x224", "README, crop size", "input", by="release"),),
    "resnest101": (Claim("size", "256x256", "README, crop size", "input", by="release"),),
    "resnest200": (Claim("size", "320x320", "README, crop size", "input", by="release"),),
    "resnest269": (Claim("size", "416x416", "README, crop size", "input", by="release"),),
    "resnest50_fast_1s1x64d": (
        Claim("params", "26.3M", "Ablation.md, #P", by="release", remark=NEAR_SIZE),
        Claim("macs with norms", "4.34G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_2s1x64d": (
        Claim("params", "27.5M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.34G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_4s1x64d": (
        Claim("params", "31.9M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.35G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_1s2x40d": (
        Claim("params", "25.9M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.38G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_2s2x40d": (
        Claim("params", "26.9M", "Ablation.md, #P", by="release"),
        Claim("macs with norms", "4.38G", "Ablation.md, GFLOPs", by="release", remark=WITH_NORMS),
    ),
    "resnest50_fast_4s2x40d": (
        Claim("params", "30.4M", "Ablation.md, #P", by="release"),
        Claim("macs", "4.41G", "Ablation.md, GFLOPs", by="release", remark=WHY_5),
    ),
    "resnest50_fast_1s4x24d": (
        Claim("params", "25.7M", "Ablation.md, #P", by="release"),
        Claim("macs", "4.42G", "Ablation.md, GFLOPs", by="release", remark=WHY_6),
    ),
}
