"""What is printed of the networks of nets/xception_released.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "xception_released": (
        Claim("params", "22.9M", "README, Performance, Size", by="release"),
        Claim("size", "3x299x299", "README, Performance", "input", by="release"),
        *each(
            "filters",
            "xception.py, block14",
            {"exit_flow.sepconv1.pointwise": "1536", "exit_flow.sepconv2.pointwise": "2048"},
            by="release",
        ),
    ),
}
