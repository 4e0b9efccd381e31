"""What is printed of the networks of nets/senet.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, misprint, table, within_one_unit

WHY_1 = misprint(
    "Convolutions and fully connected layers take 7.57G. Table 2 counts more, for the plain "
    "networks too: 11.30 for ResNet-152, which takes 11.28. About 2.5 operations for each value "
    "that a unit gives out, which is averaged, scaled and added, explain all five rows of gated "
    "residual networks."
)
WHY_2 = misprint(
    "Convolutions and fully connected layers take 11.29G. Table 2 counts more, for the plain "
    "networks too: 11.30 for ResNet-152, which takes 11.28. About 2.5 operations for each value "
    "that a unit gives out, which is averaged, scaled and added, explain all five rows of gated "
    "residual networks."
)
WHY_3 = misprint(
    "Convolutions and fully connected layers take 4.23G. Table 2 counts more, for the plain "
    "networks too: 11.30 for ResNet-152, which takes 11.28. About 2.5 operations for each value "
    "that a unit gives out, which is averaged, scaled and added, explain all five rows of gated "
    "residual networks."
)
WHY_4 = misprint(
    "Convolutions and fully connected layers take 7.97G. Table 2 counts more, for the plain "
    "networks too: 11.30 for ResNet-152, which takes 11.28. About 2.5 operations for each value "
    "that a unit gives out, which is averaged, scaled and added, explain all five rows of gated "
    "residual networks."
)
WHY_5 = misprint("The released SENet-154 has 115,088,984; no count of it comes near 146 million.")
WHY_6 = misprint(
    "MMLab's counter adds batch norms, activations and pools to the convolutions and fully "
    "connected layers."
)
SHARED_1 = each(
    "units",
    "Table 1, fc",
    {
        "conv2_x.2.branch.se.w1": "16",
        "conv2_x.2.branch.se.w2": "256",
        "conv3_x.3.branch.se.w1": "32",
        "conv3_x.3.branch.se.w2": "512",
        "conv4_x.5.branch.se.w1": "64",
        "conv4_x.5.branch.se.w2": "1024",
        "conv5_x.2.branch.se.w1": "128",
        "conv5_x.2.branch.se.w2": "2048",
    },
)
SHARED_2 = each(
    "size",
    "Table 1, output size",
    {
        "conv1": "112x112",
        "pool1": "56x56",
        "conv2_x": "56x56",
        "conv3_x": "28x28",
        "conv4_x": "14x14",
        "conv5_x": "7x7",
    },
)
MORE_THAN_PRODUCTS = within_one_unit(
    "Convolutions and fully connected layers take 3.860G; what else Table 2 counts was not "
    "found: se_resnet101 lists what was tried."
)
WITH_NORMS = counted_otherwise(
    "One operation for each value that a batch norm gives out makes this row, Inception-v3's "
    "5.72B and Xception's 8.38B hold; the table's two other rows hold by the usual count."
)
STEM = (
    *table("Table 1", "kernel filters stride", {"conv1": "7x7 64 2"}),
    *table("Table 1", "kernel stride", {"pool1": "3x3 2"}),
    Claim("units", "1000", "Table 1, fc, 1000-d", "fc"),
)
BLOCKS_RESNET = table(
    "Table 1, SE-ResNet-50",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2 "
    "kernel:*.conv3 filters:*.conv3",
    {
        "conv2_x": "3 1x1 64 3x3 64 1x1 256",
        "conv3_x": "4 1x1 128 3x3 128 1x1 512",
        "conv4_x": "6 1x1 256 3x3 256 1x1 1024",
        "conv5_x": "3 1x1 512 3x3 512 1x1 2048",
    },
)
BLOCKS_RESNEXT = table(
    "Table 1, SE-ResNeXt-50",
    "repeats kernel:*.conv1 filters:*.conv1 kernel:*.conv2 filters:*.conv2 groups:*.conv2 "
    "kernel:*.conv3 filters:*.conv3",
    {
        "conv2_x": "3 1x1 128 3x3 128 32 1x1 256",
        "conv3_x": "4 1x1 256 3x3 256 32 1x1 512",
        "conv4_x": "6 1x1 512 3x3 512 32 1x1 1024",
        "conv5_x": "3 1x1 1024 3x3 1024 32 1x1 2048",
    },
)
CLAIMS = {
    "se_resnet18": (Claim("params", "11,778,592", "The tests of its models", by="pytorchcv"),),
    "se_resnet34": (Claim("params", "21,958,868", "The tests of its models", by="pytorchcv"),),
    "se_resnet50": (
        *SHARED_2,
        *each(
            "size",
            "Table 1, conv at the output size",
            {
                "conv2_x.2.branch.conv1": "64x56x56",
                "conv2_x.2.branch.conv2": "64x56x56",
                "conv2_x.2.branch.conv3": "256x56x56",
                "conv3_x.3.branch.conv1": "128x28x28",
                "conv3_x.3.branch.conv2": "128x28x28",
                "conv3_x.3.branch.conv3": "512x28x28",
                "conv4_x.5.branch.conv1": "256x14x14",
                "conv4_x.5.branch.conv2": "256x14x14",
                "conv4_x.5.branch.conv3": "1024x14x14",
                "conv5_x.2.branch.conv1": "512x7x7",
                "conv5_x.2.branch.conv2": "512x7x7",
                "conv5_x.2.branch.conv3": "2048x7x7",
            },
        ),
        *SHARED_1,
        Claim("macs", "3.87G", "Table 2, GFLOPs", remark=MORE_THAN_PRODUCTS),
        *STEM,
        *BLOCKS_RESNET,
    ),
    "se_resnet101": (Claim("macs", "7.60G", "Table 2, GFLOPs", remark=WHY_1),),
    "se_resnet152": (Claim("macs", "11.32G", "Table 2, GFLOPs", remark=WHY_2),),
    "se_resnext50_32x4d": (
        *SHARED_2,
        *each(
            "size",
            "Table 1, conv at the output size",
            {
                "conv2_x.2.branch.conv1": "128x56x56",
                "conv2_x.2.branch.conv2": "128x56x56",
                "conv2_x.2.branch.conv3": "256x56x56",
                "conv3_x.3.branch.conv1": "256x28x28",
                "conv3_x.3.branch.conv2": "256x28x28",
                "conv3_x.3.branch.conv3": "512x28x28",
                "conv4_x.5.branch.conv1": "512x14x14",
                "conv4_x.5.branch.conv2": "512x14x14",
                "conv4_x.5.branch.conv3": "1024x14x14",
                "conv5_x.2.branch.conv1": "1024x7x7",
                "conv5_x.2.branch.conv2": "1024x7x7",
                "conv5_x.2.branch.conv3": "2048x7x7",
            },
        ),
        *SHARED_1,
        Claim("macs", "4.25G", "Table 2, GFLOPs", remark=WHY_3),
        *STEM,
        *BLOCKS_RESNEXT,
    ),
    "se_resnext101_32x4d": (Claim("macs", "8.00G", "Table 2, GFLOPs", remark=WHY_4),),
    "senet154": (
        Claim("macs", "20.7G", "Table 6, SENet", by="ShuffleNet V2"),
        Claim("params", "145.8M", "Table 2", by="NASNet", remark=WHY_5),
        Claim("macs with norms", "42.3B", "Table 2", by="NASNet", at="320x320", remark=WITH_NORMS),
        *counts("Table 2", "146M", "42B", by="EfficientNet", at="320x320", remarks=(WHY_5, None)),
    ),
    "se_resnet50_v15": (
        *counts("README, SE-ResNet-50", "28.09M", "4.13G", by="mmpretrain", remarks=(None, WHY_6)),
    ),
    "se_resnet101_v15": (
        *counts("README, SE-ResNet-101", "49.33M", "7.86G", by="mmpretrain", remarks=(None, WHY_6)),
    ),
    "se_resnet152_v15": (
        Claim("params", "66,821,848", "The tests of its models: seresnet152b", by="pytorchcv"),
    ),
}
