"""What is printed of the networks of nets/shufflenet_v2.py."""

from convatlas.claim import Claim, each, table, within_one_unit

NEAR_40_5 = within_one_unit(
    "40,476,448; 41.2 million with the maximum pool's comparisons, but then x1.5 would be 300M "
    "where the tables print 299M."
)
STAGES = ("Stage2", "Stage3", "Stage4")
TABLE_5 = (
    *table("Table 5", "kernel stride filters", {"Conv1": "3x3 2 24"}),
    *table("Table 5", "kernel stride", {"MaxPool": "3x3 2", "Conv5": "1x1 1"}),
    *each("repeats", "Table 5, repeat: 1 + 3, 1 + 7, 1 + 3", dict(zip(STAGES, "484", strict=True))),
    *each("stride", "Table 5, first row of the stage", {f"{s}.0.main.dwconv": "2" for s in STAGES}),
    *each("stride", "Table 5, second row of the stage", {f"{s}.[!0]*.dwconv": "1" for s in STAGES}),
    *each("kernel", "Figure 3c: 3x3 DWConv", {f"{s}.*.dwconv": "3x3" for s in STAGES}),
    *each("kernel", "Figure 3c: 1x1 Conv", {f"{s}.*.main.conv?": "1x1" for s in STAGES}),
    *each("groups", "Sec. 3: no longer group-wise", {f"{s}.*.main.conv?": "1" for s in STAGES}),
)
CLAIMS = {
    "shufflenet_v2_x0_5": (
        *each(
            "size",
            "Table 5",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "48x28x28",
                "Stage3": "96x14x14",
                "Stage4": "192x7x7",
                "Conv5": "1024x7x7",
            },
        ),
        *TABLE_5,
        Claim("units", "1000", "Table 5, FC", "FC"),
        Claim("macs", "41M", "Tables 5 and 8", remark=NEAR_40_5),
        Claim("params", "1.4M", "Table 5"),
    ),
    "shufflenet_v2": (
        *each(
            "size",
            "Table 5",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "116x28x28",
                "Stage3": "232x14x14",
                "Stage4": "464x7x7",
                "Conv5": "1024x7x7",
            },
        ),
        *TABLE_5,
        Claim("units", "1000", "Table 5, FC", "FC"),
        Claim("macs", "146M", "Tables 5 and 8"),
        Claim("params", "2.3M", "Table 5"),
    ),
    "shufflenet_v2_x1_5": (
        *each(
            "size",
            "Table 5",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "176x28x28",
                "Stage3": "352x14x14",
                "Stage4": "704x7x7",
                "Conv5": "1024x7x7",
            },
        ),
        *TABLE_5,
        Claim("units", "1000", "Table 5, FC", "FC"),
        Claim("macs", "299M", "Tables 5 and 8"),
        Claim("params", "3.5M", "Table 5"),
    ),
    "shufflenet_v2_x2_0": (
        *each(
            "size",
            "Table 5",
            {
                "input": "3x224x224",
                "Conv1": "24x112x112",
                "MaxPool": "24x56x56",
                "Stage2": "244x28x28",
                "Stage3": "488x14x14",
                "Stage4": "976x7x7",
                "Conv5": "2048x7x7",
            },
        ),
        *TABLE_5,
        Claim("units", "1000", "Table 5, FC", "FC"),
        Claim("macs", "591M", "Tables 5 and 8"),
        Claim("params", "7.4M", "Table 5"),
    ),
}
