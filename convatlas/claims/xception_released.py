"""What is printed of the networks of nets/xception_released.py."""

from convatlas.claim import Claim

CLAIMS = {
    "xception_released": (
        Claim("params", "22.9M", "README, Performance, Size", by="release"),
        Claim("size", "3x299x299", "README, Performance", "input", by="release"),
        Claim("filters", "1536", "xception.py, block14", "exit_flow.sepconv1.pointwise", by="release"),
        Claim("filters", "2048", "xception.py, block14", "exit_flow.sepconv2.pointwise", by="release"),
    ),
}
