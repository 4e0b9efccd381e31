"""What is printed of the networks of nets/res2net.py."""

from convatlas.claim import Claim, counted_otherwise, within_one_unit

CUT_OFF = within_one_unit(
    "4,255,166,464; its neighbours 48wx2s and 14wx8s, which the table calls as costly, have 4.16 "
    "and 4.18 billion."
)
NAMED_AFTER_RESNET = counted_otherwise(
    "The name is that of the ResNet whose 7x7 the three 3x3 convolutions of conv1 replace: with "
    "conv1 as one layer every such name holds. The longest way is two layers longer."
)
CLAIMS = {
    "res2net50_48w2s": (
        Claim("layers", "50", "Table 3, Res2Net-50"),
        Claim("macs", "4.2G", "Table 3, FLOPs"),
        Claim("params", "25.29M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release"),
    ),
    "res2net50_26w4s": (
        Claim("layers", "50", "Table 3, Res2Net-50"),
        Claim("macs", "4.2G", "Table 3, FLOPs", remark=CUT_OFF),
        Claim("params", "25.70M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release", remark=CUT_OFF),
    ),
    "res2net50_14w8s": (
        Claim("layers", "50", "Table 3, Res2Net-50"),
        Claim("macs", "4.2G", "Table 3, FLOPs"),
        Claim("params", "25.06M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release"),
    ),
    "res2net50_26w6s": (
        Claim("layers", "50", "Table 3, Res2Net-50"),
        Claim("macs", "6.3G", "Table 3, FLOPs"),
        Claim("params", "37.05M", "README, #Params", by="release"),
        Claim("macs", "6.3G", "README, GFLOPs", by="release"),
    ),
    "res2net50_26w8s": (
        Claim("layers", "50", "Table 3, Res2Net-50"),
        Claim("macs", "8.3G", "Table 3, FLOPs"),
        Claim("params", "48.40M", "README, #Params", by="release"),
        Claim("macs", "8.3G", "README, GFLOPs", by="release"),
    ),
    "res2net50_18w4s": (
        Claim("layers", "50", "Table 3, Res2Net-50"),
        Claim("macs", "2.9G", "Table 3, FLOPs"),
    ),
    "res2net101_26w4s": (
        Claim("layers", "101", "Table 2, Res2Net-101"),
        Claim("params", "45.21M", "README, #Params", by="release"),
        Claim("macs", "8.1G", "README, GFLOPs", by="release"),
    ),
    "res2next50": (
        Claim("layers", "50", "Table 1, Res2NeXt-50"),
        Claim("params", "24.67M", "README, #Params", by="release"),
        Claim("macs", "4.2G", "README, GFLOPs", by="release"),
    ),
    "res2net50_v1b_26w4s": (
        Claim(
            "layers, conv1 as one",
            "50",
            "Table 1, Res2Net-v1b-50",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
    "res2net101_v1b_26w4s": (
        Claim(
            "layers, conv1 as one",
            "101",
            "Table 1, Res2Net-v1b-101",
            remark=NAMED_AFTER_RESNET,
        ),
    ),
}
