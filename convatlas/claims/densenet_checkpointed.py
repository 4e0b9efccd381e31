"""What is printed of the networks of nets/densenet_checkpointed.py."""

from convatlas.claim import Claim, misprint

WHY_1 = misprint(
    "4,291,365,888 multiply-adds are 8.6B operations, with an addition counted apart; the 155B "
    "given for ResNet-101 are ten times too many as well."
)
WHY_2 = misprint("All of DenseNet's depths are odd: 2(6 + 12 + 64 + 48) + 5 = 265.")
CLAIMS = {
    "densenet201_checkpointed": (
        Claim("params", "20M", "Sec. 1"),
        Claim("layers", "201", "Sec. 1: a 201-layer DenseNet"),
        Claim("macs", "80B", "Sec. 1: floating point operations per image", remark=WHY_1),
    ),
    "densenet264_k48_checkpointed": (
        Claim("params", "73M", "Abstract"),
        Claim("layers", "264", "Abstract: a 264-layer DenseNet", remark=WHY_2),
    ),
}
