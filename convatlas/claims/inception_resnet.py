"""What is printed of the networks of nets/inception_resnet.py."""

from convatlas.claim import Claim, counts, each, misprint

WHY_1 = misprint("It is added to Reduction-A's 384 + 384 + 384 = 1152 channels.")
WHY_2 = misprint("It is added to Reduction-B's 1152 + 384 + 288 + 320 = 2144 channels.")
CLAIMS = {
    "inception_resnet_v1": (
        *each(
            "size",
            "Figure 14",
            {
                "input": "3x299x299",
                "stem.convs.conv1": "32x149x149",
                "stem.convs.conv2": "32x147x147",
                "stem.convs.conv3": "64x147x147",
                "stem.pool": "64x73x73",
                "stem.more.conv1": "80x73x73",
                "stem.more.conv2": "192x71x71",
                "stem": "256x35x35",
            },
        ),
        *each(
            "size",
            "Figure 15",
            {
                "input": "3x299x299",
                "stem": "256x35x35",
                "inception_resnet_a": "256x35x35",
                "reduction_a": "896x17x17",
                "inception_resnet_b": "896x17x17",
                "reduction_b": "1792x8x8",
                "inception_resnet_c": "1792x8x8",
            },
        ),
        *each("units", "Figure 15", {"avg_pool": "1792", "dropout": "1792", "fc": "1000"}),
        Claim("size", "256x35x35", "Figure 10: linear", "inception_resnet_a.0.linear"),
        Claim("size", "896x17x17", "Figure 11: linear", "inception_resnet_b.0.linear"),
        Claim("size", "1792x8x8", "Figure 13: linear", "inception_resnet_c.0.linear"),
    ),
    "inception_resnet_v2": (
        *each(
            "size",
            "Figure 3",
            {
                "input": "3x299x299",
                "stem.convs.conv1": "32x149x149",
                "stem.convs.conv2": "32x147x147",
                "stem.convs.conv3": "64x147x147",
                "stem.concat1": "160x73x73",
                "stem.concat2": "192x71x71",
                "stem": "384x35x35",
            },
        ),
        Claim("size", "384x35x35", "Figure 16: linear", "inception_resnet_a.0.linear"),
        Claim(
            "size", "1154x17x17", "Figure 17: linear", "inception_resnet_b.0.linear", remark=WHY_1
        ),
        Claim("size", "2048x8x8", "Figure 19: linear", "inception_resnet_c.0.linear", remark=WHY_2),
    ),
    "inception_resnet_v2_released": (
        *counts("Table 2", "55.8M", "13.2B", by="NASNet"),
        *counts("Table 2", "56M", "13B", by="EfficientNet"),
    ),
}
