"""What is printed of the networks of nets/xception.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, table

WITH_NORMS = counted_otherwise(
    "One operation for each value that a batch norm gives out makes this row, Inception-v3's 5.72B "
    "and SENet's 42.3B hold; the table's two other rows hold by the usual count."
)
ENTRY_AND_EXIT = table(
    "Figure 5",
    "filters:*.sepconv1.pointwise filters:*.sepconv2.pointwise kernel:*.pool stride:*.pool "
    "kernel:shortcut stride:shortcut",
    {
        "entry_flow.block1": "128 128 3x3 2 1x1 2",
        "entry_flow.block2": "256 256 3x3 2 1x1 2",
        "entry_flow.block3": "728 728 3x3 2 1x1 2",
        "exit_flow.block": "728 1024 3x3 2 1x1 2",
    },
)
FIGURE_5 = (
    *table(
        "Figure 5",
        "kernel stride filters",
        {"entry_flow.conv1": "3x3 2 32", "entry_flow.conv2": "3x3 - 64"},
    ),
    *ENTRY_AND_EXIT,
    Claim("repeats", "8", "Figure 5: repeated 8 times", "middle_flow"),
    *each("filters", "Figure 5", {"middle_flow.*.sepconv*.pointwise": "728"}),
    *each("kernel", "Figure 5", {"*.sepconv*.depthwise": "3x3"}),
    *table(
        "Figure 5",
        "filters",
        {"exit_flow.sepconv1.pointwise": "1536", "exit_flow.sepconv2.pointwise": "2048"},
    ),
)
CLAIMS = {
    "xception": (
        Claim("params", "22,855,952", "Table 3"),
        *each(
            "size",
            "Figure 5",
            {"input": "3x299x299", "entry_flow": "728x19x19", "middle_flow": "728x19x19"},
        ),
        Claim("units", "2048", "Figure 5: 2048-dimensional vectors", "avg_pool"),
        Claim("params", "22.8M", "Table 2", by="NASNet", truncated=True),
        Claim("macs with norms", "8.38B", "Table 2", by="NASNet", remark=WITH_NORMS),
        *counts("Table 2", "23M", "8.4B", by="EfficientNet"),
        *FIGURE_5,
    ),
}
