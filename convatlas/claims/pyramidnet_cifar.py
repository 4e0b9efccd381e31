"""What is printed of the networks of nets/pyramidnet_cifar.py."""

from convatlas.claim import Claim, Remark, not_explained

NOTHING_TO_ROUND = (
    "alpha/N is 5 in 54 units, so that there is nothing to round: {}, and without norms {}. "
    "pytorchcv counts as many. The rows of other alphas hold, rounded down and cut off."
)
WIDE_BASIC = not_explained(NOTHING_TO_ROUND.format("28,485,477", "28,435,679"))
WIDE_BOTTLENECK = not_explained(NOTHING_TO_ROUND.format("27,216,021", "27,050,177"))


def printed(
    layers: str, params: str, channels: str, last: str, remark: Remark | None = None
) -> tuple[Claim, ...]:
    """A row; `last` is the layer that the average reads."""
    return (
        Claim("params", params, "Table 4, # of Params", truncated=True, remark=remark),
        Claim("layers", layers, f"README, PyramidNet-{layers}", by="release"),
        Claim(
            "params",
            params,
            "README, # of parameters",
            "",
            "release",
            "",
            truncated=True,
            remark=remark,
        ),
        Claim("filters", channels, "README, Output feat. dimension", last, by="release"),
    )


CLAIMS = {
    "pyramidnet110_a48_cifar": printed("110", "1.7M", "64", "conv4.17.branch.conv2"),
    "pyramidnet110_a84_cifar": printed("110", "3.8M", "100", "conv4.17.branch.conv2"),
    "pyramidnet110_a270_cifar": (
        *printed("110", "28.3M", "286", "conv4.17.branch.conv2", WIDE_BASIC),
        Claim("params", "28,485,477", "cifar/pyramidnet_cifar.py, _test", by="pytorchcv"),
    ),
    "pyramidnet164_a270_cifar": (
        *printed("164", "27.0M", "1144", "conv4.17.branch.conv3", WIDE_BOTTLENECK),
        Claim("params", "27,216,021", "cifar/pyramidnet_cifar.py, _test", by="pytorchcv"),
    ),
    "pyramidnet200_a240_cifar": printed("200", "26.6M", "1024", "conv4.21.branch.conv3"),
    "pyramidnet236_a220_cifar": printed("236", "26.8M", "944", "conv4.25.branch.conv3"),
    "pyramidnet272_a200_cifar": printed("272", "26.0M", "864", "conv4.29.branch.conv3"),
}
