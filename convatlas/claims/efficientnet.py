"""What is printed of the networks of nets/efficientnet.py."""

from convatlas.claim import Claim, counts, each, misprint, not_explained, table, within_one_unit

COST_OF_B1 = not_explained(
    "The paper prints neither widths nor depths nor resolutions of B1 to B7; with those of the "
    "authors' code, which give the printed parameters, the network takes 0.687B."
)
COST_OF_B4 = not_explained(
    "The paper prints neither widths nor depths nor resolutions of B1 to B7; with those of the "
    "authors' code, which give the printed parameters, the network takes 4.39B."
)
COST_OF_B5 = not_explained(
    "The paper prints neither widths nor depths nor resolutions of B1 to B7; with those of the "
    "authors' code, which give the printed parameters, the network takes 10.27B."
)
SCALED_B2 = within_one_unit(
    "9,109,994 with the authors' coefficients, which torchvision and timm have too; with the "
    "running statistics of batch norm 9.18 million, but then B1 would be printed as 7.9M."
)
CUT_OFF_B7 = within_one_unit(
    "37,745,884,192, cut off; the column's other rows are rounded (0.39B for 0.386)."
)
DIGIT_ADDED = misprint(
    "37,745,884,192; the paper of EfficientNet prints 37B, and a zero was put behind it."
)
OPERATORS = (
    *table("Table 1", "kernel filters", {"stage1": "3x3 32", "stage9": "1x1 1280"}),
    *table(
        "Table 1: operator, #channels, #layers",
        "expansion:*.expand kernel:*.depthwise filters:*.project repeats",
        {
            "stage2": "- 3x3 16 1",
            "stage3": "6 3x3 24 2",
            "stage4": "6 5x5 40 2",
            "stage5": "6 3x3 80 3",
            "stage6": "6 5x5 112 3",
            "stage7": "6 5x5 192 4",
            "stage8": "6 3x3 320 1",
        },
    ),
)
CLAIMS = {
    "efficientnet_b0": (
        *counts("Table 2", "5.3M", "0.39B"),
        *OPERATORS,
        Claim("size", "3x224x224", "Table 1", "input"),
        *each(
            "size",
            "Table 1, resolution of the next stage",
            {
                "stage1": "32x112x112",
                "stage2": "16x112x112",
                "stage3": "24x56x56",
                "stage4": "40x28x28",
                "stage5": "80x14x14",
                "stage6": "112x14x14",
                "stage7": "192x7x7",
                "stage8": "320x7x7",
                "stage9": "1280x7x7",
            },
        ),
        Claim("macs", "0.4B", "Table 7, baseline model"),
    ),
    "efficientnet_b1": (*counts("Table 2", "7.8M", "0.70B", remarks=(None, COST_OF_B1)),),
    "efficientnet_b2": (*counts("Table 2", "9.2M", "1.0B", remarks=(SCALED_B2, None)),),
    "efficientnet_b3": (*counts("Table 2", "12M", "1.8B"),),
    "efficientnet_b4": (*counts("Table 2", "19M", "4.2B", remarks=(None, COST_OF_B4)),),
    "efficientnet_b5": (*counts("Table 2", "30M", "9.9B", remarks=(None, COST_OF_B5)),),
    "efficientnet_b6": (*counts("Table 2", "43M", "19B"),),
    "efficientnet_b7": (
        *counts("Table 2", "66M", "37B", remarks=(None, CUT_OFF_B7)),
        *counts("Table 1", "66M", "37.0G", by="ConvNeXt", remarks=(None, DIGIT_ADDED)),
    ),
}
