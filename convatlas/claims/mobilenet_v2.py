"""What is printed of the networks of nets/mobilenet_v2.py."""

from convatlas.claim import (
    Claim,
    counted_otherwise,
    counts,
    each,
    misprint,
    not_explained,
    table,
    within_one_unit,
)

CUT_OFF_WITHOUT_NORMS = counted_otherwise(
    "The authors' README prints 3.47 million, without batch norm's scales and shifts; cut off, as "
    "the 300M beside it are, that is 3.4."
)
WITHOUT_NORMS = counted_otherwise(
    "Without batch norm's scales and shifts all six sizes of the README hold, and with them none."
)
MILLIONS_ARE_MEANT = misprint(
    "Millions are meant, but the smallest network has 11.9 of them, 11 by the authors' README."
)
SIZE_OF_1_4 = not_explained(
    "6,108,776, and 6.06 million without batch norm, as the authors' README prints; Table 2's "
    "rows, 1.4 times as wide, allow nothing else."
)
COST_OF_1_4 = not_explained("582,195,824, which the authors' README prints as 582M.")
CUT_OFF = within_one_unit(
    "300,774,272, cut off as all figures of the authors' README are: 11M there for 11.9 million."
)
WIDTHS_OF_THE_NEXT = misprint(
    "Table 2 hands on 24 channels at 56x56, 32 at 28x28 and 96 at 14x14; the cells 32/200, 64/100 "
    "and 160/62 are the widths of the next size, on maps of this one."
)
TWICE_200 = not_explained("401,408 bytes; the cell is twice the 200 Kb of the next one.")
NEARLY_31 = within_one_unit("31,360 bytes, printed as 32 Kb.")
TABLE_3 = tuple(
    Claim(
        quantity, number, f"Table 3, {what} at {size}", part, remark=remark or remarks.get(quantity)
    )
    for size, part, channels, memory, remark, remarks in (
        ("112x112", "bottleneck1", "16", "400K", None, {"bytes in 16 bits": TWICE_200}),
        ("56x56", "bottleneck2", "32", "200K", WIDTHS_OF_THE_NEXT, {}),
        ("28x28", "bottleneck3", "64", "100K", WIDTHS_OF_THE_NEXT, {}),
        ("14x14", "bottleneck5", "160", "62K", WIDTHS_OF_THE_NEXT, {}),
        ("7x7", "bottleneck7", "320", "32K", None, {"bytes in 16 bits": NEARLY_31}),
    )
    for quantity, what, number in (
        ("channels", "channels", channels),
        ("bytes in 16 bits", "memory", memory),
    )
)
TABLE_2 = (
    *table("Table 2", "filters stride", {"conv1": "32 2"}),
    *table("Table 2", "kernel filters stride", {"conv9": "1x1 1280 1"}),
    *table(
        "Table 2: t, c, n, s",
        "expansion:*.expand filters:*.project repeats stride:0.layers.depthwise",
        {
            "bottleneck1": "- 16 1 1",
            "bottleneck2": "6 24 2 2",
            "bottleneck3": "6 32 3 2",
            "bottleneck4": "6 64 4 2",
            "bottleneck5": "6 96 3 1",
            "bottleneck6": "6 160 3 2",
            "bottleneck7": "6 320 1 1",
        },
    ),
    Claim(
        "stride",
        "1",
        "Table 2, caption: all others use stride 1",
        "bottleneck*.[!0].layers.depthwise",
    ),
    *each(
        "kernel",
        "Tables 1 and 2",
        {
            "bottleneck*.expand": "1x1",
            "bottleneck*.depthwise": "3x3",
            "bottleneck*.project": "1x1",
            "conv1": "3x3",
        },
    ),
    Claim("nonlinearity", "ReLU6", "Table 1"),
)
CLAIMS = {
    "mobilenet_v2": (
        Claim("macs", "0.3B", "Table 3, baseline", by="EfficientNet"),
        Claim("macs", "1.2B", "Table 3, by resolution (r=2)", by="EfficientNet", at="448x448"),
        *each(
            "size",
            "Table 2, input of the next row",
            {
                "conv1": "32x112x112",
                "bottleneck1": "16x112x112",
                "bottleneck2": "24x56x56",
                "bottleneck3": "32x28x28",
                "bottleneck4": "64x14x14",
                "bottleneck5": "96x14x14",
                "bottleneck6": "160x7x7",
                "bottleneck7": "320x7x7",
                "conv9": "1280x7x7",
            },
        ),
        *TABLE_2,
        *TABLE_3,
        Claim(
            "params without norms",
            "3.4M",
            "Table 4",
            truncated=True,
            remark=CUT_OFF_WITHOUT_NORMS,
        ),
        Claim("macs", "300M", "Table 4", remark=CUT_OFF),
        *counts("MobileNet_V2_Weights", "3,504,872", "0.301G", by="torchvision"),
        Claim(
            "params without norms",
            "3.47M",
            "mobilenet/README.md",
            by="release",
            remark=WITHOUT_NORMS,
        ),
        Claim("macs", "300M", "mobilenet/README.md", by="release", at="224x224", truncated=True),
        Claim("macs", "221M", "mobilenet/README.md", by="release", at="192x192", truncated=True),
        Claim("macs", "154M", "mobilenet/README.md", by="release", at="160x160", truncated=True),
        Claim("macs", "99M", "mobilenet/README.md", by="release", at="128x128", truncated=True),
        Claim("macs", "56M", "mobilenet/README.md", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x0_35": (
        Claim("params", "1.7M", "Sec. 4: model size varies between 1.7M and 6.9M"),
        Claim(
            "macs",
            "7",
            "Sec. 4: cost ranges from 7 multiply adds to 585M",
            at="96x96",
            remark=MILLIONS_ARE_MEANT,
        ),
        Claim(
            "params without norms",
            "1.66M",
            "mobilenet/README.md",
            by="release",
            remark=WITHOUT_NORMS,
        ),
        Claim("macs", "59M", "mobilenet/README.md", by="release", at="224x224", truncated=True),
        Claim("macs", "43M", "mobilenet/README.md", by="release", at="192x192", truncated=True),
        Claim("macs", "30M", "mobilenet/README.md", by="release", at="160x160", truncated=True),
        Claim("macs", "20M", "mobilenet/README.md", by="release", at="128x128", truncated=True),
        Claim("macs", "11M", "mobilenet/README.md", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x0_5": (
        Claim(
            "params without norms",
            "1.95M",
            "mobilenet/README.md",
            by="release",
            remark=WITHOUT_NORMS,
        ),
        Claim("macs", "97M", "mobilenet/README.md", by="release", at="224x224", truncated=True),
        Claim("macs", "71M", "mobilenet/README.md", by="release", at="192x192", truncated=True),
        Claim("macs", "50M", "mobilenet/README.md", by="release", at="160x160", truncated=True),
        Claim("macs", "32M", "mobilenet/README.md", by="release", at="128x128", truncated=True),
        Claim("macs", "18M", "mobilenet/README.md", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x0_75": (
        Claim(
            "params without norms",
            "2.61M",
            "mobilenet/README.md",
            by="release",
            remark=WITHOUT_NORMS,
        ),
        Claim("macs", "209M", "mobilenet/README.md", by="release", at="224x224", truncated=True),
        Claim("macs", "153M", "mobilenet/README.md", by="release", at="192x192", truncated=True),
        Claim("macs", "107M", "mobilenet/README.md", by="release", at="160x160", truncated=True),
        Claim("macs", "69M", "mobilenet/README.md", by="release", at="128x128", truncated=True),
        Claim("macs", "39M", "mobilenet/README.md", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x1_3": (
        Claim(
            "params without norms",
            "5.34M",
            "mobilenet/README.md",
            by="release",
            remark=WITHOUT_NORMS,
        ),
        Claim("macs", "509M", "mobilenet/README.md", by="release", at="224x224", truncated=True),
    ),
    "mobilenet_v2_x1_4": (
        *counts("Table 4", "6.9M", "585M", remarks=(SIZE_OF_1_4, COST_OF_1_4)),
        Claim(
            "params without norms",
            "6.06M",
            "mobilenet/README.md",
            by="release",
            remark=WITHOUT_NORMS,
        ),
        Claim("macs", "582M", "mobilenet/README.md", by="release", at="224x224", truncated=True),
    ),
}
