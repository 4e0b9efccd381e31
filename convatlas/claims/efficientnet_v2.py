"""What is printed of the networks of nets/efficientnet_v2.py."""

from convatlas.claim import (
    Claim,
    counts,
    each,
    not_explained,
    table,
    within_one_unit,
)

PARAMS_OF_S = within_one_unit(
    "21.46 million: the README's 21.5M, rounded once more, as its 119.5M for L is here 120M."
)
COST_OF_S = not_explained(
    "8.37B at 384x384, which the release's README rounds to 8.4B. With the 272 channels and the "
    "1792 that end S in arXiv's first version, where its 24M come from, 8.60B."
)
CUT_OFF_M = within_one_unit("24.58B at 480x480, cut off; the release's README prints 24.7B.")
PARAMS_OF_L = not_explained(
    "118.5 million, 119.0 with the running statistics of batch norm; the release's README prints "
    "119.5M, arXiv's first version 121M for another L."
)
COST_OF_L = not_explained(
    "56.08B at 480x480; the release's README prints 56.3B. At 464x464 it would be 53.5B."
)
README_COST_OF_M = not_explained(
    "24.58B, or 24.67 with one multiply-add for each value of a batch norm, but then L would be "
    "printed as 56.2B."
)
README_OF_L = not_explained(
    "118.5 million, 119.0 with the running statistics of batch norm. With them twice 119.54, "
    "but then S would be printed as 21.8M."
)
README_COST_OF_L = not_explained(
    "56.08B, or 56.24 with one multiply-add for each value of a batch norm."
)
TABLE_4 = (
    *table("Table 4", "kernel stride filters", {"stage0": "3x3 2 24"}),
    *table(
        "Table 4: operator, #channels, #layers",
        "kernel:*.project filters:*.project repeats",
        {"stage1": "3x3 24 2"},
    ),
    *table(
        "Table 4: operator, #channels, #layers",
        "kernel:*.expand filters:*.project repeats",
        {"stage2": "3x3 48 4", "stage3": "3x3 64 4"},
    ),
    *table(
        "Table 4: operator, #channels, #layers",
        "expansion:*.expand kernel:*.depthwise filters:*.project repeats",
        {"stage4": "4 3x3 128 6", "stage5": "6 3x3 160 9", "stage6": "6 3x3 256 15"},
    ),
    *each(
        "stride",
        "Table 4",
        {
            "stage1.0.layers.project": "1",
            "stage2.0.layers.expand": "2",
            "stage3.0.layers.expand": "2",
            "stage4.0.layers.depthwise": "2",
            "stage5.0.layers.depthwise": "1",
            "stage6.0.layers.depthwise": "2",
        },
    ),
    *table("Table 4", "kernel filters", {"stage7": "1x1 1280"}),
)


def configured(fused: dict[str, str], gated: dict[str, str]) -> tuple[Claim, ...]:
    """The block strings of the release: o and r; e, o and r."""
    place = "effnetv2_configs.py"
    return (
        *table(place, "filters:*.project repeats", fused, by="release"),
        *table(place, "expansion:*.expand filters:*.project repeats", gated, by="release"),
    )


def readme(params: str, macs: str) -> tuple[Claim, ...]:
    return counts("README, sec. 2", params, macs, by="release")


CLAIMS = {
    "efficientnet_v2_s": (
        *TABLE_4,
        *counts("Table 7, EfficientNetV2-S", "22M", "8.8B", remarks=(PARAMS_OF_S, COST_OF_S)),
        *readme("21.5M", "8.4B"),
    ),
    "efficientnet_v2_m": (
        *counts("Table 7, EfficientNetV2-M", "54M", "24B", remarks=(None, CUT_OFF_M)),
        Claim("params", "54.1M", "README, sec. 2", by="release"),
        Claim("macs", "24.7B", "README, sec. 2", by="release", remark=README_COST_OF_M),
        *configured(
            {"stage1": "24 3", "stage2": "48 5", "stage3": "80 5"},
            {
                "stage4": "4 160 7",
                "stage5": "6 176 14",
                "stage6": "6 304 18",
                "stage7": "6 512 5",
            },
        ),
    ),
    "efficientnet_v2_l": (
        *counts("Table 7, EfficientNetV2-L", "120M", "53B", remarks=(PARAMS_OF_L, COST_OF_L)),
        Claim("params", "119.5M", "README, sec. 2", by="release", remark=README_OF_L),
        Claim("macs", "56.3B", "README, sec. 2", by="release", remark=README_COST_OF_L),
        *configured(
            {"stage1": "32 4", "stage2": "64 7", "stage3": "96 7"},
            {
                "stage4": "4 192 10",
                "stage5": "6 224 19",
                "stage6": "6 384 25",
                "stage7": "6 640 7",
            },
        ),
    ),
    "efficientnet_v2_xl": configured(
        {"stage1": "32 4", "stage2": "64 8", "stage3": "96 8"},
        {
            "stage4": "4 192 16",
            "stage5": "6 256 24",
            "stage6": "6 512 32",
            "stage7": "6 640 8",
        },
    ),
    "efficientnet_v2_b0": (
        *readme("7.1M", "0.72B"),
        *configured(
            {"stage1": "16 1", "stage2": "32 2", "stage3": "48 2"},
            {"stage4": "4 96 3", "stage5": "6 112 5", "stage6": "6 192 8"},
        ),
    ),
    "efficientnet_v2_b1": readme("8.1M", "1.2B"),
    "efficientnet_v2_b2": readme("10.1M", "1.7B"),
    "efficientnet_v2_b3": readme("14.4M", "3.0B"),
}
