"""What is printed of the networks of nets/nasnet.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, not_explained

WITH_STATISTICS = counted_otherwise(
    "With the running means and variances of its batch norms the network has 88,949,818; 4 @ 1056 "
    "holds either way."
)
ROUND = not_explained(
    "Table 2's 23.8B in a column of millions: its two zeros are no digits; the network has 23,783M."
)
TEST = "nasnet_test.py, end points"
CIFAR_SIZES = each(
    "size",
    TEST,
    {
        "conv1": "96x32x32",
        "normal1.0": "192x32x32",
        "normal1.5": "192x32x32",
        "reduction1.0": "256x16x16",
        "normal2.0": "384x16x16",
        "normal2.5": "384x16x16",
        "reduction2.0": "512x8x8",
        "normal3.0": "768x8x8",
        "normal3.5": "768x8x8",
    },
    by="release",
)
MOBILE_SIZES = each(
    "size",
    TEST,
    {
        "stem2.0": "88x28x28",
        "normal1.0": "264x28x28",
        "normal1.3": "264x28x28",
        "reduction1.0": "352x14x14",
        "normal2.0": "528x14x14",
        "normal2.3": "528x14x14",
        "reduction2.0": "704x7x7",
        "normal3.0": "1056x7x7",
        "normal3.3": "1056x7x7",
    },
    by="release",
)
LARGE_SIZES = each(
    "size",
    TEST,
    {
        "stem2.0": "336x42x42",
        "normal1.0": "1008x42x42",
        "normal1.5": "1008x42x42",
        "reduction1.0": "1344x21x21",
        "normal2.0": "2016x21x21",
        "normal2.5": "2016x21x21",
        "reduction2.0": "2688x11x11",
        "normal3.0": "4032x11x11",
        "normal3.5": "4032x11x11",
    },
    by="release",
)
WIDTH = "Sec. 4: the number of filters in the penultimate layer"
CLAIMS = {
    "nasnet_a_6_768_cifar": (
        Claim("size", "32x32", "App. A.1: 32x32 patches", "input"),
        Claim("params", "3.3M", "Table 1"),
        Claim("units", "768", f"Table 1, 6 @ 768; {WIDTH}", "avg_pool"),
        *CIFAR_SIZES,
    ),
    "nasnet_a_4_1056": (
        Claim("size", "224x224", "Table 3: all models use 224x224 images", "input"),
        *counts("Table 3", "5.3M", "564M"),
        Claim("units", "1056", f"Table 3, 4 @ 1056; {WIDTH}", "avg_pool"),
        *counts("README, pre-trained models", "5.3M", "564M", by="release"),
        *MOBILE_SIZES,
    ),
    "nasnet_a_6_4032": (
        Claim("size", "331x331", "Table 2", "input"),
        Claim("params with statistics", "88.9M", "Table 2", remark=WITH_STATISTICS),
        Claim("macs", "23.8B", "Table 2"),
        Claim("units", "4032", f"Table 2, 6 @ 4032; {WIDTH}", "avg_pool"),
        Claim(
            "params with statistics",
            "88.9M",
            "README, pre-trained models",
            by="release",
            remark=WITH_STATISTICS,
        ),
        Claim("macs", "23800M", "README, pre-trained models", by="release", remark=ROUND),
        *LARGE_SIZES,
    ),
}
