"""What is printed of the networks of nets/mobilenet_v1_scaled.py."""

from convatlas.claim import Claim, not_explained

COMPOUND = not_explained(
    "2.494B at 299 pixels, which Figure 4 gives r = 1.3, 2.445B at 291, with layers rounded up; "
    "the paper does not say how it rounded."
)
CLAIMS = {
    "mobilenet_v1_x2_0": (Claim("macs", "2.2B", "Table 3, by width (w=2)"),),
    "mobilenet_v1_compound": (
        Claim("macs", "2.3B", "Table 3, compound scale (d=1.4, w=1.2, r=1.3)", remark=COMPOUND),
    ),
}
