"""What is printed of the networks of nets/res2net.py."""

from convatlas.claim import Claim, within_one_unit

CUT_OFF = within_one_unit(
    "4,255,166,464; its neighbours 48wx2s and 14wx8s, which the table calls as costly, have 4.16 "
    "and 4.18 billion."
)
CLAIMS = {
    "res2net50_48w2s": (
        Claim("macs", "4.2G", "Table 3, FLOPs"),
        Claim("params", "25.29M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release"),
    ),
    "res2net50_26w4s": (
        Claim("macs", "4.2G", "Table 3, FLOPs", remark=CUT_OFF),
        Claim("params", "25.70M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release", remark=CUT_OFF),
    ),
    "res2net50_14w8s": (
        Claim("macs", "4.2G", "Table 3, FLOPs"),
        Claim("params", "25.06M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release"),
    ),
    "res2net50_26w6s": (
        Claim("macs", "6.3G", "Table 3, FLOPs"),
        Claim("params", "37.05M", "README, #Params", by="release"),
        Claim("macs", "6.3G", "README, GFLOPs", by="release"),
    ),
    "res2net50_26w8s": (
        Claim("macs", "8.3G", "Table 3, FLOPs"),
        Claim("params", "48.40M", "README, #Params", by="release"),
        Claim("macs", "8.3G", "README, GFLOPs", by="release"),
    ),
    "res2net50_18w4s": (Claim("macs", "2.9G", "Table 3, FLOPs"),),
    "res2net101_26w4s": (
        Claim("params", "45.21M", "README, #Params", by="release"),
        Claim("macs", "8.1G", "README, GFLOPs", by="release"),
    ),
    "res2next50": (
        Claim("params", "24.67M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release"),
    ),
}
