"""What is printed of the networks of nets/lenet1989_zip.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "lenet1989_zip": (
        Claim("params", "9760", "Sec. 3.3, summary of the network"),
        Claim("connections", "64,660", "Sec. 3.3, summary of the network"),
        *each("size", "Sec. 3.3", {"H1": "12x8x8", "H2": "12x4x4"}),
        *each("units", "Sec. 3.3", {"H1": "768", "H2": "192", "H3": "30"}),
        *each("params", "Sec. 3.3", {"H1": "1068", "H2": "2592"}),
        *each(
            "connections",
            "Sec. 3.3",
            {"H1": "19,968", "H2": "38,592", "H3": "5790", "output": "310"},
        ),
    ),
}
