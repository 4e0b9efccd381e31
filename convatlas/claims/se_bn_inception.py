"""What is printed of the networks of nets/se_bn_inception.py."""

from convatlas.claim import Claim, within_one_unit

MORE_THAN_PRODUCTS = within_one_unit(
    "Convolutions and fully connected layers take 2.033G; what else Table 2 counts was not found: "
    "se_resnet101 lists what was tried."
)
CLAIMS = {
    "se_bn_inception": (Claim("macs", "2.04G", "Table 2, GFLOPs", remark=MORE_THAN_PRODUCTS),),
}
