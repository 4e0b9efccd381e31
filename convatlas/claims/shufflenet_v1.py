"""What is printed of the networks of nets/shufflenet_v1.py."""

from convatlas.claim import Claim, counts, each, misprint

WHY_1 = misprint(
    "Table 2 has one figure for all numbers of groups; for this network Table 1 prints 143M."
)
WHY_2 = misprint(
    "Table 2 has one figure for all numbers of groups; for this network Table 1 prints 137M."
)
WHY_3 = misprint("Without the last layer it has 133,251,776; Table 1 leaves that layer out.")
WHY_4 = misprint(
    "Table 2 has one figure for all numbers of groups; for this network Table 1 prints 133M."
)
WHY_5 = misprint(
    "With the 12 filters in Conv1 that the other networks have it would have 38.5M, but 8 "
    "groups do not divide 192 - 12 channels; the authors' code takes 16."
)
WHY_6 = misprint("Without the last layer it has 136,829,952; Table 1 leaves that layer out.")
CLAIMS = {
    "shufflenet_v1_g1_x0_25": (Claim("macs", "13M", "Table 2, ShuffleNet 0.25x"),),
    "shufflenet_v1_g1_x0_5": (Claim("macs", "38M", "Table 2, ShuffleNet 0.5x"),),
    "shufflenet_v1_g1": (
        *each(
            "size",
            "Table 1",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "144x28x28",
                "Stage3": "288x14x14",
                "Stage4": "576x7x7",
            },
        ),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "143M", "Table 1, complexity"),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=WHY_1),
    ),
    "shufflenet_v1_g2": (
        *each(
            "size",
            "Table 1",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "200x28x28",
                "Stage3": "400x14x14",
                "Stage4": "800x7x7",
            },
        ),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "140M", "Table 1, complexity"),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x"),
    ),
    "shufflenet_v1_g3_x0_25": (Claim("macs", "13M", "Table 2, ShuffleNet 0.25x"),),
    "shufflenet_v1_g3_x0_5": (
        Claim("macs", "38M", "Table 2, ShuffleNet 0.5x"),
        *counts("README", "0.7M", "38M", by="release"),
    ),
    "shufflenet_v1_g3": (
        *each(
            "size",
            "Table 1",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "240x28x28",
                "Stage3": "480x14x14",
                "Stage4": "960x7x7",
            },
        ),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "137M", "Table 1, complexity"),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=WHY_2),
        *counts("README", "1.9M", "138M", by="release"),
    ),
    "shufflenet_v1_g3_x1_5": (
        Claim("macs", "292M", "Table 5"),
        *counts("Table 4", "3.4M", "292M", by="MobileNetV2"),
        *counts("README", "3.4M", "292M", by="release"),
    ),
    "shufflenet_v1_g3_x2_0": (
        Claim("macs", "524M", "Tables 5 and 6"),
        *counts("Table 4", "5.4M", "524M", by="MobileNetV2"),
        *counts("README", "5.4M", "524M", by="release"),
    ),
    "shufflenet_v1_g4": (
        *each(
            "size",
            "Table 1",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "272x28x28",
                "Stage3": "544x14x14",
                "Stage4": "1088x7x7",
            },
        ),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "133M", "Table 1, complexity", remark=WHY_3),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=WHY_4),
    ),
    "shufflenet_v1_g8_x0_25": (Claim("macs", "13M", "Table 2, ShuffleNet 0.25x"),),
    "shufflenet_v1_g8_x0_5": (
        Claim("macs", "38M", "Table 2, ShuffleNet 0.5x", remark=WHY_5),
        *counts("README", "1.0M", "40M", by="release"),
    ),
    "shufflenet_v1_g8": (
        *each(
            "size",
            "Table 1",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "384x28x28",
                "Stage3": "768x14x14",
                "Stage4": "1536x7x7",
            },
        ),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "137M", "Table 1, complexity", remark=WHY_6),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=WHY_2),
        *counts("README", "2.4M", "138M", by="release"),
    ),
    "shufflenet_v1_g8_x1_5": (*counts("README", "4.3M", "290M", by="release"),),
    "shufflenet_v1_g8_x2_0": (*counts("README", "6.5M", "522M", by="release"),),
}
