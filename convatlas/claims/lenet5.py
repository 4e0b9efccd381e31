"""What is printed of the networks of nets/lenet5.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "lenet5": (
        Claim("params", "60,000", "Sec. II-B, last lines"),
        Claim("connections", "340,908", "Sec. II-B, last lines"),
        Claim("layers", "7", "Sec. II-B, not counting the input"),
        *each(
            "size",
            "Sec. II-B",
            {"C1": "6x28x28", "S2": "6x14x14", "C3": "16x10x10", "S4": "16x5x5", "C5": "120x1x1"},
        ),
        Claim("units", "84", "Sec. II-B", "F6"),
        *each(
            "params",
            "Sec. II-B",
            {"C1": "156", "S2": "12", "C3": "1,516", "S4": "32", "F6": "10,164"},
        ),
        *each(
            "connections",
            "Sec. II-B",
            {"C1": "122,304", "S2": "5,880", "C3": "151,600", "S4": "2,000", "C5": "48,120"},
        ),
    ),
}
