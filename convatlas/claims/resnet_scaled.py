"""What is printed of the networks of nets/resnet_scaled.py."""

from convatlas.claim import Claim, not_explained

DEPTH = not_explained(
    "14.57B with four times the bottlenecks of every stage, 14.34B with the stride in the first "
    "1x1; four times the baseline's 4.09B would be 16.4B."
)
WIDTH = not_explained(
    "16.12B with all widths doubled, 15.87B with the first layer's 64 kept, 14.95B with the stride "
    "in the first 1x1 besides."
)
COMPOUND = not_explained(
    "The coefficients are not printed; those of MobileNetV1's row give 16.34B at 299 pixels."
)
CLAIMS = {
    "resnet50_d4": (Claim("macs", "16.2B", "Table 3, by depth (d=4)", remark=DEPTH),),
    "resnet50_x2_0": (
        Claim("layers", "50", "Table 3, ResNet-50 by width"),
        Claim("macs", "14.7B", "Table 3, by width (w=2)", remark=WIDTH),
    ),
    "resnet50_compound": (Claim("macs", "16.7B", "Table 3, compound scale", remark=COMPOUND),),
}
