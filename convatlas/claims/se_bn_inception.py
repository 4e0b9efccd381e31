"""What is printed of the networks of nets/se_bn_inception.py."""

from convatlas.claim import Claim

CLAIMS = {
    "se_bn_inception": (Claim("macs", "2.04G", "Table 2, GFLOPs"),),
}
