"""What is printed of the networks of nets/pyramidnet.py."""

from convatlas.claim import Claim, Remark, each, not_explained

NOTHING_TO_ROUND = (
    "alpha/N is 5 in 54 units, so that there is nothing to round: {}, and without norms {}. "
    "pytorchcv counts as many. The rows of other alphas hold, rounded down and cut off."
)
WIDE_BASIC = not_explained(NOTHING_TO_ROUND.format("28,485,477", "28,435,679"))
WIDE_BOTTLENECK = not_explained(NOTHING_TO_ROUND.format("27,216,021", "27,050,177"))


def small(
    layers: str, params: str, channels: str, last: str, remark: Remark | None = None
) -> tuple[Claim, ...]:
    """A row for 32x32 pixels; `last` is the layer that the average reads."""
    return (
        Claim("params", params, "Table 4, # of Params", truncated=True, remark=remark),
        Claim("layers", layers, f"README, PyramidNet-{layers}", by="release"),
        Claim(
            "params",
            params,
            "README, # of parameters",
            by="release",
            truncated=True,
            remark=remark,
        ),
        Claim(
            "size",
            "8x8",
            "addpyramidnet.lua, the average before the last layer",
            "conv4",
            by="release",
        ),
        Claim("filters", channels, "README, Output feat. dimension", last, by="release"),
    )


def large(params: str, channels: str) -> tuple[Claim, ...]:
    return (
        Claim("params", params, "Table 5, # of Params", truncated=True),
        Claim("layers", "200", "README, PyramidNet-200", by="release"),
        Claim("params", params, "README, # of parameters", by="release", truncated=True),
        Claim(
            "filters",
            channels,
            "README, Output feat. dimension",
            "conv5.2.branch.conv3",
            by="release",
        ),
        Claim("size", "224x224", "README, single-crop", "input", by="release"),
        Claim(
            "size",
            "7x7",
            "addpyramidnet.lua, the average before the last layer",
            "conv5",
            by="release",
        ),
        *each(
            "repeats",
            "addpyramidnet.lua, cfg of 200 layers",
            {"conv2": "3", "conv3": "24", "conv4": "36", "conv5": "3"},
            by="release",
        ),
    )


CLAIMS = {
    "pyramidnet110_a48_cifar": small("110", "1.7M", "64", "conv4.17.branch.conv2"),
    "pyramidnet110_a84_cifar": small("110", "3.8M", "100", "conv4.17.branch.conv2"),
    "pyramidnet110_a270_cifar": (
        *small("110", "28.3M", "286", "conv4.17.branch.conv2", WIDE_BASIC),
        Claim("params", "28,485,477", "cifar/pyramidnet_cifar.py, _test", by="pytorchcv"),
    ),
    "pyramidnet164_a270_cifar": (
        *small("164", "27.0M", "1144", "conv4.17.branch.conv3", WIDE_BOTTLENECK),
        Claim("params", "27,216,021", "cifar/pyramidnet_cifar.py, _test", by="pytorchcv"),
    ),
    "pyramidnet200_a240_cifar": small("200", "26.6M", "1024", "conv4.21.branch.conv3"),
    "pyramidnet236_a220_cifar": small("236", "26.8M", "944", "conv4.25.branch.conv3"),
    "pyramidnet272_a200_cifar": small("272", "26.0M", "864", "conv4.29.branch.conv3"),
    "pyramidnet200_a300": large("62.1M", "1456"),
    "pyramidnet200_a450": large("116.4M", "2056"),
}
