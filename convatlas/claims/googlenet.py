"""What is printed of the networks of nets/googlenet.py."""

from convatlas.claim import Claim, counts, each, misprint, table, within_one_unit

WHY_1 = misprint(
    "A full 7x7 of 3 channels to 64 has 9,408 weights and takes 118M. 2.7K and 34M are a "
    "depthwise 7x7 with 8 filters a channel and a 1x1 after it, 1,176 + 1,536 weights: "
    "googlenet_separable."
)
WHY_2 = misprint(
    "K is 1024 in this column: the last layer's 1024 x 1000 weights are printed as 1000K."
)
WHY_3 = misprint(
    "The widths in the row make 375,552 weights, and but for 5a the operations printed beside "
    "are those times the size of the map. The parameters are neither, with a K of 1000 or 1024."
)
WHY_4 = misprint(
    "The widths in the row make 509,440 weights, and but for 5a the operations printed beside "
    "are those times the size of the map. The parameters are neither, with a K of 1000 or 1024."
)
WHY_5 = misprint(
    "The widths in the row make 604,672 weights, and but for 5a the operations printed beside "
    "are those times the size of the map. The parameters are neither, with a K of 1000 or 1024."
)
WHY_6 = misprint(
    "The widths in the row make 867,328 weights, and but for 5a the operations printed beside "
    "are those times the size of the map. The parameters are neither, with a K of 1000 or 1024."
)
WHY_7 = misprint(
    "The widths in the row make 1,042,432 weights, and but for 5a the operations printed beside "
    "are those times the size of the map. The parameters are neither, with a K of 1000 or 1024."
)
WHY_8 = misprint(
    "The widths in the row make 1,042,432 weights, times 7 x 7 = 51.1M. 54M agrees with the "
    "1072K beside it (K = 1024), and neither with the widths."
)
WHY_9 = misprint(
    "The widths in the row make 1,442,816 weights, and but for 5a the operations printed beside "
    "are those times the size of the map. The parameters are neither, with a K of 1000 or 1024."
)
WHY_10 = misprint(
    "It is the sum of Table 1's column, 6,798K, whose rows follow neither the widths nor a K of "
    "1000."
)
WHY_11 = misprint("1,582,671,872 with the full 7x7, 1,498,677,248 with Table 1's own first row.")
CUT_OFF = within_one_unit(
    "73,608,192, cut off; the other rows of the column are rounded (360M for 359.7 million)."
)
BUDGET = within_one_unit(
    "A budget: 1,582,671,872 with the full 7x7, 1,498,677,248 with Table 1's own first row."
)
SEPARABLE_FIRST_ROW = within_one_unit(
    "1,176 + 1,536 weights and 64 biases; the weights alone are 2.7 thousand."
)
WIDTHS = table(
    "Table 1, #1x1 to pool proj",
    "filters:1x1 filters:3x3.reduce filters:3x3.conv filters:5x5.reduce filters:5x5.conv "
    "filters:pool.proj",
    {
        "inception_3a": "64 96 128 16 32 32",
        "inception_3b": "128 128 192 32 96 64",
        "inception_4a": "192 96 208 16 48 64",
        "inception_4b": "160 112 224 24 64 64",
        "inception_4c": "128 128 256 24 64 64",
        "inception_4d": "112 144 288 32 64 64",
        "inception_4e": "256 160 320 32 128 128",
        "inception_5a": "256 160 320 32 128 128",
        "inception_5b": "384 192 384 48 128 128",
    },
)
PATCHES = (
    *table(
        "Table 1, patch size/stride", "kernel stride", {"conv1": "7x7 2", "conv2.conv": "3x3 1"}
    ),
    *table(
        "Table 1, patch size/stride",
        "kernel stride",
        {"pool1": "3x3 2", "pool2": "3x3 2", "pool3": "3x3 2", "pool4": "3x3 2"},
    ),
    *table("Table 1", "filters", {"conv1": "64", "conv2.reduce": "64", "conv2.conv": "192"}),
    *each("kernel", "Figure 2b", {"inception_*.1x1": "1x1", "inception_*.3x3.conv": "3x3"}),
    *each("kernel", "Figure 2b", {"inception_*.5x5.conv": "5x5", "inception_*.pool.pool": "3x3"}),
    *each("kernel", "Figure 2b", {"inception_*.reduce": "1x1", "inception_*.pool.proj": "1x1"}),
    Claim("nonlinearity", "ReLU", "Sec. 5: all the convolutions"),
)
SLIDES = "Inception: one block beside one convolution, 192x28x28"
BESIDE_3A = (
    Claim("macs", "128M", SLIDES, "inception_3a", by="d2l slides"),
    Claim("params", "0.16M", SLIDES, "inception_3a", by="d2l slides"),
    Claim("params of a 3x3 in its place", "0.44M", SLIDES, "inception_3a", by="d2l slides"),
    Claim(
        "macs of a 3x3 in its place",
        "346M",
        SLIDES,
        "inception_3a",
        by="d2l slides",
        truncated=True,
    ),
    Claim(
        "params of a 5x5 in its place",
        "1.22M",
        SLIDES,
        "inception_3a",
        "d2l slides",
        truncated=True,
    ),
    Claim("macs of a 5x5 in its place", "963M", SLIDES, "inception_3a", by="d2l slides"),
)
CLAIMS = {
    "googlenet": (
        Claim("size", "64x112x112", "Table 1", "conv1"),
        Claim("layers", "1", "Table 1", "conv1"),
        *counts("Table 1", "2.7K", "34M", remarks=(WHY_1, WHY_1), part="conv1"),
        Claim("size", "64x56x56", "Table 1", "pool1"),
        Claim("layers", "0", "Table 1", "pool1"),
        Claim("size", "192x56x56", "Table 1", "conv2"),
        Claim("layers", "2", "Table 1", "conv2"),
        *counts("Table 1", "112K", "360M", remarks=(WHY_2, None), part="conv2"),
        Claim("size", "192x28x28", "Table 1", "pool2"),
        Claim("layers", "0", "Table 1", "pool2"),
        Claim("size", "256x28x28", "Table 1", "inception_3a"),
        Claim("layers", "2", "Table 1", "inception_3a"),
        *counts("Table 1", "159K", "128M", remarks=(WHY_2, None), part="inception_3a"),
        Claim("size", "480x28x28", "Table 1", "inception_3b"),
        Claim("layers", "2", "Table 1", "inception_3b"),
        *counts("Table 1", "380K", "304M", remarks=(WHY_2, None), part="inception_3b"),
        Claim("size", "480x14x14", "Table 1", "pool3"),
        Claim("layers", "0", "Table 1", "pool3"),
        Claim("size", "512x14x14", "Table 1", "inception_4a"),
        Claim("layers", "2", "Table 1", "inception_4a"),
        *counts("Table 1", "364K", "73M", remarks=(WHY_3, CUT_OFF), part="inception_4a"),
        Claim("size", "512x14x14", "Table 1", "inception_4b"),
        Claim("layers", "2", "Table 1", "inception_4b"),
        *counts("Table 1", "437K", "88M", remarks=(WHY_2, None), part="inception_4b"),
        Claim("size", "512x14x14", "Table 1", "inception_4c"),
        Claim("layers", "2", "Table 1", "inception_4c"),
        *counts("Table 1", "463K", "100M", remarks=(WHY_4, None), part="inception_4c"),
        Claim("size", "528x14x14", "Table 1", "inception_4d"),
        Claim("layers", "2", "Table 1", "inception_4d"),
        *counts("Table 1", "580K", "119M", remarks=(WHY_5, None), part="inception_4d"),
        Claim("size", "832x14x14", "Table 1", "inception_4e"),
        Claim("layers", "2", "Table 1", "inception_4e"),
        *counts("Table 1", "840K", "170M", remarks=(WHY_6, None), part="inception_4e"),
        Claim("size", "832x7x7", "Table 1", "pool4"),
        Claim("layers", "0", "Table 1", "pool4"),
        Claim("size", "832x7x7", "Table 1", "inception_5a"),
        Claim("layers", "2", "Table 1", "inception_5a"),
        *counts("Table 1", "1072K", "54M", remarks=(WHY_7, WHY_8), part="inception_5a"),
        Claim("size", "1024x7x7", "Table 1", "inception_5b"),
        Claim("layers", "2", "Table 1", "inception_5b"),
        *counts("Table 1", "1388K", "71M", remarks=(WHY_9, None), part="inception_5b"),
        Claim("size", "1024x1x1", "Table 1", "avg_pool"),
        Claim("layers", "0", "Table 1", "avg_pool"),
        Claim("size", "1024x1x1", "Table 1", "dropout"),
        Claim("layers", "0", "Table 1", "dropout"),
        Claim("units", "1000", "Table 1", "fc"),
        Claim("layers", "1", "Table 1", "fc"),
        *counts("Table 1", "1000K", "1M", remarks=(WHY_2, None), part="fc"),
        Claim(
            "macs", "1.5 billion", "Sec. 1: a budget of 1.5 billion multiply-adds", remark=BUDGET
        ),
        Claim("layers", "22", "Sec. 5: 22 layers deep when counting only layers with parameters"),
        Claim("size", "3x224x224", "Sec. 5: 224x224, RGB", "input"),
        *counts("Table 8", "6.8M", "1550 million", by="MobileNets", remarks=(WHY_10, WHY_11)),
        Claim("macs", "1500M", "Table 6: BVLC's", by="ShuffleNet", remark=WHY_11),
        *each(
            "size",
            "Printed outputs, ten classes",
            {"pool1": "64x56x56", "pool2": "192x28x28", "pool3": "480x14x14", "pool4": "832x7x7"},
            by="tutorials",
            at="10 classes",
        ),
        *each(
            "units",
            "Printed outputs, ten classes",
            {"avg_pool": "1024", "fc": "10"},
            by="tutorials",
            at="10 classes",
        ),
        *WIDTHS,
        *PATCHES,
        *BESIDE_3A,
    ),
    "googlenet_separable": (
        *counts("Table 1", "2.7K", "34M", part="conv1", remarks=(SEPARABLE_FIRST_ROW, None)),
        Claim("macs", "1.5 billion", "Sec. 1: a budget of 1.5 billion multiply-adds"),
    ),
}
