"""What is printed of the networks of nets/pyramidnet.py."""

from convatlas.claim import Claim


def printed(params: str, channels: str) -> tuple[Claim, ...]:
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
    )


CLAIMS = {
    "pyramidnet200_a300": printed("62.1M", "1456"),
    "pyramidnet200_a450": printed("116.4M", "2056"),
}
