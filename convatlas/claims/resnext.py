"""What is printed of the networks of nets/resnext.py."""

from convatlas.claim import (
    Claim,
    counted_otherwise,
    counts,
    each,
    misprint,
    not_explained,
    table,
    within_one_unit,
)

ROUGHLY_8X14D = not_explained(
    "Complexity is preserved roughly (Table 2); footnote 5 grants marginally higher FLOPs in the "
    "blocks where map sizes change. Torchvision's ResNet(groups=8, width_per_group=14) agrees with "
    "4.27."
)
CONTRADICTS_EQUATION_4 = misprint(
    "Eq. (4) gives 71,456 for C = 8, d = 14, and counts no batch norm."
)
CONTRADICTS_TABLE_1 = misprint("Table 1 prints 4.2e9 for this very network.")
ROUGHLY_101 = not_explained(
    "Complexity is preserved roughly (Table 2); footnote 5 grants marginally higher FLOPs in the "
    "blocks where map sizes change. ResNet-101 itself, with the stride in the 3x3, takes 7.80."
)
TWICE_7_8 = not_explained(
    "15,460,270,080, as torchvision prints too; with the values of the norms 15.49."
)
STATISTICS_CUT_OFF = counted_otherwise(
    "83.66 million with the running statistics of batch norm. The column is cut off: 22.8M for "
    "Xception's 22.86."
)
WIDEST_TEMPLATE = not_explained(
    "45,104,328; of Table 2's templates those with 8 groups of 14 channels are the largest, 71,456 "
    "by Eq. (4) for some 70k."
)
EQUATION_4 = counted_otherwise(
    "Eq. (4), C(256d + 9dd + 256d), from which Table 2 is made, counts no batch norm."
)
PRESERVED_ROUGHLY = within_one_unit(
    "Complexity is preserved roughly (Table 2); footnote 5 grants marginally higher FLOPs in the "
    "blocks where map sizes change."
)
WITH_STATISTICS = counted_otherwise(
    "With the running statistics of batch norm 83.7 million; DenseNet-264's 34M in the same table "
    "are 33.7 million with them."
)
CUT_OFF = within_one_unit("88,791,336, cut off.")
STEM = (
    *table("Table 1", "kernel filters stride", {"conv1": "7x7 64 2"}),
    *table("Table 1", "kernel stride", {"pool1": "3x3 2"}),
    Claim("units", "1000", "Table 1, 1000-d fc", "fc"),
)
BLOCKS_50_32X4D = table(
    "Table 1",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2 groups:*.conv2 "
    "kernel:*.conv3 filters:*.conv3",
    {
        "conv2_x": "3 1x1 128 3x3 128 32 1x1 256",
        "conv3_x": "4 1x1 256 3x3 256 32 1x1 512",
        "conv4_x": "6 1x1 512 3x3 512 32 1x1 1024",
        "conv5_x": "3 1x1 1024 3x3 1024 32 1x1 2048",
    },
)
DOWNSAMPLING = each(
    "stride",
    "Sec. 4: by stride-2 convolutions in the 3x3 layer of the first block in each stage",
    {"conv3_x.0.branch.conv2": "2", "conv4_x.0.branch.conv2": "2", "conv5_x.0.branch.conv2": "2"},
)
TEMPLATE_2 = table("Table 2", "groups filters", {"conv2_x.*.conv2": "2 80"})
TEMPLATE_4 = table("Table 2", "groups filters", {"conv2_x.*.conv2": "4 96"})
TEMPLATE_8 = table("Table 2", "groups filters", {"conv2_x.*.conv2": "8 112"})
TEMPLATE_32 = table("Table 2", "groups filters", {"conv2_x.*.conv2": "32 128"})
SENET_50 = within_one_unit(
    "4.230G; what else SENet's Table 2 counts was not found: se_resnet101 lists what was tried."
)
SENET_101 = not_explained(
    "7.970G; what else SENet's Table 2 counts was not found: se_resnet101 lists what was tried."
)
CLAIMS = {
    "resnext50_2x40d": (
        Claim("layers", "50", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "80x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts("Figure 5, preserved complexity", "25 million", "4.1 billion"),
        Claim(
            "params without norms",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *DOWNSAMPLING,
        *TEMPLATE_2,
    ),
    "resnext50_4x24d": (
        Claim("layers", "50", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "96x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts(
            "Figure 5, preserved complexity",
            "25 million",
            "4.1 billion",
            remarks=(None, PRESERVED_ROUGHLY),
        ),
        Claim(
            "params without norms",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *DOWNSAMPLING,
        *TEMPLATE_4,
    ),
    "resnext50_8x14d": (
        Claim("layers", "50", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "112x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts(
            "Figure 5, preserved complexity",
            "25 million",
            "4.1 billion",
            remarks=(PRESERVED_ROUGHLY, ROUGHLY_8X14D),
        ),
        Claim(
            "params",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=CONTRADICTS_EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *DOWNSAMPLING,
        *TEMPLATE_8,
    ),
    "resnext50_32x4d": (
        Claim("layers", "50", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "128x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        Claim(
            "share of its macs in 1x1",
            "93.4%",
            "Sec. 3.1: each residual unit, cardinality = 32",
            "conv?_x.1",
            by="ShuffleNet",
        ),
        *counts(
            "Figure 5, preserved complexity",
            "25 million",
            "4.1 billion",
            remarks=(None, CONTRADICTS_TABLE_1),
        ),
        Claim(
            "params without norms",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *each(
            "size",
            "Table 1, output",
            {
                "conv1": "112x112",
                "pool1": "56x56",
                "conv2_x": "56x56",
                "conv3_x": "28x28",
                "conv4_x": "14x14",
                "conv5_x": "7x7",
            },
        ),
        *each(
            "size",
            "Table 1, output and 3x3",
            {
                "conv3_x.1.branch.conv2": "256x28x28",
                "conv4_x.1.branch.conv2": "512x14x14",
                "conv5_x.1.branch.conv2": "1024x7x7",
            },
        ),
        *each(
            "size",
            "Table 1, output and last 1x1",
            {
                "conv2_x": "256x56x56",
                "conv3_x": "512x28x28",
                "conv4_x": "1024x14x14",
                "conv5_x": "2048x7x7",
            },
        ),
        *counts("Table 1", "25.0e6", "4.2e9"),
        Claim("macs", "4.24G", "Table 2, re-implementation, GFLOPs", by="SENet", remark=SENET_50),
        *counts("ResNeXt50_32X4D_Weights", "25,028,904", "4.23G", by="torchvision"),
        *STEM,
        *BLOCKS_50_32X4D,
        *DOWNSAMPLING,
        *TEMPLATE_32,
    ),
    "resnext101_2x40d": (
        Claim("layers", "101", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "80x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts("Figure 5, preserved complexity", "44 million", "7.8 billion"),
        Claim(
            "params without norms",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *DOWNSAMPLING,
        *TEMPLATE_2,
    ),
    "resnext101_4x24d": (
        Claim("layers", "101", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "96x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts(
            "Figure 5, preserved complexity",
            "44 million",
            "7.8 billion",
            remarks=(None, ROUGHLY_101),
        ),
        Claim(
            "params without norms",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *DOWNSAMPLING,
        *TEMPLATE_4,
    ),
    "resnext101_8x14d": (
        Claim("layers", "101", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "112x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts(
            "Figure 5, preserved complexity",
            "44 million",
            "7.8 billion",
            remarks=(WIDEST_TEMPLATE, ROUGHLY_101),
        ),
        Claim(
            "params",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=CONTRADICTS_EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        *DOWNSAMPLING,
        *TEMPLATE_8,
    ),
    "resnext101_32x4d": (
        Claim("layers", "101", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "128x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        *counts(
            "Figure 5, preserved complexity",
            "44 million",
            "7.8 billion",
            remarks=(None, ROUGHLY_101),
        ),
        Claim(
            "params without norms",
            "70K",
            "Table 2: ~70k for the template of conv2",
            "conv2_x.1",
            remark=EQUATION_4,
        ),
        Claim("macs", "0.22 billion", "Table 2: FLOPs of the template of conv2", "conv2_x.1"),
        Claim("macs", "7.99G", "Table 2, re-implementation, GFLOPs", by="SENet", remark=SENET_101),
        *DOWNSAMPLING,
        *TEMPLATE_32,
    ),
    "resnext101_2x64d": (
        Claim("layers", "101", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "128x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        Claim("macs", "15 billion", "Sec. 5.1: variants of ~15 billion FLOPs"),
    ),
    "resnext101_64x4d": (
        Claim("layers", "101", "Sec. 5.1: 50-layer and 101-layer residual networks"),
        Claim("size", "256x56x56", "Table 2, width of group conv.", "conv2_x.1.branch.conv2"),
        Claim("macs", "15 billion", "Sec. 5.1: variants of ~15 billion FLOPs"),
        Claim("macs", "15.6 billion", "README, GFLOPS", by="release", remark=TWICE_7_8),
        *counts("ResNeXt101_64X4D_Weights", "83,455,272", "15.46G", by="torchvision"),
        Claim(
            "params with statistics",
            "83.6M",
            "Table 2",
            by="NASNet",
            truncated=True,
            remark=STATISTICS_CUT_OFF,
        ),
        Claim("macs", "31.5B", "Table 2", by="NASNet", at="320x320"),
        Claim(
            "params with statistics",
            "84M",
            "Table 2",
            by="EfficientNet",
            remark=WITH_STATISTICS,
        ),
        Claim("macs", "32B", "Table 2", by="EfficientNet", at="320x320"),
    ),
    "resnext101_32x8d": (
        Claim("layers", "101", "README (WSL-Images), ResNeXt-101 32x8d", by="release"),
        *counts("README (WSL-Images)", "88M", "16B", by="release", remarks=(CUT_OFF, None)),
        *counts("ResNeXt101_32X8D_Weights", "88,791,336", "16.414G", by="torchvision"),
    ),
}
