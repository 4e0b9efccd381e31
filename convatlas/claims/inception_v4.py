"""What is printed of the networks of nets/inception_v4.py."""

from convatlas.claim import counts, each, misprint, table, within_one_unit

WHY_1 = misprint(
    "Figures 3 to 9 and the release agree on the graph, and timm's build of it has 42,679,816 too."
)
NEAR_COST = within_one_unit(
    "12,253,974,624; 12.3 with batch norm's values too. The 48M beside it are not this network's."
)
STEM = table(
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
BLOCK_A = table(
    "Figure 4",
    "kernel filters",
    {
        "inception_a.*.branch1": "1x1 96",
        "inception_a.*.branch2.conv1": "1x1 64",
        "inception_a.*.branch2.conv2": "3x3 96",
        "inception_a.*.branch3.conv1": "1x1 64",
        "inception_a.*.branch3.conv2": "3x3 96",
        "inception_a.*.branch3.conv3": "3x3 96",
        "inception_a.*.branch4.convs": "1x1 96",
    },
)
BLOCK_B = table(
    "Figure 5",
    "filters",
    {
        "inception_b.*.branch1": "384",
        "inception_b.*.branch2.conv1": "192",
        "inception_b.*.branch2.conv2": "224",
        "inception_b.*.branch2.conv3": "256",
        "inception_b.*.branch3.conv1": "192",
        "inception_b.*.branch3.conv2": "192",
        "inception_b.*.branch3.conv3": "224",
        "inception_b.*.branch3.conv4": "224",
        "inception_b.*.branch3.conv5": "256",
        "inception_b.*.branch4.convs": "128",
    },
)
BLOCK_C = table(
    "Figure 6",
    "kernel filters",
    {
        "inception_c.?.branch1": "1x1 256",
        "inception_c.*.branch2.convs": "1x1 384",
        "inception_c.*.branch2.fork": "- 256",
        "inception_c.*.branch3.convs.conv1": "1x1 384",
        "inception_c.*.branch3.convs.conv2": "- 448",
        "inception_c.*.branch3.convs.conv3": "- 512",
        "inception_c.*.branch3.fork": "- 256",
        "inception_c.*.branch4.convs": "1x1 256",
    },
)
REDUCTION_A = table(
    "Figure 7, with k, l, m, n of Table 1",
    "kernel stride filters",
    {
        "reduction_a.branch1": "3x3 2 384",
        "reduction_a.branch2.conv1": "1x1 1 192",
        "reduction_a.branch2.conv2": "3x3 1 224",
        "reduction_a.branch2.conv3": "3x3 2 256",
        "reduction_a.branch3": "3x3 2 -",
    },
)
REDUCTION_B = table(
    "Figure 8",
    "kernel stride filters",
    {
        "reduction_b.branch1.conv1": "1x1 1 192",
        "reduction_b.branch1.conv2": "3x3 2 192",
        "reduction_b.branch2.conv1": "1x1 1 256",
        "reduction_b.branch2.conv2": "1x7 1 256",
        "reduction_b.branch2.conv3": "7x1 1 320",
        "reduction_b.branch2.conv4": "3x3 2 320",
        "reduction_b.branch3": "3x3 2 -",
    },
)
REPEATS = each("repeats", "Figure 9", {"inception_a": "4", "inception_b": "7", "inception_c": "3"})
CLAIMS = {
    "inception_v4": (
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
        *each(
            "size",
            "Figure 9",
            {
                "input": "3x299x299",
                "stem": "384x35x35",
                "inception_a": "384x35x35",
                "reduction_a": "1024x17x17",
                "inception_b": "1024x17x17",
                "reduction_b": "1536x8x8",
                "inception_c": "1536x8x8",
            },
        ),
        *each("units", "Figure 9", {"avg_pool": "1536", "dropout": "1536", "fc": "1000"}),
        *counts("Table 2", "48M", "13B", by="EfficientNet", remarks=(WHY_1, NEAR_COST)),
        *STEM,
        *BLOCK_A,
        *BLOCK_B,
        *BLOCK_C,
        *REDUCTION_A,
        *REDUCTION_B,
        *REPEATS,
    ),
}
