"""What is printed of the networks of nets/shufflenet_v2_50.py."""

from convatlas.claim import Claim, each, misprint

WHY_1 = misprint(
    "16 units of three, conv1 and the fully-connected layer make 50; the printed conv6, a 1x1 "
    "convolution, is one more."
)
CLAIMS = {
    "shufflenet_v2_50": (
        *each(
            "size",
            "Appendix, large models",
            {
                "conv1_x": "64x112x112",
                "conv2_x": "244x56x56",
                "conv3_x": "488x28x28",
                "conv4_x": "976x14x14",
                "conv5_x": "1952x7x7",
                "conv6": "2048x7x7",
            },
        ),
        Claim("units", "1000", "Appendix, large models", "fc"),
        Claim("macs", "2.3G", "Table 6"),
        Claim("layers", "50", "Sec. 4: a 50-layer ShuffleNet v2", remark=WHY_1),
    ),
}
