"""What is printed of the networks of nets/googlenet.py."""

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

SEPARABLE_IN_TABLE_1 = misprint(
    "A full 7x7 of 3 channels to 64 has 9,408 weights and takes 118M. 2.7K and 34M are a depthwise "
    "7x7 with 8 filters a channel and a 1x1 after it, 1,176 + 1,536 weights: googlenet_separable."
)
WIDER_5A = misprint(
    "The widths in the row make 1,042,432 weights, times 7 x 7 = 51.1M. 54M agrees with the 1072K "
    "beside it (K = 1024), and neither with the widths."
)
SUM_OF_TABLE_1 = not_explained(
    "6,998,552. Table 1's column adds up to 6,798K, but its rows follow neither the widths nor one "
    "K."
)
BUDGET_IN_MILLIONS = not_explained(
    "1,582,671,872 with the full 7x7, 1,498,677,248 with Table 1's own first row; Table 1's column "
    "adds up to 1502M. GoogLeNet's paper itself has no finer figure than a budget of 1.5 billion."
)
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
K_IS_1024 = counted_otherwise(
    "K is 1024 here, and biases are left out: the last layer's 1024 x 1000 weights are 1000K."
)
NEAR_K_1024 = not_explained(
    "Of K = 1024, as the last row counts, the weights are 1K off: 379 for 380 in 3b, 438 for 437 "
    "in 4b; with biases they are 379.6 and 438.6."
)
NO_K = not_explained(
    "The widths of the row, of which the operations beside are made, have other weights, whether K "
    "is 1000 or 1024 and whether biases count or not."
)
TWELVE = misprint(
    "Table 1's own column adds up to 6,798K, of which AlexNet's 60 million are 8.8 times as many; "
    "by what the networks have it is 8.7 times."
)
FIVE_MILLION = misprint("Table 1's own column adds up to 6,798K; the network has 6,998,552.")
HEADS = tuple(
    claim
    for head, channels in (("aux_4a", "512"), ("aux_4d", "528"))
    for claim in table(
        "Sec. 5, the extra network on the side",
        "size kernel stride filters units",
        {
            f"{head}.pool": f"{channels}x4x4 5x5 3 - -",
            f"{head}.conv": "128x4x4 1x1 - 128 -",
            f"{head}.fc1": "- - - - 1024",
            f"{head}.fc2": "- - - - 1000",
        },
        at="in training",
    )
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
        *counts(
            "Table 1",
            "2.7K",
            "34M",
            remarks=(SEPARABLE_IN_TABLE_1, SEPARABLE_IN_TABLE_1),
            part="conv1",
        ),
        Claim("size", "64x56x56", "Table 1", "pool1"),
        Claim("layers", "0", "Table 1", "pool1"),
        Claim("size", "192x56x56", "Table 1", "conv2"),
        Claim("layers", "2", "Table 1", "conv2"),
        Claim("weights in 1024s", "112K", "Table 1", "conv2", remark=K_IS_1024),
        Claim("macs", "360M", "Table 1", "conv2"),
        Claim("size", "192x28x28", "Table 1", "pool2"),
        Claim("layers", "0", "Table 1", "pool2"),
        Claim("size", "256x28x28", "Table 1", "inception_3a"),
        Claim("layers", "2", "Table 1", "inception_3a"),
        Claim("weights in 1024s", "159K", "Table 1", "inception_3a", remark=K_IS_1024),
        Claim("macs", "128M", "Table 1", "inception_3a"),
        Claim("size", "480x28x28", "Table 1", "inception_3b"),
        Claim("layers", "2", "Table 1", "inception_3b"),
        *counts("Table 1", "380K", "304M", remarks=(NEAR_K_1024, None), part="inception_3b"),
        Claim("size", "480x14x14", "Table 1", "pool3"),
        Claim("layers", "0", "Table 1", "pool3"),
        Claim("size", "512x14x14", "Table 1", "inception_4a"),
        Claim("layers", "2", "Table 1", "inception_4a"),
        *counts("Table 1", "364K", "73M", remarks=(NO_K, CUT_OFF), part="inception_4a"),
        Claim("size", "512x14x14", "Table 1", "inception_4b"),
        Claim("layers", "2", "Table 1", "inception_4b"),
        *counts("Table 1", "437K", "88M", remarks=(NEAR_K_1024, None), part="inception_4b"),
        Claim("size", "512x14x14", "Table 1", "inception_4c"),
        Claim("layers", "2", "Table 1", "inception_4c"),
        *counts("Table 1", "463K", "100M", remarks=(NO_K, None), part="inception_4c"),
        Claim("size", "528x14x14", "Table 1", "inception_4d"),
        Claim("layers", "2", "Table 1", "inception_4d"),
        *counts("Table 1", "580K", "119M", remarks=(NO_K, None), part="inception_4d"),
        Claim("size", "832x14x14", "Table 1", "inception_4e"),
        Claim("layers", "2", "Table 1", "inception_4e"),
        *counts("Table 1", "840K", "170M", remarks=(NO_K, None), part="inception_4e"),
        Claim("size", "832x7x7", "Table 1", "pool4"),
        Claim("layers", "0", "Table 1", "pool4"),
        Claim("size", "832x7x7", "Table 1", "inception_5a"),
        Claim("layers", "2", "Table 1", "inception_5a"),
        *counts("Table 1", "1072K", "54M", remarks=(NO_K, WIDER_5A), part="inception_5a"),
        Claim("size", "1024x7x7", "Table 1", "inception_5b"),
        Claim("layers", "2", "Table 1", "inception_5b"),
        *counts("Table 1", "1388K", "71M", remarks=(NO_K, None), part="inception_5b"),
        Claim("size", "1024x1x1", "Table 1", "avg_pool"),
        Claim("layers", "0", "Table 1", "avg_pool"),
        Claim("size", "1024x1x1", "Table 1", "dropout"),
        Claim("layers", "0", "Table 1", "dropout"),
        Claim("units", "1000", "Table 1", "fc"),
        Claim("layers", "1", "Table 1", "fc"),
        Claim("weights in 1024s", "1000K", "Table 1", "fc", remark=K_IS_1024),
        Claim("macs", "1M", "Table 1", "fc"),
        Claim(
            "macs", "1.5 billion", "Sec. 1: a budget of 1.5 billion multiply-adds", remark=BUDGET
        ),
        Claim("layers", "22", "Sec. 5: 22 layers deep when counting only layers with parameters"),
        Claim("layers and pools", "27", "Sec. 5: or 27 layers if we also count pooling"),
        Claim("size", "3x224x224", "Sec. 5: 224x224, RGB", "input"),
        Claim("params", "12x", "Sec. 1: 12x fewer parameters", remark=TWELVE, than="alexnet"),
        Claim("params", "5 million", "Sec. 1", by="Inception-v3", remark=FIVE_MILLION),
        Claim("params", "12x", "Sec. 1", by="Inception-v3", remark=TWELVE, than="alexnet"),
        *HEADS,
        *counts(
            "Table 8",
            "6.8M",
            "1550 million",
            by="MobileNets",
            remarks=(SUM_OF_TABLE_1, BUDGET_IN_MILLIONS),
        ),
        Claim("macs", "1500M", "Table 6: BVLC's", by="ShuffleNet", remark=BUDGET_IN_MILLIONS),
        *WIDTHS,
        *PATCHES,
        *BESIDE_3A,
    ),
    "googlenet_separable": (
        *counts("Table 1", "2.7K", "34M", part="conv1", remarks=(SEPARABLE_FIRST_ROW, None)),
        Claim("macs", "1.5 billion", "Sec. 1: a budget of 1.5 billion multiply-adds"),
    ),
}
