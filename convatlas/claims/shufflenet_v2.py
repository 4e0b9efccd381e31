"""What is printed of the networks of nets/shufflenet_v2.py."""

from convatlas.claim import Claim, each, within_one_unit

NEAR_40_5 = within_one_unit(
    "40,476,448; 41.2 million with the maximum pool's comparisons, but then x1.5 would be 300M "
    "where the tables print 299M."
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
        Claim("units", "1000", "Table 5, FC", "FC"),
        Claim("macs", "591M", "Tables 5 and 8"),
        Claim("params", "7.4M", "Table 5"),
    ),
}
