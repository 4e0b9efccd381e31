"""What is printed of the networks of nets/lenet1989.py."""

from convatlas.claim import Claim, each, not_explained

ONE_FEWER = not_explained(
    "The layers give out 3,850 values and the picture has 784: 4,634. What the one more is, is not "
    "told."
)
CLAIMS = {
    "lenet1989": (
        Claim("params", "2578", "p. 402, summary of the network"),
        Claim("connections", "98442", "p. 402, summary of the network"),
        Claim("neurons and inputs", "4635", "p. 402, summary of the network", remark=ONE_FEWER),
        *each(
            "size",
            "pp. 400-402, description of the layers",
            {"H1": "4x24x24", "H2": "4x12x12", "H3": "12x8x8", "H4": "12x4x4"},
        ),
    ),
}
