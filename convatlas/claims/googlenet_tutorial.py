"""What is printed of the networks of nets/googlenet_tutorial.py."""

from convatlas.claim import each

CLAIMS = {
    "googlenet_tutorial": (
        *each(
            "size",
            "Printed outputs",
            {"pool1": "64x56x56", "pool2": "192x28x28", "pool3": "480x14x14", "pool4": "832x7x7"},
            by="tutorials",
        ),
        *each(
            "units",
            "Printed outputs",
            {"avg_pool": "1024", "fc": "10"},
            by="tutorials",
        ),
    ),
}
