"""What is printed of the networks of nets/densenet.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, misprint, not_explained, table

COST_OF_169 = not_explained(
    "torchvision prints 3.36 billion for the same network; with a value of each batch norm, ReLU "
    "and pool counted as well it is 3.40."
)
ODD_DEPTH = misprint(
    "Every depth is odd: two convolutions for each of n layers in the blocks, three transitions, "
    "the first convolution and the classifier make 2n + 5; here 2(6 + 12 + 64 + 48) + 5 = 265. All "
    "other names are counted so."
)
COST_OF_264 = not_explained(
    "5,751,653,376, by the count that gives torchvision's figures of 121 to 201; with a value of "
    "each batch norm, ReLU and pool as well 5.82. The row of 169 is high, too."
)
OUTPUT_SIZES = each(
    "size",
    "Table 1, output size",
    {
        "convolution": "112x112",
        "pooling": "56x56",
        "dense_block1": "56x56",
        "transition1.conv": "56x56",
        "transition1.pool": "28x28",
        "dense_block2": "28x28",
        "transition2.conv": "28x28",
        "transition2.pool": "14x14",
        "dense_block3": "14x14",
        "transition3.conv": "14x14",
        "transition3.pool": "7x7",
        "dense_block4": "7x7",
    },
)
WITH_STATISTICS = counted_otherwise(
    "With the running statistics of batch norm 33.7 million; ResNeXt-101's 84M in the same table "
    "hold only with them, too (83.7 million)."
)
POOLS = ("transition1.pool", "transition2.pool", "transition3.pool")
STEM = (
    *table("Table 1", "kernel stride", {"convolution": "7x7 2", "pooling": "3x3 2"}),
    *each("kernel", "Table 1, 1x1 conv", {"dense_block*.conv1": "1x1", "transition*.conv": "1x1"}),
    *each("kernel", "Table 1, 3x3 conv", {"dense_block*.conv2": "3x3"}),
    *each("kernel", "Table 1, 2x2 average pool", dict.fromkeys(POOLS, "2x2")),
    *each("stride", "Table 1, stride 2", dict.fromkeys(POOLS, "2")),
    Claim("units", "1000", "Table 1, 1000D fully-connected"),
)
BLOCKS_121 = {
    "dense_block1": "6",
    "dense_block2": "12",
    "dense_block3": "24",
    "dense_block4": "16",
}
BLOCKS_169 = {
    "dense_block1": "6",
    "dense_block2": "12",
    "dense_block3": "32",
    "dense_block4": "32",
}
BLOCKS_201 = {
    "dense_block1": "6",
    "dense_block2": "12",
    "dense_block3": "48",
    "dense_block4": "32",
}
BLOCKS_264 = {
    "dense_block1": "6",
    "dense_block2": "12",
    "dense_block3": "64",
    "dense_block4": "48",
}
CLAIMS = {
    "densenet121": (
        *OUTPUT_SIZES,
        Claim("layers", "121", "Table 1, heading"),
        *counts("DenseNet121_Weights", "7,978,856", "2.834G", by="torchvision"),
        *STEM,
        *each("repeats", "Table 1, DenseNet-121", BLOCKS_121),
        *each(
            "filters", "Table 1, caption: the growth rate is k = 32", {"dense_block*.conv2": "32"}
        ),
        *each(
            "filters",
            "Sec. 3: each 1x1 convolution produces 4k feature-maps",
            {"dense_block*.conv1": "128"},
        ),
    ),
    "densenet169": (
        *OUTPUT_SIZES,
        Claim("layers", "169", "Table 1, heading"),
        *counts("DenseNet169_Weights", "14,149,480", "3.36G", by="torchvision"),
        *counts("Table 2", "14M", "3.5B", by="EfficientNet", remarks=(None, COST_OF_169)),
        *STEM,
        *each("repeats", "Table 1, DenseNet-169", BLOCKS_169),
        *each(
            "filters", "Table 1, caption: the growth rate is k = 32", {"dense_block*.conv2": "32"}
        ),
        *each(
            "filters",
            "Sec. 3: each 1x1 convolution produces 4k feature-maps",
            {"dense_block*.conv1": "128"},
        ),
    ),
    "densenet201": (
        *OUTPUT_SIZES,
        Claim("layers", "201", "Table 1, heading"),
        Claim("params", "20M", "Sec. 4.4"),
        *counts("DenseNet201_Weights", "20,013,928", "4.291G", by="torchvision"),
        *STEM,
        *each("repeats", "Table 1, DenseNet-201", BLOCKS_201),
        *each(
            "filters", "Table 1, caption: the growth rate is k = 32", {"dense_block*.conv2": "32"}
        ),
        *each(
            "filters",
            "Sec. 3: each 1x1 convolution produces 4k feature-maps",
            {"dense_block*.conv1": "128"},
        ),
    ),
    "densenet264": (
        *OUTPUT_SIZES,
        Claim("layers", "264", "Table 1, heading", remark=ODD_DEPTH),
        Claim(
            "params with statistics",
            "34M",
            "Table 2",
            by="EfficientNet",
            remark=WITH_STATISTICS,
        ),
        Claim("macs", "6.0B", "Table 2", by="EfficientNet", remark=COST_OF_264),
        *STEM,
        *each("repeats", "Table 1, DenseNet-264", BLOCKS_264),
        *each(
            "filters", "Table 1, caption: the growth rate is k = 32", {"dense_block*.conv2": "32"}
        ),
        *each(
            "filters",
            "Sec. 3: each 1x1 convolution produces 4k feature-maps",
            {"dense_block*.conv1": "128"},
        ),
    ),
    "densenet161": (
        Claim("layers", "161", "README, DenseNet-161 (k=48)", by="release"),
        *counts("DenseNet161_Weights", "28,681,000", "7.728G", by="torchvision"),
    ),
}
