"""What is printed of the networks of nets/shufflenet_v1.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, misprint, table, within_one_unit

TABLE_1_PRINTS_143M = misprint(
    "Table 2 has one figure for all numbers of groups; for this network Table 1 prints 143M."
)
TABLE_1_PRINTS_137M = misprint(
    "Table 2 has one figure for all numbers of groups; for this network Table 1 prints 137M."
)
TABLE_1_PRINTS_133M = misprint(
    "Table 2 has one figure for all numbers of groups; for this network Table 1 prints 133M."
)
README_PRINTS_40M = misprint(
    "Table 2 has one figure for all numbers of groups; for this network the authors' README prints "
    "40M. 8 groups do not divide 192 - 12 channels, so their code takes 16 filters in Conv1."
)
WITHOUT_LAST_LAYER = counted_otherwise(
    "Table 1 leaves the last, fully connected layer out: so all five numbers of groups hold, and "
    "with it three of them do not."
)
HALF_WIDTH_WITHOUT_LAST_LAYER = counted_otherwise(
    "Without the last, fully connected layer, as in Table 1: 38,229,408."
)
ONE_FIGURE_FOR_ALL = within_one_unit(
    "Table 2 has one figure for all numbers of groups; this network has 12,426,240."
)
AS_AFTER_THE_POOL = misprint("48, as the next cell prints: the pool between keeps the channels.")
WIDTHS_OF_TWO_GROUPS = misprint(
    "Said of three groups, which have 240, 480 and 960 channels at 1x (ShuffleNet, Table 1); 400, "
    "800 and 1600 are twice the widths of two groups."
)
README_137_5 = within_one_unit("137,460,672, which the paper's Table 1 prints as 137M.")
NEAR_1_8 = within_one_unit("1,864,728, which the authors' README prints as 1.9M.")
STAGES = ("Stage2", "Stage3", "Stage4")


def table_1(groups: str) -> tuple[Claim, ...]:
    """What Table 1 prints for each number of groups: layers, strides and repeats."""
    return (
        *table("Table 1", "kernel stride filters", {"Conv1": "3x3 2 24"}),
        *table("Table 1", "kernel stride", {"MaxPool": "3x3 2"}),
        *each(
            "repeats", "Table 1, repeat: 1 + 3, 1 + 7, 1 + 3", dict(zip(STAGES, "484", strict=True))
        ),
        *each(
            "stride",
            "Table 1, first row of the stage",
            {f"{s}.0.branch.dwconv": "2" for s in STAGES},
        ),
        *each(
            "stride", "Table 1, second row of the stage", {f"{s}.[!0]*.dwconv": "1" for s in STAGES}
        ),
        *each("stride", "Figure 2c: 3x3 average pooling", {f"{s}.0.shortcut": "2" for s in STAGES}),
        *each(
            "kernel", "Figure 2c: 3x3 average pooling", {f"{s}.0.shortcut": "3x3" for s in STAGES}
        ),
        *each("kernel", "Figure 2b: 3x3 DWConv", {f"{s}.*.dwconv": "3x3" for s in STAGES}),
        *each("kernel", "Figure 2b: 1x1 GConv", {f"{s}.*.gconv?": "1x1" for s in STAGES}),
        Claim("groups", "1", "Table 1, caption: Stage 2's first", "Stage2.0.branch.gconv1"),
        Claim("groups", groups, "Table 1, column", "Stage2.[!0]*.gconv1"),
        *each("groups", "Table 1, column", {f"{s}.*.gconv1": groups for s in STAGES[1:]}),
        *each("groups", "Table 1, column", {f"{s}.*.gconv2": groups for s in STAGES}),
    )


CLAIMS = {
    "shufflenet_v1_g1_x0_25": (Claim("macs", "13M", "Table 2, ShuffleNet 0.25x"),),
    "shufflenet_v1_g1_x0_5": (
        Claim(
            "macs of convolutions",
            "38M",
            "Table 2, ShuffleNet 0.5x",
            remark=HALF_WIDTH_WITHOUT_LAST_LAYER,
        ),
    ),
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
        *table_1("1"),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "143M", "Table 1, complexity"),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=TABLE_1_PRINTS_143M),
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
        *table_1("2"),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs of convolutions", "140M", "Table 1, complexity", remark=WITHOUT_LAST_LAYER),
        Claim("macs of convolutions", "140M", "Table 2, ShuffleNet 1x", remark=WITHOUT_LAST_LAYER),
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
        *table_1("3"),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs", "137M", "Table 1, complexity"),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=TABLE_1_PRINTS_137M),
        *counts("README", "1.9M", "138M", by="release", remarks=(None, README_137_5)),
        *counts(
            "Table 3, re-implementation",
            "1.8M",
            "140M",
            by="SENet",
            remarks=(NEAR_1_8, TABLE_1_PRINTS_137M),
        ),
    ),
    "shufflenet_v1_g3_x1_5": (
        Claim("macs", "292M", "Table 5"),
        *counts("Table 4", "3.4M", "292M", by="MobileNetV2"),
        *counts("README", "3.4M", "292M", by="release"),
    ),
    "shufflenet_v1_g3_x2_0": (
        Claim("macs", "524M", "Tables 5 and 6"),
        *counts("Table 4", "5.4M", "524M", by="MobileNetV2"),
        *(
            Claim("channels", printed, "Table 3", part, by="MobileNetV2", remark=remark)
            for part, printed, remark in (
                ("Conv1", "32", AS_AFTER_THE_POOL),
                ("MaxPool", "48", None),
                ("Stage2", "400", WIDTHS_OF_TWO_GROUPS),
                ("Stage3", "800", WIDTHS_OF_TWO_GROUPS),
                ("Stage4", "1600", WIDTHS_OF_TWO_GROUPS),
            )
        ),
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
        *table_1("4"),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs of convolutions", "133M", "Table 1, complexity", remark=WITHOUT_LAST_LAYER),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=TABLE_1_PRINTS_133M),
    ),
    "shufflenet_v1_g8_x0_25": (
        Claim("macs", "13M", "Table 2, ShuffleNet 0.25x", remark=ONE_FIGURE_FOR_ALL),
    ),
    "shufflenet_v1_g8_x0_5": (
        Claim("macs", "38M", "Table 2, ShuffleNet 0.5x", remark=README_PRINTS_40M),
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
        *table_1("8"),
        Claim("units", "1000", "Table 1, FC", "FC"),
        Claim("layers", "50", "Sec. 4.3"),
        Claim("macs of convolutions", "137M", "Table 1, complexity", remark=WITHOUT_LAST_LAYER),
        Claim("macs", "140M", "Table 2, ShuffleNet 1x", remark=TABLE_1_PRINTS_137M),
        *counts("README", "2.4M", "138M", by="release"),
    ),
    "shufflenet_v1_g8_x1_5": (*counts("README", "4.3M", "290M", by="release"),),
    "shufflenet_v1_g8_x2_0": (*counts("README", "6.5M", "522M", by="release"),),
}
