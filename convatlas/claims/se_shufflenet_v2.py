"""What is printed of the networks of nets/se_shufflenet_v2.py."""

from convatlas.claim import Claim, each, not_explained, table, within_one_unit

GATES = not_explained(
    "593,826,832 with gates whose layers are as wide as the branch. One operation more for each "
    "time that a value is averaged, scaled or passed on would come near 597; with SENet's ratio of "
    "16 the gates cost 0.2 million."
)
CLOSE = within_one_unit(
    "12,604,268,184 in convolutions and fully connected layers. The authors' later code with the "
    "printed 12.7G has other layers."
)
UNITS = "Appendix, SE-ShuffleNet v2-164"

CLAIMS = {
    "se_shufflenet_v2_x2_0": (
        Claim("macs", "597M", "Table 8, last section", remark=GATES),
        *each(
            "size",
            "Table 5, 2x",
            {
                "Stage2": "244x28x28",
                "Stage3": "488x14x14",
                "Stage4": "976x7x7",
                "Conv5": "2048x7x7",
            },
        ),
    ),
    "se_shufflenet_v2_164": (
        *table(
            UNITS,
            "kernel:conv1 filters:conv1 stride:conv1 kernel:conv2 filters:conv2 kernel:conv3 "
            "filters:conv3",
            {"conv1_x": "3x3 64 2 3x3 64 3x3 128"},
        ),
        *table(UNITS, "kernel stride", {"pool": "3x3 2"}),
        *each(
            "size",
            "Appendix, SE-ShuffleNet v2-164, output size and channels",
            {
                "conv1_x": "112x112",
                "conv2_x": "340x56x56",
                "conv3_x": "680x28x28",
                "conv4_x": "1360x14x14",
                "conv5_x": "2720x7x7",
                "conv6": "2048x7x7",
            },
        ),
        *each(
            "repeats",
            UNITS,
            {"conv2_x": "10", "conv3_x": "10", "conv4_x": "23", "conv5_x": "10"},
        ),
        *table(UNITS, "kernel", {"conv6": "1x1"}),
        Claim("units", "1000", "Appendix, 1000-d fc", "fc"),
        Claim("macs", "12.7G", "Table 6 and appendix, FLOPs", remark=CLOSE),
        Claim("layers", "164", UNITS),
    ),
}
