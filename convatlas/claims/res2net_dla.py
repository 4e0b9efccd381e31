"""What is printed of the networks of nets/res2net_dla.py."""

from convatlas.claim import Claim, misprint, not_explained, within_one_unit

UNUSED_PROJECTIONS = misprint(
    "The README counts three projections that the released code computes and throws away: with "
    "them 21,145,544."
)
UNUSED_PROJECTIONS_NEXT = misprint(
    "The README counts three projections that the released code computes and throws away: with "
    "them 17,330,456."
)
COST_OF_NEXT = not_explained(
    "3.46G, and 3.54G with three projections that the released code computes and throws away."
)
WITH_PROJECTIONS = within_one_unit(
    "4,122,681,344; the README counts three projections that the released code computes and throws "
    "away, 0.08 billion more."
)

CLAIMS = {
    "dla60": (
        Claim("params", "22,036,632", "DLA-60", by="pytorchcv README"),
        Claim("layers", "60", "DLA-60, the name", by="pytorchcv README"),
    ),
    "dla60x": (
        Claim("params", "17,352,344", "DLA-X-60", by="pytorchcv README"),
        Claim("layers", "60", "DLA-X-60, the name", by="pytorchcv README"),
    ),
    "res2net_dla60": (
        Claim("params", "21.15M", "README, #Params", by="release", remark=UNUSED_PROJECTIONS),
        Claim("macs", "4.2G", "README, GFLOPs", by="release", remark=WITH_PROJECTIONS),
        Claim("layers", "60", "Table 1, Res2Net-DLA-60"),
    ),
    "res2next_dla60": (
        Claim("params", "17.33M", "README, #Params", by="release", remark=UNUSED_PROJECTIONS_NEXT),
        Claim("macs", "3.6G", "README, GFLOPs", by="release", remark=COST_OF_NEXT),
        Claim("layers", "60", "Table 1, Res2NeXt-DLA-60"),
    ),
}
