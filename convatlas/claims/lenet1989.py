"""What is printed of the networks of nets/lenet1989.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "lenet1989": (
        Claim("params", "2578", "p. 402, summary of the network"),
        Claim("connections", "98442", "p. 402, summary of the network"),
        *each(
            "size",
            "pp. 400-402, description of the layers",
            {"H1": "4x24x24", "H2": "4x12x12", "H3": "12x8x8", "H4": "12x4x4"},
        ),
    ),
}
