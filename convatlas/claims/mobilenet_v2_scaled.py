"""What is printed of the networks of nets/mobilenet_v2_scaled.py."""

from convatlas.claim import Claim, not_explained

COMPOUND = not_explained(
    "The coefficients are not printed; those of MobileNetV1's row give 1.470B at 299 pixels and "
    "1.284B at 288."
)
CLAIMS = {
    "mobilenet_v2_d4": (Claim("macs", "1.2B", "Table 3, by depth (d=4)"),),
    "mobilenet_v2_x2_0": (Claim("macs", "1.1B", "Table 3, by width (w=2)"),),
    "mobilenet_v2_compound": (Claim("macs", "1.3B", "Table 3, compound scale", remark=COMPOUND),),
}
