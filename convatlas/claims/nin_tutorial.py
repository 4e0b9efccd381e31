"""What is printed of the networks of nets/nin_tutorial.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "nin_tutorial": (
        *each(
            "size",
            "NiN: the printed outputs",
            {
                "mlpconv1": "96x54x54",
                "pool1": "96x26x26",
                "mlpconv2": "256x26x26",
                "pool2": "256x12x12",
                "mlpconv3": "384x12x12",
                "pool3": "384x5x5",
                "dropout": "384x5x5",
                "mlpconv4": "10x5x5",
            },
            by="d2l",
        ),
        Claim("units", "10", "NiN: the printed outputs", by="d2l"),
    ),
}
