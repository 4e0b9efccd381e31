"""What is printed of the networks of nets/inception_resnet.py."""

from convatlas.claim import Claim, counts, each, misprint, table

WHY_1 = misprint("It is added to Reduction-A's 384 + 384 + 384 = 1152 channels.")
WHY_2 = misprint("It is added to Reduction-B's 1152 + 384 + 288 + 320 = 2144 channels.")
STEM_V1 = table(
    "Figure 14",
    "kernel stride filters",
    {
        "stem.convs.conv1": "3x3 2 32",
        "stem.convs.conv2": "3x3 1 32",
        "stem.convs.conv3": "3x3 1 64",
        "stem.pool": "3x3 2 -",
        "stem.more.conv1": "1x1 1 80",
        "stem.more.conv2": "3x3 1 192",
        "stem.more.conv3": "3x3 2 256",
    },
)
STEM_V2 = table(
    "Figure 3",
    "kernel stride filters",
    {
        "stem.convs.conv1": "3x3 2 32",
        "stem.convs.conv2": "3x3 1 32",
        "stem.convs.conv3": "3x3 1 64",
        "stem.concat1.branch1": "3x3 2 -",
        "stem.concat1.branch2": "3x3 2 96",
        "stem.concat2.branch1.conv1": "1x1 1 64",
        "stem.concat2.branch1.conv2": "3x3 1 96",
        "stem.concat2.branch2.conv1": "1x1 1 64",
        "stem.concat2.branch2.conv2": "- 1 64",
        "stem.concat2.branch2.conv3": "- 1 64",
        "stem.concat2.branch2.conv4": "3x3 1 96",
        "stem.concat3.branch1": "3x3 2 192",
    },
)
A_V1 = table(
    "Figure 10",
    "kernel filters",
    {
        "inception_resnet_a.*.branches.branch1": "1x1 32",
        "inception_resnet_a.*.branches.branch2.conv1": "1x1 32",
        "inception_resnet_a.*.branches.branch2.conv2": "3x3 32",
        "inception_resnet_a.*.branches.branch3.conv1": "1x1 32",
        "inception_resnet_a.*.branches.branch3.conv2": "3x3 32",
        "inception_resnet_a.*.branches.branch3.conv3": "3x3 32",
        "inception_resnet_a.*.linear": "1x1 256",
    },
)
A_V2 = table(
    "Figure 16",
    "kernel filters",
    {
        "inception_resnet_a.*.branches.branch1": "1x1 32",
        "inception_resnet_a.*.branches.branch2.conv1": "1x1 32",
        "inception_resnet_a.*.branches.branch2.conv2": "3x3 32",
        "inception_resnet_a.*.branches.branch3.conv1": "1x1 32",
        "inception_resnet_a.*.branches.branch3.conv2": "3x3 48",
        "inception_resnet_a.*.branches.branch3.conv3": "3x3 64",
        "inception_resnet_a.*.linear": "1x1 384",
    },
)
B_V1 = table(
    "Figure 11",
    "kernel filters",
    {
        "inception_resnet_b.*.branches.branch1": "1x1 128",
        "inception_resnet_b.*.branches.branch2.conv1": "1x1 128",
        "inception_resnet_b.*.branches.branch2.conv2": "1x7 128",
        "inception_resnet_b.*.branches.branch2.conv3": "7x1 128",
        "inception_resnet_b.*.linear": "1x1 896",
    },
)
B_V2 = table(
    "Figure 17",
    "kernel filters",
    {
        "inception_resnet_b.*.branches.branch1": "1x1 192",
        "inception_resnet_b.*.branches.branch2.conv1": "1x1 128",
        "inception_resnet_b.*.branches.branch2.conv2": "1x7 160",
        "inception_resnet_b.*.branches.branch2.conv3": "7x1 192",
        "inception_resnet_b.*.linear": "1x1 -",
    },
)
C_V1 = table(
    "Figure 13",
    "kernel filters",
    {
        "inception_resnet_c.*.branches.branch1": "1x1 192",
        "inception_resnet_c.*.branches.branch2.conv1": "1x1 192",
        "inception_resnet_c.*.branches.branch2.conv2": "1x3 192",
        "inception_resnet_c.*.branches.branch2.conv3": "3x1 192",
        "inception_resnet_c.*.linear": "1x1 1792",
    },
)
C_V2 = table(
    "Figure 19",
    "kernel filters",
    {
        "inception_resnet_c.*.branches.branch1": "1x1 192",
        "inception_resnet_c.*.branches.branch2.conv1": "1x1 192",
        "inception_resnet_c.*.branches.branch2.conv2": "1x3 224",
        "inception_resnet_c.*.branches.branch2.conv3": "3x1 256",
        "inception_resnet_c.*.linear": "1x1 -",
    },
)
REDUCTION_A_V1 = table(
    "Figure 7, with k, l, m, n of Table 1",
    "kernel stride filters",
    {
        "reduction_a.branch1": "3x3 2 384",
        "reduction_a.branch2.conv1": "1x1 1 192",
        "reduction_a.branch2.conv2": "3x3 1 192",
        "reduction_a.branch2.conv3": "3x3 2 256",
        "reduction_a.branch3": "3x3 2 -",
    },
)
REDUCTION_A_V2 = table(
    "Figure 7, with k, l, m, n of Table 1",
    "kernel stride filters",
    {
        "reduction_a.branch1": "3x3 2 384",
        "reduction_a.branch2.conv1": "1x1 1 256",
        "reduction_a.branch2.conv2": "3x3 1 256",
        "reduction_a.branch2.conv3": "3x3 2 384",
        "reduction_a.branch3": "3x3 2 -",
    },
)
REDUCTION_B_V1 = table(
    "Figure 12",
    "kernel stride filters",
    {
        "reduction_b.branch1.conv1": "1x1 1 256",
        "reduction_b.branch1.conv2": "3x3 2 384",
        "reduction_b.branch2.conv1": "1x1 1 256",
        "reduction_b.branch2.conv2": "3x3 2 256",
        "reduction_b.branch3.conv1": "1x1 1 256",
        "reduction_b.branch3.conv2": "3x3 1 256",
        "reduction_b.branch3.conv3": "3x3 2 256",
        "reduction_b.branch4": "3x3 2 -",
    },
)
REDUCTION_B_V2 = table(
    "Figure 18",
    "kernel stride filters",
    {
        "reduction_b.branch1.conv1": "1x1 1 256",
        "reduction_b.branch1.conv2": "3x3 2 384",
        "reduction_b.branch2.conv1": "1x1 1 256",
        "reduction_b.branch2.conv2": "3x3 2 288",
        "reduction_b.branch3.conv1": "1x1 1 256",
        "reduction_b.branch3.conv2": "3x3 1 288",
        "reduction_b.branch3.conv3": "3x3 2 320",
        "reduction_b.branch4": "3x3 2 -",
    },
)
REPEATS = each(
    "repeats",
    "Figure 15",
    {"inception_resnet_a": "5", "inception_resnet_b": "10", "inception_resnet_c": "5"},
)
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
        *STEM_V1,
        *A_V1,
        *B_V1,
        *C_V1,
        *REDUCTION_A_V1,
        *REDUCTION_B_V1,
        *REPEATS,
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
        *STEM_V2,
        *A_V2,
        *B_V2,
        *C_V2,
        *REDUCTION_A_V2,
        *REDUCTION_B_V2,
        *REPEATS,
    ),
    "inception_resnet_v2_released": (
        *counts("Table 2", "55.8M", "13.2B", by="NASNet"),
        *counts("Table 2", "56M", "13B", by="EfficientNet"),
    ),
}
