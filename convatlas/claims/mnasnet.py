"""What is printed of the networks of nets/mnasnet.py."""

from convatlas.claim import Claim, counts, each, not_explained, table

FIGURE = "Figure 7(a)"
BLOCKS = tuple(f"block{i}" for i in range(1, 8))
A1 = (
    Claim("size", "3x224x224", FIGURE, "input"),
    Claim("kernel", "3x3", f"{FIGURE}: the first convolution", "conv1"),
    *each(
        "repeats",
        f"{FIGURE}: x1 to x4",
        dict(zip(BLOCKS, ("1", "2", "3", "4", "2", "3", "1"), strict=True)),
    ),
    *each(
        "kernel",
        f"{FIGURE}: k3x3, k5x5",
        {
            f"{block}.*.layers.depthwise": kernel
            for block, kernel in zip(
                BLOCKS, ("3x3", "3x3", "5x5", "3x3", "3x3", "5x5", "3x3"), strict=True
            )
        },
    ),
    *each(
        "expansion",
        f"{FIGURE}: MBConv6, MBConv3",
        {
            f"{block}.*.layers.expand.conv": t
            for block, t in zip(BLOCKS[1:], ("6", "3", "6", "6", "6", "6"), strict=True)
        },
    ),
    *each(  # one gate a layer that is marked SE
        "gates",
        f"{FIGURE}: SE",
        dict(zip(BLOCKS, ("0", "0", "3", "0", "2", "3", "0"), strict=True)),
    ),
    Claim("nonlinearity", "ReLU", "Figure 7(b) to (d)"),
)
RELEASED_BLOCKS = "mnasnet_models.py: k, o, r"
B1 = (
    *table(
        RELEASED_BLOCKS,
        "kernel:*.layers.depthwise filters:*.layers.project",
        {
            "block1": "3x3 16",
            "block2": "3x3 24",
            "block3": "5x5 40",
            "block4": "5x5 80",
            "block5": "3x3 96",
            "block6": "5x5 192",
            "block7": "3x3 320",
        },
        by="release",
    ),
    *(
        Claim("repeats", n, RELEASED_BLOCKS, block, by="release")
        for block, n in zip(BLOCKS, ("1", "3", "3", "3", "2", "4", "1"), strict=True)
    ),
    Claim("gates", "0", "Table 2: MnasNet-B, no SE in search space"),
)
SMALL = (
    *table(
        RELEASED_BLOCKS,
        "kernel:*.layers.depthwise filters:*.layers.project",
        {
            "block1": "3x3 8",
            "block2": "3x3 16",
            "block3": "3x3 16",
            "block4": "5x5 32",
            "block5": "3x3 32",
            "block6": "5x5 88",
            "block7": "3x3 144",
        },
        by="release",
    ),
    *(
        Claim("repeats", n, RELEASED_BLOCKS, block, by="release")
        for block, n in zip(BLOCKS, ("1", "1", "2", "4", "3", "3", "1"), strict=True)
    ),
)
MORE_THAN_FIGURE_7 = not_explained(
    "It is 61,681,920. The README's table prints 63.2 million for it and 0.9 to 2.5 percent too "
    "many at every width and side, 315.2 million for the 312M of the text, which hold. The outputs "
    "of all norms would be too many more, and no sum of the outputs of some kinds of layers fits "
    "all of its 25 rows."
)
CLAIMS = {
    "mnasnet_a1": (
        *A1,
        *counts("Sec. 6.1", "3.9M", "312M"),
        *counts("README", "3.9M", "312M", by="release"),
        Claim("params", "3,887,038", "mnasnet.py, mnasnet_a1", by="pytorchcv"),
    ),
    "mnasnet_a1_x0_35": (
        *A1,
        *counts("Table 4, MnasNet-A1 (0.35x)", "1.7M", "63M", remarks=(None, MORE_THAN_FIGURE_7)),
    ),
    "mnasnet_a1_x0_5": A1,
    "mnasnet_a1_x0_75": A1,
    "mnasnet_a1_x1_4": A1,
    "mnasnet_b1": (
        *B1,
        *counts("MNASNet1_0_Weights", "4,383,312", "0.314G", by="torchvision"),
        Claim("params", "4,383,312", "mnasnet.py, mnasnet_b1", by="pytorchcv"),
    ),
    "mnasnet_b1_x0_5": counts("MNASNet0_5_Weights", "2,218,512", "0.104G", by="torchvision"),
    "mnasnet_b1_x0_75": counts("MNASNet0_75_Weights", "3,170,208", "0.215G", by="torchvision"),
    "mnasnet_b1_x1_3": counts("MNASNet1_3_Weights", "6,282,256", "0.526G", by="torchvision"),
    "mnasnet_b1_x1_4": (Claim("gates", "0", "Table 2: MnasNet-B, no SE in search space"),),
    "mnasnet_small": (
        *SMALL,
        *counts("Table 4, MnasNet-search2", "2.0M", "68M"),
        *counts("README, mnasnet-small", "2.0M", "68M", by="release"),
    ),
}
