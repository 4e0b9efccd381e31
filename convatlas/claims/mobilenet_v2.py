"""What is printed of the networks of nets/mobilenet_v2.py."""

from convatlas.claim import Claim, counts, each, misprint, within_one_unit

WHY_1 = misprint(
    "The authors' README prints 3.47 million, which leaves batch norm's scales and shifts out; "
    "with them the network of Table 2 has 3,504,872."
)
WHY_2 = misprint("It leaves batch norm's scales and shifts out.")
WHY_3 = misprint(
    "Millions are meant, but the smallest network has 11.9 of them, 11 by the authors' README."
)
WHY_4 = misprint(
    "The authors' README prints 6.06 million and 582M for this network, and Table 2's rows "
    "allow nothing else: 6,108,776 with batch norm, 6.06 million without."
)
WHY_5 = misprint(
    "The authors' README prints 6.06 million and 582M for this network, and Table 2's rows "
    "allow nothing else: 582,195,824."
)
CUT_OFF = within_one_unit(
    "300,774,272, cut off as all figures of the authors' README are: 11M there for 11.9 million."
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
        *counts("Table 4", "3.4M", "300M", remarks=(WHY_1, CUT_OFF)),
        *counts("MobileNet_V2_Weights", "3,504,872", "0.301G", by="torchvision"),
        Claim("params", "3.47M", "README", by="release", remark=WHY_2),
        Claim("macs", "300M", "README", by="release", at="224x224", truncated=True),
        Claim("macs", "221M", "README", by="release", at="192x192", truncated=True),
        Claim("macs", "154M", "README", by="release", at="160x160", truncated=True),
        Claim("macs", "99M", "README", by="release", at="128x128", truncated=True),
        Claim("macs", "56M", "README", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x0_35": (
        Claim("params", "1.7M", "Sec. 4: model size varies between 1.7M and 6.9M"),
        Claim(
            "macs",
            "7",
            "Sec. 4: cost ranges from 7 multiply adds to 585M",
            at="96x96",
            remark=WHY_3,
        ),
        Claim("params", "1.66M", "README", by="release", remark=WHY_2),
        Claim("macs", "59M", "README", by="release", at="224x224", truncated=True),
        Claim("macs", "43M", "README", by="release", at="192x192", truncated=True),
        Claim("macs", "30M", "README", by="release", at="160x160", truncated=True),
        Claim("macs", "20M", "README", by="release", at="128x128", truncated=True),
        Claim("macs", "11M", "README", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x0_5": (
        Claim("params", "1.95M", "README", by="release", remark=WHY_2),
        Claim("macs", "97M", "README", by="release", at="224x224", truncated=True),
        Claim("macs", "71M", "README", by="release", at="192x192", truncated=True),
        Claim("macs", "50M", "README", by="release", at="160x160", truncated=True),
        Claim("macs", "32M", "README", by="release", at="128x128", truncated=True),
        Claim("macs", "18M", "README", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x0_75": (
        Claim("params", "2.61M", "README", by="release", remark=WHY_2),
        Claim("macs", "209M", "README", by="release", at="224x224", truncated=True),
        Claim("macs", "153M", "README", by="release", at="192x192", truncated=True),
        Claim("macs", "107M", "README", by="release", at="160x160", truncated=True),
        Claim("macs", "69M", "README", by="release", at="128x128", truncated=True),
        Claim("macs", "39M", "README", by="release", at="96x96", truncated=True),
    ),
    "mobilenet_v2_x1_3": (
        Claim("params", "5.34M", "README", by="release", remark=WHY_2),
        Claim("macs", "509M", "README", by="release", at="224x224", truncated=True),
    ),
    "mobilenet_v2_x1_4": (
        *counts("Table 4", "6.9M", "585M", remarks=(WHY_4, WHY_5)),
        Claim("params", "6.06M", "README", by="release", remark=WHY_2),
        Claim("macs", "582M", "README", by="release", at="224x224", truncated=True),
    ),
}
