"""What is printed of the networks of nets/xception.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, within_one_unit

CUT_OFF = within_one_unit("22,855,952, the figure of Xception's own Table 3, cut off.")
WITH_NORMS = counted_otherwise(
    "One operation for each value that a batch norm gives out makes this row, Inception-v3's "
    "5.72B and SENet's 42.3B hold; the table's two other rows hold by the usual count."
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
        Claim("params", "22.8M", "Table 2", by="NASNet", remark=CUT_OFF),
        Claim("macs with norms", "8.38B", "Table 2", by="NASNet", remark=WITH_NORMS),
        *counts("Table 2", "23M", "8.4B", by="EfficientNet"),
    ),
}
