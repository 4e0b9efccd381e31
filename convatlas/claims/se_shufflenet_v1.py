"""What is printed of the networks of nets/se_shufflenet_v1.py."""

from convatlas.claim import Claim, not_explained, within_one_unit

BASE = not_explained(
    "138,071,088. The table starts from 140 for the network without gates, where ShuffleNet's own "
    "Table 1 prints 137; the difference of 2 agrees if each value that the gates scale counts as "
    "an operation too."
)
CLOSE = within_one_unit(
    "526,487,712 in convolutions and fully connected layers; what the gates average and scale is "
    "not among them."
)
CLAIMS = {
    "se_shufflenet_v1_g3": (
        Claim("params", "2.4M", "Table 3, Params", truncated=True),
        Claim("macs", "142M", "Table 3, MFLOPs", remark=BASE),
    ),
    "se_shufflenet_v1_g3_x2_0": (
        Claim("macs", "527M", "Table 5: ShuffleNet 2x (with SE), MFLOPs", remark=CLOSE),
    ),
}
