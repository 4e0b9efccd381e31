"""What is printed of the networks of nets/inception_v4.py."""

from convatlas.claim import counts, each, misprint, within_one_unit

WHY_1 = misprint(
    "Figures 3 to 9 and the release agree on the graph, and timm's build of it has 42,679,816 too."
)
NEAR_COST = within_one_unit(
    "12,253,974,624; 12.3 with batch norm's values too. The 48M beside it are not this network's."
)
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
    ),
}
