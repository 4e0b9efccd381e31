"""What is printed of the network of nets/se_vgg.py."""

from convatlas.claim import Claim, within_one_unit

VALUES = within_one_unit(
    "15,470,490,624 in convolutions and fully connected layers. The table counts more for all "
    "gated networks; one operation more for each of the 13,547,520 values that the gates scale "
    "makes 15.484."
)
CLAIMS = {
    "se_vgg16": (
        Claim("layers", "16", "Table 2, VGG-16"),
        Claim("macs", "15.48G", "Table 2, GFLOPs", remark=VALUES),
    )
}
