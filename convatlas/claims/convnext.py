"""What is printed of the networks of nets/convnext.py."""

from convatlas.claim import Claim, counts, each, misprint, not_explained, table

OTHER_ROW_45_1 = misprint(
    "The same table prints 45.1G for the same network at the same size, with weights from "
    "ImageNet-22K, and so does Table 8; it takes 45,122,117,632."
)
SWIN_B = misprint(
    "Of another network: 47.0G is Table 1's figure for Swin-B at 384x384; the table above and the "
    "paper print 45.0G and 45.1G for ConvNeXt-B."
)
CUT_OFF_28 = misprint(
    "28,589,128; the README's next table and the paper's Table 1 print 29M for the same network."
)
ONE_ROW_UP = not_explained(
    "4,455,531,264. The row above, before the separate downsampling layers, prints 4.46, which is "
    "this network's, and would be 4.15. All other rows of Tables 10 and 11 are multiply-adds to "
    "the last digit. Five operations for each value that a layer norm gives out, as fvcore counts "
    "it, would make it 4.470."
)
WIDTHS = {
    "tiny": "96 192 384 768",
    "small": "96 192 384 768",
    "base": "128 256 512 1024",
    "large": "192 384 768 1536",
    "xlarge": "256 512 1024 2048",
}
BLOCKS = {"tiny": "3 3 9 3"} | dict.fromkeys(("small", "base", "large", "xlarge"), "3 3 27 3")
STAGES = ("res2", "res3", "res4", "res5")
SIZES = {"stem": "56x56", "res2": "56x56", "res3": "28x28", "res4": "14x14", "res5": "7x7"}
SEPARATE = each(
    "kernel",
    "Sec. 2.6: 2x2 conv layers with stride 2",
    {f"{stage}.downsample": "2x2" for stage in STAGES[1:]},
) + each(
    "stride",
    "Sec. 2.6: 2x2 conv layers with stride 2",
    {f"{stage}.downsample": "2" for stage in STAGES[1:]},
)
TABLE_9 = (
    *each("size", "Table 9, output size", SIZES),
    *table("Table 9: 4x4, 96, stride 4", "kernel filters stride", {"stem": "4x4 96 4"}),
    *table(
        "Table 9",
        "kernel:*.depthwise filters:*.depthwise kernel:*.expand filters:*.expand kernel:*.project "
        "filters:*.project repeats",
        {
            "res2": "7x7 96 1x1 384 1x1 96 3",
            "res3": "7x7 192 1x1 768 1x1 192 3",
            "res4": "7x7 384 1x1 1536 1x1 384 9",
            "res5": "7x7 768 1x1 3072 1x1 768 3",
        },
    ),
    *each("nonlinearity", "Figure 4: GELU", dict.fromkeys(STAGES, "GELU")),
    Claim("params", "28.6e6", "Table 9, # params."),
    Claim("macs", "4.5e9", "Table 9, FLOPs"),
)


def variant(size: str) -> tuple[Claim, ...]:
    """C and B of Sec. 3."""
    widths = dict(zip(STAGES, WIDTHS[size].split(), strict=True))
    blocks = dict(zip(STAGES, BLOCKS[size].split(), strict=True))
    return (
        *each("filters", "Sec. 3: C", {f"{s}.*.project": c for s, c in widths.items()}),
        *each("repeats", "Sec. 3: B", blocks),
        *SEPARATE,
    )


def isotropic(width: str, depth: str) -> tuple[Claim, ...]:
    """Sec. 3.3."""
    return (
        *each("filters", "Sec. 3.3", {"stem": width, "blocks.*.project": width}),
        Claim("repeats", depth, "Sec. 3.3: depths 18/18/36", "blocks"),
        *each("size", "Sec. 3.3: 14x14 at all depths", {"stem": "14x14", "blocks": "14x14"}),
        Claim("kernel", "7x7", "Sec. 3.3: the block stays the same", "blocks.*.depthwise"),
    )


def released(params: str, macs: str, at: str = "", **remarks) -> tuple[Claim, ...]:
    return counts("README", params, macs, by="release", at=at, **remarks)


LARGER = "384x384"
CLAIMS = {
    "convnext_tiny": (
        *TABLE_9,
        *variant("tiny"),
        *counts("Table 1", "29M", "4.5G"),
        *counts("Table 1, ImageNet-22K", "29M", "13.1G", at=LARGER),
        *counts("Table 8", "28.6M", "4.5G"),
        Claim("macs", "4.49G", "Table 10, last row", remark=ONE_ROW_UP),
        *released("28M", "4.5G", remarks=(CUT_OFF_28, None)),
        *released("29M", "13.1G", LARGER),
        *counts("ConvNeXt_Tiny_Weights", "28,589,128", "4.456G", by="torchvision"),
    ),
    "convnext_small": (
        *variant("small"),
        *counts("Table 1", "50M", "8.7G"),
        *counts("Table 1, ImageNet-22K", "50M", "25.5G", at=LARGER),
        *released("50M", "8.7G"),
        *released("50M", "25.5G", LARGER),
        *counts("ConvNeXt_Small_Weights", "50,223,688", "8.684G", by="torchvision"),
    ),
    "convnext_base": (
        *variant("base"),
        *counts("Table 1", "89M", "15.4G"),
        *counts("Table 1", "", "45.0G", at=LARGER, remarks=(None, OTHER_ROW_45_1)),
        *counts("Table 1, ImageNet-22K", "89M", "45.1G", at=LARGER),
        *counts("Table 8", "88.6M", "15.4G"),
        Claim("macs", "45.1G", "Table 8", at=LARGER),
        Claim("macs", "15.35G", "Table 11, last row"),
        *released("89M", "15.4G"),
        *released("89M", "45.0G", LARGER, remarks=(None, OTHER_ROW_45_1)),
        *released("", "47.0G", LARGER, remarks=(None, SWIN_B)),
        *counts("ConvNeXt_Base_Weights", "88,591,464", "15.355G", by="torchvision"),
    ),
    "convnext_large": (
        *variant("large"),
        *counts("Table 1", "198M", "34.4G"),
        *counts("Table 1", "198M", "101.0G", at=LARGER),
        *counts("Table 8", "197.8M", "101.0G", at=LARGER),
        *released("198M", "34.4G"),
        *released("198M", "101.0G", LARGER),
        *counts("ConvNeXt_Large_Weights", "197,767,336", "34.361G", by="torchvision"),
    ),
    "convnext_xlarge": (
        *variant("xlarge"),
        *counts("Table 1", "350M", "60.9G"),
        *counts("Table 1", "350M", "179.0G", at=LARGER),
        *counts("Table 8", "350.2M", "179.0G", at=LARGER),
        *released("350M", "60.9G"),
        *released("350M", "179.0G", LARGER),
    ),
    "convnext_isotropic_small": (
        *isotropic("384", "18"),
        *counts("Table 2", "22M", "4.3G"),
        *released("22M", "4.3G"),
    ),
    "convnext_isotropic_base": (
        *isotropic("768", "18"),
        *counts("Table 2", "87M", "16.9G"),
        *released("87M", "16.9G"),
    ),
    "convnext_isotropic_large": (
        *isotropic("1024", "36"),
        *counts("Table 2", "306M", "59.7G"),
        *released("306M", "59.7G"),
    ),
}
